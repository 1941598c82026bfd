"""What MySQL and MariaDB tell of themselves over a PyMySQL connection: product, version, settings.

Both speak one protocol and answer ``SELECT VERSION()``; which of them it is stands in the answer.
"""

import re
from typing import Any, TypeAlias

import pymysql

from ormbench.errors import ServerError
from ormbench.servers.server import Product

Connection: TypeAlias = pymysql.Connection

_VERSION = re.compile(r"(?:5\.5\.5-)?(\d+\.\d+\.\d+)")  # old replication asked MariaDB for a 5.5.5

_WORDS = (  # settings of free text that hold neither a path nor a secret
    "binlog_format",
    "binlog_row_image",
    "character_set_server",
    "collation_server",
    "default_storage_engine",
    "innodb_flush_method",
    "sql_mode",
    "time_zone",
    "transaction_isolation",
    "tx_isolation",
)
_ORIGINLESS = ("character_set_server", "collation_server", "log_bin", "time_zone")
"""Set by options of another name, so that a server calls them unchanged: they are always told."""

_BY_CONNECTING = ("autocommit", "foreign_key_checks", "sql_log_bin", "unique_checks")
"""What a driver, or the server's own set-up, changes for its session: that is no setting."""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


_MYSQL = f"""
SELECT lower(variable_name), g.variable_value
FROM performance_schema.global_variables g
JOIN performance_schema.variables_info i USING (variable_name)
WHERE variable_name IN ({_listed(_ORIGINLESS)})
   OR (i.variable_source <> 'COMPILED' AND variable_name NOT IN ({_listed(_BY_CONNECTING)})
       AND (i.max_value NOT IN ('', '0') OR g.variable_value IN ('ON', 'OFF')
            OR variable_name IN ({_listed(_WORDS)})))
ORDER BY 1
"""  # noqa: S608 - made of the constants above; of the types, MySQL 8 tells a number's range alone

_MARIADB = f"""
SELECT lower(variable_name), global_value FROM information_schema.system_variables
WHERE global_value IS NOT NULL
  AND (variable_name IN ({_listed(_ORIGINLESS)})
       OR (global_value_origin IN ('CONFIG', 'COMMAND-LINE', 'SQL')
           AND variable_name NOT IN ({_listed(_BY_CONNECTING)})
           AND (variable_type <> 'VARCHAR' OR variable_name IN ({_listed(_WORDS)}))))
ORDER BY 1
"""  # noqa: S608 - made of the constants above


def product_and_version(connection: Connection) -> tuple[Product, str]:
    """Which of the two it is, and ``MariaDB 10.11.14`` or ``MySQL 9.7.4``. Raises ServerError."""
    ((told,),) = _rows(connection, "SELECT VERSION()")
    return named(str(told))


def named(told: str) -> tuple[Product, str]:
    """The same of what ``SELECT VERSION()`` or ``mysqld --version`` says. Raises ServerError."""
    found = _VERSION.search(told)
    if found is None:
        raise ServerError(
            f"the server calls its version {told!r}; a MySQL or MariaDB says one like 8.4.3"
        )
    product: Product = "MariaDB" if "mariadb" in told.lower() else "MySQL"
    return product, f"{product} {found[1]}"


def changed_settings(connection: Connection, product: Product) -> dict[str, str]:
    """Settings that differ from the product's defaults, by name; no path, no secret, no host.

    Also those of which the server cannot tell whether they differ. Raises ServerError.
    """
    rows = _rows(connection, _MARIADB if product == "MariaDB" else _MYSQL)
    return {str(name): str(value) for name, value in rows}


def _rows(connection: Connection, query: str) -> tuple[tuple[Any, ...], ...]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return tuple(cursor.fetchall())
    except pymysql.MySQLError as error:
        raise ServerError(f"the server does not tell its settings: {reason(error)}") from error


def reason(error: pymysql.MySQLError) -> str:
    """What an error of PyMySQL says, in one line, without its number."""
    return " ".join(str(error.args[-1] if error.args else error).split())
