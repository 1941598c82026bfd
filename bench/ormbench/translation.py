"""From the syntax tree of an async lane body to that of a plain function; pure.

What cannot be translated faithfully is refused, with its line.
"""

import ast
import builtins
import inspect
from types import FunctionType, ModuleType
from typing import Any, NoReturn

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from ormbench.local_names import MAKERS, SUBJECTS

_ITSELF: dict[type, str] = {
    AsyncSession: "sync_session",
    AsyncConnection: "sync_connection",
    AsyncEngine: "sync_engine",
}
_ASYNC_ONLY = {"get_raw_connection", "get_async_bind", "sync_engine", "sync_session_class", "start"}
_STREAMS = {"stream": "execute", "stream_scalars": "scalars"}
_PROTOCOL = {"__aenter__", "__aexit__", "__aiter__", "__anext__", "__await__"}
_ASYNC_MODULES = ("asyncio", "anyio", "trio", "sqlalchemy.ext.asyncio")
_ASYNC_BUILTINS = {"aiter", "anext", "StopAsyncIteration"}
_UNKNOWN = object()


class NoTwinError(Exception):
    """A body that is not translated; the message says what in it, and at which line."""


def _refuse(node: ast.AST, what: str) -> NoReturn:
    raise NoTwinError(f"line {getattr(node, 'lineno', '?')} {what}")


class Translator(ast.NodeTransformer):
    """Rewrites one body; raises NoTwinError where that would change what it does."""

    def __init__(
        self, body: FunctionType, subject: str, local: set[str], kinds: dict[str, type]
    ) -> None:
        self._known = {**vars(builtins), **body.__globals__}
        self._free = body.__code__.co_freevars
        self._sqlalchemy = subject in {**SUBJECTS, **MAKERS}
        self._kinds = kinds
        self._local = local
        self._awaited: set[int] = set()

    # What loses its async

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """``async def`` -> ``def``."""
        return self._plain(node, ast.FunctionDef)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """``async for`` -> ``for``."""
        return self._plain(node, ast.For)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        """``async with`` -> ``with``."""
        return self._plain(node, ast.With)

    def _plain(self, node: ast.AST, kind: type[ast.AST]) -> ast.AST:
        if isinstance(node, ast.AsyncFunctionDef):
            node.returns = None
        self.generic_visit(node)
        return ast.copy_location(kind(**dict(ast.iter_fields(node))), node)

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        """``async for`` in a comprehension -> ``for``."""
        node.is_async = 0
        return self.generic_visit(node)

    def visit_Await(self, node: ast.Await) -> Any:
        """``await call()`` -> ``call()``; an awaitable that was kept may have been started late."""
        value = node.value
        if not isinstance(value, ast.Call) and not _is_awaitable_attribute(value):
            _refuse(node, f"awaits {ast.unparse(value)}, which is not a call")
        self._awaited.add(id(value))
        return self.visit(value)

    # What is not evaluated in the twin

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function inside, without annotations."""
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """A parameter, without annotation."""
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Local annotations say nothing at run time, but may name async classes."""
        node.annotation = ast.copy_location(ast.Constant(None), node.annotation)
        return self.generic_visit(node)

    # What is called otherwise

    def visit_Call(self, node: ast.Call) -> Any:
        """A call on a session, connection or engine under the name that its sync form has."""
        if not self._sqlalchemy or not isinstance(node.func, ast.Attribute):
            return self.generic_visit(node)
        method = node.func.attr
        called = getattr(self._kind(node.func.value), method, None)
        if inspect.iscoroutinefunction(called) and id(node) not in self._awaited:
            _refuse(node, f"calls {ast.unparse(node.func)}() without awaiting it")
        if method == "run_sync":
            return self._run_sync(node, node.func.value)
        if method in _STREAMS:
            node.func.attr = _STREAMS[method]
            self._stream_results(node)
        return self.generic_visit(node)

    def _run_sync(self, node: ast.Call, receiver: ast.expr) -> ast.AST:
        """``session.run_sync(f, *a)`` -> ``f(session, *a)``."""
        if not node.args or isinstance(node.args[0], ast.Starred):
            _refuse(node, "calls run_sync() without naming a function")
        node.func, *given = node.args
        node.args = [receiver, *given]
        return self.generic_visit(node)

    def _stream_results(self, node: ast.Call) -> None:
        """Keep the server-side cursor that a stream has."""
        if any(one.arg is None for one in node.keywords):
            _refuse(node, "streams with a ** argument")
        options: ast.Dict = ast.Dict([ast.Constant("stream_results")], [ast.Constant(value=True)])
        for keyword in node.keywords:
            if keyword.arg == "execution_options":
                keyword.value = ast.Dict([None, *options.keys], [keyword.value, *options.values])
                return
        node.keywords.append(ast.keyword("execution_options", options))

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        """Names that only async objects have, translated or refused."""
        name = ast.unparse(node)
        if node.attr in _PROTOCOL:
            _refuse(node, f"uses {node.attr}")
        self._check(node, name)
        if not self._sqlalchemy:
            return self.generic_visit(node)
        if (kind := self._kind(node.value)) is not None:
            if node.attr == _ITSELF[kind]:
                return self.visit(node.value)
            if node.attr in _ASYNC_ONLY:
                _refuse(node, f"uses {name}, which only asyncio's has")
        if _is_awaitable_attribute(node):
            node.value = node.value.value  # type: ignore[attr-defined]  # it is obj.awaitable_attrs
        if node.attr == "aclose":
            node.attr = "close"
        return self.generic_visit(node)

    def _kind(self, node: ast.AST) -> type | None:
        """Which of SQLAlchemy's async classes a name stands for an object of."""
        return self._kinds.get(node.id) if isinstance(node, ast.Name) else None

    # What has no sync form

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A name that stands for something async is refused."""
        if node.id in self._free:
            _refuse(node, f"uses {node.id}, a variable of the function around it")
        self._check(node, node.id)
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST:
        """An import inside of what is only async is refused."""
        for one in node.names:
            if _only_async(one.name):
                _refuse(node, f"imports {one.name}")
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """Likewise."""
        if _only_async(node.module or ""):
            _refuse(node, f"imports from {node.module}")
        return node

    def _check(self, node: ast.expr, name: str) -> None:
        value = self._value(node)
        if value is _UNKNOWN:
            return
        if isinstance(value, ModuleType):
            if _only_async(value.__name__) and isinstance(node, ast.Name):
                _refuse(node, f"uses {name}")
            return
        plain = inspect.unwrap(value) if isinstance(value, FunctionType) else value
        if inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain):
            _refuse(node, f"calls {name}, which is async")
        homes = (getattr(value, "__module__", None), type(value).__module__)
        if name in _ASYNC_BUILTINS or any(_only_async(str(home)) for home in homes):
            _refuse(node, f"uses {name}")

    def _value(self, node: ast.expr) -> Any:
        """What a name or a dotted name stands for, where that is known before the call."""
        if isinstance(node, ast.Name):
            return _UNKNOWN if node.id in self._local else self._known.get(node.id, _UNKNOWN)
        if not isinstance(node, ast.Attribute):
            return _UNKNOWN
        owner = self._value(node.value)
        if owner is _UNKNOWN:
            return _UNKNOWN
        if isinstance(owner, ModuleType):
            return getattr(owner, node.attr, _UNKNOWN)
        found = inspect.getattr_static(owner, node.attr, _UNKNOWN)
        return found.__func__ if isinstance(found, (staticmethod, classmethod)) else found


def _only_async(module: str) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in _ASYNC_MODULES)


def _is_awaitable_attribute(node: ast.AST) -> bool:
    """Whether it is ``entity.awaitable_attrs.name``."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "awaitable_attrs"
    )
