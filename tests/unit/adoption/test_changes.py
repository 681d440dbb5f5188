"""The changes to a project: all of them or none, and nothing outside of it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from seatrial.adoption import changes
from seatrial.adoption.changes import Change, LinkLeadsOut
from tests.projects import write_tree

if TYPE_CHECKING:
    from pathlib import Path

ADDED = (
    Change("tasks/deep/a.py", None, b"a"),
    Change("noxfile.py", b"old\n", b"new\n"),
    Change("former/b.py", b"b", None),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "project", {"noxfile.py": "old\n", "former/b.py": "b", "kept/c.py": "c"})


def state(project: Path) -> dict[str, bytes | None]:
    paths = sorted(project.rglob("*"))
    return {path.relative_to(project).as_posix(): path.read_bytes() if path.is_file() else None for path in paths}


def test_files_are_added_changed_and_removed_with_the_folders_that_they_leave_empty(project: Path) -> None:
    changes.make(project, ADDED)
    assert state(project) == {
        "kept": None,
        "kept/c.py": b"c",
        "noxfile.py": b"new\n",
        "tasks": None,
        "tasks/deep": None,
        "tasks/deep/a.py": b"a",
    }


def test_a_folder_of_folders_that_are_left_empty_goes_too(tmp_path: Path) -> None:
    files = {"old/a/x": "", "old/b/y": ""}
    changes.make(write_tree(tmp_path, files), [Change(name, b"", None) for name in files])
    assert state(tmp_path) == {}


@pytest.mark.parametrize("impossible", ["noxfile.py/inside", "kept/c.py"])
def test_where_one_change_fails_all_are_undone(project: Path, impossible: str) -> None:
    before = state(project)
    with pytest.raises(OSError, match=r"noxfile|c\.py"):
        changes.make(project, [*ADDED, Change(impossible, None, b"x")])
    assert state(project) == before


def test_a_change_shows_the_lines_that_it_adds_and_no_others() -> None:
    shown = Change(".gitignore", b"a\r\n", b"a\r\nb\r\n").diff.splitlines()
    assert [line for line in shown if line.startswith("+") and not line.startswith("+++")] == ["+b"]


def test_what_undoes_it_names_each_new_folder_once(project: Path) -> None:
    added = [*ADDED, Change("tasks/b.py", None, b""), Change("kept/d.py", None, b"")]
    assert changes.undoing(project, added) == (("noxfile.py", "former/b.py"), ("kept/d.py", "tasks"))


@pytest.mark.skipif(os.name == "nt", reason="making a symlink takes a right on Windows")
@pytest.mark.parametrize("link", ["tasks", "tasks/release.py", "noxfile.py"])
def test_nothing_is_written_through_a_link_that_leads_out(project: Path, tmp_path: Path, link: str) -> None:
    elsewhere = write_tree(tmp_path / "elsewhere", {"file": "theirs"})
    (project / "noxfile.py").unlink()
    (project / link).parent.mkdir(exist_ok=True)
    (project / link).symlink_to(elsewhere / "new" if "." in link else elsewhere)
    with pytest.raises(LinkLeadsOut, match="elsewhere"):
        changes.make(project, [Change(f"{link}/release.py" if link == "tasks" else link, None, b"ours")])
    assert state(elsewhere) == {"file": b"theirs"}


@pytest.mark.skipif(os.name == "nt", reason="making a symlink takes a right on Windows")
def test_a_link_within_the_project_is_followed(project: Path) -> None:
    (project / "tasks").symlink_to(project / "kept")
    changes.make(project, [Change("tasks/release.py", None, b"ours")])
    assert (project / "kept" / "release.py").read_bytes() == b"ours"


@pytest.mark.skipif(os.name == "nt", reason="making a symlink takes a right on Windows")
def test_a_link_to_a_file_within_the_project_stays_one(project: Path) -> None:
    (project / "noxfile.py").unlink()
    (project / "noxfile.py").symlink_to("kept/c.py")
    changes.make(project, [Change("noxfile.py", b"c", b"ours")])
    assert (project / "noxfile.py").is_symlink()
    assert (project / "kept" / "c.py").read_bytes() == b"ours"


@pytest.mark.parametrize("fails", [False, True])
def test_a_hard_link_that_leads_out_keeps_what_it_has_and_the_file_its_mode(
    project: Path, tmp_path: Path, *, fails: bool
) -> None:
    (project / "noxfile.py").chmod(0o744)
    mode = stat.S_IMODE((project / "noxfile.py").stat().st_mode)
    for name in ("noxfile.py", "former/b.py"):
        (tmp_path / "theirs").joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "theirs").joinpath(name).hardlink_to(project / name)
    before, theirs = state(project), state(tmp_path / "theirs")
    if fails:
        with pytest.raises(FileExistsError):
            changes.make(project, [*ADDED, Change("kept/c.py", None, b"x")])
        assert state(project) == before
    else:
        changes.make(project, ADDED)
        assert (project / "noxfile.py").read_bytes() == b"new\n"
    assert state(tmp_path / "theirs") == theirs
    assert stat.S_IMODE((project / "noxfile.py").stat().st_mode) == mode
