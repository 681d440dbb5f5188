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
from seatrial.standin.server import StandinIndex
from tests.bench.figures import Timed, steps_of
from tests.projects import commit, sample, write_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
NOXFILE = f"""\
import runpy

runpy.run_path({str(ROOT / "tasks" / "register.py")!r})
"""
RUNNING = "{}.{}".format(*sys.version_info)
NO_UV = "there-is-no-uv-here"


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
    """Commands that are run one after the other, as a person types them, and how long each step took."""

    def __init__(self, cwd: Path, env: Mapping[str, str]) -> None:
        self._cwd, self._env = cwd, env
        self._spent: dict[str, float] = {}
        self._started = time.perf_counter()

    def __call__(self, step: str, *argv: str | Path, **env: str) -> None:
        started = time.perf_counter()
        run(argv, self._cwd, {**self._env, **env})
        self._spent[step] = self._spent.get(step, 0.0) + time.perf_counter() - started

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
        found = {name: shutil.which(name, path=_search_path()) for name in ("uv", "nox")}
        if missing := [name for name, path in found.items() if path is None]:
            raise BenchError(f"not installed here: {', '.join(missing)}; run `nox -s bench`, which installs it.")
        return cls(folder, str(found["uv"]), str(found["nox"]))

    def env(self, *, uv: bool = True) -> dict[str, str]:
        """Return the environment of a way that has uv, or of one on a machine without it."""
        env = variables.for_install(os.environ)
        if uv:
            return env | {"UV": self.uv}
        return env | {"UV": NO_UV, "PATH": os.pathsep.join(p for p in _search_path().split(os.pathsep) if _no_uv(p))}

    def project(self, name: str) -> Path:
        """Make a small pure-Python project with one dependency, committed, in the new folder `name`."""
        root = sample(self.folder / name / "demo", dependencies=["six"])
        with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(f'\n[tool.seatrial]\npythons = ["{RUNNING}"]\n')
        write_tree(root, {"noxfile.py": NOXFILE})
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
            for index, location in launch.LOCATIONS.items():
                token = make(location)
                url = stack.enter_context(launch.serving(StandinIndex(place / index, token)))
                running[index] = Index(url, token)
            yield running


def _search_path() -> str:
    """PATH with the scripts of our own environment first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _no_uv(folder: str) -> bool:
    """Whether the folder can stay on PATH where uv is to be out of sight; git has to stay in any case."""
    return shutil.which("uv", path=folder) is None or shutil.which("git", path=folder) is not None


def run(argv: Sequence[str | Path], cwd: Path, env: Mapping[str, str]) -> None:
    """Run `argv`. Raises BenchError with all that it said where it fails."""
    watched(argv, cwd, env)


def watched(argv: Sequence[str | Path], cwd: Path, env: Mapping[str, str]) -> Timed:
    """Run `argv` and note when it prints which line. Raises BenchError with all that it said where it fails."""
    words = [str(word) for word in argv]
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    started = time.perf_counter()
    with subprocess.Popen(words, cwd=cwd, env=dict(env), encoding="utf-8", errors="replace", **pipes) as child:
        assert child.stdout is not None
        lines = [(time.perf_counter(), line.rstrip("\n")) for line in child.stdout]
        memory = _waited_for(child)
    ended = time.perf_counter()
    if child.returncode != 0:
        said = "\n".join(line for _, line in lines)
        raise BenchError(f"{' '.join(words)} ended with exit code {child.returncode}:\n{said}")
    return Timed(ended - started, steps_of(started, lines, ended), memory)


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
