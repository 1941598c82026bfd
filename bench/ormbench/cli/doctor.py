"""``ormbench doctor``: whether this machine can measure, and how small a difference."""

import asyncio
import json
import math
import secrets
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from textwrap import wrap
from types import FrameType

from ormbench.cli.progress import shown
from ormbench.doctor import noise
from ormbench.doctor.clock import clock_fact
from ormbench.doctor.distance import relay_fact
from ormbench.doctor.fact import Fact, Value
from ormbench.doctor.machine import machine_facts
from ormbench.doctor.supplies import supply_facts
from ormbench.doctor.timers import timer_facts
from ormbench.errors import OK, UNTRUSTED
from ormbench.report.words import in_ascii, one_line
from ormbench.servers.supply import choose, parse_wanted

WIDTH, HEIGHT = 80, 24
_NAME = 11  # columns of a fact's name, with the blank before it
_SEEDS = 1_000_000
_MORE = " help        there is more than fits here: ormbench doctor --json"


def call(arguments: Namespace) -> int:
    """Look, measure an A/A pair, print; with --quick only look."""
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    facts = [*machine_facts(), clock_fact(time.perf_counter_ns), *asyncio.run(timer_facts())]
    facts += [relay_fact(), *supply_facts()]
    trustworthy = None
    if not arguments.quick:
        more, trustworthy = _noise(arguments)
        facts += more
    facts.append(took_fact(time.monotonic() - began))
    if arguments.json:
        print(json.dumps(as_json(facts, trustworthy=trustworthy), allow_nan=False))
    else:
        print("\n".join(lines(facts)))
    return UNTRUSTED if trustworthy is False else OK


def _noise(arguments: Namespace) -> tuple[list[Fact], bool]:
    supply = choose(parse_wanted(arguments.server))
    target = noise.target(supply)
    if target is None:
        return [Fact("noise", "no server can run here, so none was measured", {})], False
    with redirect_stdout(sys.stderr), shown(2, quiet=arguments.quiet) as progress:
        found = noise.measure(target, supply, secrets.randbelow(_SEEDS), progress)
    return noise.noise_facts(found), found.findings.trust.usable


def took_fact(seconds: float) -> Fact:
    """How long all of it took."""
    return Fact("took", f"{seconds:.1f} s", {"seconds": round(seconds, 1)})


def as_json(facts: Sequence[Fact], *, trustworthy: bool | None) -> dict[str, object]:
    """The facts by name; *trustworthy* is null where no pair was measured."""
    by_name = {one.name: asdict(one) | {"values": _finite(one)} for one in facts}
    return {"trustworthy": trustworthy, "facts": by_name}


def _finite(fact: Fact) -> dict[str, Value]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in fact.values.items()
    }


def lines(facts: Sequence[Fact], width: int = WIDTH, height: int = HEIGHT) -> list[str]:
    """A line or two for each fact and for what would help, as many as *height* has room for."""
    shown_lines: list[str] = []
    for text_lines, help_lines in ((3, 3), (2, 2), (2, 1), (1, 1)):
        shown_lines = [
            line for fact in facts for line in _fact_lines(fact, width, text_lines, help_lines)
        ]
        if len(shown_lines) <= height:
            return shown_lines
    told = [line for fact in facts for line in _fact_lines(fact, width, 1, 0)]
    return [*told[: height - 1], _MORE]


def _fact_lines(fact: Fact, width: int, text_lines: int, help_lines: int) -> Iterator[str]:
    head = f" {fact.name}"
    yield from _cut(fact.text, f"{head:<{_NAME}} ", width, text_lines)
    if fact.help and help_lines:
        yield from _cut(f"-> {fact.help}", " " * (_NAME + 1), width, help_lines)


def _cut(text: str, head: str, width: int, most: int) -> list[str]:
    """*text* behind *head* in at most *most* lines of *width* columns; dots where it is cut."""
    found = wrap(
        in_ascii(one_line(text)),
        width,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_on_hyphens=False,
        max_lines=most,
        placeholder=" ...",
    )
    return found or [head.rstrip()]


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
