"""The names in a lane's body: its own, and those of SQLAlchemy's async objects; pure."""

import ast
from collections.abc import Iterator

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

SUBJECTS: dict[str, type] = {"session": AsyncSession, "connection": AsyncConnection}
"""What a lane may receive -> its class."""
MAKERS: dict[str, type] = {"sessions": AsyncSession, "new_engine": AsyncEngine}
"""What a lane may receive instead -> the class of what that makes."""


def names_of_its_own(node: ast.AST) -> set[str]:
    """Parameters, and what is assigned, defined or imported inside."""
    found: set[str] = set()
    for one in ast.walk(node):
        if isinstance(one, ast.arg):
            found.add(one.arg)
        elif isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
            found.add(one.id)
        elif one is not node and isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.add(one.name)
        elif isinstance(one, ast.alias):
            found.add(one.asname or one.name.partition(".")[0])
    return found


def kinds_of_names(node: ast.AST, subject: str) -> dict[str, type]:
    """The names for sessions, connections and engines: *subject*, and what is made by it inside."""
    found = {subject: SUBJECTS[subject]} if subject in SUBJECTS else {}
    bindings = list(_bindings(node))
    for _ in bindings:  # a name may be made by one that is bound further down in the walk
        for name, made in bindings:
            if (kind := _kind_made(made, subject, found)) is not None:
                found[name] = kind
    return found


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Each name that a statement inside binds, with what it binds it to."""
    for one in ast.walk(node):
        if isinstance(one, ast.withitem):
            targets, value = [one.optional_vars], one.context_expr
        elif isinstance(one, ast.Assign):
            targets, value = [*one.targets], one.value
        elif isinstance(one, ast.NamedExpr):
            targets, value = [one.target], one.value
        else:
            continue
        value = value.value if isinstance(value, ast.Await) else value
        yield from ((target.id, value) for target in targets if isinstance(target, ast.Name))


def _kind_made(made: ast.expr, subject: str, known: dict[str, type]) -> type | None:
    """What ``sessions()``, ``sessions.begin()``, ``new_engine()`` or ``engine.begin()`` gives."""
    if not isinstance(made, ast.Call):
        return None
    function, maker = made.func, MAKERS.get(subject)
    if isinstance(function, ast.Name):
        return maker if function.id == subject else None
    if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
        return None
    if known.get(function.value.id) is AsyncEngine:
        return AsyncConnection if function.attr in {"connect", "begin"} else None
    return maker if function.value.id == subject and function.attr == "begin" else None
