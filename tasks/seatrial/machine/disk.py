"""Files that appear whole or not at all, and files that are locked as long as a process lives."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
from typing import TYPE_CHECKING

from seatrial.machine.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class DiskTrouble(ReleaseError):
    reason: str

    what = "The operating system refused to read or write: {e.reason}"
    cause = "a full disk, a folder without write permission, or a file that another program has open."
    cure = "free space or fix the permissions, and run the step again: what is recorded is complete."


def write_whole(path: Path, text: str) -> None:
    """Write `text` to `path` so that a reader, or a machine that stops, sees the old file or the new one."""
    temporary = path.with_name(f".{path.name}.new")  # one name, so that what a killed run left is taken by the next
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def move(path: Path, target: Path) -> None:
    """Move what is at `path` to `target`, which appears whole or not at all, on another file system as well."""
    try:
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_whole(path, target)
        _remove(path)


def _copy_whole(path: Path, target: Path) -> None:
    half = target.with_name(f".{target.name}.new")
    try:
        _remove(half)  # what a killed run left
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, half, symlinks=True)
        else:
            shutil.copy2(path, half, follow_symlinks=False)
        half.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            _remove(half)
        raise


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def locked_file(path: Path) -> Iterator[bool]:
    """Hold a lock on the file at `path` and yield True, or False where another process holds it."""
    with path.open("a+b") as file:
        yield _lock(file.fileno())


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        """Lock the open file for this process; the system lets go of it when the process ends, however it ends."""
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(handle: int) -> bool:
        """Lock the open file for this process; the system lets go of it when the process ends, however it ends."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
