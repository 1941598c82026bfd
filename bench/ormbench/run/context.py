"""What all blocks of a run share."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from ormbench.cell import Cell, Group
from ormbench.load.calibration import SliceSize, fitted
from ormbench.loader import Loaded
from ormbench.results.count import Count
from ormbench.run.pace import Paces
from ormbench.run.routes import Routes
from ormbench.servers.server import Product, Server
from ormbench.targets.target import TARGETS
from ormbench.truth.tables import Tables


@dataclass(frozen=True, slots=True)
class Site:
    """A server and the tables of the run on it."""

    server: Server
    tables: Tables


class Progress(Protocol):
    """Told what happens, between slices; shows it or does not."""

    def block(self, number: int, blocks: int) -> None:
        """A block begins."""

    def group(self, name: str) -> None:
        """A group of the block begins."""

    def group_done(self) -> None:
        """It is measured."""

    def say(self, text: str) -> None:
        """One line that matters now."""


@dataclass(slots=True)
class Context:
    """The servers, their tables, the scenarios, and the sizes that the first block found."""

    sites: Mapping[Product, Site]
    loaded: dict[str, Loaded]
    groups: tuple[Group, ...]
    blocks: int
    rounds: int
    seed: int
    table_rows: int
    timeout: float
    progress: Progress
    counts: dict[str, Count] = field(default_factory=dict)  # by Cell.id
    alike: dict[Cell, Count] = field(default_factory=dict)  # by what was counted: count.counted_as
    sized: dict[tuple[str, int | None], Loaded] = field(default_factory=dict)
    sizes: dict[str, SliceSize] = field(default_factory=dict)
    paces: Paces = field(default_factory=Paces)
    full: dict[str, int] = field(default_factory=dict)  # the rounds that each group began with
    in_rounds: float = 0.0  # seconds that the rounds of the present block took
    in_counting: float = 0.0  # seconds that its count passes took: later blocks have none
    routes: Routes = field(kw_only=True)

    def shrink(self, seconds: float, room: float) -> None:
        """Let the next blocks have the rounds for which there is *room*; one took *seconds*.

        What a block spends beside its rounds, opening and proving, does not shrink with them. A
        group gets back what a slow block took from it, and never more than it began with.
        """
        beside = seconds - self.in_rounds - self.in_counting
        for name, size in self.sizes.items():
            most = self.full.setdefault(name, size.rounds)
            rounds = fitted(size.rounds, self.in_rounds, room - beside, most)
            self.sizes[name] = replace(size, rounds=rounds)

    @property
    def files(self) -> list[str]:
        """The scenario files of the run, each once."""
        paths: dict[Path, None] = {one.path.resolve(): None for one in self.loaded.values()}
        return [str(path) for path in paths]

    def site(self, cell: Cell) -> Site | None:
        """Where a cell's server and tables are; None where it needs none."""
        target = TARGETS.get(cell.target)
        return self.sites[target.server] if target else None

    def forget(self, block: int) -> None:
        """Let the next block count again what *block* counted, which is lost."""
        self.counts = {name: one for name, one in self.counts.items() if one.block != block}
        self.alike = {cell: one for cell, one in self.alike.items() if one.block != block}
        self.routes.renew()

    def attend(self, group: Group | None) -> None:
        """Pause the servers that *group* does not use, resume the others; None resumes all."""
        used = {self.site(cell) for cell in group.cells} if group else set(self.sites.values())
        for site in self.sites.values():
            if site in used:
                site.server.resume()
            else:
                site.server.pause()

    def cpu_ns(self) -> int | None:
        """CPU time of all servers, in ns; None where one of them cannot be read."""
        spent = [site.server.cpu_ns() for site in self.sites.values()]
        return None if None in spent else sum(one for one in spent if one is not None)

    def dead(self) -> Product | None:
        """A server that is there no more."""
        gone = (product for product, site in self.sites.items() if not site.server.alive())
        return next(gone, None)

    def scenario(self, cell: Cell) -> Loaded:
        """The scenario of a cell, with as many rows an operation as the cell has."""
        key = (cell.scenario, cell.batch)
        if key not in self.sized:
            self.sized[key] = self.loaded[cell.scenario].sized(cell.batch)
        return self.sized[key]

    def rows(self, cell: Cell) -> int:
        """Rows of an operation of a cell; 0 where its scenario does not say."""
        return self.scenario(cell).scenario.default_batch or 0
