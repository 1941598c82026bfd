"""One way of doing a scenario's work: its code, what it receives, and what it needs of a target."""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from typing import Any, Literal

from ormbench.defect import Defect
from ormbench.errors import UsageError
from ormbench.translation import NoTwinError
from ormbench.twin import SyncBody, Twin, derive

Arguments = Mapping[str, Any]
Body = Callable[..., Awaitable[Any]]
Receives = Literal["session", "connection", "driver", "sessions", "new_engine", "nothing"]
SUBJECTS: tuple[Receives, ...] = ("session", "connection", "driver", "sessions", "new_engine")
OWN_UNITS: frozenset[Receives] = frozenset({"sessions", "new_engine"})
"""Lanes that receive these begin and end their transactions themselves."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane of a scenario; `lane_of` makes one."""

    name: str
    body: Body
    receives: Receives
    parameters: tuple[str, ...]  # the inputs, in the order in which the body takes them
    prepare: Callable[[Arguments], Arguments] | None = None
    needs: tuple[str, ...] = ()  # abilities of a target, all of them
    known: Mapping[str, Defect] = field(default_factory=dict)  # targets (a glob) -> its defect
    written_twin: SyncBody | None = None  # by the author, instead of the one that is derived

    def defect(self, target: str) -> Defect | None:
        """What is known to break the lane on *target*; None where nothing is."""
        return next((found for one, found in self.known.items() if fnmatch(target, one)), None)

    @property
    def label(self) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(self.body) or "").partition("\n")[0]

    @property
    def docs(self) -> str:
        """The first address in the docstring: the page whose advice the lane follows."""
        found = re.search(r"https?://\S+", inspect.getdoc(self.body) or "")
        return found[0] if found else ""

    @property
    def source(self) -> str:
        """The lane's code, with that of its twin where the author wrote one."""
        written = f"\n\n{inspect.getsource(self.written_twin)}" if self.written_twin else ""
        return inspect.getsource(self.body) + written

    def with_twin(self, body: SyncBody) -> "Lane":
        """The lane with the twin that its author wrote: it takes what the lane takes, and blocks.

        Raises UsageError where it does not.
        """
        if inspect.iscoroutinefunction(body) or inspect.isasyncgenfunction(body):
            raise UsageError(f"twin of {self.name} is async: write it as `def`")
        wanted, given = (", ".join(inspect.signature(one).parameters) for one in (self.body, body))
        if wanted != given:
            raise UsageError(f"twin of {self.name} takes ({given}), its lane ({wanted})")
        return replace(self, written_twin=body)

    def twin(self) -> Twin:
        """The lane for drivers that block. Raises NoTwinError where none follows from its code."""
        if self.written_twin is not None:
            return Twin(self.written_twin, inspect.getsource(self.written_twin))
        try:
            return derive(self.body, self.receives)
        except NoTwinError as error:
            raise NoTwinError(
                f"lane {self.name} has no sync twin: {error}; "
                f"write one below @SCENARIO.twin({self.name})"
            ) from None


def lane_of(body: Body, **options: Any) -> Lane:
    """The lane that *body* is, named after it; *options* are fields of `Lane`.

    Raises UsageError where it has no docstring, or is not async.
    """
    name = getattr(body, "__name__", "?")
    if not inspect.getdoc(body):
        raise UsageError(f"lane {name} has no docstring: its first line is the lane's label")
    if not inspect.iscoroutinefunction(body):
        raise UsageError(f"lane {name} is not async: write it as `async def`")
    return Lane(name, body, *_signature(body), **options)


def _signature(body: Body) -> tuple[Receives, tuple[str, ...]]:
    """What it receives, and the inputs that it takes."""
    names = tuple(inspect.signature(body).parameters)
    for subject in SUBJECTS:
        if names[:1] == (subject,):
            return subject, names[1:]
    return "nothing", names
