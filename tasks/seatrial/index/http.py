"""All requests to indexes but twine's and the installers': bounded in bytes and time, and careful with logins.

A login goes to the origin of its own index alone, never over plain HTTP to another machine. No proxy stands before the
servers of this machine. Every answer has a limit in bytes and a deadline for all of it, however slowly it comes.
"""

from __future__ import annotations

import contextlib
import functools
import math
import threading
import time
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from seatrial.index.indexes import Index, origin
from seatrial.index.simple import ACCEPTED
from seatrial.index.tokens import withheld
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import urllib3

    Receive = Callable[[urllib3.BaseHTTPResponse], bytes]

READ_LIMIT = 30.0  # seconds between two pieces of an answer
DEADLINE = 120.0  # seconds for the whole of one answer
SLOWEST = 50_000  # bytes a second of a file; below that the transfer has stopped
PAGE_BYTES = 16 << 20  # the largest page read; a file takes about 1 KB of one
FILE_BYTES = 1 << 30  # the most that PyPI takes of a file
CHUNK = 1 << 16
RETRY_AFTER = (1.0, 3.0, 6.0)  # seconds between tries of one read; an index may ask for more
LONGEST_PAUSE = 120.0  # seconds; an index that asks for more is left alone
REDIRECTS = 5
WEB = frozenset({"http", "https"})
MOVED = frozenset({301, 302, 303, 307, 308})
DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Page(Value):
    """An answer in full, and where it came from in the end: what links in it are relative to."""

    body: bytes
    url: str


class IndexUnreachable(ReleaseError):
    index: str
    url: str
    reason: str
    pause: float = 0.0
    status: int = 0  # where the index did answer

    what = "{e.index} cannot be read at {e.url}: {e.answer}{e.reason}{e.asked}"
    cause = "no network, a proxy or certificate that is not set up, or an outage{e.place}."
    cure = "run the step again when it answers: it goes on where it stopped, and nothing is uploaded twice."

    @property
    def answer(self) -> str:
        return f"{self.status} " if self.status else ""

    @property
    def place(self) -> str:
        is_public = f".{urlsplit(self.url).hostname}".endswith(".pypi.org")
        return " (https://status.python.org)" if is_public else " of that index"

    @property
    def asked(self) -> str:
        return f" (it asked us to retry in {self.pause:.0f} s)" if self.pause else ""


class IndexRefused(ReleaseError):
    index: str
    url: str
    status: int
    reason: str

    what = "{e.index} refused to show {e.url}: {e.status} {e.reason}"
    cause = "a wrong URL in [tool.seatrial.indexes], an index that requires a login, or a blocked address."
    cure = "open the URL in a browser; correct the setting, or wait if the index limits requests."


class LoginRefused(IndexRefused):
    """An index that shows itself only to those who log in, and that rejected the login, or was given none."""

    tried: str
    variable: str
    user: str

    what = "{e.index} did not show {e.url}: {e.status} {e.reason}. {e.tried}"
    cause = "an index that requires a login; or a login that has expired, or may not read this index."
    cure = (
        "put a token or password that may read it into {e.variable}, and its user name into {e.user} (without:"
        " __token__). Only seatrial's own requests use it: no installer and no build sees it."
    )


class LoginWithheld(ReleaseError):
    index: str
    url: str
    source: str
    reason: str

    what = "The login from {e.source} was not sent to {e.index} at {e.url}: {e.reason}"
    cause = "an http:// address in [tool.seatrial.indexes], or a token that was made for another index."
    cure = "set an https:// address there, and a login that belongs to this index. Nothing was sent."


def read(
    index: Index,
    url: str,
    *,
    accept: str = ACCEPTED,
    patient: bool = True,
    limit: int = PAGE_BYTES,
    deadline: float = DEADLINE,
) -> Page | None:
    """Return what is at `url`, at most `limit` bytes; None for 404.

    A busy index and a broken connection are tried again where the caller is `patient`; `deadline` seconds are for all
    tries. Raises IndexUnreachable, IndexRefused, LoginRefused and LoginWithheld.
    """

    def receive(response: urllib3.BaseHTTPResponse) -> bytes:
        body = bytearray()
        for chunk in response.stream(CHUNK, decode_content=True):
            body += chunk
            if len(body) > limit:
                raise IndexUnreachable(index.name, url, f"an answer of more than {limit >> 20} MiB")
        return bytes(body)

    return _retried(index, url, accept, receive, patient=patient, deadline=deadline)


def download(index: Index, url: str, target: Path, *, limit: int = FILE_BYTES, patient: bool = True) -> None:
    """Write the file at `url` to `target`, and no more than one byte above `limit`. The caller compares its hash.

    Raises what `read` raises, and IndexRefused where there is no such file.
    """

    def receive(response: urllib3.BaseHTTPResponse) -> bytes:
        left = limit + 1
        with target.open("wb") as file:
            for chunk in response.stream(CHUNK, decode_content=False):
                file.write(chunk[:left])
                left -= len(chunk)
                if left <= 0:
                    break
        return b""

    deadline = DEADLINE + limit / SLOWEST
    if _retried(index, url, "*/*", receive, patient=patient, deadline=deadline) is None:
        raise IndexRefused(index.name, url, HTTPStatus.NOT_FOUND, "Not Found")


@contextlib.contextmanager
def opened(index: Index, url: str) -> Iterator[urllib3.BaseHTTPResponse]:
    """Yield the successful answer of `index` to one request for `url`, unread. Raises as `read` does."""
    with _requested(index, url, "*/*", encoding="identity") as (response, _):
        if response.status != HTTPStatus.OK:
            raise _refusal(index, url, response)
        yield response


def retry_after(text: str, now: datetime | None = None) -> float:
    """Return the seconds that a Retry-After header asks for (RFC 9110): a number, or a date; 0 for anything else."""
    if text.strip().isdecimal():
        return float(text.strip())
    import email.utils  # noqa: PLC0415 (few answers have that header)

    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):  # the last one for a year of twenty digits
        return 0.0
    wait = moment.replace(tzinfo=moment.tzinfo or timezone.utc) - (now or datetime.now(timezone.utc))
    return max(wait.total_seconds(), 0.0)


def _retried(index: Index, url: str, accept: str, receive: Receive, *, patient: bool, deadline: float) -> Page | None:
    end = time.monotonic() + deadline
    one_try = functools.partial(_received, index, url, accept, receive)
    pauses = iter(RETRY_AFTER if patient else ())
    while True:
        try:
            return _within(end - time.monotonic(), index, url, one_try)
        except IndexUnreachable as busy:
            wait = max(next(pauses, math.inf), busy.pause)
            if busy.pause > LONGEST_PAUSE or time.monotonic() + wait >= end:
                raise
        time.sleep(wait)


def _within(seconds: float, index: Index, url: str, call: Callable[[], Page | None]) -> Page | None:
    """Return what `call` returns or raise what it raises, at the latest after `seconds`.

    A thread of its own, since no timeout of a socket bounds an answer that comes byte by byte, headers included.
    """
    outcome: list[Page | BaseException | None] = []

    def work() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001 (raised again below)
            outcome.append(error)

    worker = threading.Thread(target=work, name=f"reading {url}", daemon=True)
    worker.start()
    worker.join(max(seconds, 0.01))
    if not outcome:
        raise IndexUnreachable(index.name, url, f"the answer was not complete after {seconds:.0f} seconds")
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def _received(index: Index, url: str, accept: str, receive: Receive) -> Page | None:
    """Make one request; return what `receive` makes of the answer, None for 404."""
    with _requested(index, url, accept, encoding="identity" if accept == "*/*" else "gzip") as (response, place):
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        if response.status != HTTPStatus.OK:
            raise _refusal(index, url, response)
        return Page(receive(response), place)


@contextlib.contextmanager
def _requested(index: Index, url: str, accept: str, *, encoding: str) -> Iterator[tuple[urllib3.BaseHTTPResponse, str]]:
    """Yield the answer to a request for `url`, and its own URL: the index may redirect to another place.

    What urllib3 and sockets raise becomes IndexUnreachable.
    """
    from seatrial.index import connections  # noqa: PLC0415 (urllib3 takes long to load, and many a step asks no index)

    headers = {"Accept": accept, "Accept-Encoding": encoding, "Cache-Control": "no-cache"}
    place, left = url, REDIRECTS
    try:
        if urlsplit(place).scheme not in WEB:  # a page may name a file of this machine
            raise IndexRefused(index.name, url, HTTPStatus.NOT_FOUND, "Not Found")
        while True:
            response = connections.get(place, headers | _login(index, place), READ_LIMIT)
            moved = urljoin(place, response.headers.get("Location", "")) if response.status in MOVED else ""
            if urlsplit(moved).scheme not in WEB or not left:
                break
            response.close()
            place, left = moved, left - 1
        with contextlib.ExitStack() as stack:
            stack.callback(connections.release, response)
            yield response, place
    except connections.FAULTS as error:
        raise IndexUnreachable(index.name, url, connections.reason(error)) from None


def _login(index: Index, url: str) -> dict[str, str]:
    """Return the header with the login of `index`, empty for another place than its own. Raises LoginWithheld."""
    if index.login is None or origin(url) != origin(index.simple):
        return {}
    if reason := withheld(index.login.password, url):
        raise LoginWithheld(index.name, url, index.login.source, reason)
    return {"Authorization": index.login.header}


def _refusal(index: Index, url: str, response: urllib3.BaseHTTPResponse) -> ReleaseError:
    status, reason = response.status, response.reason or ""
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        pause = retry_after(response.headers.get("Retry-After", ""))
        return IndexUnreachable(index.name, url, reason, pause, status)
    if status in DENIED and not index.is_public:
        tried = f"The request used {index.login.source}." if index.login else "The request had no login: none is set."
        user = index.read_variable.removesuffix("_TOKEN") + "_USERNAME"
        return LoginRefused(index.name, url, status, reason, tried, index.read_variable, user)
    return IndexRefused(index.name, url, status, reason)
