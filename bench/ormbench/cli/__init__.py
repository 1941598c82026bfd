"""The command line: parse, call, exit code."""

import io
import os
import sys
from collections.abc import Sequence

from ormbench.cli.parser import parse
from ormbench.errors import INTERRUPTED, OK, OrmbenchError
from ormbench.servers.destination import hidden


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; what went wrong is one line on standard error and the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without µ gets a ?, not a traceback
            stream.reconfigure(errors="replace")
    try:
        arguments = parse(sys.argv[1:] if words is None else words)
        code: int = arguments.call(arguments)
        sys.stdout.flush()
    except OrmbenchError as error:
        print("ormbench:", hidden(" ".join(str(error).split())), file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # whoever read our output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        print("ormbench: interrupted", file=sys.stderr)
        return INTERRUPTED
    return code
