"""Two archives of one name compared member by member, with a verdict in one word.

`identical`: the same bytes. `equivalent`: the same members with the same contents, but for a closed list: how they are
packed (times, order, modes, compression), the `Generator` and `Wheel-Version` fields of WHEEL, what a build backend
writes differently in the metadata without another meaning, and the rows of RECORD that follow from these. `different`:
anything else, and the members that make it so.
"""

from __future__ import annotations

import csv
import difflib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from seatrial.release.archives import SNIFF, Archive, Metadata
from seatrial.release.stages import Dist

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Verdict = Literal["identical", "equivalent", "different", "not judged"]
Kind = Literal["packing", "metadata", "text", "binary", "missing here", "missing there"]

EXTENSIONS = (".so", ".pyd", ".dylib", ".dll")
CODE = (".py", ".pyi", ".pth", *EXTENSIONS)
LINES = 12  # of a diff that is shown
DIFFED = 1 << 20  # bytes of a text that is compared line by line

# Fields that say how the metadata was written, or (Dynamic) only what an sdist may leave open.
OF_WRITING = frozenset({"metadata-version", "dynamic"})
OF_WHEEL_WRITING = frozenset({"generator", "wheel-version"})
SEPARATED = frozenset({"keywords", "platform"})


@dataclass(frozen=True)
class Difference:
    """A member that differs. `matters` makes the archives different; `lines` show how, `-` here and `+` there."""

    member: str
    kind: Kind
    matters: bool
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """What came of comparing the file `filename`; without differences of members only the packing differs."""

    filename: str
    verdict: Verdict
    differences: tuple[Difference, ...] = ()


def compare(ours: Path, theirs: Path) -> Comparison:
    """Compare the archive `ours`, built here, with `theirs`, which is served. Raises BadArchive."""
    if Dist.from_file(ours).sha256 == Dist.from_file(theirs).sha256:
        return Comparison(theirs.name, "identical")
    here, there = Archive.open(ours), Archive.open(theirs)
    found = sorted(_differences(here, there), key=_importance)
    different = any(difference.matters for difference in found)
    return Comparison(theirs.name, "different" if different else "equivalent", tuple(found))


def generator(wheel: Path) -> str:
    """Return the build backend and its version, as the `wheel` names it; empty where it does not."""
    archive = Archive.open(wheel)
    member = next((member.name for member in archive.members if member.name.endswith(".dist-info/WHEEL")), None)
    lines = archive.read(member).decode("utf-8", "replace").splitlines() if member else []
    return next((line.partition(": ")[2].strip() for line in lines if line.startswith("Generator: ")), "")


def _importance(difference: Difference) -> tuple[bool, bool, str]:
    return not difference.matters, not difference.member.endswith(CODE), difference.member


def _differences(here: Archive, there: Archive) -> Iterator[Difference]:
    ours, theirs = here.digests(), there.digests()
    for name in sorted(ours.keys() - theirs.keys()):
        yield Difference(name, "missing there", matters=True)
    for name in sorted(theirs.keys() - ours.keys()):
        yield Difference(name, "missing here", matters=True)
    changed = [name for name in sorted(ours.keys() & theirs.keys()) if ours[name] != theirs[name]]
    harmless: set[str] = set()
    for name in sorted(changed, key=lambda name: name.endswith(".dist-info/RECORD")):  # which follows from the others
        difference = _difference(name, here.read(name), there.read(name), harmless)
        if not difference.matters:
            harmless.add(name)
        yield difference


def _difference(name: str, ours: bytes, theirs: bytes, harmless: set[str]) -> Difference:
    """Return how the member `name` differs, where the members `harmless` are known to mean the same."""
    if meaning := _meaning(name, harmless):
        same = meaning(ours) == meaning(theirs)
        return Difference(name, "metadata", not same, tuple(_diff(ours, theirs)))
    if b"\0" in ours[:SNIFF] or b"\0" in theirs[:SNIFF]:
        what = ", compiled" if name.endswith(EXTENSIONS) else ""
        return Difference(name, "binary", matters=True, lines=(f"{len(ours)} bytes here, {len(theirs)} there{what}",))
    return Difference(name, "text", matters=True, lines=tuple(_diff(ours, theirs)))


def _meaning(name: str, harmless: set[str]) -> Callable[[bytes], object] | None:
    """Return what reads the meaning of the member `name`, None where its bytes are all it means."""
    folder, _, base = name.rpartition("/")
    if folder.endswith(".dist-info"):
        if base == "RECORD":
            return lambda raw: _rows(raw, harmless | {name})
        return {"METADATA": _fields, "WHEEL": _wheel_fields}.get(base)
    in_sdist = "/" not in folder or folder.endswith(".egg-info")
    return _fields if base == "PKG-INFO" and in_sdist else None


def _fields(raw: bytes) -> object:
    """Return core metadata as what it means: fields in any order, and the description."""
    metadata = Metadata.parse(raw)
    fields = {
        name: sorted(_normalised(name, value) for value in values)
        for name, values in metadata.fields.items()
        if name not in OF_WRITING and name != "description"
    }
    return {name: values for name, values in fields.items() if values}, metadata.description.strip().splitlines()


def _normalised(name: str, value: str) -> str:
    """Return the `value` of a field without what a build backend is free to write in another way."""
    if name in {"name", "provides-extra"}:
        return canonicalize_name(value)
    if name == "requires-dist":
        try:
            return str(Requirement(value)).replace("'", '"')
        except InvalidRequirement:
            return value
    if name == "requires-python":
        return ",".join(sorted(part.strip() for part in value.split(",")))
    if name in SEPARATED:
        return ",".join(word.strip() for word in value.split(","))
    return " ".join(value.split())


def _wheel_fields(raw: bytes) -> object:
    fields = Metadata.parse(raw).fields
    return {name: sorted(values) for name, values in fields.items() if name not in OF_WHEEL_WRITING}


def _rows(raw: bytes, harmless: set[str]) -> object:
    """Return the rows of RECORD in any order, without those of members that are known to mean the same."""
    rows = csv.reader(raw.decode("utf-8", "backslashreplace").splitlines())
    return sorted(tuple(row) for row in rows if row and row[0] not in harmless)


def _diff(ours: bytes, theirs: bytes) -> Iterator[str]:
    """Yield the lines that differ, each after a place such as ``@@ -3 +3,2 @@``, and how many more there are."""
    if max(len(ours), len(theirs)) > DIFFED:
        yield f"{len(ours)} bytes here, {len(theirs)} there"
        return
    here, there = (raw.decode("utf-8", "backslashreplace").splitlines() for raw in (ours, theirs))
    lines = itertools.islice(difflib.unified_diff(here, there, n=0, lineterm=""), 2, None)  # without the file names
    shown = [*itertools.islice(lines, LINES)]
    yield from shown or ("line ends",)
    if more := sum(1 for _ in lines):
        yield f"... and {more} more lines"
