from __future__ import annotations

import ast
import json
import os
import runpy
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.cli import register
from seatrial.cli.door import APART as ADOPT
from seatrial.cli.door import SESSIONS
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

REGISTER = Path(register.__file__)
SAID = "seatrial: the release sessions are not registered: they need "
OLD_PYTHONS = ("3.6", "3.7", "3.8", "3.9")

load: Callable[[], ModuleType] = register.load
too_old: Callable[[], str] = register.too_old

# In place of nox: runs register.py as a noxfile (or nox itself) does, and says what came of it.
RUN = """\
import importlib, json, os, runpy, sys

register, run_name, first = sys.argv[1:]
if first:
    sys.path.insert(0, os.getcwd())
own = importlib.import_module(first) if first else None
before = list(sys.path)
runpy.run_path(register, run_name=run_name)
modules = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
registry = sys.modules.get("nox.registry")
print(json.dumps({
    "sessions": sorted(registry.get()) if registry else [],
    "path_as_before": sys.path == before,
    "own_as_before": own is None or sys.modules[first] is own,
    "modules": {name: os.path.realpath(file) for name, file in modules.items() if file},
}))
"""


@dataclass(frozen=True)
class Result:
    """What a process has registered and imported, and what it said on its standard error."""

    sessions: tuple[str, ...]
    path_as_before: bool
    own_as_before: bool
    modules: Mapping[str, str]
    said: str


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder to be in, with a module of its own named as one of the standard library and as our folder."""
    return write_tree(
        tmp_path / "ein Übungsstück", {"tasks.py": "", "email/__init__.py": "raise ImportError", "stages.py": ""}
    )


def run(project: Path, file: Path, run_name: str = "<run_path>", *, first: str = "", **env: str) -> Result:
    """Run `file` in a process of its own, in `project`, after its module `first` was imported from there."""
    script = write_tree(project.parent / "bin", {"run.py": RUN}) / "run.py"
    argv = [sys.executable, str(script), str(file), run_name, first]
    done = subprocess.run(argv, cwd=project, env=os.environ | env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return Result(tuple(found.pop("sessions")), **found, said=done.stderr)


def folders(result: Result) -> set[Path]:
    """Return where the modules under our private name came from."""
    ours = {name: Path(file) for name, file in result.modules.items() if name.startswith("seatrial_tasks.")}
    packages = ("seatrial_tasks.rules.", "seatrial_tasks.reporting.")
    return {file.parent for name, file in ours.items() if not name.startswith(packages)}


# Loaded.


def test_a_noxfile_gets_all_sessions(project: Path) -> None:
    result = run(project, REGISTER)
    assert set(result.sessions) == set(SESSIONS)
    assert result.said == ""


@pytest.mark.parametrize("name", ["tasks", "release_tools", "email", "größe 1", "a-b.c", "seatrial_tasks"])
def test_the_folder_may_have_any_name(project: Path, name: str) -> None:
    copy = project / "copy of" / name
    shutil.copytree(REGISTER.parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    result = run(project, copy / "register.py")
    assert set(result.sessions) == set(SESSIONS)
    assert folders(result) == {copy.resolve()}


def test_what_python_imports_from_where_stays_as_it_was(project: Path) -> None:
    result = run(project, REGISTER)
    assert result.path_as_before
    assert Path(result.modules["email"]).parent == Path(os.path.realpath(os.__file__)).parent / "email"
    assert "stages" not in result.modules
    assert "tasks" not in result.modules


@pytest.mark.parametrize("first", ["tasks", "stages"])
def test_the_projects_own_modules_of_our_names_are_left_alone(project: Path, first: str) -> None:
    shutil.rmtree(project / "email")
    result = run(project, REGISTER, first=first)
    assert set(result.sessions) == set(SESSIONS)
    assert result.own_as_before
    assert Path(result.modules[first]) == (project / f"{first}.py").resolve()
    assert folders(result) == {REGISTER.parent.resolve()}


def test_the_door_runs_it_as_noxs_own_noxfile(project: Path, tmp_path: Path) -> None:
    settings = '[tool.seatrial]\nsession-prefix = "release-"\n'
    there = write_tree(tmp_path / "there", {"pyproject.toml": settings})
    result = run(project, REGISTER, "user_nox_module", **{register.PROJECT_VARIABLE: str(there)})
    assert set(result.sessions) == {*SESSIONS, *ADOPT}
    inside = run(there, REGISTER)
    assert set(inside.sessions) == {f"release-{name}" for name in SESSIONS}


def test_nothing_is_imported_that_only_a_session_needs(tmp_path: Path) -> None:
    result = run(write_tree(tmp_path / "plain", {"pyproject.toml": "", "setup.py": ""}), REGISTER)
    ours = {name.removeprefix("seatrial_tasks.") for name in result.modules if name.startswith("seatrial_tasks.")}
    assert ours == {"kinds", "listed", "matrix", "register", "toml"}
    script = "import json, sys, nox, nox.registry, nox.virtualenv; print(json.dumps(list(sys.modules)))"
    noxs = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    more = {name for name in result.modules if not name.startswith("seatrial_tasks.")} - set(json.loads(noxs.stdout))
    # Where nox's version is read, which is asked of its metadata; `__main__` and `runpy` are how this was started.
    assert {name.partition(".")[0] for name in more} <= {"__main__", "email", "encodings", "pkgutil", "runpy"}


# What a session leaves alone that others need.
APART = {
    "build": ("check", "judge", "rules", "publish", "upload", "verify", "stranger", "relay", "explain", "dryrun"),
    "check": ("build", "frontend", "seclusion", "publish", "sending", "verify", "relay", "explain", "dryrun"),
    "testpypi": ("build", "frontend", "archives", "check", "rules", "verify", "stranger", "relay", "explain", "dryrun"),
    "verify": ("build", "frontend", "archives", "check", "rules", "publish", "sending", "relay", "explain", "dryrun"),
    "pypi": ("build", "frontend", "archives", "check", "rules", "verify", "stranger", "relay", "explain", "dryrun"),
    "status": ("build", "frontend", "archives", "check", "publish", "sending", "verify", "relay", "explain", "dryrun"),
}
SESSION = """\
import importlib, sys

sys.path.insert(0, sys.argv[1])
package = importlib.import_module("register").load().__name__
importlib.import_module(f"{package}.sessions")
importlib.import_module(f"{package}.bodies.{sys.argv[2]}")
print(*(name.removeprefix(f"{package}.") for name in sys.modules if name.startswith(package)))
"""


@pytest.mark.parametrize("session", APART)
def test_a_session_imports_nothing_that_only_others_need(session: str) -> None:
    argv = [sys.executable, "-c", SESSION, str(REGISTER.parent), session]
    loaded = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    assert f"bodies.{session}" in loaded
    assert set(APART[session]) & set(loaded) == set()
    assert all(any(REGISTER.parent.glob(f"{name}*")) for name in APART[session])


def test_a_mere_import_registers_nothing(project: Path) -> None:
    result = run(project, REGISTER, "another_name")
    assert result.sessions == ()
    assert folders(result) == set()
    assert result.said == ""


def test_it_is_loaded_once() -> None:
    first = load()
    assert load() is first
    assert first.__name__ == register.PACKAGE
    assert list(first.__path__) == [str(REGISTER.parent)]


# Too old.


@pytest.fixture
def nox_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The METADATA of the nox that is found first."""
    folder = write_tree(tmp_path / "site", {"nox-0.dist-info/METADATA": ""})
    monkeypatch.syspath_prepend(folder)
    return folder / "nox-0.dist-info" / "METADATA"


def install(metadata: Path, version: str) -> None:
    metadata.write_text(f"Metadata-Version: 2.1\nName: nox\nVersion: {version}\n", encoding="utf-8")


@pytest.mark.parametrize(
    "version", ["2025.10.16", "2025.10.17", "2025.11.12", "2026.1.1", "2025.10.16.post1", "2026.0.0rc1", "unknown"]
)
def test_a_nox_is_new_enough(nox_version: Path, version: str) -> None:
    install(nox_version, version)
    assert too_old() == ""


@pytest.mark.parametrize("version", ["2025.10.15", "2025.5.1", "2025.9.30", "2025.10", "2024.10.9", "2019.5.30"])
def test_a_nox_is_too_old(nox_version: Path, version: str) -> None:
    install(nox_version, version)
    assert too_old() == f"nox 2025.10.16 or later (this is {version}): pip install --upgrade nox"


def test_a_nox_that_does_not_tell_its_version_is_new_enough(nox_version: Path) -> None:
    nox_version.write_text("Metadata-Version: 2.1\nName: nox\n", encoding="utf-8")
    assert too_old() == ""
    nox_version.unlink()
    assert too_old() == ""


def test_a_nox_that_is_not_installed_is_new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "path", [])
        assert too_old() == ""


def test_an_old_nox_gets_no_sessions_and_one_message(nox_version: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(nox_version, "2024.10.9")
    runpy.run_path(str(REGISTER))
    said = capsys.readouterr()
    needed = "nox 2025.10.16 or later (this is 2024.10.9): pip install --upgrade nox"
    assert (said.out, said.err) == ("", f"{SAID}{needed}\n")


@pytest.mark.parametrize("python", [(3, 6, 15), (3, 9, 18)])
def test_an_old_python_gets_no_sessions_and_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], python: tuple[int, ...]
) -> None:
    version = ".".join(map(str, python))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version_info", python)
        patch.setattr(sys, "version", f"{version} (main, Oct  7 2024)")
        patch.delitem(sys.modules, register.PACKAGE, raising=False)
        runpy.run_path(str(REGISTER))
        assert register.PACKAGE not in sys.modules
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"{SAID}Python 3.10 or later (this is {version})\n")


def test_an_old_python_can_read_it() -> None:
    ast.parse(REGISTER.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_an_old_python_goes_on_after_it(tmp_path: Path) -> None:
    write_tree(tmp_path, {"noxfile.py": f"import runpy\nrunpy.run_path({str(REGISTER)!r})\nprint('my own sessions')\n"})
    pythons = [path for version in OLD_PYTHONS if (path := shutil.which(f"python{version}")) and runs(path)]
    if not pythons:
        pytest.skip("there is no old Python here")
    for python in pythons:
        done = subprocess.run([python, "noxfile.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "my own sessions\n"), done.stderr
        assert done.stderr.startswith(SAID + "Python 3.10 or later (this is 3.")
        assert done.stderr.count("\n") == 1


def runs(python: str) -> bool:
    """Whether `python` is more than the name of a version that is not installed."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0
