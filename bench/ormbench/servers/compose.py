"""The compose files in ``docker/``: one server up, one down, and the folder that goes with it.

The folder holds copies of the settings, which the server's own account can read whatever the
permissions of a checkout or of an installed package are, and on Linux the server's unix socket.
"""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from ormbench.errors import ServerError, UsageError
from ormbench.servers import engine, owner
from ormbench.servers.server import Product
from ormbench.servers.settings import Durability, folder

Transport = Literal["socket", "port"]
Data = Literal["tmpfs", "volume"]

KEPT_PROJECT = "ormbench"
_PREFIX = "ormbench-docker-"
_OWNER_FILE = "owner"
_SHORT = Path("/tmp")  # noqa: S108 - a folder in it is made by mkdtemp
_ROOM = 60  # bytes of a socket's path before its folder: 108 is the most, with the rest of it
_IMAGE_VARIABLES = {
    "PostgreSQL": "BENCH_POSTGRES_IMAGE",
    "MySQL": "BENCH_MYSQL_IMAGE",
    "MariaDB": "BENCH_MARIADB_IMAGE",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a server is to be; transport and data may be the environment's to say."""

    product: Product
    durability: Durability
    transport: Transport | None = None
    data: Data | None = None

    @property
    def service(self) -> str:
        """Its name in the compose files."""
        return self.product.lower()


def image_variable(product: Product) -> str:
    """The environment's name for the image of *product*."""
    return _IMAGE_VARIABLES[product]


def image(product: Product) -> str:
    """The image that the compose file would take. Raises ServerError where that names none."""
    variable = image_variable(product)
    if name := os.environ.get(variable):
        return name
    text = (folder() / "compose.yaml").read_text(encoding="utf-8")
    found = re.search(rf"\$\{{{variable}:-([^}}]+)\}}", text)
    if found is None:
        raise ServerError(f"compose.yaml names no image for {product}; set {variable}")
    return found[1]


def as_environment_says(wish: Wish, *, sockets: bool) -> Wish:
    """The wish with ``BENCH_TRANSPORT`` and ``BENCH_DATA`` where it leaves them open.

    Where these say nothing either: durable data goes to a volume, since a commit that waits for
    a tmpfs waits for nothing. Raises UsageError where one of them says what is not known, or
    asks for a socket that cannot be.
    """
    transport = wish.transport or _chosen("BENCH_TRANSPORT", get_args(Transport))
    data = wish.data or _chosen("BENCH_DATA", get_args(Data))
    if transport == "socket" and not sockets:
        raise UsageError("BENCH_TRANSPORT=socket: no socket leaves this engine; take port")
    way: Transport = "socket" if sockets else "port"
    place: Data = "volume" if wish.durability == "durable" else "tmpfs"
    return replace(wish, transport=transport or way, data=data or place)


def _chosen(variable: str, known: tuple[str, ...]) -> Any:
    word = os.environ.get(variable) or None
    if word is not None and word not in known:
        raise UsageError(f"{variable}={word}: expected {' or '.join(known)}")
    return word


def make_folder(whose: str, service: str) -> Path:
    """A folder with the settings and an empty one for the socket. Raises ServerError."""
    parent = Path(tempfile.gettempdir())
    if len(os.fsencode(parent)) > _ROOM or "," in str(parent):
        parent = _SHORT
    try:
        place = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    except OSError as error:
        raise ServerError(f"no folder for a container's socket: {error}") from error
    try:
        _fill(place, whose, service)
    except BaseException as error:
        shutil.rmtree(place, ignore_errors=True)
        if isinstance(error, OSError):
            raise ServerError(f"no folder for a container's settings: {error}") from error
        raise
    return place


def _fill(place: Path, whose: str, service: str) -> None:
    (place / _OWNER_FILE).write_text(whose, encoding="utf-8")
    _open(place, 0o755)
    _open(_made(place / "settings"), 0o755)
    for source in (folder() / "settings").iterdir():
        copy = place / "settings" / source.name
        copy.write_bytes(source.read_bytes())
        _open(copy, 0o644)
    _open(_made(place / service), 0o1777)  # a server makes its socket under another account


def up(project: str, wish: Wish, place: Path, whose: str, *, sockets: bool) -> None:
    """Start it; it is not ready yet. Raises ServerError."""
    told = {
        "BENCH_OWNER": whose,
        "BENCH_FOLDER": str(place),
        "BENCH_SOCKETS": str(place),
        "BENCH_SETTINGS": str(place / "settings"),
        "BENCH_DURABILITY": wish.durability,
        "BENCH_DATA": wish.data or "tmpfs",
        "BENCH_TRANSPORT": wish.transport or "socket",
        "BENCH_UNCHECKED": "true",
    }
    names = ["compose.yaml"]
    names += ["compose.sockets.yaml"] if sockets else []
    names += ["compose.ports.yaml"] if wish.transport == "port" else []
    files = [word for name in names for word in ("--file", str(folder() / name))]
    quiet = ("--env-file", os.devnull, "--progress", "quiet")
    do = ("up", "--detach", "--no-deps", "--no-build", "--pull", "never", wish.service)
    engine.call("compose", "--project-name", project, *quiet, *files, *do, environment=told)


def containers(project: str, service: str = "") -> list[str]:
    """Ids of a project's containers, or of one service's, running or not."""
    labels = ["--filter", f"label=com.docker.compose.project={project}"]
    labels += ["--filter", f"label=com.docker.compose.service={service}"] if service else []
    return engine.call("ps", "--all", "--quiet", "--no-trunc", *labels).split()


def down(project: str) -> None:
    """Remove a whole project with its volumes and its network. Raises ServerError."""
    quiet = ("--env-file", os.devnull, "--progress", "quiet")
    end = ("down", "--volumes", "--timeout", "10")
    engine.call("compose", "--project-name", project, *quiet, *end)


def kill(project: str) -> None:
    """Remove a whole project at once, paused or not. Raises ServerError."""
    for container in containers(project):
        engine.call("rm", "--force", "--volumes", container)
    down(project)


def remove(project: str, container: str) -> None:
    """Stop one container of a project and remove it; with the last one the rest goes, too.

    A server that ends by itself takes its socket out of a folder that may not be ours to empty.
    """
    engine.call("stop", "--time", "10", container)
    engine.call("rm", "--force", "--volumes", container)
    if not containers(project):
        down(project)


def folder_owner(place: Path) -> str:
    """Whose folder that is; "" where it is not this account's: then it is not ours to remove."""
    if not place.name.startswith(_PREFIX):
        return ""
    try:
        if place.lstat().st_uid != os.geteuid():
            return ""
        return (place / _OWNER_FILE).read_text(encoding="utf-8")
    except OSError:
        return ""


def folders() -> Iterator[Path]:
    """Folders of this machine's servers, dead or alive."""
    for parent in {Path(tempfile.gettempdir()), _SHORT}:
        yield from parent.glob(f"{_PREFIX}*")


def remove_folder(place: Path, image_name: str = "") -> None:
    """Remove a server's folder. What its account left there, an image removes, if need be.

    Raises ServerError where something stays.
    """
    if not folder_owner(place):
        return
    shutil.rmtree(place, ignore_errors=True)
    if place.exists() and image_name:
        mount = f"{place}:/folder"
        command = ("--entrypoint", "sh", image_name, "-c", "rm -rf /folder/*")
        engine.call("run", "--rm", "--network", "none", "--volume", mount, *command)
        shutil.rmtree(place, ignore_errors=True)
    if place.exists():
        raise ServerError(f"folder {place.name} in {place.parent} cannot be removed; remove it")


def sweep() -> list[str]:
    """Remove what runs left that were killed; the names of their projects. Raises ServerError."""
    row = '{{.Label "com.docker.compose.project"}}\t{{.Image}}\t{{.Label "ormbench.folder"}}'
    form = row + '\t{{.Label "ormbench.owner"}}'
    told = engine.call("ps", "--all", "--filter", "label=ormbench.owner", "--format", form)
    swept = []
    for project, name, place, whose in (line.split("\t") for line in told.splitlines()):
        if owner.is_gone(whose):
            with contextlib.suppress(ServerError):  # somebody else may be sweeping, too
                kill(project)
                if folder_owner(Path(place)) == whose:
                    remove_folder(Path(place), name)
            swept.append(project)
    for folder_left in folders():
        if owner.is_gone(folder_owner(folder_left)):
            remove_folder(folder_left)
    return swept


def _made(place: Path) -> Path:
    place.mkdir()
    return place


def _open(path: Path, mode: int) -> None:
    path.chmod(mode)  # whatever the umask is: the server's account is another
