"""What the command line turns into one line and an exit code; nothing else is caught."""

OK = 0
REGRESSION = 1
USAGE = 2
UNTRUSTED = 3
INTERRUPTED = 130


class OrmbenchError(Exception):
    """One line that names the object, what is wrong with it and what would be right."""

    exit_code = UNTRUSTED


class UsageError(OrmbenchError):
    """The words or files that came in do not fit."""

    exit_code = USAGE


class ServerError(OrmbenchError):
    """A database server did not start, or no longer answers."""


class WorkerError(OrmbenchError):
    """A worker or the relay died or broke the protocol: its block is lost, nothing else."""
