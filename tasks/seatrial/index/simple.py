"""The page of a project in the simple repository API, read as data: JSON (PEP 691, PEP 700), else HTML (PEP 503).

What an index writes there is input of others: whatever it is, files come out, or ValueError.
"""

from __future__ import annotations

import contextlib
import html.parser
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

JSON = "application/vnd.pypi.simple.v1+json"
# In the order of what we would rather have; an index that knows no JSON ignores what it does not know.
ACCEPTED = f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
DISTRIBUTIONS = (".whl", ".tar.gz", ".zip")
SHA256 = re.compile(r"(?:^|&)sha256=([0-9a-fA-F]{64})(?:&|$)")
IS_PAGE = re.compile(rb"pypi:repository-version|<(title|h1)>\s*(Simple index|Links for)", re.IGNORECASE)


@dataclass(frozen=True)
class Served:
    """A file as the simple repository API shows it; what the index does not tell is empty."""

    filename: str
    sha256: str
    url: str
    yanked: bool
    uploaded: str = ""  # in ISO 8601 (PEP 700)
    size: int = 0
    requires_python: str = ""


def files(body: bytes, page: str) -> tuple[Served, ...]:
    """Return the files that `body`, the answer at the URL `page`, lists. Raises ValueError where it is no such page."""
    if body.lstrip()[:1] == b"<":
        return _of_html(body, page)
    try:
        return tuple(_served(entry, page) for entry in json.loads(body)["files"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("what is neither JSON (PEP 691) nor HTML (PEP 503)") from None


def _served(entry: Any, page: str) -> Served:
    """Return the file that `entry` describes. Raises one of the errors above where it does not describe any."""
    filename, url, sha256 = entry["filename"], entry["url"], entry["hashes"].get("sha256", "")
    if not all(isinstance(text, str) for text in (filename, url, sha256)):
        raise TypeError("a name, a URL or a hash that is not text")
    uploaded, size, requires = entry.get("upload-time"), entry.get("size"), entry.get("requires-python")
    return Served(
        filename=filename,
        sha256=sha256,
        url=urljoin(page, url),
        yanked=bool(entry.get("yanked", False)),
        uploaded=uploaded if isinstance(uploaded, str) else "",
        size=size if isinstance(size, int) else 0,
        requires_python=requires if isinstance(requires, str) else "",
    )


@dataclass
class _Links(html.parser.HTMLParser):
    """The anchors of a page that lead to distributions."""

    page: str
    found: list[Served] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "base" and said.get("href"):
            self.page = urljoin(self.page, said["href"])
        if tag == "a" and said.get("href"):
            self._anchor(urljoin(self.page, said["href"]), said)

    def _anchor(self, url: str, said: dict[str, str | None]) -> None:
        parts = urlsplit(url)
        filename = unquote(parts.path.rpartition("/")[2])
        if filename.endswith(DISTRIBUTIONS):
            digest = SHA256.search(parts.fragment)
            self.found.append(
                Served(
                    filename=filename,
                    sha256=digest[1].lower() if digest else "",
                    url=parts._replace(fragment="").geturl(),
                    yanked="data-yanked" in said,
                    requires_python=said.get("data-requires-python") or "",
                )
            )


def _of_html(body: bytes, page: str) -> tuple[Served, ...]:
    """Return the files that an HTML page links to. A page of something else, as a login, lists none and says so."""
    links = _Links(page)
    with contextlib.suppress(AssertionError):  # which the parser of older Pythons has for what is no HTML
        links.feed(body.decode("utf-8", "replace"))
    if not links.found and not IS_PAGE.search(body):
        raise ValueError("an HTML page that lists no files")
    return tuple(links.found)
