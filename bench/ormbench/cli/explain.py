"""``ormbench explain CELL``: the code, the advice, the SQL, the wire, the figures, the doubts."""

import textwrap
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from ormbench.cli.advice import to_measure
from ormbench.errors import OK, UsageError
from ormbench.lane import Lane
from ormbench.loader import Loaded, blocks_loop, load, shipped
from ormbench.plan.axes import AXES, nearest, values
from ormbench.report.digest import digest
from ormbench.report.findings import CellFinding, Doubt, Findings
from ormbench.report.outcome_facts import outcome_facts
from ormbench.report.pool_facts import pool_facts
from ormbench.report.quantities import mean_text, plain_ratio_text, rate_text
from ormbench.report.round_trips import any_counted
from ormbench.report.wire_lines import wire_lines
from ormbench.report.words import readable
from ormbench.results.folder import read
from ormbench.results.place import LOCAL, find
from ormbench.run.preface import how
from ormbench.targets.target import NO_TARGET, TARGETS
from ormbench.translation import NoTwinError

UNIT_OF_WORK = {
    "session": "AsyncSession, checkout, BEGIN, the lane, flush, COMMIT, return",
    "connection": "checkout, BEGIN, the lane, COMMIT, return",
    "driver": "the driver's own connection, BEGIN, the lane, COMMIT, return",
    "sessions": "the lane alone: it opens its sessions, ends its transactions and closes them",
    "new_engine": "the lane alone: it makes its engines, connects and disposes of them",
    "nothing": "the lane alone, no connection",
}

NAMED = [name for name in AXES if name not in {"scenario", "lane", "target"}]
"""The axes that a cell's name has with their values, where these are not the usual ones."""

NO_TIMES = "  no times: the run is not usable as evidence"


def call(arguments: Namespace) -> int:
    """Print what a cell does; figures come from a run, if one has it."""
    scenario, lane, target = _named(arguments.cell)
    loaded = _loaded(scenario, lane)
    _check_rest(target)
    findings = _measured(arguments)
    here = _of_lane(findings, loaded.name if loaded else scenario, lane)
    cells = _cells(here, target)
    if loaded is None and not cells:
        raise nearest("scenario", scenario, list(shipped()), "scenarios")
    for line in _lane(loaded, lane, target) if loaded else _recorded(cells[0]):
        print(line)
    if loaded is not None and not cells:
        others = ", ".join(one.cell.id for one in here)
        help_ = f"it has {others}" if others else to_measure(scenario, loaded, lane, target)
        print(f"\n{f'not in run {findings.run}' if findings else 'not measured yet'}: {help_}")
    if findings is not None and cells:
        for line in _of_run(findings, cells):
            print(line)
    return OK


def _measured(arguments: Namespace) -> Findings | None:
    """The run to take figures from; None where none was asked for and there is none."""
    try:
        path = find(arguments.run, LOCAL if arguments.runs is None else Path(arguments.runs))
    except UsageError:
        if arguments.run != "last":
            raise
        return None
    return readable(digest(read(path), arguments.run))


def _named(word: str) -> tuple[str, str, str]:
    """Scenario or file, lane, and the rest: of ``scenario/lane[/target]`` or ``my.py::lane``."""
    name, mark, lane = word.partition("::")
    if mark or name.endswith(".py"):
        return name, lane, ""
    name, lane, target = (*word.split("/", 2), "", "")[:3]
    return name, lane, target


def _loaded(name: str, lane: str) -> Loaded | None:
    """The scenario that is called so; None where it may be one of a run. Raises UsageError."""
    if name.endswith(".py"):
        found = load(Path(name))
        one = next((one for one in found if one.has(lane)), found[0])
    elif name in (known := shipped()):
        one = known[name]
    else:
        return None
    if not lane:
        lanes = ", ".join(one.lane_names())
        raise UsageError(f"cell {name!r} names no lane of {one.name}: add one of {lanes}")
    if not one.has(lane):
        raise nearest(f"lane of {one.name}", lane, one.lane_names(), "scenarios")
    return one


def _check_rest(target: str) -> None:
    """Raises UsageError where a part after the lane is neither ``axis=value`` nor a target."""
    for part in filter(None, target.split("/")):
        axis, equals, word = part.partition("=")
        if not equals:
            if not any(name.startswith(part) for name in (*TARGETS, NO_TARGET)):
                raise nearest("target", part, list(TARGETS), "targets")
        elif axis in AXES and axis not in NAMED:
            raise UsageError(f"{part!r}: the {axis} stands without its name, SCENARIO/LANE/TARGET")
        elif axis not in NAMED:
            raise nearest("axis", axis, NAMED, "axes")
        elif len(values(axis, word)) > 1:
            raise UsageError(f"{part!r} names several cells: give axis {axis} one value")


def _of_lane(findings: Findings | None, scenario: str, lane: str) -> list[CellFinding]:
    """Its cells in a run."""
    cells = findings.cells if findings else ()
    return [one for one in cells if (one.cell.scenario, one.cell.lane) == (scenario, lane)]


def _cells(here: Sequence[CellFinding], target: str) -> list[CellFinding]:
    """Of a lane's cells the one that goes on with *target*, or else all that have those parts.

    A part is whole, so that rtt=0 is not rtt=0.5; a word alone may be the start of a target.
    """
    rest = {one.cell.id: one.cell.id.split("/", 2)[2] for one in here}
    parts = {*filter(None, target.split("/"))}
    alone = [one for one in here if rest[one.cell.id] == target]
    having = [one for one in here if parts <= {*rest[one.cell.id].split("/")}]
    begun = [one for one in here if "/" not in target and rest[one.cell.id].startswith(target)]
    return alone or having or begun


def _recorded(one: CellFinding) -> Iterator[str]:
    """A lane of a user's file, as the run kept it."""
    yield f"{one.cell.scenario}/{one.cell.lane}: {one.label}"
    if one.docs:
        yield f"  advice: {one.docs}"
    yield ""
    yield textwrap.indent(one.source.rstrip(), "    ")


def _lane(loaded: Loaded, name: str, target: str) -> Iterator[str]:
    lane = loaded.lane(name)
    yield f"{loaded.name}/{name}: {lane.label}"
    yield f"  {loaded.story}"
    yield f"  an operation is: {UNIT_OF_WORK[lane.receives]}"
    if words := how(name):
        yield f"  connection: {words}"
    if lane.docs:
        yield f"  advice: {lane.docs}"
    yield ""
    yield textwrap.indent(lane.source.rstrip(), "    ")
    if lane.written_twin is None and (blocks_loop(name) or _blocks(target)):
        yield from _twin(lane)


def _blocks(target: str) -> bool:
    """Whether a target, or what follows it in a cell's id, has a driver that blocks."""
    name = target.partition("/")[0]
    return name in TARGETS and not TARGETS[name].driver.is_async


def _twin(lane: Lane) -> Iterator[str]:
    try:
        source = lane.twin().source
    except NoTwinError as error:
        yield f"\n  {error}"
        return
    yield "\n  where the driver blocks, its sync twin:"
    yield ""
    yield textwrap.indent(source.rstrip(), "    ")


def _of_run(findings: Findings, cells: Sequence[CellFinding]) -> Iterator[str]:
    """The figures of each cell; what is to be doubted of the whole run stands below them, once."""
    for one in cells:
        yield from _figures(findings, one)
    of_the_run = [one for one in findings.trust.doubts if one.about == "run" and not one.cells]
    if of_the_run:
        yield f"\nof run {findings.run} as a whole:"
        yield from (f"  {_told(one)}" for one in of_the_run)


def _figures(findings: Findings, one: CellFinding) -> Iterator[str]:
    yield f"\nin run {findings.run}, {one.cell.id}: {one.status} {one.reason}".rstrip()
    yield from _proof(one)
    yield from wire_lines(one, run_counted=any_counted(findings.cells))
    yield from _times(one) if findings.trust.usable else (NO_TIMES,)
    usable = findings.trust.usable
    yield from _ratios(findings, one) if usable else ()
    outcomes = outcome_facts(one) if usable else ()
    for name, words in (*outcomes, *pool_facts(one, numbers=usable)):
        yield f"  {name}: {words}"
    for doubt in findings.trust.doubts:
        if one.cell.id in doubt.cells or doubt.about == one.cell.id:
            yield f"  {_told(doubt)}"


def _ratios(findings: Findings, one: CellFinding) -> Iterator[str]:
    """The time of its operations over that of what it was compared with."""
    for found in findings.comparisons:
        if found.candidate == one.cell and found.kind != "aa" and found.ratio.blocks:
            ratio = plain_ratio_text(found.ratio)
            yield f"  ratio to {found.reference.id}: {ratio}, {found.verdict}"


def _told(doubt: Doubt) -> str:
    return f"doubt: {doubt.seen}; {doubt.cause}; {doubt.remedy}"


def _proof(one: CellFinding) -> Iterator[str]:
    for sql in one.sql:
        yield "    sent  " + textwrap.indent(sql, " " * 10).lstrip()
    if one.sample not in {"", "None"}:
        yield f"    answered  {one.sample}"


def _times(one: CellFinding) -> Iterator[str]:
    if one.service is not None:
        yield f"  mean service time {mean_text(one.service)} an operation"
        yield f"  99 % interval over {one.service.blocks} blocks, {one.operations} operations"
    if one.throughput is not None:
        yield f"  throughput {rate_text(one.throughput)}"
