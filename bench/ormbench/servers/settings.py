"""What servers are told, from the commented files in ``docker/settings``; what results show.

One file holds for the embedded server, a local one and a container, so that ``relaxed`` and
``durable`` mean the same everywhere.
"""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Literal, get_args

from ormbench.errors import UsageError
from ormbench.servers.server import Product

Durability = Literal["relaxed", "durable"]
DURABILITIES: tuple[Durability, ...] = get_args(Durability)

MAX_CONNECTIONS = 400

_SUFFIX = {"PostgreSQL": "conf", "MySQL": "cnf", "MariaDB": "cnf"}


def folder() -> Path:
    """Where the files of ``docker/`` are, in a checkout and in an installed package."""
    return Path(str(resources.files("ormbench.docker")))


def files(product: Product, durability: Durability) -> tuple[Path, Path]:
    """The two settings files of a server, in the order in which they are read."""
    place, suffix = folder() / "settings", _SUFFIX[product]
    return (
        place / f"{product.lower()}.{suffix}",
        place / f"{product.lower()}.{durability}.{suffix}",
    )


def for_server(product: Product, durability: Durability) -> dict[str, str]:
    """Everything that a server is told: name -> value, "" for a name that stands alone."""
    return {
        name: value
        for path in files(product, durability)
        for name, value in _pairs(path.read_text(encoding="utf-8"))
    }


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        bare = line.partition("#")[0].strip()
        if bare and not bare.startswith("["):
            name, _, value = bare.partition("=")
            yield name.strip(), value.strip()


def parse_durability(word: str) -> Durability:
    """A word of ``--durability``. Raises UsageError."""
    for one in DURABILITIES:
        if word == one:
            return one
    raise UsageError(f"--durability {word}: expected relaxed or durable")


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

POSTGRESQL_PUBLISHABLE = f"""
SELECT name, current_setting(name) FROM pg_settings
WHERE source NOT IN ('default', 'override', 'client', 'session')
  AND (vartype <> 'string' OR name IN ({", ".join(f"'{word}'" for word in _WORDS)}))
ORDER BY lower(name)
"""  # noqa: S608 - made of the constants above
"""Changed settings that may stand in a result; free text (addresses, commands, paths) may not."""
