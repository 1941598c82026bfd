"""Cells of a run folder into cell findings."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from ormbench.cell import Cell
from ormbench.errors import UsageError
from ormbench.report.digest_counts import with_counts
from ormbench.report.digest_index import Arm, Index
from ormbench.report.findings import CellFinding, Direction, Estimate, Outcomes
from ormbench.results.manifest import LaneText
from ormbench.results.trial import Slice, Trial
from ormbench.stats.absolute import goodput, mean_cpu, mean_service, over_blocks, throughput
from ormbench.stats.location import Location
from ormbench.stats.percentiles import merged, percentiles

Bound = Literal["client-bound", "server-bound", "waiting", ""]
_MOSTLY = 0.6  # of the wall time
_NO_TEXT = LaneText("", "", "")


def estimate(location: Location, unit: str, direction: Direction = "lower is better") -> Estimate:
    """A location with its unit and its direction."""
    return Estimate(location.value, location.low, location.high, location.count, unit, direction)


def cell_finding(index: Index, cell: Cell) -> CellFinding:
    """All that is known of *cell*; without numbers where a trial of it did not end well."""
    status, reason = index.status(cell)
    text = index.record.manifest.lanes.get(f"{cell.scenario}/{cell.lane}", _NO_TEXT)
    proof = next(index.proofs(cell), None)
    bare = CellFinding(
        cell,
        status,
        reason,
        text.label,
        text.docs,
        text.source,
        sql=proof.sql if proof else (),
        sample=proof.sample if proof else "",
        audited=cell.scenario in index.record.manifest.audited,
    )
    words = with_counts(index, bare)
    return _measured(words, index.home(cell)) if status == "OK" else words


def bound_of(slices: tuple[Slice, ...], processes: int = 1) -> Bound:
    """What most of the wall time of *slices* went into; "" where the server's share is unknown."""
    wall = sum(one.wall_ns for one in slices)
    if sum(one.cpu_ns for one in slices) > _MOSTLY * wall * processes:
        return "client-bound"
    server = [one.server_cpu_ns for one in slices if one.server_cpu_ns is not None]
    if len(server) < len(slices):
        return ""
    return "server-bound" if sum(server) > _MOSTLY * wall else "waiting"


def _measured(words: CellFinding, arm: Arm) -> CellFinding:
    blocks = arm.blocks
    slices = tuple(one for block in blocks for one in block)
    operations = sum(one.operations for one in slices)
    opened = sum(trial.new_connections for trial in arm.trials)
    return replace(
        words,
        operations=operations,
        service=estimate(over_blocks(blocks, mean_service), "ns/op"),
        throughput=estimate(over_blocks(blocks, throughput), "op/s", "higher is better"),
        goodput=estimate(over_blocks(blocks, goodput), "op/s", "higher is better"),
        outcomes=outcomes_of(slices, arm.trials),
        checkout=_tail(words.cell, [trial.checkout for trial in arm.trials]),
        idle=_most_first(trial.idle for trial in arm.trials),
        client_cpu=estimate(over_blocks(blocks, mean_cpu), "cpu ns/op"),
        percentiles=_tail(words.cell, [trial.service for trial in arm.trials]),
        response=_tail(words.cell, [trial.response for trial in arm.trials]),
        new_per_1000=1_000 * opened / operations,
        bound=bound_of(slices, words.cell.processes),
        block_means=tuple(mean_service(block) for block in blocks),
        lag=_lag(arm),
    )


def outcomes_of(slices: Sequence[Slice], trials: Sequence[Trial]) -> Outcomes | None:
    """The sums of *slices*, with the reasons of *trials*; None where all are 0."""
    failed, aborted, broken, lost = (
        sum(getattr(one, name) for one in slices)
        for name in ("failed", "aborted", "broken", "lost")
    )
    if not (failed or aborted or broken or lost):
        return None
    failures = _most_first(trial.failures for trial in trials)
    aborts = _most_first(trial.aborts for trial in trials)
    return Outcomes(failed, aborted, broken, lost, failures, aborts)


def _most_first(counts: Iterable[Mapping[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(sum((Counter(one) for one in counts), Counter[str]()).most_common())


def _lag(arm: Arm) -> int | None:
    known = [trial.lag_p99_ns for trial in arm.trials if trial.lag_p99_ns is not None]
    return round(statistics.median(known)) if known else None


def _tail(cell: Cell, texts: Sequence[str]) -> tuple[tuple[float, int], ...]:
    try:
        return percentiles(merged(texts))
    except ValueError as error:
        raise UsageError(f"trials of {cell.id} hold {error}; measure it again") from error
