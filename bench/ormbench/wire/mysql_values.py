"""Values in MySQL's binary form, to be passed over: what stands behind them is wanted."""

from ormbench.wire.mysql_packets import integer

_SIZES = {1: 1, 2: 2, 13: 2, 3: 4, 9: 4, 4: 4, 5: 8, 8: 8, 6: 0}
"""Type -> bytes: the integers, YEAR, FLOAT, DOUBLE, NULL. All others say their length first."""
_SENDS_TYPES = 0x80  # flag of a bulk execute
_VALUE = 0  # indicator of a bulk execute: a value follows; others are NULL, DEFAULT, IGNORE


def after_value(body: bytes, at: int, kind: int) -> int:
    """Where the value of type *kind* that begins at *at* ends."""
    if (size := _SIZES.get(kind)) is not None:
        return at + size
    length, at = integer(body, at)
    return at + length


def after_attributes(body: bytes, at: int) -> int:
    """Where the query attributes that begin at *at* end, and the SQL begins."""
    count, at = integer(body, at)
    _, at = integer(body, at)  # sets of them: always one
    if not count:
        return at
    nulls = int.from_bytes(body[at : at + (count + 7) // 8], "little")
    at += (count + 7) // 8 + 1  # and a byte that says that types follow
    kinds = []
    for _ in range(count):
        kinds.append(body[at])
        length, at = integer(body, at + 2)  # of the name
        at += length
    for number, kind in enumerate(kinds):
        if not nulls >> number & 1:
            at = after_value(body, at, kind)
    return at


def bulk(body: bytes, parameters: int, known: bytes) -> tuple[int, bytes]:
    """How many rows a bulk execute brings, and the types of its parameters.

    *known* are the types of the last one: a later one may leave them out.
    """
    at, kinds = 7, known  # after the command, the statement's number and the flags
    if body[5] & _SENDS_TYPES:
        kinds = body[at : at + 2 * parameters : 2]
        at += 2 * parameters
    rows = 0
    while kinds and at < len(body):
        for kind in kinds:
            indicator, at = body[at], at + 1
            if indicator == _VALUE:
                at = after_value(body, at, kind)
        rows += 1
    return rows, kinds
