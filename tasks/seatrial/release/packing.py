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
from seatrial.release.formats.zip_records import Ambiguity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seatrial.release.formats import tars

RIGHTS, USUAL = 0o777, 0o022
UMASKS = {0o644: 0o022, 0o755: 0o022, 0o664: 0o002, 0o775: 0o002, 0o600: 0o077, 0o700: 0o077}


@dataclass
class Packing:
    """How an archive is packed, by member; `contents` has the sha256 of each file, and where each link leads.

    A name that stands there twice has both contents. `ambiguous` is what makes readers see different members.
    """

    contents: dict[str, str] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    times: dict[str, int | str] = field(default_factory=dict)
    modes: dict[str, int | str] = field(default_factory=dict)
    owners: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    ambiguous: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: Path) -> Packing:
        """Read the distribution at `path`. Raises one of archives.BROKEN."""
        packing = cls()
        with reading(path, packing._visit) as contents:
            if contents.zip:
                for entry in contents.zip.entries:
                    packing.order.append(entry.name)
                    packing.times[entry.name], packing.modes[entry.name] = entry.moment, entry.mode
                    packing.sizes[entry.name] = (entry.method, entry.packed)
                packing.ambiguous = tuple(sorted(contents.zip.oddities.keys() & set(get_args(Ambiguity))))
            for member in contents:
                digest = hashlib.sha256()
                for piece in member.pieces(member.size):
                    digest.update(piece)
                packing._add(member.name, digest.hexdigest())
        return packing

    def _visit(self, member: tars.Member) -> None:
        self.order.append(member.name)
        self.times[member.name], self.modes[member.name] = member.moment, member.mode
        self.owners[member.name] = member.owner
        if member.kind not in {"file", "folder"}:
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
        return len(set(self.times.values())) > 1

    @property
    def epoch(self) -> int | None:
        """The one time that all members have, in seconds; None where there is none, or it is not readable."""
        (moment, *others) = {*self.times.values()} or {""}
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
        for mode in self.modes.values():
            with contextlib.suppress(ValueError):
                number = mode if isinstance(mode, int) else int(mode, 8)
                found.add(UMASKS.get(number & RIGHTS) if number and not stat.S_ISDIR(number) else USUAL)
        others = found - {USUAL}
        return others.pop() if len(others) == 1 else None


def differing(ours: Packing, theirs: Packing) -> tuple[str, ...]:
    """Return what differs in how two archives of the same members are packed; where nothing is seen, the headers."""
    both = ours.contents.keys() & theirs.contents.keys()
    same = [name for name in both if ours.contents[name] == theirs.contents[name]]
    tables: Mapping[str, tuple[Mapping[str, object], Mapping[str, object]]] = {
        "times": (ours.times, theirs.times),
        "modes": (ours.modes, theirs.modes),
        "owners": (ours.owners, theirs.owners),
        "compression": (ours.sizes, theirs.sizes),
    }
    found = [word for word, (here, there) in tables.items() if any(here.get(name) != there.get(name) for name in same)]
    if [name for name in ours.order if name in both] != [name for name in theirs.order if name in both]:
        found.append("order")
    if ours.folders != theirs.folders:
        found.append("folders")
    return tuple(found) or ("headers or compression",)
