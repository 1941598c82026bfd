"""Servers that ``ormbench servers up`` keeps running, and their use by one run at a time."""

import fcntl
import os
from dataclasses import replace
from pathlib import Path

from ormbench.errors import ServerError
from ormbench.servers import compose, engine, owner
from ormbench.servers.compose import Wish
from ormbench.servers.container import Container
from ormbench.servers.docker_server import DockerServer
from ormbench.servers.launch import launch
from ormbench.servers.placement import allowed_cpus
from ormbench.servers.server import Product

_LOCK = "lock"
_SERVICE = "com.docker.compose.service"


class KeptServer(DockerServer):
    """One that a run borrows: ``stop()`` gives it back as it was."""

    lock: int | None = None  # descriptor of the file that says it is in use

    def stop(self) -> None:
        """Let it run on, on all cores, for the next one. A second call does nothing."""
        if self._stopped:
            return
        if self.alive():
            self.resume()
            self.place(allowed_cpus())
        self._let_go()
        if self.lock is not None:
            os.close(self.lock)


def containers() -> list[Container]:
    """Those that are kept, running or not. Raises ServerError."""
    label = f"label=ormbench.owner={owner.KEPT}"
    ids = engine.call("ps", "--all", "--quiet", "--no-trunc", "--filter", label).split()
    return [Container(told) for told in engine.inspect(*ids)] if ids else []


def find(product: Product) -> Container | None:
    """The kept one of *product*. Raises ServerError."""
    service = product.lower()
    found = (one for one in containers() if one.label(_SERVICE) == service)
    return next(found, None)


def claim(wish: Wish) -> KeptServer | None:
    """The kept server that is as wanted, held for this process; None where there is none free."""
    container = find(wish.product)
    if container is None or not fits(container, _lenient(wish, container)):
        return None
    lock = _lock(Path(container.label("ormbench.folder")))
    if lock is None:
        return None
    try:
        server = KeptServer.of(container)
    except ServerError:
        os.close(lock)
        raise
    server.lock = lock
    return server


def keep(wish: Wish) -> DockerServer:
    """Start one that stays, or take the one that is there; one that is not as wanted is replaced.

    Raises ServerError where a run is using that one.
    """
    found = find(wish.product)
    if found is not None and fits(found, wish):
        return DockerServer.of(found)
    if found is not None:
        discard(found)
    return launch(compose.KEPT_PROJECT, wish, owner.KEPT)


def discard(container: Container) -> None:
    """Remove a kept one. Raises ServerError where a run is using it."""
    place = Path(container.label("ormbench.folder"))
    lock = _lock(place)
    if lock is None and place.exists():
        raise ServerError(f"{container.label(_SERVICE)} is used by a run; wait for its end")
    try:
        if container.status == "paused":
            engine.call("unpause", container.id)
        compose.remove(compose.KEPT_PROJECT, container.id)
        compose.remove_folder(place, str(container.told["Image"]))
    finally:
        if lock is not None:
            os.close(lock)


def fits(container: Container, wish: Wish) -> bool:
    """Whether it runs, and is what is wanted."""
    wanted = {"durability": wish.durability, "transport": wish.transport, "data": wish.data}
    return (
        container.status in {"running", "paused"}
        and container.told["Config"]["Image"] == compose.image(wish.product)
        and all(container.label(f"ormbench.{name}") == word for name, word in wanted.items())
    )


def _lenient(wish: Wish, container: Container) -> Wish:
    """The wish, with what ``up`` was told where the environment says nothing."""
    if not os.environ.get("BENCH_TRANSPORT"):
        by_port = container.label("ormbench.transport") == "port"
        wish = replace(wish, transport="port" if by_port else "socket")
    if not os.environ.get("BENCH_DATA"):
        on_volume = container.label("ormbench.data") == "volume"
        wish = replace(wish, data="volume" if on_volume else "tmpfs")
    return wish


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock; None where another process has it."""
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:  # another account's
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
