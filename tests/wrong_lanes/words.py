"""Words and their texts, and how a lane knows that it is measured: it counts its own calls."""

from collections import Counter

from sqlalchemy import String, bindparam, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ormbench.scenario import Data

QUIET = 60  # more calls than a block makes before it measures: 33 counted, 5 proven, 20 warm
WHILE = 10  # calls after those, which are over before the last slice begins
KEYS = 50  # that are asked for one by one: more than before it measures
CALLS = Counter()


class Base(DeclarativeBase):
    pass


class Word(Base):
    __tablename__ = "words"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(20))


def row(number):
    return {"id": number, "text": f"word {number * 7 % 10}"}


def seed(table_rows):
    yield Word.__table__, [row(number) for number in range(1, table_rows + 1)]


DATA = Data(Base.metadata, seed)
ALL = select(Word).order_by(Word.id)
BY_KEY = select(Word).where(Word.id == bindparam("key"))
CHANGE = update(Word.__table__).values(text=bindparam("text")).where(Word.id == bindparam("key"))


def key_of(turn):
    return {"key": 1 + turn % KEYS}


def word_of(turn):
    return known(1 + turn % KEYS)


def known(key):
    """What nobody needs a database for."""
    return tuple(row(key).values())


def shout(turn):
    return {"key": 1 + turn % 400, "text": f"loud {turn}"}


def shouted(turns, table_rows):
    rows = {number: row(number) for number in range(1, table_rows + 1)}
    for turn in turns:
        rows[shout(turn)["key"]]["text"] = shout(turn)["text"]
    return [tuple(row.values()) for row in rows.values()]


def call(lane):
    """Which call of *lane* this is, from 1 on."""
    CALLS[lane] += 1
    return CALLS[lane]


def timed(lane, every=1):
    """Whether to misbehave: in a timed slice, at each call whose number *every* divides."""
    number = call(lane)
    return number > QUIET and number % every == 0


def for_a_while(lane):
    """Whether to misbehave: in timed slices, and no more when the state is looked at."""
    return QUIET < call(lane) <= QUIET + WHILE


def withhold(dialect):
    """Let SQLAlchemy send neither COMMIT nor ROLLBACK."""
    dialect.do_commit = dialect.do_rollback = _nothing


def let_through(dialect):
    """Let it send both again."""
    vars(dialect).pop("do_commit", None)
    vars(dialect).pop("do_rollback", None)


def _nothing(_connection):
    pass
