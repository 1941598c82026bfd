"""What a run was made under, and what it therefore says nothing about: by rule, from its axes."""

from collections.abc import Iterator, Sequence

from ormbench.cell import Cell
from ormbench.report.names import driver_name, product_name
from ormbench.results.manifest import Manifest

_PLACES = {
    "one-core": "client and server share one core",
    "split": "client and server on cores of their own",
    "free": "client and server placed by the system",
}
_SERVERS = ("PostgreSQL", "MySQL", "MariaDB")


def scope(manifest: Manifest) -> str:
    """Where client and server were, and what they shared; as "one machine, unix socket, ..."."""
    server, cells = manifest.environment.server, _measured(manifest)
    own = server.get("kind") != "url"
    parts = [
        f"{_transport(manifest)}, one machine" if own else "the server that the URL names",
        *dict.fromkeys(_place(cell, manifest) for cell in cells),
    ]
    return ", ".join(part for part in parts if part)


def conditions(manifest: Manifest) -> str:
    """As "PostgreSQL 18.4 embedded"; "" where no cell had a database."""
    versions, kind = manifest.environment.versions, manifest.environment.server.get("kind", "")
    products = dict.fromkeys(product_name(cell.target) for cell in _measured(manifest))
    names = [f"{name} {versions.get(name, '')}".strip() for name in products]
    return f"{', '.join(names)} {kind}".strip() if names else ""


def does_not_say(manifest: Manifest) -> tuple[str, ...]:
    """One phrase for each thing that this run did not vary, and so cannot speak of."""
    cells = _measured(manifest)
    return (*_about_place(manifest, cells), *_about_load(cells), *_about_servers(cells, manifest))


def _measured(manifest: Manifest) -> list[Cell]:
    cells = dict.fromkeys(cell for group in manifest.groups for cell in group.cells)
    return [cell for cell in cells if cell.target != "none"]


def _place(cell: Cell, manifest: Manifest) -> str:
    if cell.placement == "free" and (cores := manifest.environment.host.get("cores")):
        return f"client and server share {cores} cores"
    return _PLACES[cell.placement]


def _transport(manifest: Manifest) -> str:
    return manifest.environment.server.get("transport") or "loopback"


def _about_place(manifest: Manifest, cells: Sequence[Cell]) -> Iterator[str]:
    server = manifest.environment.server
    if server.get("kind") == "url":
        yield "other networks than the one between these two"
    else:
        yield f"your network: {_transport(manifest)} only"
    yield "your queries and your rows: one table shape a scenario"
    yield f"tables of other sizes than {manifest.table_rows:,} rows"
    if server.get("durability") == "relaxed":
        yield "commits that wait for the disk: durability relaxed"
    if any(cell.placement == "one-core" for cell in cells):
        yield "more cores: client and server share one"
    elif any(cell.placement == "free" for cell in cells):
        yield "more cores: client and server compete for these"


def _about_load(cells: Sequence[Cell]) -> Iterator[str]:
    clients = sorted({cell.clients for cell in cells})
    if clients == [1]:
        yield "concurrency: one client"
    elif clients:
        yield f"other numbers of clients than {', '.join(map(str, clients))}"
    if cells and all(cell.rate is None for cell in cells):
        yield "response times under a given load: closed loop only"


def _about_servers(cells: Sequence[Cell], manifest: Manifest) -> Iterator[str]:
    products = list(dict.fromkeys(product_name(cell.target) for cell in cells))
    missing = [name for name in _SERVERS if name not in products]
    if products and missing:
        yield f"{' and '.join(missing)}: only {' and '.join(products)} was measured"
    drivers = list(dict.fromkeys(driver_name(cell.target) for cell in cells))
    if len(drivers) == 1:
        yield f"other drivers than {drivers[0]}"
    if manifest.environment.server.get("kind") != "url":
        yield "encrypted connections: no TLS"
