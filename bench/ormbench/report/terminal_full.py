"""The whole run as plain text, above the closing block: cells, comparisons, doubts, gaps."""

from collections.abc import Iterator, Sequence

from ormbench.report import gaps, lateness, questions
from ormbench.report.batch_table import BatchTable, batch_tables
from ormbench.report.cell_names import cell_names
from ormbench.report.comparison_words import comparison_name, difference, short_ratio
from ormbench.report.findings import CellFinding, Findings
from ormbench.report.quantities import mean_text, percentile_name, rate_text, time_text
from ormbench.report.round_trips import any_counted, trips_text, versus
from ormbench.report.wrong_data import fails


def full_tables(findings: Findings, *, plain: bool) -> Iterator[str]:
    """Lines of all tables; neither times nor ratios where the run is not usable."""
    usable = findings.trust.usable
    for title, cells in questions.sections(findings):
        yield f" {title}"
        yield from _cells(cells, usable=usable, plain=plain)
        yield ""
    for table in batch_tables(findings):
        yield from _strategies(table)
        yield ""
    if findings.comparisons and usable:
        counted = ", round trips" if any_counted(findings.cells) else ""
        yield f" comparisons: ratio of times, difference per operation{counted}"
        yield from _columns(_comparisons(findings, plain=plain))
        yield ""
    yield from _doubts(findings)
    for cells_text, reason, _ in gaps.left_out(findings):
        yield f" left out  {cells_text}: {reason}"


def _cells(cells: Sequence[CellFinding], *, usable: bool, plain: bool) -> Iterator[str]:
    names = cell_names(one.cell for one in cells)
    numbers = [one for one in cells if one.service is not None and usable]
    trips = ("trips",) if any_counted(cells) else ()
    rows = [("lane", "mean service time", "throughput", "slowest shown", *trips)]
    for one in numbers:
        own = (trips_text(one),) if trips else ()
        rows.append((names[one.cell], *_numbers(one, plain=plain), *own))
    if numbers:
        yield from _columns(rows)
    for one in numbers:
        if lag := lateness.lag_text(one, plain=plain):
            yield f"   {names[one.cell]}  {lag}"
    for one in cells:
        if one not in numbers:
            reason = f": {one.reason}" if one.reason else ""
            yield f"   {names[one.cell]}  {one.status}{reason}"


def _numbers(one: CellFinding, *, plain: bool) -> tuple[str, str, str]:
    mean = mean_text(one.service, plain=plain) if one.service else ""
    mean = "; ".join(filter(None, [mean, fails(one)]))
    rate = rate_text(one.throughput.value) if one.throughput else ""
    if not one.percentiles:
        return mean, rate, ""
    name, value = one.percentiles[-1]
    return mean, rate, f"{percentile_name(name)} {time_text(value, plain=plain)}"


def _comparisons(findings: Findings, *, plain: bool) -> list[tuple[str, ...]]:
    counts = {one.cell: one.count for one in findings.cells}
    return [
        (
            comparison_name(one),
            short_ratio(one),
            difference(one, plain=plain),
            versus(counts.get(one.candidate), counts.get(one.reference)),
        )
        for one in findings.comparisons
    ]


def _strategies(table: BatchTable) -> Iterator[str]:
    """A grid: rows per second, ratio and round trips in columns, then why numbers are missing."""
    yield f" {table.caption}"
    yield f"   {table.says}"
    rows, reasons = [("strategy", *table.batches)], []
    for row in table.rows:
        texts = [row.lane]
        for cell in row.cells:
            if cell.missing:
                first, last = len(texts) - 1, len(texts) + cell.span - 2
                reasons.append(f"   {row.lane} {_span(table, first, last)}  {cell.missing}")
            numbers = f"{cell.rate}/s  {cell.ratio.text}  {cell.trips}"
            texts += ["-" if cell.missing else numbers] * cell.span
        rows.append(tuple(texts))
    yield from _columns(rows)
    yield from reasons


def _span(table: BatchTable, first: int, last: int) -> str:
    """As "10 rows", "1 row to 100 rows"."""
    ends = table.batches[first], table.batches[last]
    return ends[0] if first == last else " to ".join(ends)


def _doubts(findings: Findings) -> Iterator[str]:
    for doubt in findings.trust.doubts:
        yield f" warning {doubt.code}  {doubt.about}"
        yield f"   seen    {doubt.seen}"
        yield f"   cause   {doubt.cause}"
        yield f"   remedy  {doubt.remedy}"
    if findings.trust.doubts:
        yield ""


def _columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield ("   " + "  ".join(padded)).rstrip()
