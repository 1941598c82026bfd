"""The docker command: whether it works here, and how it is called."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from ormbench.errors import ServerError

_CALL_SECONDS = 120.0  # the slowest call makes a container of a large image
_LOOK_SECONDS = 10.0
_END_SECONDS = 20.0
_AWAY = ("tcp://", "ssh://", "http://", "https://")


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine that answers."""

    version: str  # "Docker 28.2.2"
    shares_kernel: bool  # whether its containers run on this machine's own kernel


def call(
    *words: str,
    environment: Mapping[str, str] = MappingProxyType({}),
    seconds: float = _CALL_SECONDS,
) -> str:
    """What ``docker WORDS`` prints on standard output. Raises ServerError in one line."""
    code, printed, complaint = run(words, environment, seconds)
    if code:
        raise ServerError(f"docker {words[0]}: {_last_line(complaint) or f'exit code {code}'}")
    return printed


def run(
    words: Sequence[str],
    environment: Mapping[str, str] = MappingProxyType({}),
    seconds: float = _CALL_SECONDS,
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of ``docker WORDS``. Raises ServerError."""
    try:
        return _run(words, {**os.environ, **environment}, seconds)
    except FileNotFoundError as error:
        raise ServerError("no docker command here: install Docker") from error
    except subprocess.TimeoutExpired as error:
        raise ServerError(f"docker {words[0]}: no end after {seconds:.0f} s") from error


def inspect(*names: str) -> list[dict[str, Any]]:
    """``docker inspect`` of containers or images. Raises ServerError where one is not there."""
    found: list[dict[str, Any]] = json.loads(call("inspect", *names, seconds=_LOOK_SECONDS))
    return found


def find() -> Engine:
    """The engine that answers. Raises ServerError with what is wrong, and what would be right."""
    if shutil.which("docker") is None:
        raise ServerError("no docker command here: install Docker")
    host = os.environ.get("DOCKER_HOST", "")
    if host.startswith(_AWAY):
        raise ServerError("DOCKER_HOST names an engine on another machine; unset it")
    try:
        told = call("version", "--format", "{{json .Server}}", seconds=_LOOK_SECONDS)
    except ServerError as error:
        raise ServerError(_no_engine(str(error))) from error
    _need_compose()
    server = json.loads(told) or {}
    desktop = "Desktop" in str((server.get("Platform") or {}).get("Name", ""))
    version = f"Docker {str(server.get('Version', '')).partition('+')[0]}"
    return Engine(version, sys.platform == "linux" and not desktop)


def has_image(name: str) -> bool:
    """Whether the engine has that image. Nothing is pulled."""
    try:
        call("image", "inspect", "--format", "{{.Id}}", name, seconds=_LOOK_SECONDS)
    except ServerError:
        return False
    return True


def _no_engine(complaint: str) -> str:
    if "permission denied" in complaint.lower():
        return "the Docker engine refuses this user: add it to the group docker, or be root"
    if os.environ.get("DOCKER_HOST"):
        return "no Docker engine answers where DOCKER_HOST says: correct it, or unset it"
    return "no Docker engine answers: start it (Docker Desktop, or `systemctl start docker`)"


@cache
def _need_compose() -> None:
    try:
        call("compose", "version", seconds=_LOOK_SECONDS)
    except ServerError as error:
        raise ServerError(
            "docker has no compose command: install docker-compose-plugin (2.20 or later)"
        ) from error


def _run(
    words: Sequence[str], environment: Mapping[str, str], seconds: float
) -> tuple[int, str, str]:
    """Run in a session of its own: a Ctrl-C meant for us must not cut it off half way.

    When we are interrupted, it is let finish; otherwise it could still make a container after
    we have cleaned up.
    """
    process = subprocess.Popen(
        ["docker", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment,
        start_new_session=True,
    )
    try:
        printed, complaint = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        raise
    except BaseException:
        try:
            process.communicate(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            _end(process)
        raise
    return process.returncode, printed, complaint


def _end(process: "subprocess.Popen[str]") -> None:
    """End the command with its plugin, which is a process of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
