"""No file of the project names the machine, the account or the package index it was made with."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parent.parent
PUBLIC = {"pypi.org", "files.pythonhosted.org", "localhost", "127.0.0.1"}
INDEX = re.compile(
    r"(?:extra[-_])?index[-_]url|find[-_]links|trusted[-_]host|/simple/?(?=[\s\"']|$)"
)
SETTINGS = (
    "constraints.txt",
    "pyproject.toml",
    "Makefile",
    ".ci/*",
    ".github/**/*.yml",
    "docker/*",
)
PIN = re.compile(r"[A-Za-z0-9_.\-]+==[A-Za-z0-9_.!+\-]+(?:; .+)?")


def project_files():
    """The files of the project that are text: those that git has, or would take."""
    command = ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    texts = {}
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        data = path.read_bytes() if path.is_file() else b""
        if b"\0" not in data:
            texts[name] = data.decode(errors="replace")
    return texts


@pytest.fixture(scope="module")
def texts():
    return project_files()


def machine_paths():
    """Where the checkout and the home folder lie, and what any home folder looks like."""
    places = {str(ROOT), str(ROOT.parent), str(Path.home())} - {"/", "/tmp", "/usr", "/opt", "/srv"}
    here = "|".join(re.escape(place) for place in sorted(places))
    return re.compile(rf"(?<![\w.:/-])(?:{here})(?![\w-])"), re.compile(r"(?<!\w)/(home|Users)/\w")


def index_hosts():
    """Hosts of the package indexes that this machine is told to use, by pip's own settings."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    told += " ".join(value for key, value in os.environ.items() if re.search("INDEX|PROXY", key))
    hosts = {urlsplit(url).hostname for url in re.findall(r"https?://[^\s'\"]+", told)}
    return {host for host in hosts if host} - PUBLIC


def found(texts, pattern):
    """Where a pattern is found, as file:line: text."""
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_there_is_something_to_look_at(texts):
    assert {"pyproject.toml", "Makefile", "constraints.txt", "README.md"} <= set(texts)
    here, home = machine_paths()
    assert here.search(f"cd {ROOT}/bench")
    assert home.search('"/home/ada/project"')
    assert INDEX.search("--extra-index-url https://packages.example/simple")


def test_no_file_holds_a_path_of_the_machine(texts):
    here, home = machine_paths()
    but_tests = {name: text for name, text in texts.items() if not name.startswith("tests/")}
    assert found(texts, here) == []
    assert found(but_tests, home) == []


def test_no_file_holds_the_host_of_a_private_package_index(texts):
    hosts = map(re.escape, index_hosts())
    assert [host for host in hosts if found(texts, re.compile(rf"[/@]{host}(?![\w.-])"))] == []


def test_no_setting_names_a_package_index():
    settings = [path for pattern in SETTINGS for path in ROOT.glob(pattern) if path.is_file()]
    texts = {path.name: path.read_text(errors="replace") for path in settings}
    assert "pyproject.toml" in texts
    assert found(texts, INDEX) == []


def test_a_constraint_is_a_name_and_a_version_and_nothing_else():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert len(pins) > 10
    assert [line for line in pins if not PIN.fullmatch(line)] == []


def test_published_results_name_no_address(texts):
    published = {n: t for n, t in texts.items() if n.startswith("results/published/")}
    private = re.compile(r"\b(?:10|127|192|172)(?:\.\d{1,3}){3}\b|@[\w.-]+:\d")
    assert found(published, private) == []
