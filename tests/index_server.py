"""A stand-in index that can be told to fail, for tests of whoever talks to it."""

from __future__ import annotations

import io
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ALWAYS = 10**6


@dataclass
class Fault:
    """What happens to the next `times` requests with this method whose path begins with `prefix`, after `skip`."""

    kind: str
    method: str
    prefix: str
    times: int
    detail: Any = None
    skip: int = 0
    until: float = 0.0

    def meets(self, method: str, path: str) -> bool:
        """Whether a request is one of these; each that is counts."""
        if not self.times or self.method != method or not path.startswith(self.prefix):
            return False
        self.skip -= 1
        self.times -= self.skip < 0
        return self.skip < 0


@dataclass
class Faults:
    """A WSGI layer around an index. Orders are served in turn; without one the index answers."""

    inner: WSGIApplication
    uploads: int = 0
    reads: int = 0
    orders: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def order(  # a fault has that many sides
        self, kind: str, *, method: str = "GET", prefix: str = "/", times: int = 1, detail: Any = None, skip: int = 0
    ) -> None:
        """Ask for a fault: ``status`` (detail: "503 Busy", or that and a Retry-After), ``reset``,
        ``slow`` (detail: seconds), ``html``, ``stored-then-502``, ``truncated`` (half the body comes),
        ``page`` (detail: a function that changes the project's JSON page), ``stale`` (detail: for how many seconds from
        the first of these requests on a page shows no file), ``body`` (detail: other bytes to serve),
        or ``meanwhile`` (detail: how much of the request is read before, None for all of it and an answer, and a
        function to call then).
        """  # noqa: D205 (the list of kinds is one sentence)
        self.orders.append(Fault(kind, method, prefix, times, detail, skip))

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        fault = self._next(environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/"))
        if fault is None:
            return self._counted(environ, start)
        return getattr(self, f"_{fault.kind.replace('-', '_')}")(environ, start, fault)  # type: ignore[no-any-return]

    def _next(self, method: str, path: str) -> Fault | None:
        with self.lock:
            return next((fault for fault in self.orders if fault.meets(method, path)), None)

    def _counted(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            self.uploads += 1
        else:
            self.reads += 1
        return self.inner(environ, start)

    def _answer(self, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return what the index answers: status, headers and body."""
        answered: list[tuple[str, list[tuple[str, str]]]] = []
        capture: Callable[..., Any] = lambda status, headers, *_: answered.append((status, headers))  # noqa: E731
        parts = self._counted(environ, capture)
        body = b"".join(parts)
        getattr(parts, "close", bool)()  # a file that is served is open as long as it is
        return (*answered[0], body)

    def _status(self, environ: WSGIEnvironment, start: StartResponse, fault: Fault) -> Iterable[bytes]:
        _drain(environ)
        status, *after = fault.detail if isinstance(fault.detail, tuple) else (fault.detail,)
        return self._refused(start, status, *after)

    def _refused(self, start: StartResponse, status: str, *after: str) -> Iterable[bytes]:
        start(status, [("Content-Type", "text/plain"), *(("Retry-After", text) for text in after)])
        return [status.encode()]

    def _html(self, environ: WSGIEnvironment, start: StartResponse, fault: Fault) -> Iterable[bytes]:
        del environ, fault
        start("200 OK", [("Content-Type", "text/html")])
        return [b"<html><title>Please log in</title></html>"]

    def _slow(self, environ: WSGIEnvironment, start: StartResponse, fault: Fault) -> Iterable[bytes]:
        time.sleep(fault.detail)
        return self._counted(environ, start)

    def _reset(self, environ: WSGIEnvironment, start: StartResponse, fault: Fault) -> Iterable[bytes]:
        del start, fault
        connection: socket.socket = environ["wsgi.input"].raw._sock
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(connection.detach())  # its own close() waits for the files that are made of it
        raise ConnectionResetError  # which the handler passes over in silence

    def _stored_then_502(self, environ: WSGIEnvironment, start: StartResponse, fault: Fault) -> Iterable[bytes]:
        del fault
        self._answer(environ)
        return self._refused(start, "502 Bad Gateway")

    def _page(self, environ: WSGIEnvironment, start: StartResponse, fault: Fault) -> Iterable[bytes]:
        status, headers, body = self._answer(environ)
        if status.startswith("200"):
            page = json.loads(body)
            fault.detail(page)
            body = json.dumps(page).encode()
        start(status, [(name, value) for name, value in headers if name != "Content-Length"])
        return [body]

    def _stale(self, environ: WSGIEnvironment, start: StartResponse, fault: Fault) -> Iterable[bytes]:
        now = time.monotonic()
        fault.until = fault.until or now + fault.detail
        if now >= fault.until:
            return self._counted(environ, start)
        return self._page(environ, start, replace(fault, detail=lambda page: page["files"].clear()))

    def _truncated(self, environ: WSGIEnvironment, start: StartResponse, fault: Fault) -> Iterable[bytes]:
        del fault
        status, headers, body = self._answer(environ)
        start(status, [pair for pair in headers if pair[0] != "Content-Length"] + [("Content-Length", str(len(body)))])
        return [body[: len(body) // 2]]

    def _body(self, environ: WSGIEnvironment, start: StartResponse, fault: Fault) -> Iterable[bytes]:
        del environ
        start("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(fault.detail)))])
        return [fault.detail]

    def _meanwhile(self, environ: WSGIEnvironment, start: StartResponse, fault: Fault) -> Iterable[bytes]:
        part, act = fault.detail
        if part is None:
            answer = list(self._counted(environ, start))
            act()
            return answer
        stream, length = environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0)
        head = stream.read(int(length * part))
        act()
        environ["wsgi.input"] = io.BytesIO(head + _rest(stream, length - len(head)))
        return self._counted(environ, start)


def _rest(stream: Any, length: int) -> bytes:
    """Return what still comes: less than `length` bytes, or none, where the other side is gone."""
    try:
        rest: bytes = stream.read(length)
    except OSError:
        return b""
    return rest


def _drain(environ: WSGIEnvironment) -> None:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
