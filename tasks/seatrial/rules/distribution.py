"""One look at a distribution: a single pass over the file, from which all rules take what they need.

Nothing is unpacked to disk, nothing is believed that a file says of itself, and whatever cannot be read is a finding.
The texts in it are shown to the rules on members while they are at hand, and not kept.
"""

from __future__ import annotations

import functools
import gzip
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from seatrial.release import tars, zips
from seatrial.release.archives import METADATA_LIMIT, SNIFF, TEXT_LIMIT, Member, Metadata
from seatrial.rules import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import IO

    from packaging.tags import Tag
    from packaging.version import Version

    from seatrial.release.stages import Kind

    Visit = Callable[[str, bytes], None]

KEPT = frozenset({"METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt"})
KEPT_IN_SDIST = frozenset({"PKG-INFO", "pyproject.toml"})
KEPT_TOTAL = 48 << 20  # bytes
NAMES_TOTAL = 32 << 20  # bytes of all names together
TAR_FLOOR, TAR_RATIO = 512 << 20, 100  # what an sdist may unpack to: so many bytes, or so many times its size
SHOWN = 3  # names in a message
FUNCTION = re.compile(rb"^[ \t]*(?:async[ \t]+)?def[ \t]", re.MULTILINE)
ANNOTATED = re.compile(
    rb"\)[ \t]*->[^\n]+:[ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE
)  # the end of a signature that says what it returns


@dataclass(frozen=True)
class Tar:
    """What the members of an sdist are, as far as PyPI looks: `tops` are the first parts of their names."""

    tops: frozenset[str]
    absolute: bool
    relative: bool
    sparse: tuple[str, ...]
    links: tuple[tuple[str, str], ...]

    @property
    def top(self) -> str | None:
        """The one folder that all members are in, None where there is no such."""
        top, *others = self.tops or {""}
        return None if others or not top or self.absolute else top


@dataclass(frozen=True)
class Look:
    """A file as one pass found it. What could not be read is None or empty, and `trouble` says why.

    `name` (normalised), `version` and `tags` are those of the file name. `kept` are the few members that rules read
    whole, `damaged` those that could not be unpacked. Of all `functions` in its modules, `annotated` say what they
    return.
    """

    path: Path
    kind: Kind
    size: int
    name: str = ""
    version: Version | None = None
    tags: frozenset[Tag] = frozenset()
    members: tuple[Member, ...] = ()
    kept: Mapping[str, bytes] = field(default_factory=dict)
    zip: zips.Zip | None = None
    tar: Tar | None = None
    metadata: Metadata | None = None
    trouble: str = ""
    damaged: tuple[str, ...] = ()
    functions: int = 0
    annotated: int = 0

    @classmethod
    def open(cls, path: Path, visit: Visit | None = None) -> Look:
        """Look at the file at `path`; `visit` is called with name and bytes of each member that is text."""
        kind: Kind = "wheel" if path.name.endswith(".whl") else "sdist"
        name, version, tags = parsed_filename(path.name)
        seen = _Pass(visit)
        size, trouble = _read(seen, path)
        raw = metadata_of(path.name, seen.kept, seen.tar)
        return cls(
            path=path,
            kind=kind,
            size=size,
            name=name,
            version=version,
            tags=tags,
            members=tuple(seen.members),
            kept=seen.kept,
            zip=seen.zip,
            tar=seen.tar,
            metadata=None if raw is None else Metadata.parse(raw),
            trouble=trouble,
            damaged=tuple(seen.damaged),
            functions=seen.functions,
            annotated=seen.annotated,
        )

    @property
    def info(self) -> str:
        """The folder of a wheel's metadata, spelled as in its file name; empty where that has too few parts."""
        parts = self.path.name.split("-")
        return f"{parts[0]}-{parts[1]}.dist-info" if len(parts) > 2 else ""  # noqa: PLR2004 (name, version, tags)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(member.name for member in self.members)


def _read(seen: _Pass, path: Path) -> tuple[int, str]:
    """Have `seen` see all of the file at `path`; return its size, and what keeps it from being read, if anything."""
    size = 0
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            _look(seen, file, path.name, size)
    except FileNotFoundError:
        return size, "there is no such file."
    except BROKEN as error:
        return size, getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return size, ""


BROKEN = (
    zips.NotZip,
    tars.NotTar,
    zlib.error,
    EOFError,
    OSError,
    OverflowError,
)


class _Pass:
    """What is gathered on the way through a file."""

    def __init__(self, visit: Visit | None) -> None:
        self._visit = visit
        self.members: list[Member] = []
        self.kept: dict[str, bytes] = {}
        self.zip: zips.Zip | None = None
        self.tar: Tar | None = None
        self.damaged: list[str] = []
        self.functions = 0
        self.annotated = 0
        self._kept_total = 0
        self._names_total = 0

    def member(self, name: str, size: int) -> None:
        self.members.append(Member(name, size))
        self.named(name)

    def named(self, name: str) -> None:
        self._names_total += len(name)
        if self._names_total > NAMES_TOTAL:
            raise tars.NotTar("the names of its members are too long together.")

    def content(self, name: str, size: int, pieces: Callable[[int], Iterator[bytes]]) -> None:
        """Read the member `name`: whole where a rule wants it, its beginning where it is no text."""
        keep = wanted(name) and self._kept_total + size <= KEPT_TOTAL
        if not keep and (self._visit is None or size > TEXT_LIMIT):
            return
        read: list[bytes] = []
        for piece in pieces(METADATA_LIMIT if keep else TEXT_LIMIT):
            read.append(piece)
            if len(read) == 1 and not keep and b"\0" in piece[:SNIFF] and not name.lower().endswith(limits.SCANNED):
                return
        raw = b"".join(read)
        if keep:
            self.kept[name] = raw
            self._kept_total += len(raw)
        if name.endswith(".py"):
            self.functions += sum(1 for _ in FUNCTION.finditer(raw))
            self.annotated += sum(1 for _ in ANNOTATED.finditer(raw))
        if self._visit is not None:
            self._visit(name, raw)


def wanted(name: str) -> bool:
    """Whether a rule reads the member `name` whole."""
    folder, _, last = name.rpartition("/")
    if "/" in folder or not folder:
        return False
    return last in KEPT_IN_SDIST or (last in KEPT and folder.endswith(".dist-info"))


def _look(seen: _Pass, file: IO[bytes], filename: str, size: int) -> None:
    if filename.endswith((".whl", ".zip")):
        _look_at_zip(seen, file)
    elif filename.endswith(".tar.gz"):
        _look_at_tar(seen, file, max(TAR_FLOOR, TAR_RATIO * size))


def _look_at_zip(seen: _Pass, file: IO[bytes]) -> None:
    seen.zip = found = zips.read(file)
    budget = max(limits.RATIO_FLOOR, limits.RATIO * found.file_size)
    for entry in found.entries:
        seen.named(entry.name)
        if entry.is_folder:
            continue
        seen.member(entry.name, entry.size)
        budget -= min(entry.size, TEXT_LIMIT)
        if budget < 0:  # PyPI refuses such a file (zip-ratio)
            continue
        try:
            seen.content(entry.name, entry.size, functools.partial(zips.content, file, entry))
        except zips.Damaged as damage:
            seen.damaged.append(f"{entry.name}: {damage}")


def _look_at_tar(seen: _Pass, file: IO[bytes], total: int) -> None:
    tops: set[str] = set()
    roots: set[bool] = set()
    sparse: list[str] = []
    links: list[tuple[str, str]] = []
    with gzip.open(file) as stream:
        for member in tars.members(stream, total):
            seen.named(member.name + member.link)
            tops.add(next((part for part in member.name.split("/") if part not in {"", "."}), ""))
            roots.add(member.name.startswith("/"))
            if member.sparse:
                sparse.append(member.name)
            if member.link:
                links.append((member.name, member.link))
            if member.kind == "file":
                seen.member(member.name, member.size)
                seen.content(member.name, member.size, member.pieces)
    seen.tar = Tar(frozenset(tops), True in roots, False in roots, tuple(sparse), tuple(links))


def parsed_filename(filename: str) -> tuple[str, Version | None, frozenset[Tag]]:
    """Return normalised name, version and tags as `filename` has them; nothing where it cannot be read."""
    try:
        if filename.endswith(".whl"):
            name, version, _, tags = parse_wheel_filename(filename)
            return name, version, tags
        name, version = parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename, ValueError):
        return "", None, frozenset()
    return name, version, frozenset()


def metadata_of(filename: str, kept: Mapping[str, bytes], tar: Tar | None) -> bytes | None:
    """Return METADATA or PKG-INFO: the one at its place, else the first of its kind."""
    if filename.endswith(".whl"):
        place = "-".join(filename.split("-")[:2]) + ".dist-info/METADATA"
        found = sorted(name for name in kept if name.endswith(".dist-info/METADATA"))
    else:
        place = f"{tar.top if tar else ''}/PKG-INFO"
        found = sorted(name for name in kept if name.endswith("/PKG-INFO"))
    chosen = place if place in kept else next(iter(found), None)
    return None if chosen is None else kept[chosen]


def some(names: tuple[str, ...] | list[str]) -> str:
    """Return the first of `names`, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def canonical(text: str) -> str:
    """Return the normalised name (PEP 503) as file names have it, with underscores."""
    return canonicalize_name(text).replace("-", "_")
