"""``ormbench servers``: what is kept stays, what is removed leaves nothing, errors are a line."""

import os
import re

import pytest
from command import run

from ormbench.servers import compose, docker, engine, kept

NOWHERE = {"DOCKER_HOST": "unix:///nonexistent"}

servers = pytest.mark.servers


@pytest.fixture
def _nothing_kept():
    """No kept server before and after; somebody's own ones are not for tests to remove."""
    for product in docker.OFFERS:
        if reason := docker.unavailable(product):
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"docker {product}: {reason}")
    if kept.containers():
        pytest.skip("servers are kept here already: ormbench servers down")
    yield
    for container in kept.containers():
        kept.discard(container)


def folders():
    return {place for place in compose.folders() if compose.folder_owner(place) == "kept"}


@servers
@pytest.mark.usefixtures("_nothing_kept")
def test_up_keeps_servers_until_down(tmp_path):
    before = folders()
    up = run("servers", "up", cwd=tmp_path)
    assert (up.code, up.err) == (0, "")
    for line, product in zip(up.out.splitlines(), docker.OFFERS, strict=True):
        assert re.match(rf"{product} \d+\.\d+[.\d]*, relaxed, data on tmpfs, unix socket", line)
    status = run("servers", "status", cwd=tmp_path)
    for product, line in zip(docker.OFFERS, up.out.splitlines(), strict=True):
        assert f"{product:10}  kept      {line}" in status.out
    again = run("servers", "up", "mysql", cwd=tmp_path)
    assert again.out.strip() == up.out.splitlines()[1]
    down = run("servers", "down", cwd=tmp_path)
    assert (down.code, down.err) == (0, "")
    assert sum("is stopped and removed" in line for line in down.out.splitlines()) == 3
    assert compose.containers(compose.KEPT_PROJECT) == []
    assert folders() == before
    label = f"label=com.docker.compose.project={compose.KEPT_PROJECT}"
    assert engine.call("network", "ls", "--quiet", "--filter", label) == ""
    assert "nothing to stop" in run("servers", "down", cwd=tmp_path).out


@servers
@pytest.mark.usefixtures("_nothing_kept")
def test_a_run_borrows_a_kept_server_and_gives_it_back(tmp_path):
    assert run("servers", "up", "postgresql", cwd=tmp_path).code == 0
    [container] = kept.containers()
    borrowed = docker.start("PostgreSQL", "relaxed")
    try:
        assert borrowed.container.id == container.id
        second = docker.start("PostgreSQL", "relaxed")  # the first is in use
        second.stop()
        assert second.container.id != container.id
        refused = run("servers", "down", "postgresql", cwd=tmp_path)
        assert refused.code == 3
        assert "used by a run" in refused.complaint
        borrowed.pause()
    finally:
        borrowed.stop()
    [container] = kept.containers()
    assert container.status == "running"
    other = docker.start("PostgreSQL", "durable")  # not what is kept
    other.stop()
    assert other.container.id != container.id
    assert other.durability == "durable"


@servers
@pytest.mark.usefixtures("_nothing_kept")
def test_up_with_other_wishes_replaces_the_server(tmp_path):
    assert run("servers", "up", "mariadb", cwd=tmp_path).code == 0
    flags = ("--port", "--volume", "--durability", "durable")
    up = run("servers", "up", "mariadb", *flags, cwd=tmp_path)
    assert "durable, data on volume, loopback port through Docker, port tax" in up.out
    assert re.search(r"port tax \d+\.\d\dx \[\d+\.\d\d, \d+\.\d\d\]: mariadb://", up.out)
    assert "port tax" in run("servers", "status", "mariadb", cwd=tmp_path).out
    [container] = kept.containers()
    volumes = [one["Name"] for one in container.told["Mounts"] if one["Type"] == "volume"]
    assert len(volumes) == 1
    assert run("servers", "down", "mariadb", cwd=tmp_path).code == 0
    assert volumes[0] not in engine.call("volume", "ls", "--quiet").split()


@servers
@pytest.mark.usefixtures("_nothing_kept")
def test_an_image_that_is_not_here_is_one_line(tmp_path):
    ended = run("servers", "up", "mysql", cwd=tmp_path, BENCH_MYSQL_IMAGE="nobody/nothing:1")
    assert ended.code == 3
    assert "docker pull nobody/nothing:1" in ended.complaint
    assert kept.containers() == []


@pytest.mark.parametrize("deed", ["up", "down"])
def test_without_an_engine_a_deed_says_so_in_one_line(tmp_path, deed):
    ended = run("servers", deed, cwd=tmp_path, **NOWHERE)
    assert ended.code == 3
    assert ended.complaint.startswith(
        ("no Docker engine answers where DOCKER_HOST says", "no docker command")
    )


def test_without_an_engine_status_still_lists_what_can_run(tmp_path):
    ended = run("servers", "status", cwd=tmp_path, **NOWHERE)
    assert (ended.code, ended.err) == (0, "")
    rows = [line.split(maxsplit=2) for line in ended.out.splitlines()]
    assert ["PostgreSQL", "embedded", "can run here"] in rows
    assert all("ocker" in row[2] for row in rows if row[1] == "docker")
    assert [row[1] for row in rows].count("docker") == 3


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("up", "mysq"), "unknown product 'mysq': expected postgresql, mysql, mariadb"),
        (("up", "--durability", "strict"), "--durability strict: expected relaxed or durable"),
        (("upp",), "invalid choice: 'upp'"),
    ],
)
def test_words_that_do_not_fit_are_told_in_one_line(tmp_path, words, complaint):
    ended = run("servers", *words, cwd=tmp_path)
    assert ended.code == 2
    assert complaint in ended.complaint
