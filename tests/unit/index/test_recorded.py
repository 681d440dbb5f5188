"""What an index answered for real projects is read as it is meant (see recorded/README.md)."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.version import Version

from seatrial.index.conflicts import next_version, versions_on
from seatrial.index.holdings import (
    OtherBytes,
    ReleaseYanked,
    holdings,
    read_project,
    read_release,
    stop_if_different,
    stop_if_yanked,
)
from seatrial.index.indexes import PYPI, Index
from seatrial.index.simple import JSON
from seatrial.release.stages import Dist
from seatrial.standin.launch import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FOLDER = Path(__file__).parents[2] / "recorded"
PAGES = sorted(FOLDER.glob("*.json"))
RELEASES = {
    "pypi-beautifulsoup4": ("4.12.3", 2),
    "pypi-argset": ("0.1.0", 2),
    "mirror-requests": ("2.32.3", 2),
    "mirror-numpy": ("2.1.0", 52),
    "mirror-six": ("1.0", 1),  # its file says 1.0.0, and 1.0b1 is another
    "mirror-lxml": ("3.4.0", 16),  # ten of them for Windows, of a kind that PyPI takes no longer
    "mirror-pywin32": ("306", 14),
    "mirror-attrs": ("25.3.0", 2),
}
YANKED = {"pypi-yanked": 2, "mirror-requests": 4, "mirror-attrs": 2}


@contextlib.contextmanager
def answering(path: Path, kind: str = JSON) -> Iterator[tuple[Index, str]]:
    """Serve what was recorded in `path` to everybody; yield the index, and the name of the project."""

    def app(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        assert environ["PATH_INFO"] == f"/simple/{name}/"
        start("200 OK", [("Content-Type", kind)])
        return [path.read_bytes()]

    name = path.stem.partition("-")[2]
    with serving(app) as url:
        yield replace(PYPI, simple=f"{url}/simple/"), name


def page(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_file_of_a_page_is_read(path: Path) -> None:
    with answering(path) as (index, name):
        found = read_project(index, name).files
    listed = page(path)["files"]
    assert [(file.filename, file.sha256, file.url) for file in found] == [
        (file["filename"], file["hashes"]["sha256"], file["url"]) for file in listed
    ]
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in found)
    assert all(file.url.startswith("https://files.pythonhosted.org/packages/") for file in found)
    assert [file.size for file in found] == [file.get("size", 0) for file in listed]
    assert sum(file.yanked for file in found) == YANKED.get(path.stem, 0)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_moment_of_an_upload_is_read_where_it_is_told(path: Path) -> None:
    with answering(path) as (index, name):
        found = read_project(index, name).files
    assert [bool(file.uploaded) for file in found] == ["upload-time" in file for file in page(path)["files"]]
    assert all(
        datetime.fromisoformat(file.uploaded.replace("Z", "+00:00")).year > 2000 for file in found if file.uploaded
    )


@pytest.mark.parametrize("stem", RELEASES)
def test_a_release_is_exactly_its_files(stem: str) -> None:
    version, count = RELEASES[stem]
    with answering(FOLDER / f"{stem}.json") as (index, name):
        dists = tuple(Dist(file.filename, file.sha256, file.size) for file in read_release(index, name, version))
        assert len(dists) == count
        assert holdings(index, name, version, dists).complete
        lacking = holdings(index, name, version, dists[1:])
        assert [file.filename for file in lacking.extra] == [dists[0].filename]
        assert not lacking.complete
        swapped = (replace(dists[0], sha256="0" * 64), *dists[1:])
        with pytest.raises(OtherBytes, match=re.escape(f"{dists[0].filename}\n    expected {'0' * 64}")):
            stop_if_different(index, holdings(index, name, version, swapped), name, version)
        unknown = Dist(f"{name}-{version}-py0-none-any.whl", "0" * 64, 1)
        assert holdings(index, name, version, (*dists, unknown)).absent == (unknown,)


def test_a_release_that_was_yanked_is_not_the_release() -> None:
    with answering(FOLDER / "mirror-requests.json") as (index, name):
        dists = tuple(Dist(file.filename, file.sha256, file.size) for file in read_release(index, name, "2.32.0"))
        found = holdings(index, name, "2.32.0", dists)
        assert (len(found.identical), len(found.yanked), found.complete) == (2, 2, True)
        stop_if_different(index, found, name, "2.32.0")
        with pytest.raises(ReleaseYanked, match=r"requests 2\.32\.0 was yanked on PyPI"):
            stop_if_yanked(index, found, name, "2.32.0")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_versions_of_a_project_are_those_it_has_files_of(path: Path) -> None:
    with answering(path) as (index, name):
        found = versions_on(index, name)
    told = page(path).get("versions", ["0.0.0"])
    assert found == frozenset(map(Version, told))
    assert Version(next_version(told[-1], found)) not in found


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.html")), ids=lambda path: path.stem)
def test_a_page_in_html_tells_the_same_files_by_its_fragments(path: Path) -> None:
    with answering(path, "text/html") as (index, name):
        found = {file.filename: file.sha256 for file in read_project(index, name).files}
    links = re.findall(r"#sha256=([0-9a-f]{64})[^>]*>\s*([^<]+?)\s*<", path.read_text(encoding="utf-8"))
    assert found == {filename: sha256 for sha256, filename in links} != {}


def test_json_and_html_of_one_project_agree() -> None:
    pages = []
    for path, kind in ((FOLDER / "mirror-six.json", JSON), (FOLDER / "mirror-six.html", "text/html")):
        with answering(path, kind) as (index, name):
            pages.append({file.filename: (file.sha256, file.yanked) for file in read_project(index, name).files})
    shared = pages[0].keys() & pages[1].keys()
    assert shared
    assert all(pages[0][filename] == pages[1][filename] for filename in shared)
