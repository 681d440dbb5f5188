"""The ways that are compared: a release typed by hand with pip and with uv, a dry run, and doing nothing."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from seatrial.release.record import Record
from seatrial.release.stages import KINDS, Released
from seatrial.standin.standins import Standin
from tests.bench.figures import BUILD, ENVIRONMENTS, TOOLS, UPLOAD, USE, Aim, Timed
from tests.bench.workshop import BenchError, Steps, watched
from tests.projects import commit, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bench.workshop import Index, Workshop

HAND, HAND_UV = "by hand, pip", "by hand, uv"
LIST, LIST_EMPTY = "nox -l", "nox -l, empty noxfile"
EMPTY = "import nox\n\n\n@nox.session\ndef nothing(session):\n    pass\n"  # with no session at all, nox -l is an error
BASES = (HAND, HAND_UV)
AIMS = (
    Aim("dryrun, uv, warm", HAND_UV, 2.5),
    Aim("dryrun, uv, cold", HAND_UV, 4.0),
    Aim("dryrun, uv, cold", HAND, 0.4),
    Aim("dryrun, pip, warm", HAND, 0.8),
    Aim("idle, uv", HAND, 0.1),
    Aim("idle, pip", HAND, 0.1),
    Aim(LIST, LIST_EMPTY, 0.05, added=True),
)
LISTINGS = 5  # of which one sample is the mean: one alone is too short


@dataclass
class Ways:
    """All ways, each a method that makes one run. What is to outlive a run is kept until `close`."""

    shop: Workshop
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    idle_places: dict[bool, tuple[Path, dict[str, str]]] = field(default_factory=dict)

    def all(self) -> dict[str, Callable[[], Timed]]:
        """Return the ways by name, in the order of the table."""
        ways: dict[str, Callable[[], Timed]] = {HAND: self.by_hand, HAND_UV: self.by_hand_with_uv}
        for name, uv in (("uv", True), ("pip", False)):
            ways[f"dryrun, {name}, cold"] = partial(self.dryrun, uv=uv, cold=True)
            ways[f"dryrun, {name}, warm"] = partial(self.dryrun, uv=uv, cold=False)
            ways[f"idle, {name}"] = partial(self.idle, uv=uv)
        return {**ways, LIST: self.listing, LIST_EMPTY: self.empty_listing}

    def close(self) -> None:
        self.stack.close()

    def by_hand(self) -> Timed:
        """The recipe with pip: one wheel tried, nothing compared."""
        place = self.shop.fresh("hand-pip")
        root = self.shop.project("hand-pip")
        tools, trial = _python(place / "tools"), _python(place / "trial")
        with self.shop.indexes("hand-pip-indexes") as indexes:
            step = Steps(root, self.shop.env(uv=False))
            step(ENVIRONMENTS, sys.executable, "-m", "venv", place / "tools")
            step(TOOLS, tools, "-m", "pip", "install", "build", "twine")
            step(BUILD, tools, "-m", "build")
            _twine(step, tools, root, indexes["testpypi"])
            step(USE, sys.executable, "-m", "venv", place / "trial")
            step(USE, trial, "-m", "pip", "install", "--no-deps", "--index-url", indexes["testpypi"].simple, "demo")
            step(USE, trial, "-m", "pip", "install", "six")
            step(USE, trial, "-I", "-c", "import demo")
            _twine(step, tools, root, indexes["pypi"])
            return step.timed()

    def by_hand_with_uv(self) -> Timed:
        """The same with uv's own commands, which need no environment for tools."""
        place = self.shop.fresh("hand-uv")
        root, uv = self.shop.project("hand-uv"), self.shop.uv
        trial = _python(place / "trial")
        with self.shop.indexes("hand-uv-indexes") as indexes:
            step = Steps(root, self.shop.env())
            install = (uv, "pip", "install", "--python", trial)
            step(BUILD, uv, "build", "--python", sys.executable)
            _uv_publish(step, uv, indexes["testpypi"])
            step(USE, uv, "venv", "--python", sys.executable, place / "trial")
            step(USE, *install, "--no-deps", "--default-index", indexes["testpypi"].simple, "demo")
            step(USE, *install, "six")
            step(USE, trial, "-I", "-c", "import demo")
            _uv_publish(step, uv, indexes["pypi"])
            return step.timed()

    def dryrun(self, *, uv: bool, cold: bool) -> Timed:
        """A dry run of a new commit; cold: with no environment of ours anywhere. It counts only if it proved all."""
        name = f"dryrun-{'uv' if uv else 'pip'}"
        root = self.shop.folder / name / "demo"
        if not root.exists():
            self.shop.project(name)
        commit(root)
        envdir, kept = self.shop.folder / name / "environments", self.shop.fresh(f"{name}-kept")
        if cold:
            envdir = self.shop.fresh(f"{name}-cold")
        argv = (self.shop.nox, "--envdir", envdir, "-s", "dryrun", "--", "--keep", kept)
        timed = watched(argv, root, self.shop.env(uv=uv))
        stop_unless_proved(kept)
        return timed

    def idle(self, *, uv: bool) -> Timed:
        """The chain up to `verify` where all of it is done, against stand-ins that run."""
        if uv not in self.idle_places:
            self.idle_places[uv] = self._finished(uv=uv)
        root, env = self.idle_places[uv]
        return watched((self.shop.nox, "-s", "verify"), root, env)

    def _finished(self, *, uv: bool) -> tuple[Path, dict[str, str]]:
        """Return a project that was rehearsed and verified on stand-ins which go on running."""
        name = f"idle-{'uv' if uv else 'pip'}"
        root = self.shop.project(name)
        indexes = self.stack.enter_context(self.shop.indexes(f"{name}-indexes"))
        standin = Standin(root, indexes["testpypi"].url, indexes["pypi"].url)
        env = self.shop.env(uv=uv) | standin.to_environment() | {"TESTPYPI_TOKEN": indexes["testpypi"].token}
        watched((self.shop.nox, "-s", "verify"), root, env)
        return root, env

    def listing(self) -> Timed:
        """What our noxfile adds to every `nox -l`."""
        return self._listed("listing", None)

    def empty_listing(self) -> Timed:
        return self._listed("listing-empty", EMPTY)

    def _listed(self, name: str, noxfile: str | None) -> Timed:
        root = self.shop.folder / name / "demo"
        if not root.exists():
            self.shop.project(name)
        if noxfile is not None:
            write_tree(root, {"noxfile.py": noxfile})
        runs = [watched((self.shop.nox, "-l"), root, self.shop.env()).seconds for _ in range(LISTINGS)]
        return Timed(sum(runs) / len(runs), {})


def stop_unless_proved(kept: Path) -> None:
    """Raise BenchError unless the record in `kept` says: wheel and sdist verified, and released."""
    record = Record.of(kept)
    missing = set(KINDS) - {one.kind for one in record.verified()}
    if missing or record.find(Released) is None:
        said = json.dumps(sorted(path.name for path in record.folder.glob("*.json")))
        raise BenchError(f"a dry run that proves too little does not count; its record holds {said}")


def _python(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _twine(step: Steps, python: Path, root: Path, index: Index) -> None:
    files = sorted((root / "dist").iterdir())
    upload = (python, "-m", "twine", "upload", "--non-interactive", "--repository-url", index.upload)
    step(UPLOAD, *upload, *files, TWINE_USERNAME="__token__", TWINE_PASSWORD=index.token)


def _uv_publish(step: Steps, uv: str, index: Index) -> None:
    step(UPLOAD, uv, "publish", "--publish-url", index.upload, UV_PUBLISH_TOKEN=index.token)
