"""How an archive is packed, beside what its members hold: their order, times, rights, owners and compression.

`clocked` tells the times of a clock, which nothing but that moment gives again, from those that a backend sets.
"""

from __future__ import annotations

import contextlib
import hashlib
import stat
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, get_args

from seatrial.release.archives import reading
from seatrial.release.formats import tars
from seatrial.release.formats.zip_records import Ambiguity

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.release.formats.zip_records import Entry

RIGHTS, USUAL = 0o777, 0o022
UMASKS = {0o644: 0o022, 0o755: 0o022, 0o664: 0o002, 0o775: 0o002, 0o600: 0o077, 0o700: 0o077}
# What differs, by what the headers of a member say of it.
HEADERS = {"times": ("moment",), "modes": ("mode",), "owners": ("owner",), "compression": ("method", "packed")}


@dataclass
class Packing:
    """How an archive is packed: the names of its members in order, and the header of each, the last one of a name.

    `contents` has the sha256 of each file, and where each link leads. A name that stands there twice has both contents.
    `ambiguous` is what makes readers see different members.
    """

    order: list[str] = field(default_factory=list)
    headers: dict[str, tars.Member | Entry] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    ambiguous: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: Path) -> Packing:
        """Read the distribution at `path`. Raises one of archives.BROKEN."""
        packing = cls()
        with reading(path, packing._visit) as contents:
            if contents.zip:
                for entry in contents.zip.entries:
                    packing._visit(entry)
                packing.ambiguous = tuple(sorted(contents.zip.oddities.keys() & set(get_args(Ambiguity))))
            for member in contents:
                digest = hashlib.sha256()
                for piece in member.pieces(member.size):
                    digest.update(piece)
                packing._add(member.name, digest.hexdigest())
        return packing

    def _visit(self, member: tars.Member | Entry) -> None:
        self.order.append(member.name)
        self.headers[member.name] = member
        if isinstance(member, tars.Member) and member.kind not in {"file", "folder"}:
            self._add(member.name, f"{member.kind} {member.link}")

    def _add(self, name: str, content: str) -> None:
        self.contents[name] = f"{self.contents[name]}, {content}" if name in self.contents else content

    @property
    def folders(self) -> set[str]:
        """The names of the folders that are members themselves."""
        return set(self.order) - self.contents.keys()

    @property
    def clocked(self) -> bool:
        """Whether the members have different times, as they have where nobody set them."""
        return len({member.moment for member in self.headers.values()}) > 1

    @property
    def epoch(self) -> int | None:
        """The one time that all members have, in seconds; None where there is none, or it is not readable."""
        (moment, *others) = {member.moment for member in self.headers.values()} or {""}
        if others:
            return None
        with contextlib.suppress(ValueError, OverflowError):
            if isinstance(moment, str):
                return int(moment, 8)
            date, time = moment >> 16, moment & 0xFFFF  # of MS-DOS, taken for UTC
            year, month, day = 1980 + (date >> 9), date >> 5 & 0xF, date & 0x1F
            clock = (time >> 11, time >> 5 & 0x3F, 2 * (time & 0x1F))
            return int(datetime(year, month, day, *clock, tzinfo=timezone.utc).timestamp())
        return None

    @property
    def umask(self) -> int | None:
        """The umask other than 022 that the rights of the files come from, None where they come from none."""
        found = set()
        for member in self.headers.values():
            with contextlib.suppress(ValueError):
                number = int(member.mode, 8) if isinstance(member.mode, str) else member.mode
                found.add(UMASKS.get(number & RIGHTS) if number and not stat.S_ISDIR(number) else USUAL)
        others = found - {USUAL}
        return others.pop() if len(others) == 1 else None


def differing(ours: Packing, theirs: Packing) -> tuple[str, ...]:
    """Return what differs in how two archives of the same members are packed; where nothing is seen, the headers."""
    both = ours.contents.keys() & theirs.contents.keys()
    same = [name for name in both if ours.contents[name] == theirs.contents[name]]

    def said(packing: Packing, word: str) -> list[object]:
        return [getattr(packing.headers[name], fact, None) for name in same for fact in HEADERS[word]]

    found = [word for word in HEADERS if said(ours, word) != said(theirs, word)]
    if [name for name in ours.order if name in both] != [name for name in theirs.order if name in both]:
        found.append("order")
    if ours.folders != theirs.folders:
        found.append("folders")
    return tuple(found) or ("headers or compression",)
