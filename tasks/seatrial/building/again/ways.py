"""The ways in which a release may have been built, and which of them is worth trying next.

Neither the archives nor their metadata say how they were built, but what differs tells which ways may come nearer.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from seatrial.machine.values import Value
from seatrial.project.pythons import KNOWN_PYTHONS
from seatrial.release.comparison import LINE_ENDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from seatrial.release.comparison import Comparison

UMASK = 0o022
FIRST = (2019, 8)  # Python 3.8 came in October 2019, and another one each October since


class Way(Value):
    """One way to build.

    `epoch` is SOURCE_DATE_EPOCH, which is that `of` something. `crlf` are the files that have the line ends of Windows,
    or with a leading slash how their names end. `dist` is whether the checkout has the empty folder that `python -m
    build` makes before it builds the sdist. `generator` is the build backend that is taken in place of the one that was
    chosen, `python` another Python than the chosen one; both are empty where the choice stands.
    """

    epoch: int | None
    normalise: bool
    of: str = "the commit"
    from_sdist: bool = True
    umask: int = UMASK
    crlf: tuple[str, ...] = ()
    dist: bool = False
    generator: str = ""
    python: str = ""

    def has_crlf(self, name: str) -> bool:
        """Whether the file `name` of the checkout has the line ends of Windows."""
        ends = tuple(end for end in self.crlf if end.startswith("/"))
        return name in self.crlf or f"/{name}".endswith(ends)

    def words(self, usual: Way) -> str:
        """Say what is not as in the `usual` way; nothing where all of it is."""
        parts = {
            self.generator: self.generator != usual.generator,
            "the sdist as its backend made it": usual.normalise and not self.normalise,
            f"SOURCE_DATE_EPOCH of {self.of}" if self.epoch is not None else "no SOURCE_DATE_EPOCH": self.of
            != usual.of,
            "an empty dist/ in the checkout": self.dist,
            "the wheel of the checkout": usual.from_sdist and not self.from_sdist,
            f"umask {self.umask:03o}": self.umask != usual.umask,
            f"CRLF line ends in {len(self.crlf)} file{'' if len(self.crlf) == 1 else 's'}": self.crlf != usual.crlf,
            f"Python {self.python}": self.python != usual.python,
        }
        return ", ".join(words for words, is_so in parts.items() if is_so)


@dataclass
class Search:
    """What is tried of a release, cheapest first: one thing is changed at a time, and kept where it came nearer.

    `left` returns the comparisons of what is not identical yet, `tagged` is when the tag was made, `generator` and
    `made_by` return the build backend of the wheel that is served and of the one that was built, `pythons` are the
    others that are here.
    """

    usual: Way
    left: Callable[[], list[Comparison]]
    tagged: int
    generator: Callable[[], str]
    made_by: Callable[[], str]
    pythons: Iterable[str]
    best: Way = field(init=False)
    tried: dict[Way, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.best = self.usual

    def ways(self) -> Iterator[Way]:
        """Yield one way after the other; whoever takes them sets `best` in between."""
        for change, helps in self._changes() if self.left() else ():
            way = replace(self.best, **change)
            if way not in self.tried and any(map(helps, self.left())):
                self.tried[way] = way.words(self.usual)
                yield way

    def _changes(self) -> Iterator[tuple[dict[str, Any], Callable[[Comparison], bool]]]:
        """Yield what may be changed, with what it helps."""
        generator = self.generator()
        if generator and generator != self.made_by():
            yield {"generator": generator}, lambda _: True
        yield {"normalise": False}, lambda found: not found.filename.endswith(".whl")
        yield {"epoch": None, "of": "nothing"}, _is_of_time
        if self.tagged != self.usual.epoch:
            yield {"epoch": self.tagged, "of": "the tag", "normalise": False}, _is_of_time
        for moment in sorted({found.epoch for found in self.left() if found.epoch and _is_of_time(found)}):
            day = datetime.fromtimestamp(moment, tz=timezone.utc)
            yield {"epoch": moment, "of": f"its own times ({day:%Y-%m-%dT%H:%M:%SZ})", "normalise": False}, _is_of_time
        yield {"from_sdist": False}, lambda found: found.filename.endswith(".whl")
        yield {"dist": True}, lambda found: found.verdict == "different" and not found.filename.endswith(".whl")
        for umask in sorted({found.umask for found in self.left() if found.umask is not None}):
            yield {"umask": umask, "normalise": False}, lambda found: found.umask is not None
        names = {name for found in self.left() for name in _of_line_ends(found)}
        yield {"crlf": tuple(sorted(names))}, lambda found: bool(_of_line_ends(found))
        for python in self.pythons:
            yield {"python": python}, lambda _: True


def _is_of_time(found: Comparison) -> bool:
    return "times" in found.packing or found.verdict == "different"


def _of_line_ends(found: Comparison) -> set[str]:
    """Return the members that differ in line ends alone, as `Way` has them: a wheel does not know their folder."""
    names = [difference.member for difference in found.differences if difference.lines == (LINE_ENDS,)]
    return {f"/{name}" if found.filename.endswith(".whl") else name.partition("/")[2] for name in names}


def likeliest(pythons: Iterable[str], uploaded: str) -> list[str]:
    """Return `pythons`, the newest of the time that a release was `uploaded` (ISO 8601) first, later ones last."""
    year, minor = FIRST
    try:
        moment = datetime.fromisoformat(uploaded.replace("Z", "+00:00"))
        newest = minor + moment.year - year - (moment.month < 10)  # noqa: PLR2004 (October)
    except ValueError:
        newest = len(KNOWN_PYTHONS) + minor
    numbers = sorted((int(python.partition(".")[2]) for python in pythons), reverse=True)
    return [f"3.{number}" for number in sorted(numbers, key=lambda number: number > newest)]
