"""Connections of the harness itself to a server at an address: never measured."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pymysql

from ormbench.errors import ServerError
from ormbench.servers import mysql_family, postgresql
from ormbench.servers.server import Address

POSTGRESQL_DATABASE = "postgres"  # what happens there is not counted in the database of the run


@contextmanager
def postgresql_connection(address: Address) -> Iterator[psycopg.Connection[Any]]:
    """An autocommit connection. Raises ServerError where the server does not answer."""
    try:
        connection = psycopg.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password or None,
            dbname=address.database,
            autocommit=True,
        )
    except psycopg.Error as error:
        raise ServerError(f"PostgreSQL does not answer: {postgresql.reason(error)}") from error
    with closing(connection):
        yield connection


@contextmanager
def mysql_connection(address: Address) -> Iterator[mysql_family.Connection]:
    """A connection to MySQL or MariaDB. Raises ServerError where the server does not answer."""
    way = (
        {"unix_socket": address.host}
        if address.is_socket
        else {"host": address.host, "port": address.port}
    )
    try:
        connection = pymysql.connect(
            **way,
            user=address.user,
            password=address.password,
            database=address.database,
            charset="utf8mb4",
            autocommit=True,
        )
    except pymysql.MySQLError as error:
        complaint = mysql_family.reason(error)
        raise ServerError(f"{address.product} does not answer: {complaint}") from error
    with closing(connection):
        yield connection


def version(address: Address) -> str:
    """Product and version, as the server says. Raises ServerError."""
    if address.product == "PostgreSQL":
        with postgresql_connection(replace(address, database=POSTGRESQL_DATABASE)) as connection:
            return postgresql.version(connection)
    with mysql_connection(address) as connection:
        product, told = mysql_family.product_and_version(connection)
    if product != address.product:
        raise ServerError(f"the image for {address.product} holds {told}; name another image")
    return told


def changed_settings(address: Address) -> dict[str, str]:
    """Settings that differ from the product's defaults: no path, no secret. Raises ServerError."""
    if address.product == "PostgreSQL":
        with postgresql_connection(replace(address, database=POSTGRESQL_DATABASE)) as connection:
            return postgresql.changed_settings(connection)
    with mysql_connection(address) as connection:
        return mysql_family.changed_settings(connection, address.product)
