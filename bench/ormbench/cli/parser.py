"""The grammar of the command line."""

import argparse
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from ormbench import __version__
from ormbench.cli import doctor, explain, listing, report, run, servers
from ormbench.errors import UsageError
from ormbench.plan.axes import AXES

Command = Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises UsageError: one line, not a page."""

    example = ""  # a command that works, on the first line of the help

    def format_help(self) -> str:
        """The example, then what argparse says."""
        opening = f"example: {self.example}\n\n" if self.example else ""
        return opening + super().format_help()

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The arguments, with the command to call. Raises UsageError."""
    parser = _Parser(
        prog="ormbench",
        description="Measures what ORM, Core and bare driver cost, and says when it cannot tell.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit codes: 0 fine, 2 usage, 3 not trustworthy, 130 interrupted.",
        allow_abbrev=False,
    )
    parser.example = "ormbench run"
    parser.add_argument("--version", action="version", version=f"ormbench {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    _run(commands)
    _list(commands)
    _report(commands)
    _explain(commands)
    _servers(commands)
    _doctor(commands)
    known = list(commands.choices)
    if words and not words[0].startswith("-") and words[0] not in known:
        near = get_close_matches(words[0], known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        raise UsageError(f"unknown command {words[0]!r}: {hint}")
    arguments = parser.parse_args(list(words) or ["--help"])
    if arguments.command is None:
        raise UsageError(f"no command given: {', '.join(known)}")
    return arguments


def _command(
    commands: Any, name: str, call: Command, what: str, example: str
) -> argparse.ArgumentParser:
    parser: _Parser = commands.add_parser(
        name,
        help=what,
        description=what,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(call=call)
    parser.example = example
    return parser


def _run(commands: Any) -> None:
    parser = _command(
        commands,
        "run",
        run.call,
        "Measure. Without words: the plan quick, on servers of its own.",
        "ormbench run get_by_id --lane orm,core",
    )
    add = parser.add_argument
    add("what", nargs="*", metavar="WHAT", help="plan | plan.toml | scenario | my.py[::lane]")
    axes = parser.add_argument_group(
        "axes (comma lists; the first value is the reference; of a plan, they narrow it)",
        "What a plan compares across an axis gets its values, two or more; of all else it has,\n"
        "what lists one of them remains. An axis that nothing is compared across is replaced.",
    )
    for axis in AXES.values():
        if axis.name != "scenario":
            axes.add_argument(f"--{axis.name}", metavar="VALUES", help=axis.meaning)
    where = parser.add_argument_group("where")
    where.add_argument(
        "--server",
        metavar="auto|embedded|local|docker",
        help="where servers come from (auto: for each product the first that can run here)",
    )
    where.add_argument("--durability", metavar="relaxed|durable", help="of our servers (relaxed)")
    where.add_argument("--url", metavar="env:NAME", help="your own server; or the URL itself")
    where.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST",
        help="of --url, where it is in no private network (repeatable)",
    )
    where.add_argument(
        "--schema",
        metavar="PREFIX",
        help="how the run's schemas are called, which it makes and drops (ormbench_<random>)",
    )
    where.add_argument("--table-rows", type=_count, help="rows of the seeded table (10000)")
    where.add_argument("--out", metavar="FOLDER", help="where runs go (results/local)")
    time = parser.add_argument_group("how long")
    time.add_argument("--blocks", type=_count, help="blocks of fresh processes (8)")
    time.add_argument("--rounds", type=_count, help="slices of an arm in a block")
    time.add_argument("--budget", type=_duration, metavar="10m", help="rounds shrink to fit it")
    time.add_argument("--timeout", type=_duration, default=60.0, metavar="60s", help="of a slice")
    time.add_argument("--dry-run", action="store_true", help="show cells, minutes, connections")
    time.add_argument("--resume", metavar="RUN", help="measure the blocks that a run lacks")
    show = parser.add_argument_group("show")
    show.add_argument(
        "--reference",
        metavar="VALUE",
        help="what ratios are against: orm, 15+0, loop=uvloop (core)",
    )
    show.add_argument("--seed", type=_seed, help="of orders and arrivals (random; recorded)")
    _rendering(show)


def _rendering(group: Any) -> None:
    group.add_argument("--at", type=_rate, default=200.0, metavar="200/s", help="your rate")
    group.add_argument("--full", action="store_true", help="all tables, not the answer alone")
    group.add_argument("--json", action="store_true", help="only JSON on standard output")
    group.add_argument("-q", "--quiet", action="store_true", help="no progress")


def _list(commands: Any) -> None:
    parser = _command(
        commands, "list", listing.call, "Show what there is.", "ormbench list scenarios"
    )
    parser.add_argument("what", nargs="?", choices=listing.KINDS, help="all of it by default")


def _report(commands: Any) -> None:
    parser = _command(
        commands,
        "report",
        report.call,
        "Render a run again: HTML, Markdown, CSV, charts, and the answer on the terminal.",
        "ormbench report last",
    )
    parser.add_argument("run", nargs="?", default="last", metavar="RUN", help="folder, name, last")
    parser.add_argument("--runs", metavar="FOLDER", help="where runs lie (results/local)")
    _rendering(parser)


def _explain(commands: Any) -> None:
    parser = _command(
        commands,
        "explain",
        explain.call,
        "Show what a cell does: its code, its advice, the SQL it sent, and what is doubtful.",
        "ormbench explain get_by_id/orm",
    )
    words = "scenario/lane[/target][/axis=value], or my.py::lane"
    parser.add_argument("cell", metavar="CELL", help=words)
    parser.add_argument("--run", default="last", metavar="RUN", help="the run to take figures from")
    parser.add_argument("--runs", metavar="FOLDER", help="where runs lie (results/local)")


def _servers(commands: Any) -> None:
    parser = _command(
        commands,
        "servers",
        servers.call,
        "Keep dockerized servers running, show what can run here, fetch binaries.",
        "ormbench servers up mysql mariadb",
    )
    parser.add_argument("deed", choices=servers.DEEDS, help="fetch: MariaDB into your cache")
    parser.add_argument("products", nargs="*", metavar="PRODUCT", help="postgresql mysql mariadb")
    up = parser.add_argument_group("of up")
    up.add_argument("--durability", default="relaxed", metavar="relaxed|durable")
    up.add_argument("--port", action="store_true", help="a loopback port; its tax is measured")
    up.add_argument("--volume", action="store_true", help="data on a volume (if durable, always)")


def _doctor(commands: Any) -> None:
    parser = _command(
        commands,
        "doctor",
        doctor.call,
        "Look whether this machine can measure, and how small a difference it can see.",
        "ormbench doctor",
    )
    parser.add_argument("--quick", action="store_true", help="without the A/A pair: 3 s")
    parser.add_argument(
        "--server",
        default="auto",
        metavar="auto|embedded|local|docker",
        help="where the server of the A/A pair comes from",
    )
    parser.add_argument("--json", action="store_true", help="only JSON on standard output")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _duration(text: str) -> float:
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    return _positive(number, text, "90s, 10m") * units[unit]


def _rate(text: str) -> float:
    return _positive(text.removesuffix("/s"), text, "200/s")


def _positive(number: str, text: str, example: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0, like {example}")
    return value
