"""Cold: what the first request pays, one row by key each time.

A process imports SQLAlchemy and makes its engine; an engine's first connection asks the server what
it is; a statement is compiled and prepared. A function that is started for one request pays it all,
one that is kept without a pool pays for connecting. The warm lane is every later request.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from subprocess import PIPE
from typing import Any

from sqlalchemy import NullPool, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ormbench.scenario import Scenario

from .models import DEVELOPERS, developer, developers, some_key

BY_ID = select(developers).where(developers.c.id == bindparam("key"))
HEAD = """
import json, sys
from sqlalchemy import Integer, bindparam, column, select, table
from {module} import {create}

settings, names, key = json.load(sys.stdin)
developers = table("developers", *map(column, names))
BY_ID = select(developers).where(developers.c.id == bindparam("key", type_=Integer))
engine = {create}(**settings)
"""
AWAITS = (
    HEAD.format(module="sqlalchemy.ext.asyncio", create="create_async_engine")
    + """
import asyncio

async def main():
    async with engine.begin() as connection:
        print(json.dumps([*(await connection.execute(BY_ID, {"key": key})).one()], default=str))
    await engine.dispose()

asyncio.run(main())
"""
)
BLOCKS = (
    HEAD.format(module="sqlalchemy", create="create_engine")
    + """
with engine.begin() as connection:
    print(json.dumps([*connection.execute(BY_ID, {"key": key}).one()], default=str))
engine.dispose()
"""
)
PASSED_ON = ("connect_args", "isolation_level", "execution_options")


def args(turn: int, table_rows: int) -> dict[str, Any]:
    """A key, each one once before any repeats."""
    return {"key": some_key(turn, table_rows)}


def answer(turn: int, table_rows: int) -> tuple[Any, ...]:
    """The row, from the seed."""
    return tuple(developer(some_key(turn, table_rows), table_rows).values())


cold = Scenario(DEVELOPERS, args, answer)


@cold.lane
async def warm(connection: AsyncConnection, key: int) -> Any:
    """the reference: engine, pool and statement are warm

    https://docs.sqlalchemy.org/en/21/core/connections.html
    """
    return (await connection.execute(BY_ID, {"key": key})).one()


@lru_cache
def unpooled(new_engine: Any) -> Any:
    """One engine for all operations of a cell; made in its proof."""
    return new_engine(poolclass=NullPool)


@cold.lane
async def nullpool(new_engine: Any, key: int) -> Any:
    """an engine that is kept, with NullPool: each request connects

    https://docs.sqlalchemy.org/en/21/core/pooling.html#switching-pool-implementations
    """
    async with unpooled(new_engine).begin() as connection:
        return (await connection.execute(BY_ID, {"key": key})).one()


@cold.lane
async def engine(new_engine: Any, key: int) -> Any:
    """a new engine, which asks once and is disposed of

    https://docs.sqlalchemy.org/en/21/core/connections.html#engine-disposal
    """
    engine = new_engine()
    try:
        async with engine.begin() as connection:
            return (await connection.execute(BY_ID, {"key": key})).one()
    finally:
        await engine.dispose()


@cold.lane
async def second_query(new_engine: Any, key: int) -> Any:
    """a new engine that asks twice: what is more than in lane engine is the second query

    https://docs.sqlalchemy.org/en/21/core/connections.html#engine-disposal
    """
    engine = new_engine()
    try:
        async with engine.begin() as connection:
            await connection.execute(BY_ID, {"key": key})
        async with engine.begin() as connection:
            return (await connection.execute(BY_ID, {"key": key})).one()
    finally:
        await engine.dispose()


def told(settings: Mapping[str, Any], key: int) -> bytes:
    """What the program reads. The URL may hold a password: it goes by standard input alone."""
    passed = {name: settings[name] for name in PASSED_ON if name in settings}
    url = settings["url"].render_as_string(hide_password=False)
    return json.dumps([{"url": url, **passed}, developers.c.keys(), key]).encode()


def row_of(code: int | None, output: bytes, errors: bytes) -> tuple[Any, ...]:
    """The row that the program printed; the last error that it names where it failed."""
    if code:
        lines = errors.decode(errors="replace").splitlines()
        named = [line for line in lines if line and line[0] not in " \t(["]
        raise RuntimeError(named[-1] if named else f"ended with code {code}")
    *values, created_at = json.loads(output)
    return *values, datetime.fromisoformat(created_at)


@cold.lane
async def process(new_engine: Any, key: int) -> Any:
    """a new Python process, which imports SQLAlchemy, makes an engine, asks once and ends"""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", AWAITS), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        output, errors = await child.communicate(told(new_engine.settings, key))
    finally:
        if child.returncode is None:
            child.kill()
            await child.communicate()  # its pipes close with it
    return row_of(child.returncode, output, errors)


@cold.twin(process)
def process_sync(new_engine: Any, key: int) -> Any:
    """The same where the driver blocks."""
    command = [sys.executable, "-P", "-c", BLOCKS]
    given = told(new_engine.settings, key)
    ended = subprocess.run(command, input=given, capture_output=True, check=False)
    return row_of(ended.returncode, ended.stdout, ended.stderr)
