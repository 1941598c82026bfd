"""How every driver of MySQL and MariaDB is told where to connect, by SQLAlchemy and by itself."""

from typing import Any

from ormbench.targets.raw import RawSettings

CHARSET = "utf8mb4"  # named everywhere: a driver's default may be another
SET_NAMES = f"SET NAMES {CHARSET}"
"""What SQLAlchemy sends on each new connection: the collation is then the server's own choice, and
not the driver's. PyMySQL and mysqlclient send it by themselves."""
FOUND_ROWS = 2  # CLIENT_FOUND_ROWS: an UPDATE counts as SQLAlchemy's does, rows that it found


PYMYSQL: dict[str, Any] = {"ssl_disabled": True}
"""PyMySQL encrypts by default, on a unix socket too, where other drivers here do not."""
MYSQLCLIENT: dict[str, Any] = {"ssl_mode": "DISABLED"}
"""So does, over TCP, mysqlclient with a newer client library than it was tried with."""


_LEVEL_VARIABLE = {"MySQL": "transaction_isolation", "MariaDB": "tx_isolation"}
"""MariaDB has MySQL's name for it from 11.1 on."""


def session_level(settings: RawSettings) -> str:
    """What SET takes so that every transaction of a session has the level; "" for the default."""
    if settings.isolation is None:
        return ""
    level = settings.isolation.replace(" ", "-")
    return f"SESSION {_LEVEL_VARIABLE[settings.address.product]} = '{level}'"


def connect_args(_schema: str, **plain: Any) -> dict[str, Any]:
    """What SQLAlchemy hands to the driver beside the address, whose database is the schema."""
    return {"charset": CHARSET, **plain}


def keywords(settings: RawSettings) -> dict[str, Any]:
    """What a raw pool hands to the driver's ``connect``, but for the database."""
    address = settings.address
    if address.is_socket:
        way: dict[str, Any] = {"unix_socket": address.host}
    else:
        way = {"host": address.host, "port": address.port}
    loads = {"local_infile": True} if settings.loads_files else {}
    return {
        **way,
        **loads,
        "user": address.user,
        "password": address.password,
        "charset": CHARSET,
        "client_flag": FOUND_ROWS,
    }


def dbapi_keywords(settings: RawSettings, **plain: Any) -> dict[str, Any]:
    """The same with the database, as PyMySQL and mysqlclient call it."""
    level = session_level(settings)
    first = {"init_command": f"SET {level}"} if level else {}
    return {**keywords(settings), "database": settings.address.database, **first, **plain}
