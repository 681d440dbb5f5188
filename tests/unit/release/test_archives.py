from __future__ import annotations

import contextlib
import os
import tarfile
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.release import archives as module
from seatrial.release import filenames
from seatrial.release.archives import Archive, BadArchive, Member, Metadata
from seatrial.release.formats import tars, zips
from tests.archives import (
    FIELDS,
    README,
    SDIST,
    WHEEL,
    gzipped,
    metadata,
    sdist,
    sdist_members,
    tarred,
    wheel,
    wheel_members,
    written,
    zip_info,
    zipped,
)
from tests.samples.mutations import CHANGES, mutated

INFO = "demo-1.0.dist-info"
Make = Callable[[Path], Path]


# What can be read.


def test_a_wheel_is_what_its_name_and_its_metadata_say(tmp_path: Path) -> None:
    archive = Archive.open(wheel(tmp_path, filename="My_Demo-1.0-1-py2.py3-none-any.whl"))
    assert (archive.kind, archive.name, str(archive.version)) == ("wheel", "my-demo", "1.0")
    assert sorted(map(str, archive.tags)) == ["py2-none-any", "py3-none-any"]
    assert (archive.metadata.name, archive.metadata.version) == ("demo", "1.0")
    assert archive.metadata.description == README
    assert Member("demo/__init__.py", 26) in archive.members


def test_an_sdist_is_what_its_name_and_its_metadata_say(tmp_path: Path) -> None:
    archive = Archive.open(sdist(tmp_path, filename="my_demo-1.0.tar.gz"))
    assert (archive.kind, archive.name, str(archive.version)) == ("sdist", "my-demo", "1.0")
    assert archive.tags == frozenset()
    assert archive.metadata.all("license-file") == ("LICENSE",)
    assert "my_demo-1.0/pyproject.toml" in {member.name for member in archive.members}


def test_folders_and_links_are_no_members(tmp_path: Path) -> None:
    link = tarfile.TarInfo("demo-1.0/link")
    link.type, link.linkname = tarfile.SYMTYPE, "README.md"
    folder = tarfile.TarInfo("demo-1.0/folder")
    folder.type = tarfile.DIRTYPE
    raw = tarred([*sdist_members(SDIST, metadata(), {}).items(), (link, b""), (folder, b"")])
    archive = Archive.open(written(tmp_path, SDIST, gzipped(raw)))
    assert not {"demo-1.0/link", "demo-1.0/folder"} & {member.name for member in archive.members}
    other = Archive.open(wheel(tmp_path, files={"demo/data/": ""}))
    assert "demo/data/" not in {member.name for member in other.members}


@pytest.mark.parametrize("make", [wheel, sdist])
def test_a_member_is_read_up_to_a_limit(tmp_path: Path, make: object) -> None:
    assert callable(make)
    archive = Archive.open(make(tmp_path))
    name = next(member.name for member in archive.members if member.name.endswith("__init__.py"))
    assert archive.read(name).startswith(b'"""A module')
    assert archive.read(name, 3) == b'"""'


def test_a_member_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    for path in (wheel(tmp_path), sdist(tmp_path)):
        with pytest.raises(BadArchive, match="nowhere"):
            Archive.open(path).read("nowhere")


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_texts_are_the_members_without_binaries_and_giants(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TEXT_LIMIT", 5000)
    top = "demo/" if kind == "wheel" else "demo-1.0/"
    files: dict[str, str | bytes | None] = {
        f"{top}a.txt": "größe",
        f"{top}b.bin": b"\0\1",
        f"{top}c.txt": "x" * 5001,
        f"{top}d.txt": b"\xffx",
    }
    path = wheel(tmp_path, files=files) if kind == "wheel" else sdist(tmp_path, files=files)
    texts = dict(Archive.open(path).texts())
    assert texts[f"{top}a.txt"] == "größe"
    assert texts[f"{top}d.txt"] == "\\xffx"
    assert not {f"{top}b.bin", f"{top}c.txt"} & set(texts)


# Metadata.


def test_fields_are_read_by_any_case_and_in_order() -> None:
    read = Metadata.parse(b"Name: demo\nCLASSIFIER: b\nClassifier: a\n\ntext\n")
    assert read.all("classifier") == ("b", "a")
    assert read.first("name") == "demo"
    assert (read.first("summary"), read.all("summary"), read.version) == (None, (), None)


@pytest.mark.parametrize("value", ["UNKNOWN", " UNKNOWN", ""])
def test_unknown_is_absent(value: str) -> None:
    assert Metadata.parse(f"Name: {value}\n\n".encode()).first("name") is None


def test_a_description_stands_in_the_body_or_in_its_field() -> None:
    assert Metadata.parse(b"Name: demo\n\nbody\n").description == "body\n"
    assert Metadata.parse(b"Name: demo\nDescription: field\n\n").description == "field"
    assert Metadata.parse(b"Name: demo\n\n").description == ""


def test_metadata_that_is_not_utf_8_stays_readable() -> None:
    assert Metadata.parse(b"Summary: gr\xf6\xdfe\n\n").first("summary") == "gr\\xf6\\xdfe"


@given(st.binary())
def test_any_bytes_can_be_taken_for_metadata(raw: bytes) -> None:
    read = Metadata.parse(raw)
    assert isinstance(read.description, str)
    assert all(isinstance(value, str) for values in read.fields.values() for value in values)


TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["C", "Z"]), min_size=1)


@given(TEXTS, st.lists(TEXTS, max_size=3), TEXTS)
def test_what_was_written_is_read(summary: str, keywords: list[str], description: str) -> None:
    raw = metadata({"Summary": f"a {summary}", "Keywords": [f"a {word}" for word in keywords]}, description)
    read = Metadata.parse(raw.encode())
    assert read.first("summary") == f"a {summary}"
    assert read.all("keywords") == tuple(f"a {word}" for word in keywords)
    assert read.description == description


# What cannot be read, each beside its nearest neighbour that can.


def refusal(path: Path) -> str:
    with pytest.raises(BadArchive) as error:
        Archive.open(path)
    assert error.value.path == path
    assert path.name in str(error.value)
    return error.value.reason


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / WHEEL) == "there is no such file."
    (tmp_path / WHEEL).mkdir()
    assert refusal(tmp_path / WHEEL) == "there is no such file."


@pytest.mark.parametrize("name", ["demo-1.0.egg", "demo-1.0.zip", "demo-1.0.tar.bz2", "demo"])
def test_other_files_are_no_distributions(tmp_path: Path, name: str) -> None:
    assert "no other files" in refusal(written(tmp_path, name, sdist(tmp_path).read_bytes()))


@pytest.mark.parametrize("name", ["demo-1.0.whl", "demo-x-py3-none-any.whl", "demo-1.0-x-py3-none-any.whl"])
def test_a_wheel_with_a_wrong_name_is_refused(tmp_path: Path, name: str) -> None:
    assert "nvalid" in refusal(written(tmp_path, name, wheel(tmp_path).read_bytes()))


@pytest.mark.parametrize("name", ["demo.tar.gz", "demo-x.tar.gz"])
def test_an_sdist_with_a_wrong_name_is_refused(tmp_path: Path, name: str) -> None:
    assert "nvalid" in refusal(written(tmp_path, name, sdist(tmp_path).read_bytes()))


@pytest.mark.parametrize("name", [WHEEL, SDIST])
@pytest.mark.parametrize("raw", [b"", b"no archive at all", b"\x1f\x8b\x08" + bytes(40), b"PK\3\4" + bytes(40)])
def test_what_is_no_archive_is_refused(tmp_path: Path, name: str, raw: bytes) -> None:
    assert refusal(written(tmp_path, name, raw))


def test_an_archive_cut_short_is_refused_at_every_length(tmp_path: Path) -> None:
    for path in (wheel(tmp_path), sdist(tmp_path)):
        whole = path.read_bytes()
        for end in range(0, len(whole), 13):
            path.write_bytes(whole[:end])
            assert refusal(path)


def test_a_wheel_has_one_metadata(tmp_path: Path) -> None:
    assert "no .dist-info/METADATA" in refusal(wheel(tmp_path, files={f"{INFO}/METADATA": None}))
    assert "more than one" in refusal(wheel(tmp_path, files={"other-1.0.dist-info/METADATA": metadata()}))
    assert "no .dist-info" in refusal(
        wheel(tmp_path, files={f"{INFO}/METADATA": None, f"x/{INFO}/METADATA": metadata()})
    )
    Archive.open(wheel(tmp_path, files={"other/METADATA": "", f"x/{INFO}/METADATA": ""}))


def test_an_sdist_has_one_pkg_info(tmp_path: Path) -> None:
    assert "no PKG-INFO" in refusal(sdist(tmp_path, files={"demo-1.0/PKG-INFO": None}))
    assert "no PKG-INFO" in refusal(sdist(tmp_path, files={"demo-1.0/PKG-INFO": None, "PKG-INFO": metadata()}))
    assert "more than one" in refusal(sdist(tmp_path, files={"other/PKG-INFO": metadata()}))
    Archive.open(sdist(tmp_path, files={"demo-1.0/src/demo.egg-info/PKG-INFO": ""}))


def test_a_project_that_holds_a_pkg_info_is_told_to_delete_it(tmp_path: Path) -> None:
    members = sdist_members(SDIST, metadata(), {})
    twice = [*members.items(), ("demo-1.0/PKG-INFO", metadata().encode())]
    with pytest.raises(BadArchive, match="more than one PKG-INFO") as caught:
        Archive.open(written(tmp_path, SDIST, gzipped(tarred(twice))))
    assert "git rm PKG-INFO" in str(caught.value)
    assert "cut short" not in str(caught.value)


def test_a_pkg_info_that_is_a_link_is_refused(tmp_path: Path) -> None:
    link = tarfile.TarInfo("demo-1.0/PKG-INFO")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    members = {**sdist_members(SDIST, "", {"demo-1.0/PKG-INFO": None})}
    raw = tarred([*members.items(), (link, b"")])
    assert "no PKG-INFO" in refusal(written(tmp_path, SDIST, gzipped(raw)))


def test_an_encrypted_metadata_is_refused(tmp_path: Path) -> None:
    members = wheel_members(WHEEL, metadata(), {})
    raw = bytearray(zipped(members.items()))
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = -1
        while (at := raw.find(signature, at + 1)) >= 0:
            raw[at + flags] |= 1
    assert "encrypted" in refusal(written(tmp_path, WHEEL, bytes(raw)))


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = (wheel(tmp_path), sdist(tmp_path))
    for path in paths:
        Archive.open(path)
    monkeypatch.setattr(zips, "MEMBER_LIMIT", 3)
    monkeypatch.setattr(tars, "MEMBER_LIMIT", 3)
    for path in paths:
        assert "members" in refusal(path)


def unpack_at_most(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(module, "FLOOR", count)
    monkeypatch.setattr(module, "RATIO", 0)


def test_members_too_large_together_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpack_at_most(monkeypatch, 50)
    assert "unpacks to far more than its size" in refusal(sdist(tmp_path))
    assert "too large together" in refusal(wheel(tmp_path))
    unpack_at_most(monkeypatch, len(metadata()) + 50)
    archive = Archive.open(wheel(tmp_path))
    with pytest.raises(BadArchive, match="too large together"):
        list(archive.texts())


def test_too_much_after_the_last_member_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = tarred(sdist_members(SDIST, metadata(), {}).items())
    Archive.open(written(tmp_path, SDIST, gzipped(raw + bytes(20_000))))
    unpack_at_most(monkeypatch, 15_000)
    assert "unpacks to far more than its size" in refusal(tmp_path / SDIST)


def test_a_small_file_does_not_become_gigabytes(tmp_path: Path) -> None:
    """A tar of 700 KB whose extended header claims all that follows took 2.1 GB."""
    header = tarfile.TarInfo("demo-1.0/header")
    header.type, header.size = tarfile.XHDTYPE, 700 << 20
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    pieces = [packer.compress(header.tobuf(tarfile.PAX_FORMAT))]
    pieces += [packer.compress(bytes(1 << 20)) for _ in range(700)]
    path = written(tmp_path, SDIST, b"".join([*pieces, packer.flush()]))
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    try:
        assert "too large" in refusal(path)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / WHEEL)
    assert refusal(tmp_path / WHEEL) == "there is no such file."


def test_a_version_of_more_digits_than_python_converts_is_invalid() -> None:
    name = f"demo-{'9' * 5000}.tar.gz"
    with pytest.raises(ValueError, match=r"4300|nvalid"):
        filenames.parse(name)
    assert filenames.parts(name).version is None
    assert filenames.parsed_version("9" * 5000) is None


def test_texts_of_a_damaged_member_are_refused(tmp_path: Path) -> None:
    path = wheel(tmp_path, files={"demo/a.txt": b"", "demo/b.txt": os.urandom(2000).hex()})
    raw = bytearray(path.read_bytes())
    at = raw.find(b"demo/b.txt") + 500
    raw[at : at + 20] = bytes(20)
    path.write_bytes(raw)
    with pytest.raises(BadArchive):
        list(Archive.open(path).texts())


def test_a_hard_link_is_no_member_to_read(tmp_path: Path) -> None:
    link = tarfile.TarInfo("demo-1.0/link")
    link.type, link.linkname = tarfile.LNKTYPE, "demo-1.0/README.md"
    raw = tarred([*sdist_members(SDIST, metadata(), {}).items(), (link, b"")])
    archive = Archive.open(written(tmp_path, SDIST, gzipped(raw)))
    with pytest.raises(BadArchive, match=r"no file 'demo-1\.0/link'"):
        archive.read("demo-1.0/link")


def test_a_member_twice_is_read_as_it_stands(tmp_path: Path) -> None:
    members = wheel_members(WHEEL, metadata(), {})
    with pytest.warns(UserWarning, match="Duplicate"):
        raw = zipped([*members.items(), (zip_info("demo/twice.txt"), b"1"), (zip_info("demo/twice.txt"), b"2")])
    archive = Archive.open(written(tmp_path, WHEEL, raw))
    assert [text for name, text in archive.texts() if name == "demo/twice.txt"] == ["1", "2"]


# Mutations.


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([wheel, sdist]), CHANGES, st.none() | st.integers(0, 10_000))
def test_a_mutated_archive_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, make: Make, changes: list[tuple[int, int]], cut: int | None
) -> None:
    path = make(Path(tmp_path_factory.getbasetemp()))
    path.write_bytes(mutated(path.read_bytes(), changes, cut))
    with contextlib.suppress(BadArchive):
        archive = Archive.open(path)
        list(archive.texts())


@settings(max_examples=300, deadline=None)
@given(CHANGES, st.none() | st.integers(0, 20_000))
def test_a_mutated_tar_inside_a_whole_gzip_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], cut: int | None
) -> None:
    raw = tarred(sdist_members(SDIST, metadata(), {}).items())
    path = written(Path(tmp_path_factory.getbasetemp()), SDIST, gzipped(mutated(raw, changes, cut)))
    with contextlib.suppress(BadArchive):
        list(Archive.open(path).texts())


def test_the_samples_are_whole(tmp_path: Path) -> None:
    assert Archive.open(wheel(tmp_path)).metadata.first("license-file") == FIELDS["License-File"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [WHEEL]
