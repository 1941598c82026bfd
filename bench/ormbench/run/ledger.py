"""Double entry: the server's own counters over a group's rounds, against the wire's counts.

What is read of a connection, and what servers count late or oddly: `load.counters`; what PostgreSQL
publishes of a whole database: `run.published`. Less than promised is always the arm's doing; so is
more, but on PostgreSQL where others use the server, or where its backends catch up.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from ormbench.cell import Cell
from ormbench.load.counters import Reading
from ormbench.results.count import Count
from ormbench.run.arm import ArmState, EndedError
from ormbench.run.book import Book
from ormbench.run.churn import Grown, Whole
from ormbench.run.context import Site
from ormbench.run.entry import Entry
from ormbench.run.published import Totals, totals
from ormbench.run.status import Status, status
from ormbench.servers.url import UrlServer
from ormbench.truth.counters import changes_catalog

_PUBLISHES = 15  # the first PostgreSQL that can be made to
_CATCHES_UP = 50  # tables emptied between two slices of an arm, from which its backends may


class Ledger:
    """Opened before the rounds of a group in a block, closed after them.

    *ask* sends an arm's worker a message and gives the answer, or raises EndedError. *alike* holds
    what was counted, and what a new connection costs, see `run.count`.
    """

    def __init__(
        self, ask: Callable[..., dict[str, Any]], alike: Mapping[Cell, Count] | None = None
    ) -> None:
        self._ask = ask
        self._alike = {} if alike is None else alike
        self._entries: list[Entry] = []
        self._books: list[Book] = []
        self._statuses: list[tuple[Site, Status]] = []

    def open(self, arms: Sequence[ArmState]) -> None:
        """Read where the counters of each arm's connections stand; no operation is under way."""
        self._entries = [
            Entry(arm, arm.site, arm.site.tables.copied[arm.schema])
            for arm in arms
            if arm.site is not None and not _pooled(arm)
        ]
        for entry in self._entries:
            entry.first = self._read(entry, 2)
        before = [(site, self._totals(site, "first")) for site in self._publishing()]
        for entry in self._entries:
            entry.opening = self._read(entry, 1)
        self._books = [
            Book(site, one, two)
            for site, one in before
            if one is not None and (two := self._totals(site, "opening")) is not None
        ]
        self._statuses = [
            (site, found)
            for site in self._counting()
            if (found := self._status(site, "opening")) is not None
        ]

    def close(self, arms: Sequence[ArmState], counts: Mapping[str, Count]) -> None:
        """Read them again; each arm gets its counters, and is INCORRECT, unverified or neither.

        *counts* by cell id. An arm that has ended is left as it is.
        """
        running = {arm.number for arm in arms if arm.ended is None}
        entries = [entry for entry in self._entries if entry.arm.number in running]
        for entry in entries:
            entry.closing = self._read(entry, 1)
        after = [(book, self._totals(book.site, "closing")) for book in self._books]
        counted = [(one, self._status(one[0], "closing", one[1].beside)) for one in self._statuses]
        catching_up = self._catching_up(counts)
        for entry in entries:
            entry.check(counts.get(entry.arm.cell.id), catching_up=catching_up)
        for book, found in after:
            here = [entry for entry in self._entries if entry.site is book.site]
            if found is not None:
                book.check(found, here, counts)
                self._check_whole(book.site, book.grown(found), counts, catching_up=catching_up)
        for (site, since), last in counted:
            self._check_whole(site, last.grown(since) if last else None, counts)

    def _check_whole(
        self,
        site: Site,
        grown: Grown | None,
        counts: Mapping[str, Count],
        *,
        catching_up: bool = False,
    ) -> None:
        """Hold what a server counted against all its arms, where connections came and went."""
        here = [entry for entry in self._entries if entry.site is site]
        if grown is not None and any(entry.churning for entry in here):
            whole = Whole(site.server.product, here, counts, self._alike)
            whole.check(grown, catching_up=catching_up)

    def _catching_up(self, counts: Mapping[str, Count]) -> bool:
        """Whether backends may: with tables that are emptied, or with what operations create."""
        found = [counts.get(entry.arm.cell.id) for entry in self._entries]
        changes = any(changes_catalog(one.operations) for one in found if one)
        return changes or _emptied(self._entries) >= _CATCHES_UP

    def _read(self, entry: Entry, times: int) -> Reading:
        """The last of so many readings; empty where it fails, which the arm then says."""
        try:
            answer = self._ask(entry.arm, "counters", times=times, flush=_publishes(entry.site))
        except EndedError as failed:
            entry.arm.unverified = f"its counters cannot be read: {failed.reason}"
            return {}
        entry.opened.append(answer["opened"])
        reading: Reading = answer["readings"][-1]
        return reading

    def _publishing(self) -> list[Site]:
        """The PostgreSQL servers of the arms that publish on demand, each once."""
        sites = {id(entry.site): entry.site for entry in self._entries if _publishes(entry.site)}
        return list(sites.values())

    def _counting(self) -> list[Site]:
        """Those of MySQL and MariaDB where an arm's pool may open connections, each once."""
        sites = {
            id(entry.site): entry.site
            for entry in self._entries
            if entry.may_open() and entry.site.server.product != "PostgreSQL"
        }
        return list(sites.values())

    def _status(self, site: Site, moment: str, beside: int = 0) -> Status | None:
        """The whole server's counters, after the reading of that name; None: unreadable."""
        here = [entry for entry in self._entries if entry.site is site]
        known = sum(len(getattr(entry, moment)) for entry in here)
        try:
            return status(site.tables, known, beside)
        except SQLAlchemyError:
            return None

    def _totals(self, site: Site, moment: str) -> Totals | None:
        """Those of *site*, after the reading of that name; None where they cannot be read."""
        here = [entry for entry in self._entries if entry.site is site]
        schemas = {entry.arm.schema for entry in here if entry.arm.loaded.scenario.state}
        known = {process for entry in here for process in getattr(entry, moment)}
        try:
            return totals(site.server.address, site.tables, schemas, known)
        except SQLAlchemyError:
            return None


def _pooled(arm: ArmState) -> bool:
    """Whether a pooler makes its sessions anybody's, which the arm then says."""
    server = arm.site.server if arm.site else None
    pooled = isinstance(server, UrlServer) and server.pooled
    arm.unverified = "a pooler before the server hands its sessions around" if pooled else ""
    return pooled


def _publishes(site: Site) -> bool:
    product, _, version = site.server.version.partition(" ")
    return product == "PostgreSQL" and int(version.partition(".")[0]) >= _PUBLISHES


def _emptied(entries: Sequence[Entry]) -> int:
    """Tables that are emptied between two slices of an arm, at most: twice those of all arms."""
    scenarios = [entry.arm.loaded.scenario for entry in entries]
    return 2 * sum(len(one.data.metadata.tables) for one in scenarios if one.data and one.state)
