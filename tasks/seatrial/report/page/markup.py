"""HTML out of values: whatever is not already `Safe` is escaped. The one place of the report that knows how."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from seatrial.machine.terminal import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

VOID = frozenset({"br", "hr", "col", "input", "meta", "img"})
LINKS = re.compile(r"(https?|mailto):", re.IGNORECASE)  # everything else (javascript:, data:, file:) leads nowhere
CODE = re.compile(r"`([^`\n]+)`")


class Safe(str):
    """HTML that was made here, out of escaped parts."""

    __slots__ = ()


def text(value: object) -> Safe:
    """Return `value` as HTML: itself where it is that already, escaped otherwise."""
    return value if isinstance(value, Safe) else Safe(html.escape(visible(value)))


def join(parts: Iterable[object]) -> Safe:
    """Return all of `parts`, one after the other."""
    return Safe("".join(map(text, parts)))


def tag(name: str, /, *children: object, **attributes: object) -> Safe:
    """Return the element `name`. An attribute that is None or False is left out, one that is True has no value.

    ``class_`` is `class`, ``aria_label`` is `aria-label`.
    """
    shown = ""
    for key, value in attributes.items():
        if value is not None and value is not False:
            given = "" if value is True else f'="{html.escape(visible(value))}"'
            shown += f" {key.rstrip('_').replace('_', '-')}{given}"
    return Safe(f"<{name}{shown}>" if name in VOID else f"<{name}{shown}>{join(children)}</{name}>")


def terms(listed: Iterable[tuple[str, Sequence[object]]]) -> Safe:
    """Return a list of terms, each with its values; a term without any is left out."""
    parts = [(tag("dt", term), *[tag("dd", value) for value in values]) for term, values in listed if values]
    return tag("dl", *map(join, parts))


def link(url: str, *children: object) -> Safe:
    """Return a link to `url`, or the text alone where it is none to another site."""
    if not LINKS.match(url):
        return tag("span", *children)
    return tag("a", *children, href=url, rel="noopener noreferrer nofollow")


def prose(message: str) -> Safe:
    """Return one of our own sentences, with what stands in backticks as code."""
    return join(tag("code", part) if number % 2 else part for number, part in enumerate(CODE.split(message)))
