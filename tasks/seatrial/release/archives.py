"""What a wheel or an sdist says of itself, read safely: hostile and broken archives are expected input.

There is one reader: `reading` goes through a file once, from front to back, bounded in time and memory whatever the
file says of itself. Nothing is unpacked to disk. File names follow the binary distribution format and PEP 625, metadata
the core metadata specifications.
"""

from __future__ import annotations

import contextlib
import email.parser
import email.policy
import functools
import gzip
import re
import stat
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.release import filenames
from seatrial.release.formats import tars, zip_records, zips
from seatrial.release.stages import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from packaging.tags import Tag
    from packaging.version import Version

    from seatrial.release.stages import Kind

METADATA_LIMIT = 16 << 20  # bytes of METADATA or PKG-INFO
TEXT_LIMIT = 10 << 20  # bytes of one member that is looked through as text
FLOOR, RATIO = 512 << 20, 100  # what an archive may unpack to: so many bytes, or so many times its size
SNIFF = 8192  # bytes in which a NUL byte tells binary from text

LICENSE_FILES = (2, 4)  # the metadata version that defined License-File (PEP 639)

BROKEN = (zips.NotZip, zips.Damaged, tars.NotTar, zlib.error, EOFError, OSError, OverflowError)


class BadArchive(ReleaseError):
    """A distribution that cannot be read as what its name says it is."""

    path: Path
    reason: str

    what = "{e.path.name} cannot be read: {e.reason}"
    cause = "a truncated or damaged file, or one that no build backend made."
    cure = "build it again; `python -m zipfile -l` or `tar tzf` shows what is in it."


class TwoMetadata(BadArchive):
    """An sdist with a PKG-INFO of the project's own beside the build backend's: nobody can say which of them holds."""

    reason: str = "it has more than one PKG-INFO in its top folder."

    cause = "the project itself contains a PKG-INFO, as an unpacked sdist does, and the build backend packs that too."
    cure = "delete it from the project (git rm PKG-INFO), commit, and build again."


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its name as it stands there, and its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Content(Member):
    """A member on the way through an archive. `pieces` yields at most so many of its bytes, before the next is read.

    `pieces` raises Damaged for a member of a zip file that cannot be unpacked, NotTar for one that ends early.
    """

    pieces: Callable[[int], Iterator[bytes]]

    def read(self, limit: int) -> bytes:
        """Return at most `limit` bytes. Raises what `pieces` does."""
        return b"".join(self.pieces(limit))


class Metadata(Value):
    """Core metadata: header fields by lower-case name, in order, and the description."""

    fields: Mapping[str, tuple[str, ...]]
    description: str

    @classmethod
    def parse(cls, raw: bytes) -> Metadata:
        """Read METADATA or PKG-INFO. Text that is not UTF-8 is kept readable, not refused."""
        text = raw.decode("utf-8", "backslashreplace")
        message = email.parser.Parser(policy=email.policy.compat32).parsestr(text)
        values: dict[str, list[str]] = {}
        for name, value in message.items():
            values.setdefault(name.lower(), []).append(str(value))
        body = message.get_payload()
        description = body if isinstance(body, str) and body.strip() else "".join(values.get("description", ()))
        return cls({name: tuple(lines) for name, lines in values.items()}, description)

    def first(self, field: str) -> str | None:
        """Return the first value of `field` (lower case), None where it is absent, empty or UNKNOWN."""
        return next(iter(self.all(field)), None) or None

    def all(self, field: str) -> tuple[str, ...]:
        """Return all values of `field`. PyPI takes UNKNOWN for absent."""
        return tuple(value for value in self.fields.get(field, ()) if value.strip() != "UNKNOWN")

    @property
    def has_license_files(self) -> bool:
        """Whether License-File counts: setuptools wrote it before metadata 2.4 had it, and uploaders drop it then."""
        version = filenames.parsed_version(self.first("metadata-version"))
        return version is not None and version.release[:2] >= LICENSE_FILES

    @property
    def name(self) -> str | None:
        return self.first("name")

    @property
    def version(self) -> str | None:
        return self.first("version")


class Archive(Value):
    """A wheel or an sdist: `name` and `version` are those of the file name, `tags` a wheel's (else empty)."""

    path: Path
    kind: Kind
    name: str
    version: Version
    tags: frozenset[Tag]
    members: tuple[Member, ...]
    metadata: Metadata

    @classmethod
    def open(cls, path: Path) -> Archive:
        """Read the archive at `path`. Raises BadArchive for everything that is wrong with it."""
        if not path.is_file():
            raise BadArchive(path, "there is no such file.")
        if not path.name.endswith((".whl", ".tar.gz")):
            raise BadArchive(path, "PyPI takes wheels (.whl) and sdists (.tar.gz), and no other files.")
        try:
            name, version, _, tags = filenames.parse(path.name)
        except ValueError as error:
            raise BadArchive(path, reason(error)) from None
        kind = kind_of(path.name)
        wanted = r"[^/]*\.dist-info/METADATA" if kind == "wheel" else "[^/]+/PKG-INFO"
        members, metadata = [], []
        with refusing(path), reading(path) as opened:
            for member in opened.contents:
                members.append(Member(member.name, member.size))
                if re.fullmatch(wanted, member.name):
                    metadata.append(member.read(METADATA_LIMIT))
        if len(metadata) > 1 and kind == "sdist":
            raise TwoMetadata(path)
        if len(metadata) != 1:
            place = ".dist-info/METADATA" if kind == "wheel" else "PKG-INFO in its top folder"
            raise BadArchive(path, f"it has {'more than one' if metadata else 'no'} {place}.")
        return cls(path, kind, name, version, tags, tuple(members), Metadata.parse(metadata[0]))

    def read(self, member: str, limit: int = TEXT_LIMIT) -> bytes:
        """Return at most `limit` bytes of `member`. Raises BadArchive."""
        with refusing(self.path), reading(self.path) as opened:
            for content in opened.contents:
                if content.name == member:
                    return content.read(limit)
        raise BadArchive(self.path, f"there is no file {member!r} in it.")

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield name and content of each member that is text and not too large, in order. Raises BadArchive."""
        with refusing(self.path), reading(self.path) as opened:
            for member in opened.contents:
                raw = member.read(TEXT_LIMIT) if member.size <= TEXT_LIMIT else b"\0"
                if b"\0" not in raw[:SNIFF]:
                    yield member.name, raw.decode("utf-8", "backslashreplace")


class Reading(Value):
    """A distribution while it is open: its files in order, each to be read before the next is asked for.

    `zip` is the structure of a wheel, None for an sdist, of which `visit` is told each member before its turn.
    """

    contents: Iterator[Content]
    zip: zips.Zip | None = None


@contextlib.contextmanager
def reading(path: Path, visit: Callable[[tars.Member], None] | None = None) -> Iterator[Reading]:
    """Open the distribution at `path`; `visit` is called with each member of an sdist, links and folders too.

    At most `FLOOR` bytes, or `RATIO` times its size, are unpacked. Raises one of BROKEN, also while contents are read.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # a pipe or a device may never end
        raise OSError("it is not a file.")
    total = max(FLOOR, RATIO * found.st_size)
    with path.open("rb") as file:
        if path.name.endswith(".tar.gz"):
            with gzip.open(file) as stream:
                yield Reading(_tar_contents(tars.members(stream, total), visit))
        else:
            structure = zips.read(file)
            yield Reading(_zip_contents(file, structure, total), structure)


def _zip_contents(file: IO[bytes], structure: zips.Zip, left: int) -> Iterator[Content]:
    """Yield the files of a zip, of which together at most `left` bytes are unpacked."""

    def pieces(entry: zip_records.Entry, limit: int) -> Iterator[bytes]:
        nonlocal left
        for piece in zips.content(file, entry, limit):
            left -= len(piece)
            if left < 0:
                raise zips.NotZip("its members are too large together.")
            yield piece

    for entry in structure.entries:
        if not entry.name.endswith("/"):
            yield Content(entry.name, entry.size, functools.partial(pieces, entry))


def _tar_contents(members: Iterator[tars.Member], visit: Callable[[tars.Member], None] | None) -> Iterator[Content]:
    for member in members:
        if visit is not None:
            visit(member)
        if member.kind == "file":
            yield Content(member.name, member.size, member.pieces)


@contextlib.contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Raise BadArchive for what is wrong with the archive at `path`."""
    try:
        yield
    except FileNotFoundError:
        raise BadArchive(path, "there is no such file.") from None
    except BROKEN as error:
        raise BadArchive(path, reason(error)) from None


def reason(error: BaseException) -> str:
    """Return what an exception says in a few words, without the path of the file."""
    return getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
