"""Files that appear whole or not at all, on another file system as well, and that are read in bounds."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.machine.disk import NotOrdinary, locked_file, move, read, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY = Path("/dev/shm")  # noqa: S108 (a file system of its own on Linux)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than `tmp_path`."""
    if not os.access(MEMORY, os.W_OK) or MEMORY.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system here")
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)


def test_a_file_is_moved_to_another_file_system(tmp_path: Path, elsewhere: Path) -> None:
    (tmp_path / "demo.whl").write_bytes(b"new")
    (elsewhere / "demo.whl").write_bytes(b"old")
    move(tmp_path / "demo.whl", elsewhere / "demo.whl")
    assert [(path.name, path.read_bytes()) for path in elsewhere.iterdir()] == [("demo.whl", b"new")]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_moved_to_another_file_system(tmp_path: Path, elsewhere: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "demo.whl").write_bytes(b"new")
    (tmp_path / "dist" / "link").symlink_to("demo.whl")
    move(tmp_path / "dist", elsewhere / "dist")
    assert sorted(path.name for path in (elsewhere / "dist").iterdir()) == ["demo.whl", "link"]
    assert (elsewhere / "dist" / "link").is_symlink()
    assert list(tmp_path.iterdir()) == []


def test_what_breaks_off_on_the_way_leaves_the_old_file(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_source: Path, target: Path, **_: object) -> None:
        target.write_bytes(b"ne")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copy2", full)
    (tmp_path / "demo.whl").write_bytes(b"new")
    (elsewhere / "demo.whl").write_bytes(b"old")
    with pytest.raises(OSError, match="No space left"):
        move(tmp_path / "demo.whl", elsewhere / "demo.whl")
    assert (tmp_path / "demo.whl").read_bytes() == b"new"
    assert [(path.name, path.read_bytes()) for path in elsewhere.iterdir()] == [("demo.whl", b"old")]


def test_what_a_killed_run_left_on_the_way_is_replaced(tmp_path: Path, elsewhere: Path) -> None:
    for folder in (tmp_path / "dist", elsewhere / ".dist.new"):
        folder.mkdir()
        (folder / f"of {folder.parent.name}").write_bytes(b"")
    move(tmp_path / "dist", elsewhere / "dist")
    assert [path.name for path in elsewhere.iterdir()] == ["dist"]
    assert [path.name for path in (elsewhere / "dist").iterdir()] == [f"of {tmp_path.name}"]


def test_another_error_than_that_of_two_file_systems_is_raised(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        move(tmp_path / "none", tmp_path / "target")


@pytest.mark.skipif(os.name == "nt", reason="a link there needs a right of its own")
def test_a_link_in_the_way_of_a_new_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("theirs", encoding="utf-8")
    (tmp_path / ".file.new").symlink_to(tmp_path / "elsewhere")
    write_whole(tmp_path / "file", "ours")
    assert [path.read_text(encoding="utf-8") for path in (tmp_path / "file", tmp_path / "elsewhere")] == [
        "ours",
        "theirs",
    ]
    assert not (tmp_path / "file").is_symlink()


def test_a_text_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record.json"
    write_whole(path, "old\n")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new\n")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("record.json", b"old\n")]


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    with locked_file(tmp_path / "lock") as first, locked_file(tmp_path / "lock") as second:
        assert (first, second) == (True, False)
    with locked_file(tmp_path / "lock") as third:
        assert third


# Reading in bounds.


def test_a_file_is_read_whole_up_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * (1 << 20))
    assert read(tmp_path / "file", 1 << 20) == b"x" * (1 << 20)
    (tmp_path / "file").write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(NotOrdinary, match="it is larger than 1 MiB"):
        read(tmp_path / "file", 1 << 20)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nothing")


@pytest.mark.skipif(os.name == "nt", reason="there are no such files on Windows")
@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_may_be_endless_or_never_answer_is_not_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(NotOrdinary, match="not a regular file"):
        read(path)


def test_a_lock_ends_although_a_child_has_a_copy_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a child has that another thread started meanwhile, until it becomes another program."""
    fcntl = pytest.importorskip("fcntl")
    flock, copies = fcntl.flock, list[int]()

    def copied(handle: int, operation: int) -> None:
        copies.append(os.dup(handle))
        flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", copied)
    with locked_file(tmp_path / "lock") as first:
        assert first
    with locked_file(tmp_path / "lock") as second:
        assert second
    for copy in copies:
        os.close(copy)
