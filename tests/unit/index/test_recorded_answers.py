"""What PyPI's server answers for a project in each status is read as it is meant, and the stand-in answers alike.

The answers were recorded from warehouse 6b62157, run on a database of its own (see tests/real/simple/README.md).
"""

from __future__ import annotations

import contextlib
import html.parser
import json
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.index.holdings import read_project
from seatrial.index.indexes import PYPI
from seatrial.index.simple import HTML, JSON, Listing
from seatrial.index.tokens import make
from seatrial.standin.launch import serving
from seatrial.standin.server import StandinIndex
from tests import archives

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FOLDER = Path(__file__).parents[2] / "real" / "simple"
FORMATS = {".json": JSON, ".html": HTML}
ANSWERS = sorted(path for path in FOLDER.iterdir() if path.suffix in FORMATS)
PACKAGES = "https://files.pythonhosted.org/packages"
REASON = 'Broken: "demo" fails & cannot be < 1.1'
YANKED = {"0.9": "", "1.0": REASON}  # version to reason
VERSIONS = ("0.9", "1.0", "1.1")
LISTED = {  # status and versions
    "active": ("active", VERSIONS),
    "archived": ("archived", VERSIONS),
    "quarantined": ("quarantined", ()),
    "release-quarantined": ("active", VERSIONS[:2]),
    "empty": ("active", ()),
}
STATES = ("active", "archived", "quarantined", "empty")  # that the stand-in has


@contextlib.contextmanager
def answering(path: Path, kind: str, status: str = "200 OK") -> Iterator[str]:
    """Serve what was recorded in `path` to everybody who asks for demo; yield the URL of the server."""

    def app(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        assert environ["PATH_INFO"] == "/simple/demo/"
        start(status, [("Content-Type", kind)])
        return [path.read_bytes()]

    with serving(app) as url:
        yield url


def read(url: str) -> Listing:
    return read_project(replace(PYPI, simple=f"{url}/simple/"), "demo")


def filenames(version: str) -> tuple[str, str]:
    return f"demo-{version}-py3-none-any.whl", f"demo-{version}.tar.gz"


def recorded(state: str) -> Any:
    return json.loads((FOLDER / f"{state}.json").read_text(encoding="utf-8"))


def test_each_state_was_recorded_in_both_formats() -> None:
    assert [path.name for path in ANSWERS] == sorted(f"{state}{suffix}" for state in LISTED for suffix in FORMATS)


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.name)
def test_status_and_files_of_a_project_are_read(path: Path) -> None:
    with answering(path, FORMATS[path.suffix]) as url:
        found = read(url)
    status, versions = LISTED[path.stem]
    assert (found.exists, found.status, found.reason) == (True, status, "")
    assert [file.filename for file in found.files] == [name for version in versions for name in filenames(version)]
    yanked = {name for version in YANKED for name in filenames(version)}
    assert all(file.yanked == (file.filename in yanked) for file in found.files)
    assert all(file.requires_python == ("" if "0.9" in file.filename else ">=3.10") for file in found.files)


@pytest.mark.parametrize("state", LISTED)
def test_both_formats_tell_the_same_hashes_and_only_json_the_sizes_and_times(state: str) -> None:
    with answering(FOLDER / f"{state}.json", JSON) as url:
        in_json = read(url)
    with answering(FOLDER / f"{state}.html", HTML) as url:
        in_html = read(url)
    told = recorded(state)["files"]
    assert [(file.sha256, file.size, file.uploaded) for file in in_json.files] == [
        (entry["hashes"]["sha256"], entry["size"], entry["upload-time"]) for entry in told
    ]
    assert all(file.url.startswith(f"{PACKAGES}/") for file in in_json.files)
    assert in_html == replace(in_json, files=tuple(replace(file, size=0, uploaded="") for file in in_json.files))


def test_an_unknown_project_is_none() -> None:
    with answering(FOLDER / "unknown.txt", "text/plain; charset=UTF-8", "404 Not Found") as url:
        assert read(url) == Listing(exists=False)


# The stand-in, with the same releases in the same state.


@contextlib.contextmanager
def standing_in(folder: Path, state: str) -> Iterator[str]:
    """Serve a stand-in with the project that was recorded; yield its URL."""
    app = StandinIndex(folder / "pypi", make("pypi.org"))
    if state != "unknown":
        app.state.projects.add("demo")
    if state in {"archived", "quarantined"}:
        app.state.statuses["demo"] = (state, "")
    for version in VERSIONS if state not in {"empty", "unknown"} else ():
        changes = {"Version": version, "Requires-Python": None if version == "0.9" else ">=3.10"}
        wheel, sdist = filenames(version)
        archives.wheel(folder / "pypi", changes, filename=wheel)
        archives.sdist(folder / "pypi", changes, filename=sdist)
        if version in YANKED:
            app.state.yanked |= dict.fromkeys((wheel, sdist), YANKED[version])
    with serving(app) as url:
        yield url


def asked(url: str, accept: str) -> tuple[int, str, bytes]:
    """Return status, content type and body of the page of demo."""
    request = urllib.request.Request(f"{url}/simple/demo/", headers={"Accept": accept})  # noqa: S310 (our own server)
    try:
        with urllib.request.urlopen(request, timeout=30) as found:  # noqa: S310
            return found.status, found.headers["Content-Type"], found.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


class Elements(html.parser.HTMLParser):
    """The attributes of a page's `meta` elements, and those of its anchors by their text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.meta: list[dict[str, str | None]] = []
        self.anchors: dict[str, dict[str, str | None]] = {}
        self._latest: dict[str, str | None] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._latest = dict(attrs) if tag == "a" else {}
        if tag == "meta":
            self.meta.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        if self._latest:
            self.anchors[data] = self._latest
            self._latest = {}


def by_name(files: list[Any]) -> list[Any]:
    return sorted(files, key=lambda entry: str(entry["filename"]))


@pytest.mark.parametrize("state", STATES)
def test_the_stand_in_has_the_keys_and_the_status_of_the_recorded_json(tmp_path: Path, state: str) -> None:
    with standing_in(tmp_path, state) as url:
        status, kind, body = asked(url, JSON)
    ours, theirs = json.loads(body), recorded(state)
    assert (status, kind) == (200, JSON)
    assert ours.keys() == theirs.keys()
    assert ours["meta"].keys() == theirs["meta"].keys()
    same = ("name", "project-status", "versions")
    assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}
    assert ours["meta"]["api-version"] == theirs["meta"]["api-version"]
    for our, their in zip(by_name(ours["files"]), by_name(theirs["files"]), strict=True):
        assert our.keys() == their.keys()
        assert our["hashes"].keys() == their["hashes"].keys()
        told = ("filename", "requires-python", "yanked", "provenance")
        assert {key: our[key] for key in told} == {key: their[key] for key in told}


@pytest.mark.parametrize("state", STATES)
def test_the_stand_in_has_the_elements_of_the_recorded_html(tmp_path: Path, state: str) -> None:
    with standing_in(tmp_path, state) as url:
        status, kind, body = asked(url, HTML)
    ours, theirs = Elements(body.decode()), Elements((FOLDER / f"{state}.html").read_text(encoding="utf-8"))
    assert (status, kind) == (200, HTML)
    assert ours.meta == theirs.meta
    assert ours.anchors.keys() == theirs.anchors.keys()
    for name, attributes in ours.anchors.items():
        for key in ("data-requires-python", "data-yanked", "data-provenance"):
            assert attributes.get(key, "none") == theirs.anchors[name].get(key, "none")


@pytest.mark.parametrize("accept", [JSON, HTML, "text/html", "*/*"])
def test_the_stand_in_knows_no_project_as_the_server_does(tmp_path: Path, accept: str) -> None:
    with standing_in(tmp_path, "unknown") as url:
        status, kind, body = asked(url, accept)
    assert (status, kind.partition(";")[0]) == (404, "text/plain")
    assert body.strip() == (FOLDER / "unknown.txt").read_bytes()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/html", "text/html"),
        ("*/*", "text/html"),
        (f"{JSON}, {HTML};q=0.2, text/html;q=0.1", JSON),
        (f"{HTML}, text/html;q=0.1", HTML),
    ],
)
def test_the_stand_in_answers_in_the_format_that_is_asked_for(tmp_path: Path, accept: str, kind: str) -> None:
    with standing_in(tmp_path, "active") as url:
        assert asked(url, accept)[1].partition(";")[0] == kind
