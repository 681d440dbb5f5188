"""A private index of dependencies, read with its login by us alone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.index import http
from seatrial.index.holdings import NoHashes, holdings, read_project
from seatrial.index.http import IndexRefused, LoginRefused, download
from seatrial.index.indexes import PYPI, TESTPYPI, Index, Login
from seatrial.release.stages import Dist
from seatrial.standin.launch import serving
from seatrial.standin.server import StandinIndex
from seatrial.trial import relay
from tests.private_index import READER, WRITER, PrivateIndex, basic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

WHEEL = "demo-1.0-py3-none-any.whl"
LOGIN = Login(*READER, "DEPENDENCIES_TOKEN")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    (made / WHEEL).write_bytes(b"the bytes of a wheel")
    return made


@pytest.fixture
def private(folder: Path) -> PrivateIndex:
    return PrivateIndex.of(folder)


@pytest.fixture
def index(private: PrivateIndex) -> Iterator[Index]:
    with serving(private) as url:
        where = Index("packages.example", simple=f"{url}/simple/", token_variable="DEPENDENCIES_TOKEN")
        yield replace(where, login=LOGIN)


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 (loopback)
        body: bytes = answer.read()
    return body


def refused(url: str) -> str:
    """Return the code and the reason with which `url` is refused."""
    with pytest.raises(urllib.error.HTTPError) as error:
        fetched(url)
    error.value.close()
    return f"{error.value.code} {error.value.reason}"


# The login that an index is read with.


def test_an_index_that_wants_a_login_is_read_with_it(index: Index, folder: Path, tmp_path: Path) -> None:
    dist = Dist.from_file(folder / WHEEL)
    found = holdings(index, "demo", "1.0", (dist,))
    assert found.complete
    download(index, found.url(dist), tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == b"the bytes of a wheel"


@pytest.mark.parametrize(
    ("login", "said"),
    [
        (None, "401 Unauthorized. The request had no login: none is set."),
        (Login("reader", "wrong", "PYPI_TOKEN"), "401 Unauthorized. The request used PYPI_TOKEN."),
    ],
)
def test_an_index_that_does_not_take_the_login_says_where_to_put_one(
    index: Index, login: Login | None, said: str
) -> None:
    with pytest.raises(LoginRefused) as error:
        read_project(replace(index, login=login), "demo")
    assert f"packages.example did not show {index.simple}demo/: {said}" in str(error.value)
    assert "into DEPENDENCIES_TOKEN, and its user name into DEPENDENCIES_USERNAME" in str(error.value)
    assert "wrong" not in str(error.value)


def test_the_public_indexes_want_no_login(index: Index) -> None:
    with pytest.raises(IndexRefused) as error:
        read_project(replace(TESTPYPI, simple=index.simple), "demo")
    assert not isinstance(error.value, LoginRefused)


def test_a_login_is_never_shown(index: Index) -> None:
    assert READER[1] not in repr(index)


def test_a_login_goes_nowhere_else(index: Index, private: PrivateIndex, tmp_path: Path) -> None:
    """Neither to a file on another host, nor along with a redirect to one."""
    with serving(private) as other:
        for url in (f"{other}/packages/{WHEEL}", f"{other}/simple/demo/"):
            with pytest.raises(IndexRefused, match="401"):
                download(index, url, tmp_path / "fetched")

        def redirecting(_environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            start("302 Found", [("Location", f"{other}/packages/{WHEEL}")])
            return [b""]

        with serving(redirecting) as url, pytest.raises(IndexRefused, match="401"):
            download(replace(index, simple=f"{url}/simple/"), f"{url}/packages/{WHEEL}", tmp_path / "fetched")
    assert {given for _, given in private.seen} == {""}


def test_a_redirect_at_the_same_place_takes_the_login_along(index: Index, private: PrivateIndex) -> None:
    assert read_project(index, "demo").files
    url = index.simple.replace("/simple/", "/simple/Demo/")
    page = http.read(index, url)
    assert page is not None
    assert page.url.endswith("/simple/demo/")
    assert {given for _, given in private.seen} == {basic(*READER)}


def test_an_index_without_hashes_proves_nothing(private: PrivateIndex, index: Index, folder: Path) -> None:
    private.hashes = False
    with pytest.raises(NoHashes) as error:
        holdings(index, "demo", "1.0", (Dist.from_file(folder / WHEEL),))
    assert "lists them without sha256" in str(error.value)
    private.hashes = True
    assert holdings(index, "demo", "1.0", (Dist.from_file(folder / WHEEL),)).complete


# The relay.


def test_an_index_that_wants_no_login_is_no_business_of_the_relay(index: Index, folder: Path) -> None:
    with pytest.raises(LoginRefused):
        relay.local(replace(index, login=None))
    assert relay.local(PYPI) is PYPI
    with serving(StandinIndex(folder, "a token")) as url:
        open_to_all = Index("open.example", simple=f"{url}/simple/")
        assert relay.local(open_to_all) is open_to_all


def test_installers_read_a_private_index_without_its_login(index: Index, private: PrivateIndex) -> None:
    here = relay.local(index)
    assert here.is_loopback
    assert here.login is None
    page = json.loads(fetched(f"{here.simple}demo/"))
    assert [(file["filename"], file["requires-python"]) for file in page["files"]] == [(WHEEL, None)]
    url = "/".join(here.simple.split("/")[:3]) + page["files"][0]["url"]
    assert fetched(url) == b"the bytes of a wheel"
    assert relay.told(url, here) == index.simple.replace("/simple/", f"/packages/{WHEEL}")
    assert {given for _, given in private.seen} == {basic(*READER)}


def test_the_relay_is_one_for_all_sessions_of_a_nox(index: Index) -> None:
    assert relay.local(index) == relay.local(index)


@pytest.mark.parametrize(
    "path",
    [
        "simple/../packages/" + WHEEL,
        "packages/" + WHEEL,  # which no page has named yet
        "api/security/token",
        "simple/demo/more",
        "simple/",
        "simple/%2e%2e/packages",
    ],
)
def test_the_relay_hands_on_pages_and_the_files_they_name_alone(index: Index, private: PrivateIndex, path: str) -> None:
    here = relay.local(index)
    before = len(private.seen)
    assert refused(here.simple.removesuffix("simple/") + path).startswith("404")
    assert len(private.seen) == before


def test_the_relay_answers_nobody_who_was_not_told_its_address(index: Index) -> None:
    here = relay.local(index)
    start, _, port = here.simple.partition("//")[2].partition("/")[0].rpartition(":")
    for key in ("", "guess", "/"):
        assert refused(f"http://{start}:{port}/{key}/simple/demo/").startswith("404")


def test_an_installer_that_asks_for_parts_of_a_file_is_told_that_there_are_none(index: Index) -> None:
    here = relay.local(index)
    request = urllib.request.Request(f"{here.simple}demo/", method="HEAD")  # noqa: S310 (loopback)
    with pytest.raises(urllib.error.HTTPError, match="405") as error:
        urllib.request.urlopen(request, timeout=5)  # noqa: S310
    error.value.close()


def test_a_login_that_is_refused_is_told_before_an_installer_trips_over_it(index: Index) -> None:
    relay.local(index)
    with pytest.raises(LoginRefused):
        relay.local(replace(index, login=Login("reader", "wrong", "a variable")))


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("404 Not Found", "404 Not Found (says packages.example)"),
        ("503 Busy", "503 Busy (says packages.example)"),
    ],
)
def test_a_refusal_is_handed_on_with_the_name_of_the_index(folder: Path, answer: str, shown: str) -> None:
    refusing: list[str] = []
    inner = PrivateIndex.of(folder)

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if refusing:
            start(answer, [])
            return [b""]
        return inner(environ, start)

    with serving(app) as url:
        here = relay.local(Index("packages.example", simple=f"{url}/simple/", login=LOGIN))
        refusing.append(answer)
        assert refused(f"{here.simple}demo/") == shown


def pages(answering: Callable[[str], bytes]) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "text/html")])
        return [answering(environ["PATH_INFO"])]

    return app


def test_what_is_no_page_is_an_error_of_the_index(folder: Path) -> None:
    del folder
    knocked: list[str] = []

    def answer(path: str) -> bytes:
        if "/pip/" in path:
            return b"<h1>Links for pip</h1>"
        knocked.append(path)
        return b"<title>log in</title>"

    with serving(pages(answer)) as url:
        here = relay.local(Index("packages.example", simple=f"{url}/simple/", login=LOGIN))
        assert refused(f"{here.simple}demo/") == "502 packages.example does not answer as an index"
    assert knocked == ["/simple/demo/"]


def test_files_elsewhere_are_fetched_from_there() -> None:
    body = b'<a href="https://cdn.example/demo-1.0.tar.gz">demo</a><a href="demo-1.1.tar.gz?x=1">demo</a>'
    found = relay.Relay(Index("an index", simple="https://index.example/simple/"), key="key")
    page = json.loads(found.page(body, "https://index.example/simple/demo/"))
    assert [file["url"] for file in page["files"]] == [
        "https://cdn.example/demo-1.0.tar.gz",
        "/key/simple/demo/demo-1.1.tar.gz?x=1",
    ]
    assert [file["hashes"] for file in page["files"]] == [{}, {}]
    assert found.known == {"/simple/demo/demo-1.1.tar.gz?x=1"}
    assert found.upstream("/key/simple/demo/demo-1.1.tar.gz?x=1") == (
        "https://index.example/simple/demo/demo-1.1.tar.gz?x=1",
        False,
    )


def test_an_address_that_is_no_relays_is_told_as_it_is(index: Index) -> None:
    here = replace(index, simple="http://127.0.0.1:1/key/simple/", stands_for="https://index.example/simple/")
    assert relay.told("http://127.0.0.1:1/key/f/a.whl", here) == "https://index.example/f/a.whl"
    assert relay.told("https://cdn.example/a.whl", here) == "https://cdn.example/a.whl"
    assert relay.told("https://index.example/a.whl", index) == "https://index.example/a.whl"


def test_who_may_write_may_read(index: Index) -> None:
    assert read_project(replace(index, login=Login(*WRITER, "PYPI_TOKEN")), "demo").files
