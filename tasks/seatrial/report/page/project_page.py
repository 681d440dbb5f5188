"""The project's page as PyPI will show it: description, links and metadata, and what is broken in them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from seatrial.report.page.markup import LINKS, Safe, join, link, tag
from seatrial.report.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.release.archives import Metadata
    from seatrial.report.facts import Facts
    from seatrial.report.page.description import Description, Flaw

SHOWN = 100  # of a kind
LONGEST = 600  # characters of a value
NOT_RENDERED = "The description is too long to be shown here, or its renderer is not available on this machine:"
NOT_CHECKED = "The description is rendered by `check`, which has not passed yet. As it is written:"
FIELDS = (
    ("Licence", "license-expression"),
    ("Licence", "license"),
    ("Author", "author"),
    ("Author", "author-email"),
    ("Maintainer", "maintainer"),
    ("Maintainer", "maintainer-email"),
    ("Requires Python", "requires-python"),
    ("Requires", "requires-dist"),
    ("Extras", "provides-extra"),
    ("Keywords", "keywords"),
)


def section(facts: Facts) -> Safe:
    """Return the page; nothing where the metadata cannot be read."""
    if facts.metadata is None:
        return Safe("")
    return join([_flaws(facts), tag("div", _main(facts, facts.metadata), _side(facts.metadata), class_="pypi card")])


def flaws(facts: Facts) -> tuple[Flaw, ...]:
    """Return the links and pictures of the description that do not work."""
    return facts.description.flaws if facts.description else ()


def broken_links(metadata: Metadata) -> list[str]:
    """Return the project's links that lead nowhere, as they stand in the metadata."""
    return [f"{label}: {url}" for label, url in _links(metadata) if not LINKS.match(url)]


def counted(facts: Facts) -> str:
    """Return how many links and pictures of the page do not work, empty where all do."""
    kinds = [flaw.what for flaw in flaws(facts)]
    kinds += ["link" for _ in (broken_links(facts.metadata) if facts.metadata else ())]
    return " and ".join(plural(kinds.count(kind), kind) for kind in ("link", "picture") if kind in kinds)


def _flaws(facts: Facts) -> Safe:
    """Return what is broken on the page, before the page."""
    entries = [
        tag("li", f"{flaw.what} ", tag("code", flaw.target or "(empty)"), f" {flaw.why}") for flaw in flaws(facts)
    ]
    own = broken_links(facts.metadata) if facts.metadata else []
    entries += [tag("li", "link ", tag("code", text[:LONGEST]), " is not an address of a page") for text in own]
    if not entries:
        return Safe("")
    more = [tag("li", f"and {len(entries) - SHOWN} more")] if len(entries) > SHOWN else []
    head = tag("p", tag("strong", f"To fix: {counted(facts)}"))
    return tag("div", head, tag("ul", *entries[:SHOWN], *more), class_="notice")


def _main(facts: Facts, metadata: Metadata) -> Safe:
    top = [tag("p", "pip install ", facts.built.project, class_="pip"), _pictures(facts.description)]
    if facts.description:
        return tag("div", *top, facts.description.html, class_="readme")
    if not metadata.description.strip():
        return tag("div", *top, tag("p", "The author of this package has not provided a project description"))
    why = NOT_RENDERED if facts.checked else NOT_CHECKED.replace("`", "")
    return tag("div", *top, tag("p", why, class_="note"), tag("pre", metadata.description[: 100 * LONGEST]))


def _pictures(description: Description | None) -> Safe:
    count = description.pictures if description else 0
    if not count:
        return Safe("")
    return tag("p", f"{plural(count, 'picture')} of other sites, shown here as alternative text.", class_="note")


def _side(metadata: Metadata) -> Safe:
    parts = [*_project_links(metadata), *_fields(metadata), *_classifiers(metadata)]
    return tag("aside", *parts, aria_label="Metadata")


def _links(metadata: Metadata) -> Iterator[tuple[str, str]]:
    for label, field in (("Homepage", "home-page"), ("Download", "download-url")):
        yield from ((label, url) for url in metadata.all(field))
    for value in metadata.all("project-url"):
        label, _, url = value.partition(",")
        yield label.strip(), url.strip()


def _project_links(metadata: Metadata) -> Iterator[Safe]:
    if links := list(_links(metadata))[:SHOWN]:
        yield tag("h3", "Project links")
        yield tag("ul", *[tag("li", link(url, label[:LONGEST])) for label, url in links], class_="plain")


def _fields(metadata: Metadata) -> Iterator[Safe]:
    shown = [(title, value) for title, field in FIELDS for value in metadata.all(field)[:SHOWN] if value]
    if shown:
        yield tag("h3", "Meta")
        grouped = groupby(shown, key=lambda pair: pair[0])
        parts = [(tag("dt", title), *[tag("dd", value[:LONGEST]) for _, value in pairs]) for title, pairs in grouped]
        yield tag("dl", *[part for group in parts for part in group])


def _classifiers(metadata: Metadata) -> Iterator[Safe]:
    pairs = sorted(tuple(text.partition(" :: ")[::2]) for text in metadata.all("classifier")[:SHOWN])
    if pairs:
        yield tag("h3", "Classifiers")
    for family, group in groupby(pairs, key=lambda pair: pair[0]):
        yield tag("h4", family)
        yield tag("ul", *[tag("li", rest) for _, rest in group], class_="plain")
