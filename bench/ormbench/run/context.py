"""What all blocks of a run share."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from ormbench.cell import Cell, Group
from ormbench.load.calibration import SliceSize, fitted
from ormbench.loader import Loaded
from ormbench.servers.server import Server
from ormbench.truth.tables import Tables


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
    """The server, its tables, the scenarios, and the sizes that the first block found."""

    server: Server
    tables: Tables
    loaded: dict[str, Loaded]
    groups: tuple[Group, ...]
    blocks: int
    rounds: int
    seed: int
    table_rows: int
    timeout: float
    progress: Progress
    sizes: dict[str, SliceSize] = field(default_factory=dict)

    def shrink(self, seconds: float, room: float) -> None:
        """Give the next blocks fewer rounds, where one took *seconds* and there is less *room*."""
        for name, size in self.sizes.items():
            self.sizes[name] = replace(size, rounds=fitted(size.rounds, seconds, room))

    @property
    def files(self) -> list[str]:
        """The scenario files of the run, each once."""
        paths: dict[Path, None] = {one.path.resolve(): None for one in self.loaded.values()}
        return [str(path) for path in paths]

    def scenario(self, cell: Cell) -> Loaded:
        """The scenario of a cell."""
        return self.loaded[cell.scenario]
