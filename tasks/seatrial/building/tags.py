"""Version tags: how a project spells them, which one a version was released under, and the one that HEAD would get.

Versions are compared as PEP 440 compares them, so `v2024.01.02` is the tag of 2024.1.2.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from seatrial.building import git
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.release.filenames import parsed_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from seatrial.building.git import Source

# Spellings that are looked for where the setting `tag` fits no tag of the repository.
USUAL = """
v{version} {version} V{version}
{name}-v{version} {name}-{version} {name}/v{version} {name}/{version}
{name}@v{version} {name}@{version} {name}_v{version} {name}_{version}
release/v{version} release/{version} release-v{version} release-{version} rel-{version}
""".split()


class NotThatVersion(ReleaseError):
    wanted: str
    actual: str
    tag: str

    what = "--as {e.wanted}: with the tag {e.tag} at this commit the build gives version {e.actual}."
    cause = (
        "the version is written in a file of the project and not read from git; or its backend reads tags that are"
        " spelt differently."
    )
    cure = "set the version in that file and commit it; or set `tag` in [tool.seatrial] to how tags are spelt."


class VersionTag(Value):
    """A tag of this project's, the version it stands for, and the pattern and project name that it is spelt with."""

    name: str
    version: Version
    pattern: str
    project: str


def spelt(pattern: str, project: str, version: str) -> str:
    """Return the tag of `version` by `pattern`, which may name the project as well."""
    return pattern.replace("{name}", project).replace("{version}", version)


def read(tag: str, patterns: Iterable[str], project: str) -> VersionTag | None:
    """Return what `tag` stands for by the first of `patterns` that fits, None where it is not of this project."""
    for pattern in patterns:
        shape = re.escape(pattern).replace(r"\{version\}", r"(?P<version>\d.*)").replace(r"\{name\}", "(?P<name>.+?)")
        found = re.fullmatch(shape, tag)
        name = found.groupdict().get("name", project) if found else ""
        version = parsed_version(found["version"]) if found else None
        if version and canonicalize_name(name) == canonicalize_name(project):
            return VersionTag(tag, version, pattern, name)
    return None


def version_tags(source: Source, patterns: Sequence[str], project: str, *, merged: bool) -> tuple[VersionTag, ...]:
    """Return the version tags of `project`, by `patterns`, else by USUAL; `merged`: of HEAD's history.

    The lowest comes first. Those that are spelt as the latest one come last, since projects change the spelling.
    """
    if source.commit is None:
        return ()
    told = ("--list", "--no-column", "--format=%(creatordate:unix) %(refname:strip=2)")
    rows = git.run(source.root, "tag", *told, *(["--merged", "HEAD"] if merged else [])).splitlines()
    dates = {name: int(date or 0) for date, _, name in (row.partition(" ") for row in rows)}
    is_chosen = bool(set(patterns).difference(USUAL[:2]))  # else it is the default, which says nothing of this project
    for spellings in (patterns, USUAL) if is_chosen else (USUAL,):
        if found := [tag for name in dates if (tag := read(name, spellings, project))]:
            latest = max(found, key=lambda tag: (dates[tag.name], tag.version))
            return tuple(sorted(found, key=lambda tag: (tag.pattern == latest.pattern, tag.version)))
    return ()


def here(source: Source, patterns: Sequence[str], project: str) -> tuple[VersionTag, ...]:
    """Return the version tags of `project` that HEAD itself has."""
    return tuple(tag for name in source.tags if (tag := read(name, (*patterns, *USUAL), project)))


def tag_of(source: Source, patterns: Sequence[str], project: str, version: str) -> str | None:
    """Return the tag that `version` of `project` was released under, None where there is none."""
    wanted = parsed_version(version)
    names = git.run(source.root, "tag", "--list", "--no-column").splitlines() if source.commit and wanted else []
    for pattern in (*patterns, *USUAL):
        for name in names:
            if (tag := read(name, (pattern,), project)) and tag.version == wanted:
                return name
    return None


def at_tag(source: Source, tag: str) -> Source:
    """Return the tree as it was committed under `tag`."""
    shown = git.run(source.root, "log", "-1", "--no-show-signature", "--format=%H %ct", f"refs/tags/{tag}^{{commit}}")
    commit, epoch = shown.split()
    return replace(source, commit=commit, tags=(tag,), changed=(), epoch=int(epoch))


def comes_from_git(version: Version) -> bool:
    """Whether `version` looks like that of a commit between two releases: tools count commits in these parts."""
    return version.is_devrelease or version.is_postrelease or version.local is not None


def next_release(version: Version, last: Version | None) -> Version:
    """Return the release that a commit would become whose version is `version`, after the release `last`.

    That is the version without what counts commits; where it is not above `last` (some tools count from the last
    release on: 1.4.0.post1), `last` with its last part raised.
    """
    base = version.base_version + "".join(map(str, version.pre or ()))
    found = Version(base)
    if last is None:
        first = found if any(found.release) else Version("0.1")
        return raised(first) if version.is_postrelease and first == found else first
    if found > last:
        return found
    post = Version(f"{base}.post{version.post}") if version.post is not None else found
    return post if last.is_postrelease and post > last else raised(last)


def raised(version: Version) -> Version:
    """Return `version` with its last part raised: 1.4 to 1.5, 2.0rc1 to 2.0rc2, 1.0.post1 to 1.0.post2."""
    counted = version.base_version + "".join(map(str, version.pre or ()))
    if version.post is not None:
        counted += f".post{version.post}"
    return Version(re.sub(r"\d+$", lambda last: str(int(last[0]) + 1), counted))


def next_tag(
    source: Source, patterns: Sequence[str], project: str, version: Version, *, wanted: Version | None = None
) -> VersionTag:
    """Return the tag that HEAD would get as a release of `project`, spelt as its last version tag is.

    `version` is what the backend calls HEAD; `wanted` is the version that was asked for in place of the next one.
    """
    last = next(reversed(version_tags(source, patterns, project, merged=True)), None)
    target = wanted or next_release(version, last.version if last else None)
    pattern = last.pattern if last else patterns[0]
    name = (last and last.project) or project  # as that tag writes it, which need not be as the metadata does
    return VersionTag(spelt(pattern, name, str(target)), target, pattern, name)


def put(checkout: Path, source: Source, tag: str) -> None:
    """Tag HEAD of `checkout`, a clone of ours, as a release would be: annotated, at the time of the commit."""
    latest = ("--sort=-creatordate", "--count=1", "--format=%(creatordate:unix)", "refs/tags")
    # A second later than any other tag: some tools take the latest.
    moment = max(source.epoch, int(git.run(checkout, "for-each-ref", *latest).strip() or 0) + 1)
    who = ("-c", "user.name=seatrial", "-c", "user.email=seatrial@localhost", "-c", "tag.gpgSign=false")
    date = {"GIT_COMMITTER_DATE": f"@{moment} +0000"}
    git.run(checkout, *who, "tag", "--annotate", "--force", "--message", tag, tag, "HEAD", more=date)
