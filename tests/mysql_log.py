"""What a MySQL or MariaDB server heard on a connection, from its own general log."""

from contextlib import contextmanager

import pymysql

SETTINGS = ("log_output", "general_log")


def connected(address, database=None):
    return pymysql.connect(
        unix_socket=address.host if address.is_socket else None,
        host=None if address.is_socket else address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=database,
        autocommit=True,
    )


def rows(connection, sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


@contextmanager
def listening(control, *thread_ids):
    """The commands of these connections while the block runs; the list is filled at its end."""
    before = [rows(control, f"SELECT @@{name}")[0][0] for name in SETTINGS]
    heard = []
    control.cursor().execute("SET GLOBAL log_output = 'TABLE', GLOBAL general_log = 1")
    try:
        rows(control, "TRUNCATE mysql.general_log")
        yield heard
        found = rows(control, "SELECT thread_id, command_type, argument FROM mysql.general_log")
        heard += [
            text(command, argument)
            for thread_id, command, argument in found
            if thread_id in thread_ids
        ]
    finally:
        for name, value in zip(reversed(SETTINGS), reversed(before), strict=True):
            rows(control, f"SET GLOBAL {name} = %s", value)


def text(command, argument):
    """A statement as it is; any other command by its name, so that none goes unseen."""
    words = argument.decode() if isinstance(argument, bytes) else argument
    return words if command == "Query" else f"<{command}>"
