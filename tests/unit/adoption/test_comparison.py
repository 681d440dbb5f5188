"""A project that has adopted, compared with what seatrial would write."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from seatrial.adoption import lock, template
from seatrial.adoption.lock import CopyDiffers, Head, NotAdopted, OtherVersion
from seatrial.index.indexes import PYPI
from tests.projects import sample, write_tree
from tests.samples import installed

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = installed.origin()
HEAD = Head(SOURCE.version, "", dt.date(2026, 1, 31), {}, {})
LOCK = "tasks/release.txt"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the copy, the lock and the wheel beside it."""
    project = sample(tmp_path / "project")
    text = f"{HEAD}{lock.pin(SOURCE, 'tasks', PYPI)}{lock.tools()}"
    write_tree(project, {LOCK: text, "tasks/release.py": template.files()[template.COPY].decode()})
    (project / "tasks" / SOURCE.filename).write_bytes(SOURCE.wheel)
    return project


def edit(project: Path, name: str, before: str, after: str) -> None:
    path = project / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def test_a_genuine_copy_passes_with_other_line_ends_too(project: Path) -> None:
    copy = project / "tasks" / "release.py"
    copy.write_bytes(copy.read_bytes().replace(b"\n", b"\r\n"))
    (sentence,) = lock.compare(project, SOURCE)
    assert f"matches seatrial {SOURCE.version}" in sentence


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"tasks/release.py": "import os\n"}, r"release\.py: changed"),
        ({f"tasks/{SOURCE.filename}": "swapped"}, r"\.whl: does not match its hash in the lock"),
        ({"other/release.txt": str(HEAD)}, "tasks: another copy"),
        ({"old/register.py": 'PACKAGE = "seatrial_tasks"\n'}, "old: another copy"),
        ({LOCK: f"{HEAD}{lock.tools()}"}, r"release\.txt: seatrial itself is missing"),
        ({LOCK: f"{HEAD}--extra-index-url https://evil.example\nseatrial==1\n"}, "no hash: --extra-index-url"),
        ({LOCK: f"{HEAD}seatrial @ https://evil.example/a.whl\n"}, "no hash: seatrial @"),
    ],
)
def test_each_difference_is_named(project: Path, change: dict[str, str], difference: str) -> None:
    write_tree(project, change)
    with pytest.raises(CopyDiffers, match=difference):
        lock.compare(project, SOURCE)


@pytest.mark.parametrize("name", ["release.py", SOURCE.filename])
def test_a_missing_file_is_named(project: Path, name: str) -> None:
    (project / "tasks" / name).unlink()
    with pytest.raises(CopyDiffers, match="missing"):
        lock.compare(project, SOURCE)


def test_a_wheel_of_other_files_is_not_the_seatrial_that_compares(project: Path) -> None:
    with pytest.raises(CopyDiffers, match="contains a different seatrial"):
        lock.compare(project, installed.origin(more=b"import os\n"))


def test_a_tool_that_a_bot_has_updated_is_told_and_is_no_error(project: Path) -> None:
    pinned = next(line for line in lock.tools().splitlines() if line.startswith("twine=="))
    edit(project, LOCK, pinned, "twine==99.0 \\")
    assert lock.compare(project, SOURCE)[1:] == ["versions other than those seatrial was locked with: twine"]


def test_another_version_is_said_before_all_differences(project: Path) -> None:
    edit(project, LOCK, f"# seatrial {SOURCE.version}", "# seatrial 0.0.1")
    with pytest.raises(OtherVersion, match=r"0\.0\.1; this is"):
        lock.compare(project, SOURCE)


def test_without_a_lock_there_is_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(NotAdopted):
        lock.compare(tmp_path, SOURCE)
