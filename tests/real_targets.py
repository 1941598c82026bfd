"""Targets as parameters of tests that go to their real servers."""

import os

import pytest

from ormbench.targets.target import TARGETS

QUICK = ("postgresql+asyncpg", "postgresql+psycopg_sync")  # one that waits, one that blocks


def marked(names, quick=QUICK):
    """Target names as parameters; those that `make test` does not run are marked for it."""
    servers = pytest.mark.servers
    return [name if name in quick else pytest.param(name, marks=servers) for name in names]


def required(name):
    """The target; where its driver is not installed a test skips, and fails where CI is set."""
    target = TARGETS[name]
    if reason := target.missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return target


def server_address(request, target):
    """Where the target's server of the session is."""
    if target.server == "PostgreSQL":
        return request.getfixturevalue("server").address
    return request.getfixturevalue(f"{target.server.lower()}_address")
