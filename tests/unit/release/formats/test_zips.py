"""The zip reader against Python's own, and against what a hostile file may say of itself."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.release.formats import zip_records, zips
from tests.archives import WHEEL, metadata, patched, wheel_members, zip_info, zipped
from tests.samples.mutations import CHANGES, mutated

if TYPE_CHECKING:
    from pathlib import Path

MEMBERS = wheel_members(WHEEL, metadata(), {})
PLAIN = zipped(MEMBERS.items())
NAMES = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=30).map("demo/{}".format)
METHODS = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])


def read(raw: bytes) -> dict[str, bytes]:
    file = io.BytesIO(raw)
    return {entry.name: b"".join(zips.content(file, entry, 1 << 20)) for entry in zips.read(file).entries}


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.tuples(METHODS, st.binary(max_size=200)), max_size=6))
def test_what_python_wrote_is_read_and_nothing_is_odd(contents: dict[str, tuple[int, bytes]]) -> None:
    raw = zipped((zip_info(name, method), data) for name, (method, data) in contents.items())
    assert read(raw) == {name: data for name, (_, data) in contents.items()}
    found = zips.read(io.BytesIO(raw))
    assert found.oddities == {}
    assert found.unpacked == sum(len(data) for _, data in contents.values())


@settings(deadline=None, max_examples=300)
@given(CHANGES, st.none() | st.integers(0, 10_000))
def test_a_mutated_file_is_read_or_is_none(changes: list[tuple[int, int]], cut: int | None) -> None:
    file = io.BytesIO(mutated(PLAIN, changes, cut))
    try:
        found = zips.read(file)
    except zips.NotZip:
        return
    for entry in found.entries:
        try:
            data = b"".join(zips.content(file, entry, 1000))
        except zips.Damaged:
            continue
        assert len(data) <= 1000


@settings(deadline=None, max_examples=300)
@given(CHANGES)
def test_it_lists_what_python_lists(changes: list[tuple[int, int]]) -> None:
    raw = mutated(PLAIN, changes, None)
    try:
        found = zips.read(io.BytesIO(raw))
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            theirs = [(info.orig_filename, info.file_size, info.compress_size) for info in archive.infolist()]
    except (zips.NotZip, zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError):
        return
    assert [(entry.name, entry.size, entry.packed) for entry in found.entries] == theirs


def test_a_member_is_read_up_to_a_limit() -> None:
    file = io.BytesIO(zipped([(zip_info("a", zipfile.ZIP_STORED), b"x" * 100), ("b", bytes(500_000))]))
    first, second = zips.read(file).entries
    assert b"".join(zips.content(file, first, 10)) == b"x" * 10
    assert b"".join(zips.content(file, second, 100_000)) == bytes(100_000)


def test_a_member_that_unpacks_to_more_than_it_says_stays_within_it() -> None:
    raw = zipped([("a", bytes(1000))])
    lying = patched(
        patched(raw, zip_records.CENTRAL, 24, struct.pack("<L", 10)), zip_records.LOCAL, 22, struct.pack("<L", 10)
    )
    file = io.BytesIO(lying)
    (entry,) = zips.read(file).entries
    with pytest.raises(zips.Damaged, match="checksum"):
        b"".join(zips.content(file, entry, 1 << 20))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("claimed", [b"", b"x", b"x" * 100_000])
def test_a_member_with_more_behind_what_its_checksum_is_of_is_damaged(method: int, claimed: bytes) -> None:
    """The installers that read a file from the front would write all of it."""
    raw = zipped([(zip_info("a", method), claimed + b"import evil")])
    size, crc = struct.pack("<L", len(claimed)), struct.pack("<L", zlib.crc32(claimed))
    for record, place in ((zip_records.LOCAL, 14), (zip_records.CENTRAL, 16)):
        raw = patched(patched(raw, record, place, crc), record, place + 8, size)
    with pytest.raises(zips.Damaged, match="more than it claims"):
        read(raw)


def test_more_members_than_are_looked_at_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "MEMBER_LIMIT", len(MEMBERS))
    zips.read(io.BytesIO(PLAIN))
    monkeypatch.setattr(zips, "MEMBER_LIMIT", len(MEMBERS) - 1)
    with pytest.raises(zips.NotZip, match="members"):
        zips.read(io.BytesIO(PLAIN))
    with pytest.raises(zips.NotZip, match="members"):  # also where the end record says fewer
        zips.read(io.BytesIO(patched(PLAIN, zip_records.END, 8, b"\1\0\1\0")))


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (12, struct.pack("<L", 1), "damaged"),
        (12, struct.pack("<L", 1 << 30), "not where its end record says"),
        (16, struct.pack("<L", 1 << 30), "not where its end record says"),
    ],
)
def test_an_end_record_that_points_elsewhere_is_none(place: int, value: bytes, reason: str) -> None:
    with pytest.raises(zips.NotZip, match=reason):
        zips.read(io.BytesIO(patched(PLAIN, zip_records.END, place, value)))


def test_a_locator_that_points_elsewhere_is_none() -> None:
    locator = struct.pack("<4sLQL", zip_records.LOCATOR64, 0, 0, 1)
    at = PLAIN.index(zip_records.END)
    with pytest.raises(zips.NotZip, match="locator"):
        zips.read(io.BytesIO(PLAIN[:at] + locator + PLAIN[at:]))


def test_sizes_above_4_gib_stand_in_the_zip64_field() -> None:
    data = struct.pack("<HHQQ", zip_records.ZIP64, 16, 5 << 30, 1 << 20)
    assert zips._sizes64(data, zip_records.MAX32, zip_records.MAX32, 7) == (5 << 30, 1 << 20, 7)
    assert zips._sizes64(data, 1, 2, 3) == (1, 2, 3)


BOTH = struct.pack("<QQ", 5 << 30, 1 << 20)


@pytest.mark.parametrize(
    ("data", "method", "sizes", "expected"),
    [
        (b"", zip_records.STORED, (7, 3), (7, 3)),
        (struct.pack("<Q", 9), zip_records.STORED, (zip_records.MAX32, 3), (9, 9)),
        (struct.pack("<Q", 9), zip_records.STORED, (7, 3), (7, 9)),
        (BOTH, zip_records.DEFLATED, (zip_records.MAX32, zip_records.MAX32), (5 << 30, 1 << 20)),
        (BOTH, zip_records.DEFLATED, (7, zip_records.MAX32), (7, 1 << 20)),
        (BOTH + bytes(8), zip_records.DEFLATED, (zip_records.MAX32, 3), (5 << 30, 1 << 20)),
        (b"", zip_records.STORED, (zip_records.MAX32, 3), None),
        (b"", zip_records.STORED, (7, zip_records.MAX32), None),
        (struct.pack("<Q", 9), zip_records.DEFLATED, (7, 3), None),
        (b"123", zip_records.STORED, (7, 3), None),
    ],
)
def test_sizes_of_a_local_header_are_read_as_pypi_reads_them(
    data: bytes, method: int, sizes: tuple[int, int], expected: tuple[int, int] | None
) -> None:
    if expected is not None:
        assert zip_records._local_sizes64(data, method, *sizes) == expected
        return
    with pytest.raises(struct.error):
        zip_records._local_sizes64(data, method, *sizes)


def test_the_end_is_found_behind_a_comment_and_not_in_it() -> None:
    commented = patched(PLAIN, zip_records.END, 20, struct.pack("<H", 4)) + b"PK\5\6"
    with pytest.raises(zips.NotZip, match="cut off"):
        zips.read(io.BytesIO(commented))


def test_a_name_that_is_not_in_its_encoding_makes_no_zip_file() -> None:
    raw = zipped([("demo/größe", b"")])
    at = raw.rindex("größe".encode())
    with pytest.raises(zips.NotZip, match="damaged"):
        zips.read(io.BytesIO(raw[:at] + b"\xff" + raw[at + 1 :]))


def test_overlapping_members_are_not_unpacked_twice_as_far() -> None:
    """The bombs that let many entries point to one member: the walk from the front finds one of them."""
    one = zipped([("demo/a", bytes(10_000))])
    at, end = one.index(zip_records.CENTRAL), one.index(zip_records.END)
    entry = one[at:end]
    more = b"".join(entry.replace(b"demo/a", b"demo/%d" % n) for n in range(9))
    tail = struct.pack("<4sHHHHLLH", zip_records.END, 0, 0, 9, 9, len(more), at, 0)
    found = zips.read(io.BytesIO(one[:at] + more + tail))
    assert len(found.oddities["unwritten"]) == 9


def test_it_is_read_from_disk(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(PLAIN)
    with (tmp_path / "a.whl").open("rb") as file:
        assert zips.read(file).file_size == len(PLAIN)
