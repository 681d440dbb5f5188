"""Requests to indexes: what an answer may cost, where a login goes, and which proxy is asked."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.index import http
from seatrial.index.holdings import IndexNotJson, read_project
from seatrial.index.http import IndexRefused, IndexUnreachable, LoginWithheld, download, read
from seatrial.index.indexes import PYPI, Index, Login
from seatrial.index.simple import JSON
from seatrial.index.tokens import make
from seatrial.standin.launch import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MIB = 1 << 20
ENOUGH = 200 * MIB


def at(url: str, **changes: object) -> Index:
    """Return an index of one's own at `url`."""
    return replace(Index("house", simple=f"{url}/simple/"), **changes)  # type: ignore[arg-type]


def endless(piece: bytes, **headers: str) -> WSGIApplication:
    """Answer with `piece` over and over, for more than any bound: a reader without one fails, and does not hang."""

    def app(_environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", JSON), *headers.items()])
        yield from itertools.repeat(piece, 1 + ENOUGH // len(piece))

    return app


@contextlib.contextmanager
def dripping(head: bytes) -> Iterator[str]:
    """Serve `head` to one who connects, then a byte every so often, for longer than any test waits."""
    over = threading.Event()

    def serve(server: socket.socket) -> None:
        with contextlib.suppress(OSError), server.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(head)
            end = time.monotonic() + 20
            while not over.wait(0.05) and time.monotonic() < end:
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        over.set()
        thread.join(5)


# Bounds.


def test_an_endless_page_is_read_to_a_bound() -> None:
    with serving(endless(b" " * MIB)) as url, pytest.raises(IndexUnreachable, match="an answer of more than 16 MiB"):
        read_project(at(url), "demo", patient=False)


def test_a_page_that_is_packed_to_grow_is_read_to_the_same_bound() -> None:
    bomb = gzip.compress(b" " * (64 * MIB))

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        assert environ["HTTP_ACCEPT_ENCODING"] == "gzip"
        start("200 OK", [("Content-Type", JSON), ("Content-Encoding", "gzip")])
        return [bomb]

    with serving(app) as url, pytest.raises(IndexUnreachable, match="an answer of more than 16 MiB"):
        read_project(at(url), "demo", patient=False)


def test_a_file_is_written_to_its_size_and_a_byte_more(tmp_path: Path) -> None:
    with serving(endless(b"x" * 1000)) as url:
        download(at(url), f"{url}/demo.whl", tmp_path / "demo.whl", limit=2500)
    assert (tmp_path / "demo.whl").stat().st_size == 2501


def test_a_file_is_written_as_it_is_served(tmp_path: Path) -> None:
    """A server that calls a .tar.gz encoded would have it unpacked on the way."""
    packed = gzip.compress(b"the bytes")

    def app(_environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [("Content-Encoding", "gzip")])
        return [packed]

    with serving(app) as url:
        download(at(url), f"{url}/demo.tar.gz", tmp_path / "demo.tar.gz")
    assert (tmp_path / "demo.tar.gz").read_bytes() == packed


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n",
    ],
    ids=["status line", "headers", "body", "body of a known length"],
)
def test_an_answer_that_drips_ends_at_the_deadline(head: bytes) -> None:
    started = time.monotonic()
    with dripping(head) as url, pytest.raises(IndexUnreachable, match="not complete after 1 seconds"):
        read_project(at(url), "demo", deadline=1.0)
    assert time.monotonic() - started < 4


HOSTILE = {
    "a million files": b'{"files": [' + b",".join([b'{"filename": "a", "url": "b", "hashes": {}}'] * 350_000) + b"]}",
    "a million lists": b'{"files": [' + b"[]," * (5 * MIB) + b"[]]}",
    "letters of four bytes": b'{"files": ["' + "\U0001f600".encode() * (3 * MIB) + b'"]}',
    "a tag that does not end": b"<a " + b"b " * (7 * MIB),
    "tags in tags": b"<a " * (4 * MIB),
    "attributes": b"<a href=x " + b"b=c " * 15_000 * 2 + b">" * (8 * MIB),
    "entities": b"<p>" + b"&amp" * (3 * MIB),
    "no file": b"<p>x</p>\n" * (MIB // 4),
}
PROGRAM = """
import re, sys, time
from pathlib import Path
from seatrial.index.simple import parse
body, started = Path(sys.argv[1]).read_bytes(), time.monotonic()
try:
    parse(body, "https://index.example/simple/demo/")
except ValueError:
    pass
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]  # without that of the parent
print(int(peak) // 1024, time.monotonic() - started)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured in /proc")
@pytest.mark.parametrize("kind", HOSTILE)
def test_no_page_takes_more_than_300_megabytes_and_a_minute(tmp_path: Path, kind: str) -> None:
    body = tmp_path / "page"
    body.write_bytes(HOSTILE[kind])
    assert body.stat().st_size <= http.PAGE_BYTES
    output = subprocess.check_output([sys.executable, "-I", "-c", PROGRAM, str(body)], timeout=120)
    megabytes, seconds = map(float, output.split())
    assert megabytes < 300
    assert seconds < 60


# Logins.


def noting(seen: list[str], answer: Callable[[WSGIEnvironment], tuple[str, str]] | None = None) -> WSGIApplication:
    """Note in `seen` the login of each request; `answer` gives a status and a Location."""

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        seen.append(environ.get("HTTP_AUTHORIZATION", ""))
        status, location = answer(environ) if answer else ("200 OK", "")
        start(status, [("Content-Type", JSON), *([("Location", location)] if location else [])])
        return [b'{"files": []}']

    return app


LOGIN = Login("ada", "s3cret", "PYPI_READ_TOKEN")


def test_a_login_goes_to_its_own_origin_and_not_along_with_a_redirect() -> None:
    there: list[str] = []
    here: list[str] = []
    with (
        serving(noting(there)) as elsewhere,
        serving(noting(here, lambda _: ("302 Found", f"{elsewhere}/simple/demo/"))) as url,
    ):
        assert read(at(url, login=LOGIN), f"{url}/simple/demo/")
        read(at(url, login=LOGIN), f"{elsewhere}/simple/demo/")
    assert here == [LOGIN.header]
    assert there == ["", ""]


def test_a_token_of_pypi_is_not_sent_to_another_host_whatever_is_configured() -> None:
    seen: list[str] = []
    with serving(noting(seen)) as url, pytest.raises(LoginWithheld) as error:
        read_project(at(url, login=Login("__token__", make("pypi.org"), "PYPI_READ_TOKEN")), "demo")
    assert seen == []
    assert "The login from PYPI_READ_TOKEN was not sent to house at http://127.0.0.1" in str(error.value)
    assert "it is a token for pypi.org, and goes nowhere else." in str(error.value)


def test_no_login_goes_over_plain_http_to_another_machine() -> None:
    index = at("http://packages.example", login=LOGIN)
    with pytest.raises(LoginWithheld, match="it would go over plain HTTP"):
        read_project(index, "demo")


def test_a_page_that_names_a_file_of_this_machine_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    with pytest.raises(IndexRefused, match="404 Not Found"):
        download(at("http://127.0.0.1:9"), (tmp_path / "secret").as_uri(), tmp_path / "copy")


# Proxies.


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A proxy for everything, by the variables of this machine; what it was asked for."""
    asked: list[str] = []

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        asked.append(environ["PATH_INFO"])
        start("200 OK", [("Content-Type", JSON)])
        return [b'{"files": []}']

    for name in ("no_proxy", "NO_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(app) as url:
        monkeypatch.setenv("http_proxy", url)
        yield asked


def test_no_proxy_stands_before_this_machine(proxy: list[str]) -> None:
    seen: list[str] = []
    with serving(noting(seen)) as url:
        read_project(at(url), "demo")
        read_project(at(url.replace("127.0.0.1", "localhost")), "demo")
    assert (proxy, len(seen)) == ([], 2)


def test_another_machine_is_asked_through_the_proxy_unless_it_is_excepted(
    proxy: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_project(at("http://packages.example"), "demo")
    assert proxy == ["http://packages.example/simple/demo/"]
    monkeypatch.setenv("no_proxy", "packages.example")
    with pytest.raises(IndexUnreachable):
        read_project(at("http://packages.example"), "demo", patient=False)
    assert len(proxy) == 1


@pytest.mark.parametrize("login", ["ada:s3cret/pass", "ada:s3cret@/pass"])
def test_the_login_of_a_proxy_is_in_no_message(proxy: list[str], monkeypatch: pytest.MonkeyPatch, login: str) -> None:
    monkeypatch.setenv("http_proxy", f"http://{login}@127.0.0.1:9")
    with pytest.raises(IndexUnreachable) as error:
        read_project(at("http://packages.example"), "demo", patient=False)
    assert not any(part in str(error.value) for part in ("ada", "s3cret", "pass@"))
    assert proxy == []


# What an index shows of a project.


@pytest.mark.parametrize(
    ("status", "body", "public", "own"),
    [
        ("404 Not Found", "", (False, 0), (False, 0)),
        ("200 OK", '{"files": []}', (True, 0), (False, 0)),
        (
            "200 OK",
            '{"files": [{"filename": "demo-1.0.tar.gz", "url": "a", "hashes": {}}]}',
            (True, 1),
            (True, 1),
        ),
    ],
    ids=["no project", "no files", "files"],
)
def test_no_project_is_not_a_project_without_files(
    status: str, body: str, public: tuple[bool, int], own: tuple[bool, int]
) -> None:
    """Some servers answer 200 for a name that they never heard of."""

    def app(_environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start(status, [("Content-Type", JSON)])
        return [body.encode()]

    with serving(app) as url:
        for index, expected in ((replace(PYPI, simple=f"{url}/simple/"), public), (at(url), own)):
            found = read_project(index, "demo")
            assert (found.exists, len(found.files)) == expected


@pytest.mark.parametrize(("host", "is_public"), [("pypi.org", True), ("test.pypi.org", True), ("evilpypi.org", False)])
def test_the_status_page_is_named_for_the_public_indexes_alone(host: str, is_public: bool) -> None:  # noqa: FBT001
    error = IndexUnreachable("PyPI", f"https://{host}/simple/", "reset by peer")
    assert ("status.python.org" in str(error)) is is_public


def test_a_page_of_too_many_values_is_no_page() -> None:
    body = HOSTILE["a million files"]

    def app(_environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", JSON)])
        return [body]

    with serving(app) as url, pytest.raises(IndexNotJson):
        read_project(at(url), "demo", patient=False)
