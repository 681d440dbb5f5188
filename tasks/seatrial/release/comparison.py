"""Two archives of one name compared member by member, with a verdict in one word.

`identical`: the same bytes. `equivalent`: the same members with the same contents, but for a closed list: how they are
packed (see `Packing`), the `Generator` and `Wheel-Version` fields of WHEEL, what a build backend writes differently in
the metadata without another meaning, and the rows of RECORD that follow from these. `different`: anything else, and the
members that make it so.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import functools
import hashlib
import itertools
import stat
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Literal, get_args

from packaging.utils import canonicalize_name
from packaging.version import Version

from seatrial.machine.values import Value
from seatrial.release.archives import SNIFF, TEXT_LIMIT, Archive, Metadata, reading, refusing
from seatrial.release.filenames import parsed_requirement, parsed_version
from seatrial.release.formats import tars
from seatrial.release.formats.zip_records import Ambiguity
from seatrial.release.stages import Difference, Dist

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seatrial.release.formats.zip_records import Entry

Verdict = Literal["identical", "equivalent", "different", "not judged"]
VERDICTS: tuple[Verdict, ...] = ("identical", "equivalent", "different", "not judged")  # best first

EXTENSIONS = (".so", ".pyd", ".dylib", ".dll")
CODE = (".py", ".pyi", ".pth", "entry_points.txt", *EXTENSIONS)
LINES = 12  # of a diff that is shown
LINE_ENDS = "line ends"
DIFFED = 1 << 20  # bytes of a text that is compared line by line

# Fields that say how the metadata was written, or (Dynamic) only what an sdist may leave open.
OF_WRITING = frozenset({"metadata-version", "dynamic"})
# Fields that repeat what is in the archive, and the metadata version that brought them: older backends wrote none.
OF_CONTENTS = {"license-file": Version("2.4"), "import-name": Version("2.5"), "import-namespace": Version("2.5")}
FILE_LISTS = frozenset({"SOURCES.txt", "scm_file_list.json"})  # of setuptools and setuptools-scm
OF_WHEEL_WRITING = frozenset({"generator", "wheel-version"})
SEPARATED = frozenset({"keywords", "platform"})

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
        with reading(path, packing._visit) as opened:
            if opened.zip:
                for entry in opened.zip.entries:
                    packing._visit(entry)
                packing.ambiguous = tuple(sorted(opened.zip.oddities.keys() & set(get_args(Ambiguity))))
            for member in opened.contents:
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


class Comparison(Value):
    """What came of comparing the file `filename`: the members that differ, and what differs in how it is packed.

    `clocked` says that nothing but the packing differs, and that the times of the file which is served are those of a
    clock, so that no build gives them again. `epoch` is the one time of all its members, where there is one, and
    `umask` what the rights of its members come from, where that is not 022.
    """

    filename: str
    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    packing: tuple[str, ...] = ()
    clocked: bool = False
    epoch: int | None = None
    umask: int | None = None

    @property
    def score(self) -> tuple[int, int, int]:
        """How far the two are apart: the less, the nearer."""
        matters = sum(difference.matters for difference in self.differences)
        packing = sum(2 - ("compression" in word) for word in self.packing)  # which comes from another zlib, too
        return VERDICTS.index(self.verdict), matters, 2 * len(self.differences) + packing


def compare(ours: Path, theirs: Path) -> Comparison:
    """Compare the archive `ours`, built here, with `theirs`, which is served. Raises BadArchive."""
    if Dist.from_file(ours).sha256 == Dist.from_file(theirs).sha256:
        return Comparison(theirs.name, "identical")
    here, there = Archive.open(ours), Archive.open(theirs)
    with refusing(ours):
        packed = Packing.of(ours)
    with refusing(theirs):
        served = Packing.of(theirs)
    found = list(_differences(here, there, packed, served))
    found.sort(key=lambda difference: (not difference.matters, not is_code(difference), difference.member))
    packing = differing(packed, served)
    verdict: Verdict = "different" if any(difference.matters for difference in found) else "equivalent"
    clocked, umask = not found and "times" in packing and served.clocked, served.umask if "modes" in packing else None
    return Comparison(theirs.name, verdict, tuple(found), packing, clocked, served.epoch, umask)


def generator(wheel: Path) -> str:
    """Return the build backend and its version, as the `wheel` names it; empty where it does not."""
    archive = Archive.open(wheel)
    member = next((member.name for member in archive.members if member.name.endswith(".dist-info/WHEEL")), None)
    lines = archive.read(member).decode("utf-8", "replace").splitlines() if member else []
    return next((line.partition(": ")[2].strip() for line in lines if line.startswith("Generator: ")), "")


def is_code(difference: Difference) -> bool:
    """Whether the member that differs is run, or says what is."""
    return difference.member.endswith(CODE) or difference.kind == "ambiguous" or ".data/scripts/" in difference.member


def _differences(here: Archive, there: Archive, packed: Packing, served: Packing) -> Iterator[Difference]:
    ours, theirs = packed.contents, served.contents
    if more := sorted(set(served.ambiguous) - set(packed.ambiguous)):
        yield Difference(there.path.name, "ambiguous", matters=True, lines=(f"members: {', '.join(more)}",))
    for name in ours.keys() ^ theirs.keys():
        yield Difference(name, "missing there" if name in ours else "missing here", matters=True)
    changed = [name for name in sorted(ours.keys() & theirs.keys()) if ours[name] != theirs[name]]
    harmless: set[str] = set()
    for name in sorted(changed, key=lambda name: name.endswith(".dist-info/RECORD")):  # which follows from the others
        if " " in ours[name] + theirs[name]:  # not the sha256 of one file: a link, or two files of one name
            yield Difference(name, "kind", matters=True, lines=(f"-{ours[name]}", f"+{theirs[name]}"))
            continue
        pair = (here.read(name), there.read(name))
        longest, meaning = max(map(len, pair)), _meaning(name, here.kind, harmless, pair)
        if meaning and longest < TEXT_LIMIT:  # a larger one was not read whole
            matters = meaning(pair[0]) != meaning(pair[1])
            if not matters:
                harmless.add(name)
            yield Difference(name, "metadata", matters, tuple(_diff(*pair)))
        elif any(b"\0" in raw[:SNIFF] for raw in pair):
            what = ", compiled" if name.endswith(EXTENSIONS) else ""
            lines = (f"{len(pair[0])} bytes here, {len(pair[1])} there{what}",)
            yield Difference(name, "binary", matters=True, lines=lines)
        else:
            yield Difference(name, "text", matters=True, lines=tuple(_diff(*pair)))


def _meaning(name: str, kind: str, harmless: set[str], pair: tuple[bytes, bytes]) -> Callable[[bytes], object] | None:
    """Return what reads the meaning of the member `name` of a wheel or an sdist, None where its bytes are all it means.

    Lists have their lines in any order, RECORD none of members that mean the same (`harmless`). `pair` are compared.
    """
    folder, _, base = name.rpartition("/")
    at_top = "/" not in folder
    of_wheel = kind == "wheel" and at_top and folder.endswith(".dist-info")
    of_egg = kind == "sdist" and folder.endswith(".egg-info")
    if (of_wheel and base == "METADATA") or (base == "PKG-INFO" and (of_egg or (kind == "sdist" and at_top))):
        return functools.partial(_fields, pair=pair)
    if of_wheel and base == "WHEEL":
        return lambda raw: {
            field: sorted(values)
            for field, values in Metadata.parse(raw).fields.items()
            if field not in OF_WHEEL_WRITING
        }
    if of_wheel and base == "RECORD":
        return lambda raw: sorted(row for row in csv.reader(_lines(raw)) if row and row[0] not in harmless | {name})
    if (of_egg or of_wheel) and base in FILE_LISTS:
        return lambda raw: sorted(line.strip().removesuffix(b",") for line in raw.splitlines())  # also of JSON
    return None


def _fields(raw: bytes, pair: tuple[bytes, bytes]) -> object:
    """Return core metadata as what it means: fields in any order, and the description.

    Fields are left out that repeat what the archive holds, if one of the `pair` is of a version that has them not yet.
    """
    versions = [Metadata.parse(one).first("metadata-version") for one in pair]
    oldest = min(parsed_version(version) or Version("1.0") for version in versions)
    ignored = OF_WRITING | {"description"} | {name for name, since in OF_CONTENTS.items() if oldest < since}
    metadata = Metadata.parse(raw)
    fields = {
        name: sorted(_normalised(name, value) for value in values)
        for name, values in metadata.fields.items()
        if name not in ignored and values
    }
    return fields, metadata.description.strip().splitlines()


def _normalised(name: str, value: str) -> str:
    """Return the `value` of a field without what a build backend is free to write in another way."""
    if name in {"name", "provides-extra"}:
        return canonicalize_name(value)
    if name == "requires-dist":
        requirement = parsed_requirement(value)
        return str(requirement).replace("'", '"') if requirement else value
    if name == "requires-python":
        return ",".join(sorted(part.strip() for part in value.split(",")))
    if name in SEPARATED:
        return ",".join(word.strip() for word in value.split(","))
    return " ".join(value.split())


def _lines(raw: bytes) -> list[str]:
    return raw.decode("utf-8", "backslashreplace").splitlines()


def _diff(ours: bytes, theirs: bytes) -> Iterator[str]:
    """Yield the lines that differ, each after a place such as ``@@ -3 +3,2 @@``, and how many more there are."""
    if max(len(ours), len(theirs)) > DIFFED:
        yield f"{len(ours)} bytes here, {len(theirs)} there"
        return
    diff = difflib.unified_diff(_lines(ours), _lines(theirs), n=0, lineterm="")
    lines = itertools.islice(diff, 2, None)  # without the file names
    shown = [*itertools.islice(lines, LINES)]
    yield from shown or (LINE_ENDS if b"\r\n" in ours + theirs else "the end of the last line",)
    if more := sum(1 for _ in lines):
        yield f"... and {more} more lines"
