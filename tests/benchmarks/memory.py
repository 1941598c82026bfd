"""Whether memory stays flat: peak resident sets after 10^5 and after 10^7 recorded operations.

Drives a worker process with slices of the `empty` scenario, which reaches ten million soonest, and
keeps on the coordinator's side what a run keeps: a Slice each. The trial's histogram is then
written as a block. Each size has processes of its own, so that each has a peak of its own.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from ormbench.cell import Cell
from ormbench.load.calibration import MOST, SETTLING
from ormbench.loader import shipped
from ormbench.results.folder import TRIALS, Block, RunWriter
from ormbench.results.trial import Slice, Trial
from ormbench.run.worker import WorkerProcess

SIZES = (100_000, 10_000_000)
ALLOWED_MB = 8  # 5,000 slices of seven numbers are kept, and that is all that may grow
MB = 1 << 20
CELL = Cell(scenario="empty", lane="nothing", target="none")


def peak_mb(pid: str = "self") -> float:
    """The largest resident set that a process had so far."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024 / MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB


def measure(operations: int) -> dict[str, float]:
    """Record so many operations; the peaks of both processes, and the seconds that it took."""
    started, slices = time.monotonic(), []
    loaded = shipped()["empty"]
    with WorkerProcess(1, 60.0) as worker, tempfile.TemporaryDirectory() as folder:
        worker.demand("start", files=[str(loaded.path)], addresses={}, table_rows=0, timeout=60.0)
        worker.demand("open", arm=0, cell=asdict(CELL), schema="")
        first = worker.demand("warm", arm=0, first=0)["turns"]
        worker.demand("freeze")
        for number in range(operations // MOST):
            what = {"first": first, "settling": SETTLING, "operations": MOST, "seed": 0}
            answer = worker.demand("slice", arm=0, **what)
            first += SETTLING + MOST
            times = (answer["wall_ns"], answer["service_ns"], answer["cpu_ns"])
            slices.append(Slice(number, 0, MOST, *times, None))
        texts = worker.demand("trial", arm=0)
        trial = Trial("empty", 0, CELL.id, 0, "OK", "", tuple(slices), **texts)
        with RunWriter(Path(folder)) as writer:
            writer.append(Block(0, 0.0, None, (trial,), ()))
        written = (Path(folder) / TRIALS).stat().st_size
        return {
            "worker": peak_mb(str(worker.pid)),
            "coordinator": peak_mb(),
            "seconds": time.monotonic() - started,
            "bytes": written,
        }


def main() -> int:
    """Measure each size in a process of its own; exit code 1 where memory grows."""
    if sys.argv[1:]:
        print(json.dumps(measure(int(sys.argv[1]))))
        return 0
    found = []
    print("memory, empty scenario, peak resident sets:")
    for operations in SIZES:
        command = [sys.executable, str(Path(__file__)), str(operations)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found.append(json.loads(done.stdout))
        show(operations, found[-1])
    grown = {name: found[-1][name] - found[0][name] for name in ("worker", "coordinator")}
    flat = max(grown.values()) <= ALLOWED_MB
    told = ", ".join(f"{name} {mb:+.1f} MB" for name, mb in grown.items())
    print(f"  grown: {told}; goal: at most {ALLOWED_MB} MB: {'met' if flat else 'MISSED'}")
    return int(not flat)


def show(operations: int, found: dict[str, float]) -> None:
    """Print one line."""
    print(
        f"  {operations:>10,} operations  worker {found['worker']:5.1f} MB  "
        f"coordinator {found['coordinator']:5.1f} MB  trial {found['bytes'] / 1024:6.1f} KiB  "
        f"in {found['seconds']:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
