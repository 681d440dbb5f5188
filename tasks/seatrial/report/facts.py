"""A release as it stands, gathered from its record and its files: one value for the page, Markdown and the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from seatrial.index.indexes import is_loopback
from seatrial.release.archives import Archive, BadArchive
from seatrial.release.stages import Built, Cell, Changes, Checked, Dist, Rehearsed, Released
from seatrial.report import text
from seatrial.report.description import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.release.archives import Metadata
    from seatrial.release.rebuilt import Rebuilt
    from seatrial.release.record import Record
    from seatrial.release.stages import Problem, Stage, Verified
    from seatrial.report.description import Description

State = Literal["done", "part", "open", "failed"]
PAGE, SUMMARY = "report.html", "report.md"  # in the folder of the record
WORDS: Mapping[State, str] = {"done": "done", "part": "in part", "open": "not yet", "failed": "failed"}


@dataclass(frozen=True)
class Failure:
    """Why the step `name` failed, which no record holds: an error's text, the problems that `check` stops for."""

    name: str
    message: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Step:
    """One of the five steps of a release: how far it is, when that was (UTC, ISO 8601), and its result in a line."""

    name: str
    state: State
    at: str = ""
    summary: str = ""


@dataclass(frozen=True)
class File:
    """A distribution, and what is in it; `trouble` says why that is not known."""

    dist: Dist
    archive: Archive | None
    trouble: str = ""


@dataclass(frozen=True)
class Facts:
    """A release as it stands. `following` is the next command; `dry` says that the indexes were stand-ins."""

    built: Built
    steps: tuple[Step, ...]
    files: tuple[File, ...]
    metadata: Metadata | None
    description: Description | None
    changes: Changes | None
    checked: bool
    problems: tuple[Problem, ...]
    verified: tuple[Verified, ...]
    cells: tuple[Cell, ...]
    urls: tuple[str, ...]
    dry: bool
    following: str
    failure: Failure | None = None
    rebuilt: Rebuilt | None = None

    @property
    def title(self) -> str:
        return f"{self.built.project} {self.built.version}"


def gather(record: Record, following: str, *, failure: Failure | None = None, dry: bool = False) -> Facts | None:
    """Return what there is to show of the release in `record`, None where nothing is built."""
    built = record.find(Built)
    if built is None:
        return None
    checked, released, rehearsed = record.find(Checked), record.find(Released), record.find(Rehearsed)
    files, verified = tuple(_file(record, dist) for dist in built.dists), record.verified()
    latest = released or rehearsed
    if failure is None and (failed := record.failed()):
        failure = Failure(failed.step, failed.message, failed.problems)
    kinds = {dist.kind for dist in built.dists}
    announced = {cell for cell in built.matrix if cell.kind in kinds}
    return Facts(
        built=built,
        steps=steps(record, failure, dry=dry),
        files=files,
        metadata=_metadata(files),
        description=shown(checked.rendered) if checked and checked.rendered else None,
        changes=checked.changes if checked else None,
        checked=checked is not None,
        problems=(failure.problems if failure else ()) or (checked.problems if checked else ()),
        verified=verified,
        cells=tuple(announced | {proof.cell for proof in verified}),
        urls=latest.urls if latest and not is_loopback(latest.index) else (),
        dry=dry,
        following=following,
        failure=failure,
        rebuilt=record.rebuilt(built),
    )


def steps(record: Record, failure: Failure | None = None, *, dry: bool = False) -> tuple[Step, ...]:
    """Return how far each of the five steps is, as recorded, and that one of them failed."""
    built, verified = record.find(Built), record.verified()
    if failure is None and (failed := record.failed()):
        failure = Failure(failed.step, failed.message, failed.problems)
    announced = {cell for cell in built.matrix if cell.kind in {dist.kind for dist in built.dists}} if built else set()
    done = {proof.cell for proof in verified}
    verify = _step("verify", max(verified, key=lambda proof: proof.at, default=None), dry=dry)
    if verified:
        state: State = "done" if announced <= done else "part"
        verify = Step("verify", state, verify.at, f"{len(done)} of {len(announced | done)} cells")
    recorded = (
        _step("build", built, dry=dry),
        _step("check", record.find(Checked), dry=dry),
        _step("testpypi", record.find(Rehearsed), dry=dry),
        verify,
        _step("pypi", record.find(Released), dry=dry),
    )
    return tuple(_failed(failure, step) if failure and failure.name == step.name else step for step in recorded)


def _step(name: str, stage: Stage | None, *, dry: bool) -> Step:
    return Step(name, "done", stage.at, text.summary(stage, dry=dry)) if stage else Step(name, "open")


def _failed(failure: Failure, step: Step) -> Step:
    counted = text.counted(failure.problems)
    return Step(step.name, "failed", "", counted or failure.message.partition("\n")[0] or step.summary)


def _file(record: Record, dist: Dist) -> File:
    """Return the recorded file `dist` as it is in the folder of distributions."""
    path = record.dist / dist.filename
    if not path.is_file():
        return File(dist, None, "it is not in dist any more")
    if not record.shows(dist):
        return File(dist, None, "the file in dist differs from that of this release")
    try:
        return File(dist, Archive.open(path))
    except BadArchive as bad:
        return File(dist, None, str(bad).splitlines()[0])


def _metadata(files: Sequence[File]) -> Metadata | None:
    """Return the metadata of the file that an index gets first: a wheel."""
    ordered = sorted(files, key=lambda file: file.dist.kind != "wheel")
    return next((file.archive.metadata for file in ordered if file.archive), None)
