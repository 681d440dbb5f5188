"""Whose a project on an index is, as far as its latest version says: the authors and addresses in its metadata."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seatrial.index import http
from seatrial.index.changes import fetched
from seatrial.machine import temporary
from seatrial.release.archives import Archive, Metadata
from seatrial.release.filenames import version_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.index.indexes import Index
    from seatrial.index.simple import Served

METADATA = 1 << 20  # bytes of a wheel's metadata
SDIST = 4 << 20  # bytes of an sdist that is fetched only for its metadata
PEOPLE = ("author", "maintainer", "author-email", "maintainer-email")
NAMES = re.compile(r'[\w.+-]+@[\w.-]+|[^<>,;"@]+(?=<|,|;|"|$)')
# Hosts where the first part of the path says whose a page is.
SHARED = frozenset({"github.com", "gitlab.com", "codeberg.org", "bitbucket.org", "sr.ht", "git.sr.ht", "launchpad.net"})
NOBODYS = frozenset({"pypi.org", "pypi.python.org", "python.org", "docs.python.org"})


def latest(index: Index, files: Iterable[Served]) -> Metadata | None:
    """Return the metadata of the latest version among `files`, None where it would cost much to get.

    Of a wheel that is what the index serves beside it (PEP 658); an sdist is fetched, if it is small. Raises what
    reading an index raises, and BadArchive.
    """
    there = [(version, file) for file in files if (version := version_of(file.filename)) and not file.yanked]
    newest = max((version for version, _ in there), default=None)
    own = [file for version, file in there if version == newest]
    for wheel in [file for file in own if file.filename.endswith(".whl")][:1]:
        if page := http.read(index, f"{wheel.url}.metadata", accept="*/*", patient=False, limit=METADATA):
            return Metadata.parse(page.body)
    for sdist in (file for file in own if file.filename.endswith(".tar.gz") and 0 < file.size <= SDIST):
        with temporary.folder("owners") as scratch:
            return Archive.open(fetched(sdist, index, scratch)).metadata
    return None


def shared(ours: Metadata, theirs: Metadata) -> bool:
    """Whether two versions name the same person, mail address, or place of their source or pages."""
    return not marks(ours).isdisjoint(marks(theirs))


def marks(metadata: Metadata) -> set[str]:
    """Return what says whose a project is: names, mail addresses, and hosts (with the owner's part of the path)."""
    found = {match.strip().casefold() for text in _people(metadata) for match in NAMES.findall(text)}
    for url in addresses(metadata):
        with contextlib.suppress(ValueError):
            parts = urlsplit(url)
            host = (parts.hostname or "").removeprefix("www.")
            owner = parts.path.strip("/").partition("/")[0].casefold()
            if host not in NOBODYS:
                found.add(f"{host}/{owner}" if host in SHARED else host)
    return found - {""}


def described(metadata: Metadata) -> str:
    """Return in a few words whom and what `metadata` names, empty for nothing."""
    return ", ".join(dict.fromkeys([*_people(metadata), *addresses(metadata)][:2]))


def _people(metadata: Metadata) -> Iterator[str]:
    return (text for field in PEOPLE for text in metadata.all(field) if text.strip())


def addresses(metadata: Metadata) -> Iterator[str]:
    """Yield the addresses of a project's pages."""
    yield from metadata.all("home-page")
    yield from metadata.all("download-url")
    yield from (text.rpartition(",")[2].strip() for text in metadata.all("project-url"))
