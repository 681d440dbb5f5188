"""The build frontend: one archive of one tree, built in a process of its own (`backend`), with no secret in reach.

Build requirements are resolved once: the later builds of a run share the environment of the first where they require
exactly the same, and where that build left it as it was.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import secrets
import sys
import sysconfig
import tempfile
from dataclasses import asdict, field
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.building.backend import Request, Shared
from seatrial.building.isolation import NAME, fixed_environment
from seatrial.machine import variables
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.machine.worker import Worker, Workers
from seatrial.release.stages import BuildEnvironment, Dist, Installed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.building.isolation import Seclusion
    from seatrial.machine.process import OnWait
    from seatrial.machine.screen import Screen
    from seatrial.project.settings import Settings
    from seatrial.release.stages import Kind

LACKING: dict[Kind, str] = {
    "sdist": "a file that only the working tree has (the build sees what is committed)",
    "wheel": "a file that is not in the sdist (the wheel is built from that alone)",
}
PROGRAM = (sys.executable, "-I", "-m", "seatrial.building.backend")


class BuildFailed(ReleaseError):
    """`uncommitted` is a sentence on changes that are not part of the build, which may be what it lacks."""

    kind: Kind
    code: int
    output: str
    uncommitted: str = ""

    what = "The build of the {e.kind} failed (exit code {e.code}). Its output:{e.output:quoted}"
    cause = "{e.usual}"
    cure = "correct it and run `{run[build]}` again; dist/ and the record are unchanged."

    @property
    def usual(self) -> str:
        if os.strerror(errno.ENOSPC) in self.output:  # in the words of this system, as Python says it
            return f"a full disk: that of the folder for temporary files ({temporary()}), or of the project."
        causes = "an error in the project's configuration or in its build backend; a build requirement that does not"
        return f"{causes} exist; {LACKING[self.kind]}. {self.uncommitted}".rstrip()


class BuildOdd(ReleaseError):
    reason: str
    files: tuple[str, ...]

    what = "The build succeeded, but {e.reason}{e.files:listed}"
    cause = "the build backend's configuration, or a version that is computed again for each file."
    cure = "run `python -m build` by hand and look at what it writes. The old files in dist/ were not touched."


def builders() -> Workers:
    """Return programs that build, one archive at a time each; every request says in which environment."""
    env = variables.for_build(os.environ) | fixed_environment(None)
    return Workers(lambda: Worker(PROGRAM, env=env, cwd=temporary()))


class Job(Value):
    """What is to be built: into the folder `out`, as at `epoch`, by `settings`; `screen` shows what is done.

    `epoch` is SOURCE_DATE_EPOCH in seconds, None for the clock of this machine. `uv` is its program, None where pip
    installs the build requirements. `uncommitted` is a sentence on changes that are not part of the build. `limits` are
    variables that narrow which build requirements are chosen, in place of this machine's own index settings. `python`
    is another Python to build with than the one that runs us, `umask` another umask than the usual one. `builders` are
    the programs that do it; `meanwhile` is what to do while the sdist is built.
    """

    settings: Settings
    epoch: int | None
    out: Path
    scratch: Path
    screen: Screen
    uv: str | None = None
    uncommitted: str = ""
    limits: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    umask: int = 0o022
    builders: Workers = field(default_factory=builders)
    meanwhile: Callable[[], None] | None = None

    @property
    def env(self) -> dict[str, str]:
        """The environment of the build: no secret, what makes it repeatable, and no git repository from outside."""
        env = variables.for_build(os.environ, self.settings.build_env) | fixed_environment(self.epoch)
        if self.limits:
            env = {name: value for name, value in env.items() if name not in variables.INDEXES} | dict(self.limits)
        env["GIT_CEILING_DIRECTORIES"] = os.pathsep.join((str(self.scratch), str(temporary() / NAME)))
        return env | ({"UV": self.uv} if self.uv else {})  # where `build` looks for it


def temporary() -> Path:
    """Return the folder for temporary files."""
    return Path(tempfile.gettempdir()).resolve()


class Output(Value):
    """An archive, what it was built in, and that environment for the next build, if it is as it was made."""

    path: Path
    environment: BuildEnvironment
    shared: Shared | None


def build_one(
    job: Job,
    kind: Kind,
    tree: Path,
    *,
    shared: Shared | None = None,
    apart: Seclusion | None = None,
    watch: OnWait | None = None,
) -> Output:
    """Build the archive `kind` of `tree`: in the environment `shared` where that fits, the backend set `apart`.

    `watch` is called every second in place of signs of life. Raises BuildFailed, ToolStuck and BuildOdd.
    """
    before = set(job.out.iterdir())
    if watch is None:  # else it is built beside another
        job.screen.doing(f"building the {kind}")
    request = _request(job, kind, tree, shared, apart)

    def meanwhile() -> None:
        """Use the time of the first build, which leaves all but one core idle."""
        if "wheel" in job.settings.archives:
            job.builders.start()
        if job.meanwhile:
            job.meanwhile()

    outcome = job.builders.ask(
        json.dumps(asdict(request)).encode(),
        end=request.end.encode(),
        name=f"build the {kind} of {tree.name}",
        time_limit=job.settings.build_timeout,
        on_wait=watch or (lambda seconds: job.screen.detail(f"still building the {kind} ({seconds:.0f} s)")),
        every=1.0 if watch else None,
        meanwhile=meanwhile if kind == "sdist" else None,
    )
    output, ended, code = outcome.output.rpartition(request.end)
    if not ended:  # a program that does not say how it ended has failed, whatever its own code is
        output, code = outcome.output, str(outcome.code or 1)
    job.screen.detail(f"build the {kind} of {tree.name}\n{output}")
    if int(code) != 0:
        raise BuildFailed(kind, int(code), output, job.uncommitted)
    return _output(job, request, sorted(set(job.out.iterdir()) - before))


def _request(job: Job, kind: Kind, tree: Path, shared: Shared | None, apart: Seclusion | None) -> Request:
    """Return what a builder is asked, with a word of its own for the end of the answer."""
    return Request(
        kind=kind,
        env=job.env,
        scratch=str(job.scratch),
        tree=str(tree),
        out=str(job.out),
        report=str(job.scratch / f"{kind}.json"),
        environment=tempfile.mkdtemp(prefix="environment-", dir=job.scratch),
        installer="uv" if job.uv else "pip",
        shared=shared,
        variables=apart.settings if apart else {},
        first=str(apart.folder) if apart else None,
        python=job.python,
        umask=job.umask,
        end=secrets.token_hex(),
    )


def _output(job: Job, request: Request, paths: list[Path]) -> Output:
    """Return the one file among `paths`, which a build has added. Raises BuildOdd unless it is what was reported."""
    report = json.loads(Path(request.report).read_text(encoding="utf-8"))
    written = {(path.name, Dist.from_file(path).sha256) for path in paths}
    if written != {(report["file"], report["sha256"])}:
        names = tuple(sorted({report["file"], *(path.name for path in paths)}))
        raise BuildOdd("what it reports is not the one file it wrote:" if paths else "it wrote no file.", names)
    shared = Shared(**report["environment"])
    there = tuple(Installed(name, version, sha256=shared.hashes.get(name)) for name, version in report["distributions"])
    flags = tuple(f"{name}={value}" for name, value in sorted(job.env.items()) if name in variables.COMPILERS)
    python = (platform.python_version(), sysconfig.get_platform())
    environment = BuildEnvironment(request.kind, *python, request.installer, there, flags)
    return Output(paths[0], environment, shared if report["is_unchanged"] else None)
