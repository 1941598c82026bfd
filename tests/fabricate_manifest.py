"""What a fabricated run says of itself: its plan, and an environment that nobody has."""

from collections.abc import Sequence

from ormbench.cell import Cell, Group, LeftOut
from ormbench.results.manifest import Environment, LaneText, Manifest

PRODUCTS = {"postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"}
_COPY = LeftOut(
    Cell(scenario="bulk_create", lane="copy", target="postgresql+psycopg"),
    "psycopg's COPY takes no binary dates",
)


def manifest_of(
    groups: Sequence[Group],
    blocks: int,
    rounds: int,
    seed: int,
    server: dict[str, str],
    left_out: Sequence[LeftOut] | None,
) -> Manifest:
    cells = [cell for group in groups for cell in group.cells]
    return Manifest(
        name="2026-11-22-1410-quick",
        started="2026-11-22T14:10:00+00:00",
        plan="quick",
        title="What does the ORM cost over Core, and Core over the driver?",
        focus=cells[0].scenario,
        reference="lane=core",
        blocks=blocks,
        rounds=rounds,
        seed=seed,
        table_rows=10_000,
        command=f"ormbench run quick --seed {seed}",
        groups=tuple(groups),
        left_out=(_COPY,) if left_out is None else tuple(left_out),
        lanes={f"{cell.scenario}/{cell.lane}": _lane(cell) for cell in cells},
        environment=_environment(server, [cell.target for cell in cells]),
        next_steps=("ormbench run aa",),
        scenarios={cell.scenario: f"What {cell.scenario} is in an application." for cell in cells},
    )


def _lane(cell: Cell) -> LaneText:
    docs = "https://docs.sqlalchemy.org/en/20/orm/queryguide/select.html"
    source = f"async def {cell.lane}(session, key):\n    return await session.get(Developer, key)\n"
    return LaneText(f"{cell.lane}, as the documentation advises", docs, source)


_KINDS = {"PostgreSQL": "embedded", "MySQL": "docker", "MariaDB": "docker"}
_SETTINGS = {
    "PostgreSQL": {"max_connections": "400", "synchronous_commit": "off"},
    "MySQL": {"innodb_flush_log_at_trx_commit": "0", "max_connections": "400"},
    "MariaDB": {"innodb_flush_log_at_trx_commit": "0", "max_connections": "400"},
}


def _described(product: str, added: dict[str, str]) -> dict[str, str]:
    kind = {"kind": _KINDS[product], "durability": "relaxed", "transport": "unix socket"}
    image = {"image": "a stand-in for mysql:9"} if product == "MySQL" else {}
    return {**kind, **image, **added}


def _environment(server: dict[str, str], targets: Sequence[str]) -> Environment:
    families = dict.fromkeys(one.partition("+")[0] for one in targets)
    products = [PRODUCTS[one] for one in families if one in PRODUCTS]
    return Environment(
        versions={
            "Python": "3.13.1",
            "SQLAlchemy": "2.1.9",
            "asyncpg": "0.32.0",
            "psycopg": "3.3.1",
            "aiomysql": "0.3.2",
            "asyncmy": "0.2.18",
            "pymysql": "1.2.0",
            "PostgreSQL": "18.4",
            "MySQL": "9.7.4",
            "MariaDB": "11.8.9",
        },
        host={"cores": "2", "cpu": "a processor", "kernel": "6.1", "memory": "8 GiB"},
        servers={product: _described(product, server) for product in products},
        server_settings={product: _SETTINGS[product] for product in products},
        commit="3f2a1c9",
    )
