"""Workflows brought up to date: edits are carried over, from the history of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.adoption import changes
from tests.projects import commit, write_tree

if TYPE_CHECKING:
    from pathlib import Path

NAME = ".github/workflows/release.yml"
LINES = [f"line {number}\n" for number in range(20)]
OLD = "".join(LINES)
NEW = OLD.replace("line 3\n", "line three\n")


def history(tmp_path: Path, *texts: str) -> Path:
    for text in texts:
        write_tree(tmp_path, {NAME: text})
        commit(tmp_path)
    return tmp_path


def test_a_workflow_that_nobody_edited_is_replaced(tmp_path: Path) -> None:
    text = OLD.replace("\n", "\r\n")
    assert changes.merged(tmp_path, NAME, text, changes.digest(OLD), NEW) == NEW


def test_edits_are_carried_over(tmp_path: Path) -> None:
    edited = OLD.replace("line 15\n", "mine\n")
    root = history(tmp_path, OLD, edited)
    assert changes.merged(root, NAME, edited, changes.digest(OLD), NEW) == NEW.replace("line 15\n", "mine\n")


def test_edits_are_carried_over_a_second_time(tmp_path: Path) -> None:
    edited = OLD.replace("line 15\n", "mine\n")
    merged = NEW.replace("line 15\n", "mine\n")
    root = history(tmp_path, OLD, edited, merged)
    newer = NEW.replace("line 8\n", "line eight\n")
    expected = newer.replace("line 15\n", "mine\n")
    assert changes.merged(root, NAME, merged, changes.digest(OLD), newer) == expected


def test_lines_that_both_changed_are_marked_as_git_does(tmp_path: Path) -> None:
    edited = OLD.replace("line 3\n", "mine\n")
    root = history(tmp_path, OLD, edited)
    merged = changes.merged(root, NAME, edited, changes.digest(OLD), NEW)
    assert merged is not None
    assert "<<<<<<< yours\nmine\n=======\nline three\n>>>>>>> seatrial\n" in merged


def test_without_what_was_written_nothing_is_guessed(tmp_path: Path) -> None:
    edited = OLD.replace("line 3\n", "mine\n")
    assert changes.merged(history(tmp_path, edited), NAME, edited, changes.digest(OLD), NEW) is None
    assert changes.merged(write_tree(tmp_path / "no-git", {}), NAME, edited, changes.digest(OLD), NEW) is None
