"""What every rendering asks of a Findings: which cells, against what, in which words.

Pure functions, so that the terminal, the page and the pull-request comment cannot disagree.
"""

from collections.abc import Iterable, Iterator

from ormbench.cell import Cell
from ormbench.report.findings import CellFinding, Comparison, Findings, Ladder, Trust
from ormbench.report.quantities import (
    difference_text,
    percent_text,
    plain_ratio_text,
    ratio_text,
    time_text,
)

NO_ANSWER = "No answer: this run is not evidence"
_PLACEMENTS = {
    "one-core": "client and server share one core",
    "split": "client and server on separate cores",
    "free": "client and server placed by the system",
}


def driver(target: str) -> str:
    """Give "asyncpg" of "postgresql+asyncpg"."""
    return target.partition("+")[2] or target


def placement_text(cells: Iterable[Cell]) -> str:
    """Which cores the processes of *cells* had, in words; each placement once."""
    return "; ".join(dict.fromkeys(_PLACEMENTS[cell.placement] for cell in cells))


def is_reference(findings: Findings, cell: Cell) -> bool:
    """Whether *cell* has the axis value that the ratios of this run are against."""
    axis, _, value = findings.reference.partition("=")
    return str(getattr(cell, axis, None)) == value


def reference_name(findings: Findings) -> str:
    """Give "core" of the reference "lane=core"."""
    return findings.reference.partition("=")[2] or findings.reference


def against_reference(findings: Findings, cell: Cell) -> Comparison | None:
    """The comparison of *cell* with the reference, if this run made one."""
    if is_reference(findings, cell):
        return None
    for one in findings.comparisons:
        if one.kind != "aa" and one.candidate == cell and is_reference(findings, one.reference):
            return one
    return None


def focus_cells(findings: Findings) -> tuple[CellFinding, ...]:
    """The cells of the scenario and target to show first."""
    return tuple(
        one
        for one in findings.cells
        if one.cell.scenario == findings.focus and one.cell.target == findings.focus_target
    )


def focus_ladder(findings: Findings) -> Ladder | None:
    """The ladder of the focus; another one where the focus has none."""
    wanted = (findings.focus, findings.focus_target)
    own = (one for one in findings.ladders if (one.scenario, one.target) == wanted)
    return next(own, next(iter(findings.ladders), None))


def scenarios(findings: Findings) -> tuple[str, ...]:
    """The scenarios in the order of the cells, the focus first."""
    names = dict.fromkeys(one.cell.scenario for one in findings.cells)
    return tuple(sorted(names, key=lambda name: name != findings.focus))


def elsewhere(findings: Findings) -> tuple[str, tuple[Comparison, ...]]:
    """The lane the answer is about, and its comparisons in every scenario but the focus."""
    lane = _contender(findings)
    found: dict[str, Comparison] = {}
    for one in findings.comparisons:
        cell = one.candidate
        wanted = one.kind == "lane" and cell.lane == lane and is_reference(findings, one.reference)
        if wanted and cell.scenario != findings.focus:
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
    several = len({cell.target for cell in known}) > 1
    return {cell: " ".join(_name_parts(cell, with_driver=several)) for cell in known}


def _name_parts(cell: Cell, *, with_driver: bool) -> Iterator[str]:
    yield cell.lane
    if with_driver:
        yield driver(cell.target)
    for axis, value in cell.unusual().items():
        if axis != "placement":
            yield f"{axis}={value}"


def pair_names(comparison: Comparison) -> tuple[str, str]:
    """What tells candidate and reference apart: ("orm", "core") or ("psycopg", "asyncpg")."""
    one, other = comparison.candidate, comparison.reference
    if one == other:
        return one.lane, one.lane
    names = cell_names((one, other))
    if one.lane == other.lane and one.target != other.target:
        return driver(one.target), driver(other.target)
    return names[one], names[other]


def comparison_name(comparison: Comparison) -> str:
    """Name both sides and what they share: "get_by_id: orm / core (asyncpg)"."""
    candidate, reference = pair_names(comparison)
    one, other = comparison.candidate, comparison.reference
    shared = driver(one.target) if one.target == other.target else one.lane
    kind = "A/A, " if comparison.kind == "aa" else ""
    return f"{one.scenario}: {candidate} / {reference} ({kind}{shared})"


def short_ratio(comparison: Comparison) -> str:
    """Say "1.10x [1.08, 1.13]", "same [0.99, 1.01]" or "cannot tell [0.97, 1.09]"."""
    return ratio_text(comparison.ratio, comparison.verdict)


def difference(comparison: Comparison, *, plain: bool = False) -> str:
    """Say "+43 us [38, 49]" per operation; "within [-6, 5] us" where the verdict is same."""
    text = difference_text(comparison.difference, plain=plain)
    return text.replace("cannot tell", "within") if comparison.verdict == "same" else text


def trust_facts(findings: Findings, *, plain: bool = False) -> tuple[str, ...]:
    """What the numbers rest on, as short phrases."""
    return tuple(_trust_facts(findings, findings.trust, plain=plain))


def _trust_facts(findings: Findings, trust: Trust, *, plain: bool) -> Iterator[str]:
    yield f"answers equal {trust.correct}/{trust.checked}"
    if findings.aa_count is not None:
        yield aa_count_text(findings)
    yield f"A/A {plain_ratio_text(trust.aa.ratio)}" if trust.aa else "A/A not measured"
    if trust.sees is not None:
        yield f"sees {'>=' if plain else '≥'} {percent_text(trust.sees)}"
    if trust.harness is not None:
        yield f"harness {time_text(trust.harness.value, plain=plain)}"
    yield f"warnings {len(trust.doubts)}"


def aa_count_text(findings: Findings) -> str:
    """Say "1 of 100 A/A comparisons called different at 99 %"; "" where only a few were made."""
    count = findings.aa_count
    if count is None:
        return ""
    return f"{count.different} of {count.comparisons} A/A comparisons called different at 99 %"


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
