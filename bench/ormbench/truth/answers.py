"""Answers in one canonical form, so that entities, Rows and driver records can be compared.

A row is a tuple of its values; an entity the tuple of its column values, followed by those of its
relationships that are loaded (nothing is loaded for the comparison); many of them are a list, a
set in an order of its own. A dictionary is a row, unless it is a value in one: then it is JSON.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, inspect
from sqlalchemy.orm import InstanceState

SAMPLE = 400


def canonical(answer: Any, seen: frozenset[int] = frozenset()) -> Any:
    """The canonical form of what a lane returned."""
    if answer is None or isinstance(answer, (str, bytes, int, float)):
        return answer
    state = inspect(answer, raiseerr=False)
    if isinstance(state, InstanceState):
        return _entity(answer, state, seen)
    if isinstance(answer, Mapping) or _is_record(answer):
        return tuple(_value(value, seen) for value in answer.values())
    if isinstance(answer, (tuple, Row)):
        return tuple(_value(value, seen) for value in answer)
    if isinstance(answer, (Sequence, set, frozenset)):
        many = [canonical(value, seen) for value in answer]
        return many if isinstance(answer, Sequence) else sorted(many, key=repr)
    return answer


def _value(value: Any, seen: frozenset[int]) -> Any:
    """What stands in a column, or in what hangs on a row."""
    if isinstance(value, dict):
        return {key: _value(one, seen) for key, one in value.items()}
    if isinstance(value, list):
        return [_value(one, seen) for one in value]
    return canonical(value, seen)


def _is_record(answer: Any) -> bool:
    """Tell a Record of asyncpg: it has the methods of a mapping, but is registered as none."""
    return hasattr(answer, "keys") and hasattr(answer, "values")


def _entity(entity: Any, state: InstanceState[Any], seen: frozenset[int]) -> tuple[Any, ...]:
    seen |= {id(entity)}
    columns = (state.dict.get(attribute.key) for attribute in state.mapper.column_attrs)
    loaded = [
        state.dict[relationship.key]
        for relationship in state.mapper.relationships
        if relationship.key in state.dict and id(state.dict[relationship.key]) not in seen
    ]
    return tuple(_value(value, seen) for value in (*columns, *loaded))


def difference(turn: int, given: Any, expected: Any) -> str | None:
    """What is wrong with the answer to *turn*, in one line; None if nothing is."""
    if isinstance(expected, list) and _is_tuple_of_rows(given):
        given = list(given)
    ours, theirs = canonical(given), canonical(expected)
    if ours == theirs:
        return None
    if isinstance(ours, list) and isinstance(theirs, list):
        return f"turn {turn}: {_list_difference(ours, theirs)}"
    return f"turn {turn}: answered {shorten(ours)}, expected {shorten(theirs)}"


def _is_tuple_of_rows(given: Any) -> bool:
    """Tell the many rows of a driver for MySQL, which come in a tuple, from one row."""
    return type(given) is tuple and all(isinstance(row, tuple) for row in given)


def state_difference(found: list[Any], expected: list[Any]) -> str | None:
    """What is wrong with the state that was left, in one line; None if nothing is."""
    ours, theirs = canonical(found), canonical(expected)
    return None if ours == theirs else f"state: {_list_difference(ours, theirs)}"


def _list_difference(ours: list[Any], theirs: list[Any]) -> str:
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, expected {len(theirs)}"
    pairs = enumerate(zip(ours, theirs, strict=True))
    place = next(number for number, (one, other) in pairs if one != other)
    reordered = sorted(map(repr, ours)) == sorted(map(repr, theirs))
    order = ", the same rows in another order" if reordered else ""
    return f"row {place} is {shorten(ours[place])}, expected {shorten(theirs[place])}{order}"


def shorten(answer: Any, size: int = 120) -> str:
    """The answer as text, cut to *size* characters."""
    text = repr(answer)
    return text if len(text) <= size else text[: size - 1] + "…"


def sample(answer: Any) -> str:
    """What a report shows of an answer."""
    return shorten(canonical(answer), SAMPLE)
