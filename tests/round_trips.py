"""Round trips of one transaction through SQLAlchemy, by what its engine is told."""

import asyncio
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

ONE, TWO = text("SELECT 1"), text("SELECT 2")
WARM = 8
SIXTH = 6  # the call of a statement on a connection at which psycopg prepares it

AUTOCOMMIT = {"isolation_level": "AUTOCOMMIT"}
SKIPPING = {**AUTOCOMMIT, "skip_autocommit_rollback": True}
SERIALIZABLE = {"isolation_level": "SERIALIZABLE"}
ENGINES = {  # what an engine is told; whether the transaction is committed
    "default": ({}, True),
    "no commit()": ({}, False),
    "pre_ping": ({"pool_pre_ping": True}, True),
    "reset_on_return=None": ({"pool_reset_on_return": None}, True),
    "AUTOCOMMIT": (AUTOCOMMIT, True),
    "AUTOCOMMIT, no commit()": (AUTOCOMMIT, False),
    "AUTOCOMMIT, pre_ping": ({**AUTOCOMMIT, "pool_pre_ping": True}, True),
    "AUTOCOMMIT, skip_autocommit_rollback": (SKIPPING, True),
    "AUTOCOMMIT, skip_autocommit_rollback, no commit()": (SKIPPING, False),
    "SERIALIZABLE of the engine": (SERIALIZABLE, True),
}


class Counter:
    """A target's engines on a route that reads, and what their steps send."""

    def __init__(self, target, route):
        self.target, self.route = target, route
        through = target.within(route.address, "")
        self.url = through.url(target.drivername)
        self.connect_args = target.driver.connect_args("public")
        self.runner = asyncio.Runner() if target.driver.is_async else None

    def close(self):
        if self.runner:
            self.runner.close()

    @contextmanager
    def engine(self, **told):
        """An engine with a pool of one connection."""
        told = {"connect_args": self.connect_args, "pool_size": 1, "max_overflow": 0, **told}
        made = (create_async_engine if self.runner else create_engine)(self.url, **told)
        try:
            yield made
        finally:
            done = made.dispose()
            if self.runner:
                self.runner.run(done)

    def once(self, engine, *, commit=True, statement=ONE, **options):
        """Connect, one statement, perhaps commit, return."""
        if self.runner:
            self.runner.run(_once_async(engine, commit, statement, options))
            return
        with engine.connect() as connection:
            if options:
                connection.execution_options(**options)
            connection.execute(statement).all()
            if commit:
                connection.commit()

    def taken(self, engine, **what):
        """The tally of one such transaction on a connection that has done it before."""
        for _ in range(WARM):
            self.once(engine, **what)
        self.route.take()
        self.once(engine, **what)
        return self.route.take().tally

    def trips(self):
        """What each kind of engine sends for a transaction, and what a new connection adds."""
        found = {}
        for name, (told, commit) in ENGINES.items():
            with self.engine(**told) as engine:
                self.route.take()
                self.once(engine, commit=commit)
                first = self.route.take().tally.round_trips
                found[name] = self.taken(engine, commit=commit).round_trips
                if name != "default":
                    continue
                found["first connection of the engine"] = first
                found |= self._of_a_warm_engine(engine)
        return found

    def _of_a_warm_engine(self, engine):
        usual = self.taken(engine).round_trips
        calls = []
        for _ in range(SIXTH):
            self.once(engine, statement=TWO)
            calls.append(self.route.take().tally.round_trips - usual)
        each = self.taken(engine, isolation_level="SERIALIZABLE").round_trips
        self._drop_connections(engine)
        self.route.take()
        self.once(engine)
        later = self.route.take().tally.round_trips
        assert not any(calls[1:-1])
        return {
            "the first time": calls[0],
            "the sixth time": calls[-1],
            "SERIALIZABLE of the connection": each,
            "a later new connection": later,
        }

    def _drop_connections(self, engine):
        """As a pool does whose connections are too old; the engine keeps what it knows."""
        if self.runner:
            self.runner.run(_drop_async(engine))
            return
        with engine.connect() as connection:
            connection.invalidate()


async def _once_async(engine, commit, statement, options):
    async with engine.connect() as connection:
        if options:
            await connection.execution_options(**options)
        (await connection.execute(statement)).all()
        if commit:
            await connection.commit()


async def _drop_async(engine):
    async with engine.connect() as connection:
        await connection.invalidate()
