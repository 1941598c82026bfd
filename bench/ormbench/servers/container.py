"""A container that holds one server: what the engine tells of it, and what it lets be done."""

import json
import time
from dataclasses import dataclass
from typing import Any

from ormbench.errors import ServerError
from ormbench.servers import engine
from ormbench.servers.control_group import holds

_READY_SECONDS = 180.0  # a loaded machine with a volume on a slow disk
_ASK_AGAIN = 0.2
_WORDS = 300  # characters of a log that fit into one line of ours
_GIB = 1 << 30
_NANO = 1_000_000_000
_PORTS = {"postgresql": "5432/tcp", "mysql": "3306/tcp", "mariadb": "3306/tcp"}


@dataclass(frozen=True, slots=True)
class Container:
    """One container, as ``docker inspect`` told of it once."""

    told: dict[str, Any]

    @classmethod
    def get(cls, name: str) -> "Container":
        """That of this id or name. Raises ServerError where there is none."""
        return cls(engine.inspect(name)[0])

    @property
    def id(self) -> str:
        """Its full id."""
        return str(self.told["Id"])

    @property
    def pid(self) -> int:
        """Its first process, counted as the engine's system counts."""
        return int(self.told["State"]["Pid"])

    @property
    def is_here(self) -> bool:
        """Whether its processes are processes of this machine."""
        return holds(self.pid, self.id)

    @property
    def status(self) -> str:
        """``running``, ``paused``, ``exited`` ..."""
        return str(self.told["State"]["Status"])

    def label(self, name: str) -> str:
        """One of our labels; "" where it has none."""
        return str((self.told["Config"]["Labels"] or {}).get(name, ""))

    def port(self) -> int | None:
        """The loopback port that is its server's; None where none is open."""
        wanted = _PORTS.get(self.label("com.docker.compose.service"), "")
        bound = (self.told["NetworkSettings"]["Ports"] or {}).get(wanted)
        return int(bound[0]["HostPort"]) if bound else None

    def image(self) -> str:
        """Its image with digest or, where no registry gave one, with the id; no registry's name."""
        name = str(self.told["Config"]["Image"])
        first, slash, rest = name.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            name = rest
        [image] = engine.inspect(str(self.told["Image"]))
        digests = image.get("RepoDigests") or []
        kind, _, digest = (digests[0] if digests else "id@" + image["Id"]).partition("@")
        return f"{name} ({'id' if kind == 'id' else 'digest'} {digest[:19]})"

    def limits(self) -> str:
        """Memory and cores that it may use."""
        host = self.told["HostConfig"]
        memory = f"{host['Memory'] / _GIB:.3g} GiB of memory" if host["Memory"] else "all memory"
        cores = f"{host['NanoCpus'] / _NANO:g} cores" if host["NanoCpus"] else "all cores"
        return f"{memory}, {cores}"

    def wait_until_ready(self) -> None:
        """Ask what its health check would ask, until that says yes. Raises ServerError."""
        words = self.label("ormbench.ready").split()
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            try:
                engine.call("exec", self.id, *words, seconds=_READY_SECONDS)
            except ServerError:
                self._check_that_it_runs()
                time.sleep(_ASK_AGAIN)
            else:
                return
        raise ServerError(f"it was not ready after {_READY_SECONDS:.0f} s; {self.last_words()}")

    def last_words(self) -> str:
        """The line of its log that says most about its end."""
        code, printed, complaint = engine.run(("logs", "--tail", "60", self.id))
        lines = [line.strip() for line in (printed + "\n" + complaint).splitlines()]
        lines = [line for line in lines if line]
        grave = [one for one in lines if "ERROR" in one or "FATAL" in one or "rror:" in one]
        if code or not lines:
            return "its log is empty"
        return f"its log ends: {(grave or lines)[-1][:_WORDS]}"

    def pin(self, cpus: frozenset[int]) -> None:
        """Keep all its processes, the future ones too, on these cores. Raises ServerError."""
        engine.call("update", "--cpuset-cpus", ",".join(map(str, sorted(cpus))), self.id)

    def _check_that_it_runs(self) -> None:
        state = json.loads(engine.call("inspect", "--format", "{{json .State}}", self.id))
        if state["Status"] in {"running", "created"}:
            return
        if state["OOMKilled"]:
            raise ServerError("it was killed for want of memory; give it more by BENCH_MEMORY")
        raise ServerError(f"it ended with code {state['ExitCode']}; {self.last_words()}")
