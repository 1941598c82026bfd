"""The user's cache of unpacked servers: where it is, what is in it.

An entry is a folder ``<product>-<version>`` with the package's tree below it and a file that names
the package; it appears complete or not at all (see ``fetch``).
"""

import os
from pathlib import Path

from ormbench.errors import ServerError
from ormbench.servers.server import Product

LABEL = "package"
"""The file in an entry that says what was unpacked: ``mariadb-server-core 1:10.11.14``."""


def place() -> Path:
    """The folder of the entries, which need not exist. Raises ServerError without a home."""
    wanted = os.environ.get("XDG_CACHE_HOME", "")
    if Path(wanted).is_absolute():
        return Path(wanted) / "ormbench" / "servers"
    try:
        return Path.home() / ".cache" / "ormbench" / "servers"
    except RuntimeError as error:
        raise ServerError(
            "the user's cache has no place: this account has no home; set XDG_CACHE_HOME"
        ) from error


def entries(product: Product) -> list[Path]:
    """The unpacked servers of *product*, the one that came last first."""
    try:
        found = [one for one in place().glob(f"{product.lower()}-*") if (one / LABEL).is_file()]
        return sorted(found, key=lambda one: one.stat().st_mtime, reverse=True)
    except (OSError, ServerError):  # nothing that this account can see
        return []
