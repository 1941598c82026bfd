"""The servers of a run, started, with the tables of its scenarios; stopped again at the end."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from ormbench.cell import Cell
from ormbench.loader import Loaded
from ormbench.run.context import Progress, Site
from ormbench.run.options import Options
from ormbench.servers.server import PRODUCTS, Product
from ormbench.targets.target import TARGETS
from ormbench.truth.tables import Tables


@contextmanager
def sites_of(
    cells: Sequence[Cell],
    loaded: Mapping[str, Loaded],
    options: Options,
    table_rows: int,
    progress: Progress,
) -> Iterator[dict[Product, Site]]:
    """Start the servers that *cells* need, with the tables of the scenarios they run there."""
    with ExitStack() as stack:
        sites: dict[Product, Site] = {}
        for product in PRODUCTS:
            names = [cell.scenario for cell in cells if _product(cell) == product]
            if names:
                scenarios = [loaded[name] for name in dict.fromkeys(names)]
                site = stack.enter_context(_site(product, scenarios, options, table_rows, progress))
                sites[product] = site
        yield sites


def _product(cell: Cell) -> Product | None:
    target = TARGETS.get(cell.target)
    return target.server if target else None


@contextmanager
def _site(
    product: Product,
    scenarios: Sequence[Loaded],
    options: Options,
    table_rows: int,
    progress: Progress,
) -> Iterator[Site]:
    kind, why = options.supply.kinds[product], options.supply.why.get(product, "")
    progress.say(f"{'on' if kind == 'url' else 'starting'} {product}, {kind}: {why}")
    server = options.supply.start(product, options.durability)
    try:
        tables = Tables(server.address, table_rows, options.schema)
        try:
            tables.prepare(scenarios)
            yield Site(server, tables)
        finally:
            left = tables.close()
            if left and server.kind == "url":  # those of our own servers go with them
                progress.say(f"the server did not let go, drop them by hand: {', '.join(left)}")
    finally:
        server.stop()
