"""PyPI and TestPyPI under their own names, as far as the programs of one test are concerned.

A proxy, which everything that talks to an index obeys, ends TLS for their hosts with a certificate of its own authority
and hands the requests to servers of the test; it passes on everything else unread. So the sessions, twine, pip and uv
run with the public URLs, as in a release, and nothing of ours is told that this is a test.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import certifi
import trustme

from seatrial.standin.launch import serving

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
LIMIT = 60.0  # seconds that a connection may be silent


@dataclass
class Beside:
    """A WSGI layer in front of `real`: the project `name` is on the stand-in `ours`, all others are where they were."""

    ours: WSGIApplication
    name: str
    real: str

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if environ["REQUEST_METHOD"] != "GET" or self.name in path.split("/") or not path.startswith("/simple/"):
            return self.ours(environ, start)
        request = urllib.request.Request(self.real + path, headers={"Accept": environ.get("HTTP_ACCEPT", "*/*")})  # noqa: S310 (https)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT) as answer:  # noqa: S310 (likewise)
                status, kind, body = "200 OK", answer.headers["Content-Type"], answer.read()
        except urllib.error.HTTPError as error:
            status, kind, body = f"{error.code} {error.reason}", "text/plain", b""
        start(status, [("Content-Type", kind)])
        return [body]


class _Proxy(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    context: ssl.SSLContext
    ours: Mapping[str, tuple[str, int]]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that were broken off, as a test orders them."""


class _Connection(StreamRequestHandler):
    server: _Proxy

    def handle(self) -> None:
        """Answer one CONNECT: a tunnel to the host it names, or to our server in its place."""
        method, authority, _ = self.rfile.readline().decode().split()
        while self.rfile.readline().strip():
            pass
        if method != "CONNECT":
            self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
            return
        host, _, port = authority.rpartition(":")
        place = self.server.ours.get(host)
        with socket.create_connection(place or (host, int(port)), timeout=LIMIT) as there:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            context = self.server.context
            with context.wrap_socket(self.connection, server_side=True) if place else self.connection as here:
                here.settimeout(LIMIT)
                back = threading.Thread(target=_pass_on, args=(there, here), daemon=True)
                back.start()
                _pass_on(here, there)
                back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Copy what comes from `source` until it ends, and end `target`'s side then."""
    with contextlib.suppress(OSError):
        while some := source.recv(65536):
            target.sendall(some)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def standing_in(folder: Path, servers: Mapping[str, WSGIApplication]) -> Iterator[dict[str, str]]:
    """Serve `servers`, by the name of the host each stands for; yield the variables with which programs meet them."""
    authority = trustme.CA()
    with contextlib.ExitStack() as stack:
        ours = {host: urlsplit(stack.enter_context(serving(app))) for host, app in servers.items()}
        proxy = stack.enter_context(_Proxy(("127.0.0.1", 0), _Connection))
        proxy.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*servers).configure_cert(proxy.context)
        proxy.ours = {host: (str(url.hostname), url.port or 0) for host, url in ours.items()}
        threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        stack.callback(proxy.shutdown)
        bundle = folder / "authorities.pem"
        known = Path(os.environ.get("SSL_CERT_FILE") or certifi.where())
        bundle.write_bytes(known.read_bytes() + authority.cert_pem.bytes())
        address = f"http://127.0.0.1:{proxy.server_address[1]}"
        yield {"HTTPS_PROXY": address, "NO_PROXY": "", **dict.fromkeys(CERTIFICATES, str(bundle))}
