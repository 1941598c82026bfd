"""A run folder into Findings: everything that is computed, computed once, before any rendering."""

from collections.abc import Sequence

from ormbench.report import batch_words, distance_words, idle_words, isolation_words, pool_words
from ormbench.report.cards import cards
from ormbench.report.digest_cells import cell_finding
from ormbench.report.digest_comparisons import comparisons
from ormbench.report.digest_distance import achieved
from ormbench.report.digest_index import Index
from ormbench.report.digest_ladder import ladders
from ormbench.report.digest_trust import aa_count, trust
from ormbench.report.doubts import doubts
from ormbench.report.findings import (
    AACount,
    CellFinding,
    Comparison,
    Findings,
    Ladder,
    Trust,
)
from ormbench.report.focus import Focus
from ormbench.report.names import bare_driver, distribution, product_name
from ormbench.report.scope import does_not_say, scope, server_settings, servers
from ormbench.report.sentences import answer, by_chance, called_different, headline
from ormbench.report.wrong_data import examined, sound_ladders, without_times
from ormbench.results.folder import RunRecord
from ormbench.results.manifest import Environment

AT_RATE = 200.0  # operations per second


def digest(record: RunRecord, path: str, at_rate: float = AT_RATE) -> Findings:
    """All that *record* says; *path* is its folder, as the reader would type it.

    *at_rate* operations per second price a CPU difference as a share of one core.
    """
    index, manifest = Index(record), record.manifest
    measured = tuple(examined(index, cell_finding(index, cell)) for cell in index.cells)
    compared = comparisons(index)
    climbed = sound_ladders(_ladders(index), measured)
    trusted = trust(index, measured, compared, doubts(index, measured, compared))
    cells = tuple(without_times(one) for one in measured)
    focus, identical = _focus(index), aa_count(compared)
    return Findings(
        run=manifest.name,
        path=path,
        plan=manifest.plan,
        started=manifest.started,
        seconds=sum(block.seconds for block in record.blocks),
        blocks=len(record.blocks),
        headline=_headline(compared, focus, trusted, identical, cells),
        answer=(
            _answer(compared, climbed, focus, identical, at_rate, cells) if trusted.usable else ()
        ),
        reference=manifest.reference,
        focus=focus.scenario,
        focus_target=focus.target,
        trust=trusted,
        ladders=climbed,
        comparisons=compared,
        cells=cells,
        cards=cards(compared, focus, trusted, cells),
        left_out=manifest.left_out,
        aa_count=identical,
        scope=scope(manifest, [sum(span) / 2 for span in achieved(cells).values()]),
        does_not_say=does_not_say(manifest),
        reproduce=manifest.command,
        next_steps=manifest.next_steps,
        environment=(*manifest.environment.versions.items(), *manifest.environment.host.items()),
        server_settings=server_settings(manifest),
        servers=servers(manifest, focus.product),
        focus_driver=_driver(focus.target, manifest.environment),
        stories=tuple(manifest.scenarios.items()),
    )


def _ladders(index: Index) -> tuple[Ladder, ...]:
    """Those of the lanes that send rows alike: strategies are no rungs of each other."""
    return tuple(one for one in ladders(index) if one.rungs[0].cell.batch is None)


def _driver(target: str, environment: Environment) -> str:
    version = environment.versions.get(distribution(target), "")
    return f"{bare_driver(target)} {version}".strip() if product_name(target) else ""


def _headline(
    compared: Sequence[Comparison],
    focus: Focus,
    trusted: Trust,
    identical: AACount | None,
    cells: Sequence[CellFinding],
) -> str:
    if not trusted.usable:
        return f"No answer: {trusted.cause}"
    if identical and not focus.lanes(compared):
        return called_different(identical)
    if told := isolation_words.headline(cells, focus) or idle_words.headline(cells, focus):
        return told
    pools = pool_words.headline(compared, cells, focus)
    pools = pools or batch_words.headline(compared, cells, focus)
    return pools or distance_words.headline(compared, cells, focus) or headline(compared, focus)


def _answer(
    compared: Sequence[Comparison],
    climbed: Sequence[Ladder],
    focus: Focus,
    identical: AACount | None,
    at_rate: float,
    cells: Sequence[CellFinding],
) -> tuple[str, ...]:
    if identical and not focus.lanes(compared):
        return (f"{called_different(identical)}.", by_chance(identical))
    swept = isolation_words.answer(compared, cells, focus)
    swept = swept or pool_words.answer(compared, cells, focus)
    swept = swept or batch_words.answer(compared, cells, focus)
    swept = swept or distance_words.answer(compared, cells, focus)
    swept = swept or answer(compared, climbed, focus, at_rate, cells)
    return (*idle_words.answer(cells, focus), *swept)


def _focus(index: Index) -> Focus:
    """The scenario that the plan puts first, on the first target that it has there."""
    wanted = index.record.manifest.focus
    measured = [cell for cell in index.cells if cell.target != "none"] or list(index.cells)
    here = [cell for cell in measured if cell.scenario == wanted] or measured
    alone = len({product_name(cell.target) for cell in measured}) < 2  # noqa: PLR2004 - of one
    return Focus(here[0].scenario, here[0].target, alone) if here else Focus(wanted, "")
