"""Fetching puts the distribution's server into the user's cache: whole, or not at all."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from coordinators import NOBODY, PACKAGE, PLACES, interpreter_for_nobody

from ormbench.errors import ServerError, UsageError
from ormbench.servers import apt, cache, fetch, local, mysqld

debian = pytest.mark.skipif(not apt.is_here(), reason="needs apt-get and dpkg-deb")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root alone can become somebody else")
SOURCE = f"""
import ormbench
ormbench.__path__.append({str(PACKAGE.parents[1])!r})
from ormbench.errors import ServerError
from ormbench.servers import fetch, mysqld
mysqld._installed = lambda _: iter(())
try:
    print(fetch.fetch("MariaDB"))
except ServerError as error:
    print("refused:", error)
"""


@pytest.fixture
def empty(monkeypatch, tmp_path):
    """A machine with no server and an empty cache, whose place it is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(mysqld, "_installed", lambda _: iter(()))
    return tmp_path / "cache" / "ormbench" / "servers"


# What is refused


def test_postgresql_is_not_fetched():
    with pytest.raises(UsageError, match="expected mysql or mariadb"):
        fetch.fetch("PostgreSQL")


@pytest.mark.parametrize("product", local.OFFERS)
@pytest.mark.usefixtures("empty")
def test_elsewhere_than_on_debian_it_says_what_to_install(monkeypatch, tmp_path, product):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerError, match="no apt-get here; install m") as caught:
        fetch.fetch(product)
    assert "\n" not in str(caught.value)


@debian
@pytest.mark.usefixtures("empty")
def test_a_cache_that_cannot_be_made_is_named_in_one_line(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ServerError, match="cannot be written: Not a directory; set XDG_CACHE"):
        fetch.fetch("MariaDB")


@debian
@pytest.mark.usefixtures("empty")
def test_a_cache_with_a_colon_is_refused_because_a_loader_would_split_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a:b"))
    with pytest.raises(ServerError, match="colon"):
        fetch.fetch("MariaDB")


def test_a_cache_that_is_no_absolute_path_is_ignored_as_the_standard_says(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache.place() == Path("/home/somebody/.cache/ormbench/servers")


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ("W: old\nE: Unable to locate package  mariadb\n", "Unable to locate package mariadb"),
        (
            "E: Failed to fetch http://deb.example.org/x  404\n",
            "it failed; does `apt-get update` work on this machine?",
        ),
        (
            "E: Could not resolve 'deb.example.org'\nE: Broken packages\n",
            "Broken packages",
        ),
    ],
)
def test_a_complaint_of_apt_is_one_line_that_names_no_host(told, line):
    assert apt.complaint(told) == line


def test_what_a_killed_fetch_left_is_removed_a_day_later(tmp_path):
    old, young = tmp_path / ".fetch-old", tmp_path / ".fetch-young"
    for folder in (old, young):
        (folder / "tree").mkdir(parents=True)
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    fetch._tidy(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == [".fetch-young"]


# For real


@debian
@pytest.mark.servers
def test_mariadb_is_fetched_once_and_can_be_started(empty):
    first = fetch.fetch("MariaDB")
    assert "is in the cache now: package mariadb-server-core" in first
    entries = list(empty.iterdir())
    assert len(entries) == 1
    assert (entries[0] / cache.LABEL).read_text().startswith("mariadb-server-core")
    begun = time.monotonic()
    assert "is here already (unpacked package mariadb-server-core" in fetch.fetch("MariaDB")
    assert time.monotonic() - begun < 2
    assert list(empty.iterdir()) == entries
    with local.start("MariaDB", "relaxed") as server:
        assert server.version in first


@debian
@pytest.mark.servers
def test_two_at_once_end_in_one_whole_entry(empty):
    both = [popen(empty) for _ in range(2)]
    for one in both:
        told, _ = one.communicate(timeout=200)
        assert one.returncode == 0
        assert "MariaDB" in told
        assert "refused" not in told
    (entry,) = empty.iterdir()
    assert mysqld.unpacked("MariaDB", entry) is not None


@debian
@pytest.mark.servers
def test_empty_lists_of_the_system_are_made_up_for(empty, monkeypatch, tmp_path):
    monkeypatch.setattr(apt, "LISTS", tmp_path / "nothing")
    assert "is in the cache now" in fetch.fetch("MariaDB")
    assert len(list(empty.iterdir())) == 1
    assert not (tmp_path / "nothing").exists()


@debian
@pytest.mark.servers
def test_a_system_without_the_package_says_so_in_one_line(empty, monkeypatch):
    monkeypatch.setitem(fetch._STEMS, "MariaDB", ("no-such-server-core",))
    with pytest.raises(ServerError, match="hold no no-such-server-core; install") as caught:
        fetch.fetch("MariaDB")
    assert "\n" not in str(caught.value)
    assert not list(empty.iterdir())


@debian
@as_root
@pytest.mark.servers
def test_an_ordinary_user_can_fetch(tmp_path):
    home = for_nobody(tmp_path)
    told, _ = popen(
        home / "ormbench" / "servers", python=interpreter_for_nobody(), user=NOBODY
    ).communicate(timeout=200)
    assert "is in the cache now" in told
    (entry,) = (home / "ormbench" / "servers").iterdir()
    assert entry.stat().st_uid == NOBODY


@debian
@as_root
@pytest.mark.servers
def test_an_ordinary_user_who_may_not_write_the_cache_is_told_so(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    told, _ = popen(
        closed / "ormbench" / "servers", python=interpreter_for_nobody(), user=NOBODY
    ).communicate(timeout=200)
    assert told.startswith("refused: the cache ")
    assert "Permission denied; set XDG_CACHE_HOME" in told
    assert told.count("\n") == 1


def for_nobody(tmp_path):
    """A folder that nobody may write, which takes that nobody reaches it."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and "pytest" in str(folder):
            folder.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    return home


def popen(place, python=sys.executable, user=None):
    """Another process that fetches into *place*."""
    return subprocess.Popen(
        [python, "-c", SOURCE],
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env={**os.environ, "XDG_CACHE_HOME": str(place.parents[1]), "PYTHONPATH": PLACES},
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
