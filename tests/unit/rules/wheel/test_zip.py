"""Each rule on the zip structure with a wheel that breaks it and its nearest neighbour that does not."""

from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING

import pytest

from seatrial.release.formats.zip_records import CENTRAL, END, LOCAL
from seatrial.rules import limits
from seatrial.rules.judge import judge_file
from tests.archives import (
    SDIST,
    WHEEL,
    found,
    gzipped,
    metadata,
    patched,
    sdist_members,
    tarred,
    wheel,
    wheel_members,
    written,
    zip_info,
    zipped,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MEMBERS = wheel_members(WHEEL, metadata(), {})
PLAIN = zipped(MEMBERS.items())
FIRST = next(iter(MEMBERS))
EXTRA_SIZE, FLAGS = 28, 6


def with_extra(extra: bytes) -> bytes:
    """Return the wheel with `extra` in both headers of one more member."""
    info = zip_info("demo/extra.txt", zipfile.ZIP_STORED)
    info.extra = extra
    return zipped([*MEMBERS.items(), (info, b"extra")])


def with_local_extra(extra: bytes) -> bytes:
    """Return a wheel whose first member has `extra` in its local header alone, written over one that means nothing."""
    filler = struct.pack("<HH", 0xCAFE, len(extra) - 4) + bytes(len(extra) - 4)
    raw = with_extra(filler)
    return raw.replace(filler, extra, 1)


def streamed() -> bytes:
    """Return the wheel as it is written to a pipe."""

    class Pipe:
        def __init__(self) -> None:
            self.raw = b""

        def write(self, data: bytes) -> int:
            self.raw += bytes(data)
            return len(data)

        def flush(self) -> None:
            pass

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:  # type: ignore[call-overload]
        for name, raw in MEMBERS.items():
            archive.writestr(zip_info(name), raw)
    return pipe.raw


def commented() -> bytes:
    info = zip_info("demo/c.txt")
    info.comment = b"why"
    return zipped([*MEMBERS.items(), (info, b"")])


def archive_commented() -> bytes:
    raw = patched(PLAIN, END, 20, struct.pack("<H", 3))
    return raw + b"why"


def renamed(name: bytes, new: bytes, which: int) -> bytes:
    """Return the wheel with one more member, called `name`, in one of its headers `new`."""
    raw = zipped([*MEMBERS.items(), (zip_info(name.decode()), b"")])
    start = [raw.index(name), raw.rindex(name)][which]
    return raw[:start] + new + raw[start + len(name) :]


def utf8() -> bytes:
    return zipped([*MEMBERS.items(), ("demo/größe", b"")])


def twice() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate"):
        return zipped([*MEMBERS.items(), *list(MEMBERS.items())[:1]])


def bombed() -> bytes:
    return zipped([*MEMBERS.items(), ("demo/zeros", bytes(limits.RATIO_FLOOR + 1))])


def nearly_bombed() -> bytes:
    return zipped([*MEMBERS.items(), ("demo/zeros", bytes(limits.RATIO_FLOOR - 100_000))])


def packed(method: int) -> bytes:
    return zipped([*MEMBERS.items(), (zip_info("demo/data", method), b"data")])


def damaged() -> bytes:
    raw = zipped([*MEMBERS.items(), (zip_info("demo/text", zipfile.ZIP_STORED), b"some text")])
    return raw.replace(b"some text", b"same text")


def joined() -> bytes:
    """Return a tar file in front of a wheel."""
    return tarred(sdist_members(SDIST, metadata(), {}).items()) + PLAIN


ZIP64_EMPTY = struct.pack("<HH", 1, 0)
UNICODE = struct.pack("<HHBL", 0x7075, 5 + 4, 1, 0) + b"demo"
CASES: list[tuple[str, Callable[[], bytes], Callable[[], bytes]]] = [
    ("archive-both", joined, lambda: b"MZ" + bytes(510) + PLAIN),
    ("zip-ratio", bombed, nearly_bombed),
    ("zip-compression", lambda: packed(zipfile.ZIP_BZIP2), lambda: packed(zipfile.ZIP_STORED)),
    ("zip-compression", lambda: packed(zipfile.ZIP_LZMA), lambda: PLAIN),
    ("zip-encrypted", lambda: patched(PLAIN, CENTRAL, 8, b"\1"), lambda: PLAIN),
    (
        "zip-characters",
        lambda: zipped([*MEMBERS.items(), ("demo/Icon\r", b"")]),
        lambda: renamed(b"ab", b"\xc3\xa4", 0),
    ),
    ("zip-extra", lambda: with_local_extra(struct.pack("<HH", 1, 1) + b"x"), lambda: with_extra(ZIP64_EMPTY)),
    ("zip-extra", lambda: with_local_extra(ZIP64_EMPTY * 2), lambda: with_local_extra(UNICODE)),
    ("zip-extra", lambda: with_local_extra(UNICODE[:-1] + b"\xff"), lambda: with_extra(UNICODE)),
    ("zip-extra", lambda: with_local_extra(b"\0\0\x09\0x"), lambda: with_local_extra(b"\0\0\x01\0x")),
    ("zip-data-descriptor", streamed, lambda: PLAIN),
    ("zip-sizes", lambda: patched(PLAIN, LOCAL, 22, struct.pack("<L", 1)), lambda: PLAIN),
    ("zip-directory", lambda: renamed(b"demo/ab", b"demo/xy", 0), lambda: renamed(b"demo/ab", b"demo/ab", 0)),
    ("zip-directory", lambda: renamed(b"demo/ab", b"demo/xy", 1), lambda: PLAIN),
    (
        "zip-name-encoding",
        lambda: renamed(b"demo/ab", b"demo/\xe4b", 0),
        lambda: renamed(b"demo/ab", b"demo/\xc3\xa4", 0),
    ),
    ("zip-member-comment", commented, archive_commented),
    ("zip-duplicate", twice, lambda: PLAIN),
    ("zip-counts", lambda: patched(PLAIN, END, 8, b"\x09"), lambda: PLAIN),
    ("zip-counts", lambda: patched(PLAIN, END, 8, b"\x09\0\x09"), archive_commented),
    ("zip-counts", lambda: b"stub" + PLAIN, lambda: PLAIN),
    ("zip-between", lambda: b"#!/usr/bin/env python\n" + PLAIN, lambda: PLAIN),
    ("zip-trailing", lambda: PLAIN + b"PK", archive_commented),
    ("zip-damaged-member", damaged, lambda: PLAIN),
]


@pytest.mark.parametrize(("code", "broken", "whole"), CASES)
def test_what_pypi_does_not_accept_is_named(
    tmp_path: Path, code: str, broken: Callable[[], bytes], whole: Callable[[], bytes]
) -> None:
    assert found(written(tmp_path, WHEEL, broken()), code)
    assert found(written(tmp_path, WHEEL, whole()), code) == []


def zip64(length: int = 44, *, locator: bool = True) -> bytes:
    """Return the wheel with ZIP64 end records before its end record."""
    at = PLAIN.index(END)
    _, _, _, count, _, size, offset = struct.unpack("<LHHHHLL", PLAIN[at : at + 20])
    record = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", length, 45, 45, 0, 0, count, count, size, offset)
    record += bytes(length - 44)
    place = struct.pack("<4sLQL", b"PK\6\7", 0, at, 1) if locator else b""
    return PLAIN[:at] + record + place + PLAIN[at:]


def test_a_unicode_path_without_printable_characters_is_named(tmp_path: Path) -> None:
    field = struct.pack("<HHBL", 0x7075, 5 + 4, 1, 0) + b"de\x07o"
    assert found(written(tmp_path, WHEEL, with_local_extra(field)), "zip-characters")
    assert found(written(tmp_path, WHEEL, with_local_extra(UNICODE)), "zip-characters") == []


def test_an_archive_split_over_disks_is_named(tmp_path: Path) -> None:
    at = zip64().index(b"PK\6\6")
    split = zip64()[: at + 24] + b"\1" + zip64()[at + 25 :]
    assert found(written(tmp_path, WHEEL, split), "zip-counts")


def test_zip64_records_have_to_be_complete(tmp_path: Path) -> None:
    assert found(written(tmp_path, WHEEL, zip64(48)), "zip-zip64")
    assert judge_file(written(tmp_path, WHEEL, zip64(locator=False)))
    assert judge_file(written(tmp_path, WHEEL, zip64())) == ()


def test_a_tar_file_that_is_also_a_zip_file_is_named(tmp_path: Path) -> None:
    raw = gzipped(tarred(sdist_members(SDIST, metadata(), {}).items()))
    assert found(written(tmp_path, SDIST, raw + PLAIN), "archive-readable")
    assert found(written(tmp_path, SDIST, raw), "archive-both") == []


def test_a_streamed_wheel_is_still_read_whole(tmp_path: Path) -> None:
    codes = [problem.rule for problem in judge_file(written(tmp_path, WHEEL, streamed()))]
    assert codes == ["zip-data-descriptor"]


def test_a_wheel_behind_a_stub_is_still_read_whole(tmp_path: Path) -> None:
    codes = {problem.rule for problem in judge_file(written(tmp_path, WHEEL, b"stub" + PLAIN))}
    assert codes == {"zip-between", "zip-counts"}


def test_many_members_are_shortened(tmp_path: Path) -> None:
    infos = [zip_info(f"demo/{n}", zipfile.ZIP_BZIP2) for n in range(5)]
    raw = zipped([*MEMBERS.items(), *((info, b"") for info in infos)])
    (message,) = found(written(tmp_path, WHEEL, raw), "zip-compression")
    assert message.endswith("demo/0, demo/1, demo/2 and 2 more.")


@pytest.mark.parametrize("code", sorted({code for code, *_ in CASES}))
def test_a_wheel_as_backends_write_it_passes(tmp_path: Path, code: str) -> None:
    assert found(wheel(tmp_path), code) == []
