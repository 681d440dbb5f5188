"""The tar reader against Python's own, and against what a hostile file may say of itself."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.release.formats import tars
from tests.archives import SDIST, metadata, sdist_members, tarred
from tests.samples.mutations import CHANGES, mutated

PLAIN = tarred(sdist_members(SDIST, metadata(), {}).items())
LIMIT = 1 << 20
PARTS = st.text(st.characters(exclude_categories=["C"], exclude_characters="/"), min_size=1, max_size=60)
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
KINDS = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
FORMATS = [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
OURS = {"file": "isreg", "folder": "isdir", "symbolic link": "issym", "hard link": "islnk", "other": "isfifo"}


def read(raw: bytes, total: int = LIMIT) -> list[tuple[str, int, str, str, bytes]]:
    found = []
    for member in tars.members(io.BytesIO(raw), total):
        data = b"".join(member.pieces(LIMIT)) if member.kind == "file" else b""
        found.append((member.name, member.size, member.kind, member.link, data))
    return found


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, KINDS, NAMES, st.binary(max_size=1500)), max_size=6), st.sampled_from(FORMATS))
def test_what_python_wrote_is_read_as_python_reads_it(
    members: list[tuple[str, bytes, str, bytes]], archive_format: int
) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=archive_format) as archive:
        for name, kind, target, data in members:
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(data) if kind == tarfile.REGTYPE else 0
            info.linkname = target if kind in {tarfile.SYMTYPE, tarfile.LNKTYPE} else ""
            archive.addfile(info, io.BytesIO(data))
    found = read(out.getvalue()) if members else []
    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as archive:
        theirs = archive.getmembers()
    assert [(name, size, link) for name, size, _, link, _ in found] == [
        (info.name, info.size, info.linkname) for info in theirs
    ]
    assert all(getattr(info, OURS[one[2]])() for one, info in zip(found, theirs, strict=True))
    assert [one[4] for one in found] == [data if kind == tarfile.REGTYPE else b"" for _, kind, _, data in members]


def test_a_long_name_that_is_cut_behind_a_slash_is_no_folder() -> None:
    """Its whole name stands in the extended header before it, the first hundred letters in its own."""
    name = "x" * 99 + "/" + "y" * 50
    for archive_format in FORMATS:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=archive_format) as archive:
            info = tarfile.TarInfo(name)
            info.size = 5
            archive.addfile(info, io.BytesIO(b"hello"))
        assert read(out.getvalue()) == [(name, 5, "file", "", b"hello")]


def test_a_folder_of_old_is_told_by_its_name() -> None:
    info = tarfile.TarInfo("folder/")
    info.type = tarfile.AREGTYPE
    assert read(info.tobuf(tarfile.USTAR_FORMAT) + PLAIN)[0][2] == "folder"


@settings(deadline=None, max_examples=300)
@given(CHANGES, st.none() | st.integers(0, 20_000))
def test_a_mutated_file_is_read_or_is_none(changes: list[tuple[int, int]], cut: int | None) -> None:
    try:
        found = read(mutated(PLAIN, changes, cut))
    except tars.NotTar:
        return
    assert all(len(data) <= LIMIT for *_, data in found)


def test_a_member_need_not_be_read() -> None:
    names = [member.name for member in tars.members(io.BytesIO(PLAIN), LIMIT)]
    assert names == list(sdist_members(SDIST, metadata(), {}))


@pytest.mark.parametrize("raw", [b"", bytes(1024)])
def test_nothing_is_empty(raw: bytes) -> None:
    with pytest.raises(tars.NotTar, match=r"empty|cut"):
        read(raw)


def test_no_tar_is_none() -> None:
    with pytest.raises(tars.NotTar, match="not a tar file"):
        read(b"x" * 1024)
    with pytest.raises(tars.NotTar, match="checksum"):
        read(spoilt())


def spoilt() -> bytes:
    """Return the tar file with one letter of its second member's name changed."""
    at = PLAIN.index(b"demo-1.0/LICENSE")
    return PLAIN[:at] + b"D" + PLAIN[at + 1 :]


def test_a_file_cut_inside_a_member_or_header_is_cut_short() -> None:
    for end in (100, 512, 700):
        with pytest.raises(tars.NotTar, match=r"cut short|ends inside"):
            read(PLAIN[:end])


def test_not_more_is_read_than_was_said() -> None:
    read(PLAIN, len(PLAIN))
    with pytest.raises(tars.NotTar, match="far more than its size"):
        read(PLAIN, len(PLAIN) - 1)
    with pytest.raises(tars.NotTar, match="far more than its size"):
        read(PLAIN + bytes(LIMIT), LIMIT)


def test_more_members_than_are_looked_at_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "MEMBER_LIMIT", 5)
    read(PLAIN)
    monkeypatch.setattr(tars, "MEMBER_LIMIT", 4)
    with pytest.raises(tars.NotTar, match="members"):
        read(PLAIN)


def extended(kind: bytes, size: int, data: bytes) -> bytes:
    """Return an extended header that says it has `size` bytes, with `data`, before the members."""
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512) + PLAIN


@pytest.mark.parametrize("size", [tars.HEADER_LIMIT + 1, 8 << 30, 1 << 60])
def test_an_extended_header_is_not_believed(size: int) -> None:
    with pytest.raises(tars.NotTar, match="too large"):
        read(extended(b"x", size, b""))


@pytest.mark.parametrize(
    "record", [b"nonsense", b"5 a=b\n", b"99 a=b\n", b"0 a=b\n", b"6 ab\n\n", b"x a=b\n", b"9" * 30 + b" a=b\n"]
)
def test_a_damaged_extended_header_is_named(record: bytes) -> None:
    with pytest.raises(tars.NotTar, match="extended header"):
        read(extended(b"x", len(record), record))


@pytest.mark.parametrize("size", [b"+1", b"1e", b"-1"])
def test_a_size_in_an_extended_header_is_a_plain_number(size: bytes) -> None:
    with pytest.raises(tars.NotTar, match="damaged"):
        read(extended(b"x", 11, b"11 size=" + size + b"\n"))


@pytest.mark.parametrize("field", [b"\xff" * 12, b"12345678x\0\0\0"])
def test_a_size_that_is_no_number_is_named(field: bytes) -> None:
    header = bytearray(PLAIN[:512])
    header[124:136] = field
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(tars.NotTar, match=r"negative|not a tar file"):
        read(bytes(header) + PLAIN[512:])


def test_a_size_in_an_extended_header_counts() -> None:
    """Files of 8 GiB and more have their size there alone; here it says less than the header."""
    record = b"10 size=5\n"
    first = read(extended(b"x", len(record), record)[: 1024 + 512] + b"12345".ljust(512, b"\0") + PLAIN)[0]
    assert (first[1], first[4]) == (5, b"12345")


def test_a_global_header_says_nothing_of_members() -> None:
    record = b"14 path=other\n"
    assert read(extended(b"g", len(record), record)) == read(PLAIN)
    assert read(extended(b"x", len(record), record))[0][0] == "other"


def test_a_sparse_map_that_is_cut_is_cut_short() -> None:
    info = tarfile.TarInfo("sparse")
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[156:157], header[482] = tarfile.GNUTYPE_SPARSE, 1
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(tars.NotTar, match="cut short"):
        read(bytes(header) + b"\1" * 100)
    more = b"\1" * 512 + bytes(512)
    assert next(iter(tars.members(io.BytesIO(bytes(header) + more + PLAIN), LIMIT))).sparse
