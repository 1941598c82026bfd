"""``ormbench report``: render a run folder, and say the answer."""

import json
import math
import os
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ormbench.errors import OK, UNTRUSTED, UsageError
from ormbench.report.digest import digest
from ormbench.report.findings import Findings
from ormbench.report.terminal import render as render_terminal
from ormbench.results.folder import RunRecord, read
from ormbench.results.place import LOCAL, find


def call(arguments: Namespace) -> int:
    """Render the run that the words name."""
    return show(
        find(arguments.run, LOCAL if arguments.runs is None else Path(arguments.runs)), arguments
    )


def show(path: Path, arguments: Namespace) -> int:
    """Render, print the answer, and judge whether it may be trusted."""
    record = read(path)
    findings = render(record, arguments)
    if arguments.json:
        print(json.dumps(_plain(asdict(findings)), default=str, allow_nan=False))
    else:
        print(render_terminal(findings, full=arguments.full, colour=_colour()), end="")
    broken = any(trial.is_unforeseen for block in record.blocks for trial in block.trials)
    return OK if findings.trust.usable and not broken else UNTRUSTED


def render(record: RunRecord, arguments: Namespace) -> Findings:
    """Write the report's files into the run folder."""
    from ormbench.report.write import write  # noqa: PLC0415 - drawing costs a second to import

    path = record.path
    findings = digest(record, os.path.relpath(path), at_rate=arguments.at)
    try:
        write(findings, path)
    except OSError as error:
        raise UsageError(f"report cannot be written to {path}: {error.strerror}") from error
    return findings


def _plain(value: Any) -> Any:
    """Without what JSON has no word for: bounds of an interval that are infinite become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
