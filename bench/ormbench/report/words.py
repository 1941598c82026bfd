"""Strings on their way to a reader: no control characters, plain ASCII where that is all there is.

Findings hold text from lanes, drivers and servers. What a terminal or a browser would obey
instead of show is taken out here, once for every rendering.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from ormbench.report.findings import Findings

# C0 and C1 controls but tab and newline, lone surrogates, and marks that turn text around.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_ASCII = {
    0xB5: "u",  # micro sign
    0x3BC: "u",  # Greek mu
    0xD7: "x",  # multiplication sign
    0xB7: "-",  # middle dot
    0xB1: "+-",
    0xA0: " ",  # no-break space
    0x2013: "-",  # en dash
    0x2014: "-",  # em dash
    0x2212: "-",  # minus
    0x2192: "->",
    0x2264: "<=",
    0x2265: ">=",
    0x2026: "...",
    0x2018: "'",
    0x2019: "'",
    0x201C: '"',
    0x201D: '"',
}


def readable(findings: Findings) -> Findings:
    """*findings* without a character that a reader cannot see."""
    return with_strings(findings, lambda text: _UNSHOWABLE.sub("\ufffd", text))


def one_line(text: str) -> str:
    """*text* with every run of white space made a single space."""
    return " ".join(text.split())


def in_ascii(text: str) -> str:
    """*text* for a terminal that knows nothing else: "43 us", and "?" for what has no spelling."""
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def with_strings(findings: Findings, change: Callable[[str], str]) -> Findings:
    """*findings* with *change* applied to each string in it."""
    return cast("Findings", _changed(findings, change))


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple):
        return tuple(_changed(one, change) for one in value)
    if isinstance(value, Mapping):
        return {_changed(key, change): _changed(one, change) for key, one in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (field.name for field in dataclasses.fields(value))
        return dataclasses.replace(
            value, **{name: _changed(getattr(value, name), change) for name in fields}
        )
    return value
