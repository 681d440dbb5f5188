"""Small real wheels, sdists and API tokens for the tests. As they come, no rule finds anything in them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import struct
import tarfile
import zipfile
from typing import TYPE_CHECKING

from seatrial.rules import judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    Contents = Mapping[str, str | bytes | None]
    Fields = Mapping[str, str | Sequence[str] | None]


WHEEL = "demo-1.0-py3-none-any.whl"
SDIST = "demo-1.0.tar.gz"
README = "# demo\n\nA project to rehearse releases with.\n"
LICENSE = "MIT License\n\nCopyright (c) 2024 Ada Example\n"
MODULE = '"""A module to import."""\n'
PYPROJECT = '[build-system]\nrequires = ["flit_core>=3.12"]\nbuild-backend = "flit_core.buildapi"\n'
FIELDS: Fields = {
    "Metadata-Version": "2.4",
    "Name": "demo",
    "Version": "1.0",
    "Summary": "A project to rehearse releases with",
    "Author-email": "Ada Example <ada@example.org>",
    "License-Expression": "MIT",
    "License-File": "LICENSE",
    "Requires-Python": ">=3.10",
    "Description-Content-Type": "text/markdown",
    "Classifier": "Programming Language :: Python :: 3",
    "Project-URL": "Source, https://example.org/demo",
}


def metadata(changes: Fields | None = None, description: str = README) -> str:
    """Return core metadata; `changes` take a place, add to it, or (None) leave it out."""
    lines = []
    for name, value in ({**FIELDS, **(changes or {})}).items():
        values = [] if value is None else [value] if isinstance(value, str) else value
        lines += [f"{name}: {one}\n" for one in values]
    return "".join(lines) + "\n" + description


def wheel(
    folder: Path,
    changes: Fields | None = None,
    *,
    filename: str = WHEEL,
    description: str = README,
    files: Contents | None = None,
) -> Path:
    """Write a wheel into `folder` and return it; `changes` are to its metadata, `files` to its members."""
    members = wheel_members(filename, metadata(changes, description), files or {})
    return written(folder, filename, zipped(members.items()))


def wheel_members(filename: str, core: str, files: Contents) -> dict[str, bytes]:
    """Return the members of a wheel, RECORD right and last unless `files` has one."""
    info = "-".join(filename.split("-")[:2]) + ".dist-info"
    tag = "-".join(filename.removesuffix(".whl").split("-")[-3:])
    given: Contents = {
        "demo/__init__.py": MODULE,
        f"{info}/licenses/LICENSE": LICENSE,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/METADATA": core,
    }
    members = encoded({**given, **files})
    if f"{info}/RECORD" not in files:
        lines = [f"{name},sha256={digest(raw)},{len(raw)}\n" for name, raw in members.items()]
        members[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"]).encode()
    return members


def sdist(
    folder: Path,
    changes: Fields | None = None,
    *,
    filename: str = SDIST,
    description: str = README,
    files: Contents | None = None,
) -> Path:
    """Write an sdist into `folder` and return it; `changes` are to its metadata, `files` to its members."""
    members = sdist_members(filename, metadata(changes, description), files or {})
    return written(folder, filename, gzipped(tarred(members.items())))


def sdist_members(filename: str, core: str, files: Contents) -> dict[str, bytes]:
    """Return the members of an sdist."""
    top = filename.removesuffix(".tar.gz")
    given: Contents = {
        f"{top}/PKG-INFO": core,
        f"{top}/LICENSE": LICENSE,
        f"{top}/README.md": README,
        f"{top}/pyproject.toml": PYPROJECT,
        f"{top}/src/demo/__init__.py": MODULE,
    }
    return encoded({**given, **files})


def encoded(files: Contents) -> dict[str, bytes]:
    """Return `files` as bytes, without those that are None."""
    found = ((name, text) for name, text in files.items() if text is not None)
    return {name: text.encode() if isinstance(text, str) else text for name, text in found}


def digest(raw: bytes) -> str:
    """Return the hash of `raw` as RECORD writes it."""
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")


def zipped(members: Iterable[tuple[str | zipfile.ZipInfo, bytes]]) -> bytes:
    """Return a zip file of `members`, deflated unless a ZipInfo says otherwise."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members:
            archive.writestr(name if isinstance(name, zipfile.ZipInfo) else zip_info(name), raw)
    return out.getvalue()


def zip_info(name: str, compression: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    """Return a member's header, the same at any time."""
    info = zipfile.ZipInfo(name, (2024, 5, 6, 7, 8, 8))
    info.compress_type = compression
    return info


def patched(raw: bytes, signature: bytes, place: int, value: bytes, nth: int = 0) -> bytes:
    """Return `raw` with `value` written `place` bytes into its record number `nth` that begins with `signature`."""
    at = -1
    for _ in range(nth + 1):
        at = raw.index(signature, at + 1)
    return raw[: at + place] + value + raw[at + place + len(value) :]


def tarred(members: Iterable[tuple[str | tarfile.TarInfo, bytes]]) -> bytes:
    """Return a tar file of `members`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, raw in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return out.getvalue()


def gzipped(raw: bytes) -> bytes:
    return gzip.compress(raw, mtime=0)


def written(folder: Path, filename: str, raw: bytes) -> Path:
    """Write `raw` to a file in `folder` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / filename
    path.write_bytes(raw)
    return path


def found(path: Path, code: str) -> list[str]:
    """Return what the rule (or rules) `code` finds in the file at `path`."""
    return [problem.message for problem in judge.judge_file(path, code) if problem.rule == code]


def packet(kind: int, data: bytes) -> bytes:
    """Return one field of a macaroon: its type, its length seven bits a byte, and its data."""
    length, head = len(data), [kind]
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*head, length]) + data


def macaroon(location: str = "pypi.org", caveats: Iterable[str] = (), identifier: str = "1" * 36) -> bytes:
    """Return a macaroon, version 2, with a made-up signature."""
    sections = [packet(1, location.encode()) + packet(2, identifier.encode())]
    sections += [packet(2, caveat.encode()) for caveat in caveats]
    body = b"".join(section + b"\0" for section in sections)
    return struct.pack("B", 2) + body + b"\0" + packet(6, bytes(range(32)))


def token(raw: bytes | None = None) -> str:
    """Return an API token that holds the macaroon `raw`. No whole one stands in our sources."""
    return "pypi-" + base64.urlsafe_b64encode(macaroon() if raw is None else raw).decode().rstrip("=")
