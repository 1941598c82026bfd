"""Lines of the terminal: behind a label, side by side, cut to the width, fitted to the height."""

import itertools
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, replace

from rich.cells import cell_len, set_cell_size

_INDENT = " " * 9
_DOTS = " ..."
# between a number and its unit, and inside an interval
_UNBREAKABLE = re.compile(r"(?<=\d) (?=%|[num\u00b5]?s\b)|(?<=,) (?=[^\s\]]+\])|(?<=x) (?=\[)")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together, and how few of them still say what they are for."""

    lines: tuple[str, ...]
    least: int
    gap: bool = True  # a blank line follows, where there is room

    def shorter(self) -> "Block":
        """One line less; the new last line ends in dots."""
        return replace(self, lines=tuple(shortened(self.lines, len(self.lines) - 1)))


def fit(blocks: list[Block], height: int) -> list[str]:
    """Lay *blocks* out in *height* lines: gaps go first, the last before the first; then lines."""
    while _height(blocks) > height:
        roomy = [place for place, block in enumerate(blocks[:-1]) if block.gap]
        long = [place for place, block in enumerate(blocks) if len(block.lines) > block.least]
        if len(roomy) > len(blocks) // 2 or (roomy and not long):
            blocks[roomy[-1]] = replace(blocks[roomy[-1]], gap=False)
        elif long:
            most = max(long, key=lambda place: len(blocks[place].lines) - blocks[place].least)
            blocks[most] = blocks[most].shorter()
        else:
            break
    lines: list[str] = []
    for block in blocks:
        lines += [*block.lines, ""] if block.gap else block.lines
    return lines[:-1] if blocks[-1].gap else lines


def _height(blocks: list[Block]) -> int:
    return sum(len(block.lines) + block.gap for block in blocks) - blocks[-1].gap


def shortened(lines: Iterable[str], most: int) -> list[str]:
    """The first *most* of *lines*; the last of them ends in dots where others are missing."""
    known = list(lines)
    kept = known[:most]
    if kept and len(known) > most:
        kept[-1] = kept[-1].removesuffix(_DOTS) + _DOTS
    return kept


def head(label: str) -> str:
    """*label* as a line begins with it; of "" the blanks that stand in its place."""
    return f" {label:<7} "


def wrapped(label: str, text: str, width: int) -> list[str]:
    """*text* behind *label*, in as many lines as it takes."""
    lines = textwrap.wrap(
        _UNBREAKABLE.sub("\u00a0", text),
        width,
        initial_indent=head(label),
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
    )
    return [line.replace("\u00a0", " ") for line in lines] or [head(label).rstrip()]


def packed(items: Iterable[str], width: int, start: str, between: str = "   ") -> list[str]:
    """*items* side by side behind *start*, as many to a line as there is room for."""
    lines: list[str] = []
    room = width - cell_len(start)
    parts = (textwrap.wrap(item, room, break_on_hyphens=False) for item in items)
    for item in itertools.chain.from_iterable(parts):
        joined = f"{lines[-1]}{between}{item}" if lines else f"{start}{item}"
        if lines and cell_len(joined) > width:
            lines.append(" " * len(start) + item)
        else:
            lines[-1:] = [joined]
    return lines


def clipped(line: str, width: int) -> str:
    """*line* in at most *width* columns, dots at its end where something is missing."""
    fits = cell_len(line) <= width
    return (line if fits else set_cell_size(line, width - 3) + "...").rstrip()
