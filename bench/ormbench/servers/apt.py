"""Packages of Debian and Ubuntu, downloaded and unpacked without a right and without a trace.

Reads the system's sources, keys and list of what is installed; writes into a folder that it is
given and nowhere else. Nothing gets installed.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ormbench.errors import ServerError

LISTS = Path("/var/lib/apt/lists")
"""What the system knows of the packages there are; empty in most container images."""

_SECONDS = 300
_HOOKS = ("APT::Update::Pre-Invoke", "APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success")
_PLACE = re.compile(r"://|/|\w\.\w+\.?\w*")  # an address, a path or a host's name


def is_here() -> bool:
    """Whether this system has the two commands."""
    return all(shutil.which(name) for name in ("apt-get", "dpkg-deb"))


@dataclass(frozen=True, slots=True)
class Apt:
    """apt with a state of its own in *work*, which exists, and with *lists*."""

    work: Path
    lists: Path

    def update(self) -> None:
        """Fetch the lists of packages. A source that does not answer is passed over."""
        (self.lists / "partial").mkdir(parents=True, exist_ok=True)
        self._run("apt-get", "update", check=False)

    def newest(self, stem: str) -> str | None:
        """The package called *stem*, or *stem* with a version, that can be had; else None."""
        told = self._run("apt-cache", "pkgnames", stem).stdout.split()
        fits = [name for name in told if re.fullmatch(rf"{re.escape(stem)}(-[\d.]+)?", name)]
        ordered = sorted(fits, key=lambda name: (name == stem, _numbers(name)), reverse=True)
        return next((name for name in ordered if self._candidate(name)), None)

    def download(self, packages: Iterable[str]) -> list[Path]:
        """The files of *packages*, and of what they need and the system has not.

        Raises ServerError in one line.
        """
        archives = self.work / "archives"
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        wanted = list(packages)
        self._run(
            "apt-get", "--yes", "--no-install-recommends", "--download-only", "install", *wanted
        )
        installed = [one for one in wanted if not list(archives.glob(f"{one}_*.deb"))]
        if installed:
            self._run("apt-get", "download", *installed, cwd=archives)
        return sorted(archives.glob("*.deb"))

    def _candidate(self, package: str) -> bool:
        told = self._run("apt-cache", "policy", package).stdout
        found = re.search(r"Candidate: (\S+)", told)
        return found is not None and found[1] != "(none)"

    def _run(
        self, *command: str, check: bool = True, cwd: Path = Path("/")
    ) -> subprocess.CompletedProcess[str]:
        try:
            done = subprocess.run(
                [command[0], *self._options(), *command[1:]],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                check=False,
                cwd=cwd,
                env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ServerError(f"{command[0]} does not run: {error}") from error
        if check and done.returncode:
            raise ServerError(f"{command[0]}: {complaint(done.stderr)}")
        return done

    def _options(self) -> Iterator[str]:
        without_hooks = self.work / "apt.conf"  # hooks of the system clean or read its own state
        if not without_hooks.exists():
            without_hooks.write_text("".join(f"#clear {name};\n" for name in _HOOKS))
        yield f"--config-file={without_hooks}"
        told = {
            "Dir::Cache": self.work,
            "Dir::Cache::archives": "archives",
            "Dir::Cache::pkgcache": "pkgcache.bin",  # switched off in container images
            "Dir::State": self.work,
            "Dir::State::lists": self.lists,
            "Dir::Log": self.work,
            "Debug::NoLocking": "true",
            "APT::Sandbox::User": "root",  # another account could not enter the folder
        }
        for name, value in told.items():
            yield from ("-o", f"{name}={value}")


def unpack(files: Iterable[Path], target: Path) -> None:
    """Unpack packages into a tree. Raises ServerError in one line."""
    for file in files:
        done = subprocess.run(
            ["dpkg-deb", "--extract", file, target], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServerError(f"{file.name} cannot be unpacked: {complaint(done.stderr)}")


def field(file: Path, name: str) -> str:
    """One field of a package's own description."""
    done = subprocess.run(
        ["dpkg-deb", "--field", file, name], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def complaint(told: str) -> str:
    """The errors among apt's words in one line, without those that name a host or a path."""
    errors = [line.split(":", 1)[1] for line in told.splitlines() if line.startswith("E:")]
    plain = [" ".join(line.split()) for line in errors if not _PLACE.search(line)]
    return "; ".join(plain) or "it failed; does `apt-get update` work on this machine?"


def _numbers(name: str) -> list[int]:
    return [int(one) for one in re.findall(r"\d+", name)]
