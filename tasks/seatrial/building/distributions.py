"""The distributions of a source tree: its sdist, and the wheel of that sdist.

The wheel is built as packagers do it, without git and without network. Where that fails it is built again with both in
reach, and what it asked for is recorded.
"""

from __future__ import annotations

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field, replace
from typing import TYPE_CHECKING

from seatrial.building.frontend import BuildFailed, build_one, temporary
from seatrial.building.isolation import Reach, seclusion, unpack, workplace
from seatrial.building.normalise import normalise
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.release.archives import Archive
from seatrial.release.filenames import tags_of
from seatrial.trial import interpreters

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.building.frontend import Job, Output
    from seatrial.project.settings import Settings
    from seatrial.release.stages import BuildEnvironment, Normalised

COMPILED = (".c", ".cc", ".cpp", ".cxx", ".f", ".f90", ".go", ".pyx", ".rs")
BESIDE = frozenset("test tests testing doc docs example examples template templates benchmark benchmarks".split())
QUICK = 60.0  # seconds; what takes longer to compile is not compiled twice


class SdistNeedsGit(ReleaseError):
    sdist: str
    call: str
    output: str

    what = "The wheel cannot be built from {e.sdist}: its build calls `git {e.call}`. Its output:{e.output:quoted}"
    cause = (
        "a version or a list of files that is read from git. An unpacked sdist is no repository, and those who build"
        " it (pip, Linux distributions, conda-forge) often have no git. If the output is about something else, that"
        " is the cause."
    )
    cure = (
        "let the sdist carry what git said: setuptools-scm, hatch-vcs, pbr and uv-dynamic-versioning take the version"
        " from the PKG-INFO in it, versioneer needs its `cmdclass` in setup.py, and code of your own can write a file"
        " when the sdist is made. Then run `{run[build]}` again; dist/ and the record are unchanged."
    )


class Product(Value):
    """The sdist that was written anew, the files that got lost in it, what its build asked for, all environments."""

    normalised: tuple[Normalised, ...] = ()
    lacking: tuple[str, ...] = ()
    reach: Reach = field(default_factory=Reach)
    environments: tuple[BuildEnvironment, ...] = ()


def make(job: Job, tree: Path, sdist: Output | None = None, *, compare: bool = True) -> Product:
    """Build the archives that are asked for out of `tree`, the wheel from the `sdist`, which may be there already.

    With `compare` a wheel of `tree` itself is built too, to see what the sdist does not hand on. Raises BuildFailed,
    ToolStuck, SdistNeedsGit, LeadsOut, BuildOdd and BadArchive.
    """
    sdist = sdist or build_one(job, "sdist", tree)
    has_sources = _has_sources(Archive.open(sdist.path))
    normalised = normalise(sdist.path, job.epoch) if job.settings.normalise and job.epoch is not None else None
    reach, lacking = Reach(), tuple[str, ...]()
    environments: tuple[BuildEnvironment, ...] = (sdist.environment,)
    if "wheel" in job.settings.archives:
        with workplace(temporary(), job.scratch / "src") as place:
            if compare:
                wheel, reach, lacking = _compared(job, tree, sdist, place, has_sources=has_sources)
            else:
                wheel, reach = wheel_of(job, sdist, place)
            is_compiled = has_sources and not _is_pure(wheel.path)
            if is_compiled and compare:
                job.screen.say(f"{sdist.path.name} contains code to compile. {compilations(job.settings, job.uv)}")
            if is_compiled and place.parent == job.scratch:
                job.screen.say("the usual folder is in use: compiled files may differ from those of another build")
        environments += (wheel.environment,)
    if "sdist" not in job.settings.archives:
        sdist.path.unlink()
        normalised = None
    return Product((normalised,) if normalised else (), lacking, reach, environments)


def _has_sources(sdist: Archive) -> bool:
    """Whether `sdist` has what may be compiled, tests and the like left out; only the wheel shows whether it is."""
    sources = (member.name for member in sdist.members if member.name.endswith(COMPILED))
    return any(BESIDE.isdisjoint(name.split("/")[:-1]) for name in sources)


def _is_pure(wheel: Path) -> bool:
    return any(tag.platform == "any" for tag in tags_of(wheel.name))


def _compared(
    job: Job, tree: Path, sdist: Output, place: Path, *, has_sources: bool
) -> tuple[Output, Reach, tuple[str, ...]]:
    """Build the wheel of `sdist`; return also which files a wheel of `tree` has in addition."""
    over, start = threading.Event(), time.monotonic()
    with ThreadPoolExecutor(1) as beside:
        try:
            # At the same time, unless something may be compiled: a compiler takes all of a machine.
            of_tree = None if has_sources else beside.submit(_contents_of_tree, job, tree, sdist, over)
            wheel, reach = wheel_of(job, sdist, place)
            if of_tree is None and not _is_pure(wheel.path) and time.monotonic() - start > QUICK:
                job.screen.say(
                    "  not compared with a wheel of the checkout, since it takes more than a minute to compile"
                )
                return wheel, reach, ()
            found = of_tree.result() if of_tree else _contents_of_tree(job, tree, sdist, over)
            return wheel, reach, tuple(sorted(found - _contents(wheel.path)))
        finally:
            over.set()  # whatever ends this build ends the other one, too


def wheel_of(job: Job, sdist: Output, place: Path) -> tuple[Output, Reach]:
    """Build the wheel of `sdist` in `place` without git and network, and again with both where it asked for them.

    Return it and what it asked for. Raises BuildFailed, ToolStuck, SdistNeedsGit, LeadsOut and BuildOdd.
    """
    before = set(job.out.iterdir())
    with seclusion(job.scratch / "secluded") as apart:
        try:
            wheel = build_one(job, "wheel", unpack(sdist.path, place), shared=sdist.shared, apart=apart)
        except BuildFailed:
            if not apart.reach:
                raise
        else:
            if not apart.reach.hosts:
                return wheel, Reach()  # a call of git that did not matter
        reach = apart.reach
    for path in set(job.out.iterdir()) - before:
        path.unlink()  # without what it asked for it may lack something
    name = sdist.path.name
    job.screen.say(f"the build of the wheel from {name} asked for {reach}: building it again with that in reach")
    shutil.rmtree(place)
    place.mkdir()
    try:
        return build_one(job, "wheel", unpack(sdist.path, place), shared=sdist.shared), reach
    except BuildFailed as failed:
        if not reach.git:
            raise
        raise SdistNeedsGit(sdist.path.name, reach.git[-1], failed.output) from None


def compilations(settings: Settings, uv: str | None) -> str:
    """Say how often the code of a wheel is compiled, here, up to the end of `verify`; and which settings choose less.

    `uv` is its program, None where that is not installed.
    """
    pythons = interpreters.here((cell.python for cell in settings.cells if cell.kind == "sdist"), uv)
    times = ["1 for the wheel", f"1 to compare it with the checkout, unless it takes more than {QUICK:.0f} seconds"]
    if pythons:
        times.append(f"{len(pythons)} in `verify`, of the sdist on Python {', '.join(pythons)}")
    less = "`sdist-pythons` and `archives` in [tool.seatrial] reduce this."
    return f"It is compiled this often: {'; '.join(times)}. {less}"


def _contents_of_tree(job: Job, tree: Path, sdist: Output, over: threading.Event) -> set[str]:
    """Return what the wheel of `tree` itself installs; nothing where it cannot be built, or when it is `over`."""

    def stop(_: float) -> None:
        if over.is_set():
            raise InterruptedError

    apart = replace(job, out=job.scratch / "beside", scratch=job.scratch / "beside-scratch")
    apart.out.mkdir()
    apart.scratch.mkdir()
    try:
        return _contents(build_one(apart, "wheel", tree, shared=sdist.shared, watch=stop).path)
    except (ReleaseError, InterruptedError):
        return set()


def _contents(wheel: Path) -> set[str]:
    members = (member.name for member in Archive.open(wheel).members)
    return {name for name in members if ".dist-info/" not in name}
