"""The rows of a map of pools: where each stands, what it is called, which have enough. Pure."""

from ormbench.pool import FITTED, Pool, parse
from ormbench.report.pool_map import PoolMap, is_apart

APART = 0.3  # rows between pools that keep connections and those that keep none of SQLAlchemy's


def _pool(word: str | None) -> Pool:
    return parse(word) if word else FITTED


def heights(found: PoolMap) -> dict[str | None, float]:
    """Where the top of each row is, in rows from the top: those that keep none stand apart."""
    return {
        word: place + (APART if is_apart(_pool(word)) else 0.0)
        for place, word in enumerate(found.words)
    }


def label(found: PoolMap, word: str | None) -> list[str]:
    """As ["5+10 = 15", "ping timeout=1"], ["20+0"], ["fitted = clients"]."""
    pool = _pool(word)
    first, *options = pool.word.split(":")
    held = next(one.cell.connections for one in found.entries if one.cell.pool == word)
    if pool.kind in ("fitted", "driver") and pool.size is None:
        first += " = clients"
    elif pool.kind == "queue" and held != pool.size:
        first += f" = {held}"
    return [first, " ".join(options)] if options else [first]


def stairs(found: PoolMap) -> list[int]:
    """Of each column, how many of the rows that do not stand apart have a connection a client."""
    pools = [pool for word in found.words if not is_apart(pool := _pool(word))]
    processes = found.cell.processes

    def enough(pool: Pool, clients: int) -> bool:
        return processes * pool.most(-(-clients // processes)) >= clients

    return [sum(enough(pool, column.clients) for pool in pools) for column in found.columns]
