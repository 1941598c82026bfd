"""A comparison in words: its name, its ratio, its difference, or whose data are wrong."""

from ormbench.report.cell_names import cell_names
from ormbench.report.findings import Comparison
from ormbench.report.names import bare_driver, driver_name, product_name
from ormbench.report.quantities import difference_text, ratio_text
from ormbench.report.wrong_data import happened, side
from ormbench.stats.verdict import WRONG_DATA


def comparison_name(comparison: Comparison) -> str:
    """Name both sides and what they share: "get_by_id: orm / core (asyncpg)".

    Of two drivers that several products have, the product: "asyncmy / aiomysql (MariaDB, orm)".
    """
    candidate, reference = pair_names(comparison)
    one, other = comparison.candidate, comparison.reference
    shared = driver_name(one.target) if one.target == other.target else _of_drivers(comparison)
    kind = "A/A, " if comparison.kind == "aa" else ""
    return f"{one.scenario}: {candidate} / {reference} ({kind}{shared})"


def pair_names(comparison: Comparison) -> tuple[str, str]:
    """What tells candidate and reference apart: ("orm", "core") or ("psycopg", "asyncpg")."""
    one, other = comparison.candidate, comparison.reference
    if one == other:
        return one.lane, one.lane
    names = cell_names((one, other))
    if one.lane == other.lane and one.target != other.target:
        return bare_driver(one.target), bare_driver(other.target)
    return names[one], names[other]


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
