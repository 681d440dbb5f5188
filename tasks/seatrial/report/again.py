"""What `rebuild` found out on the release, as a section of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.release.comparison import is_code
from seatrial.report.markup import Safe, join, tag

if TYPE_CHECKING:
    from seatrial.release.rebuilt import Again, Difference, Rebuilt
    from seatrial.report.facts import Facts

SHOWN = 100  # members of a file


def section(facts: Facts) -> Safe:
    """Return the verdict on each file, and the members that differ, code first; nothing where none was rebuilt."""
    found = facts.rebuilt
    if found is None:
        return Safe("")
    missing = [tag("p", f"Not judged: {name}", class_="quiet") for name in found.not_judged]
    return join([tag("p", summary(found), class_="quiet"), *map(_file, found.files), *missing])


def summary(found: Rebuilt) -> str:
    """Return in one sentence what was built again, with what, and what came of it."""
    made_by = f"{found.made_by} and " if found.made_by and found.made_by not in found.requirements else ""
    return (
        f"The tag {found.tag}, built again {found.at} with {made_by}{found.requirements}, on Python {found.python}:"
        f" {found.verdict}, compared with {found.index}."
    )


def told(file: Again) -> str:
    """Return the verdict on `file` in a few words."""
    parts = [file.verdict, *([f"({file.way})"] if file.way else [])]
    if file.packing and not file.differences:
        parts.append(f"but for {' and '.join(file.packing)}")
    return " ".join(parts)


def _file(file: Again) -> Safe:
    look = "notice failed" if file.verdict == "different" else "note"
    members = [_member(difference) for difference in file.differences[:SHOWN]]
    return tag(
        "article",
        tag("h3", file.filename),
        tag("p", told(file), class_=look),
        tag("ul", *members, class_="plain") if members else "",
        class_="card",
    )


def _member(difference: Difference) -> Safe:
    word = difference.kind if difference.matters else f"{difference.kind}, means the same"
    name = tag("strong", difference.member) if difference.matters and is_code(difference) else difference.member
    lines = tag("pre", "\n".join(difference.lines)) if difference.matters and difference.lines else ""
    return tag("li", tag("code", name), f" {word}", lines)
