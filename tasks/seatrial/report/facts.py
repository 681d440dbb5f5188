"""A release as it stands, gathered from its record and its files: one value for the page, Markdown and the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.index.indexes import is_loopback
from seatrial.machine.values import Value
from seatrial.release import failures
from seatrial.release.archives import Archive, BadArchive, Metadata
from seatrial.release.stages import Built, Cell, Changes, Checked, Dist, Problem, Rehearsed, Released, Verified
from seatrial.report.page.description import Description, shown
from seatrial.report.text import Failure, Step, steps

if TYPE_CHECKING:
    from seatrial.release.record import Record
    from seatrial.release.stages import Rebuilt


class File(Value):
    """A distribution, and what is in it; `trouble` says why that is not known."""

    dist: Dist
    archive: Archive | None
    trouble: str = ""


class Facts(Value):
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
    checked, latest = record.find(Checked), record.find(Released) or record.find(Rehearsed)
    files, verified = tuple(_file(record, dist) for dist in built.dists), record.verified()
    first = sorted(files, key=lambda file: file.dist.kind != "wheel")  # an index gets a wheel first
    if failure is None and (failed := failures.last(record)):
        failure = Failure(failed.step, failed.message, failed.problems)
    announced = {cell for cell in built.matrix if cell.kind in {dist.kind for dist in built.dists}}
    return Facts(
        built=built,
        steps=steps(record, failure, dry=dry),
        files=files,
        metadata=next((file.archive.metadata for file in first if file.archive), None),
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
