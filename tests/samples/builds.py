"""Files as a build makes them, and a stand-in for the process that builds."""

from __future__ import annotations

import json
import tarfile
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.building.backend import Request, Shared
from seatrial.machine import process
from seatrial.machine.worker import Worker
from seatrial.release.stages import Dist
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SDIST, WHEEL = "demo-1.0.tar.gz", "demo-1.0-py3-none-any.whl"


def make_sdist(path: Path, name: str = "demo", version: str = "1.0") -> Path:
    """Write an sdist with nothing but its metadata."""
    info = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n"
    inside = write_tree(path.parent, {f"{name}-{version}.info": info}) / f"{name}-{version}.info"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(inside, f"{name}-{version}/PKG-INFO")
    inside.unlink()
    return path


def make_wheel(path: Path, name: str = "demo", version: str = "1.0") -> Path:
    """Write a wheel with nothing but its metadata."""
    with zipfile.ZipFile(path, "w") as archive:
        info = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n"
        archive.writestr(f"{name}-{version}.dist-info/METADATA", info)
    return path


class FakeBuild:
    """The process that builds: it writes what it is told to, and a report of it."""

    def __init__(self) -> None:
        self.makers: dict[str, Callable[[Path], Path]] = {SDIST: make_sdist, WHEEL: make_wheel}
        self.beside: Callable[[Path], Path] | None = None
        self.compared = 0
        self.hangs = False
        self.codes = {"sdist": 0, "wheel": 0}
        self.unreported: set[str] = set()
        self.requests: list[Request] = []
        self.answer: Callable[..., process.Outcome] = self.__call__
        self.env: Mapping[str, str] = {}
        self.trees: dict[str, set[str]] = {}

    def __call__(
        self, _: Sequence[str | Path], *, given: bytes, env: Mapping[str, str], **settings: Any
    ) -> process.Outcome:
        request = requested(given)
        if request.kind == "wheel" and Path(request.tree).name in {"checkout", "tagged"}:
            return self.of_checkout(request, settings["on_wait"])
        self.requests.append(request)
        self.env = env
        self.trees[request.kind] = {path.name for path in Path(request.tree).iterdir()}
        dists = [
            Dist.from_file(make(Path(request.out) / name))
            for name, make in self.makers.items()
            if name.endswith(".whl") == (request.kind == "wheel")
        ]
        reported = [dist for dist in dists if dist.filename not in self.unreported]
        report(request, reported[0] if reported else Dist("nothing", "", 0))
        settings["on_wait"](15.0)
        return process.Outcome(0, f"the backend's words\n{request.end} {self.codes[request.kind]}\n")

    def of_checkout(self, request: Request, on_wait: process.OnWait) -> process.Outcome:
        """Build the wheel of the tree itself, which is only compared."""
        self.compared += 1
        if self.hangs:
            while True:
                on_wait(1.0)
        if self.beside is None:
            return process.Outcome(0, f"only the sdist can be built into a wheel\n{request.end} 1\n")
        report(request, Dist.from_file(self.beside(Path(request.out) / WHEEL)))
        return process.Outcome(0, f"{request.end} 0\n")


class NoWorker(Worker):
    """A builder that is never started: `process.run`, which a test may replace, answers in its environment."""

    def start(self) -> None:
        """Start nothing."""

    def ask(self, given: bytes, **settings: Any) -> process.Outcome:
        request = requested(given)
        return process.run(("builder",), env=request.env, cwd=Path(request.scratch), given=given, **settings)


def requested(given: bytes) -> Request:
    """Return the request that a builder is given on its standard input."""
    return Request.read(given)


def report(request: Request, dist: Dist) -> None:
    """Answer `request` with the file `dist`, built with one build requirement."""
    shared = Shared(request.environment, "python", ["builder"], {"builder": "0a"})
    document = {
        "file": dist.filename,
        "sha256": dist.sha256,
        "environment": asdict(shared),
        "is_unchanged": True,
        "distributions": [["builder", "1.2"]],
    }
    Path(request.report).write_text(json.dumps(document), encoding="utf-8")
