"""`build`: the sdist, then the wheel from that sdist, out of a clean checkout, with no secret in reach."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.building import brought, git
from seatrial.building.frontend import BuildOdd, Job, Product, make
from seatrial.cli.register import VERSION
from seatrial.machine import variables
from seatrial.machine.errors import listing, shortened
from seatrial.release.archives import Archive
from seatrial.release.record import now
from seatrial.release.stages import Built, Dist, Rehearsed, Tool
from seatrial.report import text
from seatrial.workspace import packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.building.git import Source
    from seatrial.project.context import Context
    from seatrial.project.settings import Settings


@dataclass(frozen=True)
class Made:
    """How the files came to be: the tools that took part, and what came of them."""

    tools: tuple[Tool, ...]
    product: Product


def build(context: Context) -> None:
    """Make the distributions and record them, unless they are there already; nothing rehearsed is ever replaced."""
    packages.together(context.root, context.settings.release_with).ordered()  # siblings that there are, and no cycle
    found = git.look(context.root)
    fingerprint = found.fingerprint(recipe(context), in_place=context.settings.in_place)
    if not context.options.rebuild and _is_done(context, found, fingerprint):
        return
    with _staging(context.record.folder) as staging:
        if context.options.taken_from:
            made = _take(context.options.taken_from, staging, context.root / "dist")
        else:
            made = _make(context, found, staging)
        archives = [Archive.open(path) for path in sorted(staging.iterdir())]
        _stop_unless_one_release(context, archives)
        built = _record_of(context, found, fingerprint, archives, made)
        _put(context, built, staging)
    _tell(context, built, found)
    for archive in archives:
        if archive.kind == "sdist":
            context.say(text.for_packagers(archive))


def recipe(context: Context) -> str:
    """Return what decides beside the source tree which files come out."""
    tree = "in-place" if context.settings.in_place else "checkout"
    form = "normalised" if context.settings.normalise else "as-made"
    parts = [
        *context.settings.archives,
        tree,
        form,
        str(context.options.taken_from or ""),
        *context.settings.release_with,
    ]
    return ",".join(parts)


def _is_done(context: Context, found: Source, fingerprint: str) -> bool:
    """Whether the recorded files are to be kept; says why. Raises FilesChanged where they are not what they were."""
    built = context.record.find(Built)
    if built is None:
        return False
    rehearsed = context.record.find(Rehearsed)
    if built.fingerprint != fingerprint and rehearsed is None:
        return False
    context.record.rehash(built.dists)
    if built.fingerprint == fingerprint:
        context.say(f"{built.project} {built.version} is built already, from this source ({len(built.dists)} files).")
    else:
        context.say(
            f"{built.project} {built.version} was rehearsed and is sealed; {_moved(built, found)}."
            f" Going on with the sealed files; to start anew: {context.command('build', '--rebuild')}"
        )
    return True


def _moved(built: Built, found: Source) -> str:
    """Say what is not as it was when `built` was made."""
    if (built.commit, built.dirty) == (found.commit, found.dirty) and built.commit:
        return "what is asked for now would be built in another way, from the same commit"
    return f"the source has moved on since ({_short(built.commit)} -> {_short(found.commit)})"


def _short(commit: str | None) -> str:
    return commit[:12] if commit else "no git"


@contextlib.contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """Yield a folder beside the record for files in the making; what a killed run left of one is swept."""
    for old in folder.glob("staging-*"):
        shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="staging-", dir=folder, ignore_cleanup_errors=True) as staging:
        yield Path(staging)


def _make(context: Context, found: Source, staging: Path) -> Made:
    """Build into `staging`, and return how. Raises ToolFailed, ToolStuck, SdistNeedsGit, BuildOdd and BadArchive."""
    context.say(f"building {', '.join(reversed(context.settings.archives))} of {_described(found, context.settings)}")
    if dropped := variables.dropped(os.environ, context.settings.build_env):
        context.say(f"not handed to the build (`build-env` in [tool.seatrial] lets more through): {', '.join(dropped)}")
    with context.scratch() as scratch:
        tree = git.check_out(found, scratch / "checkout", in_place=context.settings.in_place)
        product = make(Job(context, context.settings, found.epoch, staging, scratch), tree)
    return Made(_tools(), product)


def _described(found: Source, settings: Settings) -> str:
    if found.commit is None or settings.in_place:
        return "a copy of the working tree" + (" (in-place)" if found.commit else " (no git here)")
    return f"commit {found.commit[:12]}" + (f" ({', '.join(found.tags)})" if found.tags else "")


def _tools() -> tuple[Tool, ...]:
    lock = Path(__file__).with_name("requirements") / "build.txt"
    pinned = next(line for line in lock.read_text(encoding="utf-8").splitlines() if line.startswith("build=="))
    version = pinned.partition("==")[2].split()[0]
    return (Tool("seatrial", VERSION), Tool("build", version), Tool("python", platform.python_version()))


def _take(folder: Path, staging: Path, dist: Path) -> Made:
    """Copy the distributions in `folder` to `staging`. Raises NothingToTake."""
    for path in brought.files(folder, dist):
        shutil.copy2(path, staging / path.name)
    return Made((Tool("seatrial", VERSION), Tool("--from", folder.name)), Product())


def _stop_unless_one_release(context: Context, archives: Sequence[Archive]) -> None:
    """Raise what is wrong with `archives` as one release; name the modules of taken wheels that are of another."""
    if not context.options.taken_from:
        _one_release(archives, context.settings)
        return
    brought.stop_unless_one_release(context.options.taken_from, archives, context.settings.archives)
    if found := brought.unlike(archives):
        context.say("warning: these modules are not as in the sdist. Were all files built from the same commit?")
        context.say(shortened([f"{name} (in {_some(wheels)})" for name, wheels in found.items()]).lstrip("\n"))


def _some(wheels: Sequence[str]) -> str:
    return wheels[0] if len(wheels) == 1 else f"{len(wheels)} wheels"


def _one_release(archives: Sequence[Archive], settings: Settings) -> None:
    """Raise BuildOdd unless `archives` are one project in one version, and the kinds that were asked for."""
    names = tuple(archive.path.name for archive in archives)
    if len({canonicalize_name(archive.name) for archive in archives}) > 1:
        raise BuildOdd("its files are of more than one project:", names)
    if len({archive.version for archive in archives}) > 1:
        raise BuildOdd("its files are of more than one version:", names)
    if missing := set(settings.archives) - {archive.kind for archive in archives}:
        raise BuildOdd(f"there is no {' and no '.join(sorted(missing))} among its files:", names)


def _record_of(context: Context, found: Source, fingerprint: str, archives: Sequence[Archive], made: Made) -> Built:
    first = archives[0]
    return Built(
        project=first.metadata.name or first.name,
        version=str(first.version),
        dists=tuple(sorted(Dist.from_file(archive.path) for archive in archives)),
        at=now(),
        commit=found.commit,
        tag=found.tags[0] if found.tags else None,
        dirty=found.dirty,
        epoch=found.epoch,
        fingerprint=fingerprint,
        normalised=made.product.normalised,
        lacking=made.product.lacking,
        reached=made.product.reach.words,
        tools=made.tools,
        matrix=context.settings.cells,
        release_with=context.settings.release_with,
    )


def _put(context: Context, built: Built, staging: Path) -> None:
    """Move the new files into dist, whatever else lies there aside, and write the record last."""
    context.record.dist.mkdir(parents=True, exist_ok=True)
    stale = tuple(sorted(path.name for path in context.record.dist.iterdir()))
    aside = context.record.move_aside(stale)
    if aside and stale:
        context.say(f"moved aside what lay in {context.record.dist.name}/, to {aside}:{listing(stale)}")
    elif aside:
        context.say(f"moved the old record aside, to {aside}")
    for dist in built.dists:
        (staging / dist.filename).replace(context.record.dist / dist.filename)
    context.record.write(built)


def _tell(context: Context, built: Built, found: Source) -> None:
    context.say(f"built {built.project} {built.version} in {context.record.dist}:")
    context.say(text.files(built.dists))
    for one in built.normalised:
        context.say(
            f"  {one.filename} was normalised: its members are as the backend wrote them, times and owners are not"
        )
    if found.dirty:
        inside = (
            "they are part of the files (in-place)" if context.settings.in_place else "they are NOT part of the files"
        )
        context.say(f"the tree has changes that are not committed; {inside}, which only `dryrun` will rehearse:")
        context.say(shortened(found.changed).lstrip("\n"))
