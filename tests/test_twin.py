"""A lane's sync twin does what the lane does, or is refused with the line in the way."""

# ruff: noqa: ARG001 - lanes take what their subject is, whether or not it matters here

import asyncio
import inspect
import re
import sys
import traceback
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, sessionmaker

from ormbench.errors import UsageError
from ormbench.loader import shipped
from ormbench.scenario import Scenario
from ormbench.translation import NoTwinError
from ormbench.twin import derive

METADATA = MetaData()
words = Table("words", METADATA, Column("id", Integer, primary_key=True), Column("text", String(9)))
WORDS = select(words.c.text).order_by(words.c.id)


class Recorder:
    """In the place of a connection of any driver: keeps what is called."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        def call(*given, **named):
            self.calls.append((name, given, named))
            return self

        return call

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.calls.append("left")

    def __iter__(self):
        return iter([1, 2, 3])


def twin(body, subject="driver"):
    return derive(body, subject).body


@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    with Session(engine) as one:
        one.execute(insert(words), [{"id": 1, "text": "one"}, {"id": 2, "text": "two"}])
        yield one
    engine.dispose()


# Translation


async def awaits(driver, key):
    """await at several depths"""
    first = await driver.fetch(key)
    return [await first.more(await driver.fetch(1)), f"{await driver.name()}"]


def test_every_await_goes_and_the_calls_stay_in_their_order():
    driver = Recorder()
    twin(awaits)(driver, 7)
    assert [name for name, *_ in driver.calls] == ["fetch", "fetch", "more", "name"]
    assert driver.calls[0] == ("fetch", (7,), {})


async def loops(driver):
    """async with, async for, and comprehensions of both kinds"""
    found = []
    async with driver.transaction() as one, driver.cursor():
        async for row in one:
            if row:
                found.append(row)  # noqa: PERF401 - the statement is what is translated
        found += [row async for row in driver]
        found += [plain * 1 for plain in range(2)]
        found += sorted({row: row async for row in driver if row > 1})
    return found


def test_blocks_and_comprehensions_lose_their_async():
    driver = Recorder()
    assert twin(loops)(driver) == [1, 2, 3, 1, 2, 3, 0, 1, 2, 3]
    assert driver.calls[-2:] == ["left", "left"]


async def nested(driver, limit):
    """functions of its own"""

    async def numbers(up_to: "AsyncSession"):
        for number in range(up_to):
            yield number

    async def double(number: AsyncSession) -> AsyncSession:
        return 2 * number

    annotated: AsyncSession = limit
    return [await double(number) async for number in numbers(annotated)]


def test_functions_inside_are_translated_and_no_annotation_is_evaluated():
    assert twin(nested)(None, 3) == [0, 2, 4]


async def defaults(driver, key=[7], *, word="w"):  # noqa: B006 - it must stay the same object
    """defaults of both kinds"""
    return key, word


def test_defaults_are_the_very_objects_of_the_lane():
    made = twin(defaults)
    assert made(None)[0] is defaults.__defaults__[0]
    assert made(None) == ([7], "w")
    assert inspect.signature(made) == inspect.signature(defaults)
    assert made.__doc__ == defaults.__doc__


SETTING = 1


async def reads_a_global(driver):
    """a module's variable"""
    return SETTING


def test_the_twin_lives_in_its_module(monkeypatch):
    made = twin(reads_a_global)
    monkeypatch.setattr(sys.modules[__name__], "SETTING", 2)
    assert made(None) == 2
    assert made.__globals__ is reads_a_global.__globals__


async def breaks(driver):
    """raises"""
    await driver.fetch()

    raise ValueError


def test_a_traceback_of_the_twin_points_into_the_file_of_the_lane():
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the traceback is what is looked at
        twin(breaks)(Recorder())
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert last.filename == __file__
    assert last.line == "raise ValueError"
    assert last.name == "breaks"


def test_nothing_stands_around_the_twin():
    made = twin(awaits)
    assert not inspect.iscoroutinefunction(made)
    assert not hasattr(made, "__wrapped__")
    assert made.__code__.co_filename == awaits.__code__.co_filename
    assert made.__code__.co_names == awaits.__code__.co_names


# SQLAlchemy's other names


async def streams(session):
    """a stream in each way"""
    rows = [row.text async for row in await session.stream(WORDS)]
    options = {"yield_per": 1}
    texts = [text async for text in await session.stream_scalars(WORDS, execution_options=options)]
    return rows + texts


def test_streams_are_executed_with_a_server_side_cursor(session, monkeypatch):
    seen = []

    def execute(self, *given, execution_options, **named):
        seen.append(execution_options)
        return real(self, *given, execution_options=execution_options, **named)

    real = Session.execute
    monkeypatch.setattr(Session, "execute", execute)
    scalars = Session.scalars

    def kept(self, *given, execution_options, **named):
        seen.append(execution_options)
        return scalars(self, *given, execution_options=execution_options, **named)

    monkeypatch.setattr(Session, "scalars", kept)
    assert twin(streams, "session")(session) == ["one", "two", "one", "two"]
    assert seen == [{"stream_results": True}, {"yield_per": 1, "stream_results": True}]


async def runs_sync(session, number):
    """run_sync, by name and by lambda, with arguments"""
    await session.run_sync(Session.flush)
    count = await session.run_sync(
        lambda sync, more, by: len(sync.execute(WORDS).all()) + more + by, number, by=1
    )
    return count, session.sync_session


def test_run_sync_is_a_call_with_the_session(session):
    assert twin(runs_sync, "session")(session, 10) == (13, session)


class Entity:
    """Stands for one with AsyncAttrs."""

    children = ("a", "b")


async def loads_lazily(session, entity):
    """awaitable attributes"""
    return [child + child for child in await entity.awaitable_attrs.children]


def test_an_awaitable_attribute_is_an_attribute():
    assert twin(loads_lazily, "session")(None, Entity()) == ["aa", "bb"]


async def closes(session):
    """aclose, and a savepoint"""
    async with session.begin_nested():
        await session.execute(insert(words).values(id=3, text="three"))
    found = (await session.scalars(WORDS)).all()
    await session.aclose()
    return found


def test_other_names_are_those_of_the_sync_session(session):
    assert twin(closes, "session")(session) == ["one", "two", "three"]


async def owns_its_sessions(sessions):
    """a session maker, used in each way"""
    async with sessions.begin() as first:
        await first.execute(insert(words).values(id=3, text="three"))
        texts = [row.text async for row in await first.stream(WORDS)]
    second = sessions(autoflush=False)
    count = await second.run_sync(lambda sync: sync.scalar(select(func.count()).select_from(words)))
    await second.aclose()
    return texts, count, second.sync_session


def test_sessions_that_a_lane_opens_itself_have_their_other_names_too(session):
    sessions = sessionmaker(session.connection(), join_transaction_mode="create_savepoint")
    texts, count, second = twin(owns_its_sessions, "sessions")(sessions)
    assert (texts, count) == (["one", "two", "three"], 3)
    assert isinstance(second, Session)


async def makes_engines(new_engine):
    """an engine, its connections and what lies under them"""
    engine = new_engine()
    async with engine.connect() as one:
        rows = [row[0] async for row in await one.stream(select(literal(7)))]
        plain = one.sync_connection
    await engine.dispose()
    return rows, engine.sync_engine, plain


def test_engines_that_a_lane_makes_are_translated_with_their_connections():
    rows, engine, plain = twin(makes_engines, "new_engine")(lambda: create_engine("sqlite://"))
    assert rows == [7]
    assert (type(engine), type(plain)) == (Engine, Connection)
    engine.dispose()


async def driver_streams(driver):
    """a cursor's own stream()"""
    return [row async for row in driver.stream("SELECT 1")]


def test_a_driver_s_methods_keep_their_names():
    driver = Recorder()
    assert twin(driver_streams)(driver) == [1, 2, 3]
    assert driver.calls == [("stream", ("SELECT 1",), {})]


# Refusals

LOCK = asyncio.Lock()
gather = asyncio.gather


async def fetch(session, key):
    return key


class Repository:
    async def find(self, key):
        return key

    @staticmethod
    async def count():
        return 0


REPOSITORY = Repository()


@asynccontextmanager
async def opened():
    yield


async def gathers(session):
    """two at once"""
    await asyncio.gather(session.scalar(1), session.scalar(2))


async def gathers_by_name(session):
    """likewise"""
    await gather(session.scalar(1))


async def sleeps(session):
    """think time"""
    await asyncio.sleep(1)


async def locks(session):
    """a lock of the module"""
    async with LOCK:
        pass


async def calls_a_coroutine(session):
    """a function of the module"""
    return await fetch(session, 1)


async def passes_a_coroutine(session):
    """without calling it"""
    return map(fetch, [session])


async def calls_a_method(session):
    """of an object of the module"""
    return await REPOSITORY.find(1)


async def calls_a_static_method(session):
    """of a class of the module"""
    return await Repository.count()


async def enters(session):
    """an async context manager of the module"""
    async with opened():
        pass


async def makes_a_session(session):
    """an async class"""
    async with AsyncSession(session) as other:
        return other


async def keeps_an_awaitable(session):
    """awaited later"""
    pending = session.refresh(1)
    await pending


async def never_awaits(session):
    """a coroutine is made and handed over"""
    return list(map(str, [session.execute(1)]))


async def forgets_to_commit(sessions):
    """a session of its own, and a coroutine that nobody awaits"""
    async with sessions() as session:
        session.commit()


async def forgets_to_dispose(new_engine):
    """likewise an engine"""
    engine = new_engine()
    engine.dispose()


async def looks_below(new_engine):
    """what only asyncio's has, in a connection that was made inside"""
    async with new_engine() as unknown, unknown.connect() as one:
        return await one.get_raw_connection()


async def imports_inside(session):
    """asyncio by an import of its own"""
    import asyncio as hidden  # noqa: PLC0415

    await hidden.sleep(0)


async def imports_from_inside(session):
    """likewise"""
    from asyncio import sleep  # noqa: PLC0415

    await sleep(0)


async def steps(session):
    """by hand"""
    return await anext(session)


async def uses_the_protocol(session):
    """by its names"""
    return await session.__aenter__()


async def raw_connection(connection):
    """what only asyncio's has"""
    return await connection.get_raw_connection()


async def streams_with_stars(session, options):
    """what is in there is not known"""
    return await session.stream(WORDS, **options)


REFUSED = [
    (gathers, "uses asyncio.gather"),
    (gathers_by_name, "uses gather"),
    (sleeps, "calls asyncio.sleep, which is async"),
    (locks, "uses LOCK"),
    (calls_a_coroutine, "calls fetch, which is async"),
    (passes_a_coroutine, "calls fetch, which is async"),
    (calls_a_method, "calls REPOSITORY.find, which is async"),
    (calls_a_static_method, "calls Repository.count, which is async"),
    (enters, "calls opened, which is async"),
    (makes_a_session, "uses AsyncSession"),
    (keeps_an_awaitable, "calls session.refresh() without awaiting it"),
    (never_awaits, "calls session.execute() without awaiting it"),
    (forgets_to_commit, "calls session.commit() without awaiting it"),
    (forgets_to_dispose, "calls engine.dispose() without awaiting it"),
    (looks_below, "uses one.get_raw_connection, which only asyncio's has"),
    (imports_inside, "imports asyncio"),
    (imports_from_inside, "imports from asyncio"),
    (steps, "uses anext"),
    (uses_the_protocol, "uses __aenter__"),
    (raw_connection, "uses connection.get_raw_connection, which only asyncio's has"),
    (streams_with_stars, "streams with a ** argument"),
]


@pytest.mark.parametrize(("body", "reason"), REFUSED, ids=lambda one: getattr(one, "__name__", ""))
def test_what_cannot_be_translated_is_refused_with_its_line(body, reason):
    subject = next(iter(inspect.signature(body).parameters))
    with pytest.raises(NoTwinError, match=re.escape(reason)) as caught:
        derive(body, subject)
    line = int(re.match(r"line (\d+) ", str(caught.value))[1])
    first = body.__code__.co_firstlineno
    assert first + 2 <= line <= first + 5
    assert "\n" not in str(caught.value)


async def awaits_a_parameter(session, pending):
    """what is not a call may have run already"""
    return await pending


def test_awaiting_what_is_not_a_call_is_refused():
    with pytest.raises(NoTwinError, match="awaits pending, which is not a call"):
        derive(awaits_a_parameter, "session")


def test_a_variable_of_the_function_around_it_is_refused():
    table = "words"

    async def closed_over(driver):
        """a closure"""
        return await driver.fetch(table)

    with pytest.raises(NoTwinError, match=r"line \d+ uses table, a variable of the function"):
        derive(closed_over, "driver")


def test_a_function_within_a_function_that_needs_none_of_it_is_translated():
    async def open_to_all(driver):
        """globals alone"""
        return await driver.fetch(SETTING)

    driver = Recorder()
    twin(open_to_all)(driver)
    assert driver.calls == [("fetch", (1,), {})]


def test_a_body_that_a_decorator_wraps_is_refused():
    import functools  # noqa: PLC0415 - needed here alone

    @functools.wraps(awaits)
    async def around(*given):
        return await awaits(*given)

    with pytest.raises(NoTwinError, match="its decorator wraps it"):
        derive(around, "driver")


def test_a_body_whose_source_is_nowhere_is_refused():
    made = {}
    exec("async def lost(driver):\n    'nowhere'", made)
    with pytest.raises(NoTwinError, match="its source cannot be read"):
        derive(made["lost"], "driver")


# The author's own


def shop():
    scenario = Scenario(name="shop")
    scenario.lane(gathers)
    scenario.lane(awaits)
    return scenario


def test_a_lane_without_a_possible_twin_says_what_to_write():
    words = (
        r"lane gathers has no sync twin: line \d+ uses asyncio\.gather; "
        r"write one below @SCENARIO\.twin\(gathers\)"
    )
    with pytest.raises(NoTwinError, match=words):
        shop().lanes["gathers"].twin()


@pytest.mark.parametrize("lane", [gathers, "gathers"], ids=["by function", "by name"])
def test_an_author_s_twin_stands_in_for_the_derived_one(lane):
    scenario = shop()

    @scenario.twin(lane)
    def one_after_the_other(session):
        return 42

    found = scenario.lanes["gathers"].twin()
    assert found.body is one_after_the_other
    assert "return 42" in found.source
    assert "return 42" in scenario.lanes["gathers"].source  # an edit of it is an edit of the lane
    assert "asyncio.gather" in scenario.lanes["gathers"].source


def test_the_source_of_a_derived_twin_is_there_for_readers():
    source = shop().lanes["awaits"].twin().source
    assert source.startswith("def awaits(driver, key):\n")
    assert "await" not in source.replace("awaits", "").replace("await at several", "")


def test_a_twin_takes_what_its_lane_takes():
    with pytest.raises(
        UsageError, match=r"twin of awaits takes \(driver\), its lane \(driver, key\)"
    ):

        @shop().twin(awaits)
        def fewer(driver):
            pass


def test_a_twin_is_not_async():
    with pytest.raises(UsageError, match="twin of gathers is async: write it as `def`"):

        @shop().twin(gathers)
        async def still(session):
            pass


def test_a_twin_that_is_refused_leaves_the_lane_as_it_was():
    scenario = shop()
    with pytest.raises(UsageError):
        scenario.twin(awaits)(lambda driver: driver)
    assert scenario.lanes["awaits"].written_twin is None


def test_a_twin_of_no_lane_is_refused():
    with pytest.raises(UsageError, match=r"twin of core: there is no such lane .*gathers, awaits"):
        shop().twin("core")


def test_a_second_twin_is_refused():
    scenario = shop()
    scenario.twin(gathers)(lambda session: session)
    with pytest.raises(UsageError, match="twin of gathers is there twice"):
        scenario.twin(gathers)


WRITTEN = {"outside_call/held", "outside_call/released", "cold/process"}
WITHOUT = {"session_scope/gathered"}  # a driver that blocks has no three sessions at once


def test_every_shipped_lane_has_a_twin_which_is_derived_but_where_it_uses_asyncio():
    lanes = {
        f"{scenario}/{name}": lane
        for scenario, loaded in shipped().items()
        for name, lane in loaded.scenario.lanes.items()
    }
    assert {name for name, lane in lanes.items() if lane.written_twin is not None} == WRITTEN
    for name, lane in lanes.items():
        if name in WITHOUT:
            with pytest.raises(NoTwinError, match=r"uses asyncio\.gather"):
                lane.twin()
            continue
        twin = lane.twin().body
        assert [*inspect.signature(twin).parameters] == [*inspect.signature(lane.body).parameters]
    assert len(lanes) > 30
