"""Under which conditions cells ran, in words: servers, driver, versions, clients, placement."""

from collections.abc import Iterable

from ormbench.cell import Cell
from ormbench.report.findings import Findings
from ormbench.report.names import bare_driver

_PLACEMENTS = {
    "one-core": "client and server share one core",
    "split": "client and server on separate cores",
    "free": "client and server placed by the system",
}


def servers_text(findings: Findings) -> str:
    """Say "PostgreSQL 18.4 embedded, MariaDB 11.8.9 docker"; "" where there was no database."""
    return ", ".join(f"{product} {words}".strip() for product, words in findings.servers)


def focus_driver(findings: Findings) -> str:
    """Say "asyncpg 0.32.0"."""
    return findings.focus_driver or bare_driver(findings.focus_target)


def versions(findings: Findings, *names: str) -> tuple[str, ...]:
    """Those of *names* that the environment knows, with their values: "SQLAlchemy 2.1.9"."""
    known = dict(findings.environment)
    return tuple(f"{name} {known[name]}" for name in names if name in known)


def clients_text(cells: Iterable[Cell]) -> str:
    """Say "1 client", "16 clients", or "1 to 64 clients" where *cells* differ."""
    counts = sorted({cell.clients for cell in cells}) or [1]
    span = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"{span} client{'' if counts == [1] else 's'}"


def transaction_text(cells: Iterable[Cell]) -> str:
    """How the operations of *cells* end, in words; each shape once."""
    shapes = {"per-operation": "a transaction per operation", "autocommit": "autocommit"}
    return ", ".join(dict.fromkeys(shapes[cell.transaction] for cell in cells))


def placement_text(cells: Iterable[Cell]) -> str:
    """Which cores the processes of *cells* had, in words; each placement once."""
    return "; ".join(dict.fromkeys(_PLACEMENTS[cell.placement] for cell in cells))
