"""PostgreSQL's totals over a group's rounds, held against what its connections did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ormbench.results.count import Count
from ormbench.run.churn import Grown
from ormbench.run.context import Site
from ormbench.run.entry import Entry
from ormbench.run.published import Totals
from ormbench.truth.counters import Difference, compared, rollbacks, written

_WORKERS = {"xact_commit + xact_rollback", "xact_commit"}  # where parallel workers show, too
_OPENED = "the connections of this group opened"
_BEGAN = "the connections of this group began"
_PROMISED = "the count passes of this group promise"


@dataclass(frozen=True, slots=True)
class Book:
    """The totals of one server before the rounds; one reading of all lies between the two."""

    site: Site
    before: Totals
    opening: Totals

    def check(self, closing: Totals, entries: Sequence[Entry], counts: Mapping[str, Count]) -> None:
        """Hold them against the count passes of *entries*, all that were open on this server.

        Rows are those of an arm's own schema. The database has no name for who committed: what is
        wrong there is everybody's.
        """
        for entry in entries:
            self._check_rows(entry, closing, counts)
        if any(entry.churning for entry in entries):
            return
        each = [counts.get(entry.arm.cell.id) for entry in entries]
        if self._comparable(closing, entries, each):
            wrong = self._unequal(closing, entries, each)
            for entry in entries:
                if wrong and entry.arm.ended is None and not entry.arm.unverified:
                    entry.blame(wrong)

    def grown(self, closing: Totals) -> Grown | None:
        """What all connections did but the coordinator's own; None where that connected again.

        Each worker of a parallel query commits twice while it starts.
        """
        opening, workers = self.opening, 0
        if closing.own.keys() != opening.own.keys():
            return None
        if closing.workers is not None and opening.workers is not None:
            workers = closing.workers - opening.workers
        rolled_back = closing.rollbacks - opening.rollbacks
        own = _transactions(closing) - _transactions(opening)
        ended = closing.commits - opening.commits + rolled_back
        quiet = opening.rollbacks == self.before.rollbacks  # readings roll nothing back
        return Grown(
            sessions=closing.sessions - opening.sessions,
            counters={"transactions": ended - own - 2 * workers},
            rollbacks=rolled_back if quiet else None,
            strangers=opening.strangers or closing.strangers,
            surely=closing.workers is not None,
        )

    def _check_rows(self, entry: Entry, closing: Totals, counts: Mapping[str, Count]) -> None:
        arm, schema = entry.arm, entry.arm.schema
        count = counts.get(arm.cell.id)
        silent = arm.unverified and not entry.churning
        if arm.ended or silent or count is None or schema not in self.opening.written:
            return
        grown = closing.written.get(schema, 0) - self.opening.written[schema]
        rows = grown - (self.site.tables.copied[schema] - entry.copied)
        values = [written(one) for one in count.operations]
        known = [one for one in values if one is not None]
        if len(known) < len(values) or _writes_in_with(counts.get(count.like, count)):
            return
        arm.counters["rows"] = rows
        name = "rows in n_tup_ins, n_tup_upd and n_tup_del"
        if wrong := compared(name, rows, arm.turns, known, arm.early()):
            entry.blame(wrong)

    def _comparable(
        self, closing: Totals, entries: Sequence[Entry], counts: Sequence[Count | None]
    ) -> bool:
        """Whether all that happened in the database is known, but for others on their server.

        Of an arm that has ended it is not: its transaction may be open, and in no total yet.
        """
        strangers = self.opening.strangers or closing.strangers
        return (
            all(entry.arm.ended is None and entry.settled() for entry in entries)
            and closing.own.keys() == self.opening.own.keys()
            and not any(one.connections for count in counts if count for one in count.operations)
            and (not strangers or self.site.server.kind == "url")
        )

    def _unequal(
        self, closing: Totals, entries: Sequence[Entry], counts: Sequence[Count | None]
    ) -> Difference | None:
        """A total that did not grow by what all connections together did; first, too little."""
        opening = self.opening
        own = (_transactions(closing) - _transactions(opening)) if opening.own else 0
        began = own + sum(entry.raw()["transactions"] for entry in entries)
        committed = closing.commits - opening.commits
        rolled_back = closing.rollbacks - opening.rollbacks
        found = [
            Difference("sessions", closing.sessions - opening.sessions, 0, 0, promise=_OPENED),
            Difference(
                "xact_commit + xact_rollback", committed + rolled_back, began, began, promise=_BEGAN
            ),
        ]
        if span := self._rollbacks(entries, counts):
            least, most = span
            found += [
                Difference(
                    "xact_commit", committed, began - most, began - least, promise=_PROMISED
                ),
                Difference("xact_rollback", rolled_back, least, most, promise=_PROMISED),
            ]
        others = opening.strangers or closing.strangers
        wrong = [
            one
            for one in found
            if not one.least <= one.counted <= one.most
            and (others or not one.is_more or one.name not in _WORKERS)
        ]
        return min(wrong, key=lambda one: one.is_more, default=None)

    def _rollbacks(
        self, entries: Sequence[Entry], counts: Sequence[Count | None]
    ) -> tuple[int, int] | None:
        """The least and the most that the count passes promise, one reading among them."""
        least = most = self.opening.rollbacks - self.before.rollbacks
        for entry, count in zip(entries, counts, strict=True):
            values = [rollbacks(one) for one in count.operations] if count else []
            known = [one for one in values if one is not None]
            if entry.arm.ended or not known or len(known) < len(values):
                return None
            low, high = entry.arm.early().span(
                "xact_rollback", entry.arm.turns, min(known), max(known)
            )
            least, most = least + low, most + high
        return least, most


def _transactions(totals: Totals) -> int:
    return sum(counters["transactions"] for counters in totals.own.values())


def _writes_in_with(count: Count) -> bool:
    """Whether a statement begins with WITH: of what that writes, the wire shows the last part."""
    return any(line.text.lstrip().upper().startswith("WITH") for line in count.transcript)
