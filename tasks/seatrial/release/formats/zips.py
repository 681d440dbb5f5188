"""A zip file as PyPI reads it: by its central directory, and record by record from the front.

Where the two views differ, one reader would see other files than another, so PyPI refuses the file. Both views are
read here with nothing but struct and zlib: bounded in memory and time, no matter what the file says of itself. The
records are those of PKWARE's APPNOTE.TXT; what is odd follows Warehouse (see `rules.limits`).
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING

from seatrial.machine.values import Value
from seatrial.release.formats import zip_records as records
from seatrial.release.formats.zip_records import MEMBER_LIMIT, End, Entry, Walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO

END_SEARCH = (1 << 16) + 22  # bytes at the end in which the end record lies
CHUNK = 1 << 16
TOO_MANY = f"it has more than {MEMBER_LIMIT} members, which is more than seatrial reads."


class NotZip(ValueError):
    """The file cannot be opened as a zip file at all."""


class Zip(Value):
    """What a zip file says of itself; `oddities` are what PyPI refuses, each with where it was seen."""

    entries: tuple[Entry, ...]
    oddities: Mapping[records.Oddity, tuple[str, ...]]
    file_size: int

    @property
    def unpacked(self) -> int:
        """The bytes that all members claim to be."""
        return sum(entry.size for entry in self.entries)


def read(file: IO[bytes]) -> Zip:
    """Read the structure of the zip file `file`. Raises NotZip where it has no readable central directory."""
    size = file.seek(0, os.SEEK_END)
    try:
        end = _end(file, size)
        entries = tuple(_entries(file, end))
    except (struct.error, UnicodeError, OverflowError, OSError) as error:
        raise NotZip(f"its central directory is damaged ({error}).") from None
    walk = Walk(file, size, entries, end)
    walk.run()
    return Zip(entries, {kind: tuple(places) for kind, places in walk.oddities.items()}, size)


def _end(file: IO[bytes], size: int) -> End:
    """Find the end record, and its ZIP64 form where there is one."""
    searched = min(size, END_SEARCH)
    file.seek(size - searched)
    tail = file.read(searched)
    found = tail.rfind(records.END)
    if found < 0 or found + 22 > len(tail):
        raise NotZip("it is not a zip file, or its end is cut off.")
    place = size - searched + found
    count, cd_size, cd_offset = struct.unpack("<HLL", tail[found + 10 : found + 20])
    stands: tuple[int, ...] = (place,)
    if tail[max(found - 20, 0) : found].startswith(records.LOCATOR64):
        (place64,) = struct.unpack("<Q", tail[found - 12 : found - 4])
        stands = (place64, place - 20, place)
        file.seek(place64)
        record = file.read(56)
        if record[:4] != records.END64:
            raise NotZip("its ZIP64 end record is not where its locator says.")
        count, cd_size, cd_offset = struct.unpack("<QQQ", record[32:56])
    if count > MEMBER_LIMIT:
        raise NotZip(TOO_MANY)
    start = stands[0] - cd_size
    if start < 0 or start < cd_offset:
        raise NotZip("its central directory is not where its end record says.")
    return End(count, start, start - cd_offset, stands)


def _entries(file: IO[bytes], end: End) -> Iterator[Entry]:
    file.seek(end.start)
    number = 0
    while file.tell() < end.records[0]:
        number += 1
        if number > MEMBER_LIMIT:
            raise NotZip(TOO_MANY)
        head = file.read(46)
        if head[:4] != records.CENTRAL:
            raise NotZip("its central directory is damaged.")
        flags, method, time, date, crc, packed, size = struct.unpack("<HHHHLLL", head[8:28])
        name_size, extra_size, comment_size = struct.unpack("<HHH", head[28:34])
        mode, offset = struct.unpack("<HL", head[40:46])
        raw, extra = file.read(name_size), file.read(extra_size)
        file.seek(comment_size, os.SEEK_CUR)
        if file.tell() > end.records[0]:
            raise NotZip("its central directory is damaged.")
        name = raw.decode("utf-8" if flags & records.UTF8 else "cp437")
        size, packed, offset = _sizes64(extra, size, packed, offset)
        yield Entry(name, flags, method, crc, packed, size, offset + end.shift, date << 16 | time, mode)


def _sizes64(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Return the three numbers, those that do not fit 32 bits taken from the ZIP64 field of `extra`."""
    values = [size, packed, offset]
    for kind, data in records.fields(extra):
        if kind == records.ZIP64:
            for place, value in enumerate(values):
                if value == records.MAX32:
                    (values[place],) = struct.unpack("<Q", data[:8])
                    data = data[8:]  # noqa: PLW2901 (the field holds only what did not fit, in order)
    return values[0], values[1], values[2]


class Damaged(ValueError):
    """A member that cannot be unpacked, or is not what its checksum says."""


def content(file: IO[bytes], entry: Entry, limit: int) -> Iterator[bytes]:
    """Yield the bytes of the member `entry` in pieces, at most `limit` and never more than it claims.

    Where the whole member is read, its checksum is compared, and nothing may follow. Raises Damaged.
    """
    file.seek(entry.offset)
    head = file.read(30)
    if head[:4] != records.LOCAL or len(head) != 30:  # noqa: PLR2004 (the length of a local header)
        raise Damaged("its local header is not where the central directory says")
    if entry.method not in {records.STORED, records.DEFLATED} or entry.flags & records.ENCRYPTED:
        raise Damaged("it is encrypted, or compressed in a way that installers do not know")
    name_size, extra_size = struct.unpack("<HH", head[26:30])
    file.seek(name_size + extra_size, os.SEEK_CUR)
    inflate = zlib.decompressobj(-15) if entry.method == records.DEFLATED else None
    wanted, left, pending = min(limit, entry.size), entry.packed, b""
    crc, length = 0, 0
    try:
        while length < wanted and not (inflate and inflate.eof):
            if not pending:
                pending = file.read(min(CHUNK, left))
                left -= len(pending)
                if not pending:
                    break
            most = min(wanted - length, CHUNK)
            piece = inflate.decompress(pending, most) if inflate else pending[:most]
            pending = inflate.unconsumed_tail if inflate else b""
            crc, length = zlib.crc32(piece, crc), length + len(piece)
            yield piece
        rest = length == entry.size and inflate and inflate.decompress(pending + file.read(min(CHUNK, left)), 1)
    except zlib.error as error:
        raise Damaged(str(error)) from None
    if length < wanted:
        raise Damaged("it is cut short")
    if length == entry.size and crc != entry.crc:
        raise Damaged("it is not what its checksum says")
    if rest or (inflate is None and entry.packed > entry.size):  # which some installers would write
        raise Damaged("it unpacks to more than it claims")
