"""What the embedded server is told, each setting with its reason, and what results may show.

Whatever is not named here stays at PostgreSQL's default, because that is what readers run.
"""

from collections.abc import Mapping
from typing import Literal

Durability = Literal["relaxed", "durable"]

MAX_CONNECTIONS = 400

COMMON: Mapping[str, str] = {
    "listen_addresses": "",  # the socket is the only door: nothing listens on a network
    "max_connections": str(MAX_CONNECTIONS),  # the same on each server that we start
    "shared_buffers": "256MB",  # holds each scenario's tables: the disk is not under test
    "max_wal_size": "4GB",  # a checkpoint for want of room would land in somebody's slice
    "checkpoint_timeout": "1h",  # so would a checkpoint by the clock
    "autovacuum": "off",  # so would a vacuum; it also sends traffic that is not ours
    "jit": "off",  # compiles by estimated cost: a few more rows would change the regime
    "timezone": "UTC",  # timestamps come back alike on every machine
    "log_timezone": "UTC",
}

DURABILITY: Mapping[Durability, Mapping[str, str]] = {
    "relaxed": {
        "fsync": "off",  # client cost is measured, and waiting for a disk would bury it
        "synchronous_commit": "off",  # a commit does not wait for the log to be written
        "full_page_writes": "off",  # the first change of a page costs what the next one does
        "wal_init_zero": "off",  # nobody's commit fills a new 16 MB of log with zeros
    },
    "durable": {  # PostgreSQL's own defaults, spelt out so that results record them
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
    },
}

_WORDS = (  # settings of type string that hold neither a path nor a secret
    "DateStyle",
    "TimeZone",
    "default_text_search_config",
    "lc_messages",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "log_timezone",
    "shared_preload_libraries",
    "synchronous_standby_names",
)

PUBLISHABLE = f"""
SELECT name, current_setting(name) FROM pg_settings
WHERE source NOT IN ('default', 'override', 'client', 'session')
  AND (vartype <> 'string' OR name IN ({", ".join(f"'{word}'" for word in _WORDS)}))
ORDER BY lower(name)
"""  # noqa: S608 - made of the constants above
"""Changed settings that may stand in a result; free text (addresses, commands, paths) may not."""


def for_postgres(durability: Durability, extra: Mapping[str, str]) -> dict[str, str]:
    """Everything that the server is started with; *extra* goes last and wins."""
    return {**COMMON, **DURABILITY[durability], **extra}
