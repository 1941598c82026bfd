"""Every lane of every shipped scenario does the same work on MySQL."""

import pytest
from lane_grid import SAME_SQL, cells_of, prove, prove_same_sql, site_on, targets_of


@pytest.fixture(scope="module")
def site(mysql_server):
    with site_on(mysql_server) as there:
        yield there


@pytest.mark.parametrize("cell", cells_of("MySQL"))
async def test_a_shipped_lane_gives_the_reference_answers_and_leaves_the_reference_state(
    cell, site
):
    await prove(cell, site)


@pytest.mark.parametrize("target", targets_of("MySQL"))
@pytest.mark.parametrize("scenario", SAME_SQL)
async def test_orm_core_and_raw_send_the_same_statement(scenario, target, site):
    await prove_same_sql(scenario, target, site)
