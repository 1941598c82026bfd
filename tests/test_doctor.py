"""The doctor's facts: measured with clocks of our own where they are pure, else on this machine."""

import dataclasses
import json

import pytest
from fabricate import Oddities, fabricate

from ormbench.cli import doctor as command
from ormbench.cli import main
from ormbench.doctor import clock, distance, machine, noise, supplies, timers
from ormbench.doctor.fact import Fact
from ormbench.errors import OK, UNTRUSTED
from ormbench.report.digest import digest
from ormbench.servers.supply import Supply
from ormbench.targets.drivers import DRIVERS


class FakeClock:
    """Shows multiples of *step*; each reading takes *cost*."""

    def __init__(self, step=1, cost=0):
        self.now, self.step, self.cost = 0, step, cost

    def __call__(self):
        self.now += self.cost
        return self.now // self.step * self.step


@pytest.mark.parametrize(
    ("step", "cost", "seen"), [(100, 30, 100), (1, 41, 41), (15_000, 50, 15_000)]
)
def test_the_smallest_step_is_what_the_clock_shows_and_not_what_a_reading_takes(step, cost, seen):
    assert clock.smallest_step(FakeClock(step, cost)) == seen


def test_a_reading_costs_what_many_of_them_take_together():
    assert clock.read_cost(FakeClock(step=100, cost=30)) == pytest.approx(30, rel=0.01)


def test_a_clock_that_stands_still_takes_no_time():
    fact = clock.clock_fact(FakeClock(step=10**12, cost=1))
    assert "did not move" in fact.text
    assert fact.help == "no time can be taken"


@pytest.mark.parametrize(
    ("step", "cost", "helped"), [(1, 50, False), (1, 250, True), (2_000, 50, True)]
)
def test_a_coarse_or_slow_clock_gets_advice(step, cost, helped):
    assert bool(clock.clock_fact(FakeClock(step, cost)).help) is helped


async def test_lateness_is_the_time_from_due_to_awake_even_below_zero():
    now, extra = FakeClock(), iter([30, -5, 700])

    async def until(due):
        now.now = due + next(extra)

    assert await timers.lateness(until, now, [1_000, 2_000, 500]) == [-5, 30, 700]


def test_quantiles_are_values_that_were_seen():
    late = list(range(1, 201))
    assert timers.quantile(late, 0.5) == 101
    assert timers.quantile(late, 0.99) == 199
    assert timers.quantile([7], 0.99) == 7


def test_a_timer_a_millisecond_late_gets_advice():
    assert timers.timer_fact([1_000_000] * 100).help == ""
    assert "close other programs" in timers.timer_fact([*[0] * 97, *[1_000_001] * 3]).help


async def test_both_ways_of_waiting_are_measured_on_this_loop():
    slept, rung = await timers.timer_facts()
    assert (slept.name, rung.name) == ("sleep", "timer")
    for fact in (slept, rung):
        assert 0 < fact.values["late_median_ns"] <= fact.values["late_p99_ns"]


def test_the_relay_is_tried_and_adds_at_least_what_is_asked_for():
    fact = distance.relay_fact()
    assert fact.name == "relay"
    assert fact.values["added_ns"] >= fact.values["asked_ns"] == 500_000
    assert fact.values["longer_ns"] > 0


def test_a_relay_that_adds_far_more_gets_advice():
    assert distance.added_fact(560_000, 640_000).help == ""
    assert "close other programs" in distance.added_fact(900_000, 1_000_000).help


def test_a_relay_that_cannot_start_is_said_and_nothing_else_is(monkeypatch):
    monkeypatch.setattr("ormbench.wire.relay.COMMAND", ("false",))
    assert distance.relay_fact().text.startswith("cannot be tried: the relay ended with code 1")


def test_a_single_core_cannot_be_split():
    assert "split needs two" in machine.cores_fact(1, 8).help
    assert machine.cores_fact(2, 8) == Fact("cores", "2 allowed of 8", {"allowed": 2, "total": 8})


def test_the_governors_are_those_of_the_cores_that_may_be_used(tmp_path):
    for number, word in enumerate(("performance", "powersave", "powersave")):
        folder = tmp_path / f"cpu{number}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text(f"{word}\n")
    assert machine.governor({0}, tmp_path) == "performance"
    assert machine.governor({0, 1, 2}, tmp_path) == "performance, powersave"
    assert machine.governor({7}, tmp_path) is None


@pytest.mark.parametrize(
    ("governed", "helped"), [("performance", False), (None, False), ("powersave", True)]
)
def test_only_a_wandering_frequency_gets_advice(governed, helped):
    assert bool(machine.processor_fact("a processor", governed).help) is helped


@pytest.mark.parametrize(
    ("average", "foreign", "helped"),
    [(0.3, 0.02, False), (None, None, False), (1.1, 0.02, True), (0.3, 0.11, True)],
)
def test_a_machine_in_use_gets_advice(average, foreign, helped):
    assert bool(machine.load_fact(average, foreign, 2).help) is helped


def test_our_own_work_is_not_foreign():
    share = machine.foreign_share(machine.allowed_cpus(), 0.1)
    assert share is None or 0 <= share <= 1


def test_a_product_comes_from_the_first_kind_that_can_run():
    fact = supplies.server_fact("MariaDB", {"local": "no mariadbd", "docker": None})
    assert (fact.text, fact.help) == ("docker", "")
    assert fact.values == {"local": "no mariadbd", "docker": "can run"}
    both = supplies.server_fact("PostgreSQL", {"embedded": None, "docker": None})
    assert both.text == "embedded; also docker"


def test_a_product_that_cannot_run_says_what_each_kind_lacks():
    fact = supplies.server_fact("MySQL", {"local": "no mysqld", "docker": "no engine"})
    assert fact.text == "none can run here"
    assert fact.help == "local: no mysqld; docker: no engine"


def test_without_docker_its_line_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    fact = supplies.docker_fact({"MySQL": None})
    assert fact.text == "no engine"
    assert "install Docker" in fact.help


def test_a_driver_that_is_missing_says_what_to_install():
    lost = dataclasses.replace(DRIVERS[0], module="no_such_module", distribution="lost")
    assert supplies.installed(lost) is None
    there = supplies.installed(DRIVERS[0])
    assert there is not None
    fact = supplies.drivers_fact([(DRIVERS[0], there), (lost, None)])
    assert fact.text == f"asyncpg {there}"
    assert fact.help == "no lost: pip install asyncpg"


def found(**how):
    record = fabricate(
        scenarios=("get_by_id",), lanes=("core",), targets=("mariadb+asyncmy",), **how
    )
    findings = digest(record, "nowhere")
    return noise.Noise(findings.cells[0].cell, findings, 12.0)


def test_the_noise_is_the_reports_own_pair_and_its_rule_for_what_can_be_seen():
    one = found()
    pair, sees = noise.noise_facts(one)
    trust = one.findings.trust
    assert pair.values["low"] == trust.aa.ratio.low < 1 < trust.aa.ratio.high == pair.values["high"]
    assert "8 blocks of get_by_id/core on MariaDB asyncmy, one-core" in pair.text
    assert sees.values == {"sees": trust.sees}
    assert pair.help == ""


def test_a_pair_that_came_out_different_is_not_trustworthy():
    one = found(oddities=Oddities(aa_shift=0.2))
    pair = noise.noise_facts(one)[0]
    assert not one.findings.trust.usable
    assert pair.help.startswith("not trustworthy: two identical arms came out different")


def test_the_exit_code_says_where_the_pair_cannot_be_trusted(monkeypatch, capsys):
    one = found(oddities=Oddities(aa_shift=0.2))
    monkeypatch.setattr(noise, "measure", lambda *_: one)
    assert main(["doctor", "-q", "--json", "--server", "embedded"]) == UNTRUSTED
    told = json.loads(capsys.readouterr().out)
    assert told["trustworthy"] is False
    assert told["facts"]["noise"]["values"]["blocks"] == 8


def test_where_no_server_can_run_nothing_is_measured():
    assert (
        noise.target(Supply({}, {}, {"PostgreSQL": "lost", "MySQL": "lost", "MariaDB": "lost"}))
        is None
    )
    assert (
        noise.target(Supply({"MariaDB": "docker"}, {}, {"PostgreSQL": "x"})) == "mariadb+aiomysql"
    )


def test_the_pair_is_one_cell_against_itself_in_as_few_blocks_as_give_an_interval():
    plan = noise.plan_of("postgresql+asyncpg", Supply())
    pair = plan.groups[0]
    assert pair.cells[0] == pair.cells[1]
    assert [one.kind for one in pair.contrasts] == ["aa"]
    assert plan.blocks == 8


def test_whatever_is_wrong_the_page_has_24_lines_of_80_columns():
    long = "a reason that goes on and on " * 12
    names = [f"fact {number}" for number in range(15)]
    for facts in (
        [Fact(name, long, {}, long) for name in names],
        [Fact(name, long, {}, long if place % 2 else "") for place, name in enumerate(names)],
        [Fact(name, "short") for name in names],
    ):
        lines = command.lines(facts)
        assert len(lines) <= 24
        assert max(map(len, lines)) <= 80
        assert all(any(line.startswith(f" {name} ") for line in lines) for name in names)


def test_quick_looks_and_measures_nothing(capsys):
    assert main(["doctor", "--quick"]) == OK
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines if line[1] != " "]
    order = ["cores", "cpu", "load", "clock", "sleep", "timer", "relay", "docker"]
    assert names == [*order, "PostgreSQL", "MySQL", "MariaDB", "drivers", "uvloop", "took"]


@pytest.mark.slow
@pytest.mark.servers  # needs none but the embedded one; kept out of `make test` for its 15 s
def test_a_whole_visit_measures_a_pair_on_a_server_of_its_own(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = main(["doctor", "--json", "-q", "--server", "embedded"])
    told = json.loads(capsys.readouterr().out)
    assert code == (OK if told["trustworthy"] else UNTRUSTED)
    values = told["facts"]["noise"]["values"]
    assert values["low"] <= values["ratio"] <= values["high"]
    assert values["blocks"] == 8
    assert list(tmp_path.iterdir()) == []
