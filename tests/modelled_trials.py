"""Stars of cells, and their trials and proofs as a model makes them: seeded noise of log time.

All arms of a round share its mood, and an arm its shift in a block. A model says what a slice of
a cell holds; it may say more of a trial, and of how far an arm is shifted.
"""

import random

from fabricate_counts import SELECT

from ormbench.cell import Contrast, Group
from ormbench.results.trial import Proof, Trial

WRITING = {"bulk_create", "update_email", "insert_rows"}


def star(name, arms, kind="lane"):
    """All of *arms* against the first."""
    return Group(name, tuple(arms), tuple(Contrast(arm, 0, kind) for arm in range(1, len(arms))))


def stars(name, cells, kind="lane"):
    """Groups of at most four arms: the first of *cells*, and three others."""
    centre, *others = cells
    for start in range(0, max(1, len(others)), 3):
        yield star(f"{name} {start // 3}", (centre, *others[start : start + 3]), kind)


def core_first(cells):
    """*cells* in their order, but core, where it is among them, before all others."""
    return sorted(cells, key=lambda cell: cell.lane != "core")


class Model:
    """What is measured of cells; a kind of run has its own `slice`, and may have the two below it.

    *noise*: standard deviation of an arm's log time in a block; *status*: cell id -> how it ended.
    """

    rounds = 4
    mood = 0.05  # standard deviation of log time of a round
    sql = (SELECT,)

    def __init__(self, noise, status=None, seed=7):
        self.random, self.noise, self.status = random.Random(seed), noise, status or {}

    def slice(self, cell, number, place, log):
        """The slice of round *number*, by e**log slower than usual."""
        raise NotImplementedError

    def told(self, _cell, _block, _slices):
        """What else a trial of these slices holds."""
        return {}

    def shift(self, _group, _arm, _block):
        return self.gauss(self.noise)

    def gauss(self, sigma):
        return self.random.gauss(0.0, sigma)

    def trials(self, group, block):
        mood = [self.gauss(self.mood) for _ in range(self.rounds)]
        return [self.trial(group, arm, block, mood) for arm in range(len(group.cells))]

    def trial(self, group, arm, block, mood):
        cell = group.cells[arm]
        status, reason = self.status.get(cell.id, ("OK", ""))
        if status != "OK":
            return Trial(group.name, arm, cell.id, block, status, reason)
        shift = self.shift(group, arm, block)
        slices = tuple(self.slice(cell, n, arm, shift + own) for n, own in enumerate(mood))
        held = {"lag_p99_ns": 200_000, **self.told(cell, block, slices)}
        return Trial(group.name, arm, cell.id, block, "OK", slices=slices, **held)

    def proofs(self, group, block):
        for arm, cell in enumerate(group.cells):
            if cell.target != "none":
                writes = cell.scenario in WRITING
                yield Proof(group.name, arm, cell.id, block, 3, writes, self.sql, "(1, 'ada')")
