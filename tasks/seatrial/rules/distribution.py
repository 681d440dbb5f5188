"""Distributions and releases as the rules see them: read in a single pass, from which all rules take what they need.

Nothing is unpacked to disk, nothing is believed that a file says of itself, and whatever cannot be read is a finding.
The texts in it are shown to the rules on members while they are at hand, and not kept.
"""

import base64
import functools
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from packaging.tags import Tag
from packaging.utils import BuildTag
from packaging.version import Version

from seatrial.machine.values import Value
from seatrial.release import archives, filenames
from seatrial.release.archives import Content, Member, Metadata
from seatrial.release.formats import tars, zips
from seatrial.release.stages import Kind
from seatrial.rules import limits

Visit = Callable[[str, bytes], None]

KEPT = frozenset({"METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt"})
KEPT_IN_SDIST = frozenset({"PKG-INFO", "pyproject.toml"})
KEPT_TOTAL = 48 << 20  # bytes
NAMES_TOTAL = 32 << 20  # bytes of all names together
SHOWN = 3  # names in a message
LONGEST = 200  # characters of a name in a message
FUNCTION = re.compile(rb"^[ \t]*(?:async[ \t]+)?def[ \t]", re.MULTILINE)
ANNOTATED = re.compile(rb"\)[ \t]*->[^\n]+:[ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE)  # a signature's end, with a type
MACHINE_CODE = (  # how programs, libraries and extension modules begin: ELF, PE, static libraries, WebAssembly, Mach-O
    *(b"\x7fELF", b"MZ", b"!<arch>\n", b"\0asm"),
    *map(bytes.fromhex, ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe")),
)
LICENSE_WORDS = ("LICEN", "COPYING", "NOTICE", "COPYRIGHT", "AUTHORS", "UNLICENSE")  # in the names of their files
COMPILED = (".so", ".pyd", ".dll", ".dylib", ".a", ".lib", ".exe")


class Tar(Value, frozen=False):
    """What the members of an sdist are, as far as PyPI looks: `tops` are the first parts of their names."""

    tops: set[str] = field(default_factory=set)
    absolute: bool = False
    sparse: list[str] = field(default_factory=list)
    links: list[tuple[str, str, str]] = field(default_factory=list)
    """Name, target and kind of each."""

    @property
    def top(self) -> str | None:
        """The one folder that all members are in, None where there is no such."""
        top, *others = self.tops or {""}
        return None if others or not top or self.absolute else top


class Distribution(Value, frozen=False):
    """A file as one pass found it. What could not be read is None or empty, and `trouble` says why.

    `name` (normalised), `version`, `build` and `tags` are those of the file name. `kept` are the few members that rules
    read whole, `damaged` those that could not be unpacked, `compiled` those that hold machine code. `digests` are the
    sha256 of a wheel's members, as RECORD writes them. Of all `functions` in its modules, `annotated` say what they
    return.
    """

    path: Path
    kind: Kind
    name: str
    version: Version | None
    build: BuildTag
    tags: frozenset[Tag]
    size: int = 0
    members: list[Member] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)
    zip: zips.Zip | None = None
    tar: Tar | None = None
    metadata: Metadata | None = None
    trouble: str = ""
    damaged: list[str] = field(default_factory=list)
    compiled: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    functions: int = 0
    annotated: int = 0

    @classmethod
    def open(cls, path: Path, visit: Visit | None = None) -> "Distribution":
        """Read the file at `path`; `visit` is called with name and bytes of each member that is text."""
        dist = cls(path, "wheel" if path.name.endswith(".whl") else "sdist", *filenames.parts(path.name))
        tar = Tar()
        try:
            dist.size = path.stat().st_size
            if path.name.endswith((".whl", ".zip", ".tar.gz")):
                _Pass(dist, tar, visit).run()
        except FileNotFoundError:
            dist.trouble = "there is no such file."
        except archives.BROKEN as error:
            dist.trouble = archives.reason(error)
        dist.tar = tar if path.name.endswith(".tar.gz") and not dist.trouble else None
        place, last = f"{tar.top}/PKG-INFO", "/PKG-INFO"
        if dist.kind == "wheel":
            place, last = "-".join(path.name.split("-")[:2]) + ".dist-info/METADATA", ".dist-info/METADATA"
        if names := sorted((name for name in dist.kept if name.endswith(last)), key=lambda name: (name != place, name)):
            raw = dist.kept[names[0]]  # at its place, or the first by name
            dist.metadata = Metadata.parse(raw[: archives.METADATA_LIMIT])
        return dist

    @property
    def info(self) -> str:
        """The folder of a wheel's metadata, spelled as in its file name; empty where that has too few parts."""
        parts = self.path.name.split("-")
        return f"{parts[0]}-{parts[1]}.dist-info" if len(parts) > 2 else ""  # noqa: PLR2004 (name, version, tags)

    @property
    def top(self) -> str | None:
        """The one folder that all members of an sdist are in, None where there is no such."""
        return self.tar.top if self.tar else None

    def lacking_licenses(self, folder: str) -> list[str]:
        """Return the licence files that the metadata names and that are not in `folder`."""
        named = self.metadata.all("license-file") if self.metadata and self.metadata.has_license_files else ()
        return [name for name in named if f"{folder}/{name}" not in self.names]

    @functools.cached_property
    def names(self) -> frozenset[str]:
        return frozenset(member.name for member in self.members)

    @functools.cached_property
    def infos(self) -> list[str]:
        """The `.dist-info` folders of a wheel, sorted."""
        tops = {name.partition("/")[0] for name in self.names if "/" in name}
        return sorted(top for top in tops if top.endswith(".dist-info"))


class Release(Value):
    """What a release rule looks at: all files, the version tags at HEAD, and the files that git tracks below root.

    `committed` are those of HEAD that belong into an archive; `lacking` those that a wheel of the checkout has and the
    one that is built from the sdist has not; `reached` is what the build of that one needed beside its requirements.
    `clean` says that all was built out of a clean checkout, `is_due` that this is no dry run. `workflows` are the texts
    of the CI workflows that concern this project, by name.
    """

    archives: tuple[Distribution, ...] = ()
    tags: tuple[str, ...] = ()
    tag_patterns: tuple[str, ...] = ("v{version}", "{version}")
    root: Path | None = None
    tracked: tuple[str, ...] = ()
    committed: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    clean: bool = True
    is_due: bool = False
    workflows: Mapping[str, str] = field(default_factory=dict)


class _Pass:
    """The way through a file, on which `dist` is filled in, and of an sdist `tar`."""

    def __init__(self, dist: Distribution, tar: Tar, visit: Visit | None) -> None:
        self._dist, self._tar, self._visit = dist, tar, visit
        self._kept_total = self._names_total = 0

    def run(self) -> None:
        """Take each member; of a wheel whose members are too large together only those that come first (zip-ratio)."""
        with archives.reading(self._dist.path, self._tar_member) as opened:
            self._dist.zip = structure = opened.zip
            left = max(limits.RATIO_FLOOR, limits.RATIO * structure.file_size) if structure else None
            if structure:
                self._named(sum(len(entry.name) for entry in structure.entries))
            for content in opened.contents:
                self._dist.members.append(Member(content.name, content.size))
                if left is not None:
                    left -= content.size
                if left is None or left >= 0:
                    try:
                        self._content(content)
                    except zips.Damaged as damage:
                        self._dist.damaged.append(f"{content.name}: {damage}")

    def _tar_member(self, member: tars.Member) -> None:
        self._named(len(member.name) + len(member.link))
        self._tar.tops.add(next((part for part in member.name.split("/") if part not in {"", "."}), ""))
        self._tar.absolute = self._tar.absolute or member.name.startswith("/")
        if member.sparse:
            self._tar.sparse.append(member.name)
        if member.link:
            self._tar.links.append((member.name, member.link, member.kind))

    def _named(self, length: int) -> None:
        self._names_total += length
        if self._names_total > NAMES_TOTAL:
            raise tars.NotTar("the names of its members are too long together.")

    def _content(self, content: Content) -> None:
        """Read a member: a wheel's to the end for its hash; one of an sdist to where it is known to be no text."""
        dist, name, size = self._dist, content.name, content.size
        folder, _, last = name.rpartition("/")
        is_read = last in KEPT_IN_SDIST or (last in KEPT and folder.endswith(".dist-info"))  # whole, by a rule
        keep = is_read and bool(folder) and "/" not in folder and self._kept_total + size <= KEPT_TOTAL
        is_text, is_hashed = self._visit is not None and size <= archives.TEXT_LIMIT, dist.kind == "wheel"
        if not (keep or is_text or is_hashed):
            return
        digest, pieces = hashlib.sha256(), []
        for number, piece in enumerate(content.pieces(size)):
            if number == 0:
                if piece.startswith(MACHINE_CODE) or name.lower().endswith(COMPILED):
                    dist.compiled.append(name)
                is_text = is_text and (b"\0" not in piece[: archives.SNIFF] or name.lower().endswith(limits.SCANNED))
            if not (keep or is_text or is_hashed):
                return
            digest.update(piece)
            if keep or is_text:
                pieces.append(piece)
        if is_hashed:
            dist.digests[name] = base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
        if keep or is_text:
            self._text(name, b"".join(pieces), keep=keep)

    def _text(self, name: str, raw: bytes, *, keep: bool) -> None:
        if keep:
            self._dist.kept[name] = raw
            self._kept_total += len(raw)
        if name.endswith(".py"):
            self._dist.functions += sum(1 for _ in FUNCTION.finditer(raw))
            self._dist.annotated += sum(1 for _ in ANNOTATED.finditer(raw))
        if self._visit is not None:
            self._visit(name, raw)


def some(names: Sequence[str], between: str = ", ") -> str:
    """Return the first of `names`, each in bounds, with `between` them, and how many more there are."""
    shown = [name if len(name) <= LONGEST else f"{name[:LONGEST]}..." for name in names[:SHOWN]]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return between.join(shown) + more
