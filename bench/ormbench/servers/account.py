"""The account that a server of our own runs under: database servers refuse to run as root.

As an ordinary user there is nothing to do. Root goes into a user namespace of its own, where it
is nobody and still owns root's files; where the kernel refuses that, it becomes nobody.
"""

import os
import pwd
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_NOBODY = 65534  # the overflow id of Linux, which nearly every system calls nobody
_LOOK_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Account:
    """How a command comes to run under the account."""

    words: str  # for a reader of results
    prefix: tuple[str, ...] = ()  # goes before every command
    ids: tuple[int, int] | None = None  # user and group to become; None stays as it is

    def runs(self, *command: str, env: Mapping[str, str] = MappingProxyType({})) -> bool:
        """Whether *command*, run under this account with *env* on top of ours, ends well."""
        user, group = self.ids or (None, None)
        try:
            done = subprocess.run(
                [*self.prefix, *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_LOOK_SECONDS,
                check=False,
                cwd="/",
                env={**os.environ, **env},
                user=user,
                group=group,
                extra_groups=None if self.ids is None else [],
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0


def choose() -> Account:
    """The account for a server that this process starts."""
    if os.geteuid() != 0 and _has_name(os.geteuid()):
        return Account("the user's own account")
    nobody, group = _nobody()
    namespace = Account("a user namespace", _unshare(nobody))
    if namespace.runs("true"):
        return namespace
    if os.geteuid() != 0:  # initdb will say that this account has no name
        return Account("the user's own account")
    return Account("nobody", ids=(nobody, group))


def _unshare(user: int) -> tuple[str, ...]:
    return ("unshare", "--user", f"--map-user={user}", "--")


def _nobody() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return _NOBODY, _NOBODY
    return entry.pw_uid, entry.pw_gid


def _has_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True
