"""The build frontend at work: the sdist of a tree, and the wheel of that sdist, each by a run of `build`."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import environment, process
from .archives import Archive
from .errors import BuildOdd, ReleaseError, ToolFailed
from .normalise import normalise
from .stages import Dist
from .workplace import NAME, unpack, workplace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .config import Config
    from .run import Run
    from .stages import Kind, Normalised

LACKING: dict[Kind, str] = {
    "sdist": "a file that only the working tree has (the build sees what is committed)",
    "wheel": "a file that is not in the sdist (the wheel is built from that alone)",
}


COMPILED = (".c", ".cc", ".cpp", ".cxx", ".f", ".f90", ".go", ".pyx", ".rs")


@dataclass(frozen=True)
class Job:
    """What is to be built: into the folder `out`, as at `epoch`, by the settings in `config`."""

    run: Run
    config: Config
    epoch: int
    out: Path
    scratch: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment of the build: no secret, what makes it repeatable, and no git repository from outside."""
        env = environment.for_build(os.environ, self.config.build_env) | fixed_environment(self.epoch)
        outside = (str(self.scratch), str(temporary() / NAME))
        env |= {"GIT_CEILING_DIRECTORIES": os.pathsep.join(outside)}
        return env | ({"UV": self.run.uv} if self.run.uv else {})  # where `build --installer uv` looks for it


def temporary() -> Path:
    """Return the folder for temporary files."""
    return Path(tempfile.gettempdir()).resolve()


@dataclass(frozen=True)
class Product:
    """What came of a build: the sdist that was written anew, and the files that got lost on the way through it."""

    normalised: tuple[Normalised, ...] = ()
    lacking: tuple[str, ...] = ()


def make(job: Job, tree: Path, *, compare: bool = True) -> Product:
    """Build the archives that are asked for out of `tree`, the wheel from the sdist.

    With `compare` a wheel of `tree` itself is built beside it, to see what the sdist does not hand on. Raises
    ToolFailed, ToolStuck, BuildOdd and BadArchive.
    """
    sdist = build_one(job, "sdist", tree)
    compare = compare and _is_pure(Archive.open(sdist))
    normalised = normalise(sdist, job.epoch) if job.config.normalise else None
    lacking = _make_wheel(job, tree if compare else None, sdist) if "wheel" in job.config.archives else ()
    if "sdist" not in job.config.archives:
        sdist.unlink()
        return Product((), lacking)
    return Product((normalised,) if normalised else (), lacking)


def _make_wheel(job: Job, tree: Path | None, sdist: Path) -> tuple[str, ...]:
    """Build the wheel of `sdist`; return which files a wheel of `tree`, built beside it, has more."""
    over = threading.Event()
    with workplace(temporary(), job.scratch / "src") as place, ThreadPoolExecutor(1) as beside:
        if place.parent == job.scratch:
            job.run.say("the usual folder is in use: compiled files may differ from those of another build")
        of_tree = beside.submit(_contents_of_tree, job, tree, over) if tree else None
        try:
            wheel = build_one(job, "wheel", unpack(sdist, place))
            return tuple(sorted(of_tree.result() - _contents(wheel))) if of_tree else ()
        finally:
            over.set()  # whatever ends this build ends the other one, too


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
    run, written = job.run, job.scratch / f"{kind}.json"
    before = set(job.out.iterdir())
    argv = build_command(str(run.tools("build")), kind, str(tree), str(job.out), str(written), uv=bool(run.uv))
    outcome = process.run(
        argv,
        env=job.env,
        cwd=job.scratch,
        time_limit=job.config.build_timeout,
        on_wait=watch or (lambda seconds: run.say(f"still building the {kind} ({seconds:.0f} s)")),
        every=1.0 if watch else None,
    )
    if outcome.code != 0:
        raise ToolFailed(
            f"The build of the {kind}",
            outcome.code,
            outcome.output,
            "an error in the project's configuration or in its build backend; a build requirement that does not"
            f" exist; {LACKING[kind]}.",
            f"correct it and run `{run.command('build')}` again; dist/ and the record are as they were.",
        )
    return _reported(sorted(set(job.out.iterdir()) - before), written)


def build_command(python: str, kind: Kind, tree: str, out: str, written: str, *, uv: bool) -> process.Argv:
    """Return the command line of `build` for one archive of the folder `tree`."""
    installer = ("--installer", "uv") if uv else ()
    return (python, "-I", "-m", "build", f"--{kind}", *installer, "--report", written, "--outdir", out, tree)


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
