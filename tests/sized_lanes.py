"""Lanes of scenarios that take any number of rows, on real servers: proven, and counted."""

import os
from contextlib import asynccontextmanager
from fnmatch import fnmatch
from importlib import resources
from pathlib import Path

import pytest
from real_targets import marked, required, server_address

from ormbench.cell import Cell
from ormbench.lanes.binding import bind
from ormbench.load.arm import Arm
from ormbench.loader import load
from ormbench.run.routes import Routes
from ormbench.truth.answers import state_difference
from ormbench.truth.tables import Tables

TABLE_ROWS = 500
ENDS = 2  # round trips of an operation beside its rows: BEGIN and COMMIT, or COMMIT and ROLLBACK
WARM = 6  # operations: with the sixth, psycopg has prepared what it prepares
ONE_EACH = marked(("postgresql+asyncpg", "mysql+aiomysql", "mariadb+asyncmy"))
SIZES = [1, pytest.param(1_000, marks=pytest.mark.servers)]
"""Beside the scenario's own number of rows, with which test_lanes proves each lane everywhere."""
FOLDER = Path(str(resources.files("ormbench.scenarios")))


def shipped(name):
    """The scenario of that name, without the others."""
    return load(FOLDER / f"{name}.py")[0]


def lanes_of(name):
    """What its lanes are called, with that."""
    return [f"{name}/{lane}" for lane in shipped(name).lane_names()]


def of(target, table):
    """What stands in *table*, whose keys are globs, for *target*: the first that fits."""
    return next(found for glob, found in table.items() if fnmatch(target, glob))


def allowed(target, trips):
    """The round trips that may be counted: psycopg's executemany() may stop to read in between."""
    return range(trips, trips + 4) if fnmatch(target, "*+psycopg*[!2]") else [trips]


class Stand:
    """Tables for some scenarios on each product's server, made when the first lane asks."""

    def __init__(self, request, *scenarios, table_rows=TABLE_ROWS):
        self._request, self._scenarios = request, scenarios
        self._table_rows = table_rows
        self._tables = {}
        self._routes = Routes()

    def __enter__(self):
        self._routes.__enter__()
        return self

    def __exit__(self, *_exception):
        self._routes.__exit__()
        for tables in self._tables.values():
            tables.close()

    def tables(self, target):
        """Those on the server of *target*."""
        product = target.server
        if product not in self._tables:
            address = server_address(self._request, target)
            name = f"sized{os.getpid()}{self._scenarios[0]}_{len(self._scenarios)}"
            made = Tables(address, self._table_rows, name)
            self._tables[product] = made
            made.prepare(shipped(name) for name in self._scenarios)
        return self._tables[product]

    @asynccontextmanager
    async def _arm(self, name, target, batch, address, **axes):
        scenario, lane = name.split("/")
        loaded, tables = shipped(scenario).sized(batch), self.tables(target)
        tables.reset(loaded, 0)
        cell = Cell(scenario=scenario, lane=lane, target=target.name, batch=batch, **axes)
        bound = await bind(loaded, cell, address, tables.schema(loaded, 0))
        arm = Arm(loaded, cell, bound, self._table_rows, timeout=60)
        try:
            yield arm
        finally:
            await arm.close()

    async def proven(self, name, target, batch, turns, **axes):
        """What is wrong with the state that *turns* of a lane leave; None if nothing is."""
        target = required(target)
        address = server_address(self._request, target)
        async with self._arm(name, target, batch, address, **axes) as arm:
            proof = await arm.prove(turns)
        loaded, tables = shipped(name.split("/")[0]).sized(batch), self.tables(target)
        state, turns = loaded.scenario.state, turns[: len(proof["took_ns"])]  # of slow ones fewer
        return state_difference(tables.state(loaded, 0, state), tables.expected(state, turns))

    async def trips(self, name, target, batch, **axes):
        """Round trips of one operation's rows, when others have warmed its connection."""
        return (await self.sent(name, target, batch, **axes)).tally.round_trips - ENDS

    async def sent(self, name, target, batch, **axes):
        """What one operation sends, when others have warmed its connection."""
        target = required(target)
        route = self._routes.counting(server_address(self._request, target))
        try:
            async with self._arm(name, target, batch, route.address, **axes) as arm:
                await arm.prove([0])
                await arm.turns(1, WARM - 1)
                route.take()
                await arm.turns(WARM, 1)
                taken = route.take()
        finally:
            route.close()
        assert taken.lost == ""
        return taken
