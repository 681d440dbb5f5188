"""A distribution as the rules see it: read in a single pass, from which all rules take what they need.

Nothing is unpacked to disk, nothing is believed that a file says of itself, and whatever cannot be read is a finding.
The texts in it are shown to the rules on members while they are at hand, and not kept.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from dataclasses import field
from typing import TYPE_CHECKING

from seatrial.machine.values import Value
from seatrial.release import filenames
from seatrial.release.archives import BROKEN, METADATA_LIMIT, SNIFF, TEXT_LIMIT, Member, Metadata, reading, reason
from seatrial.release.formats.tars import NotTar
from seatrial.release.formats.zips import Damaged
from seatrial.rules import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from packaging.tags import Tag
    from packaging.utils import BuildTag
    from packaging.version import Version

    from seatrial.release.archives import Content
    from seatrial.release.formats import tars, zips
    from seatrial.release.stages import Kind

    Visit = Callable[[str, bytes], None]

KEPT = frozenset({"METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt"})
KEPT_IN_SDIST = frozenset({"PKG-INFO", "pyproject.toml"})
KEPT_TOTAL = 48 << 20  # bytes
NAMES_TOTAL = 32 << 20  # bytes of all names together
SHOWN = 3  # names in a message
LONGEST = 200  # characters of a name in a message
FUNCTION = re.compile(rb"^[ \t]*(?:async[ \t]+)?def[ \t]", re.MULTILINE)
ANNOTATED = re.compile(
    rb"\)[ \t]*->[^\n]+:[ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE
)  # the end of a signature that says what it returns
MACHINE_CODE = (  # how programs, libraries and extension modules begin: ELF, PE, Mach-O, static libraries, WebAssembly
    b"\x7fELF",
    b"MZ",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"!<arch>\n",
    b"\0asm",
)
LICENSE_WORDS = ("LICEN", "COPYING", "NOTICE", "COPYRIGHT", "AUTHORS", "UNLICENSE")  # in the names of their files
COMPILED = (".so", ".pyd", ".dll", ".dylib", ".a", ".lib", ".exe")


class Tar(Value):
    """What the members of an sdist are, as far as PyPI looks: `tops` are the first parts of their names."""

    tops: frozenset[str]
    absolute: bool
    relative: bool
    sparse: tuple[str, ...]
    links: tuple[tuple[str, str, str], ...]
    """Name, target and kind of each."""

    @property
    def top(self) -> str | None:
        """The one folder that all members are in, None where there is no such."""
        top, *others = self.tops or {""}
        return None if others or not top or self.absolute else top


class Distribution(Value):
    """A file as one pass found it. What could not be read is None or empty, and `trouble` says why.

    `name` (normalised), `version`, `build` and `tags` are those of the file name. `kept` are the few members that rules
    read whole, `damaged` those that could not be unpacked, `compiled` those that hold machine code. `digests` are the
    sha256 of a wheel's members, as RECORD writes them. Of all `functions` in its modules, `annotated` say what they
    return.
    """

    path: Path
    kind: Kind
    size: int
    name: str = ""
    version: Version | None = None
    build: BuildTag = ()
    tags: frozenset[Tag] = frozenset()
    members: tuple[Member, ...] = ()
    kept: Mapping[str, bytes] = field(default_factory=dict)
    zip: zips.Zip | None = None
    tar: Tar | None = None
    metadata: Metadata | None = None
    trouble: str = ""
    damaged: tuple[str, ...] = ()
    compiled: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    functions: int = 0
    annotated: int = 0

    @classmethod
    def open(cls, path: Path, visit: Visit | None = None) -> Distribution:
        """Read the file at `path`; `visit` is called with name and bytes of each member that is text."""
        kind: Kind = "wheel" if path.name.endswith(".whl") else "sdist"
        name, version, build, tags = filenames.parts(path.name)
        done = _Pass(kind, visit)
        size, trouble = _read(done, path)
        tar = done.tar()
        raw = metadata_of(path.name, done.kept, tar)
        return cls(
            path=path,
            kind=kind,
            size=size,
            name=name,
            version=version,
            build=build,
            tags=tags,
            members=tuple(done.members),
            kept=done.kept,
            zip=done.zip,
            tar=tar if path.name.endswith(".tar.gz") and not trouble else None,
            metadata=None if raw is None else Metadata.parse(raw),
            trouble=trouble,
            damaged=tuple(done.damaged),
            compiled=tuple(done.compiled),
            digests=done.digests,
            functions=done.functions,
            annotated=done.annotated,
        )

    @property
    def info(self) -> str:
        """The folder of a wheel's metadata, spelled as in its file name; empty where that has too few parts."""
        parts = self.path.name.split("-")
        return f"{parts[0]}-{parts[1]}.dist-info" if len(parts) > 2 else ""  # noqa: PLR2004 (name, version, tags)

    @functools.cached_property
    def names(self) -> frozenset[str]:
        return frozenset(member.name for member in self.members)

    @functools.cached_property
    def infos(self) -> list[str]:
        """The `.dist-info` folders of a wheel, sorted."""
        tops = {name.partition("/")[0] for name in self.names if "/" in name}
        return sorted(top for top in tops if top.endswith(".dist-info"))


def _read(done: _Pass, path: Path) -> tuple[int, str]:
    """Have `done` take all of the file at `path`; return its size, and what keeps it from being read, if anything."""
    size = 0
    try:
        size = path.stat().st_size
        if path.name.endswith((".whl", ".zip", ".tar.gz")):
            with reading(path, done.tar_member) as contents:
                done.zip = contents.zip
                done.take(contents.contents)
    except FileNotFoundError:
        return size, "there is no such file."
    except BROKEN as error:
        return size, reason(error)
    return size, ""


class _Pass:
    """What is gathered on the way through a file."""

    def __init__(self, kind: Kind, visit: Visit | None) -> None:
        self._is_wheel, self._visit = kind == "wheel", visit
        self.members: list[Member] = []
        self.kept: dict[str, bytes] = {}
        self.zip: zips.Zip | None = None
        self.damaged: list[str] = []
        self.compiled: list[str] = []
        self.digests: dict[str, str] = {}
        self.functions = self.annotated = 0
        self._kept_total = self._names_total = 0
        self._tops: set[str] = set()
        self._roots: set[bool] = set()
        self._sparse: list[str] = []
        self._links: list[tuple[str, str, str]] = []

    def tar(self) -> Tar:
        return Tar(
            frozenset(self._tops), True in self._roots, False in self._roots, tuple(self._sparse), tuple(self._links)
        )

    def tar_member(self, member: tars.Member) -> None:
        self._named(len(member.name) + len(member.link))
        self._tops.add(next((part for part in member.name.split("/") if part not in {"", "."}), ""))
        self._roots.add(member.name.startswith("/"))
        if member.sparse:
            self._sparse.append(member.name)
        if member.link:
            self._links.append((member.name, member.link, member.kind))

    def take(self, contents: Iterable[Content]) -> None:
        """Take each member; of a wheel whose members are too large together only those that come first (zip-ratio)."""
        left = max(limits.RATIO_FLOOR, limits.RATIO * self.zip.file_size) if self.zip else None
        if self.zip:
            self._named(sum(len(entry.name) for entry in self.zip.entries))
        for content in contents:
            self.members.append(Member(content.name, content.size))
            if left is not None:
                left -= content.size
            if left is None or left >= 0:
                try:
                    self._content(content)
                except Damaged as damage:
                    self.damaged.append(f"{content.name}: {damage}")

    def _named(self, length: int) -> None:
        self._names_total += length
        if self._names_total > NAMES_TOTAL:
            raise NotTar("the names of its members are too long together.")

    def _content(self, content: Content) -> None:
        """Read a member: a wheel's to the end for its hash; one of an sdist to where it is known to be no text."""
        name, size = content.name, content.size
        keep = _is_kept(name) and self._kept_total + size <= KEPT_TOTAL
        is_text = self._visit is not None and size <= TEXT_LIMIT
        if not (keep or is_text or self._is_wheel):
            return
        digest, kept = hashlib.sha256(), []
        for number, piece in enumerate(content.pieces(size)):
            if number == 0:
                self._begins(name, piece)
                binary = b"\0" in piece[:SNIFF] and not name.lower().endswith(limits.SCANNED)
                is_text = is_text and not binary
            if not (keep or is_text or self._is_wheel):
                return
            digest.update(piece)
            if keep or is_text:
                kept.append(piece)
        if self._is_wheel:
            self.digests[name] = base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
        if keep or is_text:
            self._text(name, b"".join(kept), keep=keep)

    def _begins(self, name: str, head: bytes) -> None:
        if head.startswith(MACHINE_CODE) or name.lower().endswith(COMPILED):
            self.compiled.append(name)

    def _text(self, name: str, raw: bytes, *, keep: bool) -> None:
        if keep:
            self.kept[name] = raw
            self._kept_total += len(raw)
        if name.endswith(".py"):
            self.functions += sum(1 for _ in FUNCTION.finditer(raw))
            self.annotated += sum(1 for _ in ANNOTATED.finditer(raw))
        if self._visit is not None:
            self._visit(name, raw)


def _is_kept(name: str) -> bool:
    """Whether a rule reads the member `name` whole."""
    folder, _, last = name.rpartition("/")
    if "/" in folder or not folder:
        return False
    return last in KEPT_IN_SDIST or (last in KEPT and folder.endswith(".dist-info"))


def metadata_of(filename: str, kept: Mapping[str, bytes], tar: Tar | None) -> bytes | None:
    """Return METADATA or PKG-INFO: the one at its place, else the first of its kind."""
    if filename.endswith(".whl"):
        place = "-".join(filename.split("-")[:2]) + ".dist-info/METADATA"
        others = sorted(name for name in kept if name.endswith(".dist-info/METADATA"))
    else:
        place = f"{tar.top if tar else ''}/PKG-INFO"
        others = sorted(name for name in kept if name.endswith("/PKG-INFO"))
    chosen = place if place in kept else next(iter(others), None)
    return None if chosen is None else kept[chosen][:METADATA_LIMIT]


def some(names: Sequence[str], between: str = ", ") -> str:
    """Return the first of `names`, each in bounds, with `between` them, and how many more there are."""
    shown = [name if len(name) <= LONGEST else f"{name[:LONGEST]}..." for name in names[:SHOWN]]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return between.join(shown) + more
