"""`build -- --from FOLDER`: what other jobs have built, if all of it is one release from one sdist."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from seatrial.machine.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from seatrial.release.archives import Archive
    from seatrial.release.stages import Kind

DISTRIBUTIONS = (".whl", ".tar.gz")
LACKING: dict[Kind, tuple[str, str]] = {  # the usual cause, and what to do
    "sdist": (
        "cibuildwheel makes only wheels; another job makes the sdist, and it was not brought here.",
        (
            "put the sdist that the wheels were built from there (`python -m build --sdist`, of the same commit)."
            ' `archives = ["wheel"]` in [tool.seatrial] releases without one.'
        ),
    ),
    "wheel": (
        "the wheels were not brought here, or another folder was meant.",
        "put the wheels there; `--sdist-only` releases without them.",
    ),
}


class NothingToTake(ReleaseError):
    folder: Path
    reason: str
    files: tuple[str, ...] = ()

    what = "--from {e.folder}: {e.reason}{e.files:listed}"
    cause = "another folder was meant, or the wheels were not put there yet."
    cure = "name a folder other than dist/ with the wheels and the sdist of one release, and nothing else."


class NothingToTakeOf(NothingToTake):
    usual: str = ""
    advice: str = ""

    cause = "{e.usual}"
    cure = "{e.advice}"


class MixedFiles(ReleaseError):
    folder: Path
    complaint: str
    files: tuple[str, ...]

    what = "--from {e.folder} contains {e.complaint}:{e.files:listed}"
    cause = "files left by an earlier run, or the files of jobs on two commits."
    cure = "empty the folder, and bring the files of one run there; dist/ and the record are unchanged."


def files(folder: Path, dist: Path) -> list[Path]:
    """Return the distributions in `folder`, which is not the project's own `dist`. Raises NothingToTake."""
    if not folder.is_dir():
        raise NothingToTake(folder, "there is no such folder.")
    if folder.resolve() == dist.resolve():
        raise NothingToTake(folder, "this is where seatrial puts the files itself.")
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name != ".gitignore")  # uv build's
    if odd := tuple(path.name for path in paths if not path.name.endswith(DISTRIBUTIONS)):
        raise NothingToTake(folder, "it contains files other than wheels and sdists:", odd)
    if not paths:
        raise NothingToTake(folder, "it contains no wheel and no sdist.")
    return paths


def stop_unless_one_release(folder: Path, archives: Sequence[Archive], kinds: Sequence[Kind]) -> None:
    """Raise MixedFiles for several releases or sdists among `archives`, NothingToTakeOf where one of `kinds` lacks."""
    releases = defaultdict[tuple[str, Any], list[str]](list)
    for archive in archives:
        releases[canonicalize_name(archive.name), archive.version].append(archive.path.name)
    if len(releases) > 1:
        found = (f"{name} {version}: {', '.join(sorted(files))}" for (name, version), files in sorted(releases.items()))
        raise MixedFiles(folder, "files of more than one release", tuple(found))
    sdists = [archive.path.name for archive in archives if archive.kind == "sdist"]
    if len(sdists) > 1:
        raise MixedFiles(folder, "more than one sdist of a release", tuple(sorted(sdists)))
    for kind in kinds:
        if not any(archive.kind == kind for archive in archives):
            count = f"{len(archives)} file{'s' if len(archives) != 1 else ''}"
            raise NothingToTakeOf(folder, f"it contains no {kind}. Found: {count}.", (), *LACKING[kind])


def unlike(archives: Sequence[Archive]) -> dict[str, list[str]]:
    """Return the modules whose text in a wheel is not that in the sdist, and the wheels that have them so.

    A build copies modules as they are, to the same path or out of some folder. Line ends do not count (git changes them
    on Windows), and neither do modules that the build makes, which the sdist does not have.
    """
    sdist = next((archive for archive in archives if archive.kind == "sdist"), None)
    if sdist is None:
        return {}
    there = defaultdict[str, list[tuple[str, str]]](list)  # by file name: path and hash
    for name, digest in _modules(sdist):
        there[name.rpartition("/")[2]].append((name, digest))
    found: dict[str, list[str]] = {}
    for wheel in (archive for archive in archives if archive.kind == "wheel"):
        for name, digest in _modules(wheel):
            same = [known for path, known in there[name.rpartition("/")[2]] if path.endswith(f"/{name}")]
            if same and digest not in same:
                found.setdefault(name, []).append(wheel.path.name)
    return found


def _modules(archive: Archive) -> Iterator[tuple[str, str]]:
    """Yield path and hash of each Python module of `archive`."""
    for name, text in archive.texts():
        if name.endswith(".py"):
            yield name, hashlib.sha256(text.replace("\r\n", "\n").encode("utf-8", "replace")).hexdigest()
