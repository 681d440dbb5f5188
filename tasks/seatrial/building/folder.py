"""The one folder that wheels are built in: compilers write the path of their sources into what they make.

It has the same path for every build on a machine, and for most machines: seatrial-build in the folder for temporary
files.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tarfile
from typing import TYPE_CHECKING, Any

from seatrial.building.normalise import unpacked
from seatrial.machine.disk import locked_file
from seatrial.machine.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "seatrial-build"
FILTERED: Any = getattr(tarfile, "FilterError", ())  # what the filter refuses, where this Python has one


class LeadsOut(ReleaseError):
    """A member of an sdist that leads out of it; `target` is empty for one that is no link."""

    sdist: Path
    name: str
    target: str

    what = "{e.sdist.name} cannot be unpacked, by pip and uv either: {e.member} leads out of it."
    cause = "a symbolic link to a file above the project, often the licence of a repository with several packages."
    cure = "replace the link with a copy of the file, or exclude it from the sdist; then commit, and build again."

    @property
    def member(self) -> str:
        return f"the link {self.name} -> {self.target}" if self.target else self.name


@contextlib.contextmanager
def workplace(base: Path, otherwise: Path) -> Iterator[Path]:
    """Yield the folder below `base`, new and ours alone; `otherwise` where it is another user's or another run's."""
    with contextlib.ExitStack() as stack:
        folder = base / NAME
        held = _is_ours(folder) and stack.enter_context(locked_file(folder / ".lock"))
        place = folder / "src" if held else otherwise
        shutil.rmtree(place, ignore_errors=True)  # what a killed run left
        place.mkdir()
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    """Whether `folder` is a folder that nobody else can write to; it is made if it is not there."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    if os.name == "nt":
        return True  # the folder for temporary files is the user's own there
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def unpack(sdist: Path, place: Path) -> Path:
    """Unpack `sdist` into `place`, and return the folder that it holds. Raises LeadsOut and SdistUnreadable."""
    safely: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with unpacked(sdist) as tar:
        try:
            tar.extractall(place, **safely)  # noqa: S202 (the project's own sdist, and with the filter if there is one)
        except FILTERED as error:
            raise LeadsOut(sdist, error.tarinfo.name, error.tarinfo.linkname) from None
    return place / sdist.name.removesuffix(".tar.gz")
