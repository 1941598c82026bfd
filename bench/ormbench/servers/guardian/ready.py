"""How to see that a server takes connections, product by product."""

import socket
from pathlib import Path


def says_ready(lock: Path) -> bool:
    """The eighth line of postmaster.pid is PostgreSQL's status, as pg_ctl reads it."""
    try:
        lines = lock.read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"  # noqa: PLR2004 - see above


def accepts(path: Path) -> bool:
    """Whether somebody listens on a unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


SIGNS = {"status line": says_ready, "socket": accepts}
