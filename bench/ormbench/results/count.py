"""The count pass of a cell: what a few of its operations did on the wire. Pure data, with JSON."""

from dataclasses import asdict, dataclass
from typing import Any

from ormbench.wire.tally import Line, Tally


@dataclass(frozen=True, slots=True)
class Count:
    """What the wire relay saw of a cell; one client, warm connections."""

    cell: str  # Cell.id
    block: int  # in which it was counted
    operations: tuple[Tally, ...]  # one tally for each operation; () where none could be counted
    transcript: tuple[Line, ...]  # of the last of them
    reason: str = ""  # why nothing could be counted; "" where it could
    like: str = ""  # the cell that was counted for this one, too; the transcript stands there

    def span(self, name: str) -> tuple[int, int] | None:
        """The least and the most of a count over the operations; None where none was counted.

        *name* is a field of Tally that is a number: "round_trips", "sent".
        """
        found = [getattr(one, name) for one in self.operations]
        return (min(found), max(found)) if found else None

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {"kind": "count", **asdict(self)}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "Count":
        """Read one back; raises TypeError or KeyError where it is not a count."""
        known = {key: value for key, value in plain.items() if key != "kind"}
        operations = tuple(Tally(**one) for one in plain["operations"])
        transcript = tuple(Line(**one) for one in plain["transcript"])
        return cls(**{**known, "operations": operations, "transcript": transcript})
