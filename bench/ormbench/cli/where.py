"""Where a run takes place: the words of ``--server``, ``--url``, ``--allow-host``, ``--schema``."""

import os
import re
import secrets
import sys
from argparse import Namespace

from ormbench.errors import UsageError
from ormbench.servers.destination import DEFAULT_VARIABLE, parse
from ormbench.servers.supply import Supply, choose, on_url, parse_wanted
from ormbench.servers.url import UrlServer

OWN_SCHEMA = "bench"
SHARED = frozenset({"docker", "url"})  # kinds of servers that another run may be on, too
_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,39}")


def supply_of(arguments: Namespace) -> Supply:
    """Where servers come from; the one of a URL is asked what it is. Raises OrmbenchError."""
    schema_of(arguments, Supply())
    if arguments.url is None:
        if arguments.allow_host:
            raise UsageError("--allow-host is about the host of --url, and there is none")
        return choose(parse_wanted(arguments.server or "auto"))
    if arguments.server is not None:
        raise UsageError("--server and --url: one of them; a URL leads to a server already")
    if arguments.durability is not None:
        raise UsageError("--durability is about servers of ours; that of --url has its own")
    there = parse(arguments.url, os.environ)
    if there.typed:
        print(
            "ormbench: a URL that is typed in stands, with its password, in the shell's history "
            f"and in `ps`; --url env:{DEFAULT_VARIABLE} does not",
            file=sys.stderr,
        )
    return on_url(UrlServer.reach(there.address, arguments.allow_host), there.driver)


def schema_of(arguments: Namespace, supply: Supply) -> str:
    """How the names of the run's schemas begin. Raises UsageError."""
    given: str | None = arguments.schema
    if given is None:
        shared = SHARED & {*supply.kinds.values()}
        return f"ormbench_{secrets.token_hex(3)}" if shared else OWN_SCHEMA
    if not _SCHEMA.fullmatch(given):
        raise UsageError(
            f"--schema {given}: expected lower-case letters, digits and _, a letter first, "
            "40 at most"
        )
    return given


def words_of(arguments: Namespace) -> list[str]:
    """The words that lead there again; of a URL only the name of the variable that holds it."""
    words = []
    if arguments.url is not None:
        words += ["--url", parse(arguments.url, os.environ).told]
    for host in arguments.allow_host:
        words += ["--allow-host", host]
    if arguments.schema is not None:
        words += ["--schema", arguments.schema]
    return words
