"""What a release changes: its files compared with those of an earlier version, as an index serves them.

The other files are hostile input like any: bounded in size, proved by the hash on the index's page, read and never
unpacked. What prevents a comparison is reported in its place, and stops nothing.
"""

from __future__ import annotations

import configparser
import itertools
from collections import Counter
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from seatrial.index.holdings import read_project
from seatrial.index.http import download
from seatrial.machine.errors import ReleaseError
from seatrial.release.archives import Archive, BadArchive
from seatrial.release.filenames import parsed_requirement, version_of
from seatrial.release.stages import Built, Changes, Dist, FieldChanges, FileChanges, Resized

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from seatrial.index.indexes import Index
    from seatrial.index.simple import Served

LARGEST = 64 << 20  # bytes of a file that is fetched only to be compared
MEMBERS = 400  # changes of one file that are kept
FIELDS, VALUES, LENGTH = 100, 60, 300  # how many, values of each, and characters of a value or a name
ENTRY_POINTS = 1 << 20  # bytes
NOT_COMPARED = frozenset({"metadata-version", "version", "description"})


def compare(built: Built, folder: Path, index: Index, wanted: str | None, scratch: Path) -> Changes:
    """Compare the files of `built` in `folder` with version `wanted` on `index`, or with the last one before it.

    Where that cannot be, the answer says why.
    """
    try:
        served = read_project(index, built.project, patient=False).files
        since = _chosen(served, Version(built.version), wanted)
        if since is None:
            there = f"has no version {wanted}" if wanted else "has no earlier version"
            return Changes(None, index.name, f"{index.name} {there} of {built.project}")
        pairs = _pairs(built.dists, [file for file in served if version_of(file.filename) == since])
        files = [_compared(folder / dist.filename, file, index, scratch) for dist, file in pairs]
    except ReleaseError as error:
        return Changes(None, index.name, str(error).splitlines()[0])
    if not files:
        return Changes(None, index.name, f"{since} on {index.name} has no file of the same kind")
    return Changes(str(since), index.name, "", tuple(changes for changes, _ in files), files[0][1])


def _chosen(served: Iterable[Served], ours: Version, wanted: str | None) -> Version | None:
    """Return the version to compare with; pre-releases and yanked files only where there is nothing else."""
    there = [(version, file.yanked) for file in served if (version := version_of(file.filename)) is not None]
    if wanted is not None:
        return next((version for version, _ in there if version == Version(wanted)), None)
    lower = [pair for pair in there if pair[0] < ours]
    sound = [pair for pair in lower if not pair[1] and (not pair[0].is_prerelease or ours.is_prerelease)]
    return max((version for version, _ in sound or lower), default=None)


def _pairs(dists: Sequence[Dist], served: Sequence[Served]) -> Iterator[tuple[Dist, Served]]:
    """Yield one of our wheels (where there are many, the first with the same tags) and the sdist, each with another."""
    wheels = [file for file in served if file.filename.endswith(".whl")]
    ours = [dist for dist in dists if dist.kind == "wheel"]
    every = [(dist, dist.filename.split("-")[-3:]) for dist in ours]
    same = ((dist, file) for dist, tags in every for file in wheels if tags == file.filename.split("-")[-3:])
    yield from itertools.islice(itertools.chain(same, zip(ours, wheels, strict=False)), 1)
    sdists = [file for file in served if file.filename.endswith(".tar.gz")]
    yield from [(dist, file) for dist in dists if dist.kind == "sdist" for file in sdists][:1]


def _compared(path: Path, other: Served, index: Index, scratch: Path) -> tuple[FileChanges, tuple[FieldChanges, ...]]:
    """Return what the archive at `path` changes against `other` on `index`. Raises BadArchive, IndexUnreachable, ..."""
    ours, theirs = Archive.open(path), Archive.open(fetched(other, index, scratch))
    before, after = ({unversioned(one, member.name): member.size for member in one.members} for one in (theirs, ours))
    moved = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    moved.sort(key=lambda name: (-abs(after.get(name, 0) - before.get(name, 0)), name))
    members = tuple(Resized(name[:LENGTH], before.get(name), after.get(name)) for name in moved[:MEMBERS])
    size = theirs.path.stat().st_size
    changes = FileChanges(path.name, other.filename, size, members, len(moved) - len(members))
    return changes, tuple(itertools.islice(_field_changes(theirs, ours), FIELDS))


def fetched(other: Served, index: Index, scratch: Path) -> Path:
    """Return the file `other` in the folder `scratch`, its hash proved. Raises BadArchive and what reading raises."""
    path = scratch / other.filename
    if path.parent != scratch or "\\" in other.filename:
        raise BadArchive(path, "its name leads to another folder.")
    if other.size > LARGEST:
        raise BadArchive(path, f"it is larger than {LARGEST >> 20} MiB, too large to fetch for a comparison.")
    download(index, other.url, path, limit=other.size or LARGEST, patient=False)
    if not other.sha256 or Dist.from_file(path).sha256 != other.sha256:
        raise BadArchive(path, f"its hash is not the one that {index.name} shows.")
    return path


def unversioned(archive: Archive, member: str) -> str:
    """Return the name `member` without what each version of `archive` calls differently: the folder on top."""
    top, _, rest = member.partition("/")
    if archive.kind == "sdist":
        return rest
    kind = top.rpartition(".")[2]
    is_versioned = kind in {"dist-info", "data"} and canonicalize_name(top.partition("-")[0]) == archive.name
    return f"*.{kind}/{rest}" if is_versioned else member


def _field_changes(before: Archive, after: Archive) -> Iterator[FieldChanges]:
    """Yield what differs in metadata and entry points; of the description, only how many lines are gone and new."""
    for name in sorted({*before.metadata.fields, *after.metadata.fields} - NOT_COMPARED):
        normal = _requirement if name == "requires-dist" else str
        old, new = (tuple(map(normal, archive.metadata.all(name))) for archive in (before, after))
        yield from _changed(name.title(), old, new)
    was, now = (Counter(archive.metadata.description.splitlines()) for archive in (before, after))
    gone, come = (was - now).total(), (now - was).total()
    if gone or come:
        yield FieldChanges("Description", (f"{gone} lines",), (f"{come} lines",))
    theirs, ours = entry_points(before), entry_points(after)
    for group in sorted({*theirs, *ours}):
        yield from _changed(f"Entry points: {group}", theirs.get(group, ()), ours.get(group, ()))


def _requirement(text: str) -> str:
    """Return a requirement as all backends would write it, as it is where it is none."""
    return str(parsed_requirement(text) or text)


def entry_points(archive: Archive) -> Mapping[str, tuple[str, ...]]:
    """Return the entry points of a wheel by group, as ``name = value``; none where they cannot be read."""
    parser = configparser.RawConfigParser(delimiters=("=",))
    setattr(parser, "optionxform", str)  # noqa: B010 (typed as a method; names are case-sensitive)
    names = [member.name for member in archive.members if member.name.endswith(".dist-info/entry_points.txt")]
    try:
        for name in names[:1]:
            parser.read_string(archive.read(name, ENTRY_POINTS).decode("utf-8", "backslashreplace"))
    except (configparser.Error, BadArchive):
        return {}
    return {group: tuple(f"{name} = {value}" for name, value in parser.items(group)) for group in parser.sections()}


def _changed(field: str, before: Sequence[str], after: Sequence[str]) -> Iterator[FieldChanges]:
    old, new = set(before), set(after)
    gone, come = [value for value in before if value not in new], [value for value in after if value not in old]
    if gone or come:
        yield FieldChanges(field[:LENGTH], _short(gone), _short(come))


def _short(values: Sequence[str]) -> tuple[str, ...]:
    """Return `values` in bounds: an archive can say as much as it likes."""
    cut = [value if len(value) <= LENGTH else f"{value[:LENGTH]}…" for value in values[:VALUES]]
    return (*cut, *([f"and {len(values) - VALUES} more"] if len(values) > VALUES else []))
