"""What a guardian is told: which server to start, how to see that it is up, how to end it."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ormbench.servers.account import Account

HERE = "{directory}"
"""In a command, a path or a variable of the environment: the private folder, once it has a name."""

Sign = Literal["status line", "socket"]


@dataclass(frozen=True, slots=True)
class Job:
    """One private server. The guardian reads it as JSON."""

    parent: str  # folder for the private one
    account: Account
    initialise: tuple[str, ...]  # the command that makes the data
    start: tuple[str, ...]  # the server, in the foreground
    ready: tuple[Sign, str]  # PostgreSQL's postmaster.pid, or a socket that somebody listens on
    stop: tuple[str, ...]  # names of signals, the most polite first; SIGKILL follows
    copies: tuple[tuple[str, str], ...] = ()  # from, to: what the account cannot read in place
    env: Mapping[str, str] = field(default_factory=dict)  # on top of the coordinator's

    def with_copy_of(self, tree: Path) -> "Job":
        """The same job in a copy of *tree* in the private folder: the account cannot read it."""
        target = f"{HERE}/binaries"

        def moved(word: str) -> str:
            return word.replace(str(tree), target)

        return dataclasses.replace(
            self,
            copies=(*self.copies, (str(tree), target)),
            initialise=tuple(map(moved, self.initialise)),
            start=tuple(map(moved, self.start)),
            env={name: moved(value) for name, value in self.env.items()},
        )

    def to_json(self) -> str:
        """The words for the guardian."""
        told = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        account = told.pop("account")
        return json.dumps({**told, "prefix": account.prefix, "ids": account.ids})
