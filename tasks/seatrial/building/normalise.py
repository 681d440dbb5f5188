"""Sdists that anyone can build again: one archive for one set of members.

Some backends write the clock, the user's name or the umask into the archive (setuptools, pdm-backend). Such an sdist
is rewritten: members sorted, times those of the commit, no owner, rights 755 or 644. The members do not change;
`members` says so before and after.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import tarfile
import tempfile
import zlib
from typing import TYPE_CHECKING

from seatrial.machine.errors import ReleaseError
from seatrial.release.archives import FLOOR, RATIO
from seatrial.release.stages import CHUNK, Dist, Normalised

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_RIGHTS, PROGRAM_RIGHTS = 0o644, 0o755
EXECUTABLE = 0o100
NOBODY = (0, 0, "", "")
UNREADABLE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError)


class SdistUnreadable(ReleaseError):
    sdist: str
    reason: str

    what = "{e.sdist}, as the build backend wrote it, cannot be unpacked: {e.reason}"
    cause = "a bug in the build backend or one of its plug-ins; or content that unpacks without bound."
    cure = "see the log, update the build backend, and run `{run[build]}` again; dist/ and the record are unchanged."


def normalise(sdist: Path, epoch: int) -> Normalised | None:
    """Rewrite `sdist` if it depends on more than its members; return what it was, None where it stays as it is.

    `epoch` is the time of the source, in seconds. Raises SdistUnreadable.
    """
    with sdist.open("rb") as file:
        packed_at = int.from_bytes(file.read(8)[4:], "little")  # RFC 1952, MTIME
    with unpacked(sdist) as tar:
        # Whether nothing in the archive is of the clock, of a user or of a umask.
        if packed_at <= epoch and all(
            member.mtime <= epoch
            and (member.uid, member.gid, member.uname, member.gname) == NOBODY
            and (member.issym() or member.mode == _rights(member))
            for member in tar
        ):
            return None
        before = Normalised(sdist.name, Dist.from_file(sdist).sha256, _digest(tar))
        fresh = sdist.with_name(f".{sdist.name}.normalised")
        _write(tar, fresh, epoch)
    if members(fresh) != before.members:
        fresh.unlink()
        raise SdistUnreadable(sdist.name, "its members change when it is rewritten")
    fresh.replace(sdist)
    return before


def members(sdist: Path) -> str:
    """Return one sha256 over all members of `sdist`: names, kinds, contents, and whether they can be run."""
    with unpacked(sdist) as tar:
        return _digest(tar)


@contextlib.contextmanager
def unpacked(sdist: Path) -> Iterator[tarfile.TarFile]:
    """Yield the tar in `sdist`, to be read in any order. Raises SdistUnreadable, also for what its user meets."""
    try:
        with tempfile.TemporaryFile() as plain:
            left = max(FLOOR, RATIO * sdist.stat().st_size)
            with gzip.open(sdist) as packed:
                while chunk := packed.read(CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise tarfile.TarError("it unpacks to far more than its size")
                    plain.write(chunk)
            plain.seek(0)
            with tarfile.open(fileobj=plain, mode="r:") as tar:
                yield tar
    except UNREADABLE as error:
        raise SdistUnreadable(sdist.name, str(error) or type(error).__name__) from None


def _rights(member: tarfile.TarInfo) -> int:
    return PROGRAM_RIGHTS if member.isdir() or member.mode & EXECUTABLE else FILE_RIGHTS


def _digest(tar: tarfile.TarFile) -> str:
    whole = hashlib.sha256()
    for member in sorted(tar.getmembers(), key=lambda member: member.name):
        plain = _plain(member, 0, 0)
        content = hashlib.sha256()
        if _has_content(member) and (file := tar.extractfile(member)):
            while chunk := file.read(CHUNK):
                content.update(chunk)
        line = "\0".join((plain.name, str(plain.type), plain.linkname, oct(plain.mode), content.hexdigest()))
        whole.update(line.encode("utf-8", "surrogateescape") + b"\0")
    return whole.hexdigest()


def _write(tar: tarfile.TarFile, target: Path, epoch: int) -> None:
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", 9, raw, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as fresh,
    ):
        for member in sorted(tar.getmembers(), key=lambda member: member.name):
            content = tar.extractfile(member) if _has_content(member) else None
            size = content.seek(0, os.SEEK_END) if content else 0
            if content:
                content.seek(0)
            fresh.addfile(_plain(member, size, epoch), content)


def _plain(member: tarfile.TarInfo, size: int, epoch: int) -> tarfile.TarInfo:
    """Return the header of `member` without what is of the clock, a user or a umask."""
    plain = tarfile.TarInfo(member.name)
    plain.type = tarfile.REGTYPE if _has_content(member) else member.type
    plain.linkname = member.linkname if member.issym() else ""
    plain.mode = _rights(member)
    plain.mtime = epoch
    plain.size = size
    return plain


def _has_content(member: tarfile.TarInfo) -> bool:
    return member.isfile() or member.islnk()  # a hard link becomes a file, so that any order of members will do
