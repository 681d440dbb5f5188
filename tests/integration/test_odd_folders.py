"""A dry run of a project in a folder, and with temporary files in another, whose names mean something in URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.conftest import project_in

if TYPE_CHECKING:
    from pathlib import Path


def test_marks_of_urls_and_blanks_in_all_folders(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp #2 50%25"
    temporary.mkdir()
    project = project_in(tmp_path / "ein #1 100% Ordner")
    project.env |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    done = project.step("dryrun")
    assert done.code == 0, done.output
    assert done.shows("dry run of demo 1.0 passed: 2 files, the same bytes on both stand-ins")
