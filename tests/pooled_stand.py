"""A stand of arms whose pools open connections: counted as a run counts, outcomes and all."""

import os
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from ledgers import Stand
from real_targets import required

from ormbench.cell import Cell
from ormbench.loader import load
from ormbench.run.audit import outcome
from ormbench.run.context import Site
from ormbench.run.count import CountPass
from ormbench.run.ledger import Ledger
from ormbench.run.pace import Paces
from ormbench.truth.tables import Tables
from ormbench.wire.relay import Relay

LOADED = {one.name: one for one in load(Path(__file__).with_name("pooled_lanes.py"))}
TABLE_ROWS = 500
OURS = f"pooled{os.getpid()}"  # a server may be shared
ODD = 10_000  # the first turn in which lanes may break their promises


class PooledStand(Stand):
    """Its ledger knows what a new connection costs."""

    def __init__(self, site, relay):
        super().__init__(site, LOADED, None, TABLE_ROWS)
        self.relay, self.alike = relay, {}
        self.ledger = Ledger(
            lambda arm, do, **what: self.ask(do, arm=arm.number, **what), self.alike
        )

    def count(self, arm):
        """The count pass of an arm, and of a connection that is opened for it."""
        CountPass(0, self.counts, self.alike, Paces()).count(
            arm,
            lambda: self.relay.route(self.site.server.address, reads=True),
            lambda count: self.take(count)[0],
            self.ask,
        )

    def run(self, arm, operations):
        """A slice of an arm; what failed in it is known of the arm."""
        arm.reset()
        turns = self.take(operations)
        answer = self.ask(
            "slice",
            arm=arm.number,
            first=turns[0],
            settling=0,
            operations=operations,
            seed=turns[0],
        )
        outcome(arm, turns, answer)
        arm.turns += operations


def timed(stand, cells, operations=200, slices=1, between=lambda: None):
    """The arms of these cells, counted and then timed between two readings, by turns."""
    arms = [stand.arm(one, number) for number, one in enumerate(cells)]
    for arm in arms:
        stand.count(arm)
        arm.aborts.clear()  # those of the turns that warmed it
        arm.failures.clear()
    stand.turn = ODD
    stand.ledger.open(arms)
    for _ in range(slices):
        for arm in arms:
            stand.run(arm, operations)
    between()
    stand.ledger.close(arms, stand.counts)
    return arms


def cell(lane, target, scenario="pooled", clients=4, **axes):
    """A cell of one of these lanes."""
    return Cell(scenario=scenario, lane=lane, target=target, clients=clients, **axes)


@contextmanager
def grounds(request):
    """Product -> its site, made once, and the relay that counts."""
    made = {}
    with Relay() as relay, ExitStack() as stack:

        def find(product):
            if product not in made:
                name = "server" if product == "PostgreSQL" else f"{product.lower()}_server"
                server = request.getfixturevalue(name)
                tables = Tables(server.address, TABLE_ROWS, OURS)
                stack.callback(tables.close)
                tables.prepare(LOADED.values())
                made[product] = Site(server, tables)
            return made[product], relay

        yield find


@contextmanager
def stands(find):
    """Target -> a new stand on its server; all are closed at the end."""
    with ExitStack() as stack:

        def make(target, server=None):
            site, relay = find(required(target).server)
            site = replace(site, server=server) if server is not None else site
            return stack.enter_context(PooledStand(site, relay))

        yield make
