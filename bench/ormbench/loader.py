"""Scenario files, loaded by path: the project's own exactly like a user's.

The folder of a file becomes a package of a private name, so that ``from .models import X`` works
there, and stands on the import path, so that ``from app.models import X`` does, too.
"""

import contextlib
import hashlib
import importlib.util
import sys
import traceback
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from importlib import resources
from pathlib import Path
from types import ModuleType

from ormbench.errors import UsageError
from ormbench.lane import Lane
from ormbench.scenario import Scenario

RAW_VARIANTS = ("raw_held", "raw", "raw_pool")
ON_LOOP = "_on_loop"  # ends the name of a lane that blocks the event loop, to show the harm


def blocks_loop(lane: str) -> bool:
    """Whether a lane name is that of a lane run directly on the event loop."""
    return lane.endswith(ON_LOOP)


def without_on_loop(lane: str) -> str:
    """``core`` of ``core_on_loop``, and of ``core``."""
    return lane.removesuffix(ON_LOOP)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A scenario with its name, its file, and what the file's docstring says of it."""

    name: str
    scenario: Scenario
    path: Path
    story: str

    def lane_names(self) -> list[str]:
        """All lanes, with the three ways of connecting a lane ``raw`` that takes a driver."""
        return [
            variant
            for name, lane in self.scenario.lanes.items()
            for variant in (RAW_VARIANTS if _is_raw(lane) else (name,))
        ]

    def on_loop_names(self) -> list[str]:
        """The lanes that can block an event loop, by the names under which they do."""
        lanes = self.scenario.lanes.values()
        return [f"{lane.name}{ON_LOOP}" for lane in lanes if lane.receives != "nothing"]

    def sized(self, batch: int | None) -> "Loaded":
        """The same with so many rows an operation; see Scenario.sized."""
        return replace(self, scenario=self.scenario.sized(batch))

    def matching(self, pattern: str) -> list[str]:
        """The lane names that fit; ``..._on_loop`` only where the pattern says so."""
        known = self.lane_names() + (self.on_loop_names() if ON_LOOP in pattern else [])
        return [name for name in known if fnmatch(name, pattern)]

    def has(self, name: str) -> bool:
        """Whether a lane is called so."""
        return name in self.lane_names() or name in self.on_loop_names()

    def lane(self, name: str) -> Lane:
        """The lane behind a lane name; ``raw_held`` and ``raw_pool`` share the body of ``raw``."""
        name = without_on_loop(name)
        return self.scenario.lanes["raw" if name in RAW_VARIANTS else name]


def _is_raw(lane: Lane) -> bool:
    return lane.name == "raw" and lane.receives == "driver"


def shipped() -> dict[str, Loaded]:
    """The scenarios that come with ormbench, by name."""
    folder = Path(str(resources.files("ormbench.scenarios")))
    files = sorted(file for file in folder.glob("*.py") if file.stem not in {"__init__", "models"})
    return {one.name: one for file in files for one in load(file)}


def load(path: Path) -> list[Loaded]:
    """The scenarios of a file. Raises UsageError where it does not import or holds none."""
    if not path.is_file():
        raise UsageError(f"scenario file {path} does not exist")
    module = _import(path)
    found: dict[int, tuple[str, Scenario]] = {}
    for name, value in vars(module).items():
        if isinstance(value, Scenario):
            found.setdefault(id(value), (name, value))
    if not found:
        raise UsageError(f"{path} holds no scenario: write `name = Scenario(...)` at its top level")
    story = (module.__doc__ or "").strip().partition("\n")[0]
    loaded = {one.name: one for one in (_named(*pair, path, story) for pair in found.values())}
    if len(loaded) < len(found):
        raise UsageError(f"{path} holds two scenarios of one name: rename one")
    return list(loaded.values())


def _named(name: str, scenario: Scenario, path: Path, story: str) -> Loaded:
    scenario.name = scenario.name or name
    if not scenario.lanes:
        raise UsageError(
            f"scenario {scenario.name} in {path} has no lane: write one below @{scenario.name}.lane"
        )
    for lane in scenario.lanes:
        if lane in RAW_VARIANTS and lane != "raw":
            raise UsageError(f"lane {scenario.name}/{lane}: the name is kept for a way to run raw")
        if blocks_loop(lane):
            raise UsageError(f"lane {scenario.name}/{lane}: {ON_LOOP} is kept for sync drivers")
    return Loaded(scenario.name, scenario, path, story)


def _import(given: Path) -> ModuleType:
    path = given.resolve()
    package = _package(path.parent)
    name = f"{package}.{path.stem.replace('.', '_')}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{given} is not a Python file: its name must end with .py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # standard output is for results
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        if isinstance(error, UsageError):
            raise UsageError(f"{given}: {error}") from error
        words = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise UsageError(f"{given} does not import: {words}{_line(error, path)}") from error
    return module


def _line(error: BaseException, path: Path) -> str:
    """Which line of the file at *path* raised it; a SyntaxError says so itself."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f" (line {lines[-1]})" if lines else ""


def _package(folder: Path) -> str:
    name = "ormbench_files_" + hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    if name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
        for place in (str(Path.cwd()), str(folder)):
            if place not in sys.path:
                sys.path.append(place)
    return name
