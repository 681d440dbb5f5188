from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from seatrial.building.isolation import NAME, LeadsOut, unpack, workplace
from seatrial.building.normalise import SdistUnreadable, normalise
from seatrial.machine.disk import locked_file
from tests.archives import gzipped, tarred, written
from tests.hostile import endless
from tests.projects import write_tree

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(os.name == "nt", reason="the folder for temporary files is the user's own there")


@pytest.fixture
def otherwise(tmp_path: Path) -> Path:
    return tmp_path / "otherwise"


def test_the_folder_is_the_same_every_time_and_empty(tmp_path: Path, otherwise: Path) -> None:
    for _ in range(2):
        with workplace(tmp_path, otherwise) as place:
            assert place == tmp_path / NAME / "src"
            assert list(place.iterdir()) == []
            write_tree(place, {"left/behind": ""})
        assert not place.exists()


def test_what_a_killed_run_left_is_gone(tmp_path: Path, otherwise: Path) -> None:
    write_tree(tmp_path / NAME / "src", {"demo-1.0/old.py": ""})
    with workplace(tmp_path, otherwise) as place:
        assert list(place.iterdir()) == []


def test_it_is_cleared_also_after_a_failure(tmp_path: Path, otherwise: Path) -> None:
    with pytest.raises(ZeroDivisionError), workplace(tmp_path, otherwise) as place:
        print(1 / 0)
    assert not place.exists()


def test_while_another_run_holds_it_the_work_is_done_elsewhere(tmp_path: Path, otherwise: Path) -> None:
    with workplace(tmp_path, otherwise), workplace(tmp_path, otherwise) as place:
        assert place == otherwise
    with locked_file(tmp_path / NAME / ".lock") as free:
        assert free


@posix
@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_folder_that_others_can_write_to_is_not_used(tmp_path: Path, otherwise: Path, mode: int) -> None:
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME).chmod(mode)
    with workplace(tmp_path, otherwise) as place:
        assert place == otherwise
    assert list((tmp_path / NAME).iterdir()) == []


@posix
def test_a_folder_of_another_user_is_not_used(tmp_path: Path, otherwise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with workplace(tmp_path, otherwise) as place:
        assert place == otherwise


@posix
def test_a_link_or_a_file_in_its_place_is_not_used(tmp_path: Path, otherwise: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / NAME).symlink_to("elsewhere")
    with workplace(tmp_path, otherwise) as place:
        assert place == otherwise
    (tmp_path / NAME).unlink()
    (tmp_path / NAME).touch()
    with workplace(tmp_path, otherwise) as place:
        assert place == otherwise


def test_an_sdist_is_unpacked_into_its_own_folder(tmp_path: Path) -> None:
    source = write_tree(tmp_path / "source", {"demo-1.0/PKG-INFO": "Name: demo\n", "demo-1.0/src/a.py": ""})
    with tarfile.open(tmp_path / "demo-1.0.tar.gz", "w:gz") as tar:
        tar.add(source / "demo-1.0", "demo-1.0")
    (tmp_path / "place").mkdir()
    folder = unpack(tmp_path / "demo-1.0.tar.gz", tmp_path / "place")
    assert folder == tmp_path / "place" / "demo-1.0"
    assert (folder / "PKG-INFO").read_text(encoding="utf-8") == "Name: demo\n"
    assert (folder / "src" / "a.py").exists()


def test_an_sdist_that_is_packed_to_grow_is_not_unpacked_beyond_its_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatrial.building.normalise.FLOOR", 4 << 20)
    sdist = written(tmp_path, "demo-1.0.tar.gz", endless(bytes(1 << 20), 9))
    with pytest.raises(SdistUnreadable, match="unpacks to far more than its size"):
        unpack(sdist, tmp_path / "place")
    assert not (tmp_path / "place").exists()


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzipped(b"no tar" * 200), gzipped(tarred([("demo-1.0/a.py", b"x" * 9999)]))[:40], gzipped(b"\0" * 99)],
)
def test_what_a_broken_backend_writes_is_an_error_of_ours(tmp_path: Path, content: bytes) -> None:
    sdist = written(tmp_path, "demo-1.0.tar.gz", content)
    for use in (lambda: unpack(sdist, tmp_path / "place"), lambda: normalise(sdist, 0)):
        with pytest.raises(
            SdistUnreadable, match=r"^demo-1\.0\.tar\.gz, as the build backend wrote it, cannot be unpacked: "
        ):
            use()


@pytest.mark.skipif(not hasattr(tarfile, "data_filter"), reason="this Python unpacks without a filter")
def test_a_link_that_leads_out_is_named_with_its_cure(tmp_path: Path) -> None:
    link = tarfile.TarInfo("demo-1.0/LICENSE")
    link.type, link.linkname = tarfile.SYMTYPE, "../../LICENSE"
    sdist = written(tmp_path, "demo-1.0.tar.gz", gzipped(tarred([(link, b"")])))
    with pytest.raises(LeadsOut, match=r"the link demo-1\.0/LICENSE -> \.\./\.\./LICENSE leads out of it") as error:
        unpack(sdist, tmp_path / "place")
    assert "replace the link with a copy" in str(error.value)
