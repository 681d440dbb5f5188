"""Uploads among random faults: whatever fails in whatever order, no index ever holds a wrong or a doubled file."""

from __future__ import annotations

import hashlib
import io
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.index import http
from seatrial.index.credentials import Credential
from seatrial.index.http import IndexUnreachable, Page
from seatrial.index.indexes import TESTPYPI, Index
from seatrial.index.simple import JSON
from seatrial.index.tokens import make
from seatrial.index.uploads.upload import Job, upload
from seatrial.machine import process
from seatrial.machine.errors import ReleaseError
from seatrial.release.stages import Dist
from seatrial.standin.server import StandinIndex
from tests import sender

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from _typeshed.wsgi import WSGIApplication

NAMES = (
    "demo-1.0-cp310-abi3-win_amd64.whl",
    "demo-1.0-cp39-abi3-any.whl",
    "demo-1.0-py3-none-any.whl",
    "demo-1.0.tar.gz",
)
TOKEN = make("test.pypi.org")
READS = ("fine", "fine", "503", "429", "reset", "cut short", "stale", "html", "404")
POSTS = (
    "fine",
    "fine",
    "503",
    "429",
    "reset",
    "stored, then 502",
    "stored, then reset",
    "403",
    "cut short",
    "wrong digest",
)


class KilledError(BaseException):
    """The session's end, at any moment."""


@dataclass
class Net:
    """The way to an index without a socket; each request meets the next of the faults."""

    app: WSGIApplication
    reads: list[str]
    posts: list[str]
    pages: list[bytes] = field(default_factory=list)
    last: str = ""

    def post(self, _url: str, content_type: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """Carry an upload to the index, or let it meet a fault."""
        fault = self.posts.pop() if self.posts else "fine"
        if fault == "killed":
            raise KilledError
        if fault == "reset":
            raise ConnectionResetError("reset by peer")
        if fault in {"503", "429", "403"}:
            return int(fault), f"fault {fault}"
        if fault == "wrong digest":
            body = body.replace(b'name="sha256_digest"\r\n\r\n', b'name="sha256_digest"\r\n\r\n0')
        sent = body[: len(body) // 2] if fault == "cut short" else body
        more = {"CONTENT_TYPE": content_type, "HTTP_AUTHORIZATION": headers["Authorization"]}
        status, reason, _ = self.ask("POST", "/legacy/", sent, **more, CONTENT_LENGTH=str(len(body)))
        if fault == "killed after":
            raise KilledError
        if fault == "stored, then reset":
            raise ConnectionResetError("reset by peer")
        return (502, "Bad Gateway") if fault == "stored, then 502" else (status, reason)

    def read(self, index: Index, url: str, *_more: object) -> Page | None:
        """Answer what is asked of `index`, or let it meet a fault."""
        fault = self.reads.pop() if self.reads else "fine"
        if fault == "killed":
            raise KilledError
        if fault == "reset":
            raise IndexUnreachable(index.name, url, "reset by peer")
        if fault == "cut short":
            raise IndexUnreachable(index.name, url, "the answer was cut short")
        if fault in {"503", "429"}:
            raise IndexUnreachable(index.name, url, "fault", status=int(fault))
        if fault == "html":
            return Page(b"<html>Please log in</html>", url)
        status, _, page = self.ask("GET", urlsplit(url).path)
        self.pages.append(page if status == 200 else b'{"files": []}')
        if fault == "stale":
            return Page(self.pages[len(self.pages) // 2], url)
        return None if fault == "404" or status != 200 else Page(page, url)

    def ask(self, method: str, path: str, body: bytes = b"", **more: str) -> tuple[int, str, bytes]:
        """Have the index answer: status code, reason and body."""
        answered: list[str] = []
        environ: Any = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_ACCEPT": JSON,
            "wsgi.input": io.BytesIO(body),
            **more,
        }
        start: Any = lambda status, _headers, *_: answered.append(status)  # noqa: E731
        answer = b"".join(self.app(environ, start))
        code, _, reason = answered[0].partition(" ")
        return int(code), reason, answer


@contextmanager
def wired(net: Net) -> Iterator[None]:
    """Let uploads and reads go through `net`, and no pause take time."""

    def run(argv: Any, **options: Any) -> process.Outcome:
        return sender.run(argv, transport=net.post, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "run", run)
        patch.setattr(http, "_received", net.read)
        patch.setattr(time, "sleep", lambda _: None)
        yield


def release(folder: Path) -> tuple[Dist, ...]:
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_bytes(f"the bytes of {name}".encode())
    return tuple(sorted(map(Dist.from_file, folder.iterdir())))


def held(index: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in index.iterdir()}


def is_sound(index: Path, dists: tuple[Dist, ...]) -> bool:
    """Whether the index holds nothing but our files with our bytes, and the sdist only beside all wheels."""
    there = held(index)
    ours = {dist.filename: dist.sha256 for dist in dists}
    return there.items() <= ours.items() and (NAMES[-1] not in there or len(there) == len(NAMES))


@settings(max_examples=300, deadline=None)
@given(
    reads=st.lists(st.sampled_from([*READS, "killed"]), max_size=25),
    posts=st.lists(st.sampled_from([*POSTS, "killed", "killed after"]), max_size=25),
)
def test_no_fault_in_any_order_makes_a_wrong_or_a_doubled_file(reads: list[str], posts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        dists = release(place / "dist")
        net = Net(StandinIndex(place / "index", TOKEN), reads, posts)
        credential = Credential("TESTPYPI_TOKEN", TOKEN)
        job = Job(TESTPYPI, "demo", "1.0", dists, place / "dist", lambda: credential, {}, 60, print, print)
        done = False
        while not done:
            left = len(reads) + len(posts)
            with wired(net):
                done = ends_well(job)
            assert is_sound(place / "index", dists)
            assert done or len(reads) + len(posts) < left  # what failed had a fault to fail by
        assert held(place / "index") == {dist.filename: dist.sha256 for dist in dists}


def ends_well(job: Job) -> bool:
    """Upload once; whether it ended as it should, and not by a fault or its own end."""
    try:
        return upload(job, sleep=lambda _: None).complete
    except (ReleaseError, KilledError):
        return False
