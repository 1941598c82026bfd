"""psycopg2: what it has beside the Database API."""

from collections.abc import Sequence
from io import StringIO
from typing import Any

from sqlalchemy import Table

from ormbench.targets import dbapi, tab_lines


class Driver(dbapi.Driver):
    """What a raw lane receives: the Database API and COPY, whose lines the program makes."""

    __slots__ = ()

    def copy(self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Bring rows in by COPY, as text."""
        sql = self.statements.copy_text(table, columns)
        self.connection.cursor().copy_expert(sql, StringIO(tab_lines.lines(rows)))
