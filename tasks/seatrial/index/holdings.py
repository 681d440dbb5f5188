"""What an index has of a release, and waiting until it shows it.

Reads the simple repository API (see `simple`): what an installer reads, and the only view with hashes.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from seatrial.index import http
from seatrial.index.indexes import PYPI, TESTPYPI, Index
from seatrial.index.simple import NOT_THERE, Listing, Served, parse
from seatrial.machine import terminal
from seatrial.machine.errors import ReleaseError, listing
from seatrial.machine.values import Value
from seatrial.release.filenames import is_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.release.stages import Dist

INTEGRITY = "application/vnd.pypi.integrity.v1+json"
PROVENANCE_BYTES = 4 << 20
POLL_AFTER = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between looks while waiting; the last one repeats
AGREEING = 2  # answers in a row that have to agree where several edges serve one index
LEAST = 5.0  # seconds that one look may take, however little is left of the waiting
PUBLIC = frozenset(urlsplit(index.simple).hostname for index in (PYPI, TESTPYPI))


class IndexNotJson(ReleaseError):
    index: str
    url: str
    found: str = "something else"

    what = (
        "{e.index} did not answer {e.url} with a page of the simple repository API (PEP 691, PEP 503), but {e.found}."
    )
    cause = "a proxy's login page, or a wrong URL in [tool.seatrial.indexes]."
    cure = "open the URL in a browser and correct the setting. Without hashes from the index no file can be verified."


class NoHashes(ReleaseError):
    index: str
    url: str

    what = "The files that {e.index} serves cannot be verified: {e.url} lists them without sha256."
    cause = "an index that has neither the JSON of the simple repository API nor #sha256= in its HTML, or only md5."
    cure = (
        "have the index publish them (pypiserver: --hash-algo sha256), or use another one. Where it is the rehearsal"
        ' index, `rehearse-on = "dryrun"` in [tool.seatrial] does without it.'
    )


class OtherBytes(ReleaseError):
    index: str
    project: str
    version: str
    files: tuple[tuple[str, str, str], ...]
    page: str
    free: str = ""
    spent = False  # it is the version of this release
    again: str = "verify --rebuild"  # since files that are verified make way for no other build

    what = "{e.index} already has different files for {e.project} {e.version}:{e.shown}"
    cause = (
        "this version was uploaded before from another build (an index never takes a file name twice); or a proxy in"
        " between changes what is read."
    )
    cure = (
        "compare with {e.page}; nothing more is sent. If those files are not meant to be released, set the next"
        " version{e.suggested}, commit, and run `{e.again:command}`."
    )

    @property
    def suggested(self) -> str:
        return f" ({self.free} is free on both indexes)" if self.free else ""

    @property
    def shown(self) -> str:
        return compared(self.files)


class ReleaseYanked(ReleaseError):
    index: str
    project: str
    version: str
    files: tuple[str, ...]
    place: str

    what = (
        "{e.project} {e.version} was yanked on {e.index}: it serves these very files, but installers skip"
        " them:{e.files:shortened}"
    )
    cause = "somebody who manages the project yanked the release there, and it can be taken back."
    cure = "un-yank it{e.place} and run this again; if it was yanked for a reason, release the next version."


class ProjectClosed(ReleaseError):
    """An index that says itself that it takes nothing for a project (PEP 792)."""

    index: str
    project: str
    status: str
    word: str
    usual: str
    way: str

    what = "{e.project} is {e.status} on {e.index}, so nothing was sent.{e.word}"
    cause = "{e.usual}"
    cure = "{e.way}"


class NotVisible(ReleaseError):
    index: str
    project: str
    version: str
    files: tuple[str, ...]
    limit: float
    again: str = ""

    what = (
        "Uploaded, not visible yet: {e.index} accepted {e.project} {e.version}, but does not show it after"
        " {e.limit:.0f} seconds:{e.files:listed}"
    )
    cause = (
        "the caches in front of the index lag; this can take many minutes. The release has not failed. A release that"
        " the index has put in quarantine is not listed either."
    )
    cure = "run {e.command} again later: it looks first, and uploads nothing twice. `index-timeout` sets the limit."

    @property
    def command(self) -> str:
        return f"`{self.again}`" if self.again else "the same command"


def compared(files: tuple[tuple[str, str, str], ...]) -> str:
    """Return name, expected and found hash of each of `files`, for the inside of a message."""
    return listing(f"{name}\n    expected {ours}\n    found    {theirs}" for name, ours, theirs in files)


class Holdings(Value):
    """What an index has of one release, compared with the files that it should have.

    Files can be identical and yanked at once. `listing` is all that the index shows of the project.
    """

    identical: tuple[Dist, ...]
    absent: tuple[Dist, ...]
    different: tuple[tuple[Dist, Served], ...]
    extra: tuple[Served, ...]
    yanked: tuple[Served, ...]
    served: tuple[Served, ...]
    listing: Listing = dataclasses.field(default_factory=Listing)

    @property
    def complete(self) -> bool:
        """Whether exactly these files are served, with these bytes; some of them may be yanked."""
        return not (self.absent or self.different or self.extra)

    def url(self, dist: Dist) -> str:
        return next(file.url for file in self.served if file.filename == dist.filename)


def read_project(index: Index, project: str, *, patient: bool = True, deadline: float = http.DEADLINE) -> Listing:
    """Return what `index` shows of `project`.

    Some indexes answer 200 without files for a name that they do not know: that counts as no project, unless the index
    is PyPI or TestPyPI. So does an answer of PyPI where it is another index that uploads go to: GitLab forwards the
    names that it does not know. Raises IndexUnreachable, IndexRefused, LoginRefused and IndexNotJson.
    """
    url = index.project_url(project)
    page = http.read(index, url, patient=patient, deadline=deadline)
    can_forward = index.upload and not index.is_public  # one for dependencies alone may lead to PyPI
    if page is None or (can_forward and urlsplit(page.url).hostname in PUBLIC):
        return NOT_THERE
    try:
        found = parse(page.body, page.url)
    except ValueError as error:
        raise IndexNotJson(index.name, url, str(error)) from None
    return found if found.files or index.is_public else dataclasses.replace(found, exists=False)


def read_release(index: Index, project: str, version: str) -> tuple[Served, ...]:
    """Return the files that `index` lists for `version` of `project`."""
    return tuple(file for file in read_project(index, project).files if is_of(file.filename, project, version))


def holdings(
    index: Index,
    project: str,
    version: str,
    dists: tuple[Dist, ...],
    *,
    patient: bool = True,
    deadline: float = http.DEADLINE,
) -> Holdings:
    """Ask `index` what it has of `project` `version`, and compare it by hash with `dists`.

    Raises what `read_project` raises, and NoHashes where the index gives none of what it serves.
    """
    found = read_project(index, project, patient=patient, deadline=deadline)
    if found.files and not any(file.sha256 for file in found.files):
        raise NoHashes(index.name, index.project_url(project))
    served: dict[str, list[Served]] = {dist.filename: [] for dist in dists}
    others = [file for file in found.files if file.filename not in served]
    for file in found.files:  # one that is listed twice may have other bytes once, which an installer may take
        if file.filename in served and file not in served[file.filename]:
            served[file.filename].append(file)
    there = [(dist, file) for dist in dists for file in served[dist.filename]]
    different = tuple((dist, file) for dist, file in there if file.sha256 != dist.sha256)
    odd = {dist.filename for dist, _ in different}
    return Holdings(
        identical=tuple(dist for dist in dists if served[dist.filename] and dist.filename not in odd),
        absent=tuple(dist for dist in dists if not served[dist.filename]),
        different=different,
        extra=tuple(file for file in others if is_of(file.filename, project, version)),
        yanked=tuple(file for dist, file in there if file.yanked and file.sha256 == dist.sha256),
        served=tuple(file for _, file in there),
        listing=found,
    )


def stop_if_different(index: Index, found: Holdings, project: str, version: str) -> None:
    """Raise OtherBytes where `index` has different bytes under one of our names, or a file that we did not build."""
    if found.different or found.extra:
        files = [(dist.filename, dist.sha256, file.sha256 or "(no hash)") for dist, file in found.different]
        files += [(file.filename, "(not part of this build)", file.sha256) for file in found.extra]
        raise OtherBytes(index.name, project, version, tuple(files), index.page(project, version))


def stop_if_yanked(index: Index, found: Holdings, project: str, version: str) -> None:
    """Raise ReleaseYanked where `index` serves some of the files and installers pass them over."""
    if found.yanked:
        place = f" on {index.pages}/manage/project/{project}/release/{version}/" if index.pages else " there"
        raise ReleaseYanked(index.name, project, version, tuple(file.filename for file in found.yanked), place)


def stop_if_closed(index: Index, found: Listing, project: str) -> None:
    """Raise ProjectClosed where `index` says that it takes nothing for `project`: archived or quarantined."""
    if found.status == "archived":
        usual = "an owner of the project archived it, and no new files are accepted until it is unarchived."
        page = f" on {index.pages}/manage/project/{project}/settings/" if index.pages else ""
        way = f"unarchive it{page}, and run this again."
    elif found.status == "quarantined":
        usual = "the index suspects the project of malware, or of a breach of its terms; nobody can install it now."
        support = "write to security@pypi.org" if index.pages else "contact those who run the index"
        way = f"{support}. An upload would be accepted and shown to nobody."
    else:
        return
    word = f" Its reason: {found.reason}" if found.reason else ""
    raise ProjectClosed(index.name, project, found.status, word, usual, way)


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
    started, agreeing, reported = clock(), 0, 0.0
    needed = 1 if index.is_loopback else AGREEING
    with terminal.meter(f"waiting for {index.name}", None, limit=limit):
        for pause in itertools.chain(POLL_AFTER, itertools.repeat(POLL_AFTER[-1])):
            left = max(limit - (clock() - started), LEAST)
            found = holdings(index, project, version, dists, deadline=min(left, http.DEADLINE))
            stop_if_different(index, found, project, version)
            agreeing = agreeing + 1 if found.complete else 0
            if agreeing >= needed:
                return found
            waited = clock() - started
            if waited + pause > limit:
                # All of them, where one edge shows what another lacks.
                late = tuple(dist.filename for dist in found.absent or dists)
                raise NotVisible(index.name, project, version, late, limit, again)
            if waited - reported >= POLL_AFTER[-1] and not terminal.is_terminal():
                reported = waited
                say(f"waiting for {index.name} to show the files: {waited:.0f} s, at most {limit - waited:.0f} s more")
            sleep(pause)
    raise AssertionError("the pauses never end")


def provenance(index: Index, project: str, version: str, filename: str) -> bytes | None:
    """Return what `index` serves as the provenance of a file (PEP 740, the integrity API), None for nothing."""
    url = f"{index.pages}/integrity/{canonicalize_name(project)}/{version}/{filename}/provenance"
    page = http.read(index, url, accept=INTEGRITY, limit=PROVENANCE_BYTES)
    return page.body if page else None
