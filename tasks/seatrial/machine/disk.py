"""Files that appear whole or not at all, are read in bounds, or are locked as long as a process lives."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import sys
from typing import TYPE_CHECKING

from seatrial.machine.errors import ReleaseError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


TEXT_BYTES = 4 << 20  # more than anybody writes by hand


class DiskTrouble(ReleaseError):
    reason: str

    what = "The operating system refused to read or write: {e.reason}"
    cause = "a full disk, a folder without write permission, or a file that another program has open."
    cure = "free space or fix the permissions, and run the step again: what is recorded is complete."


class NotOrdinary(ReleaseError):
    path: Path
    reason: str

    what = "{e.path} was not read: {e.reason}."
    cause = "a link to a device, a pipe or a folder of that name, or a file that something else was written into."
    cure = "put an ordinary file in its place, or remove it, and run this again."


def read(path: Path, limit: int = TEXT_BYTES) -> bytes:
    """Return what the file at `path` holds. Raises OSError, and NotOrdinary for what may be endless or never answer."""
    if not stat.S_ISREG(path.stat().st_mode):  # before it is opened, since a pipe waits for somebody who writes
        raise NotOrdinary(path, "it is not a regular file")
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise NotOrdinary(path, f"it is larger than {limit >> 20} MiB")
    return content


@contextlib.contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """Yield a place beside `path` for what is to be there, and move it there once it is complete."""
    half = path.with_name(f".{path.name}.new")  # one name, so that what a killed run left is taken by the next
    try:
        _remove(half)  # that, or a link that would lead elsewhere
        yield half
        half.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            _remove(half)
        raise


def write_whole(path: Path, text: str) -> None:
    """Write `text` to `path` so that a reader, or a machine that stops, sees the old file or the new one."""
    with _appearing(path) as half, half.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def move(path: Path, target: Path) -> None:
    """Move what is at `path` to `target`, which appears whole or not at all, on another file system as well."""
    try:
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with _appearing(target) as half:
            if path.is_dir() and not path.is_symlink():
                shutil.copytree(path, half, symlinks=True)
            else:
                shutil.copy2(path, half, follow_symlinks=False)
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def locked_file(path: Path) -> Iterator[bool]:
    """Hold a lock on the file at `path` and yield True, or False where another process holds it.

    The system lets go of it when this process ends, however it ends.
    """
    with path.open("a+b") as file:
        is_ours = True
        try:
            if sys.platform == "win32":
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            is_ours = False
        try:
            yield is_ours
        finally:
            if is_ours and sys.platform != "win32":
                # Closing is not enough: a child that another thread is starting has a copy of the descriptor.
                fcntl.flock(file.fileno(), fcntl.LOCK_UN)
