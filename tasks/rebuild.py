"""`rebuild`: a released tag built again, and whether that gives the bytes which the index serves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import source
from .archives import Archive
from .config import load
from .errors import NothingServed, RebuiltOtherwise, ReleaseError, TagMissing, listing
from .frontend import Job, make
from .indexes import download, read_release
from .stages import Dist

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .config import Config
    from .indexes import Served
    from .run import Run

SAME_MEMBERS = "the same members; only how they are packed differs (times, order, rights, compression)"


def rebuild(run: Run, version: str) -> None:
    """Build the tag of `version` again and compare each file with the index's, member by member where bytes differ.

    Raises TagMissing, NothingServed, and RebuiltOtherwise where a file is not the same.
    """
    found = _tagged(run, version)
    index = run.config.pypi
    with run.scratch() as scratch:
        rebuilt = _build(run, found, scratch)
        archive = Archive.open(next(iter(rebuilt.values())))
        project = archive.metadata.name or archive.name
        served = read_release(index, project, str(archive.version))
        if not served:
            raise NothingServed(index.name, project, str(archive.version))
        unlike = _compare(run, rebuilt, served, scratch)
    _say_what_is_not_compared(run, rebuilt, served)
    if unlike or not any(file.filename in rebuilt for file in served):
        raise RebuiltOtherwise(index.name, project, str(archive.version), tuple(unlike))
    run.say(f"{project} {archive.version}: the tag {found.tags[0]} gives exactly the bytes that {index.name} serves")


def _tagged(run: Run, version: str) -> source.Source:
    """Return the tree of the tag that `version` was released under. Raises TagMissing."""
    found = source.look(run.root)
    tag = source.tag_of(found, run.config.tag, version)
    if tag is None:
        raise TagMissing(version, tuple(pattern.format(version=version, name="NAME") for pattern in run.config.tag))
    return source.at_tag(found, tag)


def _build(run: Run, found: source.Source, scratch: Path) -> dict[str, Path]:
    """Build the tree `found` as its own settings say, and return the files by name."""
    out = scratch / "out"
    out.mkdir()
    tree = source.check_out(found, scratch / "checkout", in_place=False)
    run.say(f"building {found.tags[0]} ({(found.commit or '')[:12]}) again")
    make(Job(run, _settings_of(tree, run.config), found.epoch, out, scratch), tree, compare=False)
    return {path.name: path for path in sorted(out.iterdir())}


def _settings_of(tree: Path, today: Config) -> Config:
    """Return today's settings with those that decide about the bytes as the tag has them."""
    try:
        then = load(tree)
    except ReleaseError:
        return today  # settings that this version does not know, or the table was broken
    return replace(today, archives=then.archives, normalise=then.normalise, build_env=then.build_env)


def _compare(run: Run, rebuilt: Mapping[str, Path], served: Sequence[Served], scratch: Path) -> list[str]:
    """Say of each file that both have whether it is the same, and return the names of those that are not."""
    unlike = []
    for file in served:
        ours = rebuilt.get(file.filename)
        if ours is None:
            continue
        if Dist.from_file(ours).sha256 == file.sha256:
            run.say(f"  identical  {file.filename}")
            continue
        theirs = scratch / "served" / file.filename
        theirs.parent.mkdir(exist_ok=True)
        download(run.config.pypi, file.url, theirs)
        run.say(f"  different  {file.filename}{listing(f'  {line}' for line in differences(ours, theirs))}")
        unlike.append(file.filename)
    return unlike


def _say_what_is_not_compared(run: Run, rebuilt: Mapping[str, Path], served: Sequence[Served]) -> None:
    names = {file.filename for file in served}
    for name in sorted(names - set(rebuilt)):
        run.say(f"  not built here, so not compared: {name}")
    for name in sorted(set(rebuilt) - names):
        run.say(f"  not on {run.config.pypi.name}, so not compared: {name}")


def differences(ours: Path, theirs: Path) -> list[str]:
    """Return in which members two archives differ, one line each."""
    here, there = Archive.open(ours).digests(), Archive.open(theirs).digests()
    found = [f"{name}: only on the index" for name in sorted(set(there) - set(here))]
    found += [f"{name}: only in the file built here" for name in sorted(set(here) - set(there))]
    found += [f"{name}: other contents" for name in sorted(set(here) & set(there)) if here[name] != there[name]]
    return found or [SAME_MEMBERS]
