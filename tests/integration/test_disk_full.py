"""A disk that is full: what was there stays, what was sent is not sent again, and the message says what to do."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.conftest import Indexes, Project, copy_state, project_in
from tests.projects import write_tree
from tests.samples.messages import is_clear

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Rehearsal, Servers

FULL = "No space left on device"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB, where this system lets us make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if not made or made.returncode != 0 or umount is None:
        pytest.skip("a small disk cannot be made here")
    yield folder
    subprocess.run([umount, str(folder)], check=True)


@pytest.fixture
def project(disk: Path, rehearsal: Rehearsal, tmp_path: Path) -> Project:
    """A project on that disk, built and checked."""
    project = project_in(disk)
    copy_state(rehearsal.after("check"), project, tmp_path / "indexes")
    return project


def fill(disk: Path) -> Path:
    """Use up what is left of `disk`, and return the file that does."""
    path = disk / "filler"
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            return path
    return path


def test_what_was_built_stays_where_a_new_build_finds_no_space(project: Project, disk: Path) -> None:
    project.change({"src/demo/more.py": "x = 1\n"})
    before = project.files()
    record = {path: path.read_bytes() for path in project.record.glob("*.json")}
    filler = fill(disk)
    ended = project.step("build")
    assert ended.code == 1
    assert ended.shows(FULL, "Usual cause:", "dist/ and the record are unchanged")  # the build backend met it first
    assert project.files() == before
    assert {path: path.read_bytes() for path in project.record.glob("*.json")} == record
    assert list(project.record.glob("staging-*")) == []
    filler.unlink()
    assert project.step("build").shows("moved what was in dist/ to ")
    assert project.files() != before


def test_what_was_sent_is_not_sent_again_where_it_could_not_be_recorded(
    project: Project, disk: Path, tmp_path: Path, servers: Servers
) -> None:
    indexes = Indexes.of(project, tmp_path / "indexes", servers)
    filler = fill(disk)
    assert is_clear(project.step("testpypi", alone=True), FULL, "free space")
    assert not (project.record / "rehearsed.json").exists()
    assert indexes.held("testpypi") == project.files()
    filler.unlink()
    done = project.step("testpypi", alone=True)
    assert done.shows("demo-1.0.tar.gz: already on TestPyPI (stand-in), identical")
    assert (project.record / "rehearsed.json").exists()
    assert indexes.testpypi.uploads == 2


def test_a_record_that_a_full_disk_cut_off_at_its_first_file_is_still_kept_out_of_git(project: Project) -> None:
    write_tree(project.record, {".gitignore": ""})
    assert project.step("build").code == 0
    assert (project.record / ".gitignore").read_text(encoding="utf-8") == "*\n"
