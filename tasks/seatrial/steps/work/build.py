"""What `build` does: make the distributions or take them, set aside what is in their place, and record them."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial import __version__
from seatrial.building import brought, distributions, supposed
from seatrial.building.checkout import check_out
from seatrial.building.distributions import Product
from seatrial.building.frontend import BuildOdd, Job
from seatrial.machine import temporary, variables
from seatrial.machine.disk import move
from seatrial.machine.errors import ReleaseError, listing, shortened
from seatrial.machine.values import Value
from seatrial.project import predecessor
from seatrial.release.archives import Archive
from seatrial.release.record import now
from seatrial.release.stages import Built, Dist, Tool
from seatrial.report import text
from seatrial.workspace import packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.building.git import Source
    from seatrial.project.context import Context
    from seatrial.project.settings import Settings


class DistNotFolder(ReleaseError):
    path: Path
    reason: str

    what = "{e.path} is {e.reason}, but has to be a folder for the distributions. Nothing was built."
    cause = "another tool's output of that name, or a link to a disk that is not mounted."
    cure = "remove or rename it, or mount what it leads to, and run `{run[build]}` again."


class Made(Value):
    """How the files came to be: the tools that took part, what came of them, and the tag that HEAD was given for it."""

    tools: tuple[Tool, ...]
    product: Product
    tag: str | None = None


def built(context: Context, source: Source, fingerprint: str, before: Built | None, parting: str) -> Built:
    """Make the distributions in the place of those of `before`, record them, and return what is recorded.

    `parting` says why `before` makes way. Raises DistNotFolder, and whatever building raises.
    """
    _stop_unless_folder(context.record.dist)
    context.record.prepare()
    with _staging(context.record.folder) as staging:
        if context.options.taken_from:
            made = _take(context.options.taken_from, staging, context.root / "dist")
        else:
            made = _make(context, source, staging)
        archives = [Archive.open(path) for path in sorted(staging.iterdir())]
        _stop_unless_one_release(context, archives)
        built = _record_of(context, source, fingerprint, archives, made)
        _replace(context, built, staging, parting, predecessor.ways_out(context, before, built))
    _show(context, built, source, archives)
    return built


def _stop_unless_folder(dist: Path) -> None:
    if dist.is_symlink() and not dist.exists():
        raise DistNotFolder(dist, f"a link to {dist.readlink()}, which does not exist")
    if dist.exists() and not dist.is_dir():
        raise DistNotFolder(dist, "a file")


@contextlib.contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """Yield a folder beside the record for files in the making; what a killed run left of one is swept."""
    for old in folder.glob("staging-*"):
        shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="staging-", dir=folder, ignore_cleanup_errors=True) as staging:
        yield Path(staging)


def _make(context: Context, source: Source, staging: Path) -> Made:
    """Build into `staging`, and return how."""
    settings = context.settings
    context.detail(f"building {', '.join(reversed(settings.archives))} of {_described(source, settings)}")
    if dropped := variables.dropped(os.environ, settings.build_env):
        context.detail(
            f"withheld from the build (`build-env` in [tool.seatrial] lets more through): {', '.join(dropped)}"
        )
    with temporary.folder("build") as scratch:
        uncommitted = "" if settings.in_place else source.uncommitted
        job = Job(settings, source.epoch, staging, scratch, context.screen, context.uv, uncommitted)
        with replace(job, meanwhile=context.dry.meanwhile if context.dry else None).started() as job:
            if context.dry is None or source.commit is None or settings.in_place:
                tree = check_out(source, scratch / "checkout", in_place=settings.in_place)
                return Made(_tools(), distributions.make(job, tree))
            name = packages.name_of(context.root)
            supposition = supposed.suppose(job, source, name, context.options.version)
            return Made(_tools(), distributions.make(job, supposition.tree, supposition.sdist), supposition.tag)


def _described(source: Source, settings: Settings) -> str:
    if source.commit is None or settings.in_place:
        return "a copy of the working tree" + (" (in-place)" if source.commit else " (no git here)")
    return f"commit {source.commit[:12]}" + (f" ({', '.join(source.tags)})" if source.tags else "")


def _tools() -> tuple[Tool, ...]:
    versions = {
        "seatrial": __version__,
        "build": importlib.metadata.version("build"),
        "python": platform.python_version(),
    }
    return tuple(Tool(name, version) for name, version in versions.items())


def _take(folder: Path, staging: Path, dist: Path) -> Made:
    """Copy the distributions in `folder` to `staging`. Raises NothingToTake."""
    for path in brought.files(folder, dist):
        shutil.copy2(path, staging / path.name)
    return Made((Tool("seatrial", __version__), Tool("--from", folder.name)), Product())


def _stop_unless_one_release(context: Context, archives: Sequence[Archive]) -> None:
    """Raise what is wrong with `archives` as one release; name the modules of taken wheels that are of another."""
    if not context.options.taken_from:
        _one_release(archives, context.settings)
        return
    brought.stop_unless_one_release(context.options.taken_from, archives, context.settings.archives)
    if unlike := brought.unlike(archives):
        modules = shortened([f"{name} (in {_some(wheels)})" for name, wheels in unlike.items()])
        context.say(
            f"these modules differ from those in the sdist. Were all files built from one commit?{modules}", "warning"
        )


def _some(wheels: Sequence[str]) -> str:
    return wheels[0] if len(wheels) == 1 else f"{len(wheels)} wheels"


def _one_release(archives: Sequence[Archive], settings: Settings) -> None:
    """Raise BuildOdd unless `archives` are one project in one version, and the kinds that were asked for."""
    names = tuple(archive.path.name for archive in archives)
    if len({canonicalize_name(archive.name) for archive in archives}) > 1:
        raise BuildOdd("its files belong to more than one project:", names)
    if len({archive.version for archive in archives}) > 1:
        raise BuildOdd("its files have more than one version:", names)
    if missing := set(settings.archives) - {archive.kind for archive in archives}:
        raise BuildOdd(f"there is no {' and no '.join(sorted(missing))} among its files:", names)


def _record_of(context: Context, source: Source, fingerprint: str, archives: Sequence[Archive], made: Made) -> Built:
    first = archives[0]
    return Built(
        project=first.metadata.name or first.name,
        version=str(first.version),
        dists=tuple(sorted(Dist.from_file(archive.path) for archive in archives)),
        at=now(),
        commit=source.commit,
        tag=source.tags[0] if source.tags else None,
        dirty=source.dirty,
        epoch=source.epoch,
        fingerprint=fingerprint,
        normalised=made.product.normalised,
        lacking=made.product.lacking,
        reached=made.product.reach.words,
        tools=made.tools,
        matrix=context.settings.cells,
        release_with=context.settings.release_with,
        environments=made.product.environments,
        supposed_tag=made.tag,
    )


def _replace(context: Context, built: Built, staging: Path, parting: str, ways_out: str) -> None:
    """Move the new files into dist, set whatever else is there aside, and write the record last."""
    dist = context.record.dist
    dist.mkdir(parents=True, exist_ok=True)
    stale = tuple(sorted(path.name for path in dist.iterdir()))
    aside = context.record.move_aside(stale)
    if parting:
        context.say(f"{parting}; starting {built.version} from {predecessor.short(built.commit)}")
    if ways_out:
        context.say(ways_out, "warning")
    if aside:
        context.say(f"moved what was in {dist.name}/ to {aside}" if stale else f"moved the old record to {aside}")
        context.detail(listing(stale))
    for made in built.dists:
        move(staging / made.filename, dist / made.filename)
    context.record.write(built)


def _show(context: Context, built: Built, source: Source, archives: Sequence[Archive]) -> None:
    if built.supposed_tag:
        context.say(text.rehearsed_as(built))
    if source.dirty and context.settings.in_place:
        changed = shortened(source.changed)
        context.say(
            f"these files contain uncommitted changes (in-place), so only `dryrun` rehearses them:{changed}", "warning"
        )
    context.detail(f"built {built.project} {built.version} in {context.record.dist}:\n{text.files(built.dists)}")
    for sdist in built.normalised:
        context.detail(
            f"{sdist.filename} was normalised: its members are as the backend wrote them, times and owners not"
        )
    for archive in archives:
        if archive.kind == "sdist":
            context.detail(text.for_packagers(archive))
