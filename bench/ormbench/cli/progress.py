"""Progress: a live line on a terminal, erased at the end; elsewhere one line a block."""

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ormbench.run.context import Progress as Told


class Shown(Told, Protocol):
    """Progress that is opened and closed."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def shown(groups: int, *, quiet: bool) -> Shown:
    """What fits where standard error goes."""
    console = Console(stderr=True)
    if quiet:
        return Lines(groups, silent=True)
    return Live(console, groups) if console.is_terminal else Lines(groups)


class Live:
    """One line with a bar, drawn between slices only: nothing ticks while a slice runs."""

    def __init__(self, console: Console, groups: int) -> None:
        self._groups = groups
        columns = (SpinnerColumn(), BarColumn(24), TextColumn("{task.description}"))
        self._progress = Progress(
            *columns, TimeElapsedColumn(), console=console, transient=True, auto_refresh=False
        )
        self._task = self._progress.add_task("starting", total=None)
        self._block = ""

    def block(self, number: int, blocks: int) -> None:
        """A block begins."""
        self._block = f"block {number + 1} of {blocks}"
        self._progress.update(
            self._task, total=blocks * self._groups, completed=number * self._groups
        )
        self._show(self._block)

    def group(self, name: str) -> None:
        """A group begins."""
        self._show(f"{self._block}  {name.partition(' ')[0]}")

    def group_done(self) -> None:
        """It is measured."""
        self._progress.advance(self._task)

    def say(self, text: str) -> None:
        """One line that matters now."""
        self._show(text)

    def _show(self, text: str) -> None:
        self._progress.update(self._task, description=text, refresh=True)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._progress.stop()


class Lines:
    """One line a block, for logs."""

    def __init__(self, groups: int, *, silent: bool = False) -> None:
        self._groups, self._silent = groups, silent
        self._started = time.monotonic()

    def block(self, number: int, blocks: int) -> None:
        """A block begins."""
        self.say(f"block {number + 1} of {blocks}, {self._groups} groups")

    def group(self, name: str) -> None:
        """Nothing to say."""

    def group_done(self) -> None:
        """Nothing to say."""

    def say(self, text: str) -> None:
        """One line that matters now."""
        if not self._silent:
            print(f"{time.monotonic() - self._started:6.1f} s  {text}", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return
