from __future__ import annotations

import gzip
import io
import tarfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatrial.building.normalise import SdistUnreadable, members, normalise
from seatrial.release.stages import Dist

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

EPOCH = 1714979289
NAME = "demo-1.0.tar.gz"


@dataclass(frozen=True)
class Entry:
    """A member of an sdist, as a backend may write it."""

    name: str
    content: bytes = b""
    kind: bytes = tarfile.REGTYPE
    target: str = ""
    mode: int = 0o644
    mtime: float = EPOCH
    uid: int = 0
    uname: str = ""


TREE = (
    Entry("demo-1.0", kind=tarfile.DIRTYPE, mode=0o755),
    Entry("demo-1.0/PKG-INFO", b"Name: demo\n"),
    Entry("demo-1.0/größe/leer"),
    Entry("demo-1.0/link", kind=tarfile.SYMTYPE, target="PKG-INFO", mode=0o777),
    Entry("demo-1.0/run.sh", b"#!/bin/sh\n", mode=0o755),
)


def sdist(path: Path, entries: Sequence[Entry] = TREE, packed_at: int = EPOCH) -> Path:
    """Write an sdist with `entries` in this order."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=packed_at) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type, info.linkname, info.mode = entry.kind, entry.target, entry.mode
            info.mtime, info.uid, info.uname, info.size = entry.mtime, entry.uid, entry.uname, len(entry.content)
            tar.addfile(info, io.BytesIO(entry.content))
    return path


def read(path: Path) -> dict[str, tuple[bytes | None, str, int]]:
    """Return content, target and rights of each member."""
    with tarfile.open(path) as tar:
        found = {}
        for info in tar:
            file = tar.extractfile(info) if info.isfile() else None
            found[info.name] = (file.read() if file else None, info.linkname, info.mode)
    return found


def changed(**change: object) -> tuple[Entry, ...]:
    """Return TREE with every member changed so."""
    return tuple(replace(entry, **change) for entry in TREE)  # type: ignore[arg-type]


NOT_REPEATABLE: list[tuple[str, tuple[Entry, ...], int]] = [
    ("the time of packing", TREE, EPOCH + 1),
    ("times of members", changed(mtime=EPOCH + 0.5), EPOCH),
    ("a user's number", changed(uid=1000), EPOCH),
    ("a user's name", changed(uname="ada"), EPOCH),
    ("a umask", tuple(replace(entry, mode=entry.mode & ~0o077) for entry in TREE), EPOCH),
    ("a group that may write", tuple(replace(entry, mode=entry.mode | 0o020) for entry in TREE), EPOCH),
]


@pytest.mark.parametrize(
    ("entries", "packed_at"), [item[1:] for item in NOT_REPEATABLE], ids=[i[0] for i in NOT_REPEATABLE]
)
def test_what_depends_on_the_surroundings_is_written_anew(
    tmp_path: Path, entries: tuple[Entry, ...], packed_at: int
) -> None:
    path = sdist(tmp_path / NAME, entries, packed_at)
    before, sealed = Dist.from_file(path), members(path)
    found = normalise(path, EPOCH)
    assert found is not None
    assert (found.filename, found.sha256, found.members) == (NAME, before.sha256, sealed)
    assert members(path) == sealed
    other = sdist(tmp_path / "other.tar.gz")
    assert normalise(other, EPOCH - 1) is not None
    normalise(sdist(tmp_path / "again.tar.gz", entries[::-1], packed_at + 9), EPOCH)
    assert path.read_bytes() == (tmp_path / "again.tar.gz").read_bytes()
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize("mtime", [0, 315532800, EPOCH])
def test_what_depends_on_nothing_stays_as_the_backend_made_it(tmp_path: Path, mtime: int) -> None:
    path = sdist(tmp_path / NAME, changed(mtime=mtime), mtime)
    before = path.read_bytes()
    assert normalise(path, EPOCH) is None
    assert path.read_bytes() == before


def test_written_anew_it_holds_what_it_held(tmp_path: Path) -> None:
    path = sdist(tmp_path / NAME, changed(uid=1000))
    before = read(path)
    normalise(path, EPOCH)
    after = read(path)
    assert {name: entry[:2] for name, entry in after.items()} == {name: entry[:2] for name, entry in before.items()}
    assert {name: oct(mode) for name, (_, _, mode) in after.items()} == {
        "demo-1.0": "0o755",
        "demo-1.0/PKG-INFO": "0o644",
        "demo-1.0/größe/leer": "0o644",
        "demo-1.0/link": "0o755",
        "demo-1.0/run.sh": "0o755",
    }
    assert list(after) == sorted(after)


def test_written_anew_it_is_of_nobody_and_as_old_as_the_commit(tmp_path: Path) -> None:
    path = sdist(tmp_path / NAME, changed(uid=1000, uname="ada"), EPOCH + 5)
    normalise(path, EPOCH)
    with tarfile.open(path) as tar:
        assert {(i.mtime, i.uid, i.gid, i.uname, i.gname) for i in tar} == {(EPOCH, 0, 0, "", "")}
    assert normalise(path, EPOCH) is None


def test_a_hard_link_becomes_the_file_it_stands_for(tmp_path: Path) -> None:
    link = Entry("demo-1.0/A-LINK", kind=tarfile.LNKTYPE, target="demo-1.0/PKG-INFO")
    path = sdist(tmp_path / NAME, (*TREE, link), EPOCH + 1)
    normalise(path, EPOCH)
    assert read(path)["demo-1.0/A-LINK"] == (b"Name: demo\n", "", 0o644)


def test_of_two_members_with_one_name_the_later_stays_the_later(tmp_path: Path) -> None:
    twice = (Entry("demo-1.0/a", b"first"), Entry("demo-1.0/a", b"second"))
    path = sdist(tmp_path / NAME, twice, EPOCH + 1)
    normalise(path, EPOCH)
    assert read(path)["demo-1.0/a"][0] == b"second"


DIFFERENT: list[Callable[[Entry], Entry]] = [
    lambda entry: replace(entry, content=b"other"),
    lambda entry: replace(entry, name=entry.name + "2"),
    lambda entry: replace(entry, mode=0o755),
    lambda entry: replace(entry, kind=tarfile.SYMTYPE, target="elsewhere", content=b""),
]


@pytest.mark.parametrize("change", DIFFERENT)
def test_other_members_have_another_digest(tmp_path: Path, change: Callable[[Entry], Entry]) -> None:
    path = sdist(tmp_path / NAME)
    other = sdist(tmp_path / "other.tar.gz", [change(e) if e.name.endswith("PKG-INFO") else e for e in TREE])
    assert members(path) != members(other)


def test_members_that_would_change_are_never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sdist(tmp_path / NAME, TREE, EPOCH + 1)
    before = path.read_bytes()
    monkeypatch.setattr("seatrial.building.normalise.members", lambda _: "others")
    with pytest.raises(SdistUnreadable, match="change when it is rewritten"):
        normalise(path, EPOCH)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_unpacks_to_far_more_than_its_size_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sdist(tmp_path / NAME, [Entry("demo-1.0/zeros", bytes(200_000))], EPOCH + 1)
    monkeypatch.setattr("seatrial.building.normalise.FLOOR", 100_000)
    with pytest.raises(SdistUnreadable, match="unpacks to far more than its size"):
        normalise(path, EPOCH)


ENTRIES = st.builds(
    Entry,
    name=st.text("ab/ö", min_size=1, max_size=150).map(lambda name: f"demo-1.0/{name.strip('/')}x"),
    content=st.binary(max_size=2000),
    mode=st.sampled_from([0o644, 0o600, 0o755, 0o700, 0o664, 0o444]),
    mtime=st.floats(0, 2e9),
    uid=st.sampled_from([0, 1000]),
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(ENTRIES, max_size=5, unique_by=lambda entry: entry.name))
def test_whatever_is_in_it_the_members_stay_the_same(tmp_path: Path, entries: list[Entry]) -> None:
    path = sdist(tmp_path / NAME, entries, EPOCH + 1)
    before, sealed = read(path), members(path)
    normalise(path, EPOCH)
    assert members(path) == sealed
    assert {name: entry[0] for name, entry in read(path).items()} == {name: entry[0] for name, entry in before.items()}
    assert normalise(path, EPOCH) is None
