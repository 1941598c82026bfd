"""Candidate against reference: slices paired inside a round, then blocks, then the run.

Per block, theta is the Hodges-Lehmann estimate over the rounds of ln(t_candidate / t_reference),
with t the mean service time of a slice's operations; the effect is the Hodges-Lehmann estimate
over the thetas. A round's mood hits both arms and cancels. The unit of evidence is the block,
because what differs from process to process recurs in every slice of a block (Kalibera and
Jones, "Rigorous benchmarking in reasonable time", ISMM 2013).
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ormbench.results.trial import Slice
from ormbench.stats.absolute import mean_service
from ormbench.stats.location import Location, hodges_lehmann, locate

Pair = tuple[Slice, Slice]  # candidate, reference


@dataclass(frozen=True, slots=True)
class Effect:
    """What the candidate takes compared with the reference; ratios are of times."""

    ratio: Location
    total_ratio: Location  # of total times: a stall counts with its whole length
    difference: Location  # of mean service time, ns/op
    cpu_difference: Location  # of client CPU time, ns/op
    log_ratios: tuple[float, ...]  # theta of each block, in run order


def paired(candidate: Sequence[Slice], reference: Sequence[Slice]) -> tuple[Pair, ...]:
    """The slices of two trials that share a round, in its order; a slice without time is left."""
    others = {one.round: one for one in reference if _timed(one)}
    both = [(one, others[one.round]) for one in candidate if _timed(one) and one.round in others]
    return tuple(sorted(both, key=lambda pair: pair[0].round))


def effect(blocks: Sequence[Sequence[Pair]]) -> Effect:
    """The effect over *blocks*, each with at least one pair. Raises ValueError without blocks."""
    thetas = tuple(log_ratio(pairs) for pairs in blocks)
    return Effect(
        ratio=locate(thetas).exp(),
        total_ratio=locate([_total_log_ratio(pairs) for pairs in blocks]).exp(),
        difference=locate([service_difference(pairs) for pairs in blocks]),
        cpu_difference=locate([_cpu_difference(pairs) for pairs in blocks]),
        log_ratios=thetas,
    )


def log_ratio(pairs: Sequence[Pair]) -> float:
    """Theta of one block."""
    return hodges_lehmann([math.log(_service(a) / _service(b)) for a, b in pairs])


def service_difference(pairs: Sequence[Pair]) -> float:
    """Of one block: the mean over rounds of the paired differences, ns/op."""
    return statistics.fmean(_service(a) - _service(b) for a, b in pairs)


def _cpu_difference(pairs: Sequence[Pair]) -> float:
    return statistics.fmean(a.cpu_ns / a.operations - b.cpu_ns / b.operations for a, b in pairs)


def _total_log_ratio(pairs: Sequence[Pair]) -> float:
    candidate, reference = zip(*pairs, strict=True)
    return math.log(mean_service(candidate) / mean_service(reference))


def _service(one: Slice) -> float:
    return one.service_ns / one.operations


def _timed(one: Slice) -> bool:
    return one.operations > 0 and one.service_ns > 0
