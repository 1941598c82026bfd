"""The sequential decision: a regression, no regression, or not yet, after each block.

Where candidate and reference are alike, a block's log ratio theta is symmetric about 0 given the
past, so that exp(l x) / cosh(l x) of a clipped theta x has an expectation of at most 1 for any
l > 0 chosen beforehand. The product over blocks is a test supermartingale: it ever reaches
1 / alpha with probability alpha at most (Ville 1939), so one may look after every block. The same
of ln(1 + margin) - theta tests "slower by the margin", whose rejection means no regression. Each
factor is below 2: a verdict at alpha takes at least log2(1 / alpha) blocks.
"""

import math
import statistics
from dataclasses import dataclass, field
from typing import Literal

Decision = Literal["REGRESSION", "OK", "undecided"]

_FIRST_SCALE = 0.03  # of the blocks' log ratios, before there are enough to tell
_ENOUGH_BLOCKS = 4
_LEAST_SCALE = 0.004
_NORMAL = 1.4826  # median absolute deviation to standard deviation, for normal values
_CAUTION = 1.1  # the deviation of a few blocks comes out too small
_MOST_BET = 1.5  # of one standard deviation


@dataclass(slots=True)
class Evidence:
    """The e-process of one hypothesis: its logarithm grows while thetas lie above 0."""

    clip: float  # log ratio beyond which more is no more evidence, besides the noise
    log: float = 0.0

    def observe(self, theta: float, scale: float) -> None:
        """Bet on *theta* > 0, with a stake that follows from the *scale* of earlier blocks."""
        stake = min(self.clip / scale**2, _MOST_BET / scale)
        bound = self.clip + scale
        bet = stake * max(-bound, min(theta, bound))
        self.log += bet - _log_cosh(bet)


@dataclass(slots=True)
class SequentialTest:
    """Decides about one cell, block by block; after a decision, more blocks change nothing."""

    margin: float = 0.05  # a slowdown that matters
    alpha: float = 0.001  # chance to call REGRESSION where there is none
    beta: float = 0.05  # chance to call OK where it is slower by the margin or more
    decision: Decision = "undecided"
    thetas: list[float] = field(default_factory=list)
    _slower: Evidence = field(init=False)
    _within: Evidence = field(init=False)

    def __post_init__(self) -> None:
        self._slower = Evidence(math.log1p(self.margin))
        self._within = Evidence(math.log1p(self.margin))

    def observe(self, theta: float) -> Decision:
        """Take in a block's log ratio, candidate over reference, and decide anew."""
        if self.decision != "undecided":
            return self.decision
        scale = self._scale()
        self.thetas.append(theta)
        self._slower.observe(theta, scale)
        self._within.observe(math.log1p(self.margin) - theta, scale)
        if self._slower.log >= -math.log(self.alpha):
            self.decision = "REGRESSION"
        elif self._within.log >= -math.log(self.beta):
            self.decision = "OK"
        return self.decision

    def _scale(self) -> float:
        """Spread of the blocks seen so far; the block to come has no part in it."""
        if len(self.thetas) < _ENOUGH_BLOCKS:
            return _FIRST_SCALE
        centre = statistics.median(self.thetas)
        deviation = statistics.median(abs(theta - centre) for theta in self.thetas)
        return max(_CAUTION * _NORMAL * deviation, _LEAST_SCALE)


def _log_cosh(x: float) -> float:
    size = abs(x)
    return size + math.log1p(math.exp(-2 * size)) - math.log(2)
