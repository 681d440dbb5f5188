"""Requires-Python out of a wheel or sdist: all that a page of the simple repository API says of its metadata."""

from __future__ import annotations

import email.parser
import re
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

METADATA_BYTES = 1 << 20
UNREADABLE = (  # what reading an archive can raise that is none, is damaged, or has no metadata
    *(OSError, EOFError, LookupError, ValueError, RuntimeError, StopIteration),
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error),
)


def requires_python(path: Path) -> str | None:
    """Return Requires-Python of the file at `path`, None where it has none or cannot be read."""
    try:
        text = _of_wheel(path) if path.name.endswith(".whl") else _of_sdist(path)
    except UNREADABLE:
        return None
    found: str | None = email.parser.BytesHeaderParser().parsebytes(text)["Requires-Python"]
    return found


def _of_wheel(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        with archive.open(name) as file:
            return file.read(METADATA_BYTES)


def _of_sdist(path: Path) -> bytes:
    with tarfile.open(path, "r:gz") as archive:
        member = next(member for member in archive if re.fullmatch(r"[^/]+/PKG-INFO", member.name))
        file = archive.extractfile(member)
        return file.read(METADATA_BYTES) if file else b""
