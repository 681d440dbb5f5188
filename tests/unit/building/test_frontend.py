from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

import pytest

from seatrial.building.frontend import BuildFailed, Job, build_one
from seatrial.cli.release import find_uv
from seatrial.machine.screen import Screen
from seatrial.project.settings import Settings
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
WHEEL = "demo-1.0-py3-none-any.whl"
# A backend that prints what the end of an answer may look like, in a line that it does not end, and builds after that.
FORGING = """\
import os, time, zipfile

def build_wheel(folder, settings=None, metadata=None):
    for end in ('{"event": "done", "code": 0}', "end 0", "0"):
        print(end, flush=True)
    time.sleep(0.5)
    with zipfile.ZipFile(os.path.join(folder, "demo-1.0-py3-none-any.whl"), "w") as archive:
        archive.writestr("demo.py", "")
    print("no newline", end="", flush=True)
    return "demo-1.0-py3-none-any.whl"
"""
# One that ends the program which called it, and so keeps it from answering.
ENDING = """\
import os, signal

def build_wheel(folder, settings=None, metadata=None):
    print("good-bye", flush=True)
    os.kill(os.getppid(), signal.SIGKILL)
"""


@contextlib.contextmanager
def job_in(folder: Path, *, kept: bool, said: list[str]) -> Iterator[Job]:
    for name in ("out", "scratch"):
        (folder / name).mkdir()
    job = Job(Settings(), 0, folder / "out", folder / "scratch", Screen(write=said.append, verbose=True), find_uv())
    with job.builders.kept() if kept else contextlib.nullcontext():
        yield job


@pytest.mark.parametrize("kept", [True, False])
def test_what_a_backend_prints_is_no_answer(tmp_path: Path, *, kept: bool) -> None:
    tree, said = write_tree(tmp_path / "tree", {"pyproject.toml": PYPROJECT, "backend.py": FORGING}), list[str]()
    with job_in(tmp_path, kept=kept, said=said) as job:
        for _ in range(2):
            assert build_one(job, "wheel", tree).path.name == WHEEL
            (job.out / WHEEL).unlink()
    text = "".join(said)
    assert text.count('{"event": "done", "code": 0}') == text.count("no newline") == 2
    assert text.endswith("no newline")  # the end of the answer is not shown


@pytest.mark.skipif(os.name == "nt", reason="the signal is POSIX's")
@pytest.mark.parametrize("kept", [True, False])
def test_a_builder_that_is_ended_from_below_is_a_failed_build(tmp_path: Path, *, kept: bool) -> None:
    tree = write_tree(tmp_path / "tree", {"pyproject.toml": PYPROJECT, "backend.py": ENDING})
    with job_in(tmp_path, kept=kept, said=[]) as job, pytest.raises(BuildFailed) as failed:
        build_one(job, "wheel", tree)
    assert failed.value.code != 0
    assert "good-bye" in failed.value.output


def test_a_full_disk_is_named_as_the_cause() -> None:
    full = str(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x"))
    assert "Usual cause: a full disk: that of the folder" in str(BuildFailed("wheel", 1, f"Traceback\n{full}\n"))
    assert "Usual cause: an error in the project's configuration" in str(BuildFailed("wheel", 1, "Traceback"))
