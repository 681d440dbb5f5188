"""From an earlier version of the template, and from the old copy, to this one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial import __version__
from seatrial.adoption import changes, lock
from seatrial.adoption.lock import OtherVersion
from tests.projects import commit, git, sample, write_tree
from tests.unit.adoption.conftest import state

if TYPE_CHECKING:
    from tests.unit.adoption.conftest import Adopt

HERE = Path(__file__).parents[3]
OLD_COPY = "66e15486910c433520c9a1a5a2e8d4f94f9f6da6"  # the last commit with the copy of 129 files
RELEASE, CHECK, LOCK = ".github/workflows/release.yml", ".github/workflows/check.yml", "tasks/release.txt"
WHEEL = f"tasks/seatrial-{__version__}-py3-none-any.whl"


@pytest.fixture
def earlier(tmp_path: Path, adopt: Adopt) -> Path:
    """A project that adopted an earlier version, with another lock, another release.py and other workflows."""
    project = sample(tmp_path / "project")
    commit(project)
    adopt(project)
    text = (project / LOCK).read_text("utf-8")
    for name in (RELEASE, CHECK):
        written = (project / name).read_text("utf-8")
        former = written.replace("ubuntu-24.04", "ubuntu-22.04")
        text = text.replace(changes.digest(written), changes.digest(former))
        write_tree(project, {name: former})
    text = text.replace(f"seatrial {__version__}", "seatrial 0.0.1").replace(
        f"seatrial-{__version__}-", "seatrial-0.0.1-"
    )
    text = re.sub(r"^twine==\S+", "twine==6.0.0", text, flags=re.MULTILINE)
    write_tree(project, {LOCK: text, "tasks/release.py": "# an earlier one\n"})
    (project / WHEEL).rename(project / "tasks" / "seatrial-0.0.1-py3-none-any.whl")
    commit(project)
    return project


def test_an_update_brings_copy_lock_wheel_and_workflows_and_shows_what_changes(earlier: Path, adopt: Adopt) -> None:
    with pytest.raises(OtherVersion):
        adopt(earlier, "--check")
    printed = adopt(earlier, "--update")
    assert re.search(r"twine==6\.0\.0 -> twine==[7-9]", printed)
    assert "-# an earlier one" in printed
    assert "removed:\n  tasks/ (1 file)" in printed
    assert "keep it out of the sdist" not in printed  # which was said when it was adopted
    assert (earlier / WHEEL).is_file()
    assert not (earlier / "tasks" / "seatrial-0.0.1-py3-none-any.whl").exists()
    assert all("ubuntu-22.04" not in (earlier / name).read_text("utf-8") for name in (RELEASE, CHECK))
    commit(earlier)
    assert "pins everything by hash" in adopt(earlier, "--check")
    assert "nothing to change" in adopt(earlier, "--update")


def test_an_update_keeps_edits_of_the_workflows_each_time(earlier: Path, adopt: Adopt) -> None:
    def edited(name: str, before: str, after: str) -> None:
        write_tree(earlier, {name: (earlier / name).read_text("utf-8").replace(before, after)})
        commit(earlier)

    edited(RELEASE, "fail-fast: false", "fail-fast: true")
    (earlier / CHECK).unlink()
    commit(earlier)
    printed = adopt(earlier, "--update")
    assert f"{CHECK} was deleted and stays so" in printed
    for _ in range(2):
        text = (earlier / RELEASE).read_text("utf-8")
        assert "fail-fast: true" in text
        assert "ubuntu-22.04" not in text
        assert "<<<<<<<" not in text
        commit(earlier)
        adopt(earlier, "--update")
    edited(LOCK, changes.digest(""), changes.digest(""))
    adopt(earlier, "--update", "--data", "check=check.yml")
    assert (earlier / CHECK).is_file()


def test_a_wheel_of_the_same_name_is_not_shown_byte_by_byte(earlier: Path, adopt: Adopt) -> None:
    adopt(earlier, "--update")
    (earlier / WHEEL).write_bytes(b"\0" * 2000)
    commit(earlier)
    printed = adopt(earlier, "--update")
    assert re.search(rf"changed in {re.escape(WHEEL)}:\n  \| 2 KiB -> \d+ KiB\n", printed)
    assert len(printed.splitlines()) < 20


def test_what_somebody_else_changed_is_restored_by_an_update(earlier: Path, adopt: Adopt) -> None:
    adopt(earlier, "--update")
    write_tree(earlier, {"tasks/nox.txt": "nox\n", "tasks/release.py": "import evil\n"})
    commit(earlier)
    printed = adopt(earlier, "--update")
    assert "-import evil" in printed
    assert "--hash=sha256:" in (earlier / "tasks/nox.txt").read_text("utf-8")


def test_a_copy_in_a_hidden_folder_is_restored_too(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project")
    adopt(project, "--data", "folder=.release")
    copy = project / ".release" / "release.py"
    ours = copy.read_text("utf-8")
    copy.write_text("# mine\n", encoding="utf-8")
    adopt(project, "--update")
    assert copy.read_text("utf-8") == ours


def test_an_update_moves_the_copy_to_another_folder(earlier: Path, adopt: Adopt) -> None:
    adopt(earlier, "--update", "--data", "folder=release-tasks")
    assert not (earlier / "tasks").exists()
    assert 'run_path("release-tasks/release.py")' in (earlier / "noxfile.py").read_text("utf-8")
    commit(earlier)
    assert "pins everything by hash" in adopt(earlier, "--check")


@pytest.fixture
def former(tmp_path: Path) -> Path:
    """A project with the old copy, as its owner left it."""
    project = sample(
        tmp_path / "project", files={"noxfile.py": 'import runpy\n\nrunpy.run_path("tasks/register.py")\n'}
    )
    shown = subprocess.run(["git", "archive", OLD_COPY, "tasks"], cwd=HERE, capture_output=True, check=False)
    if shown.returncode:
        pytest.skip("no history here: an sdist, or a shallow clone")
    subprocess.run(["tar", "x", "--exclude=tasks/adoption"], cwd=project, input=shown.stdout, check=True)
    workflow = subprocess.run(
        ["git", "show", f"{OLD_COPY}:{RELEASE}"], cwd=HERE, capture_output=True, text=True, check=True
    ).stdout
    answers = "ci: github\nfolder: tasks\ncopy: full\npypi_environment: pypi\nworkflow: release.yml\ncheck: check.yml\n"
    pin = "# The copy in tasks/ is compared with this package.\nseatrial==0.1.0\n"
    write_tree(project, {".seatrial.yml": answers, ".seatrial.txt": pin, RELEASE: workflow, CHECK: "mine\n"})
    commit(project)
    return project


def test_the_old_copy_is_taken_out_and_what_is_not_ours_is_left_and_named(former: Path, adopt: Adopt) -> None:
    write_tree(former, {"tasks/mine.py": "", "tasks/upload.py": "changed\n"})
    commit(former)
    printed = adopt(former)
    assert "changed since seatrial wrote it, so left where it is:\n  tasks/mine.py\n  tasks/upload.py\n" in printed
    assert {name for name in state(former) if name.startswith(("tasks/", ".seatrial"))} == {
        "tasks/mine.py",
        "tasks/upload.py",
        "tasks/nox.txt",
        "tasks/release.py",
        LOCK,
        WHEEL,
    }
    assert (former / "noxfile.py").read_text("utf-8").endswith('runpy.run_path("tasks/release.py")\n')
    assert "-r tasks/nox.txt" in (former / RELEASE).read_text("utf-8")
    assert (former / CHECK).read_text("utf-8") == "mine\n"
    assert f"{CHECK} belongs to the old copy and was edited" in printed
    commit(former)
    assert "pins everything by hash" in adopt(former, "--check")
    (head,) = (head for _, head in lock.find(former))
    assert (head.answers["workflow"], head.answers["check"]) == ("release.yml", "")


def test_what_adopting_did_to_an_old_copy_is_undone_as_printed(former: Path, adopt: Adopt) -> None:
    before = state(former)
    undo = adopt(former, "--update").partition("to undo it before you commit: ")[2].partition("next:")[0]
    command, _, listed = undo.partition("; delete")
    git(former, *command.split()[1:])
    for name in listed.split():
        (former / name).unlink()
    assert state(former) == before


def test_lines_that_both_changed_are_marked_and_spoken_of(earlier: Path, adopt: Adopt) -> None:
    edited = (earlier / RELEASE).read_text("utf-8").replace("ubuntu-22.04", "our-own-runner")
    write_tree(earlier, {RELEASE: edited})
    commit(earlier)
    assert f"{RELEASE} has conflict markers" in adopt(earlier, "--update")
    assert "<<<<<<< yours" in (earlier / RELEASE).read_text("utf-8")


def test_an_edited_workflow_without_history_is_kept_and_the_new_one_shown(earlier: Path, adopt: Adopt) -> None:
    edited = (earlier / RELEASE).read_text("utf-8") + "# mine\n"
    write_tree(earlier, {RELEASE: edited})
    commit(earlier)
    git(earlier, "checkout", "--quiet", "--orphan", "squashed")
    commit(earlier)
    git(earlier, "branch", "--quiet", "-D", "main")
    printed = adopt(earlier, "--update")
    assert f"{RELEASE} was edited, and the version that seatrial wrote is not in this history" in printed
    assert (earlier / RELEASE).read_text("utf-8") == edited
