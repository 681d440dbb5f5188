"""The ways that are compared: a release typed by hand with pip and with uv, a dry run, and doing nothing."""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from seatrial.release.record import Record
from seatrial.release.stages import KINDS, Released
from tests.bench.figures import BUILD, TOOLS, TRIAL, UPLOAD, USE, Aim, Timed
from tests.bench.workshop import BenchError, Steps, python_in, watched
from tests.projects import commit, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bench.workshop import Index, Workshop

HAND, HAND_UV, PROOFS = "by hand, pip", "by hand, uv", "by hand, uv, same proofs"
LIST, LIST_EMPTY = "nox -l", "nox -l, empty noxfile"
EMPTY = "import nox\n\n\n@nox.session\ndef nothing(session):\n    pass\n"  # with no session at all, nox -l is an error
BASES = (HAND, HAND_UV, PROOFS)
PROGRAMS = ("nox", "seatrial")
AIMS = (  # what is hoped for, and what is required
    *(Aim(f"{program}, uv, warm", PROOFS, 1.0, 1.3) for program in PROGRAMS),
    *(Aim(f"{program}, uv, cold", PROOFS, 1.5, 2.0) for program in PROGRAMS),
    *(Aim(f"{program}, pip, warm", HAND, 0.6, 0.6) for program in PROGRAMS),
    *(Aim(f"{program}, pip, cold", HAND, 1.0, 1.0) for program in PROGRAMS),
    Aim("seatrial, idle", None, 0.3, 0.3),
    Aim("nox, idle", None, 1.0, 1.0),
)
LISTINGS = 5  # of which one sample is the mean: one alone is too short
INDEXES = """
[tool.seatrial.indexes.testpypi]
upload = "{testpypi}"
simple = "{simple}"
"""


@dataclass
class Ways:
    """All ways, each a method that makes one run. What is to outlive a run is kept until `close`."""

    shop: Workshop
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    finished: tuple[Path, dict[str, str]] | None = None

    def all(self) -> dict[str, Callable[[], Timed]]:
        """Return the ways by name, in the order of the table."""
        ways: dict[str, Callable[[], Timed]] = {
            HAND: self.by_hand,
            HAND_UV: self.by_hand_with_uv,
            PROOFS: self.by_hand_with_proofs,
        }
        for program in PROGRAMS:
            for installer in ("uv", "pip"):
                for state in ("cold", "warm"):
                    dryrun = partial(self.dryrun, program, uv=installer == "uv", cold=state == "cold")
                    ways[f"{program}, {installer}, {state}"] = dryrun
            ways[f"{program}, idle"] = partial(self.idle, program)
        return {**ways, LIST: self.listing, LIST_EMPTY: partial(self.listing, EMPTY)}

    def close(self) -> None:
        self.stack.close()

    def by_hand(self) -> Timed:
        """The recipe with pip: one wheel tried, nothing compared."""
        place, root = self.shop.fresh("hand-pip-place"), self._project("hand-pip")
        tools, trial = python_in(place / "tools"), python_in(place / "trial")
        with self.shop.indexes("hand-pip-indexes") as indexes:
            step = Steps(root, self.shop.env(uv=False))
            step(TOOLS, sys.executable, "-m", "venv", place / "tools")
            step(TOOLS, tools, "-m", "pip", "install", "build", "twine")
            step(BUILD, tools, "-m", "build", "--outdir", place / "dist")
            _twine(step, tools, place / "dist", indexes["testpypi"])
            step(USE, sys.executable, "-m", "venv", place / "trial")
            step(USE, trial, "-m", "pip", "install", "--no-deps", "--index-url", indexes["testpypi"].simple, "demo")
            step(USE, trial, "-m", "pip", "install", "six")
            step(USE, trial, "-I", "-c", "import demo")
            _twine(step, tools, place / "dist", indexes["pypi"])
            return step.timed()

    def by_hand_with_uv(self) -> Timed:
        """The same with uv's own commands, which need no environment for tools."""
        place, root = self.shop.fresh("hand-uv-place"), self._project("hand-uv")
        with self.shop.indexes("hand-uv-indexes") as indexes:
            step = Steps(root, self.shop.env())
            step(BUILD, self.shop.uv, "build", "--python", sys.executable, "--out-dir", place / "dist")
            self._publish(step, place / "dist", indexes["testpypi"])
            self._use(step, USE, place / "trial", "--default-index", indexes["testpypi"].simple, "demo")
            self._publish(step, place / "dist", indexes["pypi"])
            return step.timed()

    def by_hand_with_proofs(self) -> Timed:
        """What a dry run proves, typed with uv: out of a clone, both archives tried from disk and from the index."""
        place, root = self.shop.fresh("proofs-place"), self._project("proofs")
        with self.shop.indexes("proofs-indexes") as indexes:
            step = Steps(root, self.shop.env())
            step(BUILD, "git", "clone", "--quiet", root, place / "clone")
            step(BUILD, self.shop.uv, "build", "--python", sys.executable, "--out-dir", place / "dist", place / "clone")
            for file in ("demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"):
                self._use(step, TRIAL, place / f"disk-{file}", place / "dist" / file)
            self._publish(step, place / "dist", indexes["testpypi"])
            address = f"demo @ {indexes['testpypi'].url}/packages/demo-1.0.tar.gz"
            self._use(step, USE, place / "wheel", "--default-index", indexes["testpypi"].simple, "demo")
            self._use(step, USE, place / "sdist", address)
            self._publish(step, place / "dist", indexes["pypi"])
            return step.timed()

    def _use(self, step: Steps, part: str, venv: Path, *release: str | Path) -> None:
        """Install `release` without dependencies into the new `venv`, then its dependency, and import it."""
        install: tuple[str | Path, ...] = (self.shop.uv, "pip", "install", "--python", python_in(venv))
        step(part, self.shop.uv, "venv", "--python", sys.executable, venv)
        step(part, *install, "--no-deps", *release)
        step(part, *install, "six")
        step(part, python_in(venv), "-I", "-c", "import demo")

    def _publish(self, step: Steps, dist: Path, index: Index) -> None:
        files = sorted(dist.glob("demo*"))
        step(UPLOAD, self.shop.uv, "publish", "--publish-url", index.upload, *files, UV_PUBLISH_TOKEN=index.token)

    def dryrun(self, program: str, *, uv: bool, cold: bool) -> Timed:
        """A dry run of a new commit; cold: with no environment of ours anywhere. It counts only if it proved all."""
        name = f"{program}-{'uv' if uv else 'pip'}"
        root, env = self._project(name), self.shop.env(uv=uv)
        place, kept = self.shop.folder / f"{name}-environments", self.shop.fresh(f"{name}-kept")
        commit(root)
        options: tuple[str | Path, ...] = ("dryrun", *(("--",) if program == "nox" else ()), "--timing", "--keep", kept)
        if program == "nox":
            place = self.shop.fresh(f"{name}-cold") if cold else place
            timed = watched((self.shop.nox, "--envdir", place, "-s", *options), root, env)
        else:
            timed = self._installed(place, options, root, uv=uv, cold=cold)
        stop_unless_proved(kept)
        return timed

    def _installed(self, place: Path, options: tuple[str | Path, ...], root: Path, *, uv: bool, cold: bool) -> Timed:
        """Run the installed command, which is installed anew and counted with that where it is `cold`."""
        if not cold:
            return watched((self.shop.seatrial(uv=uv), *options), root, self.shop.env(uv=uv))
        self.shop.wheel()
        installing = Steps(root, {})
        command = self.shop.command(self.shop.fresh(place.name) / "venv", uv=uv)
        before = installing.timed().seconds
        timed = watched((command, *options), root, self.shop.env(uv=uv))
        return Timed(timed.seconds + before, {**timed.parts, TOOLS: before}, timed.memory, timed.programs)

    def idle(self, program: str) -> Timed:
        """The chain up to `verify` where all of it is done, on indexes that run."""
        if self.finished is None:
            self.finished = self._finished()
        root, env = self.finished
        if program == "nox":
            return watched((self.shop.nox, "-s", "verify"), root, env)
        return watched((self.shop.seatrial(), "verify"), root, env)

    def _finished(self) -> tuple[Path, dict[str, str]]:
        """Return a project that was rehearsed and verified on indexes that go on running."""
        root = self.shop.project("idle")
        index = self.stack.enter_context(self.shop.indexes("idle-indexes"))["testpypi"]
        with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(INDEXES.format(testpypi=index.upload, simple=index.simple))
        commit(root)
        env = self.shop.env() | {"TESTPYPI_TOKEN": index.token}
        watched((self.shop.nox, "-s", "verify"), root, env)
        return root, env

    def listing(self, noxfile: str = "") -> Timed:
        """What our noxfile adds to every `nox -l`: ours, or `noxfile`."""
        root = self._project(f"listing{'-empty' if noxfile else ''}")
        if noxfile:
            write_tree(root, {"noxfile.py": noxfile})
        runs = [watched((self.shop.nox, "-l"), root, self.shop.env()).seconds for _ in range(LISTINGS)]
        return Timed(sum(runs) / len(runs), {})

    def _project(self, name: str) -> Path:
        root = self.shop.folder / name / "demo"
        return root if root.exists() else self.shop.project(name)


def stop_unless_proved(kept: Path) -> None:
    """Raise BenchError unless the record in `kept` says: wheel and sdist verified, and released."""
    record = Record.of(kept)
    missing = set(KINDS) - {verified.kind for verified in record.verified()}
    if missing or record.find(Released) is None:
        names = json.dumps(sorted(path.name for path in record.folder.glob("*.json")))
        raise BenchError(f"a dry run that proves too little does not count; its record holds {names}")


def _twine(step: Steps, python: Path, dist: Path, index: Index) -> None:
    upload = (python, "-m", "twine", "upload", "--non-interactive", "--repository-url", index.upload)
    step(UPLOAD, *upload, *sorted(dist.iterdir()), TWINE_USERNAME="__token__", TWINE_PASSWORD=index.token)
