"""Temporary folders of the sessions, and those that killed runs left behind.

Each contains a file that is locked as long as its run lives; the system lets go of it however that ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.machine.disk import locked_file

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "seatrial-"
ALIVE = ".alive"


@contextlib.contextmanager
def folder(name: str) -> Iterator[Path]:
    """Yield a temporary folder for the session `name`, gone afterwards; `sweep` deletes it where we are killed."""
    while True:
        prefix = f"{PREFIX}{name}-{os.urandom(4).hex()}"
        try:
            made = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
        except BaseException:  # where that is interrupted half-way, nobody else would delete it
            for half in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
                half.rmdir()
            raise
        with made as path, locked_file(Path(path) / ALIVE) as ours:
            if ours and (Path(path) / ALIVE).exists():  # else another run swept it before it was locked
                yield Path(path).resolve()
                return


def inside(folder: Path) -> dict[str, str]:
    """Return the variables that make a program put its temporary files into `folder`, where `sweep` finds them."""
    return dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))


def sweep() -> None:
    """Delete the temporary folders of killed runs of this user: those that nobody holds the lock of."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            is_ours = not left.is_symlink() and (os.name == "nt" or left.lstat().st_uid == os.getuid())
            if is_ours and (left / ALIVE).exists():  # one without it is just being made
                with locked_file(left / ALIVE) as free:
                    if free:
                        shutil.rmtree(left, ignore_errors=True)
                if free:
                    shutil.rmtree(left, ignore_errors=True)  # Windows keeps a file that is open
