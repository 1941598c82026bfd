"""The user's own server: reached by a URL that nobody sees, left as it was found."""

import secrets
import shlex
import signal
import socket
from contextlib import contextmanager
from urllib.parse import quote

import psycopg
import pymysql
import pytest
from command import call, finish, only_run, start, wait_for

from ormbench.cli.parser import parse as parsed
from ormbench.cli.wishes import plan_of
from ormbench.errors import ServerError, UsageError
from ormbench.results import folder as run_folder
from ormbench.servers.destination import hidden, parse, transport
from ormbench.servers.server import Address
from ormbench.servers.supply import Supply, on_url
from ormbench.servers.url import UrlServer
from ormbench.truth.tables import Tables

USAGE, UNTRUSTED, INTERRUPTED = 2, 3, 130
ODD = "p%a:s/s?w#r d+&='\""
ON_DOCKER = (
    pytest.param("MySQL", marks=pytest.mark.servers),
    pytest.param("MariaDB", marks=pytest.mark.servers),
)
SMALL = ("get_by_id", "--lane", "core,raw", "--table-rows", "100", "--rounds", "1", "-q")


def read(url):
    return parse("env:U", {"U": url}).address


def in_text(password):
    """All ways in which a password could stand in a file."""
    return {password, quote(password, safe=""), repr(password)[1:-1]}


@contextmanager
def postgres(server):
    address = server.address
    with psycopg.connect(
        host=address.host, port=address.port, user=address.user, dbname=address.database
    ) as made:
        made.autocommit = True
        yield made


def url_of(address, user="", password="", driver=""):
    user, password = user or address.user, password or address.password
    scheme = address.product.lower() + driver
    name = "host" if address.product == "PostgreSQL" else "unix_socket"
    said = f":{quote(password, safe='')}" if password else ""
    database = address.database if address.product == "PostgreSQL" else ""
    where = f"{name}={quote(address.host, safe='')}" if address.is_socket else ""
    there = "" if address.is_socket else f"{address.host}:{address.port}"
    return f"{scheme}://{user}{said}@{there}/{database}?{where}"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://ann@db:1/x", Address("PostgreSQL", "db", 1, "ann", "x")),
        ("postgresql+asyncpg://ann:p@db/x", Address("PostgreSQL", "db", 5432, "ann", "x", "p")),
        ("postgresql://ann@[::1]:7/", Address("PostgreSQL", "::1", 7, "ann", "ann")),
        ("postgresql://a@/x?host=/s&port=9", Address("PostgreSQL", "/s", 9, "a", "x")),
        ("postgresql://a@%2Fs/x?sslmode=prefer", Address("PostgreSQL", "/s", 5432, "a", "x")),
        ("mysql+aiomysql://ann@db/x?charset=utf8mb4", Address("MySQL", "db", 3306, "ann", "x")),
        ("mariadb://ann@/?unix_socket=/s.sock", Address("MariaDB", "/s.sock", 3306, "ann", "")),
    ],
)
def test_a_url_is_read_into_an_address(url, expected):
    assert read(url) == expected
    assert read(url).password == expected.password


def test_an_odd_password_is_read_and_never_shown():
    url = f"mysql://ann:{quote(ODD, safe='')}@localhost/x"
    there = parse("env:U", {"U": url})
    assert there.address.password == ODD
    assert not any(one in repr(there) for one in in_text(ODD))
    assert there.told == "env:U"


SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("word", "wrong"),
    [
        (f"env:mysql://ann:{SECRET}@h/x", "takes the name of a variable"),
        ("env:NOWHERE", "NOWHERE is not set"),
        (f"{SECRET}@h", "is no URL like"),
        (f"mysql://ann:{SECRET}", "is no URL like"),
        (f"mongodb://ann:{SECRET}@h/x", "scheme is none of postgresql, postgres, mysql, mariadb"),
        (f"mysql://ann:{SECRET}@{SECRET}@h/x", "more than one @"),
        (f"mysql://ann:{SECRET}/a@b c/x", "host is neither"),
        (f"mysql://:{SECRET}@h/x", "names no user"),
        (f"mysql://ann:{SECRET}é@h/x", "is not ASCII"),
        (f"mysql://ann@h:{SECRET}/x", "is no URL like"),
        ("mysql://ann@h:70000/x", "no number from 1 to 65535"),
        (f"postgresql://ann@h/x?password={SECRET}", "parameter password cannot be handed"),
        (f"postgresql://ann@h/x?sslmode={SECRET}", "parameter sslmode can only be prefer"),
        ("postgresql://ann@h/x?host=/a&host=/b", "parameter host is there twice"),
        ("postgresql://ann@/x?host=/a,/b", "host is neither"),
    ],
)
def test_a_url_that_will_not_do_is_refused_without_its_values(word, wrong):
    with pytest.raises(UsageError, match=wrong) as caught:
        parse(word, {})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "way"),
    [
        ("/run/db", "unix socket"),
        ("localhost", "loopback"),
        ("127.9.9.9", "loopback"),
        ("::1", "loopback"),
        ("10.1.2.3", "network"),
        ("192.168.0.9", "network"),
        ("fe80::1", "network"),
        ("fd00::1", "network"),
    ],
)
def test_this_machine_and_private_networks_are_allowed(host, way):
    assert transport(Address("MySQL", host, 3306, "ann", ""), ()) == way


@pytest.mark.parametrize("host", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8"])
def test_any_other_host_has_to_be_allowed_by_name(host):
    address = Address("MySQL", host, 3306, "ann", "")
    with pytest.raises(UsageError, match=f"--allow-host {host}$"):
        transport(address, ["other"])
    assert transport(address, ["other", host]) == "network"


def test_of_a_name_every_address_has_to_be_private(monkeypatch):
    def answers(*_asked, **_how):
        kind = socket.AF_INET, socket.SOCK_STREAM, 6, ""
        return [(*kind, (one, 0)) for one in ("127.0.0.1", "8.8.4.4")]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    with pytest.raises(UsageError, match=r"db\.example is in no private network"):
        transport(Address("MySQL", "db.example", 3306, "ann", ""), ())


def test_a_host_without_an_address_is_one_line():
    with pytest.raises(ServerError, match=r"host no-such\.invalid has no address"):
        transport(Address("MySQL", "no-such.invalid", 3306, "ann", ""), ())


def test_a_password_is_left_out_of_every_complaint(capsys):
    url = f"postgresql://ann:{SECRET}@h/x"
    for words in (("run", url), ("run", "--ulr", url), (url,)):
        assert SECRET not in call(capsys, *words).err
    assert hidden(f"at {url} now") == "at postgresql://ann:***@h/x now"


def test_words_that_do_not_go_together_are_named(capsys, monkeypatch):
    monkeypatch.setenv("U", "postgresql://ann@localhost/x")
    for words, complaint in (
        (("--url", "env:U", "--server", "auto"), "--server and --url: one of them"),
        (("--url", "env:U", "--durability", "durable"), "--durability is about servers of ours"),
        (("--allow-host", "h"), "--allow-host is about the host of --url"),
        (("--schema", "Mine;"), "--schema Mine;: expected lower-case letters"),
    ):
        ended = call(capsys, "run", *words)
        assert (ended.code, complaint in ended.complaint) == (USAGE, True)


def test_the_url_s_server_is_described_without_its_host(server):
    there = UrlServer.reach(server.address)
    assert (there.product, there.version) == ("PostgreSQL", server.version)
    assert there.settings() == server.settings()
    told = there.description()
    assert told["kind"] == "url"
    assert told["durability"] == "relaxed"
    assert told["transport"] == "unix socket"
    assert server.address.host not in str(told)
    assert there.alive()
    assert there.cpu_ns() is None
    there.stop()
    assert server.alive()


@pytest.mark.parametrize("product", ["PostgreSQL", "MySQL"])
def test_a_server_that_is_not_there_is_one_line_and_not_alive(product):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers there
        address = Address(product, "127.0.0.1", taken.getsockname()[1], "ann", "x", SECRET)
        with pytest.raises(ServerError, match="the server of --url does not let us in") as caught:
            UrlServer.reach(address)
        assert SECRET not in str(caught.value)
        assert not UrlServer(address, "", 1, {}).alive()


@contextmanager
def role(server, options=""):
    name = f"tu_{secrets.token_hex(3)}"
    with postgres(server) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN {options}")
        try:
            yield name
        finally:
            connection.execute(f"DROP OWNED BY {name}")
            connection.execute(f"DROP ROLE {name}")


def as_role(server, name):
    address = server.address
    return Address("PostgreSQL", address.host, address.port, name, address.database)


def test_on_postgresql_the_missing_right_is_said_as_a_grant(server):
    with role(server) as name:
        tables = Tables(as_role(server, name), 100, "ormbench_abcdef")
        with pytest.raises(UsageError, match=f"GRANT CREATE ON DATABASE bench TO {name}"):
            tables.prepare(plan("get_by_id")[1].values())
        tables.close()


def test_clients_beyond_the_free_connections_are_left_out(server):
    with role(server, "CONNECTION LIMIT 30") as name:
        there = UrlServer.reach(as_role(server, name))
    assert there.room in {29, 30}  # it may count the connection that asks
    made, _ = plan("get_by_id", "--lane", "core", "--clients", "1,50", supply=on_url(there, ""))
    reasons = {one.cell.clients: one.reason for one in made.left_out}
    assert reasons == {50: f"50 clients need more connections than the server's {there.room}"}


def plan(*words, supply=None):
    return plan_of(parsed(["run", *words]), supply or Supply())


def given(product, driver=""):
    """A supply with a server that nobody is going to ask anything."""
    address = Address(product, "/s", 1, "ann", "x")
    return on_url(UrlServer(address, f"{product} 1.0", 400, {}), driver)


def targets(made):
    return {cell.target for cell in made.cells} - {"none"}


@pytest.mark.parametrize(
    ("product", "driver", "target"),
    [
        ("MariaDB", "", "mariadb+aiomysql"),
        ("MySQL", "asyncmy", "mysql+asyncmy"),
        ("MySQL", "pymysql", "mysql+pymysql"),
        ("PostgreSQL", "psycopg", "postgresql+psycopg"),
        ("PostgreSQL", "", "postgresql+asyncpg"),
    ],
)
def test_a_plan_moves_to_the_product_and_driver_of_the_url(product, driver, target):
    made, _ = plan("update_email", supply=given(product, driver))
    assert targets(made) == {target}
    assert {cell.placement for cell in made.cells} == {"free"}


def test_of_comparisons_across_targets_only_the_product_s_remain():
    made, _ = plan("quick", supply=given("MariaDB"))
    assert {target.partition("+")[0] for target in targets(made)} == {"mariadb"}
    assert {one.cell.target.partition("+")[0] for one in made.left_out} <= {"mariadb"}


def test_a_target_that_is_asked_for_wins_over_the_driver_of_the_url():
    words = ("get_by_id", "--target", "mysql+asyncmy,postgresql+asyncpg")
    made, _ = plan(*words, supply=given("MySQL", "nothing_known"))
    assert targets(made) == {"mysql+asyncmy"}
    reasons = {one.cell.target: one.reason for one in made.left_out}
    assert "the run is on the MySQL of --url" in reasons["postgresql+asyncpg"]


def test_a_driver_that_is_not_measured_is_named():
    with pytest.raises(UsageError, match=r"driver pg8000 is none that PostgreSQL .*asyncpg"):
        plan("get_by_id", supply=given("PostgreSQL", "pg8000"))


def schemas(connection):
    return {name for (name,) in connection.execute("SELECT nspname FROM pg_namespace")}


def everything(folder):
    return "\n".join(
        one.read_bytes().decode(errors="replace") for one in folder.rglob("*") if one.is_file()
    )


@pytest.mark.servers
@pytest.mark.slow
def test_a_run_on_a_url_can_be_interrupted_and_resumed_and_leaves_nothing(
    server, tmp_path, capsys, monkeypatch
):
    url = url_of(server.address, password=ODD)
    with postgres(server) as connection:
        before = schemas(connection)
        words = ("run", *SMALL, "--blocks", "4", "--url", "env:MINE", "--out", "runs")
        process = start(*words, cwd=tmp_path, MINE=url)
        try:
            wait_for(lambda: '"kind":"block"' in _trials(tmp_path))
            assert {one.partition("_")[0] for one in schemas(connection) - before} == {"ormbench"}
            process.send_signal(signal.SIGINT)
            ended = finish(process)
        finally:
            process.kill()
        assert ended.code == INTERRUPTED
        assert schemas(connection) == before
        hint = shlex.split(ended.out.partition("go on with: ")[2].splitlines()[0])
        assert hint[:4] == ["ormbench", "run", "--url", "env:MINE"]
        record = run_folder.read(only_run(tmp_path / "runs"))
        assert "--url env:MINE" in record.manifest.command
        assert record.manifest.environment.servers["PostgreSQL"]["kind"] == "url"
        shown = everything(tmp_path) + ended.out + ended.err
        assert not any(one in shown for one in in_text(ODD))

        monkeypatch.chdir(tmp_path)
        without = call(capsys, "run", *hint[4:])
        assert without.code == USAGE
        assert "its PostgreSQL is of kind url" in without.complaint
        monkeypatch.setenv("MINE", url)
        assert call(capsys, *hint[1:], "-q").code == UNTRUSTED  # 4 blocks
        assert len(run_folder.read(record.path).blocks) == 4
        assert schemas(connection) == before


def _trials(parent):
    return "".join(one.read_text() for one in parent.glob("runs/*/trials.jsonl"))


def test_a_typed_url_is_warned_about_and_not_kept(server, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    url = url_of(server.address, password=SECRET)
    ended = call(capsys, "run", *SMALL, "--url", url, "--dry-run")
    assert ended.code == 0
    assert "in the shell's history and in `ps`" in ended.complaint
    assert "PostgreSQL: url, asked for by --url" in ended.out
    assert SECRET not in ended.out + ended.err


@pytest.fixture
def family(request, product):
    return request.getfixturevalue(f"{product.lower()}_address")


@contextmanager
def account(address, password, *grants):
    """A user of MySQL or MariaDB with these rights, made by one who may."""
    name = f"tu_{secrets.token_hex(3)}"
    with (
        pymysql.connect(
            unix_socket=address.host,
            user=address.user,
            password=address.password,
            autocommit=True,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"CREATE USER {name}@'%%' IDENTIFIED BY %s", (password,))
        try:
            for grant in grants:
                cursor.execute(f"GRANT {grant} TO {name}@'%'")
            yield Address(address.product, address.host, 3306, name, "", password)
        finally:
            cursor.execute(f"DROP USER {name}@'%'")


@pytest.mark.parametrize("product", ON_DOCKER)
def test_the_server_says_which_product_it_is(family, product):
    scheme = "MySQL" if product == "MariaDB" else "MariaDB"
    address = Address(scheme, family.host, 3306, family.user, "", family.password)
    there = UrlServer.reach(address)
    assert (there.product, there.address.product) == (product, product)
    assert there.version.startswith(f"{product} ")
    assert there.description()["durability"] == "relaxed"
    assert 300 < there.room <= 400
    assert there.settings()["max_connections"] == "400"
    assert there.alive()


@pytest.mark.parametrize("product", ON_DOCKER)
def test_an_ordinary_user_with_rights_on_the_prefix_alone_can_run(family, product, tmp_path):
    with account(family, ODD, r"ALL ON `ormbench\_%`.*") as own:
        url = url_of(own, driver="+aiomysql")
        words = ("run", "update_email", *SMALL, "--blocks", "1", "--url", "env:MINE")
        ended = finish(start(*words, "--out", "runs", cwd=tmp_path, MINE=url))
        assert ended.code == UNTRUSTED  # one block is no evidence
        record = run_folder.read(only_run(tmp_path / "runs"))
        (block,) = record.blocks
        assert {trial.status for trial in block.trials} == {"OK"}
        assert product in record.manifest.environment.servers
        shown = everything(tmp_path) + ended.out + ended.err
        assert not any(one in shown for one in in_text(ODD))


@pytest.mark.parametrize("product", ON_DOCKER)
def test_without_that_right_the_grant_is_said(family, product):
    with account(family, "x" * 9) as own:
        there = UrlServer.reach(own)
        assert there.product == product
        tables = Tables(there.address, 100, "ormbench_abcdef")
        right = rf"GRANT ALL ON `ormbench\\_%`\.\* TO '{own.user}'@'%'"
        with pytest.raises(UsageError, match=right):
            tables.prepare(plan("get_by_id")[1].values())
        tables.close()


@pytest.mark.parametrize("product", ON_DOCKER)
def test_a_wrong_password_is_said_and_not_shown(family, product):
    with account(family, ODD) as own:
        wrong = Address(product, own.host, 3306, own.user, "", SECRET)
        with pytest.raises(ServerError, match="Access denied") as caught:
            UrlServer.reach(wrong)
        assert SECRET not in str(caught.value)
