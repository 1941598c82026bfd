"""What a first user gets wrong, and what is in the way: one line each, and no traceback."""

import socket
import subprocess
import sys

import pytest
from command import SMALL, call

from ormbench.errors import ServerError, UsageError
from ormbench.servers import url
from ormbench.servers.destination import parse
from ormbench.servers.guardian import last_words as last
from ormbench.servers.server import Address

USAGE = 2
IMPORTING = """
import os, signal, sys

signal.signal(signal.SIGINT, signal.default_int_handler)

class Finger:
    def find_spec(self, name, *_):
        if name == "ormbench.cli.parser":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finger())
from ormbench.__main__ import main
sys.exit(main())
"""


def test_ctrl_c_while_modules_are_imported_is_one_line():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "ormbench: interrupted\n")


def test_a_listener_that_says_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(url, "_ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute:  # as a PostgreSQL is to a MySQL client
        there = Address("MySQL", "127.0.0.1", mute.getsockname()[1], "ann", "x", "secret")
        with pytest.raises(ServerError, match="the server of --url does not let us in"):
            url.UrlServer.reach(there)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("", r"^--url is empty: expected env:DATABASE_URL or a URL$"),
        ("mysql://ann:p@/x?unix_socket=my.sock", "its unix_socket is no path from the root"),
    ],
)
def test_a_url_that_leads_nowhere_is_told_as_what_it_is(word, said):
    with pytest.raises(UsageError, match=said):
        parse(word, {"DATABASE_URL": "postgresql://ann@localhost/x"})


@pytest.mark.parametrize(
    ("server", "target", "said"),
    [
        ("embedded", "mysql+*", "embedded has no MySQL: --server local or docker"),
        ("local", "asyncpg", "local has no PostgreSQL: --server embedded or docker"),
    ],
)
def test_a_kind_of_server_without_the_product_is_the_only_reason(
    capsys, monkeypatch, tmp_path, server, target, said
):
    monkeypatch.chdir(tmp_path)
    done = call(capsys, "run", *SMALL, "--server", server, "--target", target)
    assert done.code == USAGE
    assert done.complaint.endswith(f"no cell that can run here: UNSUPPORTED: {said}")


def test_a_server_that_failed_to_start_says_how_little_room_there_was(monkeypatch, tmp_path):
    log = tmp_path / "log"
    log.write_text("2026 [ERROR] Aborting\n")
    monkeypatch.setattr(last, "_SCARCE", 0)
    assert last.last_words(log) == "[ERROR] Aborting"
    monkeypatch.setattr(last, "_SCARCE", 1 << 80)
    assert last.last_words(log).startswith("[ERROR] Aborting; only ")
    assert last.last_words(log).endswith(f" MB are free in {tmp_path.parent}")
