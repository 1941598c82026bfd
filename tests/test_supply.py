"""Where servers come from: the first source that can give a product, and why the others cannot."""

import pytest

from ormbench.errors import UsageError
from ormbench.servers.supply import EVERYTHING, SOURCES, choose, parse_wanted


class Source:
    """A source that offers what it is told to and has what it is told to; starts nothing."""

    def __init__(self, offers, has=()):
        self.OFFERS, self.has = offers, has

    def unavailable(self, product):
        return None if product in self.has else f"get {product.lower()} first"


EMBEDDED = Source(("PostgreSQL",), ("PostgreSQL",))
LOCAL = Source(("MySQL", "MariaDB"), ("MariaDB",))
DOCKER = Source(("PostgreSQL", "MySQL", "MariaDB"), ("PostgreSQL", "MySQL", "MariaDB"))
NO_DOCKER = Source(("PostgreSQL", "MySQL", "MariaDB"))


def sources(docker=DOCKER):
    return {"embedded": EMBEDDED, "local": LOCAL, "docker": docker}


def test_auto_takes_for_each_product_the_first_source_that_has_it_and_says_why():
    found = choose("auto", sources())
    assert found.kinds == {"PostgreSQL": "embedded", "MySQL": "docker", "MariaDB": "local"}
    assert found.missing == {}
    assert found.why["MariaDB"] == "the first that can run here"
    assert found.why["MySQL"] == "the first that can run here (local: get mysql first)"


def test_what_no_source_has_is_missing_with_every_reason():
    found = choose("auto", sources(NO_DOCKER))
    assert found.lacks("MySQL") == "local: get mysql first; docker: get mysql first"
    assert found.lacks("MariaDB") is None
    assert "MySQL" not in found.kinds


def test_a_source_that_is_asked_for_is_the_only_one_that_is_tried():
    found = choose("embedded", sources())
    assert found.kinds == {"PostgreSQL": "embedded"}
    assert found.lacks("MySQL") == "embedded has no MySQL: --server local or docker"
    assert choose("docker", sources()).kinds == dict.fromkeys(found.kinds | found.missing, "docker")


def test_an_unknown_source_is_named_with_those_there_are():
    with pytest.raises(UsageError, match="--server dokcer: expected one of auto, embedded, local"):
        parse_wanted("dokcer")


def test_plans_nobody_is_about_to_run_lack_nothing():
    assert all(EVERYTHING.lacks(product) is None for product in ("PostgreSQL", "MySQL", "MariaDB"))


def test_embedded_postgresql_can_run_wherever_the_tests_do():
    assert choose("auto").kinds["PostgreSQL"] == "embedded"
    assert SOURCES["embedded"].unavailable("MySQL")
