"""`rebuild`: a released tag built again, and whether that gives the bytes which the index serves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.building import git
from seatrial.building.frontend import Job, make
from seatrial.index.holdings import read_release
from seatrial.index.http import FILE_BYTES, download
from seatrial.machine.errors import ReleaseError, listing
from seatrial.project.settings import load
from seatrial.release.archives import Archive
from seatrial.release.stages import Dist

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from seatrial.index.simple import Served
    from seatrial.project.context import Context
    from seatrial.project.settings import Settings

SAME_MEMBERS = "the same members; only how they are packed differs (times, order, rights, compression)"


@dataclass(eq=False)
class TagMissing(ReleaseError):
    version: str
    tried: tuple[str, ...]

    what = "There is no tag of version {e.version} in this repository. Tried: {e.tried:joined}"
    cause = "the tags were not fetched, or tags are called otherwise here."
    cure = "git fetch --tags; how tags are called is the setting `tag` of [tool.seatrial]."


@dataclass(eq=False)
class NothingServed(ReleaseError):
    index: str
    project: str
    version: str

    what = "{e.index} serves no file of {e.project} {e.version}, so there is nothing to compare with."
    cause = "this version was never released there, or it was deleted."
    cure = "name a version that is on {e.index}."


@dataclass(eq=False)
class RebuiltOtherwise(ReleaseError):
    index: str
    project: str
    version: str
    files: tuple[str, ...]

    what = "{e.shown}"
    cause = (
        "other versions of the build backend or compiler than at the release, a backend that is not reproducible, or"
        " files that were not built from this tag."
    )
    cure = "look at the members named above: contents that differ want an explanation, times and order do not."

    @property
    def shown(self) -> str:
        what = f"{self.project} {self.version}, built again from its tag"
        if self.files:
            return f"{what}, is not what {self.index} serves:{listing(self.files)}"
        return f"{what}, gives none of the files that {self.index} serves."


def rebuild(context: Context, version: str) -> None:
    """Build the tag of `version` again and compare each file with the index's, member by member where bytes differ.

    Raises TagMissing, NothingServed, and RebuiltOtherwise where a file is not the same.
    """
    found = _tagged(context, version)
    index = context.settings.pypi
    with context.scratch() as scratch:
        rebuilt = _build(context, found, scratch)
        archive = Archive.open(next(iter(rebuilt.values())))
        project = archive.metadata.name or archive.name
        served = read_release(index, project, str(archive.version))
        if not served:
            raise NothingServed(index.name, project, str(archive.version))
        unlike = _compare(context, rebuilt, served, scratch)
    _say_what_is_not_compared(context, rebuilt, served)
    if unlike or not any(file.filename in rebuilt for file in served):
        raise RebuiltOtherwise(index.name, project, str(archive.version), tuple(unlike))
    context.say(
        f"{project} {archive.version}: the tag {found.tags[0]} gives exactly the bytes that {index.name} serves"
    )


def _tagged(context: Context, version: str) -> git.Source:
    """Return the tree of the tag that `version` was released under. Raises TagMissing."""
    found = git.look(context.root)
    tag = git.tag_of(found, context.settings.tag, version)
    if tag is None:
        raise TagMissing(
            version, tuple(pattern.format(version=version, name="NAME") for pattern in context.settings.tag)
        )
    return git.at_tag(found, tag)


def _build(context: Context, found: git.Source, scratch: Path) -> dict[str, Path]:
    """Build the tree `found` as its own settings say, and return the files by name."""
    out = scratch / "out"
    out.mkdir()
    tree = git.check_out(found, scratch / "checkout", in_place=False)
    context.say(f"building {found.tags[0]} ({(found.commit or '')[:12]}) again")
    make(Job(context, _settings_of(tree, context.settings), found.epoch, out, scratch), tree, compare=False)
    return {path.name: path for path in sorted(out.iterdir())}


def _settings_of(tree: Path, today: Settings) -> Settings:
    """Return today's settings with those that decide about the bytes as the tag has them."""
    try:
        then = load(tree)
    except ReleaseError:
        return today  # settings that this version does not know, or the table was broken
    return replace(today, archives=then.archives, normalise=then.normalise, build_env=then.build_env)


def _compare(context: Context, rebuilt: Mapping[str, Path], served: Sequence[Served], scratch: Path) -> list[str]:
    """Say of each file that both have whether it is the same, and return the names of those that are not."""
    unlike = []
    for file in served:
        ours = rebuilt.get(file.filename)
        if ours is None:
            continue
        if Dist.from_file(ours).sha256 == file.sha256:
            context.say(f"  identical  {file.filename}")
            continue
        theirs = scratch / "served" / file.filename
        theirs.parent.mkdir(exist_ok=True)
        download(context.settings.pypi, file.url, theirs, limit=file.size or FILE_BYTES)
        context.say(f"  different  {file.filename}{listing(f'  {line}' for line in differences(ours, theirs))}")
        unlike.append(file.filename)
    return unlike


def _say_what_is_not_compared(context: Context, rebuilt: Mapping[str, Path], served: Sequence[Served]) -> None:
    names = {file.filename for file in served}
    for name in sorted(names - set(rebuilt)):
        context.say(f"  not built here, so not compared: {name}")
    for name in sorted(set(rebuilt) - names):
        context.say(f"  not on {context.settings.pypi.name}, so not compared: {name}")


def differences(ours: Path, theirs: Path) -> list[str]:
    """Return in which members two archives differ, one line each."""
    here, there = Archive.open(ours).digests(), Archive.open(theirs).digests()
    found = [f"{name}: only on the index" for name in sorted(set(there) - set(here))]
    found += [f"{name}: only in the file built here" for name in sorted(set(here) - set(there))]
    found += [f"{name}: other contents" for name in sorted(set(here) & set(there)) if here[name] != there[name]]
    return found or [SAME_MEMBERS]
