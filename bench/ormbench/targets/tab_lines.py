"""Rows as lines with tabs between their values: what COPY and LOAD DATA read unless told otherwise.

A program that brings in rows by either writes such lines, so they are made on the clock: by the
standard library's writer, in half the time of a loop over values, unless a value is special.
"""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from itertools import chain
from tempfile import NamedTemporaryFile
from types import NoneType
from typing import Any

NULL = r"\N"
_ALIEN = {NoneType, bool}  # what csv writes as "", "True" and "False"
_SPECIAL = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def lines(rows: Sequence[tuple[Any, ...]]) -> str:
    """All rows as one text. Values are None, text, numbers, dates and times; bytes are not."""
    wide = len(next(iter(rows), ())) > 1  # csv writes no line for one empty value
    if wide and _ALIEN.isdisjoint(map(type, chain.from_iterable(rows))):
        plain = _plain(rows)
        if "\\" not in plain and "\r" not in plain:
            return plain
    return "".join(["\t".join([_written(value) for value in row]) + "\n" for row in rows])


def _plain(rows: Sequence[tuple[Any, ...]]) -> str:
    """What csv makes of them: a tab, a newline or a backslash in a value has a backslash before."""
    text = StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter="\t",
        quoting=csv.QUOTE_NONE,
        quotechar=None,
        escapechar="\\",
        lineterminator="\n",
    )
    writer.writerows(rows)
    return text.getvalue()


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value.translate(_SPECIAL)
    if value is None:
        return NULL
    return str(int(value) if isinstance(value, bool) else value)


@contextmanager
def file_of(rows: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    """The path of a file of these lines, which is gone afterwards."""
    with NamedTemporaryFile("w", encoding="utf-8", newline="", suffix=".tsv") as file:
        file.write(lines(rows))
        file.flush()
        yield file.name
