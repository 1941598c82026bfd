"""What can be wrong with a run as a whole, and with its comparisons."""

import math
from collections.abc import Iterator, Sequence

from ormbench.report.digest_index import Index
from ormbench.report.findings import Comparison, Doubt
from ormbench.report.quantities import percent_text, plain_ratio_text
from ormbench.report.sighting import Sighting
from ormbench.stats.location import FEWEST_BLOCKS
from ormbench.stats.verdict import WRONG_DATA, differs

MOST_FOREIGN = 0.10  # share of the measured cores
AA_LIMIT = 0.03  # two identical arms further apart than this say that the run measured noise
STALL_GAP = 0.05  # between the ratio of total times and the paired ratio
MANY_PAIRS = 10  # A/A pairs; among so many, one that moved a little is to be expected


def run_doubts(index: Index, comparisons: Sequence[Comparison]) -> Iterator[Doubt]:
    """Doubts about the run: too few blocks, others on its cores, an A/A pair that moved."""
    yield from _few_blocks(index)
    yield from _foreign_load(index)
    yield from _aa(index, [one for one in comparisons if one.kind == "aa"])


def comparison_sightings(found: Comparison) -> Iterator[Sighting]:
    """Stalls that the ratio of total times feels and the paired ratio does not."""
    if found.verdict == WRONG_DATA:  # it has neither
        return
    gap = abs(math.log(found.total_ratio.value / found.ratio.value))
    if gap <= math.log(1 + STALL_GAP):
        return
    seen = (
        f"total times say {found.total_ratio.value:.2f} where pairs say {found.ratio.value:.2f};"
        f" slices above 1.5x their median: {found.stalls[0]} against {found.stalls[1]}"
    )
    cause = "a few slices took much longer: a checkpoint, a vacuum, another program"
    remedy = "read both ratios; plan more blocks to see whether the stalls belong to a lane"
    yield Sighting("stalls", found.candidate.id, seen, gap, cause, remedy)


def moved(pair: Comparison) -> bool:
    """Whether an A/A pair came out so different that the run is no evidence."""
    far = max(pair.ratio.value, 1 / pair.ratio.value) >= 1 + AA_LIMIT
    return far and differs(pair.ratio.low, pair.ratio.high)


def _few_blocks(index: Index) -> Iterator[Doubt]:
    finished, planned = len(index.record.blocks), index.record.manifest.blocks
    if finished >= FEWEST_BLOCKS:
        return
    seen = f"{finished} of {planned} blocks finished; an interval at 99 % takes {FEWEST_BLOCKS}"
    cause, remedy = "the run was stopped early", f"let it finish: {index.record.manifest.command}"
    if planned < FEWEST_BLOCKS:
        cause, remedy = f"the plan has {planned}", f"plan at least {FEWEST_BLOCKS} blocks"
    yield Doubt("few-blocks", "run", seen, cause, remedy, fatal=True)


def _foreign_load(index: Index) -> Iterator[Doubt]:
    shares = [block.foreign_load or 0.0 for block in index.record.blocks]
    loaded = [share for share in shares if share > MOST_FOREIGN]
    if loaded:
        seen = f"others used up to {percent_text(max(loaded))} of the measured cores"
        seen += f" in {len(loaded)} of {len(shares)} blocks"
        cause = "other programs ran on the cores that were measured"
        yield Doubt("foreign-load", "run", seen, cause, "close them, and run it again")


def _aa(index: Index, pairs: Sequence[Comparison]) -> Iterator[Doubt]:
    if not pairs:
        yield _no_aa(index)
        return
    apart = [pair for pair in pairs if differs(pair.ratio.low, pair.ratio.high)]
    far = [pair for pair in apart if moved(pair)]
    if far or (apart and len(pairs) < MANY_PAIRS):
        worst = max(apart, key=lambda pair: abs(math.log(pair.ratio.value)))
        seen = f"two identical arms came out different: A/A {plain_ratio_text(worst.ratio)}"
        cause = "something other than the lane decides times here"
        remedy = "run it again; if it recurs, close other programs or take a quieter machine"
        yield Doubt("aa-moved", "run", seen, cause, remedy, bool(far), (worst.candidate.id,))


def _no_aa(index: Index) -> Doubt:
    contrasts = [one for group in index.record.manifest.groups for one in group.contrasts]
    if any(one.kind == "aa" for one in contrasts):
        seen, remedy = "the A/A pair has no numbers", "correct its cell, and run it again"
    else:
        seen, remedy = "the plan has no A/A pair", "plan a contrast of a cell with itself"
    return Doubt("no-aa", "run", seen, "the noise floor of this run is unknown", remedy, fatal=True)
