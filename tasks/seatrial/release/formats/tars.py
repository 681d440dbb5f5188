"""The members of a tar file, read once from front to back, bounded in memory no matter what its headers say.

Python's tarfile keeps every header, and believes the lengths that extended headers claim. The formats are those of
POSIX (ustar and pax) and GNU tar, which every build backend writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
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
    """A member and, while it is at hand, its bytes. `kind` is `file`, `folder`, a kind of link, or `other`.

    `moment`, `mode` and `owner` are what the headers say of them, as it stands there.
    """

    name: str
    size: int
    kind: str
    sparse: bool
    link: str
    moment: str
    mode: str
    owner: tuple[str, ...]
    _reader: _Reader = field(repr=False)

    def pieces(self, limit: int) -> Iterator[bytes]:
        """Yield at most `limit` bytes of the member; to be used before the next member is asked for."""
        yield from self._reader.data(limit)


class _Reader:
    """A stream that is read forward, and how much of the present member is left in it."""

    def __init__(self, file: Stream, total: int) -> None:
        self._file, self._budget = file, total
        self.left = self.padding = 0

    def block(self) -> bytes:
        self.data_skipped()
        return self.exactly(BLOCK)

    def exactly(self, count: int) -> bytes:
        data = self._file.read(count)
        self.spend(len(data))
        return data

    def spend(self, count: int) -> None:
        self._budget -= count
        if self._budget < 0:
            raise NotTar("it unpacks to far more than its size, which is more than seatrial reads.")

    def data(self, limit: int) -> Iterator[bytes]:
        limit = min(limit, self.left)
        while limit > 0:
            piece = self.exactly(min(CHUNK, limit))
            if not piece:
                raise NotTar("it ends inside a member.")
            self.left -= len(piece)
            limit -= len(piece)
            yield piece

    def data_skipped(self) -> None:
        """Go to the end of the present member."""
        for _ in self.data(self.left):
            pass
        self.exactly(self.padding)
        self.padding = 0

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
        found = _parse(header, first=count == 1)
        reader.begin(found.size)
        if found.kind in EXTENDED:
            long |= _extended(found.kind, b"".join(reader.data(_bounded(found.size))))
        elif found.kind != PAX_GLOBAL:
            yield _member(found, long, reader, header)
            long = {}
    if not count:
        raise NotTar("it is empty.")
    while reader.exactly(CHUNK):
        pass


class _Header(NamedTuple):
    kind: bytes
    name: str
    size: int
    link: str


def _parse(block: bytes, *, first: bool) -> _Header:
    """Return what the header `block` says. Raises NotTar where it is none."""
    if len(block) != BLOCK:
        raise NotTar("it is cut short.")
    if _number(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * ord(" "):
        raise NotTar("it is not a tar file inside." if first else "it is damaged: a header does not fit its checksum.")
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    name = _text(block[:100])
    kind = FOLDER if block[156:157] == OLD_FILE and name.endswith("/") else block[156:157]
    size = 0 if kind in LINKS or kind == FOLDER else _number(block[124:136])
    return _Header(kind, f"{prefix}/{name}" if prefix else name, size, _text(block[157:257]))


def _member(found: _Header, long: Mapping[str, str], reader: _Reader, header: bytes) -> Member:
    """Return the member with `header`; `long` is what extended headers before it said of it."""
    sparse = found.kind == SPARSE or any(key.startswith("GNU.sparse") for key in long)
    if found.kind == SPARSE:
        _skip_sparse_map(reader, header)
    size = found.size
    if size and "size" in long:
        size = _decimal(long["size"])
        reader.begin(size)
    name = long.get("GNU.sparse.name", long.get("path", found.name)).rstrip("/")
    kind = LINKS.get(found.kind, "folder" if found.kind == FOLDER else "file" if found.kind in FILES else "other")
    moment = _text(header[136:148]).strip() + (f"+{long['mtime']}" if "mtime" in long else "")
    owner = tuple(_text(header[start:end]).strip() for start, end in OWNER)
    mode = _text(header[100:108]).strip()
    return Member(name, size, kind, sparse, long.get("linkpath", found.link), moment, mode, owner, reader)


def _skip_sparse_map(reader: _Reader, header: bytes) -> None:
    """Read the blocks on holes that follow the header of a sparse file (GNU), which its size does not count."""
    more = header[482]
    while more:
        block = reader.exactly(BLOCK)
        if len(block) != BLOCK:
            raise NotTar("it is cut short.")
        more = block[504]


def _bounded(size: int) -> int:
    if size > HEADER_LIMIT:
        raise NotTar("an extended header in it is too large.")
    return size


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
