"""A run folder: ``run.json`` once, then ``trials.jsonl``, appended and flushed block by block.

A block counts as measured when its closing line is there. A run that was killed keeps each
finished block; lines after the last closing line are left out by the reader.
"""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ormbench.errors import OrmbenchError, UsageError
from ormbench.results.count import Count
from ormbench.results.manifest import READABLE, Manifest
from ormbench.results.trial import Proof, Trial

MANIFEST = "run.json"
TRIALS = "trials.jsonl"


@dataclass(frozen=True, slots=True)
class Block:
    """One finished block: the unit that survives a kill."""

    number: int
    seconds: float
    foreign_load: float | None  # share of the measured cores that others used; None if unreadable
    trials: tuple[Trial, ...]
    proofs: tuple[Proof, ...]
    counts: tuple[Count, ...] = ()  # of cells that no earlier block counted


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run folder, read."""

    path: Path
    manifest: Manifest
    blocks: tuple[Block, ...]


class RunWriter:
    """Appends finished blocks to a run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = (path / TRIALS).open("a+", encoding="utf-8")
        self._file.write("" if self._ends_well() else "\n")

    @classmethod
    def create(cls, path: Path, manifest: Manifest) -> "RunWriter":
        """Write ``run.json`` into the existing, empty folder *path* and open its trials."""
        text = json.dumps(manifest.to_json(), indent=1) + "\n"
        whole = path / f"{MANIFEST}.part"
        with _writing(path / MANIFEST):
            whole.write_text(text, encoding="utf-8")
            whole.replace(path / MANIFEST)  # at once: a kill leaves it whole or not at all
        return cls(path)

    def append(self, block: Block) -> None:
        """Write a block in one piece and see it on the disk."""
        records: list[Count | Proof | Trial] = [*block.counts, *block.proofs, *block.trials]
        closing = {
            "kind": "block",
            "block": block.number,
            "seconds": block.seconds,
            "foreign_load": block.foreign_load,
            "lines": len(records),
        }
        plain = [record.to_json() for record in records] + [closing]
        lines = "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in plain)
        with _writing(self.path / TRIALS):
            self._file.write(lines)
            self._file.flush()
            os.fsync(self._file.fileno())

    def _ends_well(self) -> bool:
        """Whether the last line is whole; after a kill it may be torn."""
        size = self._file.seek(0, os.SEEK_END)
        with (self.path / TRIALS).open("rb") as file:
            file.seek(max(0, size - 1))
            return file.read() in {b"", b"\n"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        with contextlib.ExitStack() as told:
            told.enter_context(_writing(self.path / TRIALS))
            if error is not None:  # that one is to be told, not what it left in the buffer
                told.enter_context(contextlib.suppress(OSError))
            self._file.close()


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Say in one line what cannot be written: the disk may be full. Raises OrmbenchError."""
    try:
        yield
    except OSError as error:
        raise OrmbenchError(f"{path} cannot be written: {error.strerror}; make room") from error


def read(path: Path) -> RunRecord:
    """Read a run folder. Raises UsageError where it is none, or of a schema unknown here."""
    manifest = read_manifest(path)
    try:
        return RunRecord(path, manifest, tuple(_read_blocks(path / TRIALS)))
    except (OSError, AttributeError, KeyError, TypeError) as error:
        raise UsageError(f"{path / TRIALS} is damaged: {type(error).__name__} {error}") from error


def read_manifest(path: Path) -> Manifest:
    """Read ``run.json``. Raises UsageError where there is none, or of a schema unknown here."""
    try:
        plain = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not a run folder: no readable {MANIFEST}") from error
    schema = plain.get("schema") if isinstance(plain, dict) else None
    if schema not in READABLE:
        known = ", ".join(map(str, READABLE))
        raise UsageError(f"{path} has schema {schema!r}; this version reads {known}")
    try:
        return Manifest.from_json(plain)
    except (AttributeError, KeyError, TypeError) as error:
        words = f"{type(error).__name__} {error}"
        raise UsageError(f"{path / MANIFEST} is damaged: {words}") from error


def _read_blocks(path: Path) -> Iterable[Block]:
    pending: list[dict[str, Any]] = []
    for line in _lines(path):
        try:
            record = json.loads(line)
        except ValueError:
            pending.append({})  # a torn line: the block that it belongs to never closed
            continue
        if record["kind"] != "block":
            pending.append(record)
            continue
        own = pending[max(0, len(pending) - record["lines"]) :]
        pending = []
        if len(own) < record["lines"] or not all(own):
            continue  # a disk that lost power may keep the end of a block and not its middle
        yield Block(
            record["block"],
            record["seconds"],
            record["foreign_load"],
            tuple(Trial.from_json(one) for one in own if one.get("kind") == "trial"),
            tuple(Proof.from_json(one) for one in own if one.get("kind") == "proof"),
            tuple(Count.from_json(one) for one in own if one.get("kind") == "count"),
        )


def _lines(path: Path) -> Iterable[str]:
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from file
