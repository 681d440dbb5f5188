"""PyPI and TestPyPI as values; which bytes does an index hold; waiting for it to show them.

Reads the simple repository API in JSON (PEP 691, PEP 700): what an installer reads, and the only view with hashes.
All HTTP of the release sessions is here, but for twine's and the installers' own.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from .errors import IndexNotJson, IndexRefused, IndexUnreachable, NotVisible, OtherBytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .stages import Dist

JSON = "application/vnd.pypi.simple.v1+json"
INTEGRITY = "application/vnd.pypi.integrity.v1+json"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
READ_LIMIT = 30.0  # seconds for one answer
RETRY_AFTER = (1.0, 3.0, 6.0)  # seconds between tries of one read; an index may ask for more
LONGEST_PAUSE = 120.0  # seconds; an index that asks for more is left alone
POLL_AFTER = (0.2, 0.5, 1, 2, 4, 8, 15)  # seconds between looks while waiting; the last one repeats
AGREEING = 2  # answers in a row that have to agree where several edges serve one index
NOT_FOUND, TOO_MANY, SERVER_ERROR = 404, 429, 500


@dataclass(frozen=True)
class Index:
    """A package index: where it is read, where it takes uploads, and where a person looks."""

    name: str
    simple: str
    upload: str = ""
    pages: str = ""
    token_variable: str = ""
    token_location: str = ""  # the host that an API token names inside itself

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
class Served:
    """A file as the simple repository API shows it; `sha256` and `uploaded` are empty where the index tells none."""

    filename: str
    sha256: str
    url: str
    yanked: bool
    uploaded: str = ""  # in ISO 8601 (PEP 700)
    size: int = 0


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

    A file without a hash counts as different: bytes that cannot be compared are not proved. Raises IndexUnreachable,
    IndexRefused and IndexNotJson.
    """
    served = {file.filename: file for file in read_project(index, project, patient=patient)}
    names = {dist.filename for dist in dists}
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
            late = tuple(dist.filename for dist in found.absent)
            raise NotVisible(index.name, project, version, late, limit, again)
        if waited - told >= POLL_AFTER[-1]:
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
        return tuple(_served(entry, url) for entry in json.loads(answer)["files"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise IndexNotJson(index.name, url) from None


def read_release(index: Index, project: str, version: str) -> tuple[Served, ...]:
    """Return the files that `index` lists for `version` of `project`."""
    return tuple(file for file in read_project(index, project) if _is_of(file.filename, version))


def _served(entry: Any, page: str) -> Served:
    """Return the file that `entry` describes. Raises one of the errors above where it does not describe any."""
    filename, url, sha256 = entry["filename"], entry["url"], entry["hashes"].get("sha256", "")
    if not all(isinstance(text, str) for text in (filename, url, sha256)):
        raise TypeError("a name, a URL or a hash that is not text")
    uploaded, size = entry.get("upload-time"), entry.get("size")
    return Served(
        filename=filename,
        sha256=sha256,
        url=urljoin(page, url),
        yanked=bool(entry.get("yanked", False)),
        uploaded=uploaded if isinstance(uploaded, str) else "",
        size=size if isinstance(size, int) else 0,
    )


def _is_of(filename: str, version: str) -> bool:
    """Whether `filename` belongs to the release `version`, as versions compare (1.0 is 1.0.0, PEP 440)."""
    try:
        parse = parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename
        return bool(parse(filename)[1] == Version(version))
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return False


def _get(index: Index, url: str, *, patient: bool, accept: str = JSON) -> bytes | None:
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


def _get_once(index: Index, url: str, accept: str) -> bytes | None:
    try:
        return _read(url, accept)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == NOT_FOUND:
            return None
        busy = error.code == TOO_MANY or error.code >= SERVER_ERROR
        if not busy:
            raise IndexRefused(index.name, url, error.code, str(error.reason)) from None
        pause = retry_after(error.headers.get("Retry-After", ""), datetime.now(timezone.utc))
        raise IndexUnreachable(index.name, url, f"{error.code} {error.reason}", pause) from None
    except (OSError, ValueError, http.client.HTTPException) as error:  # unreachable, too slow, reset, cut short
        reason = str(getattr(error, "reason", error)) or type(error).__name__
        raise IndexUnreachable(index.name, url, reason) from None


def retry_after(text: str, now: datetime) -> float:
    """Return the seconds that a Retry-After header asks for (RFC 9110): a number, or a date; 0 for anything else."""
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 0.0
    return max((moment.replace(tzinfo=moment.tzinfo or timezone.utc) - now).total_seconds(), 0.0)


def _read(url: str, accept: str) -> bytes:
    request = urllib.request.Request(url, headers={"Accept": accept, "Cache-Control": "no-cache"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=READ_LIMIT) as answer:  # noqa: S310 (scheme checked by config)
        body: bytes = answer.read()  # raises IncompleteRead where it is cut short
        return body


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
