"""Asks charts what stands on them: words, boxes, ids, colours, contrast.

It prepares matplotlib; modules that draw import it, by its name before matplotlib and ormbench.
"""

import re
import xml.etree.ElementTree as ET

from ormbench.report import quiet_matplotlib

quiet_matplotlib.prepare()

from matplotlib.figure import Figure  # noqa: E402 - prepared above

from ormbench.report import charts  # noqa: E402 - prepared above
from ormbench.report.chart_sheet import LIGHT, NARROW, WIDE, Sheet, draw  # noqa: E402 - prepared above
from ormbench.report.reading_order import in_reading_order  # noqa: E402 - prepared above
from ormbench.report.words import readable  # noqa: E402 - prepared above

SVG = "{http://www.w3.org/2000/svg}"


def sketched(findings):
    """name -> sketch of each chart that `draw_all` draws of a usable run, in its order."""
    return {one.name: one for one in charts._sketches(in_reading_order(readable(findings)))}


def drawn(findings, name):
    """One of these charts in all its forms."""
    return draw(sketched(findings)[name], "")


def painted(sketch, *, narrow=False):
    """A chart on a figure whose texts can be measured: much faster than `drawn`."""
    width, height = NARROW if narrow else WIDE, sketch.height(narrow)
    figure = Figure(figsize=(width, height), dpi=100)
    sketch.paint(Sheet(figure, LIGHT, width, height, 0.0, narrow))
    return figure


def words(svg):
    return [text.text or "" for text in ET.fromstring(svg).iter(f"{SVG}text")]


def shown_texts(figure, *, ticks=True):
    """Every word on a figure with its box in pixels."""
    figure.draw_without_rendering()
    texts = list(figure.texts)
    for axes in figure.axes:
        if axes.axison and ticks:
            texts += [*axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label]
        texts += axes.texts
    return [(one.get_text(), one.get_window_extent()) for one in texts if one.get_text()]


def shown_words(figure):
    return [text for text, _ in shown_texts(figure)]


def misplaced(figure, *, across=1, down=3, ticks=True):
    """Words off the sheet, and pairs that share so many pixels: boxes are larger than their ink."""
    found, shown = [], shown_texts(figure, ticks=ticks)
    width = figure.get_figwidth() * figure.dpi
    for place, (name, box) in enumerate(shown):
        if box.x0 <= -2 or box.x1 >= width + 2:
            found.append(name)
        for other, against in shown[:place]:
            across_by = min(box.x1, against.x1) - max(box.x0, against.x0)
            down_by = min(box.y1, against.y1) - max(box.y0, against.y0)
            if across_by >= across and down_by >= down:
                found.append((name, other))
    return found


def not_the_pages_own(chart):
    """Ids of an inline chart that another may have too, and colours that no theme changes."""
    found = []
    for svg, prefix in ((chart.wide, f"{chart.name}-w-"), (chart.narrow, f"{chart.name}-n-")):
        own = re.findall(r'\sid="([^"]+)"', svg)
        found += [one for one in own if not one.startswith(prefix)] if own else ["no ids"]
        found += re.findall(r"#[0-9a-fA-F]{6}\b", svg)
    return found


def is_filed(chart):
    """Whether its files are a picture, and of a theme each."""
    return chart.dark != chart.standalone and chart.png.startswith(b"\x89PNG")


def rgb(colour):
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def _luminance(colour):
    parts = [part / 255 for part in colour]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    """Of two colours, each as red, green and blue of 255: 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)
