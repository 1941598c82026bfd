"""``ormbench run``: measure, then render."""

import secrets
import shlex
import signal
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from ormbench.cli import report
from ormbench.cli.dry_run import describe
from ormbench.cli.progress import Shown, shown
from ormbench.cli.where import schema_of, supply_of, words_of
from ormbench.cli.wishes import TABLE_ROWS, plan_of
from ormbench.errors import INTERRUPTED, OK, UsageError
from ormbench.loader import Loaded, load, shipped
from ormbench.plan.axes import AXES
from ormbench.results import folder as run_folder
from ormbench.results.place import LOCAL, find, new_folder
from ormbench.run.measure import resume, start
from ormbench.run.options import Options
from ormbench.servers.settings import parse_durability
from ormbench.servers.supply import Supply

SEEDS = 1_000_000


def call(arguments: Namespace) -> int:
    """Measure what the words ask for; with --dry-run only say what that would be."""
    signal.signal(signal.SIGTERM, _interrupt)
    parent = LOCAL if arguments.out is None else Path(arguments.out)
    if arguments.resume is not None:
        return _resume(arguments, find(arguments.resume, parent))
    supply = supply_of(arguments)
    plan, loaded = plan_of(arguments, supply)
    if arguments.dry_run:
        print(describe(plan, supply))
        return OK
    seed = secrets.randbelow(SEEDS) if arguments.seed is None else arguments.seed
    options = _options(arguments, seed, plan.budget, supply)
    now = datetime.now(UTC)
    path = new_folder(parent, plan.name, now)
    try:
        with _telling(arguments, len(plan.groups)) as progress:
            start(plan, loaded, options, path, now.isoformat(timespec="seconds"), progress)
    except BaseException as error:
        if not _finished_blocks(path):
            _remove(path)
            raise
        return _ended_early(arguments, path, error)
    return report.show(path, arguments)


def _resume(arguments: Namespace, path: Path) -> int:
    record = run_folder.read(path)
    supply = supply_of(arguments)
    options = _options(arguments, record.manifest.seed, arguments.budget, supply)
    loaded = _scenarios_of(record, arguments)
    if arguments.dry_run:
        print(f"{path}: {len(record.blocks)} of {record.manifest.blocks} blocks are measured")
        return OK
    try:
        with _telling(arguments, len(record.manifest.groups)) as progress:
            resume(record, loaded, options, progress)
    except UsageError:
        raise
    except BaseException as error:  # noqa: BLE001 - raised again
        return _ended_early(arguments, path, error)
    return report.show(path, arguments)


@contextmanager
def _telling(arguments: Namespace, groups: int) -> Iterator[Shown]:
    """Progress; what a scenario prints meanwhile goes where that goes."""
    with redirect_stdout(sys.stderr), shown(groups, quiet=arguments.quiet) as progress:
        yield progress


def _scenarios_of(record: run_folder.RunRecord, arguments: Namespace) -> dict[str, Loaded]:
    """The scenarios of a run, from the shipped ones and from the files among the words."""
    known = shipped()
    for path in _files(arguments):
        known |= {one.name: one for one in load(path)}
    cells = {cell for group in record.manifest.groups for cell in group.cells}
    for cell in cells:
        if cell.scenario not in known:
            raise UsageError(f"{record.path} measures scenario {cell.scenario}: name its file, too")
        if cell.lane not in known[cell.scenario].lane_names():
            raise UsageError(f"{record.path} measures {cell.id}, which has no such lane any more")
    return {cell.scenario: known[cell.scenario] for cell in cells}


def _files(arguments: Namespace) -> list[Path]:
    """The scenario files among the words."""
    paths = (word.partition("::")[0] for word in arguments.what)
    return [Path(path) for path in dict.fromkeys(paths) if path.endswith(".py")]


def _remove(path: Path) -> None:
    """Leave no folder behind that holds no measurement."""
    for file in path.iterdir():
        file.unlink()
    path.rmdir()


def _ended_early(arguments: Namespace, path: Path, error: BaseException) -> int:
    """Say what is kept and how to go on. Raises *error* again unless it is an interrupt."""
    kept = _finished_blocks(path)
    words = [*map(str, _files(arguments)), *words_of(arguments), "--resume", str(path)]
    again = shlex.join(["ormbench", "run", *words])
    print(
        f"{kept} finished block{'s' * (kept != 1)} kept in {path}; go on with: {again}",
        file=sys.stderr if arguments.json else sys.stdout,
        flush=True,
    )
    if not isinstance(error, KeyboardInterrupt):
        raise error
    report.render(run_folder.read(path), arguments)
    return INTERRUPTED


def _finished_blocks(path: Path) -> int:
    try:
        return len(run_folder.read(path).blocks)
    except UsageError:
        return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _options(arguments: Namespace, seed: int, budget: float | None, supply: Supply) -> Options:
    return Options(
        seed,
        arguments.table_rows or TABLE_ROWS,
        arguments.timeout,
        budget,
        _command(arguments, seed),
        supply,
        parse_durability(arguments.durability or "relaxed"),
        schema_of(arguments, supply),
    )


def _command(arguments: Namespace, seed: int) -> str:
    """The command that makes this run again; files by name only, since paths differ."""
    words = ["ormbench", "run"]
    for word in arguments.what:
        path, mark, lane = word.partition("::")
        words.append(Path(path).name + mark + lane)
    flags = [
        *(name for name in AXES if name != "scenario"),
        "table_rows",
        "blocks",
        "rounds",
        "reference",
        "server",
        "durability",
    ]
    for flag in flags:
        if getattr(arguments, flag, None):
            words += [f"--{flag.replace('_', '-')}", str(getattr(arguments, flag))]
    if arguments.budget:
        words += ["--budget", f"{arguments.budget:g}s"]
    return shlex.join([*words, *words_of(arguments), "--seed", str(seed)])
