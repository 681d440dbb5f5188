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

from . import environment, packages, report, source, wheelhouse
from .archives import Archive
from .errors import BuildOdd, listing, shortened
from .frontend import Job, Product, make
from .record import now
from .register import VERSION
from .stages import Built, Dist, Rehearsed, Tool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .config import Config
    from .run import Run
    from .source import Source


@dataclass(frozen=True)
class Made:
    """How the files came to be: the tools that took part, and what came of them."""

    tools: tuple[Tool, ...]
    product: Product


def build(run: Run) -> None:
    """Make the distributions and record them, unless they are there already; nothing rehearsed is ever replaced."""
    packages.together(run.root, run.config.release_with).ordered()  # siblings that there are, and no cycle
    found = source.look(run.root)
    fingerprint = found.fingerprint(recipe(run), in_place=run.config.in_place)
    if not run.options.rebuild and _is_done(run, found, fingerprint):
        return
    with _staging(run.record.folder) as staging:
        if run.options.taken_from:
            made = _take(run.options.taken_from, staging, run.root / "dist")
        else:
            made = _make(run, found, staging)
        archives = [Archive.open(path) for path in sorted(staging.iterdir())]
        _stop_unless_one_release(run, archives)
        built = _record_of(run, found, fingerprint, archives, made)
        _put(run, built, staging)
    _tell(run, built, found)
    for archive in archives:
        if archive.kind == "sdist":
            run.say(report.for_packagers(archive))


def recipe(run: Run) -> str:
    """Return what decides beside the source tree which files come out."""
    tree = "in-place" if run.config.in_place else "checkout"
    form = "normalised" if run.config.normalise else "as-made"
    parts = [*run.config.archives, tree, form, str(run.options.taken_from or ""), *run.config.release_with]
    return ",".join(parts)


def _is_done(run: Run, found: Source, fingerprint: str) -> bool:
    """Whether the recorded files are to be kept; says why. Raises FilesChanged where they are not what they were."""
    built = run.record.find(Built)
    if built is None:
        return False
    rehearsed = run.record.find(Rehearsed)
    if built.fingerprint != fingerprint and rehearsed is None:
        return False
    run.record.rehash(built.dists)
    if built.fingerprint == fingerprint:
        run.say(f"{built.project} {built.version} is built already, from this source ({len(built.dists)} files).")
    else:
        run.say(
            f"{built.project} {built.version} was rehearsed and is sealed; {_moved(built, found)}."
            f" Going on with the sealed files; to start anew: {run.command('build', '--rebuild')}"
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


def _make(run: Run, found: Source, staging: Path) -> Made:
    """Build into `staging`, and return how. Raises ToolFailed, ToolStuck, SdistNeedsGit, BuildOdd and BadArchive."""
    run.say(f"building {', '.join(reversed(run.config.archives))} of {_described(found, run.config)}")
    if dropped := environment.dropped(os.environ, run.config.build_env):
        run.say(f"not handed to the build (`build-env` in [tool.seatrial] lets more through): {', '.join(dropped)}")
    with run.scratch() as scratch:
        tree = source.check_out(found, scratch / "checkout", in_place=run.config.in_place)
        product = make(Job(run, run.config, found.epoch, staging, scratch), tree)
    return Made(_tools(), product)


def _described(found: Source, config: Config) -> str:
    if found.commit is None or config.in_place:
        return "a copy of the working tree" + (" (in-place)" if found.commit else " (no git here)")
    return f"commit {found.commit[:12]}" + (f" ({', '.join(found.tags)})" if found.tags else "")


def _tools() -> tuple[Tool, ...]:
    lock = Path(__file__).with_name("requirements") / "build.txt"
    pinned = next(line for line in lock.read_text(encoding="utf-8").splitlines() if line.startswith("build=="))
    version = pinned.partition("==")[2].split()[0]
    return (Tool("seatrial", VERSION), Tool("build", version), Tool("python", platform.python_version()))


def _take(folder: Path, staging: Path, dist: Path) -> Made:
    """Copy the distributions in `folder` to `staging`. Raises NothingToTake."""
    for path in wheelhouse.files(folder, dist):
        shutil.copy2(path, staging / path.name)
    return Made((Tool("seatrial", VERSION), Tool("--from", folder.name)), Product())


def _stop_unless_one_release(run: Run, archives: Sequence[Archive]) -> None:
    """Raise what is wrong with `archives` as one release; name the modules of taken wheels that are of another."""
    if not run.options.taken_from:
        _one_release(archives, run.config)
        return
    wheelhouse.stop_unless_one_release(run.options.taken_from, archives, run.config.archives)
    if found := wheelhouse.unlike(archives):
        run.say("warning: these modules are not as in the sdist. Were all files built from the same commit?")
        run.say(shortened([f"{name} (in {_some(wheels)})" for name, wheels in found.items()]).lstrip("\n"))


def _some(wheels: Sequence[str]) -> str:
    return wheels[0] if len(wheels) == 1 else f"{len(wheels)} wheels"


def _one_release(archives: Sequence[Archive], config: Config) -> None:
    """Raise BuildOdd unless `archives` are one project in one version, and the kinds that were asked for."""
    names = tuple(archive.path.name for archive in archives)
    if len({canonicalize_name(archive.name) for archive in archives}) > 1:
        raise BuildOdd("its files are of more than one project:", names)
    if len({archive.version for archive in archives}) > 1:
        raise BuildOdd("its files are of more than one version:", names)
    if missing := set(config.archives) - {archive.kind for archive in archives}:
        raise BuildOdd(f"there is no {' and no '.join(sorted(missing))} among its files:", names)


def _record_of(run: Run, found: Source, fingerprint: str, archives: Sequence[Archive], made: Made) -> Built:
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
        matrix=run.config.cells,
        release_with=run.config.release_with,
    )


def _put(run: Run, built: Built, staging: Path) -> None:
    """Move the new files into dist, whatever else lies there aside, and write the record last."""
    run.record.dist.mkdir(parents=True, exist_ok=True)
    stale = tuple(sorted(path.name for path in run.record.dist.iterdir()))
    aside = run.record.move_aside(stale)
    if aside and stale:
        run.say(f"moved aside what lay in {run.record.dist.name}/, to {aside}:{listing(stale)}")
    elif aside:
        run.say(f"moved the old record aside, to {aside}")
    for dist in built.dists:
        (staging / dist.filename).replace(run.record.dist / dist.filename)
    run.record.write(built)


def _tell(run: Run, built: Built, found: Source) -> None:
    run.say(f"built {built.project} {built.version} in {run.record.dist}:")
    run.say(report.files(built.dists))
    for one in built.normalised:
        run.say(f"  {one.filename} was normalised: its members are as the backend wrote them, times and owners are not")
    if found.dirty:
        inside = "they are part of the files (in-place)" if run.config.in_place else "they are NOT part of the files"
        run.say(f"the tree has changes that are not committed; {inside}, which only `dryrun` will rehearse:")
        run.say(shortened(found.changed).lstrip("\n"))
