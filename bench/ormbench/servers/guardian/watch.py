"""Waits for what may happen to a server: it ends, the coordinator goes, SIGTERM comes."""

import os
import select
import signal
import subprocess
import sys
import time

_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Watch:
    """One for the whole process, since it takes the signals and standard input."""

    def __init__(self) -> None:
        self.dismissed = False
        self._signals, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        for number in _SIGNALS:  # handled, not ignored: a child would inherit being deaf
            signal.signal(number, lambda *_: None)

    def until_over(self, process: subprocess.Popen[bytes], seconds: float | None = None) -> None:
        """Sleep until *process* ended, we are dismissed, or *seconds* have passed."""
        end = None if seconds is None else time.monotonic() + seconds
        while not self.dismissed and process.poll() is None:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return
            self._sleep(left)

    def _sleep(self, seconds: float | None) -> None:
        awake, _, _ = select.select([sys.stdin.fileno(), self._signals], [], [], seconds)
        if sys.stdin.fileno() in awake and not os.read(sys.stdin.fileno(), 4096):
            self.dismissed = True
        if self._signals in awake and signal.SIGTERM in os.read(self._signals, 4096):
            self.dismissed = True
