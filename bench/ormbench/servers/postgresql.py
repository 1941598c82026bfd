"""What PostgreSQL tells of itself over a psycopg connection: version and settings."""

from typing import Any

import psycopg

from ormbench.errors import ServerError
from ormbench.servers.settings import POSTGRESQL_PUBLISHABLE

Connection = psycopg.Connection[Any]


def version(connection: Connection) -> str:
    """Product and version: ``PostgreSQL 18.4``."""
    number = connection.info.server_version
    return f"PostgreSQL {number // 10_000}.{number % 10_000}"


def changed_settings(connection: Connection) -> dict[str, str]:
    """Settings that differ from PostgreSQL's defaults: no path, no secret. Raises ServerError."""
    try:
        return dict(connection.execute(POSTGRESQL_PUBLISHABLE).fetchall())
    except psycopg.Error as error:
        raise ServerError(f"PostgreSQL does not tell its settings: {reason(error)}") from error


def reason(error: psycopg.Error) -> str:
    """What an error of psycopg says, in one line."""
    return " ".join(str(error).split())
