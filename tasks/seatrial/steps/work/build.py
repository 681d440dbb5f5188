"""What `build` does: make the distributions or take them, set aside what is in their place, and record them."""

from __future__ import annotations

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
from seatrial.machine.errors import listing, shortened
from seatrial.project import predecessor
from seatrial.release.archives import Archive
from seatrial.release.record import now
from seatrial.release.stages import Built, Dist, Tool
from seatrial.report import text
from seatrial.workspace import packages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.building.git import Source
    from seatrial.project.context import Context


def built(context: Context, source: Source, fingerprint: str, before: Built | None, parting: str) -> Built:
    """Make the distributions in the place of those of `before`, record them, and return what is recorded.

    `parting` says why `before` makes way. Raises DistNotFolder, and whatever building raises.
    """
    folder = context.record.folder
    context.record.stop_unless_folder()
    context.record.prepare()
    for old in folder.glob("staging-*"):  # what a killed run left
        shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="staging-", dir=folder, ignore_cleanup_errors=True) as place:
        staging = Path(place)
        if taken_from := context.options.taken_from:
            for path in brought.files(taken_from, context.root / "dist"):
                shutil.copy2(path, staging / path.name)
            made: tuple[Product, str | None] = Product(), None
        else:
            made = _make(context, source, staging)
        archives = [Archive.open(path) for path in sorted(staging.iterdir())]
        _stop_unless_one_release(context, archives)
        built = _record_of(context, source, fingerprint, archives, made)
        _replace(context, built, staging, parting, predecessor.ways_out(context, before, built))
    _show(context, built, source, archives)
    return built


def _make(context: Context, source: Source, staging: Path) -> tuple[Product, str | None]:
    """Build into `staging`; return what came of it, and the tag that HEAD was given for it."""
    settings = context.settings
    if source.commit is None or settings.in_place:
        tree = "a copy of the working tree" + (" (in-place)" if source.commit else " (no git here)")
    else:
        tree = f"commit {source.commit[:12]}" + (f" ({', '.join(source.tags)})" if source.tags else "")
    context.detail(f"building {', '.join(reversed(settings.archives))} of {tree}")
    if dropped := variables.dropped(os.environ, settings.build_env):
        names = ", ".join(dropped)
        context.detail(f"withheld from the build (`build-env` in [tool.seatrial] lets more through): {names}")
    with temporary.folder("build") as scratch:
        uncommitted = "" if settings.in_place else source.uncommitted
        job = Job(settings, source.epoch, staging, scratch, context.screen, context.uv, uncommitted)
        if dry := context.dry:
            job = replace(job, builders=dry.builders or job.builders, meanwhile=dry.meanwhile)
        with job.builders.kept():
            job.builders.start()
            if context.dry is None or source.commit is None or settings.in_place:
                checkout = check_out(source, scratch / "checkout", in_place=settings.in_place)
                return distributions.make(job, checkout), None
            name = packages.name_of(context.root)
            supposition = supposed.suppose(job, source, name, context.options.version)
            return distributions.make(job, supposition.tree, supposition.sdist), supposition.tag


def _stop_unless_one_release(context: Context, archives: Sequence[Archive]) -> None:
    """Raise what is wrong with `archives` as one release; name the modules of taken wheels that are of another."""
    wanted = context.settings.archives
    if context.options.taken_from:
        brought.stop_unless_one_release(context.options.taken_from, archives, wanted)
        unlike = brought.unlike(archives)
        places = [wheels[0] if len(wheels) == 1 else f"{len(wheels)} wheels" for wheels in unlike.values()]
        modules = shortened([f"{name} (in {place})" for name, place in zip(unlike, places, strict=True)])
        question = f"Were all files built from one commit?{modules}"
        if unlike:
            context.say(f"these modules differ from those in the sdist. {question}", "warning")
        return
    names = tuple(archive.path.name for archive in archives)
    if len({canonicalize_name(archive.name) for archive in archives}) > 1:
        raise BuildOdd("its files belong to more than one project:", names)
    if len({archive.version for archive in archives}) > 1:
        raise BuildOdd("its files have more than one version:", names)
    if missing := set(wanted) - {archive.kind for archive in archives}:
        raise BuildOdd(f"there is no {' and no '.join(sorted(missing))} among its files:", names)


def _record_of(
    context: Context, source: Source, fingerprint: str, archives: Sequence[Archive], made: tuple[Product, str | None]
) -> Built:
    first, (product, tag) = archives[0], made
    if context.options.taken_from:
        made_by = {"--from": context.options.taken_from.name}
    else:
        made_by = {"build": importlib.metadata.version("build"), "python": platform.python_version()}
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
        normalised=product.normalised,
        lacking=product.lacking,
        reached=product.reach.words,
        tools=(Tool("seatrial", __version__), *(Tool(name, version) for name, version in made_by.items())),
        matrix=context.settings.cells,
        release_with=context.settings.release_with,
        environments=product.environments,
        supposed_tag=tag,
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
        rehearsed = f"so only `dryrun` rehearses them:{shortened(source.changed)}"
        context.say(f"these files contain uncommitted changes (in-place), {rehearsed}", "warning")
    context.detail(f"built {built.project} {built.version} in {context.record.dist}:\n{text.files(built.dists)}")
    for sdist in built.normalised:
        kept = "its members are as the backend wrote them, times and owners not"
        context.detail(f"{sdist.filename} was normalised: {kept}")
    for archive in archives:
        if archive.kind == "sdist":
            context.detail(text.for_packagers(archive))
