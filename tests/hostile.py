"""Archives made to hurt, small ones for the tests and those of full size for the benchmark."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from seatrial.release.formats import zip_records
from tests.archives import (
    SDIST,
    WHEEL,
    gzipped,
    metadata,
    sdist_members,
    tarred,
    wheel_members,
    written,
    zip_info,
    zipped,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MEMBERS = wheel_members(WHEEL, metadata(), {})
TAR = tarred(sdist_members(SDIST, metadata(), {}).items())


def bomb() -> bytes:
    return zipped([*MEMBERS.items(), *((f"demo/{n}.py", b"#" * (9 << 20)) for n in range(12))])


def overlapping() -> bytes:
    """Return a wheel of which 5000 entries are one and the same member."""
    one = zipped([("demo/a.py", b"#" * (9 << 20))])
    at, end = one.index(zip_records.CENTRAL), one.index(zip_records.END)
    entry = one[at:end]
    more = b"".join(entry[:28] + struct.pack("<H", 10) + entry[30:46] + b"demo/%05d" % n for n in range(5000))
    return one[:at] + more + struct.pack("<4sHHHHLLH", zip_records.END, 0, 0, 5000, 5000, len(more), at, 0)


def crowd() -> bytes:
    return zipped([*MEMBERS.items(), *((f"demo/{n}", b"") for n in range(5_000))])


def encrypted() -> bytes:
    info = zip_info("demo/a.py")
    raw = zipped([*MEMBERS.items(), (info, b"pass\n")])
    at = raw.rindex(zip_records.CENTRAL)
    return raw[: at + 8] + b"\1" + raw[at + 9 :]


def nested() -> bytes:
    return zipped([*MEMBERS.items(), ("demo/inner.whl", bomb())])


def climbing() -> bytes:
    return zipped([*MEMBERS.items(), ("../../../../tmp/climbed", b""), ("/climbed", b""), ("C:\\climbed", b"")])


def tokens() -> bytes:
    return zipped([*MEMBERS.items(), ("demo/a.py", b"pypi-Ag" * 200_000), ("demo/b.py", b"-----BEGIN " * 100_000)])


def many_fields() -> bytes:
    fields = metadata({"Requires-Dist": [f"six{n}" for n in range(3_000)], "Project-URL": ["A, x:"] * 3_000})
    return zipped(wheel_members(WHEEL, fields, {}).items())


def long_description() -> bytes:
    core = metadata({"Description-Content-Type": "text/x-rst"}, ("* " * 200 + "\n") * 20_000)
    return zipped(wheel_members(WHEEL, core, {}).items())


def endless(body: bytes, count: int) -> bytes:
    """Return gzipped: the members, then `body` (of 1 MiB) `count` times."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(TAR[:-1024]), *(packer.compress(body) for _ in range(count)), packer.flush()])


def extended() -> bytes:
    """Return an sdist with an extended header that says it has a terabyte."""
    header = bytearray(TAR[:512])
    header[124:136] = b"\x80" + (1 << 40).to_bytes(11, "big")
    header[156:157] = b"x"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return gzipped(bytes(header) + bytes(1 << 20))


def million(count: int = 1_000_000) -> bytes:
    """Return a wheel of so many empty members: a zip file whose end record has no room for their number (ZIP64)."""
    names = [b"demo/%07d" % number for number in range(count)]
    local = struct.pack("<4s5H3L2H", zip_records.LOCAL, 20, 0, 0, 0, 0x21, 0, 0, 0, len(names[0]), 0)
    size = len(local) + len(names[0])
    head = struct.pack("<4s6H3L5HL", zip_records.CENTRAL, 20, 20, 0, 0, 0, 0x21, 0, 0, 0, len(names[0]), 0, 0, 0, 0, 0)
    first = b"".join(local + name for name in names)
    second = b"".join(head + struct.pack("<L", size * number) + name for number, name in enumerate(names))
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(second), len(first))
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(first) + len(second), 1)
    end = struct.pack("<4s4H2LH", zip_records.END, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return first + second + end64 + locator + end


def crowded(count: int) -> bytes:
    """Return a wheel of so many members, all of them in RECORD."""
    return zipped(wheel_members(WHEEL, metadata(), {f"demo/m{number}.txt": "" for number in range(count)}).items())


def deep_bomb() -> bytes:
    """Return a wheel that unpacks to 20 GiB, 1000 times its size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(1024)), packer.flush()])
    first, second = b"", b""
    for name in (b"demo/%02d.bin" % number for number in range(20)):
        facts = struct.pack("<4H3LHH", 0, 8, 0, 0x21, 0, len(body), 1 << 30, len(name), 0)  # no checksum of 1 GiB
        second += (
            zip_records.CENTRAL
            + struct.pack("<2H", 20, 20)
            + facts
            + struct.pack("<3H2L", 0, 0, 0, 0, len(first))
            + name
        )
        first += zip_records.LOCAL + struct.pack("<H", 20) + facts + name + body
    return first + second + struct.pack("<4s4H2LH", zip_records.END, 0, 0, 20, 20, len(second), len(first), 0)


def _full_size(name: str, make: Callable[[], bytes]) -> tuple[str, Callable[[Path], Path]]:
    return name, lambda path: written(path.parent, path.name, make())


FULL_SIZE: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "a wheel that unpacks to 20 GiB": _full_size(WHEEL, deep_bomb),
    "a wheel whose modules unpack to 200 times its size": _full_size(WHEEL, bomb),
    "a wheel of which 5,000 entries are one member": _full_size(WHEEL, overlapping),
    "a wheel with a wheel in it that unpacks without end": _full_size(WHEEL, nested),
    "a wheel of a million members": _full_size(WHEEL, million),
    "a wheel of 99,000 members, whole": _full_size(WHEEL, lambda: crowded(99_000)),
    "a wheel with encrypted members": _full_size(WHEEL, encrypted),
    "a wheel whose members climb out": _full_size(WHEEL, climbing),
    "a wheel of a million marks of tokens and keys": _full_size(WHEEL, tokens),
    "a wheel with 6,000 fields of metadata": _full_size(WHEEL, many_fields),
    "a wheel with a description of 8 MB in reST": _full_size(WHEEL, long_description),
    "an sdist that unpacks to 1 GiB of nothing": _full_size(SDIST, lambda: endless(bytes(1 << 20), 1024)),
    "an sdist of a million members": _full_size(SDIST, lambda: endless(TAR[:512] * 2048, 512)),
    "an sdist with a header of a terabyte": _full_size(SDIST, extended),
}
