import dataclasses

from sample_findings import ASYNCPG, LANES, sample, unusable

from ormbench.report.reading_order import in_reading_order


def lanes(findings, scenario, target=ASYNCPG):
    return [
        one.cell.lane
        for one in findings.cells
        if (one.cell.scenario, one.cell.target) == (scenario, target)
    ]


def shuffled(findings):
    """The same findings, everything the other way round."""
    return dataclasses.replace(
        findings, cells=findings.cells[::-1], comparisons=findings.comparisons[::-1]
    )


def kinds(findings, scenario):
    return [lane.partition("_")[0] for lane in lanes(findings, scenario)]


def test_the_focus_comes_first_and_lanes_stand_up_the_ladder_from_driver_to_orm():
    findings = in_reading_order(shuffled(sample()))
    assert findings.cells[0].cell.scenario == "get_by_id"
    assert kinds(findings, "get_by_id") == ["raw", "raw", "raw", "core", "orm", "orm"]


def test_lanes_of_one_kind_stand_as_the_plan_has_them():
    assert lanes(in_reading_order(sample()), "get_by_id") == list(LANES)


def test_lanes_stand_in_one_order_in_every_scenario():
    findings = sample()
    swapped = tuple(
        dataclasses.replace(one, service=dataclasses.replace(one.service, value=1.0))
        if one.cell.scenario == "find_by_specialty" and one.cell.lane == "orm"
        else one
        for one in findings.cells
    )
    ordered = in_reading_order(dataclasses.replace(findings, cells=swapped))
    assert lanes(ordered, "find_by_specialty") == lanes(ordered, "get_by_id")


def test_nothing_is_lost_or_added():
    findings = shuffled(sample())
    ordered = in_reading_order(findings)
    assert sorted(one.cell.id for one in ordered.cells) == sorted(
        one.cell.id for one in findings.cells
    )
    assert len(ordered.comparisons) == len(findings.comparisons)
    assert ordered.comparisons[0].candidate.lane.startswith("raw")


def test_the_order_does_not_depend_on_the_times():
    findings = unusable()
    assert lanes(in_reading_order(findings), "get_by_id") == list(LANES)
