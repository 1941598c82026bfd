"""Write all that is rendered into a run folder: report.html, report.md, cells.csv, charts/."""

from collections.abc import Sequence
from pathlib import Path

from ormbench.report import html, markdown, quiet_matplotlib, table
from ormbench.report.drawing import Drawing
from ormbench.report.findings import Findings

HTML, MARKDOWN, CSV, CHARTS = "report.html", "report.md", "cells.csv", "charts"


def write(findings: Findings, folder: Path) -> None:
    """Render *findings* into the existing *folder*; what an earlier call wrote is replaced.

    A run that is not usable gets no charts. Raises OSError where the folder cannot be written.
    """
    drawings = _draw(findings)
    _write_text(folder / HTML, html.render(findings, drawings))
    _write_text(folder / MARKDOWN, markdown.render(findings))
    _write_text(folder / CSV, table.render(findings))
    _write_charts(folder / CHARTS, drawings)


def _draw(findings: Findings) -> tuple[Drawing, ...]:
    quiet_matplotlib.prepare()
    from ormbench.report import charts  # noqa: PLC0415 - prepared above, and slow to import

    return charts.draw_all(findings)


def _write_charts(folder: Path, drawings: Sequence[Drawing]) -> None:
    folder.mkdir(exist_ok=True)
    endings = (".svg", "-dark.svg", ".png")
    written = {f"{one.name}{ending}" for one in drawings for ending in endings}
    for old in (*folder.glob("*.svg"), *folder.glob("*.png")):
        if old.name not in written:
            old.unlink()
    for one in drawings:
        _write_text(folder / f"{one.name}.svg", one.standalone)
        _write_text(folder / f"{one.name}-dark.svg", one.dark)
        (folder / f"{one.name}.png").write_bytes(one.png)


def _write_text(path: Path, text: str) -> None:
    """Write *text* as it stands: no newline is translated, so that files are alike everywhere."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
