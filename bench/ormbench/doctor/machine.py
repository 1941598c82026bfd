"""The machine: cores, processor, its frequency governor, and who else is using it."""

import os
import time
from collections.abc import Collection
from pathlib import Path

from ormbench.doctor.fact import Fact
from ormbench.report.doubts_run import MOST_FOREIGN
from ormbench.report.quantities import percent_text
from ormbench.results.environment import cpu_model
from ormbench.run.foreign import ForeignLoad
from ormbench.servers.placement import CAN_PIN, allowed_cpus

_BUSY = 0.5  # load a core above which a run waits for its turn
_STEADY = "performance"
_CPUS = Path("/sys/devices/system/cpu")


def machine_facts() -> list[Fact]:
    """All of it, in a second."""
    cpus = allowed_cpus()
    return [
        cores_fact(len(cpus), os.cpu_count() or len(cpus)),
        processor_fact(cpu_model(), governor(cpus)),
        load_fact(_load_average(), foreign_share(cpus, 1.0), len(cpus)),
    ]


def cores_fact(allowed: int, total: int) -> Fact:
    """How many cores this process may use."""
    text = f"{allowed} allowed of {total}"
    if not CAN_PIN:
        return Fact("cores", f"{text}, none can be tied to a process", _cores(allowed, total))
    alone = "placement split needs two cores: only one-core and free" if allowed == 1 else ""
    return Fact("cores", text, _cores(allowed, total), alone)


def _cores(allowed: int, total: int) -> dict[str, int]:
    return {"allowed": allowed, "total": total}


def governor(cpus: Collection[int], folder: Path = _CPUS) -> str | None:
    """The frequency governors of *cpus*, "a, b" where they differ; None where none is readable."""
    found: dict[str, None] = {}
    for number in sorted(cpus):
        try:
            path = folder / f"cpu{number}" / "cpufreq" / "scaling_governor"
            found[path.read_text(encoding="ascii").strip()] = None
        except OSError:
            continue
    return ", ".join(found) or None


def processor_fact(model: str, governed: str | None) -> Fact:
    """Which processor, and whether its frequency is left to wander."""
    text = f"{model}; governor {governed or 'not readable (a virtual machine?)'}"
    unsteady = governed is not None and governed != _STEADY
    return Fact(
        "cpu",
        text,
        {"model": model, "governor": governed},
        f"frequencies wander: cpupower frequency-set -g {_STEADY}" if unsteady else "",
    )


def foreign_share(cpus: Collection[int], seconds: float) -> float | None:
    """The part of *cpus* that others use in the next *seconds*; None where it is not readable."""
    load = ForeignLoad(lambda: 0)
    with load.window(cpus, [os.getpid()]):
        time.sleep(seconds)
    return load.share()


def load_fact(average: float | None, foreign: float | None, cores: int) -> Fact:
    """What runs beside us: the load average of a minute, and the share of our cores in a second."""
    parts = [f"{average:.2f} in the last minute" if average is not None else "not readable"]
    if foreign is not None:
        parts.append(f"others used {percent_text(foreign)} of these cores for a second")
    loaded = (average or 0.0) > _BUSY * cores or (foreign or 0.0) > MOST_FOREIGN
    return Fact(
        "load",
        "; ".join(parts),
        {"load_average_1min": average, "foreign_share": foreign},
        "close other programs before you measure" if loaded else "",
    )


def _load_average() -> float | None:
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):
        return None
