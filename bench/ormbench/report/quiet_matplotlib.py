"""Import matplotlib without a word to the user: call `prepare` before its first import.

Where its own cache folder cannot be written, matplotlib warns and builds its list of fonts
again in every process; a folder of ours, kept between runs, ends both.
"""

import logging
import os
import tempfile
from pathlib import Path

_VARIABLE = "MPLCONFIGDIR"


def prepare() -> None:
    """Silence matplotlib's notes on its font cache, and give it a cache that can be written."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    if _VARIABLE not in os.environ and not _default_is_writable():
        os.environ[_VARIABLE] = str(_own_folder())


def _default_is_writable() -> bool:
    try:
        home = Path.home()
    except RuntimeError:
        return False
    folders = [home / ".matplotlib"]
    if (home / ".cache").is_dir() or "XDG_CACHE_HOME" in os.environ or os.name == "posix":
        folders = [
            Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "matplotlib",
            Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "matplotlib",
        ]
    return all(_can_write(folder) for folder in folders)


def _can_write(folder: Path) -> bool:
    existing = next(one for one in (folder, *folder.parents) if one.exists())
    return existing.is_dir() and os.access(existing, os.W_OK)


def _own_folder() -> Path:
    """A private folder that later runs find again; a fresh one where the name is taken."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"ormbench-matplotlib-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="ormbench-matplotlib-"))
    foreign = hasattr(os, "getuid") and folder.stat().st_uid != user
    return Path(tempfile.mkdtemp(prefix="ormbench-matplotlib-")) if foreign else folder
