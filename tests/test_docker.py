"""A server in a container is told what the files say, obeys, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ormbench.errors import ServerError, UsageError
from ormbench.servers import compose, docker, engine, owner, port_tax
from ormbench.servers.compose import Wish
from ormbench.servers.control import mysql_connection, postgresql_connection
from ormbench.servers.placement import allowed_cpus
from ormbench.servers.settings import DURABILITIES, for_server

NOWHERE = "unix:///nonexistent"
OTHER_NAMES = {"skip_log_bin": ("log_bin", "OFF"), "default_time_zone": ("time_zone", "+00:00")}
VARIABLES = {
    "MySQL": "performance_schema.global_variables",
    "MariaDB": "information_schema.global_variables",
}
IN_A_CONTAINER = {"max_wal_size": "2GB"}
START = """
import sys
from ormbench.servers import docker
print("starting", flush=True)
server = docker.start(sys.argv[1], "relaxed")
if "paused" in sys.argv:
    server.pause()
print("started", server.folder, server.container.label("com.docker.compose.project"), flush=True)
sys.stdin.read()
"""
KNOCK = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
socket.socket(socket.AF_UNIX).connect(sys.argv[1])
"""

servers = pytest.mark.servers
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs a socket and cores of Linux")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root alone can become somebody else")


def need(product):
    if reason := docker.unavailable(product):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"docker {product}: {reason}")


@pytest.fixture
def start():
    """Starts servers, and stops them after the test."""
    running = []

    def start_one(product, durability="relaxed"):
        need(product)
        running.append(docker.start(product, durability))
        return running[-1]

    yield start_one
    for server in running:
        server.stop()


@pytest.fixture(scope="module")
def relaxed():
    """Gives a server of each product that all tests here may use."""
    running = {}

    def get(product):
        need(product)
        if product not in running:
            running[product] = docker.start(product, "relaxed")
        return running[product]

    yield get
    for server in running.values():
        server.stop()


@pytest.fixture
def postgresql(relaxed):
    return relaxed("PostgreSQL")


def connect(server):
    connected = postgresql_connection if server.product == "PostgreSQL" else mysql_connection
    return connected(server.address)


def ask(server, question):
    with connect(server) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


def do(server, *statements):
    with connect(server) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def as_told(value):
    """A value of a MySQL settings file, as the server says it."""
    word = value.lower()
    if word.endswith("m") and word[:-1].isdecimal():
        return str(int(word[:-1]) << 20)
    return {"": "ON", "on": "ON", "off": "OFF"}.get(word, value)


def left_of(project, folder):
    """What is there of a server that should be gone."""
    label = f"label=com.docker.compose.project={project}"
    found = [
        *compose.containers(project),
        *engine.call("network", "ls", "--quiet", "--filter", label).split(),
        *engine.call("volume", "ls", "--quiet", "--filter", label).split(),
    ]
    return found + ([str(folder)] if Path(folder).exists() else [])


def coordinator(*words):
    return subprocess.Popen(
        [sys.executable, "-c", START, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@servers
@pytest.mark.parametrize("durability", DURABILITIES)
@pytest.mark.parametrize("product", docker.OFFERS)
def test_a_server_is_told_what_the_settings_files_say(start, relaxed, product, durability):
    server = relaxed(product) if durability == "relaxed" else start(product, durability)
    assert server.version.startswith(product)
    assert server.description()["durability"] == durability
    told = {**for_server(product, durability)}
    if product == "PostgreSQL":
        told |= IN_A_CONTAINER
        asked = {name: ask(server, f"SHOW {name}") for name in told}
        assert asked == told
    else:
        told.pop("mysqlx", None)
        named = dict(OTHER_NAMES.get(name, (name, value)) for name, value in told.items())
        show = "SELECT variable_value FROM {} WHERE variable_name = '{}'"
        asked = {name: ask(server, show.format(VARIABLES[product], name)) for name in named}
        assert asked == {name: as_told(value) for name, value in named.items()}


@servers
@pytest.mark.parametrize("product", docker.OFFERS)
def test_its_user_may_make_databases_and_drop_them(relaxed, product):
    do(relaxed(product), "CREATE DATABASE ormbench_rights", "DROP DATABASE ormbench_rights")


@servers
@linux
@as_root
@pytest.mark.parametrize("product", docker.OFFERS)
def test_an_ordinary_user_reaches_the_socket(relaxed, product):
    address = relaxed(product).address
    path = address.host
    if product == "PostgreSQL":
        path = f"{path}/.s.PGSQL.5432"
    assert len(os.fsencode(path)) < 100
    subprocess.run([sys.executable, "-c", KNOCK, path], check=True)


@servers
@linux
def test_a_pinned_container_keeps_later_processes_on_their_core(postgresql):
    last = frozenset({max(allowed_cpus())})
    postgresql.place(last)
    try:
        with postgresql_connection(postgresql.address):
            table = engine.call("top", postgresql.container.id, "-eo", "pid").split()[1:]
            assert len(table) > 5
            for pid in map(int, table):
                for thread in Path(f"/proc/{pid}/task").iterdir():
                    assert os.sched_getaffinity(int(thread.name)) == last
    finally:
        postgresql.place(allowed_cpus())


@servers
def test_a_paused_server_answers_when_it_is_resumed(postgresql):
    answers = []
    postgresql.pause()
    asking = threading.Thread(target=lambda: answers.append(ask(postgresql, "SELECT 7")))
    try:
        asking.start()
        asking.join(0.5)
        assert postgresql.alive()
        assert answers == []
    finally:
        postgresql.resume()
    asking.join(10)
    assert answers == [7]


@servers
@linux
def test_cpu_time_is_that_of_the_work_done(postgresql):
    before = postgresql.cpu_ns()
    ask(postgresql, "SELECT count(*) FROM generate_series(1, 3000000)")
    after = postgresql.cpu_ns()
    assert 50_000_000 < after - before < 20_000_000_000


@servers
def test_a_description_names_the_image_and_no_path(postgresql):
    told = postgresql.description()
    assert told["kind"] == "docker"
    assert "sha256:" in told["image"]
    assert told["data"] == "tmpfs"
    assert "4 GiB of memory" in told["limits"]
    assert not any(str(postgresql.folder) in text for text in told.values())


@servers
@pytest.mark.parametrize("data", ["tmpfs", "volume"])
def test_nothing_is_left_after_stop(start, monkeypatch, data):
    monkeypatch.setenv("BENCH_DATA", data)
    server = start("PostgreSQL")
    mounts = {one["Destination"]: one for one in server.container.told["Mounts"]}
    mount = mounts["/var/lib/postgresql"]
    assert mount["Type"] == data
    project, folder = server.container.label("com.docker.compose.project"), server.folder
    assert left_of(project, folder)
    server.pause()
    server.stop()
    server.stop()
    assert left_of(project, folder) == []
    volumes = engine.call("volume", "ls", "--quiet").split()
    assert mount.get("Name", "none") not in volumes
    assert not server.alive()


@servers
@pytest.mark.parametrize("seconds", [0.1, 0.6, 1.5])
def test_nothing_is_left_after_an_interrupted_start(seconds):
    need("MySQL")
    running = coordinator("MySQL")
    running.stdout.readline()
    time.sleep(seconds)
    running.send_signal(signal.SIGINT)
    printed, complaint = running.communicate(timeout=60)
    assert "started" not in printed
    assert "KeyboardInterrupt" in complaint
    assert left_of(f"ormbench-run-{running.pid}-1", "/nonexistent") == []
    assert str(running.pid) not in [text.split("|")[2] for text in owners()]


def owners():
    return [text for place in compose.folders() if (text := compose.folder_owner(place)).count("|")]


@servers
@pytest.mark.parametrize("how", ["running", "paused"])
def test_what_a_killed_run_left_is_swept(how):
    need("PostgreSQL")
    running = coordinator("PostgreSQL", how)
    running.stdout.readline()
    _, folder, project = running.stdout.readline().split()
    compose.sweep()
    assert left_of(project, folder)  # its owner lives
    running.kill()
    running.communicate()
    assert left_of(project, folder)
    compose.sweep()
    assert left_of(project, folder) == []


@servers
@linux
def test_a_port_pays_a_tax_that_is_told(start, monkeypatch):
    monkeypatch.setenv("BENCH_TRANSPORT", "port")
    server = start("PostgreSQL")
    assert server.address.host == "127.0.0.1"
    assert ask(server, "SELECT 1") == 1
    assert f"port tax {server.tax.median:.2f}x" in server.description()["transport"]
    assert server.tax.low <= server.tax.median <= server.tax.high


@servers
def test_without_a_port_asked_for_none_is_open(postgresql):
    assert postgresql.container.port() is None


@servers
def test_a_container_that_ends_is_told_with_its_last_words(monkeypatch):
    need("MySQL")
    monkeypatch.setenv("BENCH_MARIADB_IMAGE", compose.image("MySQL"))
    before = owners().count(owner.me())
    with pytest.raises(ServerError, match=r"docker MariaDB did not start: .*PASSWORD") as caught:
        docker.start("MariaDB", "relaxed")
    assert "\n" not in str(caught.value)
    assert owners().count(owner.me()) == before


@servers
def test_a_container_without_memory_says_so(monkeypatch):
    need("MySQL")
    monkeypatch.setenv("BENCH_MEMORY", "100m")
    with pytest.raises(ServerError, match="BENCH_MEMORY"):
        docker.start("MySQL", "relaxed")


@servers
def test_an_image_that_is_not_here_is_named_with_what_to_do(monkeypatch):
    need("MySQL")
    monkeypatch.setenv("BENCH_MYSQL_IMAGE", "nobody/nothing:1")
    reason = docker.unavailable("MySQL")
    assert "docker pull nobody/nothing:1" in reason
    assert "BENCH_MYSQL_IMAGE" in reason
    with pytest.raises(ServerError, match="nobody/nothing:1 is not here"):
        docker.start("MySQL", "relaxed")


@pytest.mark.parametrize("product", docker.OFFERS)
def test_without_an_engine_one_line_says_what_to_do(monkeypatch, product):
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)
    began = time.monotonic()
    reason = docker.unavailable(product)
    assert time.monotonic() - began < 5
    assert reason.startswith(("no Docker engine answers where DOCKER_HOST", "no docker command"))
    with pytest.raises(ServerError, match=r"no Docker engine|no docker command"):
        docker.start(product, "relaxed")


def test_an_engine_on_another_machine_is_refused(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://db.example:2375")
    reason = docker.unavailable("MySQL")
    assert "another machine" in reason or "no docker command" in reason
    assert "db.example" not in reason


def test_the_images_are_those_of_the_compose_file_unless_the_environment_names_others(monkeypatch):
    for product in docker.OFFERS:
        monkeypatch.delenv(compose.image_variable(product), raising=False)
    names = [compose.image(product) for product in docker.OFFERS]
    assert [name.partition(":")[0] for name in names] == ["postgres", "mysql", "mariadb"]
    assert all(name.partition(":")[2][0].isdecimal() for name in names)  # a version, not latest
    monkeypatch.setenv("BENCH_MYSQL_IMAGE", "own/mysql:8")
    assert compose.image("MySQL") == "own/mysql:8"


def test_transport_and_data_are_the_environments_to_say(monkeypatch):
    wish = Wish("MySQL", "relaxed")
    monkeypatch.delenv("BENCH_TRANSPORT", raising=False)
    monkeypatch.delenv("BENCH_DATA", raising=False)
    assert compose.as_environment_says(wish, sockets=True).transport == "socket"
    assert compose.as_environment_says(wish, sockets=False).transport == "port"
    assert compose.as_environment_says(wish, sockets=True).data == "tmpfs"
    durable = Wish("MySQL", "durable")  # a commit that waits for a tmpfs waits for nothing
    assert compose.as_environment_says(durable, sockets=True).data == "volume"
    monkeypatch.setenv("BENCH_TRANSPORT", "port")
    monkeypatch.setenv("BENCH_DATA", "volume")
    asked = compose.as_environment_says(wish, sockets=True)
    assert (asked.transport, asked.data) == ("port", "volume")
    monkeypatch.setenv("BENCH_TRANSPORT", "pigeon")
    with pytest.raises(UsageError, match="BENCH_TRANSPORT=pigeon: expected socket or port"):
        compose.as_environment_says(wish, sockets=True)
    monkeypatch.setenv("BENCH_TRANSPORT", "socket")
    with pytest.raises(UsageError, match="take port"):
        compose.as_environment_says(wish, sockets=False)


def test_an_owner_is_gone_when_its_process_is():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    host, namespace, _, _ = owner.me().split("|")
    of_it = "|".join((host, namespace, str(process.pid), owner._started(process.pid)))
    try:
        assert not owner.is_gone(of_it)
        assert owner.is_gone(of_it + "1") == (sys.platform == "linux")  # its id, another start
        assert not owner.is_gone(of_it.replace(host, "elsewhere", 1))
    finally:
        process.communicate(b"\n")
    assert owner.is_gone(of_it)
    assert not owner.is_gone(owner.me())
    assert not owner.is_gone(owner.KEPT)
    assert not owner.is_gone("")


def test_a_folder_that_is_not_ours_is_never_removed(tmp_path):
    other = tmp_path / "ormbench-docker-other"  # the name, but no owner in it
    other.mkdir()
    compose.remove_folder(other)
    (tmp_path / "owner").write_text(owner.KEPT)
    compose.remove_folder(tmp_path)
    assert other.exists()


def test_the_tax_is_the_median_of_its_pairs_with_their_spread():
    tax = port_tax.of([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 9.0])
    assert str(tax) == "port tax 1.30x [1.10, 1.50]"


def test_settings_are_readable_for_every_account_whatever_the_umask():
    before = os.umask(0o077)
    try:
        place = compose.make_folder(owner.me(), "mysql")
    finally:
        os.umask(before)
    try:
        assert place.stat().st_mode & 0o777 == 0o755
        assert (place / "mysql").stat().st_mode & 0o1777 == 0o1777
        for file in (place / "settings").iterdir():
            assert file.stat().st_mode & 0o777 == 0o644
        assert (place / "settings" / "mysql.relaxed.cnf").exists()
    finally:
        compose.remove_folder(place)
    assert not place.exists()
