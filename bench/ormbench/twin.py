"""The sync twin of a lane: a plain function, made from the source of its async body.

``async def`` becomes ``def``, ``await x`` becomes ``x``, ``async for`` and ``async with`` lose
their ``async``, and what SQLAlchemy's sync session, connection or engine calls otherwise is
renamed, also where the lane makes them itself. The twin runs in its module's own globals, under its
own file and lines, with nothing around it. What cannot be translated faithfully is refused, with
its line.
"""

import ast
import gc
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

from ormbench.local_names import kinds_of_names, names_of_its_own
from ormbench.translation import NoTwinError, Translator

SyncBody = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Twin:
    """A lane's body for drivers that block, and its code as a reader would write it."""

    body: SyncBody
    source: str


@lru_cache
def derive(body: Callable[..., Any], subject: str) -> Twin:
    """The twin of an async *body*, whose first parameter is *subject* where that is one.

    Raises NoTwinError where the twin would not do the same.
    """
    if not isinstance(body, FunctionType) or hasattr(body, "__wrapped__"):
        raise NoTwinError("its decorator wraps it")
    given = _definition(body)
    local, kinds = names_of_its_own(given), kinds_of_names(given, subject)
    node = Translator(body, subject, local, kinds).visit(given)
    module = ast.fix_missing_locations(ast.Module([node], []))
    compiled = compile(module, body.__code__.co_filename, "exec", dont_inherit=True)
    code = next(one for one in compiled.co_consts if isinstance(one, CodeType))
    twin = FunctionType(code, body.__globals__, body.__name__, body.__defaults__)
    twin.__kwdefaults__ = body.__kwdefaults__
    twin.__qualname__ = body.__qualname__
    return Twin(twin, ast.unparse(node) + "\n")


def _definition(body: FunctionType) -> ast.AsyncFunctionDef:
    """Its node in the tree of its whole file, so that lines and columns are those of the file."""
    try:
        lines, _ = inspect.findsource(body)
        with _no_collection():
            tree = ast.parse("".join(lines))
    except (OSError, SyntaxError):
        raise NoTwinError("its source cannot be read") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef) and node.name == body.__code__.co_name:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if first == body.__code__.co_firstlineno:
                node.decorator_list = []
                return node
    raise NoTwinError("its source is not what was loaded")


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep greenlets from being collected meanwhile: a parser of Python 3.11 fails over that."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
