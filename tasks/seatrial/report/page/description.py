"""The description of a project, sanitised HTML, as part of the report: rebuilt element by element.

What PyPI's renderer let through is not trusted, since a record may come from anywhere. Only what is listed here gets
out, its tags balanced and its text escaped. Nothing is loaded: a picture is replaced by what stands for it.
"""

from __future__ import annotations

import html.parser
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.machine.values import Value
from seatrial.report.page.markup import LINKS, VOID, Safe, tag, text

if TYPE_CHECKING:
    from collections.abc import Sequence

PLAIN = frozenset(
    """
    a abbr acronym b blockquote code em i li ol strong ul br caption cite col colgroup dd del details div dl dt hr p pre
    span sub summary sup table tbody td th thead tr tt kbd var input section aside nav figure figcaption
    """.split()
)
HEADINGS = {f"h{level}": level for level in range(1, 7)}
DROPPED = frozenset({"script", "style", "iframe", "object", "template", "noscript", "title", "textarea", "svg", "math"})
KEPT = {"align", "title", "colspan", "rowspan", "start", "class", "lang"}
WORDS = re.compile(r"[\w .:%-]{1,80}", re.ASCII)
FIRST, LOWEST = 3, 6  # the levels of the highest and the lowest heading: the page has its own above
DEEPEST = 100  # elements in one another
LONGEST = 200  # characters of an address that is shown
PREFIX = "readme-"  # of what the description calls something, so that it clashes with no name of the page itself


class Flaw(Value):
    """A link or a picture that does not work on the project's page, and why."""

    what: str
    target: str
    why: str


class Description(Value):
    """The description as part of a page, what is wrong in it, and how many pictures it would load."""

    html: Safe
    flaws: tuple[Flaw, ...]
    pictures: int


def shown(source: str) -> Description:
    """Return the sanitised HTML `source` as part of the report."""
    names = _Names()
    names.feed(source)
    builder = _Builder(frozenset(names.ids))
    builder.feed(source)
    builder.close()
    return Description(Safe("".join(builder.out)), tuple(dict.fromkeys(builder.flaws)), builder.pictures)


class _Names(html.parser.HTMLParser):
    """Collects what a link inside the page can lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        del tag
        self.ids += [value for name, value in attrs if name == "id" and value]


@dataclass
class _Builder(html.parser.HTMLParser):
    names: frozenset[str]
    out: list[str] = field(default_factory=list)
    open: list[tuple[str, str, int]] = field(default_factory=list)  # as it was, as it is here, and where it begins
    flaws: list[Flaw] = field(default_factory=list)
    pictures: int = 0
    level: int = FIRST - 1
    dropping: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self.dropping or tag in DROPPED:
            self.dropping = self.dropping or tag
        elif tag == "img":
            self._picture(given)
        elif (tag in PLAIN or tag in HEADINGS) and len(self.open) < DEEPEST:
            name = tag
            if tag in HEADINGS:  # below those of the page, and no level left out on the way down
                self.level = min(HEADINGS[tag] + FIRST - 1, self.level + 1, LOWEST)
                name = f"h{self.level}"
            self._start(tag, name, self._attributes(tag, given))

    def handle_endtag(self, tag: str) -> None:
        if self.dropping:
            self.dropping = "" if tag == self.dropping else self.dropping
        elif any(tag == was for was, _, _ in self.open):
            while self._close() != tag:
                pass

    def _close(self) -> str:
        """End the innermost element and return its tag; a link around nothing leaves nothing."""
        was, name, start = self.open.pop()
        if name == "a" and start == len(self.out):
            self.out.pop()
        else:
            self.out.append(f"</{name}>")
        return was

    def close(self) -> None:
        super().close()
        while self.open:
            self._close()

    def handle_data(self, data: str) -> None:
        if not self.dropping:
            self.out.append(text(data))

    def _start(self, was: str, name: str, attributes: dict[str, object]) -> None:
        self.out.append(tag(name, **attributes).removesuffix(f"</{name}>"))
        if name not in VOID:
            self.open.append((was, name, len(self.out)))

    def _attributes(self, tag: str, given: dict[str, str]) -> dict[str, object]:
        kept: dict[str, object] = {name: given[name] for name in given if name in KEPT and WORDS.fullmatch(given[name])}
        if "class" in kept:
            kept["class"] = " ".join(f"{PREFIX}{name}" for name in given["class"].split())
        if "id" in given:
            kept["id"] = PREFIX + given["id"]
        if tag == "a":
            kept |= self._link(given.get("href"))
        if tag == "input":
            kept = {"type": "checkbox", "disabled": True, "checked": "checked" in given, "aria_label": "task"}
        return kept

    def _link(self, target: str | None) -> dict[str, object]:
        if target is None:
            return {}
        here, why = target.startswith("#"), ""
        if here and target[1:] not in self.names:
            why = "leads to nothing on the page"
        elif not here and not LINKS.match(target):
            why = "is relative, and leads to nothing on the page of an index"
        if why:
            self.flaws.append(Flaw("link", target[:LONGEST], why))
            return {"class": "flawed", "title": f"{target[:LONGEST]}: {why}"}
        return {"href": f"#{PREFIX}{target[1:]}" if here else target, "rel": None if here else "noopener noreferrer"}

    def _picture(self, given: dict[str, str]) -> None:
        source, alternative = given.get("src", ""), given.get("alt", "")
        # An empty text says that the picture is there for its looks.
        why = "" if "alt" in given else "has no text that stands for it (alt)"
        broken = not LINKS.match(source)
        self.pictures += not broken
        if broken:
            why = "is relative, and shows nothing on the page of an index"
        if why:
            self.flaws.append(Flaw("picture", source[:LONGEST], why))
        name = f"picture: {alternative or 'without a text'}"
        look = "picture broken" if broken else "picture"
        self.out.append(
            tag("span", alternative or "picture", class_=look, role="img", aria_label=name, title=source[:LONGEST])
        )
