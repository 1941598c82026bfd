"""Which kind of server each product comes from in a run, and why not where it cannot come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from ormbench.errors import ServerError, UsageError
from ormbench.servers import docker, embedded, local
from ormbench.servers.server import PRODUCTS, Kind, Product, Server
from ormbench.servers.settings import MAX_CONNECTIONS, Durability
from ormbench.servers.url import UrlServer

Wanted = Literal["auto", "embedded", "local", "docker"]
WANTED: tuple[Wanted, ...] = get_args(Wanted)
SPARE_CONNECTIONS = 20  # for the coordinator, and whoever else the server has


class Source(Protocol):
    """A module of servers of one kind."""

    OFFERS: tuple[Product, ...]  # what it could ever come up with

    def unavailable(self, product: Product) -> str | None:
        """Why *product* cannot come from here now, with what to install; None where it can."""

    def start(self, product: Product, durability: Durability) -> Server:
        """Start one of our own. Raises ServerError in one line."""


SOURCES: Mapping[Kind, Source] = {"embedded": embedded, "local": local, "docker": docker}
"""In the order in which ``auto`` tries them."""


@dataclass(frozen=True, slots=True)
class Supply:
    """For each product a kind of server and why that one, or why there is none. Pure data."""

    kinds: Mapping[Product, Kind] = field(default_factory=lambda: dict.fromkeys(PRODUCTS, "local"))
    why: Mapping[Product, str] = field(default_factory=dict)
    missing: Mapping[Product, str] = field(default_factory=dict)
    connections: int = MAX_CONNECTIONS  # that a server takes
    given: UrlServer | None = None  # the server of --url, which is there already
    driver: str = ""  # that the URL names

    def start(self, product: Product, durability: Durability) -> Server:
        """Start the server of a product, or take the given one. Raises ServerError."""
        if reason := self.lacks(product):
            raise ServerError(f"{product} cannot be measured here: {reason}")
        return self.given or SOURCES[self.kinds[product]].start(product, durability)

    def lacks(self, product: Product) -> str | None:
        """Why *product* cannot be measured here; None where it can."""
        return self.missing.get(product)

    @property
    def is_ours(self) -> bool:
        """Whether the servers are ours to pin to cores."""
        return "url" not in self.kinds.values()

    @property
    def most_connections(self) -> int:
        """What the arms of a group may open together."""
        return self.connections - SPARE_CONNECTIONS


EVERYTHING = Supply()
"""What plans are made with where nobody is about to run them."""


def choose(wanted: Wanted, sources: Mapping[Kind, Source] = SOURCES) -> Supply:
    """Look what can run here, now. ``auto`` takes the first kind that can, product by product."""
    kinds: dict[Product, Kind] = {}
    why: dict[Product, str] = {}
    missing: dict[Product, str] = {}
    tried = {kind: one for kind, one in sources.items() if wanted in ("auto", kind)}
    for product in PRODUCTS:
        reasons = {
            kind: source.unavailable(product)
            for kind, source in tried.items()
            if product in source.OFFERS
        }
        able = [kind for kind, reason in reasons.items() if reason is None]
        told = [f"{kind}: {reason}" for kind, reason in reasons.items() if reason is not None]
        if able:
            kinds[product] = able[0]
            why[product] = "asked for" if wanted != "auto" else _first(able[0], reasons)
        else:
            missing[product] = "; ".join(told) or _elsewhere(wanted, product, sources)
    return Supply(kinds, why, missing)


def _elsewhere(wanted: Wanted, product: Product, sources: Mapping[Kind, Source]) -> str:
    kinds = " or ".join(kind for kind, source in sources.items() if product in source.OFFERS)
    return f"{wanted} has no {product}: --server {kinds}"


def on_url(server: UrlServer, driver: str) -> Supply:
    """A run on the user's server: nothing else is measured."""
    others = [product for product in PRODUCTS if product != server.product]
    return Supply(
        {server.product: server.kind},
        {server.product: "asked for by --url"},
        dict.fromkeys(others, f"the run is on the {server.product} of --url"),
        server.room,
        server,
        driver,
    )


def _first(kind: Kind, reasons: Mapping[Kind, str | None]) -> str:
    earlier = list(reasons)[: list(reasons).index(kind)]
    passed = [f"{one}: {reasons[one]}" for one in earlier]
    return "the first that can run here" + (f" ({'; '.join(passed)})" if passed else "")


def parse_wanted(word: str) -> Wanted:
    """A word of ``--server``. Raises UsageError."""
    for one in WANTED:
        if word == one:
            return one
    raise UsageError(f"--server {word}: expected one of {', '.join(WANTED)}")
