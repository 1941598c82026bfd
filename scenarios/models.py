"""The tables of the shipped scenarios, and the rows that they hold before a run.

Developers are what most scenarios work on; accounts and doctors are for those whose operations
meet on the same rows. Each kind has a registry of its own: a slice puts back only what it needs.

The rows are a pure function of their number, and made so that servers cannot disagree about
them: lower-case ASCII, fixed widths, names that sort alike everywhere, whole seconds.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ormbench.scenario import Data

PER_SPECIALTY = 100
EPOCH = datetime(2024, 1, 1)  # noqa: DTZ001 - the column has no time zone, like the pattern's
FIRST_NAMES = ("alice", "bruno", "clara", "david", "emily", "frank", "grace", "henry")
NAME_PRIME = 999_983


class Base(DeclarativeBase):
    """The registry of the shipped models."""


class Developer(Base):
    """A developer, as an application would keep one."""

    __tablename__ = "developers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(120), unique=True)
    specialty: Mapped[str] = mapped_column(String(40), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime)


developers: Table = Developer.metadata.tables["developers"]


def developer(number: int, table_rows: int) -> dict[str, Any]:
    """Row *number*, from 1. Each specialty has at least 100 rows; names are unique."""
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    return {
        "id": number,
        "name": f"{first} {number * 7919 % NAME_PRIME:06d}",
        "email": f"{first}.{number:08d}@example.org",
        "specialty": specialty(number, table_rows),
        "created_at": EPOCH + timedelta(seconds=number),
    }


def specialty(number: int, table_rows: int) -> str:
    """The specialty of row *number*; it is that of every turn with the same number, too."""
    return f"specialty-{number % max(1, table_rows // PER_SPECIALTY):05d}"


def seed(table_rows: int) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    """All rows of the table."""
    yield developers, [developer(number, table_rows) for number in range(1, table_rows + 1)]


def some_key(turn: int, table_rows: int) -> int:
    """A key for each turn; no key comes twice before all have come (both steps are prime)."""
    step = 10_007 if table_rows % 10_007 else 10_009
    return 1 + turn * step % table_rows


DEVELOPERS = Data(Base.metadata, seed)


class Bank(DeclarativeBase):
    """The registry of accounts."""


class Account(Bank):
    """An account: what is on it, and how often a transfer has written it."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    balance: Mapped[int]
    changes: Mapped[int]


class Hospital(DeclarativeBase):
    """The registry of doctors."""


class Doctor(Hospital):
    """A doctor: of which team, whether on call, and how often found that nobody of it was."""

    __tablename__ = "doctors"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    team: Mapped[int] = mapped_column(index=True)
    on_call: Mapped[bool]
    gaps: Mapped[int]


accounts: Table = Account.metadata.tables["accounts"]
doctors: Table = Doctor.metadata.tables["doctors"]
OPENING = 1_000  # on each account before a run
FEWEST_CONTENDED = 8  # accounts and doctors that are there, however small the table is to be


def account(number: int) -> dict[str, Any]:
    """Account *number*, from 1."""
    return {"id": number, "balance": OPENING, "changes": 0}


def doctor(number: int) -> dict[str, Any]:
    """Doctor *number*, from 1; two make a team, and both are on call."""
    return {"id": number, "team": (number + 1) // 2, "on_call": True, "gaps": 0}


def contended(table_rows: int) -> range:
    """The numbers of all accounts, and of all doctors."""
    return range(1, max(table_rows, FEWEST_CONTENDED) + 1)


def open_accounts(table_rows: int) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    """All accounts."""
    yield accounts, [account(number) for number in contended(table_rows)]


def employ(table_rows: int) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    """All doctors."""
    yield doctors, [doctor(number) for number in contended(table_rows)]


ACCOUNTS = Data(Bank.metadata, open_accounts)
DOCTORS = Data(Hospital.metadata, employ)
