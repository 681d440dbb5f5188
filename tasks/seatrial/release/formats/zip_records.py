"""The records of a zip file (PKWARE's APPNOTE.TXT) from front to end, and what is odd about them (see `zips`)."""

from __future__ import annotations

import bisect
import struct
from typing import TYPE_CHECKING, Literal, NamedTuple

from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
END64, LOCATOR64 = b"PK\6\6", b"PK\6\7"
MEMBER_LIMIT = 100_000
STORED, DEFLATED = 0, 8
ENCRYPTED, DESCRIPTOR, UTF8 = 0x1, 0x8, 0x800
MAX32 = 0xFFFFFFFF
ZIP64, UNICODE_PATH = 0x0001, 0x7075
ZIP64_LENGTHS = frozenset({0, 8, 16, 24, 28})
CONTROLS = frozenset([*range(32), 127])

# What makes one reader see other members than another does, and what is only not as it has to be.
Ambiguity = Literal["twice", "unlisted", "unwritten", "sizes", "encoding", "between", "trailing"]
Oddity = Literal[Ambiguity, "characters", "extra", "descriptor", "comment", "counts", "zip64"]


class Entry(NamedTuple):
    """A member as the central directory has it; `offset` is where its local header stands.

    `moment` is the time as MS-DOS writes it, `mode` that of POSIX where the member was packed there.
    """

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    moment: int = 0
    mode: int = 0


class End(Value):
    """Where the central directory is. `shift` is how much later it begins than the end record says."""

    count: int
    start: int
    shift: int
    records: tuple[int, ...]  # where the end records stand


def fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and data of each extra field. Raises struct.error where one is cut."""
    while extra:
        kind, length = struct.unpack("<HH", extra[:4])
        if length + 4 > len(extra):
            raise struct.error("an extra field is cut")
        yield kind, extra[4 : 4 + length]
        extra = extra[4 + length :]


class Walk:
    """The records from the front to the end, and what is odd about them."""

    def __init__(self, file: IO[bytes], size: int, entries: tuple[Entry, ...], end: End) -> None:
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
        place = 0
        while place < self._size and self._count <= 2 * MEMBER_LIMIT:
            self._file.seek(place)
            signature = self._file.read(4)
            if signature == END:
                self._finish(place)
                return
            try:
                after = self._record(signature, place)
            except (struct.error, OverflowError, OSError):
                after = None
            if after is None:
                self._odd("between", f"at byte {place}")
                after = self._next_mark(place)
            place = after
        self._odd("counts", "there is no end record behind the others")

    def _next_mark(self, place: int) -> int:
        """Return where the next record is that the central directory knows."""
        after = bisect.bisect_right(self._marks, place)
        return self._marks[after] if after < len(self._marks) else self._size

    def _record(self, signature: bytes, place: int) -> int | None:
        """Look at the record at `place` and return where it ends, None where that cannot be known."""
        if signature == LOCAL:
            return self._local_header(place)
        if signature == CENTRAL:
            return self._central_header(place)
        if signature == END64:
            length, on_disk, total = struct.unpack("<QxxxxxxxxxxxxQQ", _exactly(self._file, 52)[:36])
            self._odd("zip64", "an end record with extensible data", when=length != 44)  # noqa: PLR2004
            self._odd("counts", "it is split over several disks", when=on_disk != total)
            self._seen64.add(END64)
            return int(place + 12 + length)
        if signature == LOCATOR64:
            self._odd("zip64", "a locator without its end record", when=END64 not in self._seen64)
            self._seen64.add(LOCATOR64)
            return place + 20
        return None

    def _local_header(self, place: int) -> int:
        head = _exactly(self._file, 26)
        flags, method, packed, size, name_size, extra_size = struct.unpack("<xxHHxxxxxxxxLLHH", head)
        raw, extra = _exactly(self._file, name_size), _exactly(self._file, extra_size)
        shown = raw.decode("utf-8", "backslashreplace")
        self._count += 1
        self._odd("characters", shown, when=not CONTROLS.isdisjoint(raw))
        self._odd("twice", shown, when=raw in self._local)
        self._local.add(raw)
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

    def _extra(self, extra: bytes, shown: str, method: int, size: int, packed: int) -> tuple[int, int]:
        """Judge the extra fields of a local header; return its sizes, from the ZIP64 field where they are there."""
        kinds = []
        try:
            for kind, data in fields(extra):
                kinds.append(kind)
                if kind == ZIP64:
                    size, packed = _local_sizes64(data, method, size, packed)
                elif kind == UNICODE_PATH:
                    data[5:].decode("utf-8")
                    self._odd("characters", shown, when=not CONTROLS.isdisjoint(data[5:]))
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
        shown = raw.decode("utf-8", "backslashreplace")
        self._count += 1
        self._odd("comment", shown, when=comment_size > 0)
        self._odd("unwritten", shown, when=raw not in self._local)
        self._odd("twice", shown, when=raw in self._central)
        self._central.add(raw)
        return int(place + 46 + name_size + extra_size + comment_size)

    def _finish(self, place: int) -> None:
        """Judge the end record at `place`, and what follows it."""
        head = self._file.read(18).ljust(18, b"\0")
        on_disk, total, comment_size = struct.unpack("<xxxxHHxxxxxxxxH", head)
        self._odd("counts", "it is split over several disks", when=on_disk != total)
        alone = END64 in self._seen64 and LOCATOR64 not in self._seen64
        self._odd("zip64", "an end record without its locator", when=alone)
        told, there = self._end.count, len(self._central)
        self._odd("counts", f"the end record says {told} members, there are {there}", when=told != there)
        first = place if self._first_central is None else self._first_central
        moved = first != self._end.start or self._end.shift > 0
        self._odd("counts", "the central directory is not where the end record says", when=moved)
        rest = self._size - place - 22 - comment_size
        self._odd("trailing", f"{rest} bytes", when=rest != 0)

    def _odd(self, kind: Oddity, place: str, *, when: bool = True) -> None:
        if when:
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
