"""The installed command on another project; the dry run of this very repository is among the README's snippets."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.archives import wheel
from tests.integration.conftest import HERE, Project
from tests.projects import commit, sample
from tests.samples.messages import is_clear

pytestmark = pytest.mark.skipif(
    not (HERE / ".git").exists(), reason="an sdist holds no commit of this repository that could be released"
)


@pytest.fixture
def other(tmp_path: Path) -> Project:
    """A project that has nothing of ours: no noxfile, no tasks/."""
    root = sample(tmp_path / "other")
    commit(root)
    return Project(root)


def test_the_installed_command_rehearses_any_project(command: Path, other: Project) -> None:
    before = {path.name for path in other.root.iterdir()}
    path = os.pathsep.join([str(Path(find_uv_bin()).parent), os.environ["PATH"]])
    done = other.run([str(command), "dryrun"], PATH=path)
    assert done.code == 0, done.output
    assert done.shows(
        "dry run of demo 1.0 passed: 2 files, the same bytes on both stand-ins", "next: seatrial testpypi"
    )
    assert len(done.output.splitlines()) <= 25
    assert {path.name for path in other.root.iterdir()} - before == {"release-record"}


def test_the_installed_command_knows_its_steps_and_nothing_else(command: Path, tmp_path: Path) -> None:
    empty = Project(tmp_path)
    assert empty.run([str(command)]).shows("usage: seatrial STEP [OPTIONS]", "dryrun", "status")
    assert empty.run([str(command), "releese"]).code == 2
    assert is_clear(empty.run([str(command), "status"]), "There is no Python project in")


def test_the_installed_command_inspects_files_anywhere(command: Path, tmp_path: Path) -> None:
    folder = Project(tmp_path)
    path = wheel(tmp_path / "files")
    for name in (path.relative_to(tmp_path), path):
        done = folder.run([str(command), "inspect", "--json", "found.json", str(name)])
        assert done.code == 0, done.output
        assert done.shows(f"{path.name}: no problems found")
        (result,) = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
        assert (result["file"], result["problems"]) == (str(name), [])


def test_the_installed_command_puts_the_sessions_into_a_project_and_knows_them_again(
    command: Path, other: Project
) -> None:
    done = other.run([str(command), "adopt", "--data", "folder=release-tasks"])
    assert done.code == 0, done.output
    assert done.shows("release-tasks/release.py (", "git add . && git commit", "nox -s dryrun")
    commit(other.root)
    checked = other.run([str(command), "adopt", "--check"])
    assert checked.code == 0, checked.output
    (other.root / "release-tasks" / "release.py").write_text("import os\n", encoding="utf-8")
    changed = other.run([str(command), "adopt", "--check"])
    assert is_clear(changed, "release-tasks differs from what seatrial", "release.py: changed")
