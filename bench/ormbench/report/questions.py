"""What every rendering asks of a Findings: which cells, against what, in which words.

Pure functions, so that the terminal, the page and the pull-request comment cannot disagree.
"""

from collections.abc import Iterable, Iterator, Sequence

from ormbench.cell import Cell
from ormbench.report.findings import CellFinding, Comparison, Findings, Ladder
from ormbench.report.names import axes_text, bare_driver, driver_name, product_name
from ormbench.report.quantities import (
    difference_text,
    ratio_text,
)
from ormbench.report.wrong_data import happened, side, sound
from ormbench.stats.verdict import WRONG_DATA

NO_ANSWER = "No answer: this run is not evidence"
_CHOSEN = ("pool", "isolation")
_PLACEMENTS = {
    "one-core": "client and server share one core",
    "split": "client and server on separate cores",
    "free": "client and server placed by the system",
}


def placement_text(cells: Iterable[Cell]) -> str:
    """Which cores the processes of *cells* had, in words; each placement once."""
    return "; ".join(dict.fromkeys(_PLACEMENTS[cell.placement] for cell in cells))


def is_reference(findings: Findings, cell: Cell) -> bool:
    """Whether *cell* has the axis value that the ratios of this run are against.

    Of targets each product has one, since no two products are compared.
    """
    axis, _, value = findings.reference.partition("=")
    if cell.target == "none":  # the empty operation, which nothing is compared with
        return False
    if axis == "target" and product_name(cell.target) != product_name(value):
        return any(one.kind == "target" and one.reference == cell for one in findings.comparisons)
    return str(getattr(cell, axis, None)) == value


def reference_name(findings: Findings) -> str:
    """Give "core" of the reference "lane=core"; of "target=postgresql+asyncpg" the driver.

    Of a distance "rtt=0.5".
    """
    axis, _, value = findings.reference.partition("=")
    if axis == "target":
        return "first driver" if len(findings.servers) > 1 else bare_driver(value)
    if axis == "rtt":
        return "direct" if value == "None" else f"rtt={float(value):g}"
    if value == "None":
        return {"pool": "fitted", "isolation": "default"}.get(axis, findings.reference)
    return value or findings.reference


def against_reference(findings: Findings, cell: Cell) -> Comparison | None:
    """The comparison of *cell* with the reference, if this run made one."""
    if is_reference(findings, cell):
        return None
    for one in findings.comparisons:
        if one.kind != "aa" and one.candidate == cell and is_reference(findings, one.reference):
            return one
    return None


def focus_cells(findings: Findings) -> tuple[CellFinding, ...]:
    """The cells of the scenario and target to show first; of all drivers, where those differ."""
    here = [one for one in findings.cells if one.cell.scenario == findings.focus]
    if findings.reference.startswith("target="):
        product = product_name(findings.focus_target)
        return tuple(one for one in here if product_name(one.cell.target) == product)
    return tuple(one for one in here if one.cell.target == findings.focus_target)


def focus_ladder(findings: Findings) -> Ladder | None:
    """The ladder of the focus; another one where the focus has none."""
    wanted = (findings.focus, findings.focus_target)
    own = (one for one in findings.ladders if (one.scenario, one.target) == wanted)
    return next(own, next(iter(findings.ladders), None))


def scenarios(findings: Findings) -> tuple[str, ...]:
    """The scenarios in the order of the cells, the focus first."""
    names = dict.fromkeys(one.cell.scenario for one in findings.cells)
    return tuple(sorted(names, key=lambda name: name != findings.focus))


def sections(findings: Findings) -> Iterator[tuple[str, tuple[CellFinding, ...]]]:
    """Cells that may stand side by side: those of one scenario on one product, with its name."""
    for scenario in scenarios(findings):
        here = [one for one in findings.cells if one.cell.scenario == scenario]
        products = dict.fromkeys(product_name(one.cell.target) for one in here)
        for product in products:
            cells = tuple(one for one in here if product_name(one.cell.target) == product)
            several = product and len(findings.servers) > 1
            yield f"{scenario}, {product}" if several else scenario, cells


def ladder_name(ladder: Ladder, *, with_product: bool) -> str:
    """Say "get_by_id, asyncpg" or "get_by_id, PostgreSQL, asyncpg, clients=8"."""
    product, driver = product_name(ladder.target), driver_name(ladder.target)
    apart = with_product and not driver.startswith(product)
    axes = _axes(ladder.rungs[0].cell)
    return ", ".join([ladder.scenario, *([product] if apart else []), driver, *axes])


def conditions(findings: Findings) -> str:
    """Say "PostgreSQL 18.4 embedded, MariaDB 11.8.9 docker"; "" where there was no database."""
    return ", ".join(f"{product} {words}".strip() for product, words in findings.servers)


def focus_driver(findings: Findings) -> str:
    """Say "asyncpg 0.32.0"."""
    return findings.focus_driver or bare_driver(findings.focus_target)


def elsewhere(findings: Findings) -> tuple[str, tuple[Comparison, ...]]:
    """The lane the answer is about, and its comparisons in every scenario but the focus.

    On the focus's product alone: another's ratios stand for themselves.
    """
    lane = _contender(findings)
    found: dict[str, Comparison] = {}
    for one in sound(findings.comparisons):
        cell = one.candidate
        wanted = one.kind == "lane" and cell.lane == lane and is_reference(findings, one.reference)
        here = product_name(cell.target) == product_name(findings.focus_target)
        alike = cell.batch is None  # a ratio of so many rows says nothing without their number
        if wanted and here and alike and cell.scenario != findings.focus:
            found.setdefault(cell.scenario, one)
    return lane, tuple(found.values())


def _contender(findings: Findings) -> str:
    lanes = [one.cell.lane for one in focus_cells(findings)]
    if "orm" in lanes or not lanes:
        return "orm"
    ladder = focus_ladder(findings)
    return ladder.rungs[-1].cell.lane if ladder and ladder.rungs else lanes[-1]


def cell_names(cells: Iterable[Cell]) -> dict[Cell, str]:
    """What tells *cells* of one scenario apart: lane, driver if several, axes off their default."""
    known = tuple(cells)
    drivers = _driver_names({cell.target for cell in known})
    chosen = [axis for axis in _CHOSEN if any(getattr(cell, axis) for cell in known)]
    return {cell: " ".join(_name_parts(cell, drivers.get(cell.target), chosen)) for cell in known}


def _driver_names(targets: set[str]) -> dict[str, str]:
    """What tells targets apart: nothing for one alone, the driver within one product."""
    if len(targets) < 2:  # noqa: PLR2004 - one has nothing to be told apart from
        return {}
    several = len({product_name(target) for target in targets}) > 1
    return {target: driver_name(target) if several else bare_driver(target) for target in targets}


def _name_parts(cell: Cell, driver: str | None, chosen: Sequence[str]) -> Iterator[str]:
    yield cell.lane
    if driver:
        yield driver
    yield from _axes(cell, chosen)


def _axes(cell: Cell, chosen: Sequence[str] = ()) -> list[str]:
    """The axes off their default but the placement, which every cell of a section shares.

    Those *chosen* stand there in any case: where one has "pool=20+0", another has "pool=fitted".
    """
    axes = {axis: value for axis, value in cell.unusual().items() if axis != "placement"}
    return axes_text({axis: getattr(cell, axis) for axis in chosen} | axes)


def pair_names(comparison: Comparison) -> tuple[str, str]:
    """What tells candidate and reference apart: ("orm", "core") or ("psycopg", "asyncpg")."""
    one, other = comparison.candidate, comparison.reference
    if one == other:
        return one.lane, one.lane
    names = cell_names((one, other))
    if one.lane == other.lane and one.target != other.target:
        return bare_driver(one.target), bare_driver(other.target)
    return names[one], names[other]


def comparison_name(comparison: Comparison) -> str:
    """Name both sides and what they share: "get_by_id: orm / core (asyncpg)".

    Of two drivers that several products have, the product: "asyncmy / aiomysql (MariaDB, orm)".
    """
    candidate, reference = pair_names(comparison)
    one, other = comparison.candidate, comparison.reference
    shared = driver_name(one.target) if one.target == other.target else _of_drivers(comparison)
    kind = "A/A, " if comparison.kind == "aa" else ""
    return f"{one.scenario}: {candidate} / {reference} ({kind}{shared})"


def _of_drivers(comparison: Comparison) -> str:
    target, lane = comparison.candidate.target, comparison.candidate.lane
    product = product_name(target)
    return f"{product}, {lane}" if driver_name(target).startswith(product) else lane


def short_ratio(comparison: Comparison) -> str:
    """Say "1.10x [1.08, 1.13]", "same [0.99, 1.01]" or "cannot tell [0.97, 1.09]".

    Where there is no ratio, whose data are wrong: "wrong data" or "against wrong data".
    """
    if comparison.verdict == WRONG_DATA:
        return side(comparison)
    return ratio_text(comparison.ratio, comparison.verdict)


def difference(comparison: Comparison, *, plain: bool = False) -> str:
    """Say "+43 us [38, 49]" per operation; "within [-6, 5] us" where the verdict is same.

    Where there is no ratio: "orm loses 640 updates per 1,000 operations".
    """
    if comparison.verdict == WRONG_DATA:
        return wrong_words(comparison)
    text = difference_text(comparison.difference, plain=plain)
    return text.replace("cannot tell", "within") if comparison.verdict == "same" else text


def wrong_words(comparison: Comparison) -> str:
    """Say "orm loses 640 updates per 1,000 operations"; of both, where both data are wrong."""
    names = dict(
        zip((comparison.candidate, comparison.reference), pair_names(comparison), strict=True)
    )
    return "; ".join(f"{names[one.cell]} {happened(one)}" for one in comparison.wrong)


def duration_text(seconds: float) -> str:
    """Say "96 s", or "6 min 12 s" from two minutes on."""
    whole = round(seconds)
    if whole < 120:  # noqa: PLR2004 - two minutes
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s"


def environment(findings: Findings, *names: str) -> tuple[str, ...]:
    """Those of *names* that the environment knows, with their values: "SQLAlchemy 2.1.9"."""
    known = dict(findings.environment)
    return tuple(f"{name} {known[name]}" for name in names if name in known)


def clients_text(cells: Iterable[Cell]) -> str:
    """Say "1 client", "16 clients", or "1 to 64 clients" where *cells* differ."""
    counts = sorted({cell.clients for cell in cells}) or [1]
    span = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"{span} client{'' if counts == [1] else 's'}"


def transaction_text(cells: Iterable[Cell]) -> str:
    """How the operations of *cells* end, in words; each shape once."""
    shapes = {"per-operation": "a transaction per operation", "autocommit": "autocommit"}
    return ", ".join(dict.fromkeys(shapes[cell.transaction] for cell in cells))


def percentile_name(percentile: float) -> str:
    """Give "p99" of 99.0, "p99.9" of 99.9."""
    return f"p{percentile:g}"
