"""Entities, Rows and records come down to one form, and what differs is said in one line."""

from collections import namedtuple
from datetime import datetime
from decimal import Decimal

import asyncpg
import pytest
from sqlalchemy import ForeignKey, create_engine, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.types import JSON

from ormbench.truth.answers import canonical, difference, sample, shorten, state_difference

WHEN = datetime(2024, 1, 1)  # noqa: DTZ001 - a column without time zone


class Base(DeclarativeBase):
    pass


class Owner(Base):
    __tablename__ = "owners"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    traits: Mapped[dict | None] = mapped_column(JSON)
    pets: Mapped[list["Pet"]] = relationship(back_populates="owner", order_by="Pet.id")


class Pet(Base):
    __tablename__ = "pets"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owners.id"))
    owner: Mapped[Owner] = relationship(back_populates="pets")


@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine, expire_on_commit=False) as opened:
        pets = [Pet(id=8), Pet(id=9)]
        opened.add(Owner(id=1, name="alice", traits={"kind": ["calm"]}, pets=pets))
        opened.commit()
        opened.expunge_all()
        yield opened
    engine.dispose()


ROW = (1, "alice", {"kind": ["calm"]})


def test_an_entity_is_the_tuple_of_its_columns(session):
    assert canonical(session.scalars(select(Owner)).one()) == ROW


def test_entity_row_mapping_and_dictionary_are_alike(session):
    owners = Owner.__table__
    answers = [
        session.scalars(select(Owner)).one(),
        session.execute(select(owners)).one(),
        session.execute(select(owners)).mappings().one(),
        dict(session.execute(select(owners)).mappings().one()),
    ]
    assert [canonical(one) for one in answers] == [ROW] * 4


async def test_a_record_of_asyncpg_and_a_row_of_psycopg_are_alike(server):
    """Both through their driver, on a real server."""
    query = "SELECT 1 AS id, 'alice' AS name, timestamp '2024-01-01' AS born"
    where = server.address
    connection = await asyncpg.connect(
        host=where.host, port=where.port, user=where.user, database=where.database
    )
    record, records = await connection.fetchrow(query), await connection.fetch(query)
    await connection.close()
    engine = create_engine(where.url("postgresql+psycopg"))
    with engine.connect() as opened:
        row = opened.execute(text(query)).one()
    engine.dispose()
    assert canonical(record) == canonical(row) == (1, "alice", WHEN)
    assert canonical(records) == [(1, "alice", WHEN)]


def test_a_relationship_that_was_not_loaded_is_not_loaded_for_the_comparison(session):
    owner = session.scalars(select(Owner)).one()
    session.expunge_all()  # a load would now raise DetachedInstanceError
    assert canonical(owner) == ROW


def test_a_relationship_that_was_loaded_follows_the_columns(session):
    owner = session.scalars(select(Owner)).one()
    assert len(owner.pets) == 2
    assert canonical(owner) == (*ROW, [(8, 1), (9, 1)])


def test_a_column_that_was_not_loaded_is_missed(session):
    from sqlalchemy.orm import load_only  # noqa: PLC0415 - used here alone

    owner = session.scalars(select(Owner).options(load_only(Owner.id))).one()
    assert difference(0, owner, ROW) is not None


def test_json_in_a_column_is_compared_by_key(session):
    owner = session.scalars(select(Owner)).one()
    assert difference(0, owner, ROW) is None
    assert difference(0, owner, (1, "alice", {"sort": ["calm"]})) is not None
    assert (
        difference(
            0, (1, {"a": 1, "b": [{"c": 2, "d": 3}]}), (1, {"b": [{"d": 3, "c": 2}], "a": 1})
        )
        is None
    )


def test_a_set_has_no_order_that_could_be_wrong():
    one, other = set([0, 8]), set([8, 0])  # noqa: C405 - both fall into one slot: first come
    assert list(one) != list(other)
    assert difference(0, one, other) is None
    assert difference(0, {(1, "a"), (2, "b")}, {(1, "a"), (2, "c")}) is not None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        (7, 7),
        ("text", "text"),
        (WHEN, WHEN),
        (Decimal("1.50"), Decimal("1.5")),
        ((1, 2), (1, 2)),
        (namedtuple("Pair", "a b")(1, 2), (1, 2)),  # noqa: PYI024 - what some drivers return
        ([(1, 2)], [(1, 2)]),
        (((1, 2),), ((1, 2),)),
        ([], []),
    ],
)
def test_what_is_equal_is_not_called_different(given, expected):
    assert difference(3, given, expected) is None


@pytest.mark.parametrize(
    ("given", "expected", "words"),
    [
        (7, 8, "turn 3: answered 7, expected 8"),
        (None, (1,), "turn 3: answered None, expected (1,)"),
        ([(1,)], (1,), "turn 3: answered [(1,)], expected (1,)"),
        ([(1,)], [(1,), (2,)], "turn 3: 1 rows, expected 2"),
        ([(1,), (3,)], [(1,), (2,)], "turn 3: row 1 is (3,), expected (2,)"),
        (
            [(2,), (1,)],
            [(1,), (2,)],
            "turn 3: row 0 is (2,), expected (1,), the same rows in another order",
        ),
    ],
)
def test_what_differs_is_said_in_one_line(given, expected, words):
    assert difference(3, given, expected) == words


def test_a_state_is_compared_row_by_row():
    assert state_difference([(1, "a")], [(1, "a")]) is None
    assert state_difference([(1, "a")], []) == "state: 1 rows, expected 0"
    assert state_difference([(1, "a")], [(1, "b")]) == "state: row 0 is (1, 'a'), expected (1, 'b')"


def test_long_answers_are_cut():
    assert len(shorten("x" * 1_000)) == 120
    assert shorten("x" * 1_000).endswith("…")
    assert len(sample([(number,) for number in range(1_000)])) == 400
    assert "\n" not in difference(0, "a\nb", "c")


@pytest.mark.parametrize("given", [((1, "a"), (2, "b")), ()])
def test_many_rows_in_a_tuple_are_what_a_list_of_them_is(given):
    assert difference(0, given, list(given)) is None
    assert difference(0, given, [(1, "a")]) is not None


def test_one_row_in_a_tuple_is_not_taken_for_many():
    assert difference(0, (1, "a"), [(1, "a")]) is not None
    assert difference(0, ((1, "a"),), (1, "a")) is not None
