"""Arms as a block has them, in a worker of this process, with a ledger around their operations."""

import asyncio
from dataclasses import asdict

from ormbench.load.worker import Worker
from ormbench.results.count import Count
from ormbench.run.arm import ArmState, EndedError
from ormbench.run.ledger import Ledger

WARM = 25  # operations: psycopg prepares at a connection's sixth call, of each of four
COUNTING = 99  # the arm that goes through the relay


class Stand:
    """Opens arms on *site*, counts them on *route*, runs their turns between two readings."""

    def __init__(self, site, loaded, route, table_rows):
        self.site, self.loaded, self.route = site, loaded, route
        self.runner = asyncio.Runner()
        self.worker = Worker()
        self.worker.loaded = dict(loaded)
        self.worker.addresses = {site.server.product: site.server.address}
        self.worker.table_rows, self.worker.timeout = table_rows, 30.0
        self.ledger = Ledger(lambda arm, do, **what: self.ask(do, arm=arm.number, **what))
        self.turn = 0
        self.counts = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.runner.run(self.worker.close({}))
        self.runner.close()

    def ask(self, do, **what):
        answer = self.runner.run(self.worker.answer({"do": do, **what}))
        if "status" in answer:
            raise EndedError(answer["status"], answer["reason"])
        return answer

    def arm(self, cell, number=0):
        """An arm that is warm; its turns go on where the last ones ended."""
        loaded = self.loaded[cell.scenario]
        schema = self.site.tables.schema(loaded, number)
        arm = ArmState(number, cell, loaded, number, schema, self.site)
        arm.reset()
        self.ask("open", arm=number, cell=asdict(cell), schema=schema)
        self.ask("prove", arm=number, turns=self.take(5))
        self.run(arm, WARM * cell.clients)
        arm.turns = 0
        return arm

    def count(self, arm):
        """The count pass of an arm, five operations of one client, after as many as warm it."""
        one = {**asdict(arm.cell), "clients": 1}
        through = asdict(self.route.address)
        arm.reset()
        self.ask("open", arm=COUNTING, cell=one, schema=arm.schema, address=through)
        self.ask("turns", arm=COUNTING, first=self.take(WARM)[0], count=WARM)
        self.route.take()
        taken = []
        for _ in range(5):
            self.ask("turns", arm=COUNTING, first=self.take(1)[0], count=1)
            taken.append(self.route.take())
        self.ask("drop", arm=COUNTING)
        assert not any(each.lost for each in taken), taken
        tallies = tuple(each.tally for each in taken)
        self.counts[arm.cell.id] = Count(arm.cell.id, 0, tallies, taken[-1].transcript)

    def take(self, count):
        first, self.turn = self.turn, self.turn + count
        return list(range(first, first + count))

    def run(self, arm, operations):
        """A slice of an arm, with all its clients, from where its slices start."""
        arm.reset()
        first = self.take(operations)[0]
        self.ask(
            "slice", arm=arm.number, first=first, settling=0, operations=operations, seed=first
        )
        arm.turns += operations
