"""Download the distribution's own MySQL or MariaDB into the user's cache: no root, no install.

A run never does this by itself: ``ormbench servers fetch`` does, because somebody asked for it.
"""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ormbench.errors import ServerError, UsageError
from ormbench.servers import apt, cache, mysqld
from ormbench.servers.apt import Apt
from ormbench.servers.mysqld import Installation
from ormbench.servers.server import Product

_STEMS = {  # the server, and the client package beside it that its set-up script needs
    "MySQL": ("mysql-server-core",),
    "MariaDB": ("mariadb-server-core", "mariadb-client-core"),
}
_ELSEWHERE = {
    "MySQL": "install mysql-server by hand; ormbench finds its mysqld",
    "MariaDB": "install mariadb-server by hand; ormbench finds its mariadbd",
}
_WORK = ".fetch-"
_FORGOTTEN_SECONDS = 24 * 3600


def fetch(product: Product) -> str:
    """Have *product* in the cache, or installed, and say in one line what was done.

    Takes seconds the first time. Raises UsageError for a product that is not fetched, and
    ServerError, in one line with what to do instead, where it cannot be had.
    """
    if product not in _STEMS:
        raise UsageError(
            f"servers fetch {product}: expected mysql or mariadb; it needs no fetching"
        )
    present = mysqld.find(product)
    if present is not None:
        return f"{present.version} is here already ({present.origin})"
    if not apt.is_here():
        raise ServerError(
            f"servers fetch {product}: it knows Debian's and Ubuntu's packages, and there is no "
            f"apt-get here; {_ELSEWHERE[product]}"
        )
    with _workshop() as work:
        return _into_cache(product, work)


def _into_cache(product: Product, work: Path) -> str:
    files = _download(product, work)
    tree = work / "tree"
    apt.unpack(files, tree)
    server = next(one for one in files if one.name.startswith(_STEMS[product][0]))
    package, version = apt.field(server, "Package"), apt.field(server, "Version")
    (tree / cache.LABEL).write_text(f"{package} {version}\n", encoding="utf-8")
    unpacked = _proven(product, tree)
    size = sum(one.stat().st_size for one in files)
    with contextlib.suppress(OSError):  # somebody else was quicker, with the same package
        tree.rename(cache.place() / f"{product.lower()}-{version.rpartition(':')[2]}")
    return (
        f"{unpacked.version} is in the cache now: package {package} {version}, "
        f"{size / 1e6:.0f} MB in {len(files)} files, not installed"
    )


def _download(product: Product, work: Path) -> list[Path]:
    """The packages, by the system's lists; by fresh ones where those are empty or out of date."""
    if any(apt.LISTS.glob("*_Packages*")):
        with contextlib.suppress(ServerError):
            return _by_lists(product, Apt(work, apt.LISTS))
    fresh = Apt(work, work / "lists")
    fresh.update()
    try:
        return _by_lists(product, fresh)
    except ServerError as error:
        raise ServerError(f"servers fetch {product}: {error}; {_ELSEWHERE[product]}") from error


def _by_lists(product: Product, source: Apt) -> list[Path]:
    packages = [source.newest(stem) for stem in _STEMS[product]]
    named = [one for one in packages if one is not None]
    if len(named) < len(packages):
        raise ServerError(f"the sources of this system hold no {_STEMS[product][0]}")
    return source.download(named)


def _proven(product: Product, tree: Path) -> Installation:
    """What was unpacked, if it runs. Raises ServerError."""
    found = mysqld.unpacked(product, tree)
    if found is None:
        raise ServerError(
            f"servers fetch {product}: what was unpacked does not run here; {_ELSEWHERE[product]}"
        )
    if product == "MariaDB":
        found.script()
    return found


@contextlib.contextmanager
def _workshop() -> Iterator[Path]:
    """A folder beside the entries of the cache, gone afterwards. Raises ServerError."""
    place = cache.place()
    if ":" in str(place):
        raise ServerError(f"the cache {place} has a colon in its name; set XDG_CACHE_HOME")
    try:
        place.mkdir(parents=True, exist_ok=True)
        _tidy(place)
        work = tempfile.TemporaryDirectory(prefix=_WORK, dir=place, ignore_cleanup_errors=True)
    except OSError as error:
        raise ServerError(
            f"the cache {place} cannot be written: {error.strerror}; "
            "set XDG_CACHE_HOME to a folder that can"
        ) from error
    with work as path:
        yield Path(path)


def _tidy(place: Path) -> None:
    """Remove what a fetch that was killed has left."""
    for left in place.glob(f"{_WORK}*"):
        if time.time() - left.stat().st_mtime > _FORGOTTEN_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
