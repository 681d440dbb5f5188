"""The members of a tar file, read once from front to back, bounded in memory no matter what its headers say.

Python's tarfile keeps every header, and believes the lengths that extended headers claim. The formats are those of
POSIX (ustar and pax) and GNU tar, which every build backend writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Protocol

    class Stream(Protocol):
        def read(self, size: int, /) -> bytes: ...


BLOCK = 512
CHUNK = 1 << 18
MEMBER_LIMIT = 100_000
HEADER_LIMIT = 1 << 20  # bytes of one extended header
OLD_FILE = b"\0"  # of tars so old that a folder is told by its name alone
FILES = frozenset({b"0", OLD_FILE, b"7"})
LINKS = {b"1": "hard link", b"2": "symbolic link"}
FOLDER, SPARSE, LONG_NAME, LONG_LINK, PAX_GLOBAL = b"5", b"S", b"L", b"K", b"g"
EXTENDED = frozenset({LONG_NAME, LONG_LINK, b"x", b"X"})  # the last two are pax, and Solaris' pax
OWNER = ((108, 116), (116, 124), (265, 297), (297, 329))  # where a header has user and group, as numbers and names
DIGITS = 20  # of the longest number that means something


class NotTar(ValueError):
    """The file is not a tar file, or is damaged."""


@dataclass
class Member:
    """A member. `kind` is `file`, `folder`, a kind of link, or `other`.

    `moment`, `mode` and `owner` are what the headers say of them, as it stands there. `pieces` yields at most so many
    bytes of the member, before the next member is asked for.
    """

    name: str
    size: int
    kind: str
    sparse: bool
    link: str
    moment: str
    mode: str
    owner: tuple[str, ...]
    pieces: Callable[[int], Iterator[bytes]]


class _Reader:
    """A stream that is read forward, and how much of the present member is left in it."""

    def __init__(self, file: Stream, total: int) -> None:
        self._file, self._budget = file, total
        self.left = self.padding = 0

    def block(self) -> bytes:
        """Return the block that follows the present member."""
        for _ in self.data(self.left):
            pass
        self.exactly(self.padding)
        self.padding = 0
        return self.exactly(BLOCK)

    def exactly(self, count: int) -> bytes:
        data = self._file.read(count)
        self._budget -= len(data)
        if self._budget < 0:
            raise NotTar("it unpacks to far more than its size, which is more than seatrial reads.")
        return data

    def data(self, limit: int) -> Iterator[bytes]:
        limit = min(limit, self.left)
        while limit > 0:
            piece = self.exactly(min(CHUNK, limit))
            if not piece:
                raise NotTar("it ends inside a member.")
            self.left -= len(piece)
            limit -= len(piece)
            yield piece

    def begin(self, size: int) -> None:
        self.left, self.padding = size, -size % BLOCK


def members(file: Stream, total: int) -> Iterator[Member]:
    """Yield each member of the (unpacked) tar stream `file`, of which at most `total` bytes are read.

    Then the rest of the stream is read, so that its compression can compare its checksum. Raises NotTar.
    """
    reader = _Reader(file, total)
    count = 0
    long: dict[str, str] = {}
    while (header := reader.block()).strip(b"\0"):
        count += 1
        if count > MEMBER_LIMIT:
            raise NotTar(f"it has more than {MEMBER_LIMIT} members, which is more than seatrial reads.")
        flag, name, size = _parse(header, first=count == 1)
        reader.begin(size)
        if flag in EXTENDED:
            if size > HEADER_LIMIT:
                raise NotTar("an extended header in it is too large.")
            long |= _extended(flag, b"".join(reader.data(size)))
        elif flag != PAX_GLOBAL:
            yield _member(header, flag, name, size, reader, long=long)
            long = {}
    if not count:
        raise NotTar("it is empty.")
    while reader.exactly(CHUNK):
        pass


def _parse(block: bytes, *, first: bool) -> tuple[bytes, str, int]:
    """Return the type flag, the name and the size in the header `block`. Raises NotTar where it is none."""
    if len(block) != BLOCK:
        raise NotTar("it is cut short.")
    if _number(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * ord(" "):
        raise NotTar("it is not a tar file inside." if first else "it is damaged: a header does not fit its checksum.")
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    name = _text(block[:100])
    flag = FOLDER if block[156:157] == OLD_FILE and name.endswith("/") else block[156:157]
    size = 0 if flag in LINKS or flag == FOLDER else _number(block[124:136])
    return flag, f"{prefix}/{name}" if prefix else name, size


def _member(header: bytes, flag: bytes, name: str, size: int, reader: _Reader, *, long: Mapping[str, str]) -> Member:
    """Return the member with `header`; `long` is what extended headers before it said of it."""
    more = flag == SPARSE and header[482]
    while more:  # blocks on holes follow the header of a sparse file (GNU), which its size does not count
        block = reader.exactly(BLOCK)
        if len(block) != BLOCK:
            raise NotTar("it is cut short.")
        more = block[504]
    if size and "size" in long:
        size = _decimal(long["size"])
        reader.begin(size)
    return Member(
        long.get("GNU.sparse.name", long.get("path", name)).rstrip("/"),
        size,
        LINKS.get(flag, "folder" if flag == FOLDER else "file" if flag in FILES else "other"),
        sparse=flag == SPARSE or any(key.startswith("GNU.sparse") for key in long),
        link=long.get("linkpath", _text(header[157:257])),
        moment=_text(header[136:148]).strip() + (f"+{long['mtime']}" if "mtime" in long else ""),
        mode=_text(header[100:108]).strip(),
        owner=tuple(_text(header[start:end]).strip() for start, end in OWNER),
        pieces=reader.data,
    )


def _extended(kind: bytes, data: bytes) -> dict[str, str]:
    """Return what an extended header says of the next member. Raises NotTar."""
    if kind in {LONG_NAME, LONG_LINK}:
        return {"path" if kind == LONG_NAME else "linkpath": _text(data)}
    found = {}
    while data.strip(b"\0"):
        digits, blank, _ = data.partition(b" ")
        length = _decimal(_text(digits))
        record = data[len(digits) + 1 : length]
        keyword, equals, value = record.removesuffix(b"\n").partition(b"=")
        if not (blank and equals and len(data) >= length > len(digits)):
            raise NotTar("an extended header in it is damaged.")
        found[_text(keyword)] = value.decode("utf-8", "surrogateescape")
        data = data[length:]
    return found


def _number(field: bytes) -> int:
    """Return the number in a header field: octal digits, or in base 256 where the first bit says so."""
    if field[0] & 0x80:
        number = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
        if field[0] == 0xFF:  # noqa: PLR2004 (a negative number)
            raise NotTar("a header in it has a negative size.")
        return number
    try:
        return int(_text(field).strip() or "0", 8)
    except ValueError:
        raise NotTar("it is not a tar file inside, or is damaged.") from None


def _decimal(text: str) -> int:
    if not text.isdecimal() or len(text) > DIGITS:
        raise NotTar("an extended header in it is damaged.")
    return int(text)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")
