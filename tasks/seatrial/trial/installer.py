"""Virtual environments and what is installed into them, with uv or with pip: the same steps, the same proof.

Nothing of this machine's pip or uv settings takes part (see `machine.variables.for_install`), and every index is named.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import sys
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from seatrial.machine import process, temporary, toml, variables
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.project.context import Locks, Resolution
from seatrial.project.pythons import BARE
from seatrial.release.filenames import tags_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seatrial.index.indexes import Index
    from seatrial.release.stages import Dist

INSTALL_LIMIT = 3600.0  # seconds; an sdist may have to be compiled
# What a package without wheels is built from, which is one of these (PEP 751); the last three come from a URL.
LOCKED_KINDS = ("sdist", "archive", "vcs", "directory")


class InstallFailed(ReleaseError):
    subject: str
    code: int
    output: str

    what = "{e.subject} could not be installed (exit code {e.code}). The installer's output:{e.output:quoted}"
    cause = "a dependency or build requirement that does not exist or does not fit, or an index that does not answer."
    cure = "correct the requirements of the project; if the index did not answer, run the step again."


class Origin(Value):
    """Where the file of an installed distribution came from; `tags` of a wheel tell several of one version apart."""

    url: str
    sha256: str

    @property
    def tags(self) -> frozenset[str]:
        return frozenset(map(str, tags_of(self.url.rpartition("/")[2])))


Origins = dict[str, tuple[Origin, ...]]  # by normalised name


class Beside(Value):
    """A file of this disk to install wherever its project is required; `url` is where the file came from."""

    project: str
    version: str
    path: Path
    sha256: str
    url: str

    @property
    def line(self) -> str:
        """The constraint (a direct reference, PEP 508) with which an installer takes this file and no other."""
        return f"{self.project} @ {self.path.as_uri()}#sha256={self.sha256}"


class Venv(Value):
    """A virtual environment in the folder `root`."""

    root: Path

    @property
    def scripts(self) -> Path:
        return self.root / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        return self.scripts / ("python.exe" if os.name == "nt" else "python")

    @property
    def interpreter(self) -> str:
        """What `pyvenv.cfg` says of the interpreter, which environments made alike have in common; else the folder."""
        try:
            lines = (self.root / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return str(self.root)
        return "\n".join(line for line in lines if not line.startswith(("prompt", "command")))


class Installer(Value):
    """How to install: with the program `uv`, or with the environment's own pip where it is None.

    `index` is the simple repository that dependencies come from, `scratch` a folder for lists and reports. `told` says
    for a URL that was installed from what it is outside of this machine. Projects that are `beside` the subject,
    because they are released together with it, come from the files that are named there. `resolved` has the locks that
    uv has made, for whoever installs the same requirements with the same interpreter in the same step.
    """

    uv: str | None
    env: Mapping[str, str]
    scratch: Path
    index: str
    told: Callable[[str], str] = str
    beside: tuple[Beside, ...] = ()
    resolved: Locks = field(default_factory=dict)

    @classmethod
    def of(cls, uv: str | None, scratch: Path, dependencies: Index, resolved: Locks) -> Installer:
        """Return what installs released files as a stranger does, their dependencies from the index `dependencies`."""
        from seatrial.trial import relay  # noqa: PLC0415 (the server in it takes a while to load)

        index = relay.local(dependencies)
        env = variables.for_install(os.environ, relayed=bool(index.stands_for))
        return cls(uv, env, scratch, index.simple, functools.partial(relay.told, index=index), resolved=resolved)

    def create(self, root: Path, python: str | None, executable: str = "") -> Venv:
        """Make a fresh virtual environment for `python` (as `pythons` names it; None: the one that runs us).

        Where its `executable` is known, uv need not look at each Python of this machine.
        """
        wanted = executable or python or sys.executable
        if self.uv:
            argv: Sequence[str] = (self.uv, "venv", "--quiet", "--no-python-downloads", "--python", wanted, str(root))
        else:
            quiet = ("--quiet", "--no-periodic-update")
            argv = (sys.executable, "-I", "-m", "virtualenv", *quiet, *BARE, "--python", wanted, str(root))
        self._run(argv, f"A virtual environment for Python {python or 'of seatrial'}")
        return Venv(root)

    def from_index(self, venv: Venv, project: str, version: str, dists: tuple[Dist, ...], index: str) -> None:
        """Install the wheel of `dists` that fits, by its sealed hash, from `index` alone: no cache, no dependencies."""
        pins = " ".join(f"--hash=sha256:{dist.sha256}" for dist in dists)
        wanted = self.scratch / "release.txt"
        wanted.write_text(f"{project}=={version} {pins}\n", encoding="utf-8")
        # Without a cache uv refuses to make the links to it that UV_LINK_MODE may ask for.
        cache = ("--no-cache", "--link-mode", "copy") if self.uv else ("--no-cache-dir",)
        flags = ("--no-deps", "--require-hashes", "--only-binary", ":all:", *cache, "-r", str(wanted))
        self._pip(venv, f"{project} {version} from the index", "install", *self._from(index), *flags)

    def from_file(self, venv: Venv, path: Path, project: str) -> None:
        """Install the file at `path` without dependencies; what an sdist needs to be built comes from `self.index`.

        uv keeps the wheel that it builds of a file by the file's path, and takes it for another Python too; so it gets
        the file at a path that nothing else has.
        """
        if self.uv and path.parent != self.scratch:
            path = Path(shutil.copy2(path, self.scratch))
        fresh = ("--refresh-package", project) if self.uv else ("--no-cache-dir",)
        reference = f"{project} @ {path.as_uri()}"  # uv takes `#` in a path for the beginning of something else
        self._pip(venv, path.name, "install", *self._from(self.index), "--no-deps", *fresh, reference)

    def locked(self, venv: Venv, requirements: Path) -> None:
        """Install the tools that the file `requirements` locks by hash, from wherever the environment says."""
        self._pip(venv, requirements.name, "install", "--require-hashes", "-r", str(requirements))

    def dependencies(self, venv: Venv, requirements: Sequence[str], subject: str, version: str) -> Origins:
        """Install `requirements` (PEP 508, without markers) from `self.index` alone; return where each came from.

        The project `subject`, which is installed already, stays the version that it is, also where one of its
        dependencies asks for it.
        """
        if not requirements:
            return {}
        listed, source = self.scratch / "dependencies.txt", self._from(self.index)
        listed.write_text("".join(f"{line}\n" for line in requirements), encoding="utf-8")
        if self.beside:  # which is held to its files
            constraints = self.scratch / "beside.txt"
            constraints.write_text("".join(f"{one.line}\n" for one in self.beside), encoding="utf-8")
            source += ("--constraint", str(constraints))
        if self.uv:
            found = self._locked(venv, listed, source, subject)
        else:
            found = self._reported(venv, listed, source, f"{subject}=={version}")
        return {name: tuple(replace(one, url=self._told(one.url)) for one in many) for name, many in found.items()}

    def _told(self, url: str) -> str:
        """Return where what was installed from `url` came from; a file of this disk is one of those `beside`."""
        if url.startswith(("http:", "https:")):
            return self.told(url)
        name = unquote(url).replace("\\", "/").rpartition("/")[2]
        return next((one.url for one in self.beside if one.path.name == name), url)

    def check(self, venv: Venv) -> None:
        """Raise InstallFailed where requirements of what is installed are not met (``pip check``)."""
        self._pip(venv, "The set of installed distributions (pip check)", "check")

    def _locked(self, venv: Venv, listed: Path, source: tuple[str, ...], subject: str) -> Origins:
        """Resolve `listed` to a pylock.toml (PEP 751) and install exactly that: uv tells hashes in no other way."""
        lock = self.scratch / "pylock.toml"
        key = (venv.interpreter, listed.read_text(encoding="utf-8"), subject)
        resolution = Resolution() if self.beside else self.resolved.setdefault(key, Resolution())
        with resolution.turn:
            if resolution.lock:
                lock.write_text(resolution.lock, encoding="utf-8")
            else:
                resolve = (str(self.uv), "pip", "compile", "--quiet", "--format", "pylock.toml", "--no-header")
                target = ("--python", str(venv.python), "--no-emit-package", subject, "-o", str(lock))
                self._run((*resolve, *target, *source, str(listed)), "The dependencies")
                resolution.lock = lock.read_text(encoding="utf-8")
        self._pip(venv, "The dependencies", "install", *self._from(self.index), "-r", str(lock))
        origins: Origins = {}
        for package in toml.parse(resolution.lock).get("packages", []):
            files = package.get("wheels") or [package[kind] for kind in LOCKED_KINDS if kind in package]
            origins[canonicalize_name(package["name"])] = tuple(
                Origin(file.get("url") or file["path"], file.get("hashes", {}).get("sha256", "")) for file in files
            )
        return origins

    def _reported(self, venv: Venv, listed: Path, source: tuple[str, ...], pin: str) -> Origins:
        """Install `listed` with pip, and read its installation report."""
        report = self.scratch / "report.json"
        flags = ("--no-compile", "--report", str(report), "-r", str(listed))  # as uv: bytecode when it is needed
        self._pip(venv, "The dependencies", "install", *source, *flags, pin)
        origins: Origins = {}
        for item in json.loads(report.read_text(encoding="utf-8"))["install"]:
            info = item["download_info"]
            sha256 = info.get("archive_info", {}).get("hashes", {}).get("sha256", "")
            origins[canonicalize_name(item["metadata"]["name"])] = (Origin(info["url"], sha256),)
        return origins

    def _pip(self, venv: Venv, subject: str, command: str, *args: str) -> None:
        if self.uv:
            program = (self.uv, "pip", command, "--quiet", "--python", str(venv.python))
        else:  # pip says which requirements exclude each other only where it is not told to be quiet
            program = (str(venv.python), "-I", "-m", "pip", "--no-input", command)
        self._run((*program, *args), subject)

    def _from(self, index: str) -> tuple[str, ...]:
        return ("--default-index" if self.uv else "--index-url", index)

    def _run(self, argv: Sequence[str], subject: str) -> None:
        env = {**self.env, **temporary.inside(self.scratch)}  # uv leaves its own where it is killed
        outcome = process.run(argv, env=env, cwd=self.scratch, time_limit=INSTALL_LIMIT, log=True)
        if outcome.code != 0:
            raise InstallFailed(subject, outcome.code, outcome.output)


def origin_of(origins: Origins, name: str, wheel_tags: Sequence[str]) -> Origin | None:
    """Return the origin of the installed distribution `name`, whose WHEEL file has `wheel_tags`."""
    candidates = origins.get(canonicalize_name(name), ())
    if len(candidates) == 1:
        return candidates[0]
    return next((origin for origin in candidates if origin.tags == frozenset(wheel_tags)), None)
