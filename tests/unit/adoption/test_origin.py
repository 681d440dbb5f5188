"""Where the running seatrial is from, and the wheel that is put together again from it."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import __version__
from seatrial.adoption import origin
from seatrial.adoption.origin import InstallationChanged, NotInstalled
from tests.projects import commit, git, write_tree
from tests.samples import installed
from tests.samples.installed import FILES, INFO, VERSION

if TYPE_CHECKING:
    from pathlib import Path

CLONED = {"vcs_info": {"vcs": "git", "commit_id": "c0ffee"}}


def test_the_installed_files_are_those_of_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(installed.install(tmp_path / "site"))
    source = origin.read()
    assert (source.version, source.files) == (VERSION, FILES)
    assert (source.address, source.from_elsewhere) == ("", False)


@pytest.mark.parametrize(
    ("direct", "address"),
    [
        ({"url": "https://example.org/a/b", **CLONED}, "https://example.org/a/b@c0ffee"),
        ({"url": "https://me:secret@example.org:8443/a/b?token=x", **CLONED}, "https://example.org:8443/a/b@c0ffee"),
        ({"url": "ssh://git@example.org/a/b", **CLONED}, "ssh://example.org/a/b@c0ffee"),
        ({"url": "https://example.org/a/b", "vcs_info": {"vcs": "git"}}, "https://example.org/a/b"),
        ({"url": "file:///home/me/clone", **CLONED}, ""),
        ({"url": "https://example.org/seatrial.whl", "archive_info": {}}, "https://example.org/seatrial.whl"),
        ({"url": "file:///home/me/seatrial.whl", "archive_info": {}}, ""),
        ({"url": "file:///nowhere/at/all", "dir_info": {}}, ""),
    ],
)
def test_only_a_public_address_is_told_and_no_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direct: dict[str, Any], address: str
) -> None:
    monkeypatch.syspath_prepend(installed.install(tmp_path / "site", direct))
    source = origin.read()
    assert (source.address, source.from_elsewhere) == (address, True)


@pytest.mark.parametrize("remote", ["https://example.org/a/b.git", None])
def test_a_clone_is_named_by_its_remote_and_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remote: str | None
) -> None:
    clone = write_tree(tmp_path / "a clone", {"README.md": ""})
    head = commit(clone)
    if remote:
        git(clone, "remote", "add", "origin", remote)
    monkeypatch.syspath_prepend(installed.install(tmp_path / "site", {"url": clone.as_uri(), "dir_info": {}}))
    assert origin.read().address == (f"{remote}@{head}" if remote else "")


def test_an_installation_that_was_edited_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = installed.install(tmp_path / "site")
    (site / "seatrial" / "cli.py").write_text("import os\n", encoding="utf-8")
    monkeypatch.syspath_prepend(site)
    with pytest.raises(InstallationChanged, match=r"seatrial/cli\.py"):
        origin.read()


def test_what_is_not_installed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = installed.install(tmp_path / "site")
    (site / INFO / "RECORD").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(site)
    with pytest.raises(NotInstalled, match="uvx --from FOLDER"):
        origin.read()


def test_same_files_make_the_same_wheel_whose_record_is_right(tmp_path: Path) -> None:
    source = installed.origin()
    assert source.wheel == installed.origin().wheel
    assert source.wheel != installed.origin(more=b"x").wheel
    with zipfile.ZipFile(io.BytesIO(source.wheel)) as archive:
        names = archive.namelist()
        record = archive.read(f"{INFO}/RECORD").decode()
    assert names == [*sorted(FILES), f"{INFO}/RECORD"]
    assert origin.hashes_of(record).keys() == FILES.keys()
    wheel = tmp_path / source.filename
    wheel.write_bytes(source.wheel)
    uv = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-index", "--no-config")
    subprocess.run([*uv, "--target", tmp_path / "site", wheel], check=True)
    assert (tmp_path / "site" / "seatrial" / "cli.py").read_bytes() == FILES["seatrial/cli.py"]


def test_this_installation_makes_a_wheel_with_the_program_and_the_template() -> None:
    source = origin.read()
    assert source.version == __version__
    assert {
        "seatrial/__main__.py",
        "seatrial/adoption/former.txt",
        "seatrial/project-template/tasks/release.py",
        "seatrial/project-template/templates/release.yml",
        f"seatrial-{__version__}.dist-info/entry_points.txt",
    } <= source.files.keys()
