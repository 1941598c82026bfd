"""How every driver of MySQL and MariaDB is told where to connect, by SQLAlchemy and by itself."""

from typing import Any

from ormbench.targets.raw import RawSettings

CHARSET = "utf8mb4"  # named everywhere: a driver's default may be another
FOUND_ROWS = 2  # CLIENT_FOUND_ROWS: an UPDATE counts as SQLAlchemy's does, rows that it found


def connect_args(_schema: str) -> dict[str, Any]:
    """What SQLAlchemy hands to the driver beside the address, whose database is the schema."""
    return {"charset": CHARSET}


def keywords(settings: RawSettings) -> dict[str, Any]:
    """What a raw pool hands to the driver's ``connect``, but for the database."""
    address = settings.address
    if address.is_socket:
        way: dict[str, Any] = {"unix_socket": address.host}
    else:
        way = {"host": address.host, "port": address.port}
    return {
        **way,
        "user": address.user,
        "password": address.password,
        "charset": CHARSET,
        "client_flag": FOUND_ROWS,
    }


def dbapi_keywords(settings: RawSettings) -> dict[str, Any]:
    """The same with the database, as PyMySQL and mysqlclient call it."""
    return {**keywords(settings), "database": settings.address.database}


PLAIN = {"ssl_disabled": True}
"""PyMySQL encrypts by default, on a unix socket too, and no other driver here does."""


def pymysql_connect_args(schema: str) -> dict[str, Any]:
    """`connect_args` for PyMySQL."""
    return {**connect_args(schema), **PLAIN}


def pymysql_keywords(settings: RawSettings) -> dict[str, Any]:
    """`dbapi_keywords` for PyMySQL."""
    return {**dbapi_keywords(settings), **PLAIN}
