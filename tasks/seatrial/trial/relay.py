"""An index of dependencies that wants a login, handed on to the installers of this machine without it.

An installer, and whatever code it runs, sees an address on 127.0.0.1 that is told to nobody else. Behind it we ask the
index with its login, for pages of projects and the files that those pages name; everything else there stays out of
reach. Bytes are handed on as they come: installers compare them with the hashes of the page.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
import secrets
import shutil
import threading
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from seatrial.index import http
from seatrial.index.holdings import read_project
from seatrial.index.http import IndexRefused, IndexUnreachable
from seatrial.index.indexes import origin
from seatrial.index.simple import JSON, parse
from seatrial.machine.errors import ReleaseError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.index.indexes import Index, Login

PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/?")  # below the simple URL; nothing that climbs out of it
METADATA = ".metadata"  # what an index serves beside a file (PEP 658)
ONE = threading.Lock()  # `check` tries several files at once, and one relay is enough for them
KNOCK = "pip"  # a project to ask for, to learn whether the login is taken before an installer trips over it


@dataclass
class Relay:
    """What is handed on of `index`: the pages of projects, and the `known` files, by their path on the index."""

    index: Index
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    known: set[str] = field(default_factory=set)

    def upstream(self, path: str) -> tuple[str, bool]:
        """Return the URL that a request for `path` asks for, and whether it is a project's page; "" for no URL."""
        given, _, wanted = path.removeprefix("/").partition("/")
        if not secrets.compare_digest(given.encode(), self.key.encode()):
            return "", False
        wanted, simple = f"/{wanted}", urlsplit(self.index.simple).path
        if wanted in self.known or wanted.removesuffix(METADATA) in self.known:
            return urljoin(self.index.simple, wanted), False
        page = wanted.startswith(simple) and PROJECT.fullmatch(wanted[len(simple) :])
        return (urljoin(self.index.simple, wanted), True) if page else ("", False)

    def page(self, body: bytes, url: str) -> bytes:
        """Return the page `body` of a project, which came from `url`, in JSON and with our own addresses for files."""
        listed = [
            {
                "filename": file.filename,
                "url": self._local(file.url),
                "hashes": {"sha256": file.sha256} if file.sha256 else {},
                "requires-python": file.requires_python or None,
                "yanked": file.yanked,
            }
            for file in parse(body, url).files
        ]
        return json.dumps({"meta": {"api-version": "1.0"}, "name": url.split("/")[-2], "files": listed}).encode()

    def _local(self, url: str) -> str:
        """Return our own address of a file of the index; files elsewhere are fetched from there, without any login."""
        if origin(url) != origin(self.index.simple):
            return url
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        self.known.add(path)
        return f"/{self.key}{path}"


class _Handler(BaseHTTPRequestHandler):
    """Answers installers out of the index of `relay`."""

    relay: Relay

    def do_GET(self) -> None:
        url, is_page = self.relay.upstream(self.path)
        if not url:
            self.send_error(404)
            return
        try:
            if is_page:
                page = http.read(self.relay.index, url, patient=False)
                if page is None:
                    raise IndexRefused(self.relay.index.name, url, HTTPStatus.NOT_FOUND, "Not Found")
                body = self.relay.page(page.body, page.url)
                self._begin({"Content-Type": JSON, "Content-Length": str(len(body))})
                self.wfile.write(body)
            else:
                with http.opened(self.relay.index, url) as response:
                    self._begin({name: response.headers.get(name, "") for name in ("Content-Type", "Content-Length")})
                    shutil.copyfileobj(response, self.wfile)
        except IndexRefused as error:
            self.send_error(error.status, f"{error.reason} (says {self.relay.index.name})")
        except IndexUnreachable as error:
            with contextlib.suppress(OSError):
                self.send_error(error.status or 502, f"{printable(error.reason)} (says {self.relay.index.name})")
        except (OSError, ValueError, ReleaseError):  # also an installer that hangs up
            with contextlib.suppress(OSError):
                self.send_error(502, f"{self.relay.index.name} does not answer as an index")

    def do_HEAD(self) -> None:
        """Say that there are no parts of files to be had, which is what uv asks for with it."""
        self.send_error(405)

    def _begin(self, headers: Mapping[str, str]) -> None:
        self.send_response(200)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep requests, and with them the key, off the terminal."""


@functools.cache
def _address(index: Index, login: Login | None) -> str:
    """Serve a relay to `index` as long as this process lives, and return its simple URL; its own without a `login`.

    Raises LoginRefused.
    """
    read_project(index, KNOCK)
    if login is None:
        return index.simple
    relay = Relay(index)
    handler = type("Handler", (_Handler,), {"relay": relay})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/{relay.key}{urlsplit(index.simple).path}"


def local(index: Index) -> Index:
    """Return the index for installers to read in place of `index`: itself, or a relay where it wants a login.

    Raises LoginRefused, and what reading an index raises.
    """
    if index.is_public or index.stands_for:
        return index
    with ONE:
        address = _address(index, index.login)
    return replace(index, simple=address, login=None, stands_for=index.simple) if index.login else index


def told(url: str, index: Index) -> str:
    """Return `url` as it is on the index that `index` stands for, for the record."""
    base = "/".join([*index.simple.split("/")[:4], ""])  # of a relay: what stands before the path of the index
    return urljoin(index.stands_for, f"/{url[len(base) :]}") if index.stands_for and url.startswith(base) else url
