"""A project whose release is on record as far as a test wants it, between two stand-in indexes."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from seatrial.index.indexes import PYPI, TESTPYPI
from seatrial.machine.screen import Screen
from seatrial.project.options import Options
from seatrial.project.settings import Settings
from seatrial.release.stages import Built, Cell, Dist, Rehearsed, Released, Verified
from seatrial.standin.launch import serve, serving
from tests.archives import sdist, wheel
from tests.index_server import Faults
from tests.projects import commit, sample
from tests.samples.contexts import make_context
from tests.samples.stages import BUILT, REHEARSED, VERIFIED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.index.indexes import Index
    from seatrial.project.context import Context
    from seatrial.release.record import Record
    from seatrial.release.stages import Stage
    from seatrial.standin.indexes import Standins

CELLS = (Cell("3.13", "wheel"), Cell("3.13", "sdist"), Cell("3.14", "wheel"), Cell("3.14", "sdist"))


@dataclass
class Release:
    """A project with a wheel and an sdist in dist/, both indexes, and the lines that were shown (also with ``-v``)."""

    context: Context
    standins: Standins
    faults: Faults  # of TestPyPI
    lines: list[str]
    commit: str | None = None

    @property
    def root(self) -> Path:
        return self.context.root

    @property
    def record(self) -> Record:
        return self.context.record

    @property
    def testpypi(self) -> Index:
        return self.context.settings.testpypi

    @property
    def pypi(self) -> Index:
        return self.context.settings.pypi

    @property
    def shown(self) -> str:
        """What was shown, without the line breaks of a narrow screen."""
        return " ".join(word for line in self.lines for word in line.split() if word != "|")

    @property
    def dists(self) -> tuple[Dist, ...]:
        return tuple(sorted(Dist.from_file(path) for path in self.record.dist.iterdir()))

    def write(self, *stages: Stage, **facts: Any) -> None:
        """Record `stages` of the samples with the files and indexes of this project, and with `facts`."""
        for stage in stages:
            own: dict[str, Any] = {"dists": self.dists}
            match stage:
                case Built():
                    own |= {"commit": self.commit, "matrix": CELLS}
                case Rehearsed() | Verified():
                    own["index"] = self.testpypi.simple
                case Released():
                    own["index"] = self.pypi.simple
            self.record.write(replace(stage, **(own | facts)))

    def verified(self, *cells: Cell, **facts: Any) -> None:
        """Record that `cells` were verified, each with the file of its kind."""
        for cell in cells:
            file = next((dist.filename for dist in self.dists if dist.kind == cell.kind), "")
            here = {"python": cell.python, "kind": cell.kind, "filename": file, "installed": ()}
            self.write(VERIFIED, **(here | facts))

    def proved(self) -> None:
        """Record all that `pypi` asks for, and have the rehearsal index serve it."""
        self.serve("testpypi")
        self.write(BUILT, REHEARSED)
        self.verified(*CELLS)

    def serve(self, index: str, folder: Path | None = None) -> None:
        """Let `index` serve the files in `folder`, which are those of the project."""
        shutil.copytree(folder or self.record.dist, self.standins.folder / index, dirs_exist_ok=True)

    def held(self, index: str) -> tuple[Dist, ...]:
        """Return the files that `index` holds."""
        return tuple(sorted(Dist.from_file(path) for path in (self.standins.folder / index).iterdir()))

    def at(self, *, changes: dict[str, Any] | None = None, **options: Any) -> Context:
        """Return what a step works with, given `options`; `changes` are to the settings."""
        settings = replace(self.context.settings, **(changes or {}))
        return replace(self.context, settings=settings, options=replace(Options(), **options))


@contextlib.contextmanager
def release_in(folder: Path, *, in_git: bool = False) -> Iterator[Release]:
    """Yield a project in `folder` whose two files are in dist/, and nothing on record."""
    root = folder / "ein Übungsstück"
    (sample(root) if in_git else root).mkdir(parents=True, exist_ok=True)
    head = commit(root) if in_git else None
    for make in (wheel, sdist):
        make(root / "dist")
    lines: list[str] = []
    with serve(folder / "indexes") as plain, serving(faults := Faults(plain.apps["testpypi"])) as url:
        standins = replace(plain, testpypi=url)
        testpypi = replace(standins.rehearsal(TESTPYPI), name=TESTPYPI.name, pages=TESTPYPI.pages)
        pypi = replace(standins.release(PYPI), name=PYPI.name, pages=PYPI.pages)
        settings = Settings(pythons=("3.13", "3.14"), testpypi=testpypi, pypi=pypi)
        context = make_context(
            root,
            settings=settings,
            published=pypi,
            variables=standins.tokens,
            screen=Screen(verbose=True, write=lines.append),
        )
        yield Release(context, standins, faults, lines, head)
