"""PyPI and TestPyPI as values; which bytes does an index hold; waiting for it to show them.

Reads the simple repository API (see `simple`): what an installer reads, and the only view with hashes. All HTTP of the
release sessions is here, but for twine's and the installers' own; so is the login that an index wants to be read.
"""

from __future__ import annotations

import base64
import contextlib
import email.utils
import http.client
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from seatrial.index.simple import ACCEPTED, files
from seatrial.index.simple import Served as Served  # noqa: PLC0414 (part of what an index is asked here)
from seatrial.machine import terminal
from seatrial.machine.errors import ReleaseError, listing
from seatrial.release.filenames import version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.client import HTTPMessage
    from pathlib import Path
    from typing import IO

    from seatrial.release.stages import Dist

INTEGRITY = "application/vnd.pypi.integrity.v1+json"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
READ_LIMIT = 30.0  # seconds for one answer
RETRY_AFTER = (1.0, 3.0, 6.0)  # seconds between tries of one read; an index may ask for more
LONGEST_PAUSE = 120.0  # seconds; an index that asks for more is left alone
POLL_AFTER = (0.2, 0.5, 1, 2, 4, 8, 15)  # seconds between looks while waiting; the last one repeats
AGREEING = 2  # answers in a row that have to agree where several edges serve one index
NO_LOGIN, FORBIDDEN, NOT_FOUND, TOO_MANY, SERVER_ERROR = 401, 403, 404, 429, 500


@dataclass(eq=False)
class IndexUnreachable(ReleaseError):
    index: str
    url: str
    reason: str
    pause: float = 0.0

    what = "{e.index} cannot be read at {e.url}: {e.reason}{e.asked}"
    cause = "no network, a proxy or certificate that is not set up, or an outage{e.status}."
    cure = "run the session again when it answers: it goes on where it stopped, and nothing is uploaded twice."

    @property
    def status(self) -> str:
        is_public = (urlsplit(self.url).hostname or "").endswith("pypi.org")
        return " (https://status.python.org)" if is_public else " of that index"

    @property
    def asked(self) -> str:
        return f" (it asks to be left alone for {self.pause:.0f} s)" if self.pause else ""


@dataclass(eq=False)
class IndexRefused(ReleaseError):
    index: str
    url: str
    status: int
    reason: str

    what = "{e.index} refused to show {e.url}: {e.status} {e.reason}"
    cause = "a wrong URL in [tool.seatrial.indexes], an index that wants a login to be read, or a blocked address."
    cure = "open the URL in a browser; correct the setting, or wait where the index limits how often it is asked."


@dataclass(eq=False)
class LoginRefused(IndexRefused):
    """An index that shows itself to those alone who log in, and did not take what we had."""

    source: str
    variable: str

    what = "{e.index} did not show {e.url}: {e.status} {e.reason}. {e.tried}"
    cause = "an index that wants a login to be read; or a login that has expired, or may not read this index."
    cure = (
        "put a token or password that may read it into {e.variable}, and its user name into {e.user} (without:"
        " __token__). Only seatrial's own requests use it: no installer and no build sees it."
    )

    @property
    def tried(self) -> str:
        return f"It was asked with {self.source}." if self.source else "It was asked without a login: none is set."

    @property
    def user(self) -> str:
        return self.variable.removesuffix("_TOKEN") + "_USERNAME"


@dataclass(eq=False)
class IndexNotJson(ReleaseError):
    index: str
    url: str
    found: str = "something else"

    what = (
        "{e.index} did not answer {e.url} with a page of the simple repository API (PEP 691, PEP 503), but {e.found}."
    )
    cause = "a proxy's login page, or a wrong URL in [tool.seatrial.indexes]."
    cure = "open the URL in a browser and correct the setting. Without hashes from the index no bytes can be proved."


@dataclass(eq=False)
class NoHashes(ReleaseError):
    index: str
    url: str

    what = "The bytes that {e.index} serves cannot be proved: {e.url} lists files without their sha256."
    cause = "an index that has neither the JSON of the simple repository API nor #sha256= in its HTML, or only md5."
    cure = (
        "let the index tell them (pypiserver: --hash-algo sha256), or use another one. Where it is the rehearsal index,"
        ' `rehearse-on = "dryrun"` in [tool.seatrial] does without it.'
    )


@dataclass(eq=False)
class OtherBytes(ReleaseError):
    index: str
    project: str
    version: str
    files: tuple[tuple[str, str, str], ...]
    page: str
    free: str = ""

    what = "{e.index} holds something else than was built as {e.project} {e.version}:{e.shown}"
    cause = (
        "this version was uploaded before from another build (an index never takes a file name twice); or a proxy on"
        " the way changes what is read."
    )
    cure = (
        "compare with {e.page}; nothing more is sent. If those files are not meant to be released, choose the next"
        " version number{e.suggested}, commit, and start with `{run[build --rebuild]}`."
    )

    @property
    def suggested(self) -> str:
        return f" ({self.free} is free on both indexes)" if self.free else ""

    @property
    def shown(self) -> str:
        return listing(f"{name}\n    expected {ours}\n    found    {theirs}" for name, ours, theirs in self.files)


@dataclass(eq=False)
class NotVisible(ReleaseError):
    index: str
    project: str
    version: str
    files: tuple[str, ...]
    limit: float
    again: str = ""

    what = (
        "Uploaded, not visible yet: {e.index} took {e.project} {e.version}, and does not show it after {e.limit:.0f}"
        " seconds:{e.files:listed}"
    )
    cause = "the caches in front of the index lag; this can take many minutes. The release has not failed."
    cure = "run {e.command} again later: it looks first, and uploads nothing twice. `index-timeout` sets the limit."

    @property
    def command(self) -> str:
        return f"`{self.again}`" if self.again else "the same session"


@dataclass(frozen=True)
class Login:
    """What an index is read with: user name and password (or token), and where they are from, in words."""

    username: str
    password: str = field(repr=False)
    source: str

    @property
    def header(self) -> str:
        """The value of the Authorization header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")


@dataclass(frozen=True)
class Index:
    """A package index: where it is read, where it takes uploads, and where a person looks.

    `login` is sent where `simple` is and nowhere else. `stands_for` is the simple URL of the index that is read through
    this one, which is then on this machine (see `relay`).
    """

    name: str
    simple: str
    upload: str = ""
    pages: str = ""
    token_variable: str = ""
    token_location: str = ""  # the host that an API token names inside itself; only PyPI and TestPyPI have one
    login: Login | None = field(default=None, compare=False)
    stands_for: str = ""

    @property
    def is_public(self) -> bool:
        """Whether this is PyPI or TestPyPI (or stands in for one): their rules hold, and nobody logs in to read."""
        return bool(self.token_location)

    @property
    def user_variable(self) -> str:
        """The variable with the user name that goes with the token, for an index whose users have names."""
        return self.token_variable.removesuffix("_TOKEN") + "_USERNAME"

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.simple)

    def page(self, project: str, version: str) -> str:
        """The page of a release, for a person; the simple page where an index has no others."""
        if self.pages:
            return f"{self.pages}/project/{canonicalize_name(project)}/{version}/"
        return urljoin(self.simple, canonicalize_name(project) + "/")


def is_loopback(url: str) -> bool:
    """Whether `url` names a server on this machine."""
    return urlsplit(url).hostname in LOOPBACK


def origin(url: str) -> tuple[str, str]:
    """Return scheme and host with port of `url`: what decides who may see a login."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


PYPI = Index(
    "PyPI",
    simple="https://pypi.org/simple/",
    upload="https://upload.pypi.org/legacy/",
    pages="https://pypi.org",
    token_variable="PYPI_TOKEN",  # noqa: S106 (a variable's name)
    token_location="pypi.org",  # noqa: S106 (a host)
)
TESTPYPI = Index(
    "TestPyPI",
    simple="https://test.pypi.org/simple/",
    upload="https://test.pypi.org/legacy/",
    pages="https://test.pypi.org",
    token_variable="TESTPYPI_TOKEN",  # noqa: S106 (a variable's name)
    token_location="test.pypi.org",  # noqa: S106 (a host)
)


@dataclass(frozen=True)
class Indexes:
    """The three indexes of a release: where it is rehearsed, where it goes, and where its dependencies come from."""

    testpypi: Index
    pypi: Index
    dependencies: Index


@dataclass(frozen=True)
class Holdings:
    """What an index holds of one release, against the files that it should hold."""

    identical: tuple[Dist, ...]
    absent: tuple[Dist, ...]
    different: tuple[tuple[Dist, Served], ...]
    extra: tuple[Served, ...]
    yanked: tuple[Served, ...]
    served: tuple[Served, ...]

    @property
    def complete(self) -> bool:
        """Whether exactly these files are served, with these bytes, and none is yanked."""
        return not (self.absent or self.different or self.extra or self.yanked)

    def url(self, dist: Dist) -> str:
        return next(file.url for file in self.served if file.filename == dist.filename)


def holdings(index: Index, project: str, version: str, dists: tuple[Dist, ...], *, patient: bool = True) -> Holdings:
    """Ask `index` what it holds of `project` `version`, and compare it by hash with `dists`.

    Raises IndexUnreachable, IndexRefused and IndexNotJson, and NoHashes where it tells none of what it serves.
    """
    served = {file.filename: file for file in read_project(index, project, patient=patient)}
    names = {dist.filename for dist in dists}
    if served and not any(file.sha256 for file in served.values()):
        raise NoHashes(index.name, urljoin(index.simple, canonicalize_name(project) + "/"))
    there = [(dist, served[dist.filename]) for dist in dists if dist.filename in served]
    extra = (file for name, file in served.items() if name not in names and _is_of(name, version))
    return Holdings(
        identical=tuple(dist for dist, file in there if file.sha256 == dist.sha256),
        absent=tuple(dist for dist in dists if dist.filename not in served),
        different=tuple((dist, file) for dist, file in there if file.sha256 != dist.sha256),
        extra=tuple(extra),
        yanked=tuple(file for _, file in there if file.yanked),
        served=tuple(file for _, file in there),
    )


def stop_if_different(index: Index, found: Holdings, project: str, version: str) -> None:
    """Raise OtherBytes where `index` holds other bytes under one of our names, or a file that we did not build."""
    if found.different or found.extra or found.yanked:
        pairs = [(dist.filename, dist.sha256, file.sha256 or "(no hash)") for dist, file in found.different]
        pairs += [(file.filename, "(not part of this build)", file.sha256) for file in found.extra]
        pairs += [(file.filename, "(not yanked)", "(yanked)") for file in found.yanked]
        raise OtherBytes(index.name, project, version, tuple(pairs), index.page(project, version))


def wait_until_served(
    index: Index,
    project: str,
    version: str,
    dists: tuple[Dist, ...],
    *,
    limit: float,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    again: str = "",
) -> Holdings:
    """Poll `index` until it serves exactly `dists`, in several agreeing answers; return the last.

    One answer is enough on loopback, where no caching edge stands between. Raises OtherBytes at once, and NotVisible
    after `limit` seconds: uploaded, and not shown yet, is no failure of the release. `again` is the command that goes
    on then.
    """
    with terminal.meter(f"waiting for {index.name}", None, limit=limit):
        return _polled(index, project, version, dists, limit=limit, say=say, sleep=sleep, clock=clock, again=again)


def _polled(
    index: Index,
    project: str,
    version: str,
    dists: tuple[Dist, ...],
    *,
    limit: float,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
    clock: Callable[[], float],
    again: str,
) -> Holdings:
    started, agreeing, told = clock(), 0, 0.0
    needed = 1 if index.is_loopback else AGREEING
    for pause in _pauses():
        found = holdings(index, project, version, dists)
        stop_if_different(index, found, project, version)
        agreeing = agreeing + 1 if found.complete else 0
        if agreeing >= needed:
            return found
        waited = clock() - started
        if waited + pause > limit:
            # All of them, where one edge shows what another lacks.
            late = tuple(dist.filename for dist in found.absent or dists)
            raise NotVisible(index.name, project, version, late, limit, again)
        if waited - told >= POLL_AFTER[-1] and not terminal.is_terminal():
            told = waited
            say(f"waiting for {index.name} to show the files: {waited:.0f} s gone, at most {limit - waited:.0f} s more")
        sleep(pause)
    raise AssertionError("the pauses never end")


def _pauses() -> Iterator[float]:
    yield from POLL_AFTER
    while True:
        yield POLL_AFTER[-1]


def read_project(index: Index, project: str, *, patient: bool = True) -> tuple[Served, ...]:
    """Return all files that `index` lists for `project`; none where it does not know the name."""
    url = urljoin(index.simple, canonicalize_name(project) + "/")
    answer = _get(index, url, patient=patient)
    if answer is None:
        return ()
    try:
        return files(answer, url)
    except ValueError as error:
        raise IndexNotJson(index.name, url, str(error)) from None


def read_release(index: Index, project: str, version: str) -> tuple[Served, ...]:
    """Return the files that `index` lists for `version` of `project`."""
    return tuple(file for file in read_project(index, project) if _is_of(file.filename, version))


def _is_of(filename: str, version: str) -> bool:
    """Whether `filename` belongs to the release `version`, as versions compare (1.0 is 1.0.0, PEP 440)."""
    with contextlib.suppress(InvalidVersion):
        return version_of(filename) == Version(version)
    return False


def _get(index: Index, url: str, *, patient: bool, accept: str = ACCEPTED) -> bytes | None:
    """Return the body at `url`, None for 404. Busy servers and broken connections are tried again."""
    return _get_with(RETRY_AFTER if patient else (), index, url, accept)


def _get_with(pauses: tuple[float, ...], index: Index, url: str, accept: str) -> bytes | None:
    try:
        return _get_once(index, url, accept)
    except IndexUnreachable as busy:
        if not pauses or busy.pause > LONGEST_PAUSE:
            raise
        time.sleep(max(pauses[0], busy.pause))
    return _get_with(pauses[1:], index, url, accept)


def _get_once(index: Index, url: str, accept: str, limit: int | None = None) -> bytes | None:
    try:
        return _read(index, url, accept, limit)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == NOT_FOUND:
            return None
        busy = error.code == TOO_MANY or error.code >= SERVER_ERROR
        if not busy:
            raise _refused(index, url, error) from None
        pause = retry_after(error.headers.get("Retry-After", ""), datetime.now(timezone.utc))
        raise IndexUnreachable(index.name, url, f"{error.code} {error.reason}", pause) from None
    except (OSError, ValueError, http.client.HTTPException) as error:  # unreachable, too slow, reset, cut short
        reason = str(getattr(error, "reason", error)) or type(error).__name__
        raise IndexUnreachable(index.name, url, reason) from None


def _refused(index: Index, url: str, error: urllib.error.HTTPError) -> IndexRefused:
    facts = (index.name, url, error.code, str(error.reason))
    if error.code in {NO_LOGIN, FORBIDDEN} and not index.is_public:
        return LoginRefused(*facts, index.login.source if index.login else "", index.token_variable)
    return IndexRefused(*facts)


def retry_after(text: str, now: datetime) -> float:
    """Return the seconds that a Retry-After header asks for (RFC 9110): a number, or a date; 0 for anything else."""
    if text.strip().isdecimal():
        return float(text.strip())
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 0.0
    return max((moment.replace(tzinfo=moment.tzinfo or timezone.utc) - now).total_seconds(), 0.0)


class _Careful(urllib.request.HTTPRedirectHandler):
    """Follows redirects, and takes a login along only where they stay at the same place."""

    def redirect_request(  # noqa: PLR0917 (urllib calls it so)
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and origin(newurl) != origin(req.full_url):
            request.remove_header("Authorization")
        return request


def opened(index: Index, url: str, accept: str = ACCEPTED) -> http.client.HTTPResponse:
    """Return the answer of `index` to a request for `url`, to be read and closed. Raises what urllib raises."""
    request = urllib.request.Request(url, headers={"Accept": accept, "Cache-Control": "no-cache"})  # noqa: S310
    if index.login and origin(url) == origin(index.simple):
        request.add_header("Authorization", index.login.header)
    opener = urllib.request.build_opener(_Careful)
    answer: http.client.HTTPResponse = opener.open(request, timeout=READ_LIMIT)  # scheme checked by config
    return answer


def _read(index: Index, url: str, accept: str, limit: int | None = None) -> bytes:
    with opened(index, url, accept) as answer:
        return answer.read(limit)  # raises IncompleteRead where it is cut short


def provenance(index: Index, project: str, version: str, filename: str) -> bytes | None:
    """Return what `index` serves as the provenance of a file (PEP 740, the integrity API), None for nothing."""
    url = f"{index.pages}/integrity/{canonicalize_name(project)}/{version}/{filename}/provenance"
    return _get(index, url, patient=True, accept=INTEGRITY)


def download(index: Index, url: str, target: Path) -> None:
    """Write the file at `url` to `target`. The caller compares its hash."""
    body = _get(index, url, patient=True)
    if body is None:
        raise IndexRefused(index.name, url, NOT_FOUND, "Not Found")
    target.write_bytes(body)


def fetch(index: Index, url: str, target: Path, limit: int) -> None:
    """Write at most `limit` bytes of the file at `url` to `target`, in one try: nobody waits for this one.

    The caller compares its hash. Raises IndexUnreachable and IndexRefused.
    """
    is_web = urlsplit(url).scheme in {"https", "http"}  # urllib would read a file of this machine as well
    body = _get_once(index, url, "*/*", limit) if is_web else None
    if body is None:
        raise IndexRefused(index.name, url, NOT_FOUND, "Not Found")
    target.write_bytes(body)
