"""The build frontend at work: the sdist of a tree, and the wheel of that sdist, each by a run of `build`.

The wheel is built as packagers do it, without git and without network. Where that does not go it is built again with
both in reach, and what it asked for is told.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.building.folder import NAME, unpack, workplace
from seatrial.building.isolation import Reach, seclusion
from seatrial.building.normalise import normalise
from seatrial.machine import process, variables
from seatrial.machine.errors import ReleaseError
from seatrial.machine.process import ToolFailed
from seatrial.release.archives import Archive
from seatrial.release.stages import Dist

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.building.isolation import Seclusion
    from seatrial.project.context import Context
    from seatrial.project.settings import Settings
    from seatrial.release.stages import Kind, Normalised

LACKING: dict[Kind, str] = {
    "sdist": "a file that only the working tree has (the build sees what is committed)",
    "wheel": "a file that is not in the sdist (the wheel is built from that alone)",
}


HOOKS = Path(__file__).with_name("hooks.py")
COMPILED = (".c", ".cc", ".cpp", ".cxx", ".f", ".f90", ".go", ".pyx", ".rs")
QUICK = 60.0  # seconds; what takes longer to compile is not compiled twice


@dataclass(eq=False)
class BuildOdd(ReleaseError):
    reason: str
    files: tuple[str, ...]

    what = "The build ended well, but {e.reason}{e.files:listed}"
    cause = "the build backend's configuration, or a version that is computed anew for each file."
    cure = "run `python -m build` by hand and look at what it writes. The old files in dist/ were not touched."


@dataclass(eq=False)
class SdistNeedsGit(ReleaseError):
    sdist: str
    call: str
    output: str
    command: str

    what = "The wheel cannot be built from {e.sdist}: its build calls `git {e.call}`. Its own words:{e.output:quoted}"
    cause = (
        "a version or a list of files that is read from git. An unpacked sdist is no repository, and those who build"
        " it (pip, Linux distributions, conda-forge) often have no git. If the words above are of something else, that"
        " is the cause."
    )
    cure = (
        "let the sdist carry what git said: setuptools-scm, hatch-vcs, pbr and uv-dynamic-versioning take the version"
        " from the PKG-INFO in it, versioneer needs its `cmdclass` in setup.py, and code of your own can write a file"
        " when the sdist is made. Then run `{e.command}` again; dist/ and the record are as they were."
    )


@dataclass(frozen=True)
class Job:
    """What is to be built: into the folder `out`, as at `epoch`, by the settings in `settings`."""

    context: Context
    settings: Settings
    epoch: int
    out: Path
    scratch: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment of the build: no secret, what makes it repeatable, and no git repository from outside."""
        env = variables.for_build(os.environ, self.settings.build_env) | fixed_environment(self.epoch)
        outside = (str(self.scratch), str(temporary() / NAME))
        env |= {"GIT_CEILING_DIRECTORIES": os.pathsep.join(outside)}
        return env | ({"UV": self.context.uv} if self.context.uv else {})  # where `build --installer uv` looks for it


def temporary() -> Path:
    """Return the folder for temporary files."""
    return Path(tempfile.gettempdir()).resolve()


@dataclass(frozen=True)
class Product:
    """What came of a build.

    The sdist that was written anew, the files that got lost on the way through it, and what its own build asked for.
    """

    normalised: tuple[Normalised, ...] = ()
    lacking: tuple[str, ...] = ()
    reach: Reach = field(default_factory=Reach)


def make(job: Job, tree: Path, *, compare: bool = True) -> Product:
    """Build the archives that are asked for out of `tree`, the wheel from the sdist.

    With `compare` a wheel of `tree` itself is built too, to see what the sdist does not hand on. Raises ToolFailed,
    ToolStuck, SdistNeedsGit, BuildOdd and BadArchive.
    """
    sdist = build_one(job, "sdist", tree)
    pure = _is_pure(Archive.open(sdist))
    normalised = normalise(sdist, job.epoch) if job.settings.normalise else None
    product = Product((normalised,) if normalised else ())
    if "wheel" in job.settings.archives:
        with _place(job) as place:
            make_wheel = (_compared_at_once if pure else _compared_later) if compare else _uncompared
            product = replace(product, **make_wheel(job, tree, sdist, place))
    if "sdist" not in job.settings.archives:
        sdist.unlink()
        product = replace(product, normalised=())
    return product


@contextlib.contextmanager
def _place(job: Job) -> Iterator[Path]:
    """Yield the folder to build a wheel in."""
    with workplace(temporary(), job.scratch / "src") as place:
        if place.parent == job.scratch:
            job.context.say("the usual folder is in use: compiled files may differ from those of another build")
        yield place


def _uncompared(job: Job, _: Path, sdist: Path, place: Path) -> dict[str, Any]:
    """Build the wheel of `sdist` and return what it reached for."""
    return {"reach": wheel_of(job, sdist, place)[1]}


def _compared_at_once(job: Job, tree: Path, sdist: Path, place: Path) -> dict[str, Any]:
    """Return also which files a wheel of `tree`, built beside it, has more."""
    over = threading.Event()
    with ThreadPoolExecutor(1) as beside:
        of_tree = beside.submit(_contents_of_tree, job, tree, over)
        try:
            wheel, reach = wheel_of(job, sdist, place)
            return {"reach": reach, "lacking": _lost(of_tree.result(), wheel)}
        finally:
            over.set()  # whatever ends this build ends the other one, too


def _compared_later(job: Job, tree: Path, sdist: Path, place: Path) -> dict[str, Any]:
    """Compare where something has to be compiled: one after the other, since a compiler takes all of a machine."""
    start = time.monotonic()
    wheel, reach = wheel_of(job, sdist, place)
    if time.monotonic() - start > QUICK:
        job.context.say("  not compared with a wheel of the checkout, since it takes more than a minute to compile")
        return {"reach": reach}
    return {"reach": reach, "lacking": _lost(_contents_of_tree(job, tree, threading.Event()), wheel)}


def _lost(of_tree: set[str], wheel: Path) -> tuple[str, ...]:
    return tuple(sorted(of_tree - _contents(wheel)))


def wheel_of(job: Job, sdist: Path, place: Path) -> tuple[Path, Reach]:
    """Build the wheel of `sdist` in `place` without git and network, and again with both where it asked for them.

    Return it and what it asked for. Raises ToolFailed, ToolStuck, SdistNeedsGit and BuildOdd.
    """
    before = set(job.out.iterdir())
    with seclusion(job.scratch / "secluded") as apart:
        outcome = _run(job, "wheel", unpack(sdist, place), apart)
        reach = apart.reach
    if outcome.code == 0 and not reach.hosts:
        return _product(job, "wheel", outcome, before), Reach()  # a call of git that did not matter
    if not reach:
        raise _failed(job, "wheel", outcome)
    for path in set(job.out.iterdir()) - before:
        path.unlink()  # without what it asked for it may lack something
    job.context.say(f"the build of the wheel from {sdist.name} asked for {reach}: building it again with that in reach")
    return _in_reach(job, sdist, place, reach), reach


def _in_reach(job: Job, sdist: Path, place: Path, reach: Reach) -> Path:
    shutil.rmtree(place)
    place.mkdir()
    try:
        return build_one(job, "wheel", unpack(sdist, place))
    except ToolFailed as failed:
        if not reach.git:
            raise
        raise SdistNeedsGit(sdist.name, reach.git[-1], failed.output, job.context.command("build")) from None


def _is_pure(sdist: Archive) -> bool:
    """Whether nothing in `sdist` has to be compiled, so that a second wheel is cheap."""
    return not any(member.name.endswith(COMPILED) for member in sdist.members)


def _contents_of_tree(job: Job, tree: Path, over: threading.Event) -> set[str]:
    """Return what the wheel of `tree` itself installs; nothing where it cannot be built, or when it is `over`."""

    def stop(_: float) -> None:
        if over.is_set():
            raise InterruptedError

    apart = replace(job, out=job.scratch / "beside", scratch=job.scratch / "beside-scratch")
    apart.out.mkdir()
    apart.scratch.mkdir()
    try:
        return _contents(build_one(apart, "wheel", tree, stop))
    except (ReleaseError, InterruptedError):
        return set()


def _contents(wheel: Path) -> set[str]:
    members = (member.name for member in Archive.open(wheel).members)
    return {name for name in members if ".dist-info/" not in name}


def build_one(job: Job, kind: Kind, tree: Path, watch: process.OnWait | None = None) -> Path:
    """Build the archive `kind` of `tree` and return it; `watch` is called every second in place of signs of life.

    Raises ToolFailed, ToolStuck and BuildOdd.
    """
    before = set(job.out.iterdir())
    return _product(job, kind, _run(job, kind, tree, watch=watch), before)


def _run(
    job: Job, kind: Kind, tree: Path, apart: Seclusion | None = None, watch: process.OnWait | None = None
) -> process.Outcome:
    """Run `build` on `tree`, or our own way of it with the backend set `apart`."""
    context = job.context
    words = (str(tree), str(job.out), str(_report(job, kind)))
    argv = build_command(str(context.tools("build")), kind, *words, uv=bool(context.uv))
    return process.run(
        set_apart(argv, apart) if apart else argv,
        env=job.env,
        cwd=job.scratch,
        time_limit=job.settings.build_timeout,
        on_wait=watch or (lambda seconds: context.say(f"still building the {kind} ({seconds:.0f} s)")),
        every=1.0 if watch else None,
        log=True,
    )


def _report(job: Job, kind: Kind) -> Path:
    return job.scratch / f"{kind}.json"


def _product(job: Job, kind: Kind, outcome: process.Outcome, before: set[Path]) -> Path:
    """Return the one file that a build has added to those `before`. Raises ToolFailed and BuildOdd."""
    if outcome.code != 0:
        raise _failed(job, kind, outcome)
    return _reported(sorted(set(job.out.iterdir()) - before), _report(job, kind))


def _failed(job: Job, kind: Kind, outcome: process.Outcome) -> ToolFailed:
    return ToolFailed(
        f"The build of the {kind}",
        outcome.code,
        outcome.output,
        "an error in the project's configuration or in its build backend; a build requirement that does not"
        f" exist; {LACKING[kind]}.",
        f"correct it and run `{job.context.command('build')}` again; dist/ and the record are as they were.",
    )


def build_command(python: str, kind: Kind, tree: str, out: str, written: str, *, uv: bool) -> process.Argv:
    """Return the command line of `build` for one archive of the folder `tree`."""
    installer = ("--installer", "uv") if uv else ()
    return (python, "-I", "-m", "build", f"--{kind}", *installer, "--report", written, "--outdir", out, tree)


def set_apart(command: process.Argv, apart: Seclusion) -> process.Argv:
    """Return the command line that does the same as that of `build`, its backend in the surroundings `apart`."""
    python, isolated, _, _, *rest = command
    settings = [word for name, value in apart.settings.items() for word in ("--set", f"{name}={value}")]
    return (python, isolated, str(HOOKS), "--first", str(apart.folder), *settings, *rest)


def fixed_environment(epoch: int) -> dict[str, str]:
    """Return what makes a build repeatable: SOURCE_DATE_EPOCH (reproducible-builds.org), time zone, hash seed."""
    return {"SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC", "PYTHONHASHSEED": "0"}


def _reported(paths: Sequence[Path], written: Path) -> Path:
    """Return the one file among `paths`. Raises BuildOdd unless it is exactly what `build` reports in `written`."""
    artifacts = json.loads(written.read_text(encoding="utf-8"))["artifacts"]
    reported = {(item["name"], item["hashes"]["sha256"]) for item in artifacts}
    there = {(dist.filename, dist.sha256) for dist in map(Dist.from_file, paths)}
    if reported != there or len(paths) != 1:
        names = sorted({name for name, _ in reported | there})
        raise BuildOdd("what it reports is not the one file it wrote:" if names else "it wrote no file.", tuple(names))
    return paths[0]
