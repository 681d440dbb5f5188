"""Ways out where a version or a name is spent: the next version, and what else there is, with command and cost."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from .errors import NameTaken, OtherBytes, ReleaseError, UploadRefused, VersionSpent, listing
from .filenames import version_of
from .indexes import read_project
from .upload import NAME_TAKEN, VERSION_TAKEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .config import Config
    from .indexes import Index
    from .run import Run
    from .stages import Built, Problem

SPENT = frozenset({"index-other-bytes", "index-other-files", "index-old-release", "index-not-checked"})
PARTS = 3  # of a version whose last part is raised; a shorter one gets another part


def next_version(version: str, taken: Iterable[Version] = ()) -> str:
    """Return the version after `version`, as small a step as there is, that is not among `taken`.

    Returns nothing for what is no version (PEP 440).
    """
    try:
        found = Version(version)
    except InvalidVersion:
        return ""
    used = {*taken, found}
    while found in used:
        found = _raised(found)
    return str(found)


def _raised(version: Version) -> Version:
    """Return `version` with its last part raised: 1.0 to 1.0.1, 1.0rc1 to 1.0rc2, 1.0.post1 to 1.0.post2."""
    epoch = f"{version.epoch}!" if version.epoch else ""
    base = epoch + ".".join(map(str, version.release))
    pre = "".join(map(str, version.pre)) if version.pre else ""
    post = f".post{version.post}" if version.post is not None else ""
    if version.dev is not None:
        return Version(f"{base}{pre}{post}.dev{version.dev + 1}")
    if version.post is not None:
        return Version(f"{base}{pre}.post{version.post + 1}")
    if version.pre:
        return Version(f"{base}{version.pre[0]}{version.pre[1] + 1}")
    parts = [*version.release, *[0] * (PARTS - len(version.release))]
    return Version(epoch + ".".join(map(str, [*parts[:-1], parts[-1] + 1])))


def versions_on(index: Index, project: str) -> frozenset[Version]:
    """Return the versions of `project` that `index` has files of. Raises what reading an index raises."""
    names = (file.filename for file in read_project(index, project, patient=False))
    return frozenset(version for name in names if (version := version_of(name)))


def explained(run: Run, met: OtherBytes | UploadRefused, project: str, version: str) -> ReleaseError:
    """Return `met`, which a session met on an index, with what to do now."""
    if isinstance(met, UploadRefused) and not VERSION_TAKEN.search(met.words):
        if run.name == "testpypi" and NAME_TAKEN.search(met.words):
            return NameTaken(met.index, project, met.words, _numbered(_elsewhere(run)))
        return met
    with contextlib.suppress(ReleaseError):  # an index that does not answer leaves us with what we know
        on_rehearsal, on_real = (versions_on(index, project) for index in (run.config.testpypi, run.config.pypi))
        met.free = next_version(version, on_rehearsal | on_real)
        if isinstance(met, OtherBytes) and run.name == "testpypi" and version not in map(str, on_real):
            ways = _numbered([_next(run, met.free), *_elsewhere(run)])
            return VersionSpent(met.index, run.config.pypi.name, project, version, met.files, ways)
    return met


def is_spent(config: Config, found: Iterable[Problem]) -> bool:
    """Whether `found`, what the rules on both indexes say, means that only the rehearsal index has the version."""
    told = [problem for problem in found if problem.rule in SPENT]
    rehearsal = f"{config.testpypi.name} has "
    return bool(told) and all(problem.message.startswith(rehearsal) for problem in told)


def of_version(run: Run, built: Built) -> str:
    """Return the ways out of a version that is spent on the rehearsal index."""
    indexes = (run.config.testpypi, run.config.pypi)
    taken = frozenset[Version]().union(*(versions_on(index, built.project) for index in indexes))
    ways = [_next(run, next_version(built.version, taken)), *_elsewhere(run)]
    return f"{run.config.pypi.name} does not have this version. There are three ways out:{_numbered(ways)}"


def _numbered(ways: Iterable[str]) -> str:
    return listing(f"{number}. {way}" for number, way in enumerate(ways, 1))


def _next(run: Run, free: str) -> str:
    return (
        f"The next version: {free} is free on both indexes. Set it, commit, `{run.command('verify')}`."
        f" Cost: a version number that {run.config.pypi.name} never shows."
    )


def _elsewhere(run: Run) -> tuple[str, str]:
    """Return the ways that leave the public rehearsal index aside."""
    once = ("--rehearse-on", "dryrun", '"REASON"')
    commands = " and ".join(f"`{run.command(session, *once)}`" for session in ("verify", "pypi"))
    staging = (
        "A private staging index: set `upload` and `simple` in [tool.seatrial.indexes.testpypi], commit,"
        f" `{run.command('verify')}`. Cost: an index to run, and an account on it."
    )
    here = (
        f'A rehearsal on this machine: this once, {commands}; for good, `rehearse-on = "dryrun"` in [tool.seatrial].'
        f" Cost: no foreign index takes and serves these files before {run.config.pypi.name} does; the record says so."
    )
    return staging, here
