"""What a run hands to its blocks, for tests that measure blocks of their own on a real server."""

import os
from contextlib import contextmanager
from itertools import count

from ormbench.cell import Group
from ormbench.run.context import Context, Site
from ormbench.run.pace import Paces
from ormbench.run.routes import Routes
from ormbench.truth.tables import Tables

_NUMBERS = count()  # of contexts: several may be open at once


class Names:
    """Progress that keeps the names of the groups."""

    def __init__(self):
        self.groups = []

    def block(self, number, blocks): ...
    def group_done(self): ...
    def say(self, text): ...

    def group(self, name):
        self.groups.append(name)


@contextmanager
def context(server, loaded, *groups, longest=10.0, table_rows=500, rounds=2):
    """That of *groups*, each a tuple of cells; a group is called after its first cell."""
    made = tuple(Group(cells[0].id, tuple(cells)) for cells in groups)
    tables = Tables(server.address, table_rows, f"blocks{os.getpid()}n{next(_NUMBERS)}")
    try:
        tables.prepare(loaded.values())
        sites = {server.product: Site(server, tables)}
        given = (sites, loaded, made, 2, rounds, 7, table_rows, 30.0, Names())
        with Routes() as routes:
            yield Context(*given, paces=Paces(longest), routes=routes)
    finally:
        tables.close()
