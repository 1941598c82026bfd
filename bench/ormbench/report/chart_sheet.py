"""The paper that charts are drawn on: colours, sizes, and the ways from a figure to bytes.

Charts are drawn in sentinel colours that become ``var(--ink)`` and the like in the page, so
that one SVG serves the light and the dark theme; files get the colours of the light theme.
Two renderings of the same findings are the same bytes.
"""

import io
import re
import textwrap
import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import matplotlib as mpl
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ormbench.report.drawing import Drawing

WIDE, NARROW = 7.6, 3.6  # inches; 100 pixels of the page each
TEXT, SMALL = 9.0, 8.0  # points; 12.5 and 11 pixels of the page
_TITLE, _FOOT = 0.24, 0.17  # inches a line
_STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": TEXT,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "ormbench",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "path.simplify": False,
}


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a chart by what they mean; a name is also that of the page's variable."""

    ink: str
    muted: str
    rule: str
    surface: str
    band: str
    accent: str
    step: str
    slower: str
    faster: str


LIGHT = Palette(
    ink="#1c2127",
    muted="#59616b",
    rule="#d9dce0",
    surface="#ffffff",
    band="#d3d8de",
    accent="#1d5fa8",
    step="#9fb3c8",
    slower="#b0421a",
    faster="#0b7467",
)
DARK = Palette(
    ink="#e7eaee",
    muted="#a5aeb8",
    rule="#363d45",
    surface="#1b1f24",
    band="#414a54",
    accent="#7fb4f0",
    step="#56697d",
    slower="#f2956f",
    faster="#57c8b6",
)
SENTINELS = Palette(*(f"#0103{place:02x}" for place in range(2, 11)))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A figure with its palette; places are inches from the top left of the chart's own area."""

    figure: Figure
    palette: Palette
    width: float
    height: float
    top: float  # inches that the title takes above the chart's area
    narrow: bool

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes with the house's plain look."""
        whole = float(self.figure.get_figheight())
        bottom = whole - self.top - top - height
        box = (left / self.width, bottom / whole, width / self.width, height / whole)
        axes = self.figure.add_axes(box)
        axes.set_facecolor("none")
        axes.spines["bottom"].set_color(self.palette.rule)
        axes.tick_params(axis="x", length=0, pad=6, colors=self.palette.muted, labelsize=SMALL)
        axes.tick_params(axis="y", length=0, labelsize=TEXT, colors=self.palette.ink)
        axes.set_axisbelow(True)
        return axes

    def text(self, left: float, top: float, words: str, **style: Any) -> None:
        """Words at a place of the sheet, their top left corner there."""
        whole = float(self.figure.get_figheight())
        style = {"va": "top", "ha": "left", "color": self.palette.ink, **style}
        self.figure.text(left / self.width, 1 - (self.top + top) / whole, words, **style)


@dataclass(frozen=True, slots=True)
class Sketch:
    """A chart that is ready to be drawn: its words, and how to paint it at a width."""

    name: str
    title: str
    note: str
    height: Callable[[bool], float]  # inches, for a narrow sheet or not
    paint: Callable[[Sheet], None]
    width: float = WIDE  # inches of the wide form


def draw(sketch: Sketch, origin: str) -> Drawing:
    """Draw *sketch* in all its forms; *origin* says in the files when and where it was measured."""
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # A name may hold a letter that the font lacks: a box in the picture, not a warning.
        warnings.simplefilter("ignore")
        wide = _svg(_figure(sketch, SENTINELS, narrow=False))
        narrow = _svg(_figure(sketch, SENTINELS, narrow=True))
        filed = _figure(sketch, LIGHT, narrow=False, origin=origin)
        return Drawing(
            name=sketch.name,
            title=sketch.title,
            note=sketch.note,
            wide=_inline(wide, f"{sketch.name}-w", sketch.title, sketch.width),
            narrow=_inline(narrow, f"{sketch.name}-n", sketch.title, NARROW),
            standalone=(file := _svg(filed, Title=sketch.title)),
            dark=_recoloured(file),
            png=_png(filed),
        )


def _figure(sketch: Sketch, palette: Palette, *, narrow: bool, origin: str = "") -> Figure:
    width, height = NARROW if narrow else sketch.width, sketch.height(narrow)
    title = textwrap.wrap(sketch.title, round(width * 10)) if origin else []
    foot = textwrap.wrap(origin, round(width * 16))
    top = len(title) * _TITLE + 0.22 if title else 0.0
    bottom = len(foot) * _FOOT + 0.16 if foot else 0.0
    figure = Figure(figsize=(width, height + top + bottom), facecolor="none")
    sheet = Sheet(figure, palette, width, height, top, narrow)
    if origin:
        figure.set_facecolor(palette.surface)
        sheet.text(0.12, 0.1 - top, "\n".join(title), weight="bold", size=11)
        sheet.text(0.12, height + 0.06, "\n".join(foot), size=7, color=palette.muted)
    sketch.paint(sheet)
    return figure


def _svg(figure: Figure, **metadata: str) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, **metadata})
    return file.getvalue()


def _recoloured(svg: str) -> str:
    """A file's SVG in the dark theme: each colour of the light one stands there only once."""
    for field in fields(Palette):
        svg = svg.replace(getattr(LIGHT, field.name), getattr(DARK, field.name))
    return svg


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=120, metadata={"Software": "ormbench"})
    return file.getvalue()


def _inline(svg: str, prefix: str, title: str, width: float) -> str:
    """An SVG element for the page: own ids, the page's colours, hardly larger than drawn."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<(metadata|style)\b.*?</\1>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\sid="|xlink:href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    for field in fields(Palette):
        svg = svg.replace(getattr(SENTINELS, field.name), f"var(--{field.name})")
    own = f'role="img" aria-label="{escape(title)}" style="max-width:{width * 105:.0f}px"'
    return svg.replace("<svg ", f"<svg {own} ", 1).strip()
