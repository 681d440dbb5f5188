"""Temporary folders are gone after a run, and with the next one where a run was killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.machine import temporary as scratch
from seatrial.machine.disk import locked_file
from seatrial.machine.temporary import ALIVE, folder, sweep
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[3]
KILLED = """\
import os
from seatrial.machine.temporary import folder
with folder("testpypi") as place:
    (place / "files").mkdir()
    (place / "files" / "demo.whl").write_bytes(b"half of a file")
    os._exit(9)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def test_a_folder_is_gone_afterwards_however_that_comes(temporary: Path) -> None:
    with folder("check") as place:
        assert (place.parent, place.name[:15]) == (temporary.resolve(), "seatrial-check-")
        (place / "file").write_text("content", encoding="utf-8")
    with contextlib.suppress(ZeroDivisionError), folder("check"):
        1 / 0  # noqa: B018
    assert list(temporary.iterdir()) == []


def test_an_interruption_half_way_leaves_none(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(temporary, {"seatrial-check-another/file": ""})
    made: list[str] = []

    def interrupted(prefix: str, **_settings: bool) -> None:
        made.append(tempfile.mkdtemp(prefix=prefix))
        raise KeyboardInterrupt

    monkeypatch.setattr(tempfile, "TemporaryDirectory", interrupted)
    with pytest.raises(KeyboardInterrupt), folder("check"):
        pass
    assert len(made) == 1
    assert [path.name for path in temporary.iterdir()] == ["seatrial-check-another"]


def test_what_a_killed_run_left_is_swept_by_the_next(temporary: Path) -> None:
    env = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=REPOSITORY, env=env, check=False)
    assert killed.returncode == 9
    assert [path.name for path in temporary.glob("seatrial-testpypi-*/files/*")] == ["demo.whl"]
    sweep()
    assert list(temporary.iterdir()) == []


def test_the_folder_of_a_run_that_lives_is_left(temporary: Path) -> None:
    with folder("pypi") as place:
        (place / "file").write_text("content", encoding="utf-8")
        sweep()
        assert (place / "file").exists()
    assert list(temporary.iterdir()) == []


def test_what_is_just_being_made_or_is_no_folder_of_ours_is_left(temporary: Path, tmp_path: Path) -> None:
    write_tree(temporary, {"seatrial-new-1/other": "", "else/.alive": "", "seatrial-build/.lock": ""})
    (temporary / "seatrial-odd-1" / ALIVE).mkdir(parents=True)
    write_tree(tmp_path, {f"precious/{ALIVE}": "", "precious/file": ""})
    with contextlib.suppress(OSError):  # Windows wants a right for it
        (temporary / "seatrial-link-1").symlink_to(tmp_path / "precious", target_is_directory=True)
    before = set(temporary.iterdir())
    sweep()
    assert set(temporary.iterdir()) == before
    assert (tmp_path / "precious" / "file").exists()


@pytest.mark.parametrize("moment", ["made", "locked"])
def test_an_interrupt_while_it_is_made_leaves_nothing(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """It can come when the folder is there and nobody knows its name yet."""
    write_tree(temporary, {"seatrial-check-of-another-run/file": ""})
    there: list[str] = []

    def made(prefix: str, **_settings: object) -> None:
        tempfile.mkdtemp(prefix=prefix)
        there.extend(path.name for path in temporary.iterdir())
        raise KeyboardInterrupt

    def locked(path: Path) -> None:
        there.extend(one.name for one in path.parent.parent.iterdir())
        raise KeyboardInterrupt

    target = (tempfile, "TemporaryDirectory", made) if moment == "made" else (scratch, "locked_file", locked)
    monkeypatch.setattr(*target)
    with pytest.raises(KeyboardInterrupt), folder("check"):
        pytest.fail("it was not interrupted")
    assert len(there) == 2
    assert [path.name for path in temporary.iterdir()] == ["seatrial-check-of-another-run"]


def test_the_folders_of_two_runs_are_apart(temporary: Path) -> None:
    with folder("check") as one:
        with folder("check") as other:
            assert other != one
        assert list(temporary.iterdir()) == [one]


@pytest.mark.skipif(os.name == "nt", reason="the folder for temporary files is the user's own there")
def test_what_is_another_users_is_left(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(temporary, {f"seatrial-check-1/{ALIVE}": ""})
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    sweep()
    assert (temporary / "seatrial-check-1").exists()


@pytest.mark.parametrize(
    "swept", [pytest.param(True, marks=pytest.mark.skipif(os.name == "nt", reason="an open file stays there")), False]
)
def test_a_folder_that_another_run_takes_before_it_is_locked_is_made_anew(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, *, swept: bool
) -> None:
    """Between its making and its lock another run may find it, and take it for one that a killed run left."""
    taken: list[Path] = []

    @contextlib.contextmanager
    def late(path: Path) -> Iterator[bool]:
        with locked_file(path) as ours:
            first = not taken
            taken.append(path.parent)
            if first and swept:
                path.unlink()
            yield ours and (swept or not first)

    monkeypatch.setattr(scratch, "locked_file", late)
    with folder("check") as place:
        assert place != taken[0].resolve()
        assert list(temporary.iterdir()) == [place]


def test_what_a_program_leaves_in_our_folder_is_swept_with_it(temporary: Path) -> None:
    script = """\
import os, subprocess, sys
from seatrial.machine import temporary
with temporary.folder("verify") as place:
    made = "import tempfile; tempfile.mkdtemp(prefix='uv-')"
    subprocess.run([sys.executable, "-c", made], env=os.environ | temporary.inside(place), check=True)
    os._exit(9)
"""
    env = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    assert subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, env=env, check=False).returncode == 9
    assert len(list(temporary.glob("seatrial-verify-*/uv-*"))) == 1
    sweep()
    assert list(temporary.iterdir()) == []
