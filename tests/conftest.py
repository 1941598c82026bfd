"""What all tests share: one PostgreSQL of our own for the session."""

import pytest

from ormbench.servers.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def server():
    with EmbeddedPostgres.start() as running:
        yield running
