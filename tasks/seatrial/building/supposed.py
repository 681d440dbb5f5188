"""The release that a commit would become: a dry run rehearses that, whatever the commit calls itself.

Versions that a build backend reads from git have a local part or `.devN` between two releases, which PyPI refuses. The
checkout is ours, so HEAD gets the tag there that the release would have. The user's repository is not touched.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import Version

from seatrial.building import tags
from seatrial.building.checkout import check_out
from seatrial.building.frontend import BuildFailed, build_one
from seatrial.index.holdings import read_project
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.release.archives import Archive
from seatrial.release.filenames import version_of

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.building.frontend import Job, Output
    from seatrial.building.git import Source
    from seatrial.building.tags import VersionTag
    from seatrial.index.indexes import Index
    from seatrial.release.stages import Built


class Supposition(Value):
    """The checkout, the sdist of it, and the tag that it was given; None where the version stands as it is."""

    tree: Path
    sdist: Output
    tag: str | None = None


def suppose(job: Job, source: Source, project: str, version: str | None) -> Supposition:
    """Check out `source` and build its sdist as the release `version`, by default the one that HEAD would become.

    `project` is the name of the project in its tags. A static version stays as it is. Raises
    NotThatVersion, BuildFailed, and what a checkout raises.
    """
    patterns = job.settings.tag
    if version is not None:
        wanted = Version(version)
        tag = tags.next_tag(source, patterns, project, wanted, wanted=wanted)
        built = _tagged(job, source, tag, None)
        if (actual := Archive.open(built.sdist.path).version) != tag.version:
            raise tags.NotThatVersion(version, str(actual), tag.name)
        return built
    tree = check_out(source, job.scratch / "checkout", in_place=False)
    has_tags = bool(tags.version_tags(source, patterns, project, merged=True))
    try:
        sdist = build_one(job, "sdist", tree)
    except BuildFailed as failed:
        if has_tags:
            raise
        way_out = (
            "There is no version tag in the history of HEAD; if that is what the backend asks for,"
            " `dryrun --as VERSION` rehearses as if there were one."
        )
        hint = f"{failed.uncommitted} {way_out}".lstrip()
        raise BuildFailed(failed.kind, failed.code, failed.output, hint) from None
    archive = Archive.open(sdist.path)
    is_tagged = any(tag.version == archive.version for tag in tags.here(source, patterns, archive.name))
    if is_tagged or not tags.comes_from_git(archive.version):
        return Supposition(tree, sdist)
    tag = tags.next_tag(source, patterns, archive.name, archive.version)
    sdist.path.unlink()
    built = _tagged(job, source, tag, sdist)
    if (actual := Archive.open(built.sdist.path).version) != tag.version:
        job.screen.say(
            f"the version stays {actual} when this commit is tagged {tag.name}: it is static, or the project spells its"
            " tags differently (see `tag` in [tool.seatrial])"
        )
        return replace(built, tag=None)
    if not has_tags:
        job.screen.say(
            f"no version tag in the history of HEAD: `--as VERSION` chooses a version other than {tag.version}"
        )
    return built


def _tagged(job: Job, source: Source, tag: VersionTag, first: Output | None) -> Supposition:
    """Build the sdist of a checkout whose HEAD has the `tag`, in the environment of the `first` build."""
    top = job.scratch / "tagged"
    tree = check_out(source, top, in_place=False)
    tags.put(top, source, tag.name)
    return Supposition(tree, build_one(job, "sdist", tree, shared=first.shared if first else None), tag.name)


def outstanding(built: Built, source: Source, patterns: tuple[str, ...], published: Index | None) -> str:
    """Say what a release of this commit to the index `published` (None: ask none) still needs; empty for nothing."""
    parts = []
    if source.changed:
        parts.append(f"commit {len(source.changed)} change{'' if len(source.changed) == 1 else 's'}")
    version, served = Version(built.version), False
    if published is not None:
        with contextlib.suppress(ReleaseError):  # `check` says what is wrong with the index
            files = read_project(published, built.project, patient=False).files
            served = any(version_of(file.filename) == version for file in files)
        if served:
            parts.append(f"raise the version ({built.version} is on {published.name})")
    known = tags.version_tags(source, patterns, built.project, merged=False)
    here = tags.here(source, patterns, built.project)
    if (known or built.supposed_tag) and not any(tag.version == version for tag in here):
        elsewhere = next((tag.name for tag in known if tag.version == version), None)
        moved = f"move the tag {elsewhere} here or raise the version" if elsewhere and not served else "tag it"
        parts.append(f"tag it {built.supposed_tag}" if built.supposed_tag else moved)
    return f"to release this commit: {', '.join(parts)}" if parts else ""
