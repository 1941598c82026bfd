"""What a run records of where it took place: versions, host, server, commit. No secret, no path."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from ormbench.cell import Cell
from ormbench.results.manifest import Environment
from ormbench.servers.placement import allowed_cpus
from ormbench.servers.server import Server
from ormbench.targets.target import NO_TARGET, TARGETS

PACKAGES = ("sqlalchemy", "greenlet", "ormbench")


def capture(servers: Sequence[Server], cells: Sequence[Cell]) -> Environment:
    """Read it all, now: of drivers and event loops what *cells* use."""
    versions = _versions(cells)
    for server in servers:
        versions |= _server_version(server.version)
    return Environment(
        versions=versions,
        host=_host(),
        servers={server.product: server.description() for server in servers},
        server_settings={server.product: server.settings() for server in servers},
        commit=_commit(),
    )


def elsewhere(recorded: Environment) -> str | None:
    """What tells that this is not the host and boot of *recorded*; None where it is."""
    here = _host()
    for name in ("host id", "boot id"):
        if recorded.host.get(name) != here[name]:
            return f"{name} differs"
    return None


def _versions(cells: Sequence[Cell]) -> dict[str, str]:
    targets = {cell.target for cell in cells} - {NO_TARGET}
    drivers = [TARGETS[name].driver.distribution for name in sorted(targets)]
    loops = sorted({cell.loop for cell in cells} - {"asyncio"})
    names = {"sqlalchemy": "SQLAlchemy"}
    found = {"Python": platform.python_version()}
    for package in (*PACKAGES, *dict.fromkeys(drivers), *loops):
        try:
            found[names.get(package, package)] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _server_version(version: str) -> dict[str, str]:
    product, _, number = version.partition(" ")
    return {product: number}


def _host() -> dict[str, str]:
    return {
        "cores": str(len(allowed_cpus())),
        "cpu": cpu_model(),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "host id": _digest(_read("/etc/machine-id") or platform.node()),
        "boot id": _digest(_read("/proc/sys/kernel/random/boot_id")),
    }


def cpu_model() -> str:
    """As the system names its processor."""
    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _memory() -> str:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return "unknown"
    return f"{total / 2**30:.1f} GiB"


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _digest(text: str) -> str:
    """Tells hosts apart without naming them."""
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else ""


def _commit() -> str:
    """The commit of the checkout that this package lies in; "" where it lies in none."""
    here = Path(__file__).resolve().parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        tracked = subprocess.run(
            ["git", "-C", str(here), "ls-files", "--error-unmatch", __file__],
            capture_output=True,
            check=False,
        )
        if tracked.returncode:
            return ""
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
