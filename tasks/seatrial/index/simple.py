"""The page of a project in the simple repository API, read as data: JSON (PEP 691, 700, 792), else HTML (PEP 503).

The page of an index is untrusted: it gives a listing, or ValueError, in bounded memory.
"""

from __future__ import annotations

import codecs
import contextlib
import html.parser
import json
import re
import time
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from seatrial.machine.values import Value

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
# In the order of what we would rather have; an index that knows no JSON ignores what it does not know.
ACCEPTED = f"{JSON}, {HTML};q=0.2, text/html;q=0.1"
# Those of today, and what an index may still have from before: an installer may take that.
DISTRIBUTIONS = tuple(".whl .tar.gz .zip .tar.bz2 .tar.xz .tar.Z .tgz .tbz .egg .exe .msi .rpm .deb .dmg".split())
SHA256 = re.compile(r"(?:^|&)sha256=([0-9a-fA-F]{64})(?:&|$)")
IS_PAGE = re.compile(rb"pypi:repository-version|<(title|h1)>\s*(Simple index|Links for)", re.IGNORECASE)
VALUES = 1_200_000  # in the JSON of a page: each takes about 100 bytes of memory, whatever its text
PIECE = 1 << 16  # bytes of HTML that are read at a time, and the longest tag
HTML_SECONDS = 10.0


class Served(Value):
    """A file as the simple repository API shows it; what the index does not tell is empty."""

    filename: str
    sha256: str
    url: str
    yanked: bool
    uploaded: str = ""  # in ISO 8601 (PEP 700)
    size: int = 0
    requires_python: str = ""


class Listing(Value):
    """What an index shows of a project. Without files, `exists` tells an empty project from none at all.

    `status` is that of the project (PEP 792): active, archived, quarantined or deprecated; `reason` is the index's word
    on it.
    """

    files: tuple[Served, ...] = ()
    exists: bool = True
    status: str = "active"
    reason: str = ""


NOT_THERE = Listing(exists=False)


def parse(body: bytes, page: str) -> Listing:
    """Return what `body`, the answer at the URL `page`, lists. Raises ValueError where it is no such page."""
    if body.lstrip()[:1] == b"<":
        return _of_html(body, page)
    try:
        if sum(map(body.count, (b",", b"{", b"["))) > VALUES:
            raise ValueError("more values than a page has")
        document = json.loads(body)
        files = tuple(_served(entry, page) for entry in document["files"])
        table = document.get("project-status")
        status, reason = (table.get("status"), table.get("reason")) if isinstance(table, dict) else ("", "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("what is neither JSON (PEP 691) nor HTML (PEP 503)") from None
    # What is not text is as if it were not there.
    known = status if isinstance(status, str) and status else "active"
    return Listing(files, status=known, reason=reason if isinstance(reason, str) else "")


def _served(entry: Any, page: str) -> Served:
    """Return the file that `entry` describes. Raises one of the errors above where it does not describe any."""
    filename, url, sha256 = entry["filename"], entry["url"], entry["hashes"].get("sha256", "")
    if not all(isinstance(text, str) for text in (filename, url, sha256)):
        raise TypeError("a name, a URL or a hash that is not text")
    uploaded, size, requires = entry.get("upload-time"), entry.get("size"), entry.get("requires-python")
    return Served(
        filename=filename,
        sha256=sha256.lower(),
        url=urljoin(page, url),
        yanked=bool(entry.get("yanked", False)),
        uploaded=uploaded if isinstance(uploaded, str) else "",
        size=size if isinstance(size, int) else 0,
        requires_python=requires if isinstance(requires, str) else "",
    )


class _Links(html.parser.HTMLParser):
    """The anchors of a page that lead to distributions, and its `meta` elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.files, self.meta = page, list[Served](), dict[str, str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "meta":
            self.meta[attributes.get("name", "")] = attributes.get("content", "")
        if tag not in {"a", "base"} or not attributes.get("href"):
            return
        url = urljoin(self.page, attributes["href"])
        if tag == "base":
            self.page = url
            return
        parts = urlsplit(url)
        filename = unquote(parts.path.rpartition("/")[2])
        if filename.endswith(DISTRIBUTIONS):
            digest = SHA256.search(parts.fragment)
            sha256, needs = digest[1].lower() if digest else "", attributes.get("data-requires-python", "")
            url = parts._replace(fragment="").geturl()
            self.files.append(Served(filename, sha256, url, "data-yanked" in attributes, requires_python=needs))


def _of_html(body: bytes, page: str) -> Listing:
    """Return what an HTML page links to. A page of something else, as a login, lists none and says so."""
    links = _Links(page)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    end = time.monotonic() + HTML_SECONDS
    with contextlib.suppress(AssertionError):  # which the parser of older Pythons has for what is no HTML
        for start in range(0, len(body), PIECE):
            links.feed(decoder.decode(body[start : start + PIECE]))
            # Python's parser takes time that grows with the square of what it cannot finish.
            if len(links.rawdata) > PIECE or time.monotonic() > end:
                raise ValueError("HTML with an element that does not end")
    if not links.files and not IS_PAGE.search(body):
        raise ValueError("an HTML page that lists no files")
    status = links.meta.get("pypi:project-status") or "active"
    return Listing(tuple(links.files), status=status, reason=links.meta.get("pypi:project-status-reason", ""))
