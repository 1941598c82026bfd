"""``ormbench servers up|down|status|fetch``: servers that stay, and what there is to run."""

import signal
from argparse import Namespace
from collections.abc import Iterable, Iterator
from types import FrameType

from ormbench.errors import OK, OrmbenchError, ServerError, UsageError
from ormbench.servers import compose, engine, fetch, kept, launch
from ormbench.servers.compose import Wish
from ormbench.servers.container import Container
from ormbench.servers.docker_server import DockerServer, socket_address
from ormbench.servers.server import PRODUCTS, Address, Product
from ormbench.servers.settings import parse_durability
from ormbench.servers.supply import SOURCES

_SCHEMES = {"PostgreSQL": "postgresql", "MySQL": "mysql", "MariaDB": "mariadb"}


def call(arguments: Namespace) -> int:
    """Do it, a line for each server. Raises OrmbenchError in one line."""
    signal.signal(signal.SIGTERM, _interrupt)
    for line in DEEDS[arguments.deed](arguments):
        print(line, flush=True)
    return OK


def _up(arguments: Namespace) -> Iterator[str]:
    """Start what was named, each by itself; what cannot start is told together at the end."""
    durability = parse_durability(arguments.durability)
    wrong: dict[str, None] = {}
    for product in _products(arguments.products, PRODUCTS):
        asked = Wish(
            product,
            durability,
            "port" if arguments.port else None,
            "volume" if arguments.volume else None,
        )
        try:
            yield _line(_kept(asked))
        except ServerError as error:
            wrong[str(error)] = None
    if wrong:
        raise ServerError("; ".join(wrong))


def _kept(asked: Wish) -> DockerServer:
    if reason := launch.unavailable(asked):
        raise ServerError(reason)
    compose.sweep()
    return kept.keep(compose.as_environment_says(asked, sockets=engine.find().shares_kernel))


def _down(arguments: Namespace) -> Iterator[str]:
    """Remove what ``up`` started, and what killed runs left."""
    wanted = _products(arguments.products, PRODUCTS)
    engine.find()
    swept = compose.sweep()
    stopped = [one for product in wanted if (one := kept.find(product)) is not None]
    for container in stopped:
        kept.discard(container)
        yield f"{container.label('com.docker.compose.service')} is stopped and removed"
    for project in swept:
        yield f"{project}, left by a run that was killed, is removed"
    if not stopped and not swept:
        yield "nothing to stop"


def _status(arguments: Namespace) -> Iterator[str]:
    """For each product, which kinds of server can run here, and which one is kept."""
    running = _running()
    for product in _products(arguments.products, PRODUCTS):
        for kind, source in SOURCES.items():
            if product in source.OFFERS:
                reason = source.unavailable(product)
                yield f"{product:10}  {kind:8}  {'can run here' if reason is None else reason}"
        if product in running:
            yield f"{product:10}  kept      {_state(product, running[product])}"


def _running() -> dict[Product, Container]:
    try:
        engine.find()
    except ServerError:
        return {}
    found = {product: kept.find(product) for product in PRODUCTS}
    return {product: one for product, one in found.items() if one is not None}


def _state(product: Product, container: Container) -> str:
    if container.status != "running":
        return f"{container.status}: ormbench servers up {product.lower()}"
    try:
        return _line(DockerServer.of(container))
    except OrmbenchError as error:
        return f"does not answer: {error}"


def _fetch(arguments: Namespace) -> Iterator[str]:
    """Put a server's binaries into the user's cache."""
    for product in _products(arguments.products, ("MariaDB",)):
        yield fetch.fetch(product)


DEEDS = {"up": _up, "down": _down, "status": _status, "fetch": _fetch}


def _products(words: Iterable[str], default: tuple[Product, ...]) -> tuple[Product, ...]:
    """The products that the words name. Raises UsageError."""
    known = {product.lower(): product for product in PRODUCTS}
    for word in words:
        if word.lower() not in known:
            raise UsageError(f"unknown product {word!r}: expected {', '.join(known)}")
    return tuple(known[word.lower()] for word in dict.fromkeys(words)) or default


def _line(server: DockerServer) -> str:
    """One server: what it is, and how to reach it. The password is no secret: see the README."""
    told = server.description()
    ways = [_url(server.address)]
    if server.transport == "port" and server.container.is_here:
        ways.append(_url(socket_address(server.product, server.folder)))
    what = f"{server.version}, {told['durability']}, data on {told['data']}, {told['transport']}"
    return f"{what}: {' or '.join(ways)}"


def _url(address: Address) -> str:
    url = address.url(_SCHEMES[address.product])
    if address.is_socket:  # the port only names a socket that has its usual name
        url = url.difference_update_query(["port"])
    return url.render_as_string(hide_password=False).replace("%2F", "/")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
