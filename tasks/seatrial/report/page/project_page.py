"""The project's page as PyPI will show it: description, links and metadata, and what is broken in them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from seatrial.report.page.description import Flaw
from seatrial.report.page.markup import LINKS, Safe, join, link, tag, terms
from seatrial.report.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.release.archives import Metadata
    from seatrial.report.facts import Facts

SHOWN = 100  # of a kind
LONGEST = 600  # characters of a value
NOT_RENDERED = "The description is too long to be shown here, or its renderer is not available on this machine:"
NOT_CHECKED = "The description is rendered by `check`, which has not passed yet. As it is written:"
FIELDS = {
    "Licence": ("license-expression", "license"),
    "Author": ("author", "author-email"),
    "Maintainer": ("maintainer", "maintainer-email"),
    "Requires Python": ("requires-python",),
    "Requires": ("requires-dist",),
    "Extras": ("provides-extra",),
    "Keywords": ("keywords",),
}


def section(facts: Facts) -> Safe:
    """Return the page; nothing where the metadata cannot be read."""
    if facts.metadata is None:
        return Safe("")
    entries = [
        tag("li", f"{flaw.what} ", tag("code", flaw.target[:LONGEST] or "(empty)"), f" {flaw.why}")
        for flaw in _to_fix(facts)
    ]
    if len(entries) > SHOWN:
        entries[SHOWN:] = [tag("li", f"and {len(entries) - SHOWN} more")]
    head = tag("p", tag("strong", f"To fix: {counted(facts)}"))
    aside = tag("aside", *_side(facts.metadata), aria_label="Metadata")
    shown = tag("div", _main(facts, facts.metadata), aside, class_="pypi card")
    return join([tag("div", head, tag("ul", *entries), class_="notice"), shown]) if entries else shown


def flaws(facts: Facts) -> tuple[Flaw, ...]:
    """Return the links and pictures of the description that do not work."""
    return facts.description.flaws if facts.description else ()


def counted(facts: Facts) -> str:
    """Return how many links and pictures of the page do not work, empty where all do."""
    kinds = [flaw.what for flaw in _to_fix(facts)]
    return " and ".join(plural(kinds.count(kind), kind) for kind in ("link", "picture") if kind in kinds)


def _to_fix(facts: Facts) -> list[Flaw]:
    """Return what is broken on the page: in the description, and the project's links that lead nowhere."""
    broken = [(label, url) for label, url in _links(facts.metadata) if not LINKS.match(url)] if facts.metadata else []
    return [*flaws(facts), *(Flaw("link", f"{label}: {url}", "is not an address of a page") for label, url in broken)]


def _main(facts: Facts, metadata: Metadata) -> Safe:
    top = [tag("p", "pip install ", facts.built.project, class_="pip")]
    if facts.description:
        if count := facts.description.pictures:
            note = f"{plural(count, 'picture')} of other sites, shown here as alternative text."
            top.append(tag("p", note, class_="note"))
        return tag("div", *top, facts.description.html, class_="readme")
    if not metadata.description.strip():
        return tag("div", *top, tag("p", "The author of this package has not provided a project description"))
    why = NOT_RENDERED if facts.checked else NOT_CHECKED.replace("`", "")
    return tag("div", *top, tag("p", why, class_="note"), tag("pre", metadata.description[: 100 * LONGEST]))


def _links(metadata: Metadata) -> Iterator[tuple[str, str]]:
    for label, field in (("Homepage", "home-page"), ("Download", "download-url")):
        yield from ((label, url) for url in metadata.all(field))
    for value in metadata.all("project-url"):
        label, _, url = value.partition(",")
        yield label.strip(), url.strip()


def _side(metadata: Metadata) -> Iterator[Safe]:
    if links := list(_links(metadata))[:SHOWN]:
        yield tag("h3", "Project links")
        yield tag("ul", *[tag("li", link(url, label[:LONGEST])) for label, url in links], class_="plain")
    meta = [
        (title, [value[:LONGEST] for name in names for value in metadata.all(name)[:SHOWN] if value])
        for title, names in FIELDS.items()
    ]
    if any(values for _, values in meta):
        yield tag("h3", "Meta")
        yield terms(meta)
    if pairs := sorted(tuple(text.partition(" :: ")[::2]) for text in metadata.all("classifier")[:SHOWN]):
        yield tag("h3", "Classifiers")
    for family, group in groupby(pairs, key=lambda pair: pair[0]):
        yield tag("h4", family)
        yield tag("ul", *[tag("li", rest) for _, rest in group], class_="plain")
