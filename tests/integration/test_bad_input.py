"""What a user can get wrong, or a machine can lack: one clear message, exit 1, and nothing lost."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
import venv
from typing import TYPE_CHECKING

import pytest

from tests.integration.conftest import RUNNING, SETTINGS, Project
from tests.projects import commit, git, write_tree
from tests.samples.messages import is_clear

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.conftest import Indexes

SESSIONS = ("build", "check", "testpypi", "pypi", "dryrun", "status")
OWN_BACKEND = """\
import os
from flit_core import buildapi
from flit_core.buildapi import *


def build_sdist(folder, settings=None):
    {sdist}
    return buildapi.build_sdist(folder, settings)


def build_wheel(folder, settings=None, metadata=None):
    {wheel}
    return buildapi.build_wheel(folder, settings, metadata)
"""
OTHER_VERSION = """\
name = buildapi.build_wheel(folder, settings, metadata)
    os.rename(os.path.join(folder, name), os.path.join(folder, name.replace("-1.0-", "-1.1-")))
    return name.replace("-1.0-", "-1.1-")"""


def with_backend(make_project: Callable[..., Project], sdist: str = "", wheel: str = "") -> Project:
    """Make a project whose build backend does something of its own first."""
    backend = OWN_BACKEND.format(sdist=sdist or "pass", wheel=wheel or "pass")
    project = make_project(files={"own_backend.py": backend})
    text = (project.root / "pyproject.toml").read_text(encoding="utf-8")
    text = text.replace('build-backend = "flit_core.buildapi"', 'build-backend = "own_backend"\nbackend-path = ["."]')
    project.change({"pyproject.toml": text + '\n[tool.flit.sdist]\ninclude = ["own_backend.py"]\n'})
    return project


@pytest.fixture
def empty(tmp_path: Path) -> Project:
    """A folder with nothing in it."""
    (tmp_path / "empty").mkdir()
    return Project(tmp_path / "empty")


def test_a_folder_without_a_project(empty: Project) -> None:
    ended = empty.steps(*SESSIONS, alone=True)
    for session in SESSIONS:
        assert is_clear(ended.of(session), "There is no Python project in", "change to the folder")
    assert list(empty.root.iterdir()) == []


def test_a_project_without_pyproject_toml_is_built(empty: Project) -> None:
    script = "from setuptools import setup\nsetup(name='old', version='1.0', py_modules=['old'])\n"
    write_tree(empty.root, {"setup.py": script, "old.py": "x = 1\n", "README.md": "old\n"})
    commit(empty.root)
    assert empty.step("build").code == 0
    assert set(empty.files()) == {"old-1.0.tar.gz", "old-1.0-py3-none-any.whl"}


def test_a_repository_without_a_commit(empty: Project) -> None:
    write_tree(empty.root, {"pyproject.toml": "[project]\nname = 'demo'\nversion = '1.0'\n"})
    git(empty.root, "init", "--quiet")
    assert is_clear(empty.step("build"), "has no commit yet")


def test_a_shallow_clone(project: Project, tmp_path: Path) -> None:
    project.change({"src/demo/more.py": "x = 1\n"})
    git(tmp_path, "clone", "--quiet", "--depth", "1", project.root.as_uri(), "shallow")
    shallow = Project(tmp_path / "shallow")
    assert is_clear(shallow.step("build"), "is a shallow clone", "git fetch --unshallow --tags")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[project\nname = 'demo'\n", ("pyproject.toml is not valid TOML", "line 1")),
        (f"{SETTINGS}\npythonz = ['3.12']\n", ("Unknown setting `pythonz`", "Known settings: archives")),
        ("\n[tool.seatrial]\nnormalize = 1\n", ("Unknown setting `normalize`", "normalise")),
        ("\n[tool.seatrial]\npythons = '3.12'\n", ("`pythons`", "'3.12'")),
        ("\n[tool.seatrial]\nindex-timeout = true\n", ("`index-timeout`", "True")),
    ],
)
def test_a_wrong_configuration_is_named(project: Project, text: str, said: tuple[str, ...]) -> None:
    pyproject = project.root / "pyproject.toml"
    whole = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(text if text.startswith("[project") else whole.replace(SETTINGS, text), encoding="utf-8")
    assert is_clear(project.step("build"), *said)
    assert not project.dist.exists()


def test_a_backend_that_fails_is_heard_first(make_project: Callable[..., Project]) -> None:
    project = with_backend(make_project, sdist="raise SystemExit('the backend says no')")
    ended = project.step("build")
    assert is_clear(ended, "the backend says no", "The build of the sdist failed (exit code 1). Its output:")
    assert ended.output.index("the backend says no") < ended.output.index("Usual cause:")
    assert not project.dist.exists()


def test_a_backend_that_hangs_is_ended_with_what_it_started(
    make_project: Callable[..., Project], tmp_path: Path
) -> None:
    alive = tmp_path / "alive"
    child = f"open({str(alive)!r}, 'w').close(); import time; time.sleep(600)"
    backend = (
        f"import subprocess, sys\n\n\ndef build_sdist(*args):\n    subprocess.run([sys.executable, '-c', {child!r}])\n"
    )
    pyproject = '[build-system]\nrequires = []\nbuild-backend = "own_backend"\nbackend-path = ["."]\n'
    project = make_project(
        files={"own_backend.py": backend, "pyproject.toml": pyproject + SETTINGS + "build-timeout = 4\n"}, settings=""
    )
    assert is_clear(project.step("build"), "did not end within 4 seconds", "raise `build-timeout`")
    assert alive.exists()
    assert not project.dist.exists()
    if shutil.which("pgrep"):
        assert subprocess.run(["pgrep", "-f", str(alive)], check=False, capture_output=True).returncode == 1


def test_a_backend_that_writes_nothing(make_project: Callable[..., Project]) -> None:
    ended = with_backend(make_project, sdist="return 'demo-1.0.tar.gz'").step("build")
    assert ended.code == 1  # the traceback is that of `build`, which looks for the file
    assert ended.shows("The build of the sdist failed", "demo-1.0.tar.gz", "What to do:")


def test_a_backend_that_writes_two_versions(make_project: Callable[..., Project]) -> None:
    project = with_backend(make_project, wheel=OTHER_VERSION)
    assert is_clear(project.step("build"), "have more than one version", "demo-1.1-py3-none-any.whl", "demo-1.0.tar.gz")
    assert not project.dist.exists()


def test_what_was_built_before_survives_a_build_that_fails(project: Project, bring: Callable[[str], Project]) -> None:
    bring("build")
    before = project.files()
    text = (project.root / "pyproject.toml").read_text(encoding="utf-8")
    project.change({"pyproject.toml": text.replace('version = "1.0"', 'version = "one"')})
    assert project.step("build").code == 1
    assert project.files() == before
    assert project.stage("built.json")["version"] == "1.0"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[: len(text) // 2], "cannot be used"),
        (lambda text: text.replace('"schema": 1', '"schema": 2'), "schema 2"),
        (lambda text: text.replace('"version": "1.0"', '"version": 1'), "version is not str"),
    ],
    ids=["cut short", "other schema", "other type"],
)
def test_a_record_that_cannot_be_read(bring: Callable[[str], Project], change: Callable[[str], str], said: str) -> None:
    project = bring("build")
    path = project.record / "built.json"
    damaged = change(path.read_text(encoding="utf-8"))
    path.write_text(damaged, encoding="utf-8")
    readers = ("check", "testpypi", "verify", "pypi", "status")
    ended = project.steps(*readers, alone=True)
    for session in readers:
        assert is_clear(ended.of(session), str(path.name), said)
    assert path.read_text(encoding="utf-8") == damaged
    assert set(project.files()) == {"demo-1.0.tar.gz", "demo-1.0-py3-none-any.whl"}


def test_a_record_of_another_version(project: Project, indexes: Indexes, bring: Callable[[str], Project]) -> None:
    bring("verify")
    old = {path.name: path.read_text(encoding="utf-8") for path in project.record.glob("*.json")}
    module = project.root / "src/demo/__init__.py"
    pyproject = (project.root / "pyproject.toml").read_text(encoding="utf-8")
    project.change(
        {
            "pyproject.toml": pyproject.replace('version = "1.0"', 'version = "1.1"'),
            "src/demo/__init__.py": module.read_text(encoding="utf-8").replace("1.0", "1.1"),
        }
    )
    assert project.step("build", "--rebuild").code == 0
    write_tree(project.record, {name: text for name, text in old.items() if name != "built.json"})
    refused = project.step("pypi", "--yes", "1.1")
    assert is_clear(
        refused, "rehearsed.json is the record of files (demo 1.0) other than those of built.json (demo 1.1)"
    )
    assert indexes.held("pypi") == {}


def test_verify_needs_a_fresh_environment(project: Project, indexes: Indexes, bring: Callable[[str], Project]) -> None:
    del indexes
    bring("testpypi")
    environment = project.root.parent / "environment"
    venv.create(environment)
    cell = ("--python", RUNNING, "--kind", "wheel", "--environment", str(environment))
    done = project.step("verify", *cell, alone=True)
    assert done.code == 0, done.output
    (record,) = project.record.glob("verified-*.json")
    record.unlink()
    assert is_clear(project.step("verify", *cell, alone=True), "verify was given an environment that was used before")
    assert not list(project.record.glob("verified-*.json"))


def test_a_missing_interpreter_is_named_where_another_is_green(
    make_project: Callable[..., Project],
) -> None:
    settings = SETTINGS.replace(f'["{RUNNING}"]', f'["3.99", "{RUNNING}"]')
    project = make_project(settings)
    done = project.step("dryrun", "--sdist-only")
    assert done.code == 0, done.output
    assert done.shows("3.99 is not on this machine", "Python 3.99 sdist not verified (no such interpreter here")
    assert done.shows(f"Python {RUNNING} sdist imported demo")


def test_only_missing_interpreters_stop_before_the_build(make_project: Callable[..., Project]) -> None:
    project = make_project(SETTINGS.replace(RUNNING, "3.99"))
    stopped = project.step("dryrun")
    assert is_clear(stopped, "Not on this machine: Python 3.99, on which this release", f"Here: {RUNNING}")
    assert "building" not in stopped.output


def test_git_is_needed_where_there_is_a_repository(project: Project) -> None:
    without = project.step("build", PATH=sysconfig.get_path("scripts"))
    assert is_clear(without, "is a git repository, and the program git was not found", "install git")


def test_an_unknown_option_names_the_session(project: Project) -> None:
    assert is_clear(project.step("build", "--sdist"), "nox -s build --", "--sdist")


def test_a_token_on_the_command_line_is_not_repeated(project: Project) -> None:
    token = "pypi-" + "AgEIcHlwaS5vcmcCJDAwMDAwMDAw"  # the beginning of one
    ended = project.step("pypi", token)
    assert ended.code == 1
    assert ended.shows("An API token was given on the command line")
