"""What a server that did not start said last."""

import re
import shutil
from pathlib import Path

_SCARCE = 256 << 20  # bytes of free disk below which a failed start may be for want of it
_TELLING = ("FATAL:", "PANIC:", "error:", "DETAIL:", "detail:", "HINT:", "hint:", "[ERROR] ")
_CODES = re.compile(r"(\[(MY-\d+|Server|InnoDB)\] )+")  # MySQL puts them before its words


def last_words(log: Path) -> str:
    """What *log* ends with, as one line: its complaints, or else its last line.

    With how little room its file system has left, where that may be the reason.
    """
    words = _complaints(log) or "it ended without a word"
    free = shutil.disk_usage(log.parent).free
    if free >= _SCARCE:
        return words
    return f"{words}; only {free >> 20} MB are free in {log.parent.parent}"


def _complaints(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    told = [
        _CODES.sub("", " ".join(line[line.index(mark) :].split()))
        for line in lines
        for mark in _TELLING
        if mark in line
    ]
    return "; ".join(told[-3:]) or "".join(lines[-1:])
