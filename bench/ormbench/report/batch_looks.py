"""How the lines of the chart of rows an operation look, and the legend that says what they are.

A look is a line's part in the story, the same in every panel: the lane's name stands at its end.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ormbench.report.batch_panels import Line, Role
from ormbench.report.chart_sheet import NARROW, SMALL, WIDE, Palette, Sheet

Look = dict[str, Any]

_LOOKS: dict[Role, tuple[str, str, Any]] = {
    "reference": ("ink", "s", "-"),
    "usual": ("accent", "o", "-"),
    "session": ("accent", "D", (0, (4, 2))),
    "many": ("faster", "^", "-"),
    "few": ("faster", "v", (0, (4, 2))),
    "behind": ("slower", "X", "-"),
}
_MORE = (("muted", ">", (0, (4, 2))), ("step", "P", "-"), ("muted", "<", (0, (1, 1.5))))
_WORDS: dict[Role, str] = {
    "reference": "reference",
    "usual": "what a Session does by itself",
    "session": "fastest with a Session",
    "many": "fastest: many rows",
    "few": "fastest: few rows",
    "behind": "slowest",
}
_OTHERS = "all others"
_ROW = 0.2  # inches of a line of the legend
_LETTER, _MARK, _BETWEEN = 0.066, 0.22, 0.16  # inches of a letter, a mark, and between two words


def looks(shown: Sequence[Line], palette: Palette) -> list[Look | None]:
    """Colour, shape and dashes of each line; None for those that stay thin and grey."""
    more = iter(_MORE)

    def look(role: Role | None) -> Look | None:
        if role is None:
            return None
        colour, shape, dashes = next(more) if role == "more" else _LOOKS[role]
        return {"color": getattr(palette, colour), "marker": shape, "ls": dashes}

    return [look(one.role) for one in shown]


def height(panels: Sequence[Sequence[Line]], *, narrow: bool) -> float:
    """Inches of the legend of these panels."""
    rows = [row for _, row, _ in _placed(panels, NARROW if narrow else WIDE)]
    return (max(rows, default=0) + 1) * _ROW + 0.08


def paint(panels: Sequence[Sequence[Line]], sheet: Sheet) -> None:
    """Write the legend at the top of the sheet."""
    tall = height(panels, narrow=sheet.narrow)
    axes = sheet.axes(0.0, 0.0, sheet.width, tall)
    axes.axis("off")
    axes.set_xlim(0, sheet.width)
    axes.set_ylim(tall, 0)
    palette = sheet.palette
    for role, row, x in _placed(panels, sheet.width):
        y = (row + 0.6) * _ROW
        if role is None:
            axes.plot([x - 0.06, x + 0.08], [y, y], color=palette.step, lw=0.9)
        else:
            colour, shape, _ = _LOOKS[role]
            mark = {"marker": shape, "color": getattr(palette, colour), "ms": 4.8, "mew": 0}
            axes.plot([x], [y], ls="none", **mark)
        words = _OTHERS if role is None else _WORDS[role]
        axes.text(x + 0.12, y, words, size=SMALL, va="center", color=palette.muted)


def _placed(
    panels: Sequence[Sequence[Line]], width: float
) -> Iterator[tuple[Role | None, int, float]]:
    """What the legend says, with its line and how far right it stands."""
    roles = {one.role for shown in panels for one in shown}
    row, x = 0, 0.16
    for role in (*_WORDS, None):
        if role in roles:
            long = _MARK + len(_OTHERS if role is None else _WORDS[role]) * _LETTER
            if x > _MARK and x + long > width:
                row, x = row + 1, 0.16
            yield role, row, x
            x += long + _BETWEEN
