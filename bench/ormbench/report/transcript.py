"""The wire transcript of an operation as lines of text: who sent it, what it is, bytes, words."""

from collections.abc import Iterator, Sequence

from ormbench.report.words import one_line
from ormbench.wire.tally import Line

ARROWS = {"client": "→", "server": "←"}
ASCII_ARROWS = {"client": "->", "server": "<-"}
_LEAST_KIND = 8  # columns for the names of messages, however short they are


def transcript_lines(
    lines: Sequence[Line], *, width: int | None = None, most: int | None = None, plain: bool = False
) -> Iterator[str]:
    """One line a message: an arrow, its name, its bytes, its text.

    A line is cut at *width* columns; of more than *most* lines the middle is left out.
    """
    arrows = ASCII_ARROWS if plain else ARROWS
    kinds = max([_LEAST_KIND, *(len(line.kind) for line in lines)])
    sizes = max((len(f"{line.size:,}") for line in lines), default=1)
    dots = "..." if plain else "…"
    for line in _without_middle(lines, most):
        if isinstance(line, int):
            yield f"{dots} {line} lines left out"
            continue
        head = f"{arrows[line.side]} {line.kind:<{kinds}}  {line.size:>{sizes},}"
        text = f"{head}  {one_line(line.text)}".rstrip()
        fits = width is None or len(text) <= width
        yield text if fits else f"{text[: (width or 0) - len(dots)]}{dots}"


def _without_middle(lines: Sequence[Line], most: int | None) -> Iterator[Line | int]:
    """The lines, or the first and the last of them around the number of the others."""
    if most is None or len(lines) <= most:
        yield from lines
        return
    last = most // 3
    first = most - last
    yield from lines[:first]
    yield len(lines) - most
    yield from lines[-last:]
