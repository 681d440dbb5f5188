"""What the benchmark works with: a small project, programs, environments of our making, two stand-in indexes."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.index.tokens import make
from seatrial.machine import variables
from seatrial.standin import launch
from seatrial.standin.indexes import LOCATIONS
from seatrial.standin.server import StandinIndex
from tests.bench.figures import Timed
from tests.projects import commit, sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
RUNNING = "{}.{}".format(*sys.version_info)


class BenchError(Exception):
    """A run that failed, or that did not prove what it has to prove to be counted."""


@dataclass(frozen=True)
class Index:
    """A stand-in index that is running."""

    url: str
    token: str

    @property
    def simple(self) -> str:
        return f"{self.url}/simple/"

    @property
    def upload(self) -> str:
        return f"{self.url}/legacy/"


class Steps:
    """Commands that are run one after the other, as a person types them, and how long each part took."""

    def __init__(self, cwd: Path, env: Mapping[str, str]) -> None:
        self._cwd, self._env = cwd, env
        self._spent: dict[str, float] = {}
        self._started = time.perf_counter()

    def __call__(self, part: str, *argv: str | Path, **env: str) -> None:
        took = watched(argv, self._cwd, {**self._env, **env}).seconds
        self._spent[part] = self._spent.get(part, 0.0) + took

    def timed(self) -> Timed:
        return Timed(time.perf_counter() - self._started, self._spent)


@dataclass(frozen=True)
class Workshop:
    """One benchmark's folder, and the environment that all ways share.

    Nothing of this machine's pip and uv settings takes part, its certificates, proxies and caches do.
    """

    folder: Path
    uv: str
    nox: str

    @classmethod
    def in_folder(cls, folder: Path) -> Workshop:
        """Return a workshop in `folder`. Raises BenchError where a program is missing."""
        programs = {name: shutil.which(name, path=_search_path()) for name in ("uv", "nox")}
        if missing := [name for name, path in programs.items() if path is None]:
            raise BenchError(f"not installed here: {', '.join(missing)}; run `nox -s bench`, which installs it.")
        return cls(folder, str(programs["uv"]), str(programs["nox"]))

    def env(self, *, uv: bool = True) -> dict[str, str]:
        """Return the environment of a way that has uv, or of one on a machine without it."""
        env = variables.for_install(os.environ)
        if uv:
            return env | {"UV": self.uv, "PATH": _search_path()}
        folders = [folder for folder in _search_path().split(os.pathsep) if _is_without_uv(folder)]
        return env | {"UV": "there-is-no-uv-here", "PATH": os.pathsep.join(folders)}

    def command(self, folder: Path, *, uv: bool) -> Path:
        """Install this working tree into an environment in the new `folder`, and return the command `seatrial`."""
        python = python_in(folder)
        if uv:
            watched((self.uv, "venv", "--python", sys.executable, folder), self.folder, self.env())
            install: tuple[str | Path, ...] = (self.uv, "pip", "install", "--python", python)
        else:
            watched((sys.executable, "-m", "venv", folder), self.folder, self.env(uv=False))
            install = (python, "-m", "pip", "install")
        watched((*install, self.wheel()), self.folder, self.env(uv=uv))
        return program_in(folder, "seatrial")

    def seatrial(self, *, uv: bool = True) -> Path:
        """Return the installed command, which is installed once."""
        place = self.folder / f"installed-{'uv' if uv else 'pip'}"
        return program_in(place, "seatrial") if place.exists() else self.command(place, uv=uv)

    def wheel(self) -> Path:
        """Return the wheel of this working tree, which is built once."""
        place = self.folder / "wheel"
        if not place.exists():
            watched((self.uv, "build", "--quiet", "--wheel", "--out-dir", place, ROOT), self.folder, self.env())
        return next(place.glob("*.whl"))

    def project(self, name: str, files: Mapping[str, str] | None = None) -> Path:
        """Make a small pure-Python project with one dependency, which has adopted us, in the new folder `name`."""
        root = sample(self.folder / name / "demo", dependencies=["six"], files=files)
        with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(f'\n[tool.seatrial]\npythons = ["{RUNNING}"]\n')
        commit(root)
        watched((self.seatrial(), "adopt"), root, self.env())
        commit(root)
        return root

    def fresh(self, name: str) -> Path:
        """Return a folder called `name` that nothing is in, not even if it was used before."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / name).mkdir(parents=True)
        return self.folder / name

    @contextlib.contextmanager
    def indexes(self, name: str) -> Iterator[dict[str, Index]]:
        """Start two stand-in indexes, "testpypi" and "pypi", that keep their files in a fresh folder."""
        place = self.fresh(name)
        with contextlib.ExitStack() as stack:
            running = {}
            for index, location in LOCATIONS.items():
                token = make(location)
                url = stack.enter_context(launch.serving(StandinIndex(place / index, token)))
                running[index] = Index(url, token)
            yield running


def program_in(venv: Path, name: str) -> Path:
    """Return the program `name` of the virtual environment `venv`."""
    return venv / (f"Scripts/{name}.exe" if os.name == "nt" else f"bin/{name}")


def python_in(venv: Path) -> Path:
    """Return the interpreter of the virtual environment `venv`."""
    return program_in(venv, "python")


def _search_path() -> str:
    """PATH with the scripts of our own environment first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _is_without_uv(folder: str) -> bool:
    """Whether the folder can stay on PATH where uv is to be out of sight; git has to stay in any case."""
    return shutil.which("uv", path=folder) is None or shutil.which("git", path=folder) is not None


def watched(argv: Sequence[str | Path], cwd: Path, env: Mapping[str, str]) -> Timed:
    """Run `argv`; what it says with ``--timing`` is noted. Raises BenchError with its output where it fails."""
    words = [str(word) for word in argv]
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    started = time.perf_counter()
    with subprocess.Popen(words, cwd=cwd, env=dict(env), encoding="utf-8", errors="replace", **pipes) as child:
        assert child.stdout is not None
        output = child.stdout.read()
        memory = _waited_for(child)
    seconds = time.perf_counter() - started
    if child.returncode != 0:
        raise BenchError(f"{' '.join(words)} ended with exit code {child.returncode}:\n{output}")
    return Timed.of(output, seconds, memory)


def _waited_for(child: subprocess.Popen[str]) -> int | None:
    """Wait for `child`; return the peak memory, in bytes, of the largest process among it and all that it started.

    None where the system does not tell (Windows).
    """
    if sys.platform == "win32":
        child.wait()
        return None
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
