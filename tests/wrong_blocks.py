"""Blocks of deliberately wrong lanes and of right ones, measured the way a run does it."""

import os
import re
from pathlib import Path

from real_targets import required

from ormbench.cell import GROUP_LIMIT, Cell, Group
from ormbench.load.calibration import SliceSize
from ormbench.loader import load
from ormbench.run import block
from ormbench.run.context import Context, Site
from ormbench.run.routes import Routes
from ormbench.targets.target import TARGETS
from ormbench.truth.tables import Tables

FOLDER = Path(__file__).with_name("wrong_lanes")
AT_ONCE = {one.name: one for one in load(FOLDER / "at_once.py")}
LATER = {one.name: one for file in sorted(FOLDER.glob("later_*.py")) for one in load(file)}
AUTOCOMMIT = {"asking", "unended", "alone"}
TABLE_ROWS = 500
SIZE = SliceSize(operations=27, settling=3, rounds=3)  # among its turns each lane's 100th

OF_EACH_PRODUCT = ["postgresql+asyncpg", "mysql+asyncmy", "mariadb+asyncmy"]
LOOKED_AT = {  # of each product an async driver, of two a sync one; a block takes 20 seconds
    "postgresql+asyncpg",
    "postgresql+psycopg",
    "postgresql+psycopg2",
    "mysql+aiomysql",
    "mariadb+asyncmy",
    "mariadb+pymysql",
}
POSTGRESQL = [name for name in TARGETS if name in LOOKED_AT and "postgresql" in name]
MYSQL_FAMILY = [name for name in TARGETS if name in LOOKED_AT and name not in POSTGRESQL]


class Silent:
    """Progress that nobody looks at."""

    def block(self, number, blocks): ...
    def group(self, name): ...
    def group_done(self): ...
    def say(self, text): ...


def names(loaded):
    """``scenario/lane`` of all lanes."""
    return [f"{name}/{lane}" for name, one in loaded.items() for lane in one.lane_names()]


def together(*lanes, target):
    """A group of those lanes, given as ``scenario/lane``."""
    cells = []
    for lane in lanes:
        scenario, _, name = lane.partition("/")
        transaction = "autocommit" if scenario in AUTOCOMMIT else "per-operation"
        cells.append(Cell(scenario=scenario, lane=name, target=target, transaction=transaction))
    return Group(" + ".join(lanes), tuple(cells))


def in_fours(lanes, target):
    """As many lanes in a group as it takes."""
    starts = range(0, len(lanes), GROUP_LIMIT)
    return [together(*lanes[first : first + GROUP_LIMIT], target=target) for first in starts]


def measure(request, groups, timeout=30.0):
    """Of each group the trials of one short block, by ``scenario/lane``."""
    product = required(groups[0].cells[0].target).server
    name = "server" if product == "PostgreSQL" else f"{product.lower()}_server"
    server, loaded = request.getfixturevalue(name), AT_ONCE | LATER
    tables = Tables(server.address, TABLE_ROWS, f"wrong{os.getpid()}")
    sizes = {group.name: SIZE for group in groups}
    try:
        tables.prepare(loaded.values())
        with Routes() as routes:
            given = ({product: Site(server, tables)}, loaded, tuple(groups), 1, SIZE.rounds, 7)
            rest = (TABLE_ROWS, timeout, Silent())
            done = block.measure(Context(*given, *rest, sizes=sizes, routes=routes), 0)
    finally:
        tables.close()
    found = {group.name: {} for group in groups}
    for trial in done.trials:
        found[trial.group]["/".join(trial.cell.split("/")[:2])] = trial
    return [found[group.name] for group in groups]


COUNTED = r"the server counted [\d,]+ ({})\b"
SELECTS = COUNTED.format("transactions|executions"), COUNTED.format("Questions|Com_select")
COMMITS = COUNTED.format("transactions"), COUNTED.format("Questions|Com_commit")
"""What names the counter of PostgreSQL, and that of MySQL and MariaDB."""


def on(target, words):
    """Those of a pair that are the target's."""
    return words[not target.startswith("postgresql")]


def assert_incorrect(trial, words):
    """It has no times, but a reason, of one line."""
    assert (trial.status, trial.slices, trial.service) == ("INCORRECT", (), ""), trial
    assert re.search(words, trial.reason), trial.reason
    assert "\n" not in trial.reason


def assert_proven(trial):
    """It is OK, and the server's own counters agree."""
    assert (trial.status, trial.reason, trial.unverified) == ("OK", "", "")
    assert len(trial.slices) == SIZE.rounds
    assert trial.turns == SIZE.rounds * SIZE.turns
    assert trial.counters.get("transactions", trial.counters.get("Questions")) >= trial.turns
