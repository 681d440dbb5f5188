"""An index as companies have them: nothing is shown without a login, and pages are HTML alone (as Artifactory's)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.index.tokens import make
from seatrial.standin.server import StandinIndex

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

READER, WRITER = ("reader", "may only read"), ("writer", "may read and write")


def basic(username: str, password: str) -> str:
    """Return what an Authorization header says of a login."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


@dataclass
class PrivateIndex:
    """A WSGI layer around a stand-in: 401 without a login, 403 for what it may not do; `json` lets JSON through.

    `hashes` says whether links carry #sha256=. `seen` has path and login of all requests.
    """

    inner: WSGIApplication
    token: str
    json: bool = False
    hashes: bool = True
    seen: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path, *, json: bool = False, hashes: bool = True) -> PrivateIndex:
        """Serve the files of `folder`."""
        token = make("private.example")
        return cls(StandinIndex(folder, token), token, json, hashes)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        given = environ.get("HTTP_AUTHORIZATION", "")
        self.seen.append((environ.get("PATH_INFO", ""), given))
        if given not in {basic(*READER), basic(*WRITER)}:
            return refused(environ, start, "401 Unauthorized")
        if environ["REQUEST_METHOD"] == "POST":
            if given != basic(*WRITER):
                return refused(environ, start, "403 Forbidden")
            return self.inner({**environ, "HTTP_AUTHORIZATION": basic("__token__", self.token)}, start)
        environ = environ if self.json else {**environ, "HTTP_ACCEPT": "text/html"}
        return self._read(environ, start)

    def _read(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if self.hashes or not environ["PATH_INFO"].startswith("/simple"):
            return self.inner(environ, start)
        body = b"".join(
            self.inner(environ, lambda status, _headers, *_: start(status, [("Content-Type", "text/html")]))
        )
        return [body.replace(b"#sha256=", b"#md5=")]


def refused(environ: WSGIEnvironment, start: StartResponse, status: str) -> Iterable[bytes]:
    """Read the request to its end, and refuse it."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start(status, [("Content-Type", "text/plain"), ("WWW-Authenticate", 'Basic realm="private"')])
    return [status.encode()]
