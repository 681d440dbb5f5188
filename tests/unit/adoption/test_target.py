"""What adopting reads of a project, without running any of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from seatrial.adoption import target, template
from seatrial.adoption.target import Ignored, IsTemplate, NoTarget, NotClean, NoxfileUnread
from seatrial.machine.disk import NotOrdinary
from seatrial.project.settings import BrokenToml, NoProject
from tests.projects import commit, git, sample, write_tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.adoption.conftest import Adopt

NOXFILE = """\
import nox


@nox.session
def tests(session: nox.Session) -> None:
    session.run("pytest")
"""


def test_sessions_are_found_under_the_names_that_nox_gives_them(tmp_path: Path) -> None:
    noxfile = """
import nox
@nox.session
def build(session): ...
@nox.session(name="release-notes", python="3.13")
def notes(session): ...
@session(python=["3.12"])
@nox.parametrize("x", [1])
def tests(session): ...
def helper(session): ...
"""
    assert set(target.sessions_in(noxfile, tmp_path)) == {"build", "release-notes", "tests"}


@pytest.mark.parametrize(
    "noxfile",
    [
        "for name in ('build', 'check'):\n    @nox.session(name=name)\n    def run(session): ...\n",
        "nox.session(name=NAME)(helper)\n",
        "nox.session(python='3.12')(helper)\n",
    ],
)
def test_a_name_that_is_made_when_nox_runs_is_not_guessed(tmp_path: Path, noxfile: str) -> None:
    assert target.sessions_in(noxfile, tmp_path) == {None}


def test_a_name_that_is_given_in_a_call_is_read(tmp_path: Path) -> None:
    noxfile = "nox.session(name='build')(helper)\n\ndef helper(session):\n    requests.session(name=x)\n"
    assert target.sessions_in(noxfile, tmp_path) == {"build"}


def test_a_noxfile_that_is_no_python_is_refused(tmp_path: Path) -> None:
    project = sample(tmp_path, files={"noxfile.py": "def build(:\n"})
    with pytest.raises(NoxfileUnread, match=r"noxfile\.py"):
        target.look(project)


@pytest.mark.parametrize("noxfile", [f"x = {'-' * 200_000}1\n", f"@{'a.' * 3000}session\ndef f(s): ...\n"])
def test_a_noxfile_that_is_nested_too_deeply_is_refused(tmp_path: Path, noxfile: str) -> None:
    with pytest.raises(NoxfileUnread, match=r"noxfile\.py cannot be read as Python: it is nested"):
        target.look(sample(tmp_path, files={"noxfile.py": noxfile}))


@pytest.mark.skipif(os.name == "nt", reason="there are no such files on Windows")
@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize(
    "name", ["noxfile.py", "pyproject.toml", "setup.py", "setup.cfg", ".github/workflows/a.yml", "tasks/register.py"]
)
def test_what_may_be_endless_or_never_answer_is_not_read(tmp_path: Path, adopt: Adopt, name: str, kind: str) -> None:
    path = sample(tmp_path / "project") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    with pytest.raises(NotOrdinary, match=path.name):
        adopt(tmp_path / "project")


def test_a_noxfile_that_nobody_wrote_by_hand_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotOrdinary, match="larger than 4 MiB"):
        target.look(sample(tmp_path, files={"noxfile.py": "#" * (5 << 20)}))


def test_a_project_in_git_is_read(tmp_path: Path) -> None:
    project = sample(tmp_path, files={"noxfile.py": NOXFILE})
    commit(project)
    found = target.look(project)
    assert (found.git, found.nested, found.changed) == (True, False, ())
    assert found.sessions == {"tests"}
    assert found.folder == "tasks"
    assert found.pyproject["project"]["name"] == "demo"


@pytest.mark.parametrize(
    ("taken", "free"), [(["tasks.py"], "release-tasks"), (["tasks/a.py", "release-tasks/b.py"], "seatrial-tasks")]
)
def test_a_folder_that_is_taken_is_left_alone(tmp_path: Path, taken: list[str], free: str) -> None:
    assert target.look(sample(tmp_path, files=dict.fromkeys(taken, ""))).folder == free


def test_a_dirty_tree_is_refused_and_a_clean_one_is_not(tmp_path: Path) -> None:
    project = sample(tmp_path)
    commit(project)
    target.stop_if_dirty(target.look(project))
    write_tree(project, {"README.md": "changed\n"})
    with pytest.raises(NotClean, match=r"README\.md"):
        target.stop_if_dirty(target.look(project))


def test_a_repository_without_a_commit_is_dirty(tmp_path: Path) -> None:
    project = sample(tmp_path)
    git(project, "init", "--quiet")
    with pytest.raises(NotClean):
        target.stop_if_dirty(target.look(project))


def test_a_project_without_git_is_never_dirty(tmp_path: Path) -> None:
    found = target.look(sample(tmp_path))
    target.stop_if_dirty(found)
    assert not found.git


def test_a_part_of_a_larger_repository_is_nested(tmp_path: Path) -> None:
    project = sample(tmp_path / "packages" / "demo")
    commit(tmp_path)
    assert target.look(project).nested


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoTarget):
        target.look(tmp_path / "nowhere")
    write_tree(tmp_path, {"file": ""})
    with pytest.raises(NoTarget):
        target.look(tmp_path / "file")


def test_what_is_no_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoProject):
        target.look(tmp_path)


def test_a_broken_pyproject_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrokenToml):
        target.look(write_tree(tmp_path, {"pyproject.toml": "[project"}))


def test_seatrial_itself_is_refused() -> None:
    with pytest.raises(IsTemplate):
        target.look(template.PROGRAM.parents[1])


TWINE = """
on:
  push:
    tags: [v*]
jobs:
  a:
    environment: pypi
    steps:
      - run: twine upload dist/*
"""
ACTION = """
on:
  release:
    types: [published]
jobs:
  a:
    environment:
      name: prod
    steps:
      - uses: pypa/gh-action-pypi-publish@v1
"""
UV = """
on: [release]
jobs:
  a:
    environment:  # two
      name: 'test-pypi'
    steps:
      - run: uv publish
  b:
    environment: pypi
"""
WORKFLOWS = {
    TWINE: ("tag", ("pypi",)),
    ACTION: ("release", ("prod",)),
    UV: ("release", ("test-pypi", "pypi")),
}


@pytest.mark.parametrize(("text", "facts"), WORKFLOWS.items(), ids=["twine", "action", "uv"])
def test_a_workflow_that_publishes_is_read(tmp_path: Path, text: str, facts: tuple[str, tuple[str, ...]]) -> None:
    files = {".github/workflows/publish.yml": text, ".github/workflows/test.yaml": "on: push\n"}
    (found,) = target.publishing(write_tree(tmp_path, files))
    assert (found.name, found.trigger, found.environments) == ("publish.yml", *facts)


@pytest.mark.parametrize(
    ("files", "compiled"),
    [
        ({"pyproject.toml": "[tool.cibuildwheel]\n"}, True),
        ({"pyproject.toml": '[build-system]\nbuild-backend = "maturin"\n'}, True),
        ({"setup.py": "setup(ext_modules=[])\n"}, True),
        ({"pyproject.toml": '[tool.setuptools]\next-modules = [{name = "a", sources = ["a.c"]}]\n'}, True),
        ({"pyproject.toml": "[tool]\nsetuptools = 1\n[build-system]\nbuild-backend = 1\n"}, False),
        ({".github/workflows/p.yml": "- uses: pypa/cibuildwheel@v4\n- run: twine upload\n"}, True),
        ({".github/workflows/p.yml": "- run: twine upload\n", "setup.py": "setup()\n"}, False),
    ],
)
def test_compiled_wheels_are_recognised(tmp_path: Path, files: dict[str, str], *, compiled: bool) -> None:
    assert target.look(sample(tmp_path, files=files)).compiled == compiled


def test_the_outputs_of_each_package_of_a_workspace_are_named(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[tool.seatrial]\npackages = ["packages/*"]\n',
        "packages/a/setup.py": "",
        "packages/b/setup.py": "",
    }
    assert target.outputs(target.look(sample(tmp_path, files=files))) == [
        "/packages/a/dist/",
        "/packages/a/release-record/",
        "/packages/b/dist/",
        "/packages/b/release-record/",
    ]


def test_a_single_package_needs_no_lines_of_its_own(tmp_path: Path) -> None:
    assert target.outputs(target.look(sample(tmp_path))) == []


def test_a_file_that_git_would_ignore_is_refused_with_the_pattern(tmp_path: Path) -> None:
    project = sample(tmp_path, files={".gitignore": "*.whl\n!/wheels/keep.whl\n"})
    commit(project)
    found = target.look(project)
    target.stop_if_ignored(found, ["tasks/release.py", "wheels/keep.whl"])
    with pytest.raises(Ignored, match=r"tasks/a\.whl: \.gitignore:1:\*\.whl"):
        target.stop_if_ignored(found, ["tasks/release.py", "tasks/a.whl"])


def test_where_there_is_no_git_nothing_is_ignored(tmp_path: Path) -> None:
    target.stop_if_ignored(target.look(sample(tmp_path)), ["tasks/a.whl"])
