"""What failed of a release, kept beside its record: the step that failed last, and each cell that did not verify."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from seatrial.machine.disk import write_whole
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.release.record import SCHEMA, RunningAlready, now, read_if_whole
from seatrial.release.stages import Built, Cell, Checked, Kind, Problem, Rehearsed, Released

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.machine.errors import Commands
    from seatrial.release.record import Record

FAILED = "failed.json"


class Failed(Value):
    """The step that failed last, when (UTC, ISO 8601), the text of the error, and the problems that it is about.

    `spent` means that an index has other files of this version, so that it takes another one.
    """

    step: str
    at: str
    message: str
    problems: tuple[Problem, ...] = ()
    spent: bool = False


class FailedCell(Value):
    """A cell of the matrix that was tried last when (UTC, ISO 8601) and did not work, and the text of the error."""

    python: str
    kind: Kind
    at: str
    message: str


@contextlib.contextmanager
def noting(record: Record, step: str, commands: Commands) -> Iterator[None]:
    """Keep that `step` failed where an error leaves the context, for whoever asks where the release stands.

    That it failed before is forgotten first, since a table ends the step. It decides nothing. That another run has the
    record is no failure: it would be told of that run.
    """
    if (before := read_if_whole(record.folder / FAILED, Failed)) and before.step == step:
        (record.folder / FAILED).unlink(missing_ok=True)
    try:
        yield
    except RunningAlready:
        raise
    except ReleaseError as error:
        if record.path(Built).exists():
            facts = (getattr(error, "problems", ()), getattr(error, "spent", False))
            _write(record.folder / FAILED, Failed(step, now(), error.text(commands), *facts))
        raise


def last(record: Record) -> Failed | None:
    """Return what failed last and was not run since, None where that is not known.

    Where the record of that step stands, a later attempt was stopped before it changed anything, and tells nothing of
    this release. What `check` finds wrong later does.
    """
    failed = read_if_whole(record.folder / FAILED, Failed)
    return None if failed and not failed.problems and _stands(record, failed.step) else failed


def _stands(record: Record, step: str) -> bool:
    """Return whether `step` is done, as recorded."""
    if step == "verify" and (built := record.find(Built)):
        kinds = {dist.kind for dist in built.dists}
        done = {verified.cell for verified in record.verified()}
        return all(cell in done for cell in built.matrix if cell.kind in kinds)
    return any(kind.step == step and record.path(kind).exists() for kind in (Built, Checked, Rehearsed, Released))


@contextlib.contextmanager
def trying(record: Record, cell: Cell, commands: Commands, *errors: type[ReleaseError]) -> Iterator[None]:
    """Keep that `cell` failed where one of `errors` leaves the context.

    Until it is verified it stops `pypi`, and its release makes way for the next one.
    """
    try:
        yield
    except errors as error:
        failed = FailedCell(cell.python, cell.kind, now(), error.text(commands))
        _write(record.folder / f"failed-{cell.python}-{cell.kind}.json", failed)
        raise


def cells(record: Record) -> tuple[FailedCell, ...]:
    """Return the cells that failed and are not verified, here or by a record that was brought here."""
    done = {verified.cell for verified in record.verified()}
    found = (read_if_whole(path, FailedCell) for path in sorted(record.folder.glob("failed-*.json")))
    return tuple(one for one in found if one and Cell(one.python, one.kind) not in done)


def is_verified(record: Record) -> bool:
    """Return whether some cell was verified, and no other failed."""
    return bool(record.verified()) and not cells(record)


def _write(path: Path, failed: Failed | FailedCell) -> None:
    with contextlib.suppress(OSError):
        write_whole(path, json.dumps({"schema": SCHEMA} | asdict(failed), indent=2) + "\n")
