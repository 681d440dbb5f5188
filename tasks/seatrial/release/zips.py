"""A zip file as PyPI reads it: by its central directory, and record by record from the front.

Where the two views differ, one reader would see other files than another, so PyPI refuses the file. Both views are
read here with nothing but struct and zlib: bounded in memory and time, no matter what the file says of itself. The
records are those of PKWARE's APPNOTE.TXT; what is odd follows Warehouse (see `rules.limits`).
"""

from __future__ import annotations

import bisect
import os
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO

LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
END64, LOCATOR64 = b"PK\6\6", b"PK\6\7"
END_SEARCH = (1 << 16) + 22  # bytes at the end in which the end record lies
MEMBER_LIMIT = 100_000
CHUNK = 1 << 16
TOO_MANY = f"it has more than {MEMBER_LIMIT} members, which is more than is looked at."
STORED, DEFLATED = 0, 8
ENCRYPTED, DESCRIPTOR, UTF8 = 0x1, 0x8, 0x800
MAX32 = 0xFFFFFFFF
ZIP64, UNICODE_PATH = 0x0001, 0x7075
ZIP64_LENGTHS = frozenset({0, 8, 16, 24, 28})
CONTROLS = frozenset([*range(32), 127])

Oddity = Literal[
    "characters",
    "extra",
    "descriptor",
    "sizes",
    "unlisted",
    "encoding",
    "comment",
    "twice",
    "unwritten",
    "counts",
    "zip64",
    "between",
    "trailing",
]


class NotZip(ValueError):
    """The file cannot be opened as a zip file at all."""


class Entry(NamedTuple):
    """A member as the central directory has it; `offset` is where its local header stands."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")


@dataclass(frozen=True)
class Zip:
    """What a zip file says of itself; `oddities` are what PyPI refuses, each with where it was seen."""

    entries: tuple[Entry, ...]
    oddities: Mapping[Oddity, tuple[str, ...]]
    file_size: int

    @property
    def unpacked(self) -> int:
        """The bytes that all members claim to be."""
        return sum(entry.size for entry in self.entries)


@dataclass(frozen=True)
class _End:
    """Where the central directory is. `shift` is how much later it begins than the end record says."""

    count: int
    start: int
    shift: int
    records: tuple[int, ...]  # where the end records stand


def read(file: IO[bytes]) -> Zip:
    """Read the structure of the zip file `file`. Raises NotZip where it has no readable central directory."""
    size = file.seek(0, os.SEEK_END)
    try:
        end = _end(file, size)
        entries = tuple(_entries(file, end))
    except (struct.error, UnicodeError, OverflowError, OSError) as error:
        raise NotZip(f"its central directory is damaged ({error}).") from None
    walk = _Walk(file, size, entries, end)
    walk.run()
    return Zip(entries, {kind: tuple(places) for kind, places in walk.oddities.items()}, size)


def _end(file: IO[bytes], size: int) -> _End:
    """Find the end record, and its ZIP64 form where there is one."""
    searched = min(size, END_SEARCH)
    file.seek(size - searched)
    tail = file.read(searched)
    found = tail.rfind(END)
    if found < 0 or found + 22 > len(tail):
        raise NotZip("it is not a zip file, or its end is cut off.")
    place = size - searched + found
    count, cd_size, cd_offset = struct.unpack("<HLL", tail[found + 10 : found + 20])
    records = [place]
    if tail[max(found - 20, 0) : found].startswith(LOCATOR64):
        (place64,) = struct.unpack("<Q", tail[found - 12 : found - 4])
        records = [place64, place - 20, place]
        file.seek(place64)
        record = file.read(56)
        if record[:4] != END64:
            raise NotZip("its ZIP64 end record is not where its locator says.")
        count, cd_size, cd_offset = struct.unpack("<QQQ", record[32:56])
    if count > MEMBER_LIMIT:
        raise NotZip(TOO_MANY)
    start = records[0] - cd_size
    if start < 0 or start < cd_offset:
        raise NotZip("its central directory is not where its end record says.")
    return _End(count, start, start - cd_offset, tuple(records))


def _entries(file: IO[bytes], end: _End) -> Iterator[Entry]:
    """Yield the entries of the central directory."""
    file.seek(end.start)
    number = 0
    while file.tell() < end.records[0]:
        number += 1
        if number > MEMBER_LIMIT:
            raise NotZip(TOO_MANY)
        head = file.read(46)
        if head[:4] != CENTRAL:
            raise NotZip("its central directory is damaged.")
        flags, method, crc, packed, size = struct.unpack("<HHxxxxLLL", head[8:28])
        name_size, extra_size, comment_size = struct.unpack("<HHH", head[28:34])
        (offset,) = struct.unpack("<L", head[42:46])
        raw, extra = file.read(name_size), file.read(extra_size)
        file.seek(comment_size, os.SEEK_CUR)
        if file.tell() > end.records[0]:
            raise NotZip("its central directory is damaged.")
        name = raw.decode("utf-8" if flags & UTF8 else "cp437")
        size, packed, offset = _sizes64(extra, size, packed, offset)
        yield Entry(name, flags, method, crc, packed, size, offset + end.shift)


def _sizes64(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Return the three numbers, those that do not fit 32 bits taken from the ZIP64 field of `extra`."""
    values = [size, packed, offset]
    for kind, data in _fields(extra):
        if kind == ZIP64:
            for place, value in enumerate(values):
                if value == MAX32:
                    (values[place],) = struct.unpack("<Q", data[:8])
                    data = data[8:]  # noqa: PLW2901 (the field holds only what did not fit, in order)
    size, packed, offset = values
    return size, packed, offset


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and data of each extra field. Raises struct.error where one is cut."""
    while extra:
        kind, length = struct.unpack("<HH", extra[:4])
        if length + 4 > len(extra):
            raise struct.error("an extra field is cut")
        yield kind, extra[4 : 4 + length]
        extra = extra[4 + length :]


class _Walk:
    """The records from the front to the end, and what is odd about them."""

    def __init__(self, file: IO[bytes], size: int, entries: tuple[Entry, ...], end: _End) -> None:
        self._file, self._size, self._end = file, size, end
        self._listed = {entry.name: (entry.packed, entry.size) for entry in entries}
        self._marks = sorted({*(entry.offset for entry in entries), end.start, *end.records})
        self._local: set[bytes] = set()
        self._central: set[bytes] = set()
        self._count = 0
        self._first_central: int | None = None
        self._seen64: set[bytes] = set()
        self.oddities: dict[Oddity, list[str]] = {}

    def run(self) -> None:
        place: int | None = 0
        while place is not None and place < self._size and self._count <= 2 * MEMBER_LIMIT:
            self._file.seek(place)
            signature = self._file.read(4)
            if signature == END:
                self._finish(place)
                return
            try:
                after = self._record(signature, place)
            except (struct.error, OverflowError, OSError):
                after = None
            if after is None:  # go on at the next record that the central directory knows
                self._odd("between", f"at byte {place}")
                after = self._next_mark(place)
            place = after
        self._odd("counts", "there is no end record behind the others")

    def _next_mark(self, place: int) -> int:
        after = bisect.bisect_right(self._marks, place)
        return self._marks[after] if after < len(self._marks) else self._size

    def _record(self, signature: bytes, place: int) -> int | None:
        """Look at the record at `place` and return where it ends, None where that cannot be known."""
        if signature == LOCAL:
            return self._local_header(place)
        if signature == CENTRAL:
            return self._central_header(place)
        if signature == END64:
            return self._end64(place)
        if signature == LOCATOR64:
            if END64 not in self._seen64:
                self._odd("zip64", "a locator without its end record")
            self._seen64.add(LOCATOR64)
            return place + 20
        return None

    def _local_header(self, place: int) -> int:
        head = _exactly(self._file, 26)
        flags, method, packed, size, name_size, extra_size = struct.unpack("<xxHHxxxxxxxxLLHH", head)
        raw, extra = _exactly(self._file, name_size), _exactly(self._file, extra_size)
        shown = _shown(raw)
        self._count_members(raw, shown, self._local)
        size, packed = self._extra(extra, shown, method, size, packed)
        after = place + 30 + name_size + extra_size
        try:
            listed = self._listed.get(raw.decode("utf-8"))
        except UnicodeDecodeError:
            self._odd("encoding", shown)
            return self._next_mark(place)
        if flags & DESCRIPTOR:
            self._odd("descriptor", shown)
            return self._next_mark(place)
        if listed is None:
            self._odd("unlisted", shown)
        elif listed != (packed, size):
            self._odd("sizes", shown)
        return int(after + packed)

    def _count_members(self, raw: bytes, shown: str, seen: set[bytes]) -> None:
        self._count += 1
        if CONTROLS.intersection(raw):
            self._odd("characters", shown)
        if raw in seen:
            self._odd("twice", shown)
        seen.add(raw)

    def _extra(self, extra: bytes, shown: str, method: int, size: int, packed: int) -> tuple[int, int]:
        """Judge the extra fields of a local header; return its sizes, from the ZIP64 field where they are there."""
        kinds = []
        try:
            for kind, data in _fields(extra):
                kinds.append(kind)
                if kind == ZIP64:
                    size, packed = _local_sizes64(data, method, size, packed)
                elif kind == UNICODE_PATH:
                    data[5:].decode("utf-8")
                    if CONTROLS.intersection(data[5:]):
                        self._odd("characters", shown)
        except (struct.error, UnicodeDecodeError):
            self._odd("extra", shown)
        if max(kinds.count(ZIP64), kinds.count(UNICODE_PATH)) > 1:
            self._odd("extra", shown)
        return size, packed

    def _central_header(self, place: int) -> int:
        if self._first_central is None:
            self._first_central = place
        head = _exactly(self._file, 42)
        name_size, extra_size, comment_size = struct.unpack("<HHH", head[24:30])
        raw = _exactly(self._file, name_size)
        shown = _shown(raw)
        if comment_size:
            self._odd("comment", shown)
        if raw not in self._local:
            self._odd("unwritten", shown)
        if raw in self._central:
            self._odd("twice", shown)
        self._central.add(raw)
        self._count_members(b"", shown, set())
        return int(place + 46 + name_size + extra_size + comment_size)

    def _end64(self, place: int) -> int:
        head = _exactly(self._file, 52)
        length, on_disk, total = struct.unpack("<QxxxxxxxxxxxxQQ", head[:36])
        if length != 44:  # noqa: PLR2004 (the record without extensible data)
            self._odd("zip64", "an end record with extensible data")
        if on_disk != total:
            self._odd("counts", "it is split over several disks")
        self._seen64.add(END64)
        return int(place + 12 + length)

    def _finish(self, place: int) -> None:
        """Judge the end record at `place`, and what follows it."""
        head = _padded(self._file.read(18), 18)
        on_disk, total, _, _, comment_size = struct.unpack("<xxxxHHLLH", head)
        if on_disk != total:
            self._odd("counts", "it is split over several disks")
        if END64 in self._seen64 and LOCATOR64 not in self._seen64:
            self._odd("zip64", "an end record without its locator")
        if self._end.count != len(self._central):
            self._odd("counts", f"the end record says {self._end.count} members, there are {len(self._central)}")
        first = place if self._first_central is None else self._first_central
        if first != self._end.start or self._end.shift:
            self._odd("counts", "the central directory is not where the end record says")
        if place + 22 + comment_size != self._size:
            self._odd("trailing", f"{self._size - place - 22 - comment_size} bytes")

    def _odd(self, kind: Oddity, place: str) -> None:
        places = self.oddities.setdefault(kind, [])
        if place not in places[-1:]:
            places.append(place)


def _local_sizes64(data: bytes, method: int, size: int, packed: int) -> tuple[int, int]:
    """Return size and packed size of a local header with the ZIP64 field `data`. Raises struct.error."""
    if len(data) not in ZIP64_LENGTHS:
        raise struct.error("a ZIP64 field of an unknown length")
    if not data:
        if MAX32 in {size, packed}:
            raise struct.error("a ZIP64 field without the size that it is there for")
        return size, packed
    if len(data) == 8:  # noqa: PLR2004 (the uncompressed size alone)
        if method != STORED:
            raise struct.error("a ZIP64 field with one size")
        (packed,) = struct.unpack("<Q", data)
        return (packed if size == MAX32 else size), packed
    whole, packed = struct.unpack("<QQ", data[:16])
    return (whole if size == MAX32 else size), packed


def _exactly(file: IO[bytes], count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise struct.error("the file ends inside a record")
    return data


def _padded(data: bytes, count: int) -> bytes:
    return data + bytes(count - len(data))


def _shown(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


class Damaged(ValueError):
    """A member that cannot be unpacked, or is not what its checksum says."""


def content(file: IO[bytes], entry: Entry, limit: int) -> Iterator[bytes]:
    """Yield the bytes of the member `entry` in pieces, at most `limit` and never more than it claims.

    The checksum is compared where the whole member is read. Raises Damaged.
    """
    file.seek(entry.offset)
    head = file.read(30)
    if head[:4] != LOCAL or len(head) != 30:  # noqa: PLR2004 (the length of a local header)
        raise Damaged("its local header is not where the central directory says")
    name_size, extra_size = struct.unpack("<HH", head[26:30])
    file.seek(name_size + extra_size, os.SEEK_CUR)
    crc, length = 0, 0
    for piece in _unpacked(file, entry, limit):
        crc, length = zlib.crc32(piece, crc), length + len(piece)
        yield piece
    if length < min(entry.size, limit):
        raise Damaged("it is cut short")
    if length == entry.size and crc != entry.crc:
        raise Damaged("it is not what its checksum says")


def _unpacked(file: IO[bytes], entry: Entry, limit: int) -> Iterator[bytes]:
    """Yield at most `limit` bytes of what follows, and one more than `entry` claims where there is more."""
    if entry.method not in {STORED, DEFLATED} or entry.flags & ENCRYPTED:
        raise Damaged("it is encrypted, or compressed in a way that installers do not know")
    wanted, left = min(limit, entry.size), entry.packed
    inflate = zlib.decompressobj(-15) if entry.method == DEFLATED else None
    pending = b""
    try:
        while wanted > 0:
            if not pending:
                pending = file.read(min(CHUNK, left))
                left -= len(pending)
                if not pending:
                    return
            piece = inflate.decompress(pending, min(wanted, CHUNK)) if inflate else pending[:wanted]
            pending = inflate.unconsumed_tail if inflate else b""
            wanted -= len(piece)
            yield piece
            if inflate and inflate.eof:
                return
    except zlib.error as error:
        raise Damaged(str(error)) from None
