"""The relay: one process, one thread, one selector, for all routes of a run.

Takes one JSON object a line on standard input and answers each with one line. It ends with its
input or on SIGTERM, and takes the folder of its sockets with it: that is why, unlike a worker, it
does not ask to be killed with its coordinator.
"""

import contextlib
import gc
import json
import os
import resource
import selectors
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ormbench.wire.agenda import Agenda
from ormbench.wire.passage import Passage, Upstream
from ormbench.wire.pipe import Conditions
from ormbench.wire.tally import Account

Told = dict[str, Any]
clock = time.perf_counter_ns

_QUIET_NS = 2_000_000
_THINKING_NS = 200_000_000  # a server that has been asked is given so long to say a first word
_GIVE_UP_NS = 5_000_000_000  # somebody does not stop to speak, or to listen
_NEVER_QUIET = "bytes were still under way after 5 s"
_PATIENCE = 0.001  # seconds between two looks whether it is quiet
_FILES = 65_536  # two for a connection; systems say 1024 unless asked


class Taking:
    """A `take` that waits until nothing is under way on its route."""

    def __init__(self, passage: Passage, account: Account) -> None:
        self._passage, self._account = passage, account
        self._asked = clock()

    def answer(self, looked: int) -> Told | None:
        """The answer, if at *looked* it was quiet and nothing has come since; or None.

        *looked* is a time before which all that could be read has been handled.
        """
        quiet_since = max(self._asked, self._passage.conditions.active)
        enough = _THINKING_NS if self._passage.unanswered else _QUIET_NS
        if looked - quiet_since >= enough and not self._passage.waits:
            return self._taken(self._account.lost)
        return self._taken(_NEVER_QUIET) if looked - self._asked > _GIVE_UP_NS else None

    def _taken(self, lost: str) -> Told:
        tally, lines = self._account.take()
        transcript = [[one.side, one.kind, one.size, one.text] for one in lines]
        return {"tally": tally.to_json(), "lines": transcript, "lost": lost}


class RelayProcess:
    """The routes, and what can be asked of them."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._agenda = Agenda(self._selector)
        self._passages: dict[int, Passage] = {}
        self._folder: Path | None = None
        self._heard = b""
        self._over = False
        self._taking: Taking | None = None
        self._answers: dict[str, Callable[[Told], Told | None]] = {
            name: getattr(self, f"_{name}")
            for name in ("start", "route", "take", "achieved", "stall", "flow", "cut", "close")
        }
        self._selector.register(sys.stdin.fileno(), selectors.EVENT_READ, self._listen)

    def run(self) -> None:
        """Relay and answer until there is nobody to answer."""
        while not self._over:
            looked = clock()
            patience = _PATIENCE if self._taking else self._agenda.seconds()
            for key, mask in self._selector.select(patience):
                key.data(mask)
            self._agenda.run()
            if self._taking and (answer := self._taking.answer(looked)):
                self._taking = None
                self._say(answer)

    def end(self) -> None:
        """Leave nothing behind."""
        for passage in self._passages.values():
            passage.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _listen(self, _mask: int) -> None:
        data = os.read(sys.stdin.fileno(), 1 << 16)
        self._over = not data
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            told = json.loads(line)
            try:
                answer = self._answers[told["do"]](told)
            except OSError as error:
                answer = {"error": error.strerror or str(error)}
            if answer is not None:
                self._say(answer)

    def _say(self, answer: Told) -> None:
        try:
            print(json.dumps(answer), flush=True)
        except BrokenPipeError:
            self._over = True

    def _start(self, told: Told) -> Told:
        """Make a folder for sockets that nobody else can enter."""
        self._folder = Path(tempfile.mkdtemp(prefix="ormbench-", dir=told["parent"]))
        return {"folder": str(self._folder)}

    def _route(self, told: Told) -> Told:
        """Open a route; where it is."""
        assert self._folder is not None  # noqa: S101 - started before
        number = told["route"]
        self._passages[number] = passage = Passage(
            Upstream(told["product"], told["host"], told["port"]),
            Conditions(told["delay_ns"]),
            self._folder / str(number),
            self._selector,
            self._agenda,
            reads=told["reads"],
        )
        return {"host": passage.host, "port": passage.port}

    def _take(self, told: Told) -> Told | None:
        """Answer as soon as it is quiet."""
        passage = self._passages[told["route"]]
        if passage.account is None:
            return {"error": "this route reads no messages"}
        self._taking = Taking(passage, passage.account)
        return None

    def _achieved(self, told: Told) -> Told:
        return {"ns": self._passages[told["route"]].conditions.added_rtt_ns()}

    def _stall(self, told: Told) -> Told:
        self._passages[told["route"]].conditions.stalled = True
        return {}

    def _flow(self, told: Told) -> Told:
        self._passages[told["route"]].free()
        return {}

    def _cut(self, told: Told) -> Told:
        return {"connections": self._passages[told["route"]].cut()}

    def _close(self, told: Told) -> Told:
        self._passages.pop(told["route"]).close()
        return {}


def main() -> None:
    """Relay until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the coordinator's to handle
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # then what there is has to do
        enough = _FILES if most == resource.RLIM_INFINITY else min(most, _FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))
    gc.freeze()
    relay = RelayProcess()
    try:
        relay.run()
    finally:
        relay.end()


if __name__ == "__main__":
    main()
