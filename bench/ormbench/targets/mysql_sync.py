"""PyMySQL and mysqlclient: what they have beside the Database API."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table

from ormbench.targets import dbapi, tab_lines


class Driver(dbapi.Driver):
    """What a raw lane receives: the Database API and LOAD DATA."""

    __slots__ = ()

    def load_data(
        self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> Any:
        """Write rows to a file and bring that in by LOAD DATA LOCAL; how many came in."""
        sql = self.statements.load_data(table, columns)
        with tab_lines.file_of(rows) as path:
            return self.connection.cursor().execute(sql, (path,))
