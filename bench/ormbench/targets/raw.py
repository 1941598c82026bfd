"""What every driver's raw pool is told, and what it has to offer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ormbench.cell import Transaction
from ormbench.isolation import Level
from ormbench.servers.server import Address
from ormbench.targets.statements import Statements

Body = Callable[..., Awaitable[Any]]
Operation = Callable[[tuple[Any, ...]], Awaitable[Any]]
SyncBody = Callable[..., Any]
SyncOperation = Callable[[tuple[Any, ...]], Any]
Holding = Literal["held", "pool", "shipped-pool"]
Rows = list[tuple[Any, ...]]  # what a statement gave
EngineCache = Mapping[str, Any]
"""What ``create_engine`` is told so that each connection keeps so many statements prepared."""
Door = tuple[Any, str]  # an object (or class) and its method whose calls are checkouts


class PoolTimeoutError(Exception):
    """A driver's pool had no connection in time, and the driver's own error says no more of it."""


@dataclass(frozen=True, slots=True)
class RawSettings:
    """Connections of one arm: where to, how many, how they are held, who ends a transaction."""

    address: Address  # of MySQL and MariaDB, its database is the schema
    statements: Statements
    schema: str  # in which the statements' names resolve
    size: int
    holding: Holding
    transaction: Transaction
    isolation: Level | None = None  # of every transaction; None: the server's default
    timeout: float | None = None  # seconds that a checkout waits; None: what the pool does unasked
    loads_files: bool = False  # by LOAD DATA LOCAL; who does not, lets no server ask for files
    lent: bool = False  # to SQLAlchemy, whose close() gives a connection back
    cache: int | None = None  # statements that a connection keeps prepared; None: as it is shipped


class RawPool(Protocol):
    """The bare driver's connections, and the unit of work around a raw lane's body."""

    @property
    def opened(self) -> int:
        """Connections opened so far."""

    @property
    def door(self) -> Door | None:
        """What hands out connections, once it is open; None where they are held."""

    async def open(self) -> None:
        """Open every connection, so that none is opened on the clock."""

    async def close(self) -> None:
        """Close them all."""

    def bind(self, body: Body) -> Operation:
        """One operation: checkout, the transaction, *body*, return."""

    async def ask(self, statements: Sequence[str]) -> list[list[Rows]]:
        """For each connection, all checked out at once, the rows of each statement.

        Off the clock. Leaves no transaction open; a statement holds no percent sign.
        """


class LendingPool(RawPool, Protocol):
    """A pool that can be under SQLAlchemy: its connections come back when they are closed."""

    async def lend(self) -> Any:
        """A connection, as ``async_creator`` gives one."""


class SyncRawPool(Protocol):
    """The same for a driver that blocks. Several threads call its operation at once."""

    @property
    def opened(self) -> int:
        """Connections opened so far."""

    @property
    def door(self) -> Door | None:
        """What hands out connections, once it is open; None where they are held."""

    def open(self) -> None:
        """Open every connection, so that none is opened on the clock."""

    def close(self) -> None:
        """Close them all."""

    def bind(self, body: SyncBody) -> SyncOperation:
        """One operation: checkout, the transaction, *body*, return."""

    def ask(self, statements: Sequence[str]) -> list[list[Rows]]:
        """For each connection, all checked out at once, the rows of each statement.

        Off the clock. Leaves no transaction open; a statement holds no percent sign.
        """


class SyncLendingPool(SyncRawPool, Protocol):
    """A blocking driver's pool that can be under SQLAlchemy."""

    def lend(self) -> Any:
        """A connection, as ``creator`` gives one."""
