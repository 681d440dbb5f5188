"""What a wheel or an sdist says of itself, read safely: hostile and broken archives are expected input.

Nothing is unpacked to disk, no member is read beyond a bound, and whatever is wrong comes out as BadArchive.
File names follow the binary distribution format and PEP 625, metadata the core metadata specifications.
"""

from __future__ import annotations

import contextlib
import email.parser
import email.policy
import gzip
import hashlib
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from seatrial.machine.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import IO

    from packaging.tags import Tag
    from packaging.version import Version

    from seatrial.release.stages import Kind

METADATA_LIMIT = 16 << 20  # bytes of METADATA or PKG-INFO
TEXT_LIMIT = 10 << 20  # bytes of one member that is looked through as text
TOTAL_LIMIT = 2 << 30  # bytes of all members together, uncompressed
MEMBER_LIMIT = 200_000
CHUNK = 1 << 20
SNIFF = 8192  # bytes in which a NUL byte tells binary from text

LICENSE_FILES = (2, 4)  # the metadata version that defined License-File (PEP 639)

BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    NotImplementedError,
    RuntimeError,  # also an encrypted member
    OverflowError,
    MemoryError,
)


class BadArchive(ReleaseError):
    """A distribution that cannot be read as what its name says it is."""

    path: Path
    reason: str

    what = "{e.path.name} cannot be read: {e.reason}"
    cause = "a file that was cut short or damaged, or made by something else than a build backend."
    cure = "build it again; `python -m zipfile -l` or `tar tzf` shows what is in it."


class TwoMetadata(BadArchive):
    """An sdist with a PKG-INFO of the project's own beside the build backend's: nobody can say which of them holds."""

    cause = "the project itself holds a PKG-INFO, as an unpacked sdist does, and the build backend packs that too."
    cure = "delete it from the project (git rm PKG-INFO), commit, and build again."

    def __init__(self, path: Path) -> None:
        super().__init__(path, "it has more than one PKG-INFO in its top folder.")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its name as it stands there, and its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class Metadata:
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
        fields = {name: tuple(found) for name, found in values.items()}
        body = message.get_payload()
        description = body if isinstance(body, str) and body.strip() else "".join(fields.get("description", ()))
        return cls(fields, description)

    def first(self, field: str) -> str | None:
        """Return the first value of `field` (lower case), None where it is absent, empty or UNKNOWN."""
        value = next(iter(self.all(field)), None)
        return value or None

    def all(self, field: str) -> tuple[str, ...]:
        """Return all values of `field`. PyPI takes UNKNOWN for absent."""
        return tuple(value for value in self.fields.get(field, ()) if value.strip() != "UNKNOWN")

    @property
    def has_license_files(self) -> bool:
        """Whether License-File counts: setuptools wrote it before metadata 2.4 had it, and uploaders drop it then."""
        version = (self.first("metadata-version") or "").partition(".")
        return all(part.isdecimal() for part in version[::2]) and (int(version[0]), int(version[2])) >= LICENSE_FILES

    @property
    def name(self) -> str | None:
        return self.first("name")

    @property
    def version(self) -> str | None:
        return self.first("version")


@dataclass(frozen=True)
class Archive:
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
        try:
            name, version, tags = _parse_filename(path)
            with _reader(path) as reader:
                members = tuple(reader.members())
                raw = reader.read(_metadata_member(path, members), METADATA_LIMIT)
        except (InvalidWheelFilename, InvalidSdistFilename, *BROKEN) as error:
            raise BadArchive(path, _reason(error)) from None
        kind: Kind = "wheel" if path.name.endswith(".whl") else "sdist"
        return cls(path, kind, name, version, tags, members, Metadata.parse(raw))

    def read(self, member: str, limit: int = TEXT_LIMIT) -> bytes:
        """Return at most `limit` bytes of `member`. Raises BadArchive."""
        try:
            with _reader(self.path) as reader:
                return reader.read(member, limit)
        except BROKEN as error:
            raise BadArchive(self.path, _reason(error)) from None

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield name and content of each member that is text and not too large, in order. Raises BadArchive."""
        for name, raw in self._contents(TEXT_LIMIT):
            if b"\0" not in raw[:SNIFF]:
                yield name, raw.decode("utf-8", "backslashreplace")

    def digests(self) -> dict[str, str]:
        """Return the sha256 of each member's content, by name. Raises BadArchive."""
        return {name: hashlib.sha256(raw).hexdigest() for name, raw in self._contents(TOTAL_LIMIT)}

    def _contents(self, limit: int) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of each member of at most `limit` bytes."""
        total = 0
        try:
            with _reader(self.path) as reader:
                for name, raw in reader.contents(limit):
                    total += len(raw)
                    if total > TOTAL_LIMIT:
                        raise BadArchive(self.path, f"its members are more than {TOTAL_LIMIT >> 30} GiB together.")
                    yield name, raw
        except BROKEN as error:
            raise BadArchive(self.path, _reason(error)) from None


class _Zip:
    """The members of a zip file."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)

    def close(self) -> None:
        self._zip.close()

    def members(self) -> Iterator[Member]:
        infos = self._zip.infolist()
        if len(infos) > MEMBER_LIMIT:
            raise ValueError(f"it has more than {MEMBER_LIMIT} members.")
        return (Member(info.filename, info.file_size) for info in infos if not info.is_dir())

    def read(self, member: str, limit: int) -> bytes:
        with self._zip.open(member) as file:
            return file.read(limit)

    def contents(self, limit: int) -> Iterator[tuple[str, bytes]]:
        for info in self._zip.infolist():
            if not info.is_dir() and info.file_size <= limit:
                with self._zip.open(info) as file:  # by its header: a name can be there twice
                    yield info.filename, file.read(limit)


class _Tar:
    """The members of a gzipped tar file. Reading on is reading once: a tar has no table of contents."""

    def __init__(self, path: Path) -> None:
        self._file = gzip.open(path)  # noqa: SIM115 (closed by `close`)
        try:
            self._tar = tarfile.open(fileobj=self._file, mode="r:")  # noqa: SIM115 (holds nothing else open)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._file.close()

    def members(self) -> Iterator[Member]:
        total = 0
        for count, info in enumerate(self._tar):
            total += max(info.size, 0)
            if count > MEMBER_LIMIT or total > TOTAL_LIMIT:
                raise ValueError("it has too many members, or they are too large together.")
            if info.isfile():
                yield Member(info.name, info.size)
        self._read_to_the_end(TOTAL_LIMIT)

    def _read_to_the_end(self, limit: int) -> None:
        """Read what follows the last member: a gzip file that was cut there has no length and checksum to compare."""
        while chunk := self._file.read(CHUNK):
            limit -= len(chunk)
            if limit < 0:
                raise ValueError("too much follows its last member.")

    def read(self, member: str, limit: int) -> bytes:
        info = self._tar.getmember(member)
        return _bounded(self._tar.extractfile(info) if info.isfile() else None, limit)

    def contents(self, limit: int) -> Iterator[tuple[str, bytes]]:
        for info in self._tar:
            if info.isfile() and info.size <= limit:
                yield info.name, _bounded(self._tar.extractfile(info), limit)


def _bounded(file: IO[bytes] | None, limit: int) -> bytes:
    if file is None:
        raise ValueError("a member is not a file.")
    return file.read(limit)


@contextlib.contextmanager
def _reader(path: Path) -> Iterator[_Zip | _Tar]:
    reader: _Zip | _Tar = _Zip(path) if path.name.endswith(".whl") else _Tar(path)
    with contextlib.closing(reader):
        yield reader


def _parse_filename(path: Path) -> tuple[str, Version, frozenset[Tag]]:
    """Return what the file name says. Raises InvalidWheelFilename, InvalidSdistFilename and ValueError."""
    if path.name.endswith(".whl"):
        name, version, _, tags = parse_wheel_filename(path.name)
        return name, version, tags
    if not path.name.endswith(".tar.gz"):
        raise ValueError("PyPI takes wheels (.whl) and sdists (.tar.gz), and no other files.")
    name, version = parse_sdist_filename(path.name)
    return name, version, frozenset()


def _metadata_member(path: Path, members: tuple[Member, ...]) -> str:
    """Return the member that holds the metadata. Raises ValueError."""
    wanted: Literal["METADATA", "PKG-INFO"] = "METADATA" if path.name.endswith(".whl") else "PKG-INFO"
    found = [member.name for member in members if _is_metadata(member.name, wanted)]
    if len(found) > 1 and wanted == "PKG-INFO":
        raise TwoMetadata(path)
    if len(found) != 1:
        place = ".dist-info/METADATA" if wanted == "METADATA" else "PKG-INFO in its top folder"
        raise ValueError(f"it has {'no' if not found else 'more than one'} {place}.")
    return found[0]


def _is_metadata(member: str, wanted: str) -> bool:
    folder, _, name = member.rpartition("/")
    return (
        name == wanted
        and folder.count("/") == 0
        and bool(folder)
        and (wanted == "PKG-INFO" or folder.endswith(".dist-info"))
    )


def _reason(error: BaseException) -> str:
    return str(error).strip() or type(error).__name__


def canonical(archive: Archive) -> str:
    """Return the project's normalised name (PEP 503), as the archive's file name has it."""
    return canonicalize_name(archive.name)
