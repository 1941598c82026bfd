"""What all tests share: one PostgreSQL of our own for the session, and a SIGINT that arrives."""

import signal

import pytest

from ormbench.servers.embedded import EmbeddedPostgres

# A shell starts background jobs with SIGINT ignored, and children inherit that: the runs that
# tests interrupt would never hear of it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def server():
    with EmbeddedPostgres.start() as running:
        yield running
