"""Claims about pools and transactions that no timing settles: what SQLAlchemy does, asked of it."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import ArgumentError, InvalidRequestError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

from ormbench.targets.target import TARGETS

ASYNC = ("postgresql+asyncpg", "postgresql+psycopg", "mysql+aiomysql", "mariadb+asyncmy")


@pytest.mark.parametrize("name", ASYNC)
def test_the_default_pool_of_an_async_engine_is_a_queue_of_five_and_ten_more(name):
    pool = create_async_engine(f"{name}://user@host/database").pool
    assert type(pool) is AsyncAdaptedQueuePool
    assert (pool.size(), pool._max_overflow, pool._timeout, pool._recycle) == (5, 10, 30.0, -1)


@pytest.mark.parametrize("name", ASYNC)
def test_queuepool_cannot_be_used_with_an_async_engine(name):
    with pytest.raises(ArgumentError, match="QueuePool cannot be used with asyncio engine"):
        create_async_engine(f"{name}://user@host/database", poolclass=QueuePool)


@pytest.fixture
async def engine(server):
    target = TARGETS["postgresql+asyncpg"]
    made = create_async_engine(server.address.url(target.drivername))
    yield made
    await made.dispose()


async def test_a_commit_inside_the_block_of_begin_ends_the_block(engine):
    """The pattern's `await session.commit()`, read as standing inside ``session.begin()``."""

    async def commit_inside():
        async with async_sessionmaker(engine)() as session, session.begin():
            await session.execute(select(func.now()))
            await session.commit()
            await session.execute(select(func.now()))

    with pytest.raises(InvalidRequestError, match="closed transaction inside context manager"):
        await commit_inside()


async def test_a_commit_after_the_block_of_begin_sends_nothing(engine):
    """The same, read as standing after it."""
    sessions, opened = async_sessionmaker(engine), []
    async with sessions() as session:
        async with session.begin():
            await session.execute(select(func.now()))
        opened.append(engine.pool.checkedout())
        await session.commit()
        await session.rollback()
        opened.append(engine.pool.checkedout())
    assert opened == [0, 0]


async def test_an_exception_in_the_block_of_begin_has_rolled_back_already(engine):
    """So an ``except`` around it that calls ``rollback()`` has nothing to do."""

    async def fail(session):
        async with session.begin():
            await session.execute(select(func.now()))
            raise ZeroDivisionError

    async with async_sessionmaker(engine)() as session:
        with pytest.raises(ZeroDivisionError):
            await fail(session)
        assert not session.in_transaction()
        assert engine.pool.checkedout() == 0
