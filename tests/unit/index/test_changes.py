"""What a release changes, against files that a real small index serves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.index import changes
from seatrial.index.changes import compare, entry_points, unversioned
from seatrial.index.http import IndexRefused
from seatrial.index.indexes import PYPI, Index
from seatrial.index.simple import Served
from seatrial.index.tokens import make
from seatrial.release.archives import Archive, BadArchive
from seatrial.release.stages import Built, Changes, Dist, FieldChanges, FileChanges, Resized
from seatrial.report import text as report
from seatrial.standin.launch import serving
from seatrial.standin.server import StandinIndex
from tests.archives import SDIST, WHEEL, sdist, wheel
from tests.index_server import Faults
from tests.samples.stages import BUILT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCRIPTS = "[console_scripts]\ndemo = demo:main\n"


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """The files of an index: demo 0.9, with what 1.0 does not have any more."""
    folder = tmp_path / "index"
    old = {"Version": "0.9", "Requires-Dist": "six (>=1.0)"}
    files = {"demo/old.py": "x = 1\n", "demo-0.9.dist-info/entry_points.txt": SCRIPTS}
    wheel(folder, old, filename="demo-0.9-py3-none-any.whl", files=files, description="# demo\n\nOld words.\n")
    sdist(folder, old, filename="demo-0.9.tar.gz", files={"demo-0.9/src/demo/__init__.py": "x = 1\n" * 9})
    return folder


@pytest.fixture
def faults(served: Path) -> Faults:
    return Faults(StandinIndex(served, make("pypi.org")))


@pytest.fixture
def index(faults: Faults) -> Iterator[Index]:
    with serving(faults) as url:
        yield replace(PYPI, simple=f"{url}/simple/")


@pytest.fixture
def built(tmp_path: Path) -> Built:
    scripts = SCRIPTS + "demo-two = demo:two\n"
    new = {"Requires-Dist": ["six>=1.0", "attrs"]}
    paths = [wheel(tmp_path / "dist", new, files={"demo-1.0.dist-info/entry_points.txt": scripts})]
    paths.append(sdist(tmp_path / "dist", new))
    return replace(BUILT, dists=tuple(sorted(map(Dist.from_file, paths))))


def compared(built: Built, tmp_path: Path, index: Index, wanted: str | None = None) -> Changes:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return compare(built, tmp_path / "dist", index, wanted, scratch)


def test_members_that_come_go_and_grow_are_told_by_size(built: Built, tmp_path: Path, index: Index) -> None:
    found = compared(built, tmp_path, index)
    assert (found.since, found.index, found.reason) == ("0.9", "PyPI", "")
    wheels, sdists = found.files
    assert (wheels.filename, wheels.earlier) == (WHEEL, "demo-0.9-py3-none-any.whl")
    moved = {one.name: (one.before, one.after) for one in wheels.members}
    assert moved["demo/old.py"] == (6, None)
    assert moved["*.dist-info/entry_points.txt"] == (35, 55)
    assert "demo/__init__.py" not in moved
    assert sdists.members[0] == Resized("src/demo/__init__.py", 54, 26)


def test_metadata_and_entry_points_are_told_by_value(built: Built, tmp_path: Path, index: Index) -> None:
    fields = {one.field: (one.removed, one.added) for one in compared(built, tmp_path, index).fields}
    assert fields == {
        "Requires-Dist": ((), ("attrs",)),
        "Description": (("1 lines",), ("1 lines",)),
        "Entry points: console_scripts": ((), ("demo-two = demo:two",)),
    }


def test_the_last_version_before_ours_is_taken_and_no_pre_release(
    built: Built, tmp_path: Path, served: Path, index: Index
) -> None:
    for version in ("0.10", "0.11rc1", "2.0", "0.8"):
        wheel(served, {"Version": version}, filename=f"demo-{version}-py3-none-any.whl")
    assert compared(built, tmp_path, index).since == "0.10"
    assert compared(built, tmp_path, index, "2.0").since == "2.0"
    assert compared(replace(built, version="1.0rc1"), tmp_path, index).since == "0.11rc1"


def test_a_version_that_is_not_there_is_told(built: Built, tmp_path: Path, index: Index) -> None:
    assert compared(built, tmp_path, index, "0.7").reason == "PyPI has no version 0.7 of demo"
    assert compared(replace(built, version="0.1"), tmp_path, index).reason == "PyPI has no earlier version of demo"


def test_a_file_of_the_same_tags_is_taken_before_any_other() -> None:
    ours = [Dist(f"demo-1.0-{tags}.whl", "", 1) for tags in ("cp311-cp311-win32", "cp312-cp312-win32")]
    theirs = [of_name(f"demo-0.9-{tags}.whl") for tags in ("py3-none-any", "cp312-cp312-win32")]
    assert list(changes._pairs(ours, theirs)) == [(ours[1], theirs[1])]
    assert list(changes._pairs(ours[:1], theirs)) == [(ours[0], theirs[0])]
    assert list(changes._pairs(ours[:1], [])) == []


def of_name(filename: str) -> Served:
    return Served(filename, "", "", yanked=False)


def test_a_release_without_a_file_of_the_same_kind_is_told(
    built: Built, tmp_path: Path, served: Path, index: Index
) -> None:
    (served / "demo-0.9.tar.gz").unlink()
    only = replace(built, dists=tuple(dist for dist in built.dists if dist.kind == "sdist"))
    assert compared(only, tmp_path, index).reason == "0.9 on PyPI has no file of the same kind"


# What stands against it stops nothing.


def test_an_index_that_does_not_answer_is_told(built: Built, tmp_path: Path) -> None:
    nobody = replace(PYPI, simple="http://127.0.0.1:9/simple/")
    found = compared(built, tmp_path, nobody)
    assert found.since is None
    assert "PyPI" in found.reason


def test_other_bytes_than_the_index_names_are_not_read(
    built: Built, tmp_path: Path, faults: Faults, index: Index
) -> None:
    faults.order("body", prefix="/packages", detail=b"other", times=9)
    assert "its hash is not the one that PyPI shows" in compared(built, tmp_path, index).reason


def test_a_file_that_is_too_large_is_not_fetched(
    built: Built, tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "LARGEST", 10)
    found = compared(built, tmp_path, index)
    assert found.since is None
    assert found.reason


@pytest.mark.parametrize("name", ["../../demo-0.9.tar.gz", "sub/demo-0.9.tar.gz", "..\\demo-0.9.tar.gz"])
def test_a_name_with_a_folder_in_it_is_refused(tmp_path: Path, index: Index, name: str) -> None:
    with pytest.raises(BadArchive, match="another folder"):
        changes.fetched(of_name(name), index, tmp_path)


def test_a_size_beyond_the_bound_is_refused_before_anything_is_fetched(tmp_path: Path, index: Index) -> None:
    large = replace(of_name("demo-0.9.tar.gz"), size=changes.LARGEST + 1)
    with pytest.raises(BadArchive, match="too large to fetch for a comparison"):
        changes.fetched(large, index, tmp_path)


def test_a_file_of_this_machine_is_not_fetched(tmp_path: Path, index: Index) -> None:
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    local = replace(of_name("demo-0.9.tar.gz"), url=(tmp_path / "secret").as_uri())
    with pytest.raises(IndexRefused, match="Not Found"):
        changes.fetched(local, index, tmp_path)


def test_what_is_kept_has_bounds(built: Built, tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MEMBERS", 1)
    monkeypatch.setattr(changes, "LENGTH", 3)
    wheels = compared(built, tmp_path, index).files[0]
    assert len(wheels.members) == 1
    assert wheels.more == 3
    assert changes._short(["a" * 9] * 61) == (*["aaa…"] * 60, "and 1 more")


# Names, and entry points.


def test_names_are_told_without_the_version(tmp_path: Path) -> None:
    whole, source = Archive.open(wheel(tmp_path)), Archive.open(sdist(tmp_path))
    assert unversioned(source, f"{SDIST.removesuffix('.tar.gz')}/src/a.py") == "src/a.py"
    assert unversioned(whole, "demo-1.0.dist-info/RECORD") == "*.dist-info/RECORD"
    assert unversioned(whole, "demo/other.data/x") == "demo/other.data/x"
    assert unversioned(whole, "other-1.0.dist-info/RECORD") == "other-1.0.dist-info/RECORD"


def test_entry_points_keep_the_case_of_their_names(tmp_path: Path) -> None:
    found = wheel(tmp_path, files={"demo-1.0.dist-info/entry_points.txt": "[a]\nName = demo:x\n"})
    assert entry_points(Archive.open(found)) == {"a": ("Name = demo:x",)}


@pytest.mark.parametrize("text", ["no section = x\n", "[a\n", "[a]\nx = 1\nx = 2\n"])
def test_entry_points_that_cannot_be_read_are_none(tmp_path: Path, text: str) -> None:
    found = wheel(tmp_path, files={"demo-1.0.dist-info/entry_points.txt": text})
    assert entry_points(Archive.open(found)) == {}


def test_a_requirement_that_is_none_is_compared_as_it_stands() -> None:
    assert changes._requirement("six (>=1)") == "six>=1"
    assert changes._requirement("what is this?") == "what is this?"


# In a line.


def test_changes_are_told_in_a_line() -> None:
    members = (Resized("a", None, 1), Resized("b", 1, None), Resized("c", 1, 2), Resized("d", 1, 3))
    files = (FileChanges(WHEEL, "demo-0.9-py3-none-any.whl", 9, members, 7),)
    found = Changes("0.9", "PyPI", "", files, (FieldChanges("Requires-Dist", (), ("six",)),))
    told = "since 0.9 on PyPI: 1 member added, 1 removed, 2 resized, 7 more; metadata: Requires-Dist"
    assert report.changes(found) == told
    assert report.changes(Changes(None, "PyPI", "--offline")) == "not compared with an earlier version: --offline"
