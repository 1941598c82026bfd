"""Settings files: one source for every kind of server, every line with its reason."""

import pytest

from ormbench.errors import UsageError
from ormbench.servers.server import PRODUCTS
from ormbench.servers.settings import (
    DURABILITIES,
    MAX_CONNECTIONS,
    files,
    for_server,
    parse_durability,
)

WAITS = {  # the settings by which a commit waits for the disk, and how
    "PostgreSQL": {"fsync": ("on", "off"), "synchronous_commit": ("on", "off")},
    "MySQL": {"innodb_flush_log_at_trx_commit": ("1", "0")},
    "MariaDB": {"innodb_flush_log_at_trx_commit": ("1", "0")},
}


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("durability", DURABILITIES)
def test_relaxed_and_durable_mean_the_same_on_each_server(product, durability):
    told = for_server(product, durability)
    for name, (durable, relaxed) in WAITS[product].items():
        assert told[name] == (durable if durability == "durable" else relaxed)
    assert told["max_connections"] == str(MAX_CONNECTIONS)


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("durability", DURABILITIES)
def test_every_setting_that_differs_from_the_default_has_its_reason(product, durability):
    for path in files(product, durability):
        lines = [line for line in path.read_text().splitlines() if line and line[0] not in "#["]
        assert lines
        if "durable" not in path.name:  # defaults, spelt out: one reason stands above them
            assert all(" # " in line for line in lines)


def test_a_setting_without_a_value_stands_alone():
    assert for_server("MySQL", "relaxed")["skip_log_bin"] == ""


def test_an_unknown_durability_is_named():
    with pytest.raises(UsageError, match="--durability strict: expected relaxed or durable"):
        parse_durability("strict")
