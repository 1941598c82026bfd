"""A cell's blocks in run order as a line the size of a word: drift shows."""

from collections.abc import Sequence

from markupsafe import Markup

from ormbench.report.quantities import time_text

_WIDTH, _HEIGHT, _EDGE = 92.0, 20.0, 3.0
_LEAST_SPAN = 0.06  # of the middle: so that 1 % of noise does not look like a mountain


def sparkline(means: Sequence[float]) -> Markup:
    """Draw block means (ns/op) as an inline SVG; empty where there are fewer than two."""
    if len(means) < 2:  # noqa: PLR2004 - one point is no line
        return Markup()
    low, high = min(means), max(means)
    words = f"mean of each block: {time_text(low)} to {time_text(high)} in {len(means)} blocks"
    middle = (low + high) / 2
    span = max(high - low, _LEAST_SPAN * middle) or 1.0
    step = (_WIDTH - 2 * _EDGE) / (len(means) - 1)
    points = [
        (_EDGE + place * step, _HEIGHT / 2 - (mean - middle) / span * (_HEIGHT - 2 * _EDGE))
        for place, mean in enumerate(means)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return Markup(
        '<svg class="spark" viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" role="img" '
        'aria-label="{words}"><title>{words}</title><polyline points="{line}"/>'
        '<circle cx="{x}" cy="{y}" r="2"/></svg>'
    ).format(w=_WIDTH, h=_HEIGHT, words=words, line=line, x=f"{x:.1f}", y=f"{y:.1f}")
