"""What is told of a release, gathered from its record and its files: one value for the page, Markdown and terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..archives import Archive, BadArchive
from ..indexes import is_loopback
from ..stages import Built, Cell, Changes, Checked, Dist, Rehearsed, Released
from .readme import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..archives import Metadata
    from ..record import Record
    from ..stages import Problem, Stage, Verified
    from .readme import Description

State = Literal["done", "part", "open"]
NO_COMMIT = "no commit"
SHORT = 12  # characters of a commit


@dataclass(frozen=True)
class Step:
    """One of the five stages: what it is called here, how far it is, when that was, and what came of it."""

    name: str
    session: str
    state: State
    at: str
    told: str


@dataclass(frozen=True)
class File:
    """A distribution, and what is in it; `trouble` says why that is not known."""

    dist: Dist
    archive: Archive | None
    trouble: str = ""


@dataclass(frozen=True)
class Facts:
    """A release as it stands. `place` says where it is rehearsed, if that is not an index."""

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

    @property
    def title(self) -> str:
        return f"{self.built.project} {self.built.version}"


def steps(record: Record, session: Mapping[str, str]) -> tuple[Step, ...]:
    """Return how far each of the five stages is, as recorded, with the names of their sessions in this project."""
    built, checked, verified = record.find(Built), record.find(Checked), record.verified()
    rehearsed, released = record.find(Rehearsed), record.find(Released)
    announced = len(built.matrix) if built else 0
    rows: tuple[tuple[str, Stage | None, str], ...] = (
        ("build", built, _built(built) if built else ""),
        ("check", checked, _checked(checked) if checked else ""),
        ("testpypi", rehearsed, _rehearsed(rehearsed) if rehearsed else ""),
        ("verify", max(verified, key=lambda one: one.at, default=None), f"{len(verified)} of {announced} cells"),
        ("pypi", released, _index(released.index) if released else ""),
    )
    part = len({one.cell for one in verified}) < announced
    return tuple(
        Step(name, session[name], _state(stage, part=part and name == "verify"), *_when(stage, told))
        for name, stage, told in rows
    )


def _state(stage: Stage | None, *, part: bool) -> State:
    if stage is None:
        return "open"
    return "part" if part else "done"


def _when(stage: Stage | None, told: str) -> tuple[str, str]:
    return (stage.at, told) if stage else ("", "")


def _built(built: Built) -> str:
    commit = built.commit[:SHORT] if built.commit else NO_COMMIT
    dirty = ", with changes that are not committed" if built.dirty else ""
    return f"{len(built.dists)} files from {commit}{dirty}"


def _checked(checked: Checked) -> str:
    warnings = sum(problem.severity == "warning" for problem in checked.problems)
    return f"{len(checked.rules)} rules, {warnings} warning{'' if warnings == 1 else 's'}"


def _rehearsed(rehearsed: Rehearsed) -> str:
    reason = f" ({rehearsed.reason})" if rehearsed.reason else ""
    return f"{_index(rehearsed.index)}{reason}"


def _index(simple: str) -> str:
    return "a stand-in on this machine" if is_loopback(simple) else simple


def gather(
    record: Record, session: Mapping[str, str], following: str, *, found: Sequence[Problem] = (), dry: bool = False
) -> Facts | None:
    """Return what is told of the release in `record`, None where nothing is built.

    `following` is the next command; `found` are findings of a check that did not pass, which no record holds.
    """
    built = record.find(Built)
    if built is None:
        return None
    checked, released, rehearsed = record.find(Checked), record.find(Released), record.find(Rehearsed)
    files, verified = tuple(_file(record, dist) for dist in built.dists), record.verified()
    latest = released or rehearsed
    kinds = {dist.kind for dist in built.dists}
    announced = {cell for cell in built.matrix if cell.kind in kinds}
    return Facts(
        built=built,
        steps=steps(record, session),
        files=files,
        metadata=_metadata(files),
        description=shown(checked.rendered) if checked and checked.rendered else None,
        changes=checked.changes if checked else None,
        checked=checked is not None,
        problems=tuple(found) or (checked.problems if checked else ()),
        verified=verified,
        cells=tuple(announced | {one.cell for one in verified}),
        urls=latest.urls if latest and not is_loopback(latest.index) else (),
        dry=dry,
        following=following,
    )


def _file(record: Record, dist: Dist) -> File:
    """Return the recorded file `dist` as it lies in the folder of distributions."""
    path = record.dist / dist.filename
    if not path.is_file():
        return File(dist, None, "it is not in dist any more")
    if Dist.from_file(path) != dist:
        return File(dist, None, "the file in dist has other bytes than those of this release")
    try:
        return File(dist, Archive.open(path))
    except BadArchive as bad:
        return File(dist, None, str(bad).splitlines()[0])


def _metadata(files: Sequence[File]) -> Metadata | None:
    """Return the metadata of the file that an index gets first: a wheel."""
    ordered = sorted(files, key=lambda file: file.dist.kind != "wheel")
    return next((file.archive.metadata for file in ordered if file.archive), None)
