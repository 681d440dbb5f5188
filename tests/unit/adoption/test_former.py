"""The old copy of 129 files: what of it is ours, and what is not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from seatrial.adoption import former
from tests.projects import sample, write_tree

HERE = Path(__file__).parents[3]
LAST = "66e15486910c433520c9a1a5a2e8d4f94f9f6da6"  # the last commit with the old copy
REGISTER = '"""Registers."""\n\nPACKAGE = "seatrial_tasks"\n'


def test_a_project_without_an_old_copy_has_none(tmp_path: Path) -> None:
    assert former.find(sample(tmp_path, files={"tasks/register.py": "mine = 1\n"})) is None


def test_a_changed_file_and_an_added_one_are_not_ours(tmp_path: Path) -> None:
    files = {".seatrial.yml": "ci: gitlab\nfolder: old\nprefix: ''\npythons:\n- '3.10'\n", "old/register.py": REGISTER}
    old = former.find(sample(tmp_path, files=files | {"old/mine.py": "", "old/__pycache__/mine.pyc": ""}))
    assert old is not None
    assert old.answers == {"ci": "gitlab", "folder": "old", "prefix": ""}
    assert old.ours == (".seatrial.yml",)
    assert old.theirs == ("old/mine.py", "old/register.py")


def test_the_files_of_the_last_old_copy_are_ours(tmp_path: Path) -> None:
    shown = subprocess.run(["git", "archive", LAST, "tasks"], cwd=HERE, capture_output=True, check=False)
    if shown.returncode:
        pytest.skip("no history here: an sdist, or a shallow clone")
    subprocess.run(["tar", "x"], cwd=sample(tmp_path), input=shown.stdout, check=True)
    old = former.find(tmp_path)
    assert old is not None
    assert len(old.ours) > 100
    assert all(name.startswith("tasks/adoption/") for name in old.theirs)  # which was never handed on


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("# The copy in tasks/ is compared.\nseatrial==0.1.0\n", True),
        ("# Written by `seatrial adopt --lock`.\nseatrial==0.1.0 \\\n", True),
        ("my notes\n", False),
    ],
)
def test_the_old_pin_is_ours_where_it_is_one(tmp_path: Path, text: str, *, ours: bool) -> None:
    old = former.find(sample(tmp_path, files={".seatrial.yml": "copy: thin\n", ".seatrial.txt": text}))
    assert old is not None
    assert (".seatrial.txt" in old.ours) == ours


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# seatrial: the copy is compared byte for byte\n/tasks/** text eol=lf\n", None),
        ("*.png binary\n\n# seatrial: the copy is compared byte for byte\n/a/** text eol=lf\n", b"*.png binary\n\n"),
    ],
)
def test_the_line_for_git_goes_and_the_others_stay(tmp_path: Path, before: str, after: bytes | None) -> None:
    project = sample(tmp_path, files={".seatrial.yml": "", ".gitattributes": before})
    old = former.find(project)
    assert old is not None
    changed = {change.name: change.after for change in former.removals(project, old)}
    assert changed == {".seatrial.yml": None, ".gitattributes": after}


def test_a_workflow_is_ours_whatever_was_answered() -> None:
    shown = """
      - run: pip install --require-hashes -r {lock}
      name: "{environment}" # protect it
      - run: nox --no-dependencies -s {prefix}testpypi
"""
    first, second = (
        former.skeleton(shown.format(lock=lock, environment=environment, prefix=prefix))
        for lock, environment, prefix in (
            ("tasks/requirements/nox.txt", "pypi", ""),
            (".seatrial.txt", "the index", "release-"),
        )
    )
    assert first == second
    assert not former.is_our_workflow(first)


@pytest.mark.parametrize(
    "call",
    [
        'runpy.run_path("tasks/register.py")',
        'runpy.run_module("seatrial.register", run_name="<run_path>")',
        'runpy.run_path("old/release.py")',
    ],
)
def test_the_call_of_a_noxfile_is_found(call: str) -> None:
    assert former.CALL.sub("NEW", f"import runpy\n\n{call}\n") == "import runpy\n\nNEW\n"


def test_names_without_answers_still_have_a_folder(tmp_path: Path) -> None:
    old = former.find(write_tree(tmp_path, {"release-tasks/register.py": REGISTER}))
    assert old is not None
    assert old.answers == {"folder": "release-tasks"}
