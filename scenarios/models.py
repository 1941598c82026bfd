"""The table of all shipped scenarios, and the rows that it holds before a run.

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
