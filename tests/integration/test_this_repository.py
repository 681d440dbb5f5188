"""What a newcomer does first: a dry run of this very repository, and the installed command on another project."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.conftest import HERE, Project
from tests.projects import commit, git, sample

pytestmark = pytest.mark.skipif(
    not (HERE / ".git").exists(), reason="an sdist holds no commit of this repository that could be released"
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of this repository with what is committed on it now."""
    git(tmp_path, "clone", "--quiet", str(HERE), "clone")
    return tmp_path / "clone"


def test_this_repository_rehearses_itself(clone: Path, envdir: Path) -> None:
    done = Project(clone, envdir).step("dryrun")
    assert done.code == 0, done.output
    assert done.shows("dry run of seatrial", "all five sessions passed")


@pytest.fixture
def other(tmp_path: Path, envdir: Path) -> Project:
    """A project that has nothing of ours: no noxfile, no tasks/."""
    root = sample(tmp_path / "other")
    commit(root)
    return Project(root, envdir)


def test_the_installed_command_rehearses_any_project(door: Path, other: Project) -> None:
    before = {path.name for path in other.root.iterdir()}
    done = other.run([str(door), "dryrun"])
    assert done.code == 0, done.output
    assert done.shows("dry run of demo 1.0: all five sessions passed", "next: seatrial testpypi")
    assert {path.name for path in other.root.iterdir()} - before == {".nox"}


def test_the_installed_command_knows_its_sessions_and_nothing_else(door: Path, other: Project, tmp_path: Path) -> None:
    assert other.run([str(door)]).shows("usage: seatrial [NOX OPTIONS] SESSION [ARGS...]", "dryrun", "status")
    assert other.run([str(door), "releese"]).code == 2
    empty = Project(tmp_path, other.envdir)
    stopped = empty.run([str(door), "status"])
    assert stopped.code == 1
    assert stopped.shows("There is no Python project in", "What to do:")


@pytest.mark.parametrize("relative", [True, False])
def test_the_installed_command_inspects_files_anywhere(
    door: Path, other: Project, tmp_path: Path, *, relative: bool
) -> None:
    assert other.run([str(door), "build"]).code == 0
    wheel = Path("dist/demo-1.0-py3-none-any.whl")
    other.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")  # where its own environment is kept
    folder = Project(other.root if relative else tmp_path, other.envdir, other.env)
    found = folder.run([str(door), "inspect", "--json", "found.json", str(wheel if relative else other.root / wheel)])
    assert found.code == 0, found.output
    assert found.shows("demo-1.0-py3-none-any.whl: nothing found")
    assert (folder.root / "found.json").is_file()


def test_the_installed_command_puts_the_sessions_into_a_project_and_knows_them_again(
    door: Path, other: Project, tmp_path: Path
) -> None:
    other.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")  # where its own environment is kept
    done = other.run([str(door), "adopt", "--data", "folder=release-tasks"])
    assert done.code == 0, done.output
    assert done.shows("release-tasks/ (", "next: git add . && git commit, then nox -s dryrun")
    commit(other.root)
    assert other.step("status").shows("nothing is built yet", "next: nox -s build")
    assert other.run([str(door), "adopt", "--check"]).shows("all of them those of seatrial")
    (other.root / "release-tasks" / "upload.py").write_text("import os\n", encoding="utf-8")
    changed = other.run([str(door), "adopt", "--check"])
    assert changed.code == 1
    assert changed.shows("upload.py: was changed")
