"""Make ``.venv`` and keep it true to pyproject.toml and constraints.txt.

Needs nothing but Python 3.11: it runs before anything is installed. A lock lets two calls at once
wait for each other; a stamp makes the second call cheap.
"""

import fcntl
import hashlib
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
INPUTS = ("pyproject.toml", "constraints.txt")
OLDEST = (3, 11)


def main() -> int:
    """Install what is missing; print one line for it."""
    if sys.version_info < OLDEST:
        have = ".".join(map(str, sys.version_info[:2]))
        print(f"python3 is {have}, ormbench needs 3.11 or later: make PYTHON=python3.13")
        return 2
    extra = "dev" if "dev" in sys.argv[1:] else ""
    with (ROOT / ".ci" / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return install(extra)


def install(extra: str) -> int:
    """Bring the environment up to date for *extra*, which includes what has no extra."""
    wanted = stamp()
    if any(read(mark) == wanted for mark in marks(extra)):
        return 0
    started = time.monotonic()
    python = VENV / "bin" / "python"
    print(f"setting up .venv{' with test tools' if extra else ''} ...", flush=True)
    steps = [] if python.exists() else [[sys.executable, "-m", "venv", str(VENV)]]
    target = f"{ROOT}[{extra}]" if extra else str(ROOT)
    steps.append(
        [
            *(str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"),
            *("--constraint", str(ROOT / "constraints.txt"), "--editable", target),
        ]
    )
    for step in steps:
        done = subprocess.run(step, check=False, cwd=ROOT)
        if done.returncode:
            print(f".venv could not be set up: {' '.join(step[1:4])} failed (see above)")
            return done.returncode
    marks(extra)[0].write_text(wanted)
    print(f"setting up .venv took {time.monotonic() - started:.0f} s", flush=True)
    return 0


def marks(extra: str) -> list[Path]:
    """Stamps that satisfy *extra*, its own first."""
    dev, plain = VENV / "ormbench-dev.stamp", VENV / "ormbench.stamp"
    return [dev] if extra else [plain, dev]


def read(path: Path) -> str:
    """The text of a stamp; "" where there is none."""
    return path.read_text() if path.exists() else ""


def stamp() -> str:
    """Changes when an input does, when the folder moves, and with the Python version."""
    digest = hashlib.sha256(f"{ROOT} {sys.version}".encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
