"""Clients that share connections through PgBouncer keep their schemas, and can be measured."""

import os
from contextlib import closing

import psycopg
import pytest
from command import SMALL, finish, only_run, start

from ormbench.cell import Cell
from ormbench.errors import ServerError
from ormbench.loader import shipped
from ormbench.plan.runnable import why_not
from ormbench.results import folder as run_folder
from ormbench.servers import compose, docker, engine, owner
from ormbench.servers.server import Address
from ormbench.servers.settings import folder
from ormbench.servers.supply import on_url
from ormbench.servers.url import UrlServer

BASE = os.environ.get("PGBOUNCER_BASE_IMAGE", "debian:13-slim")
BUILT = "ormbench-pgbouncer"
PORT = 6432
UNTRUSTED = 3
SHOWN = "SELECT pg_backend_pid(), current_setting('search_path')"

pytestmark = pytest.mark.servers


def need(reason):
    if reason:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture(scope="module")
def image():
    """PgBouncer's image: none is official, so even CI may lack it; it may not fail to build it."""
    need(docker.unavailable("PostgreSQL"))
    name = os.environ.get("BENCH_PGBOUNCER_IMAGE", BUILT)
    if name == BUILT and engine.has_image(BASE):
        told = ("--file", str(folder() / "pgbouncer.Dockerfile"), "--tag", name)
        based = ("--build-arg", f"PGBOUNCER_BASE_IMAGE={BASE}", "--network", "host")
        try:
            engine.call("build", "--quiet", *told, *based, str(folder()), seconds=200)
        except ServerError as error:
            need(str(error))
    if not engine.has_image(name):
        pytest.skip(f"no image {name}, and none to build it from: PGBOUNCER_BASE_IMAGE={BASE}")
    return name


def composed(project, files, place, *words):
    """What ``docker compose WORDS`` prints, for a project with these override files."""
    told = {
        "BENCH_OWNER": owner.me(),
        "BENCH_FOLDER": str(place),
        "BENCH_SOCKETS": str(place),
        "BENCH_SETTINGS": str(place / "settings"),
        "BENCH_POSTGRES_IMAGE": compose.image("PostgreSQL"),
    }
    named = [w for file in files for w in ("--file", str(folder() / f"{file}.yaml"))]
    quiet = ("--env-file", os.devnull, "--progress", "quiet")
    return engine.call(
        "compose", "--project-name", project, *quiet, *named, *words, environment=told
    )


@pytest.fixture(scope="module", params=["sockets", "ports"])
def pooler(request, image):
    """The host and the port at which a PgBouncer answers that compose started."""
    if request.param == "sockets" and not engine.find().shares_kernel:
        pytest.skip("no socket leaves this engine")
    yield from running(image, request.param)


@pytest.fixture(scope="module")
def deaf_pooler(image):
    """One that is told, as many are, to pass over what it does not know at a login."""
    yield from running(image, "ports", DEAF)


DEAF = (
    "track_extra_parameters = IntervalStyle, search_path",
    "ignore_startup_parameters = search_path, options",
)


def running(image, way, change=("", "")):
    """Start one, with something *change*d in its settings; its host and port."""
    project, files = f"ormbench-test-{os.getpid()}{len(change[1])}", ("compose", f"compose.{way}")
    place = compose.make_folder(owner.me(), "postgresql")
    settings = place / "settings" / "pgbouncer.ini"
    told = settings.read_text()
    assert change[0] in told
    settings.write_text(told.replace(*change) if change[0] else told)
    up = ("up", "--detach", "--wait", "--no-build", "--pull", "never", "pgbouncer")
    try:
        composed(project, files, place, *up)
        if way == "sockets":
            yield str(place / "pgbouncer"), PORT
        else:
            said = composed(project, files, place, "port", "pgbouncer", str(PORT))
            yield "127.0.0.1", int(said.rpartition(":")[2])
    finally:
        compose.down(project)
        compose.remove_folder(place, image)


def connected(pooler, **options):
    host, port = pooler
    login = {"user": "bench", "password": "bench", "dbname": "bench"}
    return closing(psycopg.connect(host=host, port=port, autocommit=True, **login, **options))


def test_a_search_path_stays_with_its_client_on_a_connection_that_two_share(pooler):
    paths = ("pg_catalog", "information_schema")
    one, two = (connected(pooler, options=f"-c search_path={path}") for path in paths)
    with one as first, two as second:
        shown = [client.execute(SHOWN).fetchone() for _ in range(20) for client in (first, second)]
    assert [path for _, path in shown] == [*paths] * 20
    backends = [{backend for backend, path in shown if path == one} for one in paths]
    assert backends[0] & backends[1]


def test_what_postgresql_does_not_report_is_refused_and_not_lost(pooler):
    with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter"):
        connected(pooler, options="-c statement_timeout=9000")


def test_nobody_gets_in_without_the_password(pooler):
    host, port = pooler
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(host=host, port=port, user="bench", password="other", dbname="bench")


def test_lanes_of_both_async_drivers_are_measured_through_it(pooler, tmp_path):
    host, port = pooler
    url = f"postgresql://bench:bench@/bench?host={host}&port={port}"
    cells = ("--lane", "orm,core,raw", "--target", "asyncpg,psycopg", "--clients", "4")
    words = ("run", "update_email", *SMALL, *cells, "--url", "env:MINE", "--out", "runs")
    ended = finish(start(*words, cwd=tmp_path, MINE=url))
    assert ended.code == UNTRUSTED, ended.err  # one block is no evidence
    (block,) = run_folder.read(only_run(tmp_path / "runs")).blocks
    assert {trial.status for trial in block.trials} == {"OK"}
    for driver in ("asyncpg", "psycopg"):
        assert any(driver in trial.cell for trial in block.trials)


def test_who_does_not_ask_for_it_does_not_get_it(tmp_path):
    need(docker.unavailable("PostgreSQL"))
    services = composed("ormbench-test-none", ("compose",), tmp_path, "config", "--services")
    assert set(services.split()) == {"postgresql", "mysql", "mariadb"}


def address_of(pooler):
    host, port = pooler
    return Address("PostgreSQL", host, port, "bench", "bench", "bench")


def test_a_pooler_is_noticed_and_the_pool_that_resets_is_left_out_behind_it(pooler):
    there = UrlServer.reach(address_of(pooler))
    assert there.pooled
    assert there.description()["pooler"] == "before the server"
    cells = [
        Cell(scenario="get_by_id", lane=lane, target="postgresql+asyncpg", placement="free")
        for lane in ("raw", "raw_pool")
    ]
    supply, loaded = on_url(there, "asyncpg"), shipped()["get_by_id"]
    reasons = [why_not(cell, loaded, supply) for cell in cells]
    assert reasons[0] is None
    assert "takes the run's schema away" in reasons[1]


def test_a_server_without_a_pooler_is_not_taken_for_one(server):
    assert not UrlServer.reach(server.address).pooled


def test_a_pooler_that_forgets_the_search_path_is_refused_before_a_table_is_touched(deaf_pooler):
    with pytest.raises(ServerError, match=r"does not take a search path.*name the server itself"):
        UrlServer.reach(address_of(deaf_pooler))
