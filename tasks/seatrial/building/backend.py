"""Build one archive in a process of its own: ``python -I -m seatrial.building.backend``.

Each line of standard input is a JSON document that says what to build, a `Request`. It does what ``python -m build``
does (PEP 517, PEP 518), by its API, with two differences: some variables are set for the backend's hooks alone, and an
environment that an earlier build has made is used again where this one requires exactly the same. The last line of an
answer is the word that the request demands, which no hook knows, and 0 where archive and report are written.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import logging
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from seatrial.project.pythons import BARE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from build import ProjectBuilder
    from build.env import DefaultIsolatedEnv, IsolatedEnv

    from seatrial.release.stages import Kind


@dataclass(frozen=True)
class Shared:
    """An environment that a build of this run has made: its folder, its Python, and what it was made for.

    `hashes` are the sha256 of what was downloaded, by the name of the distribution, as far as the installer says them.
    """

    folder: str
    python: str
    requirements: list[str]
    hashes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What to build: the archive `kind` of the folder `tree`, into the folder `out`.

    All that is run for it gets the variables `env`, and no other, and is run in the folder `scratch`. A new build
    environment is made in the folder `environment`, unless `shared` is one that fits. `variables` are set for the
    backend's hooks alone, and the folder `first` stands first on their PATH. `report` is where the answer goes.
    `python` is the Python of the environment, empty for the one that runs us; `umask` that of what the hooks write.
    `end` begins the last line of the answer.
    """

    kind: Kind
    env: Mapping[str, str]
    scratch: str
    tree: str
    out: str
    report: str
    environment: str
    installer: Literal["pip", "uv"] = "pip"
    shared: Shared | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    first: str | None = None
    python: str = ""
    umask: int = 0o022
    end: str = "end"

    @classmethod
    def read(cls, line: str | bytes) -> Request:
        """Return the request in the JSON document `line`."""
        document = json.loads(line)
        shared = document.pop("shared", None)
        return cls(**document, shared=Shared(**shared) if shared else None)


class Reused:
    """The environment of an earlier build, as `build` wants it (`build.env.IsolatedEnv`)."""

    def __init__(self, python: str) -> None:
        self.python_executable = python

    def make_extra_environ(self) -> Mapping[str, str]:
        """Return what `build.env.DefaultIsolatedEnv` sets: its programs first on PATH, and no PYTHONPATH."""
        path = [str(Path(self.python_executable).parent), *filter(None, [os.environ.get("PATH")])]
        return {"PATH": os.pathsep.join(path), "PYTHONPATH": ""}


class Chosen(Reused):
    """A new environment of another Python than the one that runs us, which is all that `build` makes some of."""

    def __init__(self, request: Request) -> None:
        self.uv = os.environ["UV"] if request.installer == "uv" else ""
        flags = ("--quiet", "--no-python-downloads") if self.uv else ("--quiet", "--no-periodic-update", *BARE)
        maker = (self.uv, "venv") if self.uv else (sys.executable, "-I", "-m", "virtualenv")
        subprocess.run([*maker, *flags, "--clear", "--python", request.python, request.environment], check=True)
        python = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
        super().__init__(str(Path(request.environment, *python)))

    def install(self, requirements: Iterable[str]) -> None:
        """Install the build `requirements`."""
        uv = (self.uv, "pip", "install", "--python", self.python_executable)
        pip = (self.python_executable, "-Im", "pip", "install", "--use-pep517", "--no-compile", "--no-input")
        if wanted := sorted(requirements):
            subprocess.run([*(uv if self.uv else pip), *wanted], check=True)


def main() -> None:
    """Answer what is asked on standard input, until that ends."""
    importlib.import_module("build.env")  # before there is something to do
    logging.basicConfig(level=logging.INFO, format="* %(message)s", stream=sys.stdout)
    place = Path.cwd()
    for line in sys.stdin:
        request = Request.read(line)
        os.environ.clear()
        os.environ.update(request.env)
        os.chdir(request.scratch)
        code = answer(request)
        os.chdir(place)  # Windows does not remove the folder of a program that runs
        sys.stdout.write(f"{request.end} {code}\n")
        sys.stdout.flush()


def answer(request: Request) -> int:
    """Build what `request` says, write the report, and return 0; say what failed, and return 1."""
    from build import BuildBackendException, BuildException, FailedProcessError  # noqa: PLC0415 (Request needs none)

    os.umask(request.umask)
    try:
        environment = _environment(request)
        before = _installed(environment.folder)
        path = Path(_builder(request, environment).build(request.kind, request.out))
    except subprocess.CalledProcessError as error:  # its output is logged
        sys.stdout.write(f"ERROR {Path(error.cmd[0]).name} ended with exit code {error.returncode}\n")
        return 1
    except (BuildException, BuildBackendException, FailedProcessError) as error:
        sys.stdout.write(f"ERROR {error}\n")
        return 1
    report = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "environment": vars(environment),
        "is_unchanged": before == _installed(environment.folder),
        "distributions": before,
    }
    Path(request.report).write_text(json.dumps(report), encoding="utf-8")
    return 0


def _environment(request: Request) -> Shared:
    """Return the shared environment if this build requires exactly what it was made for, else a new one."""
    from build.env import DefaultIsolatedEnv  # noqa: PLC0415 (as in main)

    if shared := request.shared:
        builder, there = _builder(request, shared), set(shared.requirements)
        static = builder.build_system_requires
        if static <= there and static | builder.get_requires_for_build(request.kind) == there:
            return shared
    environment: Chosen | DefaultIsolatedEnv
    if request.python:
        environment = Chosen(request)
    else:
        environment = DefaultIsolatedEnv(installer=request.installer, path=request.environment)
        environment.__enter__()  # whoever asked deletes the folder: another build may use it
    builder = _builder(request, environment)
    static = builder.build_system_requires
    hashes = _install(request, environment, static)
    dynamic = builder.get_requires_for_build(request.kind)
    hashes |= _install(request, environment, dynamic)
    return Shared(request.environment, environment.python_executable, sorted(static | dynamic), hashes)


def _builder(request: Request, environment: Shared | IsolatedEnv) -> ProjectBuilder:
    from build import ProjectBuilder  # noqa: PLC0415 (as in main)

    isolated = Reused(environment.python) if isinstance(environment, Shared) else environment
    runner = partial(run_hook, request.variables, request.first)
    return ProjectBuilder.from_isolated_env(isolated, request.tree, runner=runner)


def run_hook(
    variables: Mapping[str, str],
    first: str | None,
    command: Sequence[str],
    cwd: str | None = None,
    extra_environ: Mapping[str, str] | None = None,
) -> None:
    """Run a hook of the backend, as `pyproject_hooks` calls it. Raises CalledProcessError."""
    env = {**os.environ, **(extra_environ or {}), **variables}
    if first:
        env["PATH"] = os.pathsep.join([first, env["PATH"]])
    sys.stdout.flush()
    subprocess.run(command, cwd=cwd, env=env, check=True)


def _install(request: Request, environment: Chosen | DefaultIsolatedEnv, requirements: set[str]) -> dict[str, str]:
    """Install `requirements`; return the sha256 of what pip downloaded, by distribution. uv does not tell."""
    report, found = Path(request.report).with_suffix(".pip.json"), {}
    report.unlink(missing_ok=True)  # of a build before this one
    if request.installer == "pip":
        os.environ["PIP_REPORT"] = str(report)
    try:
        environment.install(requirements)
    finally:
        os.environ.pop("PIP_REPORT", None)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # an older pip writes none
        for item in json.loads(report.read_text(encoding="utf-8"))["install"]:
            found[item["metadata"]["name"]] = item["download_info"]["archive_info"]["hashes"]["sha256"]
    return found


def _installed(folder: str) -> list[tuple[str, str]]:
    """Return name and version of each distribution in the environment in `folder`."""
    scheme = "venv" if "venv" in sysconfig.get_scheme_names() else "nt" if os.name == "nt" else "posix_prefix"
    paths = sysconfig.get_paths(scheme, vars={"base": folder, "platbase": folder})
    of_others = map(str, Path(folder).glob("lib/python*/site-packages"))
    places = list(dict.fromkeys((paths["purelib"], paths["platlib"], *of_others)))
    return sorted({(dist.name, dist.version) for dist in metadata.distributions(path=places) if dist.name})


if __name__ == "__main__":
    main()
