"""Ways out where a version or a name is spent: the next version, and what else there is, with command and cost."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from seatrial.index.holdings import OtherBytes, compared, read_project
from seatrial.index.uploads.upload import UploadRefused
from seatrial.machine.errors import Commands, ReleaseError, listing
from seatrial.release.filenames import version_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.index.indexes import Index, Indexes
    from seatrial.release.stages import Built, Problem

NOT_CHECKED = "index-not-checked"
SPENT = frozenset({"index-other-bytes", "index-other-files", "index-old-release", NOT_CHECKED})
ONCE = '--rehearse-on dryrun "REASON"'
PARTS = 3  # of a version whose last part is raised; a shorter one gets another part


class VersionSpent(ReleaseError):
    """A version that only the rehearsal index has, with other bytes: the oldest complaint about TestPyPI."""

    index: str
    real: str
    project: str
    version: str
    files: tuple[tuple[str, str, str], ...]
    ways: str
    spent = True

    what = (
        "{e.version} of {e.project} is spent on {e.index}, which already has different files{e.shown}\n"
        "{e.real} does not have this version."
    )
    cause = "it was rehearsed before, and changed since; an index never takes a file name twice."
    cure = "one of these.{e.ways:lines}"

    @property
    def shown(self) -> str:
        return ":" + compared(self.files)


class NameTaken(ReleaseError):
    index: str
    project: str
    words: str
    ways: str

    what = "{e.index} does not let you upload {e.project}. It answered:{e.words:quoted}"
    cause = (
        "somebody else owns the name, or one too similar, there, whoever owns it elsewhere; or the token is for"
        " another project."
    )
    cure = "if it is the token, make one for this project. If it is the name, one of these.{e.ways:lines}"


def next_version(version: str, taken: Iterable[Version] = ()) -> str:
    """Return the version after `version`, as small a step as there is, that is not among `taken`.

    Returns nothing for what is no version (PEP 440).
    """
    try:
        following = Version(version)
    except InvalidVersion:
        return ""
    used = {*taken, following}
    while following in used:
        following = _raised(following)
    return str(following)


def _raised(version: Version) -> Version:
    """Return `version` with its last part raised: 1.0 to 1.0.1, 1.0rc1 to 1.0rc2, 1.0.post1 to 1.0.post2."""
    for part, number in ((".dev", version.dev), (".post", version.post)):
        if number is not None:
            return Version(f"{version.public.rpartition(part)[0]}{part}{number + 1}")
    if version.pre:
        return Version(f"{version.base_version}{version.pre[0]}{version.pre[1] + 1}")
    *front, last = [*version.release, *[0] * (PARTS - len(version.release))]
    return Version(f"{version.epoch}!{'.'.join(map(str, [*front, last + 1]))}")


def versions_on(index: Index, project: str) -> frozenset[Version]:
    """Return the versions of `project` that `index` has files of. Raises what reading an index raises.

    Versions whose files were deleted cannot be seen, and are spent all the same.
    """
    names = (file.filename for file in read_project(index, project, patient=False).files)
    return frozenset(version for name in names if (version := version_of(name)))


def explained(
    met: OtherBytes | UploadRefused, project: str, version: str, *, indexes: Indexes, step: str, commands: Commands
) -> ReleaseError:
    """Return `met`, which `step` met on an index, with what to do now, as `commands` are typed here."""
    if isinstance(met, UploadRefused) and met.kind != "version-taken":
        if step == "testpypi" and met.kind == "name-taken":
            return NameTaken(met.index, project, met.words, _ways(indexes, commands))
        return met
    met.spent = step != "verify"  # which meets those of siblings as well
    if isinstance(met, OtherBytes) and step == "testpypi":
        met.again = "verify"  # nothing is verified yet
    with contextlib.suppress(ReleaseError):  # an index that does not answer leaves us with what we know
        on_rehearsal, on_real = (versions_on(index, project) for index in (indexes.testpypi, indexes.pypi))
        met.free = next_version(version, on_rehearsal | on_real)
        if isinstance(met, OtherBytes) and step == "testpypi" and version not in map(str, on_real):
            ways = _ways(indexes, commands, met.free)
            return VersionSpent(met.index, indexes.pypi.name, project, version, met.files, ways)
    return met


def is_spent(indexes: Indexes, problems: Iterable[Problem]) -> bool:
    """Whether `problems`, what the rules on both indexes found, mean that only the rehearsal index has the version."""
    spent = [problem for problem in problems if problem.rule in SPENT]
    known = any(problem.rule != NOT_CHECKED for problem in spent)
    return known and all(problem.index == indexes.testpypi.name for problem in spent)


def of_version(built: Built, indexes: Indexes, commands: Commands) -> str:
    """Return the ways out of a version that is spent on the rehearsal index."""
    taken = versions_on(indexes.testpypi, built.project) | versions_on(indexes.pypi, built.project)
    ways = _ways(indexes, commands, next_version(built.version, taken))
    return f"{indexes.pypi.name} does not have this version. There are three ways out:{ways}"


def _ways(indexes: Indexes, commands: Commands, free: str | None = None) -> str:
    """Return the ways that leave the public rehearsal index aside, after the next version where `free` names it."""
    following = (
        f"The next version: {free} is free on both indexes, unless it was deleted, which cannot be seen. Set it,"
        f" commit, `{commands['verify']}`. Cost: a version number that {indexes.pypi.name} never shows."
    )
    staging = (
        "A private staging index: set `upload` and `simple` in [tool.seatrial.indexes.testpypi], commit,"
        f" `{commands['verify']}`. Cost: an index to run, and an account on it."
    )
    typed = " and ".join(f"`{commands[f'{step} {ONCE}']}`" for step in ("verify", "pypi"))
    here = (
        f'A rehearsal on this machine: this once, {typed}; for good, `rehearse-on = "dryrun"` in [tool.seatrial].'
        f" Cost: no other index serves these files before {indexes.pypi.name} does; the record says so."
    )
    ways = (staging, here) if free is None else (following, staging, here)
    return listing(f"{number}. {way}" for number, way in enumerate(ways, 1))
