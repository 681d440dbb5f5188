"""The members of an archive as a tree, each with what it was in the version before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.index.changes import unversioned
from seatrial.machine.terminal import size
from seatrial.report.page.markup import Safe, join, tag
from seatrial.report.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.release.archives import Archive
    from seatrial.release.stages import FileChanges, Resized

ENTRIES = 1500  # files of a tree; a page that takes a minute to open helps nobody
TOGETHER, LEAST = 6000, 50  # of all trees of a page, and of each in any case
DEEPEST = 10  # folders in one another
LONGEST = 120  # characters of a name
AT_ONCE = 12  # a folder with more in it is closed at first


@dataclass
class Folder:
    """A folder of an archive: what is in it, and how much that is with all below."""

    folders: dict[str, Folder] = field(default_factory=dict)
    files: list[tuple[str, int, Safe]] = field(default_factory=list)
    count: int = 0
    size: int = 0


def tree(archive: Archive, changes: FileChanges | None, trees: int = 1) -> Safe:
    """Return the members of `archive`, one of so many `trees` on a page, marked where `changes` names them."""
    limit = max(min(ENTRIES, TOGETHER // trees), LEAST)
    before = {member.name: member for member in changes.members} if changes else {}
    members = sorted(archive.members, key=lambda member: member.name)
    top = Folder()
    for member in members[:limit]:
        *folders, name = member.name.split("/", DEEPEST)
        way = [top]
        for folder in folders:
            way.append(way[-1].folders.setdefault(folder, Folder()))
        for above in way:
            above.count += 1
            above.size += member.size
        way[-1].files.append((name, member.size, mark(before.get(unversioned(archive, member.name)))))
    more = len(members) - limit
    left_out = [tag("p", f"{plural(more, 'more member')} not shown.", class_="note")] if more > 0 else []
    return join([tag("ul", *_entries(top), class_="tree"), *left_out])


def _entries(folder: Folder) -> Iterator[Safe]:
    for name, inner in sorted(folder.folders.items()):
        summary = tag("span", f"{plural(inner.count, 'file')}, {size(inner.size)}", class_="size")
        head = tag("summary", tag("span", f"{short(name)}/", class_="name"), " ", summary)
        yield tag("li", tag("details", head, tag("ul", *_entries(inner)), open=inner.count <= AT_ONCE))
    for name, bytes_, marked in folder.files:
        marks = tag("span", marked, size(bytes_), class_="size")
        yield tag("li", tag("span", short(name), class_="name"), " ", marks, class_="file")


def mark(change: Resized | None) -> Safe:
    """Return what is shown beside a member: new, or how much larger or smaller it is; nothing where it is the same."""
    if change is None:
        return Safe("")
    if change.before is None:
        return tag("b", "new ", class_="added")
    return tag("b", f"{difference(change.before, change.after or 0)} ", class_="grown")


def difference(before: int, after: int) -> str:
    """Return how much larger or smaller, with its sign."""
    return f"{'+' if after >= before else '-'}{size(abs(after - before))}"


def short(name: str) -> str:
    """Return `name`, its middle left out where it is too long to be one."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}…{name[-LONGEST // 2 :]}"


def listed(changes: FileChanges) -> Safe:
    """Return the members that differ, in three lists: added, removed and resized."""
    groups: dict[str, list[Safe]] = {"Added": [], "Removed": [], "Resized": []}
    for one in changes.members:
        if one.before is None or one.after is None:
            group, sizes = "Added" if one.before is None else "Removed", size((one.before or 0) + (one.after or 0))
        else:
            group, sizes = "Resized", join([mark(one), f"{size(one.before)} → {size(one.after)} "])
        beside = tag("span", sizes, class_="size")
        groups[group].append(tag("li", tag("span", short(one.name), class_="name"), " ", beside, class_="file"))
    shown = []
    for name, entries in groups.items():
        if entries:
            head = tag("summary", f"{name}: {len(entries)}")
            shown.append(tag("details", head, tag("ul", *entries, class_="tree"), open=len(entries) <= AT_ONCE))
    more = [tag("p", f"{plural(changes.more, 'more member')} changed.", class_="note")] if changes.more else []
    return join([*shown, *more]) if shown else tag("p", "The same members, all of the same size.", class_="note")
