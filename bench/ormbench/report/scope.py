"""What a run was made under, and what it therefore says nothing about: by rule, from its axes."""

from collections.abc import Iterator, Sequence

from ormbench.cell import Cell
from ormbench.report.names import bare_driver, product_name
from ormbench.results.manifest import Manifest

_PLACES = {
    "one-core": "client and server share one core",
    "split": "client and server on cores of their own",
    "free": "client and server placed by the system",
}
_SERVERS = ("PostgreSQL", "MySQL", "MariaDB")
_ALIKE = ("MySQL", "MariaDB")


def scope(manifest: Manifest, added: Sequence[float] = ()) -> str:
    """Where client and server were, and what they shared; as "one machine, unix socket, ...".

    *added*: the round-trip times that the relay added, in ns, from the least distance on.
    """
    cells = _measured(manifest)
    parts = [
        f"{_transport(manifest)}, one machine" if _own(manifest) else "the server of the URL",
        _distance(cells, added),
        *dict.fromkeys(_place(cell, manifest) for cell in cells),
    ]
    return ", ".join(part for part in parts if part)


def servers(manifest: Manifest, first: str = "") -> tuple[tuple[str, str], ...]:
    """As (("PostgreSQL", "18.4 embedded"), ...): what was measured, the product *first* before."""
    versions, known = manifest.environment.versions, manifest.environment.servers
    return tuple(
        (name, " ".join(filter(None, (versions.get(name), known.get(name, {}).get("kind")))))
        for name in sorted(_products(_measured(manifest)), key=lambda name: name != first)
    )


def server_settings(manifest: Manifest) -> tuple[tuple[str, str], ...]:
    """What each server was told, the name of its product before each setting if it is one of many.

    What a reader should know of the server stands there, too.
    """
    environment = manifest.environment
    several = len(environment.servers) > 1
    return tuple(
        (f"{product}: {name}" if several else name, value)
        for product, described in environment.servers.items()
        for name, value in (described | environment.server_settings.get(product, {})).items()
    )


def does_not_say(manifest: Manifest) -> tuple[str, ...]:
    """One phrase for each thing that this run did not vary, and so cannot speak of."""
    cells = _measured(manifest)
    about_load = *_about_load(cells), *_about_pools(cells), *_about_levels(cells, manifest)
    about_rows = _about_batches(cells)
    about_servers = _about_servers(cells, manifest)
    return (*_about_place(manifest, cells), *about_load, *about_rows, *about_servers)


def _measured(manifest: Manifest) -> list[Cell]:
    cells = dict.fromkeys(cell for group in manifest.groups for cell in group.cells)
    return [cell for cell in cells if cell.target != "none"]


def _products(cells: Sequence[Cell]) -> list[str]:
    return list(dict.fromkeys(product_name(cell.target) for cell in cells))


def _place(cell: Cell, manifest: Manifest) -> str:
    if cell.placement == "free" and (cores := manifest.environment.host.get("cores")):
        return f"client and server share {cores} cores"
    return _PLACES[cell.placement]


def _transport(manifest: Manifest) -> str:
    transports = (one.get("transport") for one in manifest.environment.servers.values())
    return " and ".join(dict.fromkeys(filter(None, transports))) or "loopback"


def _distance(cells: Sequence[Cell], added: Sequence[float]) -> str:
    """As "0 to 5 ms added to each round trip by a relay (in fact 0.03 and 5.12)"; "" without."""
    asked = sorted({cell.rtt for cell in cells if cell.rtt is not None})
    if not asked:
        return ""
    span = f"{asked[0]:g}" if len(asked) == 1 else f"{asked[0]:g} to {asked[-1]:g}"
    texts = [f"{one / 1e6:.2f}" for one in added]
    listed = " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))
    achieved = f" (in fact {listed})" if texts else ""
    return f"{span} ms added to each round trip by a relay{achieved}"


def _own(manifest: Manifest) -> bool:
    return all(one.get("kind") != "url" for one in manifest.environment.servers.values())


def _about_place(manifest: Manifest, cells: Sequence[Cell]) -> Iterator[str]:
    if _distance(cells, ()):
        yield "your network: a constant delay, no loss, no jitter, no limit of bandwidth"
    elif _own(manifest):
        yield f"your network: {_transport(manifest)} only"
    else:
        yield "other networks than the one between these two"
    yield "your queries and your rows: one table shape a scenario"
    yield f"tables of other sizes than {manifest.table_rows:,} rows"
    if any(one.get("durability") == "relaxed" for one in manifest.environment.servers.values()):
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


def _about_pools(cells: Sequence[Cell]) -> Iterator[str]:
    """Of a run that sweeps pools: what else decides how large a pool has to be."""
    swept = {cell.scenario for cell in cells if cell.pool is not None}
    here = [cell for cell in cells if cell.scenario in swept]
    if len({cell.pool for cell in here}) < 2:  # noqa: PLR2004 - one pool is not compared
        return
    yield "pools where operations hold a connection for longer or shorter: one workload a scenario"
    if all(cell.processes == 1 for cell in here):
        yield "several worker processes: each would have a pool of its own"


def _about_batches(cells: Sequence[Cell]) -> Iterator[str]:
    """Of a run that sweeps rows an operation: what else decides how they are best sent."""
    batches = sorted({cell.batch for cell in cells if cell.batch is not None})
    if len(batches) < 2:  # noqa: PLR2004 - one number of rows is not compared
        return
    yield f"other numbers of rows an operation than {', '.join(f'{one:,}' for one in batches)}"
    yield "wider rows, or tables with other indexes, triggers and foreign keys"


def _about_levels(cells: Sequence[Cell], manifest: Manifest) -> Iterator[str]:
    """Of a run that sweeps levels or pools, or whose operations contend: what it kept fixed."""
    levels = list(dict.fromkeys(cell.isolation for cell in cells))
    pools = {cell.pool for cell in cells}
    contend = any(cell.scenario in manifest.audited for cell in cells)
    if len(levels) == 1 and (pools != {None} or contend):
        yield f"other isolation levels than {levels[0] or 'the default of the server'}"
    if len(levels) > 1:
        yield "operations that meet less often, or on more rows: one contention a scenario"
        if pools == {None}:
            yield "pools with fewer connections than clients: each client has one"


def _about_servers(cells: Sequence[Cell], manifest: Manifest) -> Iterator[str]:
    products = _products(cells)
    missing = [name for name in _SERVERS if name not in products]
    if products and missing:
        were = "was" if len(products) == 1 else "were"
        alike = ", and MariaDB is not MySQL" if len({*missing} & {*_ALIKE}) == 1 else ""
        yield f"{' and '.join(missing)}: only {' and '.join(products)} {were} measured{alike}"
    if len(products) > 1:
        yield f"which of {', '.join(products[:-1])} and {products[-1]} is faster: never compared"
    yield from _about_noise(products, manifest)
    alone = [drivers[0] for drivers in _drivers(cells) if len(drivers) == 1]
    if alone:
        yield f"other drivers than {' and '.join(alone)}"
    if _own(manifest):
        yield "encrypted connections: no TLS"


def _about_noise(products: Sequence[str], manifest: Manifest) -> Iterator[str]:
    """Which servers no A/A pair ran on, where others had one."""
    paired = {
        product_name(group.cells[one.candidate].target)
        for group in manifest.groups
        for one in group.contrasts
        if one.kind == "aa"
    }
    without = [name for name in products if name not in paired]
    if without and len(without) < len(products):
        there = " and ".join(name for name in products if name in paired)
        yield f"the noise floor on {' and '.join(without)}: the A/A pair ran on {there}"


def _drivers(cells: Sequence[Cell]) -> Iterator[list[str]]:
    """The drivers of each product; with its name where there are several products."""
    products = _products(cells)
    for product in products:
        targets = dict.fromkeys(c.target for c in cells if product_name(c.target) == product)
        owner = f"{product}'s " if len(products) > 1 else ""
        yield [owner + bare_driver(target) for target in targets]
