"""Rows as lines with tabs between their values: what COPY and LOAD DATA read unless told otherwise.

A program that brings in rows by either writes such lines, so they are made on the clock.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import Any

NULL = r"\N"
_SPECIAL = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def lines(rows: Iterable[tuple[Any, ...]]) -> str:
    """All rows as one text. Values are None, text, numbers, dates and times; bytes are not."""
    return "".join(["\t".join([_written(value) for value in row]) + "\n" for row in rows])


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value.translate(_SPECIAL)
    if value is None:
        return NULL
    return str(int(value) if isinstance(value, bool) else value)


@contextmanager
def file_of(rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    """The path of a file of these lines, which is gone afterwards."""
    with NamedTemporaryFile("w", encoding="utf-8", newline="", suffix=".tsv") as file:
        file.write(lines(rows))
        file.flush()
        yield file.name
