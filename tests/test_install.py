"""Installed from a wheel, in somebody's project: it works there and disturbs nothing."""

import importlib.util
import json
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from command import SMALL, statuses

ROOT = Path(__file__).parent.parent
PARTS = ("bench", "docker", "scenarios", "pyproject.toml", "README.md", "LICENSE")
FOREIGN = "import os\n\nif 'OWN' not in os.environ:\n    raise SystemExit(__name__)\n"
PROJECT = {
    "bench/__init__.py": FOREIGN,
    "scenarios/__init__.py": FOREIGN,
    "tests/__init__.py": FOREIGN,
    "ormbench.py": FOREIGN,
    "secrets.py": FOREIGN,
    "conftest.py": "",
    "models.py": '''"""The models of a project."""

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Thing(Base):
    __tablename__ = "thing"
    id: Mapped[int] = mapped_column(primary_key=True)
''',
    "scenarios/thing.py": '''"""Thing: a scenario beside the project's own packages."""

from models import Base, Thing

from ormbench.scenario import Data, Scenario

from .sizes import MANY


def rows(table_rows):
    yield Thing.__table__, [{"id": number} for number in range(1, MANY + 1)]


thing = Scenario(Data(Base.metadata, rows), lambda turn: {"key": 1 + turn % MANY})


@thing.lane
async def orm(session, key):
    """session.get()"""
    return await session.get(Thing, key)
''',
    "scenarios/sizes.py": "MANY = 50\n",
    "tests/test_own.py": """import bench, models, scenarios, sys


def test_each_package_is_the_projects_own(request):
    assert bench.__file__.endswith("bench/__init__.py")
    assert scenarios.__file__.endswith("scenarios/__init__.py")
    assert models.Thing.__tablename__ == "thing"
    assert not any(name.startswith("ormbench") for name in sys.modules)
    plugins = request.config.pluginmanager.list_name_plugin()
    assert not any("ormbench" in str(name) for name, _ in plugins)
""",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel, built from a copy so that the checkout stays as it is."""
    source = tmp_path_factory.mktemp("source")
    for part in PARTS:
        if (ROOT / part).is_dir():
            rubbish = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / part, source / part, ignore=rubbish)
        else:
            shutil.copy(ROOT / part, source / part)
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("setuptools") else []
    target = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", *isolation, "--wheel-dir", str(target), str(source))
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The interpreter of a fresh environment with the wheel, and with the packages of ours."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    found = folder / "bin" / "python"
    pip("--python", str(found), "install", "--no-deps", "--no-index", str(wheel))
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return found


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with packages and modules of the names that a benchmark might like."""
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return tmp_path


def pip(*words):
    """pip, which runs on this interpreter."""
    ended(sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *words, cwd=ROOT.parent)


def ended(*words, cwd, code=0):
    """Run a program to its end; its standard output."""
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == code, done.stderr[-2000:]
    return done.stdout


def test_the_wheel_holds_one_package_with_all_that_it_reads(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"ormbench"}
    for folder in ("bench/ormbench", "scenarios"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                inside = path.relative_to(ROOT / "bench" if folder != "scenarios" else ROOT)
                wanted = inside.as_posix().removeprefix("ormbench/")
                assert f"ormbench/{wanted}" in names


def test_the_installed_package_is_the_one_of_the_wheel(python, tmp_path):
    where = ended(python, "-c", "import ormbench; print(ormbench.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(python.parent.parent)


def test_list_and_dry_run_work_in_a_project_of_any_names(python, project):
    command = python.with_name("ormbench")
    assert "get_by_id" in ended(command, "list", cwd=project)
    said = ended(command, "run", "--dry-run", cwd=project)
    assert "8 blocks of" in said
    assert not (project / "results").exists()


@pytest.mark.servers  # for its seconds
@pytest.mark.slow
def test_a_run_of_the_projects_own_models_works_beside_its_packages(python, project):
    words = ["run", "scenarios/thing.py", "get_by_id::core", *SMALL, "--json"]
    out = ended(python.with_name("ormbench"), *words, cwd=project, code=3)
    assert statuses(out) == {
        "thing/orm": ("OK", ""),
        "get_by_id/core": ("OK", ""),
        "empty/nothing": ("OK", ""),
    }
    (manifest,) = project.glob("results/local/*/run.json")
    assert json.loads(manifest.read_text())["environment"]["commit"] == ""


def test_the_tests_of_the_project_run_undisturbed(python, project, monkeypatch):
    monkeypatch.setenv("OWN", "1")
    out = ended(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)
    assert "1 passed" in out
