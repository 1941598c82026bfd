"""A target: a server product reached through a driver, as ``postgresql+asyncpg``.

MySQL and MariaDB are two targets: the same ORM code sends one statement or a thousand.
"""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from ormbench.errors import UsageError
from ormbench.servers.server import Address, Product
from ormbench.targets.driver import Driver
from ormbench.targets.drivers import DRIVERS
from ormbench.targets.statements import Statements


@dataclass(frozen=True, slots=True)
class Target:
    """One product through one driver."""

    server: Product
    driver: Driver

    @property
    def name(self) -> str:
        """What users call it: ``mariadb+asyncmy``."""
        return f"{self.server.lower()}+{self.driver.name}"

    @property
    def drivername(self) -> str:
        """What SQLAlchemy calls it."""
        return f"{self.server.lower()}+{self.driver.dialect}"

    @property
    def unsupported(self) -> Mapping[str, str]:
        """Lanes that it cannot have -> why."""
        return self.driver.unsupported

    @property
    def abilities(self) -> frozenset[str]:
        """What lanes may need of it: the driver's, and the product's in SQLAlchemy's dialect."""
        return self.driver.abilities | SPEAKS[self.server]

    def missing(self) -> str | None:
        """What to install before it can be measured; None where it is there."""
        if importlib.util.find_spec(self.driver.module) is not None:
            return None
        return f"{self.driver.distribution} is not installed: {self.driver.install}"

    def within(self, address: Address, schema: str) -> Address:
        """The address from which names resolve in *schema*; PostgreSQL's driver is told so."""
        if self.server == "PostgreSQL" or not schema:
            return address
        return replace(address, database=schema)

    def statements(self) -> Statements:
        """The compiler of a raw lane's statements."""
        style = self.driver.paramstyle
        return Statements(self.drivername, **({"paramstyle": style} if style else {}))


SPEAKS: Mapping[Product, frozenset[str]] = {
    "PostgreSQL": frozenset({"INSERT RETURNING", "UPDATE RETURNING", "DELETE RETURNING", "arrays"}),
    "MySQL": frozenset(),
    "MariaDB": frozenset({"INSERT RETURNING", "DELETE RETURNING"}),  # from 10.5
}
TARGETS = {
    target.name: target
    for target in (Target(server, driver) for driver in DRIVERS for server in driver.servers)
}
ABILITIES = frozenset(ability for target in TARGETS.values() for ability in target.abilities)
NO_TARGET = "none"


def resolve(word: str) -> str:
    """A target's full name from that or its driver's; UsageError names the nearest."""
    if word in TARGETS or word == NO_TARGET:
        return word
    short = [name for name, target in TARGETS.items() if target.driver.name == word]
    if len(short) == 1:
        return short[0]
    if short:
        raise UsageError(f"target {word!r} is {' or '.join(short)}: say which, or '*+{word}'")
    near = get_close_matches(word, [*TARGETS, *(n.partition("+")[2] for n in TARGETS)], 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"unknown target {word!r}: {hint}see `ormbench list targets`")
