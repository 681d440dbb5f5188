from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.index import http, indexes, simple
from seatrial.index.holdings import (
    AGREEING,
    POLL_AFTER,
    Holdings,
    IndexNotJson,
    NotVisible,
    OtherBytes,
    ReleaseYanked,
    holdings,
    read_project,
    stop_if_different,
    stop_if_yanked,
    wait_until_served,
)
from seatrial.index.http import IndexRefused, IndexUnreachable, download
from seatrial.index.indexes import PYPI, TESTPYPI, Index
from seatrial.index.simple import JSON, Listing, Served
from seatrial.index.tokens import make
from seatrial.release.stages import Dist
from seatrial.standin.launch import serving
from seatrial.standin.server import StandinIndex
from tests.index_server import ALWAYS, Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"
NOBODY = Index("the index of nobody", simple="http://127.0.0.1:9/simple/")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "RETRY_AFTER", (0.0, 0.0, 0.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of an index: wheel and sdist of demo 1.0."""
    made = tmp_path / "index"
    made.mkdir()
    for name in (WHEEL, SDIST):
        (made / name).write_text(f"the bytes of {name}", encoding="utf-8")
    return made


@pytest.fixture
def dists(folder: Path) -> tuple[Dist, ...]:
    return tuple(Dist.from_file(folder / name) for name in (WHEEL, SDIST))


@pytest.fixture
def faults(folder: Path) -> Faults:
    return Faults(StandinIndex(folder, make("test.pypi.org")))


@pytest.fixture
def index(faults: Faults) -> Iterator[Index]:
    with serving(faults) as url:
        yield replace(TESTPYPI, simple=f"{url}/simple/")


def answering(body: bytes | str, status: str = "200 OK", **headers: str) -> contextlib.AbstractContextManager[str]:
    """Serve `body` to everybody who asks for anything."""
    content = body if isinstance(body, bytes) else body.encode()

    def app(_environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start(status, [("Content-Type", JSON), *((name.replace("_", "-"), text) for name, text in headers.items())])
        return [content]

    return serving(app)


def changed(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """Return what sets `fields` of the first file of a project's page."""
    return lambda page: page["files"][0].update(fields)


def test_no_cache_on_the_way_is_trusted() -> None:
    """Proxies pass a request on that says so, where they would answer it themselves."""
    asked: list[tuple[str, str]] = []

    def app(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        asked.append((environ["HTTP_CACHE_CONTROL"], environ["HTTP_ACCEPT"]))
        start("200 OK", [("Content-Type", JSON)])
        return [b'{"files": []}']

    with serving(app) as url:
        assert read_project(replace(PYPI, simple=f"{url}/simple/"), "demo") == Listing()
    assert asked == [("no-cache", simple.ACCEPTED)]


# An index as a value.


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8000/simple/", True),
        ("http://localhost/simple/", True),
        ("http://[::1]:8000/simple/", True),
        ("https://pypi.org/simple/", False),
        ("http://127.0.0.1.example.org/simple/", False),
        ("http://localhost@example.org/simple/", False),
    ],
)
def test_only_this_machine_is_loopback(url: str, *, loopback: bool) -> None:
    assert Index("an index", simple=url).is_loopback is loopback


def test_a_release_has_a_page_for_a_person() -> None:
    assert PYPI.page("Zope.Interface", "1.0") == "https://pypi.org/project/zope-interface/1.0/"
    assert TESTPYPI.page("demo", "1.0rc1") == "https://test.pypi.org/project/demo/1.0rc1/"
    assert NOBODY.page("My_Demo", "1.0") == "http://127.0.0.1:9/simple/my-demo/"


# What an index holds.


def test_what_is_served_with_the_same_bytes_is_complete(index: Index, dists: tuple[Dist, ...]) -> None:
    found = holdings(index, "Demo", "1.0", dists)
    assert found.complete
    assert found.identical == dists
    assert {found.url(dist) for dist in dists} == {
        f"{index.simple.removesuffix('/simple/')}/packages/{name}" for name in (WHEEL, SDIST)
    }
    stop_if_different(index, found, "demo", "1.0")


def test_what_is_not_served_is_absent(index: Index, folder: Path, dists: tuple[Dist, ...]) -> None:
    (folder / SDIST).unlink()
    found = holdings(index, "demo", "1.0", dists)
    assert (found.absent, found.identical, found.complete) == (dists[1:], dists[:1], False)
    stop_if_different(index, found, "demo", "1.0")


def test_a_name_that_an_index_does_not_know_holds_nothing(index: Index, dists: tuple[Dist, ...]) -> None:
    assert read_project(index, "unknown") == Listing(exists=False)
    assert holdings(index, "unknown", "1.0", dists).absent == dists


def test_other_bytes_under_our_name_are_different(index: Index, folder: Path, dists: tuple[Dist, ...]) -> None:
    (folder / WHEEL).write_bytes(b"other bytes")
    other = Dist.from_file(folder / WHEEL).sha256
    found = holdings(index, "demo", "1.0", dists)
    assert [(dist, file.sha256) for dist, file in found.different] == [(dists[0], other)]
    assert not found.complete
    with pytest.raises(OtherBytes) as error:
        stop_if_different(index, found, "demo", "1.0")
    assert f"{WHEEL}\n    expected {dists[0].sha256}\n    found    {other}" in str(error.value)
    assert SDIST not in str(error.value)
    assert "https://test.pypi.org/project/demo/1.0/" in str(error.value)


@pytest.mark.parametrize("hashes", [{}, {"md5": "0" * 32}, {"sha256": ""}])
def test_bytes_without_a_hash_are_not_proved(
    index: Index, faults: Faults, dists: tuple[Dist, ...], hashes: dict[str, str]
) -> None:
    faults.order("page", detail=changed(hashes=hashes))
    found = holdings(index, "demo", "1.0", dists)
    assert [dist for dist, _ in found.different] == [dists[0]]
    with pytest.raises(OtherBytes, match=r"found    \(no hash\)"):
        stop_if_different(index, found, "demo", "1.0")


@pytest.mark.parametrize("place", [0, -1], ids=["first", "last"])
def test_a_file_that_is_listed_twice_is_different_where_one_entry_is(
    index: Index, faults: Faults, dists: tuple[Dist, ...], place: int
) -> None:
    def add(page: dict[str, Any]) -> None:
        other = [file | {"hashes": {"sha256": "0" * 64}} for file in page["files"]]
        page["files"] = [*page["files"], *other] if place else [*other, *page["files"]]

    faults.order("page", detail=add)
    found = holdings(index, "demo", "1.0", dists)
    assert (found.identical, found.absent, found.complete) == ((), (), False)
    assert [dist for dist, _ in found.different] == list(dists)
    with pytest.raises(OtherBytes):
        stop_if_different(index, found, "demo", "1.0")


def test_a_file_that_is_listed_twice_alike_is_there_once(index: Index, faults: Faults, dists: tuple[Dist, ...]) -> None:
    faults.order("page", detail=lambda page: page["files"].extend(list(page["files"])))
    found = holdings(index, "demo", "1.0", dists)
    assert found.complete
    assert len(found.served) == len(dists)


@pytest.mark.parametrize("yanked", [True, "broken on Windows"])
def test_a_yanked_file_is_held_and_stops_who_asks_for_that(
    index: Index, faults: Faults, dists: tuple[Dist, ...], yanked: object
) -> None:
    """It can be un-yanked, and its bytes are served all the same: for a rehearsal that is enough."""
    faults.order("page", detail=changed(yanked=yanked))
    found = holdings(index, "demo", "1.0", dists)
    assert [file.filename for file in found.yanked] == [WHEEL]
    assert found.identical == dists
    assert found.complete
    stop_if_different(index, found, "demo", "1.0")
    with pytest.raises(ReleaseYanked) as error:
        stop_if_yanked(index, found, "demo", "1.0")
    assert "demo 1.0 was yanked on TestPyPI" in str(error.value)
    assert "un-yank it on https://test.pypi.org/manage/project/demo/release/1.0/" in str(error.value)


def test_a_file_that_is_not_yanked_passes(index: Index, faults: Faults, dists: tuple[Dist, ...]) -> None:
    faults.order("page", detail=lambda page: page["files"][0].pop("yanked"))
    assert holdings(index, "demo", "1.0", dists).complete


@pytest.mark.parametrize(
    "name",
    [
        "demo-1.0-cp314-cp314-win_amd64.whl",
        "demo-1.0-1-py3-none-any.whl",
        "demo-1.0.0-py3-none-any.whl",
        "demo-1.0.0.tar.gz",
        "demo-1.tar.gz",
        "demo-v1.0.zip",
        "Demo-1.0.tar.bz2",
        "demo-1.0.egg",
        "demo-1.0.win32.msi",
    ],
)
def test_another_file_of_this_release_stops(index: Index, folder: Path, dists: tuple[Dist, ...], name: str) -> None:
    """Versions compare: 1.0.0 is 1.0, and an installer may take either."""
    (folder / name).write_bytes(b"from another build")
    found = holdings(index, "demo", "1.0", dists)
    assert [file.filename for file in found.extra] == [name]
    assert not found.complete
    with pytest.raises(OtherBytes, match=r"expected \(not part of this build\)"):
        stop_if_different(index, found, "demo", "1.0")


@pytest.mark.parametrize(
    "name",
    [
        "demo-1.1.tar.gz",
        "demo-0.9-py3-none-any.whl",
        "demo-1.0rc1.tar.gz",
        "demo-1.0.post1.tar.gz",
        "demo-1.0+local.tar.gz",
        "demo-1.1.egg",
        "demo-1.0-py3-none-any.whl.metadata",
        "demo-1.0.tar.gz.asc",
        "other-1.0.exe",
        "demo-not.a.version-py3-none-any.whl",
        "demo-1.0rc1.win32.exe",
        "demo-docs-1.0.tar.bz2",
    ],
)
def test_files_of_other_releases_do_not_matter(
    index: Index, folder: Path, dists: tuple[Dist, ...], name: str, faults: Faults
) -> None:
    def add(page: dict[str, Any]) -> None:
        page["files"].append({"filename": name, "url": f"/packages/{name}", "hashes": {}})

    faults.order("page", detail=add)
    found = holdings(index, "demo", "1.0", dists)
    assert found.complete
    assert folder.is_dir()


def test_a_version_that_is_none_has_no_further_files(index: Index, dists: tuple[Dist, ...], folder: Path) -> None:
    (folder / "demo-2.0.tar.gz").write_bytes(b"another release")
    assert holdings(index, "demo", "not a version", dists).extra == ()


# What an index answers.


@pytest.mark.parametrize(
    "body",
    [
        "<html><title>Please log in</title></html>",
        "",
        '{"meta": {"api-version": "1.1"}, "files": [',
        '{"meta": {"api-version": "1.1"}}',
        "[]",
        "null",
        '"files"',
        '{"files": null}',
        '{"files": 3}',
        '{"files": {"a": 1}}',
        '{"files": [null]}',
        '{"files": ["demo-1.0.tar.gz"]}',
        '{"files": [{}]}',
        '{"files": [{"filename": "demo-1.0.tar.gz", "url": "a"}]}',
        '{"files": [{"filename": "demo-1.0.tar.gz", "hashes": {}}]}',
        '{"files": [{"filename": "demo-1.0.tar.gz", "url": "a", "hashes": null}]}',
        '{"files": [{"filename": "demo-1.0.tar.gz", "url": "a", "hashes": []}]}',
        '{"files": [{"filename": 1, "url": "a", "hashes": {}}]}',
        '{"files": [{"filename": "demo-1.0.tar.gz", "url": 1, "hashes": {}}]}',
        '{"files": [{"filename": "demo-1.0.tar.gz", "url": "a", "hashes": {"sha256": 1}}]}',
        '{"files": [{"filename": "demo-1.0.tar.gz", "url": "http://[::1", "hashes": {}}]}',
        pytest.param("[" * 100_000, id="nested too deeply"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
    ],
)
def test_what_is_no_page_of_the_json_api_is_said_to_be_none(body: bytes | str) -> None:
    with (
        answering(body) as url,
        pytest.raises(IndexNotJson, match=r"did not answer http.*/demo/ with a page of the simple"),
    ):
        read_project(Index("an index", simple=f"{url}/simple/"), "demo")


def test_a_page_of_the_json_api_is_read() -> None:
    files = [{"filename": SDIST, "url": "../../files/a.tar.gz", "hashes": {"sha256": "ab"}, "size": 3}]
    with answering(json.dumps({"files": files})) as url:
        found = read_project(Index("an index", simple=f"{url}/simple/"), "demo").files
        assert found == (Served(SDIST, "ab", f"{url}/files/a.tar.gz", yanked=False, size=3),)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["filename", "url", "hashes", "sha256", "yanked"]), inner)
        ),
    )
)
def test_no_entry_of_a_page_breaks_the_reader(entry: Any) -> None:
    """Whatever stands in the list of files is a file, or one of the errors that `read_project` turns into words."""
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        found = simple._served(entry, "https://index.example/simple/demo/")
        assert [type(text) for text in (found.filename, found.sha256, found.url)] == [str, str, str]


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "410 Gone", "451 No"])
def test_a_refusal_is_told_and_not_tried_again(index: Index, faults: Faults, status: str) -> None:
    faults.order("status", detail=status)
    with pytest.raises(IndexRefused) as error:
        read_project(index, "demo")
    assert f"TestPyPI refused to show {index.simple}demo/: {status}" in str(error.value)
    assert faults.reads == 0


@pytest.mark.parametrize("status", ["429 Too Many Requests", "500 Oh", "502 Bad Gateway", "503 Busy", "504 Late"])
def test_a_busy_index_is_asked_again(index: Index, faults: Faults, dists: tuple[Dist, ...], status: str) -> None:
    faults.order("status", detail=status, times=3)
    assert holdings(index, "demo", "1.0", dists).complete
    assert faults.reads == 1


def test_a_connection_that_breaks_is_made_again(index: Index, faults: Faults, dists: tuple[Dist, ...]) -> None:
    faults.order("reset", times=2)
    assert holdings(index, "demo", "1.0", dists).complete


@pytest.mark.parametrize(("kind", "detail"), [("status", "503 Busy"), ("reset", None)])
def test_an_index_that_stays_away_is_unreachable(index: Index, faults: Faults, kind: str, detail: str | None) -> None:
    faults.order(kind, detail=detail, times=ALWAYS)
    with pytest.raises(IndexUnreachable, match="TestPyPI cannot be read at") as error:
        read_project(index, "demo")
    assert error.value.reason
    assert faults.orders[0].times == ALWAYS - 4


def test_who_is_not_patient_asks_once(index: Index, faults: Faults, dists: tuple[Dist, ...]) -> None:
    faults.order("status", detail="503 Busy", times=ALWAYS)
    with pytest.raises(IndexUnreachable, match="503 Busy"):
        holdings(index, "demo", "1.0", dists, patient=False)
    assert faults.orders[0].times == ALWAYS - 1


def test_nobody_who_listens_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/simple/"
    with pytest.raises(IndexUnreachable) as error:
        read_project(replace(NOBODY, simple=url), "demo")
    assert f"the index of nobody cannot be read at {url}demo/: " in str(error.value)


def test_an_answer_that_is_cut_short_is_not_taken() -> None:
    body = json.dumps({"files": []})
    with answering(body, Content_Length=str(len(body))) as url:
        assert read_project(replace(NOBODY, simple=f"{url}/simple/"), "demo") == Listing(exists=False)
    with answering(body, Content_Length=str(len(body) + 1)) as url, pytest.raises(IndexUnreachable):
        read_project(replace(NOBODY, simple=f"{url}/simple/"), "demo")


def test_a_page_that_has_moved_is_followed(folder: Path, dists: tuple[Dist, ...]) -> None:
    with (
        serving(StandinIndex(folder, "a-token")) as there,
        answering("", "301 Moved", Location=f"{there}/simple/demo/") as url,
    ):
        assert holdings(replace(NOBODY, simple=f"{url}/simple/"), "demo", "1.0", dists).complete


def test_a_page_that_moves_in_a_circle_is_refused() -> None:
    with answering("", "301 Moved Permanently", Location="/simple/demo/") as url:
        with pytest.raises(IndexRefused) as error:
            read_project(replace(NOBODY, simple=f"{url}/simple/"), "demo")
        assert error.value.status == 301


def test_a_page_that_has_moved_to_a_file_is_not_followed(folder: Path) -> None:
    with answering("", "302 Found", Location=(folder / SDIST).as_uri()) as url, pytest.raises(IndexRefused):
        read_project(replace(NOBODY, simple=f"{url}/simple/"), "demo")


# Waiting for an index.


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def wait(index: Index, dists: tuple[Dist, ...], clock: Clock, said: list[str]) -> Callable[..., Holdings]:
    def waiting(at: Index = index, *, limit: float) -> Holdings:
        return wait_until_served(at, "demo", "1.0", dists, limit=limit, say=said.append, sleep=clock.sleep, clock=clock)

    return waiting


def test_what_is_served_is_not_waited_for(wait: Callable[..., Holdings], clock: Clock, faults: Faults) -> None:
    assert wait(limit=0).complete
    assert (clock.pauses, faults.reads) == ([], 1)


def test_a_page_that_lags_is_looked_at_again(wait: Callable[..., Holdings], clock: Clock, faults: Faults) -> None:
    faults.order("page", times=3, detail=lambda page: page["files"].pop())
    assert wait(limit=900).complete
    assert clock.pauses == list(POLL_AFTER[:3])


def test_a_page_that_lags_for_ever_ends_with_the_files_that_are_missing(
    wait: Callable[..., Holdings], clock: Clock, faults: Faults, said: list[str]
) -> None:
    faults.order("page", times=ALWAYS, detail=lambda page: page["files"].pop())
    with pytest.raises(NotVisible) as error:
        wait(limit=90)
    assert error.value.files == (SDIST,)
    assert "TestPyPI accepted demo 1.0, but does not show it after 90 seconds:\n  demo-1.0.tar.gz" in str(error.value)
    assert clock.now - 1000 <= 90
    assert clock.pauses[-2:] == [POLL_AFTER[-1]] * 2
    assert said[0].startswith("waiting for TestPyPI to show the files: 1")
    assert all(line.endswith("s more") for line in said)
    assert len(said) < len(clock.pauses)


def test_other_bytes_end_the_wait_at_once(
    wait: Callable[..., Holdings], clock: Clock, faults: Faults, folder: Path
) -> None:
    (folder / WHEEL).write_bytes(b"other bytes")
    faults.order("page", times=ALWAYS, detail=lambda page: page["files"].pop())
    with pytest.raises(OtherBytes):
        wait(limit=900)
    assert clock.pauses == []


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch, index: Index) -> Index:
    """The same index, as if it stood behind several edges elsewhere."""
    monkeypatch.setattr(indexes, "LOOPBACK", frozenset())
    return index


def test_several_answers_have_to_agree_where_edges_cache(
    wait: Callable[..., Holdings], remote: Index, clock: Clock, faults: Faults
) -> None:
    assert wait(remote, limit=900).complete
    assert (faults.reads, len(clock.pauses)) == (AGREEING, AGREEING - 1)


def test_an_edge_that_lags_starts_the_count_anew(
    wait: Callable[..., Holdings], remote: Index, clock: Clock, faults: Faults
) -> None:
    answers = iter([False, True, False, False])

    def lag(page: dict[str, Any]) -> None:
        if next(answers):
            page["files"].pop()

    faults.order("page", times=4, detail=lag)
    assert wait(remote, limit=900).complete
    assert (faults.reads, len(clock.pauses)) == (4, 3)


def test_one_answer_is_not_enough_to_agree(wait: Callable[..., Holdings], remote: Index) -> None:
    with pytest.raises(NotVisible):
        wait(remote, limit=0)


# Downloading.


def test_a_file_is_downloaded_whole(index: Index, dists: tuple[Dist, ...], tmp_path: Path, faults: Faults) -> None:
    faults.order("status", detail="503 Busy", prefix="/packages/")
    found = holdings(index, "demo", "1.0", dists)
    for dist in dists:
        download(index, found.url(dist), tmp_path / dist.filename)
        assert Dist.from_file(tmp_path / dist.filename) == dist


def test_a_file_that_is_gone_is_not_downloaded(index: Index, tmp_path: Path) -> None:
    with pytest.raises(IndexRefused, match="404 Not Found"):
        download(index, index.simple.replace("/simple/", "/packages/gone.whl"), tmp_path / "gone.whl")
    assert not (tmp_path / "gone.whl").exists()
