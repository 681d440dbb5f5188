from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.building.brought import MixedFiles, NothingToTake, NothingToTakeOf, files, stop_unless_one_release, unlike
from seatrial.release.archives import Archive
from tests.archives import metadata, sdist, wheel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.release.stages import Kind

LINUX = "demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"
WINDOWS = "demo-1.0-cp312-cp312-win_amd64.whl"
BOTH: Sequence[Kind] = ("wheel", "sdist")


def opened(folder: Path) -> list[Archive]:
    return [Archive.open(path) for path in files(folder, folder.parent / "dist")]


def at(version: str) -> dict[str, str]:
    """Return the metadata of a wheel of another version."""
    return {f"demo-{version}.dist-info/METADATA": metadata({"Version": version})}


def test_wheels_and_the_sdist_that_they_are_built_from(tmp_path: Path) -> None:
    for name in (LINUX, WINDOWS):
        wheel(tmp_path, filename=name)
    sdist(tmp_path)
    found = opened(tmp_path)
    stop_unless_one_release(tmp_path, found, BOTH)
    assert unlike(found) == {}


def test_files_of_two_releases(tmp_path: Path) -> None:
    wheel(tmp_path, filename=LINUX)
    wheel(tmp_path, filename=WINDOWS.replace("1.0", "1.1"), files=at("1.1"))
    sdist(tmp_path)
    with pytest.raises(MixedFiles) as error:
        stop_unless_one_release(tmp_path, opened(tmp_path), BOTH)
    said = str(error.value)
    assert f"--from {tmp_path} contains files of more than one release:" in said
    assert f"\n  demo 1.0: {LINUX}, demo-1.0.tar.gz\n  demo 1.1: {WINDOWS.replace('1.0', '1.1')}\n" in said


def test_files_of_two_projects(tmp_path: Path) -> None:
    other = {"other-1.0.dist-info/METADATA": metadata({"Name": "other"})}
    wheel(tmp_path, filename=LINUX)
    wheel(tmp_path, filename=WINDOWS.replace("demo", "other"), files=other)
    with pytest.raises(MixedFiles, match="more than one release"):
        stop_unless_one_release(tmp_path, opened(tmp_path), BOTH)


def test_two_sdists_of_one_release(tmp_path: Path) -> None:
    sdist(tmp_path)
    sdist(tmp_path, {"Version": "1.0.0"}, filename="demo-1.0.0.tar.gz")
    with pytest.raises(
        MixedFiles, match=r"more than one sdist of a release:\s+demo-1\.0\.0\.tar\.gz\s+demo-1\.0\.tar\.gz"
    ):
        stop_unless_one_release(tmp_path, opened(tmp_path), ["sdist"])


def test_a_wheelhouse_without_an_sdist(tmp_path: Path) -> None:
    wheel(tmp_path, filename=LINUX)
    wheel(tmp_path, filename=WINDOWS)
    with pytest.raises(NothingToTakeOf) as error:
        stop_unless_one_release(tmp_path, opened(tmp_path), BOTH)
    assert "it contains no sdist. Found: 2 files." in str(error.value)
    assert "cibuildwheel makes only wheels" in str(error.value)
    assert "python -m build --sdist" in str(error.value)
    stop_unless_one_release(tmp_path, opened(tmp_path), ["wheel"])


def test_a_wheelhouse_without_a_wheel(tmp_path: Path) -> None:
    sdist(tmp_path)
    with pytest.raises(NothingToTakeOf, match="it contains no wheel"):
        stop_unless_one_release(tmp_path, opened(tmp_path), BOTH)
    stop_unless_one_release(tmp_path, opened(tmp_path), ["sdist"])


def test_modules_that_are_not_those_of_the_sdist_are_named(tmp_path: Path) -> None:
    changed = {"demo/__init__.py": "changed = True\n", "demo/made.py": "made by the build\n"}
    wheel(tmp_path, filename=LINUX, files=changed)
    wheel(tmp_path, filename=WINDOWS, files={"demo/__init__.py": '"""A module to import."""\r\n'})
    sdist(tmp_path)
    assert unlike(opened(tmp_path)) == {"demo/__init__.py": [LINUX]}


def test_without_an_sdist_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    wheel(tmp_path, filename=LINUX)
    assert unlike(opened(tmp_path)) == {}


def test_what_uv_build_leaves_beside_the_files_is_ignored(tmp_path: Path) -> None:
    sdist(tmp_path)
    (tmp_path / ".gitignore").write_text("*", encoding="utf-8")
    assert [path.name for path in files(tmp_path, tmp_path / "dist")] == ["demo-1.0.tar.gz"]


def test_a_folder_of_other_things(tmp_path: Path) -> None:
    with pytest.raises(NothingToTake, match="it contains no wheel and no sdist"):
        files(tmp_path, tmp_path / "dist")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(NothingToTake, match=r"files other than wheels and sdists:\n  notes\.txt"):
        files(tmp_path, tmp_path / "dist")
