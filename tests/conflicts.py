"""Operations that meet another one half way: what a server does to them is the server's doing.

A lane calls `meet()` between its two halves; what happens there is set by the test, with a
connection of its own.
"""

import asyncio
import threading
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    bindparam,
    create_engine,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ormbench.cell import Cell
from ormbench.lanes.binding import bind
from ormbench.loader import Loaded
from ormbench.scenario import Audit, Data, Scenario
from ormbench.targets.target import TARGETS

CONTROL = {"PostgreSQL": "psycopg", "MySQL": "pymysql", "MariaDB": "pymysql"}
MANY = 60


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    n: Mapped[int]


items = Item.__table__
BY_KEY = select(items).where(items.c.id == bindparam("key"))
ENTITY = select(Item).where(Item.id == bindparam("key"))
ADD = update(items).where(items.c.id == bindparam("key")).values(n=items.c.n + bindparam("by"))
OTHER = 2
_meeting = []


def meet():
    """What happens half way; nothing where nothing is left."""
    if _meeting:
        _meeting.pop(0)()


def rows(_table_rows):
    yield items, [{"id": number, "n": 0} for number in range(1, MANY + 1)]


halves = Scenario(Data(Base.metadata, rows), audit=Audit(select(func.sum(items.c.n))))


@halves.lane
async def orm(session, key, then):
    """reads an entity and another row, writes, meets, and writes the other row where it is told"""
    item = (await session.scalars(ENTITY, {"key": key})).one()
    other = (await session.scalars(ENTITY, {"key": OTHER})).one()
    if then == "write":
        meet()
    item.n += 1
    await session.flush()
    if then == "commit":
        meet()
    if then == "lock":
        meet()
        other.n += 1


@halves.lane
async def core(connection, key, then):
    """the same with Rows"""
    item = (await connection.execute(BY_KEY, {"key": key})).one()
    (await connection.execute(BY_KEY, {"key": OTHER})).one()
    assert item.id == key
    if then == "write":
        meet()
    await connection.execute(ADD, {"key": key, "by": 1})
    if then == "commit":
        meet()
    if then == "lock":
        meet()
        await connection.execute(ADD, {"key": OTHER, "by": 1})


@halves.lane
async def raw(driver, key, then):
    """the same on the bare driver"""
    await driver.fetch_one(BY_KEY, key)
    await driver.fetch_one(BY_KEY, OTHER)
    if then == "write":
        meet()
    await driver.execute(ADD, 1, key)
    if then == "commit":
        meet()
    if then == "lock":
        meet()
        await driver.execute(ADD, 1, OTHER)


LOADED = Loaded("halves", halves, Path(__file__), "")
WITHOUT_AUDIT = Loaded(
    "halves", Scenario(halves.data, name="halves", lanes=dict(halves.lanes)), Path(__file__), ""
)


def lanes_of(target):
    """All lanes, each way of connecting a raw one among them."""
    return [name for name in LOADED.lane_names() if name not in target.unsupported]


async def bound_lane(name, lane, site, isolation, loaded=LOADED, **axes):
    """The lane on one connection, as a worker binds it."""
    cell = Cell(scenario="halves", lane=lane, target=name, isolation=isolation, **axes)
    return await bind(loaded, cell, site.server.address, site.tables.schema(loaded, 0))


async def once(bound, *values):
    """One operation; what blocks does so beside the event loop, as in a worker."""
    if bound.runs == "threads":
        return await asyncio.to_thread(bound.operation, values)
    return await bound.operation(values)


class Control:
    """Connections beside the lane's."""

    def __init__(self, site):
        address, schema = site.server.address, site.tables.schema(LOADED, 0)
        target = TARGETS[f"{address.product.lower()}+{CONTROL[address.product]}"]
        if address.product == "PostgreSQL":
            target = TARGETS["postgresql+psycopg_sync"]
        self.engine = create_engine(
            target.within(address, schema).url(target.drivername),
            connect_args=target.driver.connect_args(schema),
        )

    @contextmanager
    def begun(self, isolation="READ COMMITTED"):
        with self.engine.execution_options(isolation_level=isolation).begin() as connection:
            yield connection

    def add(self, key, by):
        """A change that is committed."""
        with self.begun() as connection:
            connection.execute(ADD, {"key": key, "by": by})

    def numbers(self):
        """What rows 1 and 2 hold."""
        with self.begun() as connection:
            return list(connection.scalars(select(items.c.n).where(items.c.id <= 2).order_by("id")))

    def put_back(self):
        with self.begun() as connection:
            connection.execute(update(items).values(n=0))

    def skewed(self):
        """Row 1 read and row 2 written, committed: the lane reads row 2 and writes row 1."""
        with self.begun("SERIALIZABLE") as connection:
            connection.execute(BY_KEY, {"key": 1}).one()
            connection.execute(ADD, {"key": OTHER, "by": 10})

    @contextmanager
    def deadlock(self):
        """What a lane that holds row 1 meets on its way to row 2: it is the lighter of the two."""
        locked, threads = threading.Event(), []

        def other():
            with self.begun() as connection:
                if (
                    connection.dialect.name == "postgresql"
                ):  # let the lane find it, after its second
                    connection.execute(text("SET LOCAL deadlock_timeout = '60s'"))
                connection.execute(
                    update(items).where(items.c.id >= OTHER).values(n=items.c.n + 10)
                )
                locked.set()
                connection.execute(ADD, {"key": 1, "by": 10})

        def start():
            threads.append(threading.Thread(target=other))
            threads[0].start()
            assert locked.wait(10)

        with half_way(start):
            yield
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()

    @contextmanager
    def held(self, seconds_lock, until):
        """Row 2 is locked from half way on, until the event *until* is set."""
        locked, threads = threading.Event(), []

        def other():
            with self.begun() as connection:
                connection.execute(ADD, {"key": OTHER, "by": 10})
                locked.set()
                assert until.wait(seconds_lock)

        def start():
            threads.append(threading.Thread(target=other))
            threads[0].start()
            assert locked.wait(10)

        with half_way(start):
            yield
        for thread in threads:
            thread.join(20)

    def close(self):
        self.engine.dispose()


@contextmanager
def half_way(*happenings):
    """One after the other, at each time that a lane is half way."""
    _meeting[:] = happenings
    try:
        yield
    finally:
        left = list(_meeting)
        _meeting.clear()
    assert not left, "the lane was not half way so often"
