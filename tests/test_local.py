"""A private MySQL or MariaDB from this machine answers, obeys, and leaves nothing behind."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import mysqld_from_image
import pymysql
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

from ormbench.errors import ServerError
from ormbench.servers import cache, fetch, local, mysql_family, mysqld, processes
from ormbench.servers.server import Server

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root alone has to change its account")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and core affinity of Linux")


# Without a server


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine without any server: an empty PATH, no usual folders, an empty cache."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(mysqld, "_FOLDERS", ())
    (tmp_path / "bin").mkdir()
    return tmp_path


def pretend(path, told):
    """An executable that calls its version *told*."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{path} {told}'\n")
    path.chmod(0o755)


MARIADB = "Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu on x86_64 (Debian 12)"
MYSQL = "Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)"


@pytest.mark.parametrize("product", local.OFFERS)
@pytest.mark.usefixtures("bare")
def test_without_a_server_the_line_says_what_to_install(product):
    line = local.unavailable(product)
    assert "install" in line
    assert "\n" not in line
    with pytest.raises(ServerError, match=f"local {product}: no m"):
        local.start(product, "relaxed")


def test_a_mysqld_of_mariadb_is_not_taken_for_mysql(bare):
    pretend(bare / "bin" / "mysqld", MARIADB)
    assert local.unavailable("MySQL") is not None
    assert mysqld.find("MariaDB").version == "MariaDB 10.11.14"


def test_the_version_is_not_read_out_of_the_path(bare):
    pretend(bare / "mariadb-10.11.1" / "mysqld", MYSQL)
    (bare / "bin" / "mysqld").symlink_to(bare / "mariadb-10.11.1" / "mysqld")
    assert mysqld.find("MySQL").version == "MySQL 8.4.3"
    assert mysqld.find("MariaDB") is None


def test_a_binary_that_does_not_run_is_passed_over(bare):
    broken = bare / "bin" / "mysqld"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    assert local.unavailable("MySQL") is not None


def test_an_installed_server_goes_before_an_unpacked_one(bare):
    entry = cache.place() / "mariadb-10.6.1"
    pretend(entry / "usr" / "sbin" / "mariadbd", MARIADB.replace("10.11.14", "10.6.1"))
    assert mysqld.find("MariaDB") is None  # not complete without its label
    (entry / cache.LABEL).write_text("mariadb-server-core 1:10.6.1\n")
    assert mysqld.find("MariaDB").origin == "unpacked package mariadb-server-core 1:10.6.1"
    pretend(bare / "bin" / "mariadbd", MARIADB)
    assert mysqld.find("MariaDB").version == "MariaDB 10.11.14"


@pytest.mark.parametrize(
    ("told", "product", "version"),
    [
        ("10.11.14-MariaDB-0+deb12u2", "MariaDB", "MariaDB 10.11.14"),
        ("5.5.5-11.8.3-MariaDB-log", "MariaDB", "MariaDB 11.8.3"),
        ("9.7.4-2", "MySQL", "MySQL 9.7.4"),
        ("8.0.36-0ubuntu0.22.04.1", "MySQL", "MySQL 8.0.36"),
    ],
)
def test_a_version_names_its_product(told, product, version):
    assert mysql_family.named(told) == (product, version)


def test_a_version_without_a_number_is_refused_in_one_line():
    with pytest.raises(ServerError, match="calls its version 'what'"):
        mysql_family.named("what")


# With one


@pytest.fixture(scope="module")
def real_mysql():
    """MySQL's binaries on PATH: the machine's, or those of a container image."""
    with tempfile.TemporaryDirectory(dir="/tmp") as path, pytest.MonkeyPatch.context() as patch:
        if local.unavailable("MySQL"):
            if reason := mysqld_from_image.missing():
                absent(reason)
            Path(path).chmod(0o755)
            found = mysqld_from_image.unpacked(Path(path))
            patch.setenv("PATH", f"{found}{os.pathsep}{os.environ['PATH']}")
        yield


@pytest.fixture(scope="module")
def real_mariadb():
    """MariaDB's binaries, fetched where CI has none."""
    if os.environ.get("CI"):
        fetch.fetch("MariaDB")
    if reason := local.unavailable("MariaDB"):
        absent(reason)


@pytest.fixture(scope="module", params=local.OFFERS)
def server(request):
    request.getfixturevalue(f"real_{request.param.lower()}")
    with local.start(request.param, "relaxed") as running:
        yield running


@pytest.fixture
def folder(monkeypatch, tmp_path_factory):
    """A temporary folder with a short path, in which servers are to put their own."""
    tmp_path_factory.getbasetemp()  # now, or it would be made in here
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as path:
        Path(path).chmod(0o1777)
        monkeypatch.setenv("TMPDIR", path)
        monkeypatch.setattr(tempfile, "tempdir", None)
        yield Path(path)


def absent(reason):
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def connect(server, **more):
    where = server.address
    return pymysql.connect(unix_socket=where.host, user=where.user, database=where.database, **more)


def ask(server, question):
    with connect(server) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchall()


@pytest.mark.servers
def test_a_server_fulfils_the_protocol(server):
    one: Server = server
    assert re.fullmatch(rf"{server.product} \d+\.\d+\.\d+", one.version)
    assert one.kind == "local"
    assert one.alive()
    assert ask(one, "SELECT DATABASE()") == (("bench",),)


@pytest.mark.servers
def test_its_account_may_make_and_drop_databases(server):
    ask(server, "CREATE DATABASE made_here")
    ask(server, "DROP DATABASE made_here")


@pytest.mark.servers
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("max_connections", 400),
        ("innodb_flush_log_at_trx_commit", 0),
        ("innodb_doublewrite", "OFF"),
        ("skip_networking", 1),
        ("collation_server", "utf8mb4_bin"),
        ("time_zone", "+00:00"),
        ("log_bin", 0),
    ],
)
def test_a_setting_is_in_force(server, variable, value):
    ((found,),) = ask(server, f"SELECT @@GLOBAL.{variable}")
    assert str(found).replace("OFF", "0") == str(value).replace("OFF", "0")


@pytest.mark.servers
def test_published_settings_are_the_changed_ones_and_show_no_path(server):
    published = server.settings()
    assert published["innodb_flush_log_at_trx_commit"] == "0"
    assert published["max_connections"] == "400"
    assert published["collation_server"] == "utf8mb4_bin"
    assert "sort_buffer_size" not in published
    assert not [value for value in published.values() if "/" in value]


@pytest.mark.servers
def test_the_description_tells_where_the_binaries_are_from_but_no_path(server):
    told = server.description()
    assert told["kind"] == "local"
    assert told["durability"] == "relaxed"
    assert told["transport"] == "unix socket"
    assert re.match(r"(un|in)(packed|stalled)", told["binaries"])
    assert not [value for value in told.values() if "/" in value]


@pytest.mark.servers
def test_durable_waits_for_the_disk(server):
    with local.start(server.product, "durable") as own:
        published = own.settings()
    assert published["innodb_flush_log_at_trx_commit"] == "1"
    assert published["innodb_doublewrite"] == "ON"


@pytest.mark.servers
@linux
def test_all_threads_stay_on_the_cores_they_are_placed_on(server):
    allowed = frozenset(os.sched_getaffinity(0))
    for cpus in [*(frozenset({cpu}) for cpu in sorted(allowed)), allowed]:
        server.place(cpus)
        with contextlib.ExitStack() as open_now:
            for _ in range(5):
                open_now.enter_context(connect(server))
            present = processes.threads(server.pid)
            assert len(present) > 5
            assert all(os.sched_getaffinity(thread) == cpus for thread in present)


@pytest.mark.servers
@linux
def test_cpu_time_grows_with_the_work_of_the_server_and_agrees_with_proc(server):
    with connect(server) as connection, connection.cursor() as cursor:
        before, ticks = server.cpu_ns(), in_ticks(server.pid)
        cursor.execute("SELECT BENCHMARK(3000000, SHA2('x', 256))")
    grown = server.cpu_ns() - before
    assert grown > 50_000_000
    assert abs(grown - (in_ticks(server.pid) - ticks)) < 30_000_000


def in_ticks(pid):
    """CPU time of a process by ``/proc/PID/stat``, in ns; it counts in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


@pytest.mark.servers
def test_a_query_of_a_paused_server_waits_until_it_goes_on(server):
    ended = []
    with connect(server) as connection, connection.cursor() as cursor:
        server.pause()
        asking = threading.Thread(
            target=lambda: ended.append(cursor.execute("SELECT 1")), daemon=True
        )
        asking.start()
        asking.join(0.3)
        assert server.alive()
        assert not ended
        server.resume()
        server.resume()
        asking.join(10)
        assert ended == [1]


# Nothing is left


@pytest.mark.servers
@linux
def test_a_normal_end_leaves_nothing(server, folder):
    with local.start(server.product, "relaxed") as own:
        pids = [own._keeper.pid, own.pid]
        assert own.directory.parent == folder
        assert all(runs(pid) for pid in pids)
    assert nothing_left(folder, pids)
    assert not own.alive()
    assert own.cpu_ns() is None
    own.stop()


@pytest.mark.servers
@linux
def test_a_paused_server_can_be_stopped(server, folder):
    with local.start(server.product, "relaxed") as own:
        pids = [own._keeper.pid, own.pid]
        own.pause()
    assert nothing_left(folder, pids)


@pytest.mark.servers
@linux
@pytest.mark.parametrize(
    ("number", "paused"),
    [(signal.SIGKILL, True), (signal.SIGINT, False)],
    ids=["kill -9 of a paused one", "Ctrl-C"],
)
def test_a_coordinator_that_is_struck_down_leaves_nothing(server, folder, number, paused):
    with coordinator(folder, server=("local", server.product), paused=paused) as process:
        assert process.stdout.readline() == "starting\n"
        pids = json.loads(process.stdout.readline())["family"]
        assert all(runs(pid) for pid in pids[:2])
        os.killpg(process.pid, number)
        process.communicate(timeout=20)
    assert settles(lambda: nothing_left(folder, pids))


@pytest.mark.servers
@linux
def test_a_coordinator_that_is_struck_down_while_it_starts_leaves_nothing(server, folder):
    with coordinator(folder, server=("local", server.product)) as process:
        assert process.stdout.readline() == "starting\n"
        time.sleep(0.5)
        process.kill()
        process.communicate(timeout=20)
    assert settles(lambda: not keepers(folder))
    assert not list(folder.iterdir())


@pytest.mark.servers
@linux
def test_a_guardian_that_is_killed_is_stood_in_for(server, folder):
    with local.start(server.product, "relaxed") as own:
        pids = [own._keeper.pid, own.pid]
        own._keeper.kill()
    assert settles(lambda: nothing_left(folder, pids))


@pytest.mark.servers
@linux
def test_a_server_that_is_killed_from_outside_is_seen_and_swept_up(server, folder):
    with local.start(server.product, "relaxed") as own:
        pids = [own._keeper.pid, own.pid]
        os.kill(own.pid, signal.SIGKILL)
        assert settles(lambda: not own.alive())
        with pytest.raises(ServerError, match=f"local {server.product} does not answer"):
            own.settings()
    assert settles(lambda: nothing_left(folder, pids))


@pytest.mark.servers
def test_a_server_that_refuses_to_start_is_quoted_in_one_line(server, folder, monkeypatch):
    monkeypatch.setattr(local, "_settings", lambda *_: ["--no-such-option=1"])
    with pytest.raises(ServerError, match="unknown variable 'no-such-option=1'") as caught:
        local.start(server.product, "relaxed")
    assert "\n" not in str(caught.value)
    assert not list(folder.iterdir())


@pytest.mark.servers
@pytest.mark.usefixtures("real_mariadb")
def test_a_temporary_folder_that_a_shell_script_misreads_is_left_for_another(folder, monkeypatch):
    odd = folder / "with a $space"
    odd.mkdir(mode=0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(odd))
    with local.start("MariaDB", "relaxed") as own:
        assert own.directory.parent == Path("/tmp")
    assert not own.directory.exists()


# Accounts


@as_root
@pytest.mark.servers
def test_root_becomes_nobody_where_namespaces_are_refused(server, folder, tmp_path, monkeypatch):
    refuse_namespaces(monkeypatch, tmp_path)
    with local.start(server.product, "relaxed") as own:
        assert own.description()["runs as"] == "nobody"
        assert Path(f"/proc/{own.pid}").stat().st_uid == NOBODY
        assert ask(own, "SELECT 1") == ((1,),)
        pids = [own._keeper.pid, own.pid]
    assert nothing_left(folder, pids)


@as_root
@pytest.mark.usefixtures("real_mariadb")
@pytest.mark.servers
def test_nobody_gets_a_copy_of_an_unpacked_server_that_it_cannot_reach(
    folder, tmp_path, monkeypatch
):
    found = mysqld.find("MariaDB")
    if found.root is None:
        pytest.skip("MariaDB is installed here, and everybody reaches that")
    refuse_namespaces(monkeypatch, tmp_path)
    with tempfile.TemporaryDirectory() as closed:
        place = Path(closed) / "ormbench" / "servers"
        place.mkdir(parents=True)
        subprocess.run(["cp", "-r", found.root, place], check=True)
        monkeypatch.setenv("XDG_CACHE_HOME", closed)
        with local.start("MariaDB", "relaxed") as own:
            assert (own.directory / "binaries" / "usr").is_dir()
            assert ask(own, "SELECT 1") == ((1,),)
            pids = [own._keeper.pid, own.pid]
    assert nothing_left(folder, pids)


@as_root
@pytest.mark.usefixtures("real_mariadb")
@pytest.mark.servers
def test_an_ordinary_user_needs_no_other_account(folder, monkeypatch):
    found = mysqld.find("MariaDB")
    python = interpreter_for_nobody()
    account = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    if found.root is not None:
        place = folder / "cache" / "ormbench" / "servers"
        place.mkdir(parents=True)
        subprocess.run(["cp", "-r", found.root, place], check=True)
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    (folder / "tmp").mkdir()
    (folder / "tmp").chmod(0o1777)
    with coordinator(folder / "tmp", python, server=("local", "MariaDB"), **account) as process:
        assert process.stdout.readline() == "starting\n"
        told = json.loads(process.stdout.readline() or process.stderr.read())
        assert told["runs as"] == "the user's own account"
        assert Path(f"/proc/{told['family'][1]}").stat().st_uid == NOBODY
        process.terminate()
        process.communicate(timeout=20)
    assert settles(lambda: nothing_left(folder / "tmp", told["family"]))
