"""Where runs lie, and how they are named: a path, a name, ``last`` or ``last~1``."""

import re
from datetime import datetime
from pathlib import Path

from ormbench.errors import UsageError
from ormbench.results.folder import MANIFEST

LOCAL = Path("results") / "local"


def new_folder(parent: Path, plan: str, started: datetime) -> Path:
    """Make an empty folder that no other run has, even one started at the same second.

    Raises UsageError where *parent* cannot be written to.
    """
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "-", plan).strip("-.") or "run"
    stem = f"{started:%Y-%m-%d-%H%M%S}-{safe}"
    for number in range(1, 1000):
        path = parent / (stem if number == 1 else f"{stem}-{number}")
        try:
            parent.mkdir(parents=True, exist_ok=True)
            path.mkdir()
        except FileExistsError:
            if path.is_dir():
                continue
            raise UsageError(f"results folder {parent} is a file: name a folder") from None
        except OSError as error:
            raise UsageError(
                f"results folder {parent} cannot be written: {error.strerror}"
            ) from error
        return path
    raise UsageError(f"results folder {parent} already holds 999 runs of this second")


def _age(manifest: Path) -> tuple[int, str]:
    return manifest.stat().st_mtime_ns, manifest.parent.name


def find(word: str, parent: Path = LOCAL) -> Path:
    """The folder of the run that *word* names. Raises UsageError where there is none."""
    last = re.fullmatch(r"last(?:~(\d+))?", word)
    if not last:
        for path in (Path(word), parent / word):
            if (path / MANIFEST).is_file():
                return path
        raise UsageError(f"no run {word!r}: give a run's folder, its name, or last")
    found = parent.glob(f"*/{MANIFEST}") if parent.is_dir() else ()
    runs = [path.parent for path in sorted(found, key=_age)]
    back = int(last[1] or 0)
    if back >= len(runs):
        raise UsageError(f"no run {word!r}: {parent} holds {len(runs)}; start with `ormbench run`")
    return runs[-1 - back]
