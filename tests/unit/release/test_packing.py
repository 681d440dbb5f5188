"""How archives are packed: what tells the ways apart in which they may have been built."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from seatrial.release import archives
from seatrial.release.archives import BadArchive
from seatrial.release.comparison import Comparison, Packing, compare, differing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INFO = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"
NAMES = ("demo-1.0/PKG-INFO", "demo-1.0/a.py", "demo-1.0/b.py")


def sdist(folder: Path, change: Callable[[list[tarfile.TarInfo]], None] = lambda _: None) -> Path:
    """Write an sdist of three members, whose headers `change` changes."""
    folder.mkdir()
    members = [tarfile.TarInfo(name) for name in NAMES]
    change(members)
    path = folder / "demo-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            content = INFO.encode() if member.name.endswith("PKG-INFO") else b""
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    return path


def later(members: list[tarfile.TarInfo]) -> None:
    for member in members:
        member.mtime = 1700000000


def clocked(members: list[tarfile.TarInfo]) -> None:
    for moment, member in enumerate(members):
        member.mtime = 1700000000 + moment


def group(members: list[tarfile.TarInfo]) -> None:
    for member in members:
        member.mode = 0o664


def owned(members: list[tarfile.TarInfo]) -> None:
    members[0].uname = "runner"


def folders(members: list[tarfile.TarInfo]) -> None:
    folder = tarfile.TarInfo("demo-1.0")
    folder.type = tarfile.DIRTYPE
    members.insert(0, folder)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (later, "times"),
        (clocked, "times"),
        (group, "modes"),
        (owned, "owners"),
        (folders, "folders"),
        (list.reverse, "order"),
    ],
)
def test_each_thing_that_differs_is_named(
    tmp_path: Path, change: Callable[[list[tarfile.TarInfo]], None], word: str
) -> None:
    ours, theirs = sdist(tmp_path / "ours"), sdist(tmp_path / "theirs", change)
    assert differing(Packing.of(ours), Packing.of(theirs)) == (word,)
    found = compare(ours, theirs)
    assert (found.verdict, found.packing, found.clocked) == ("equivalent", (word,), change is clocked)


def test_times_that_are_all_the_same_are_an_epoch(tmp_path: Path) -> None:
    assert Packing.of(sdist(tmp_path / "one", later)).epoch == 1700000000
    assert Packing.of(sdist(tmp_path / "two", clocked)).epoch is None


def test_the_rights_tell_the_umask(tmp_path: Path) -> None:
    assert Packing.of(sdist(tmp_path / "usual")).umask is None
    assert Packing.of(sdist(tmp_path / "group", group)).umask == 0o002


def test_where_nothing_is_seen_the_headers_differ(tmp_path: Path) -> None:
    ours, theirs = sdist(tmp_path / "ours"), sdist(tmp_path / "theirs")
    raw = bytearray(theirs.read_bytes())
    raw[9] ^= 1  # the system that packed it (RFC 1952)
    theirs.write_bytes(raw)
    found = compare(ours, theirs)
    assert (found.verdict, found.packing) == ("equivalent", ("headers or compression",))


def test_other_times_are_farther_than_another_compression() -> None:
    times, compression = (Comparison("x", "equivalent", (), (word,)) for word in ("times", "headers or compression"))
    assert compression.score < times.score


def test_a_link_that_leads_elsewhere_is_different(tmp_path: Path) -> None:
    def link(target: str) -> Callable[[list[tarfile.TarInfo]], None]:
        def change(members: list[tarfile.TarInfo]) -> None:
            members[1].type, members[1].linkname = tarfile.SYMTYPE, target

        return change

    ours, theirs = sdist(tmp_path / "ours", link("b.py")), sdist(tmp_path / "theirs", link("/etc/passwd"))
    found = compare(ours, theirs)
    assert found.verdict == "different"
    assert found.differences[0].lines == ("-symbolic link b.py", "+symbolic link /etc/passwd")
    assert compare(sdist(tmp_path / "file"), theirs).verdict == "different"


def wheel(folder: Path, *members: tuple[str, str], method: int = zipfile.ZIP_STORED) -> Path:
    folder.mkdir()
    path = folder / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, text in (("demo-1.0.dist-info/METADATA", INFO), *members):
            archive.writestr(zipfile.ZipInfo(name), text, method)
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_there_twice_is_different(tmp_path: Path) -> None:
    ours = wheel(tmp_path / "ours", ("demo/a.py", "x = 1\n"))
    theirs = wheel(tmp_path / "theirs", ("demo/a.py", "evil\n"), ("demo/a.py", "x = 1\n"))
    found = compare(ours, theirs)
    assert found.verdict == "different"
    assert {difference.kind for difference in found.differences} == {"kind", "ambiguous"}


def test_members_too_large_together_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = (wheel(tmp_path / side, ("demo/a.py", side * 100)) for side in ("ours", "theirs"))
    monkeypatch.setattr(archives, "FLOOR", 300)
    monkeypatch.setattr(archives, "RATIO", 0)
    with pytest.raises(BadArchive, match="too large together"):
        compare(ours, theirs)


def test_compression_is_named(tmp_path: Path) -> None:
    text = "x = 1\n" * 100
    ours = wheel(tmp_path / "ours", ("demo/a.py", text))
    theirs = wheel(tmp_path / "theirs", ("demo/a.py", text), method=zipfile.ZIP_DEFLATED)
    assert compare(ours, theirs).packing == ("compression",)
