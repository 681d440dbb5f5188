"""`verify`: what the index serves, installed as a stranger would, in environments that were never used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.machine.errors import ReleaseError
from seatrial.project.pythons import KNOWN_PYTHONS, PythonMissing
from seatrial.release.stages import Built, Cell, Rehearsed
from seatrial.report import status
from seatrial.steps.testpypi import elsewhere, kept, rehearsal
from seatrial.trial import interpreters
from seatrial.workspace import siblings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.project.context import Context
    from seatrial.workspace.siblings import Sibling


class NoSuchCell(ReleaseError):
    python: str
    known: tuple[str, ...]

    what = "Python {e.python} is not in the matrix of this release."
    cause = "`pythons` in [tool.seatrial], or what the project says it supports, leaves it out."
    cure = "choose one of {e.known:joined}, or add it to `pythons`."


def run(context: Context) -> None:
    """Verify each cell of the matrix that is not verified yet, as many at once as there are processors.

    Raises StageMissing, RehearsedElsewhere, NoSuchCell, PythonMissing, and what makes a file fail in a cell.
    """
    context.record.prepare()
    with context.screen.step("verify") as step:
        step.summary = _summary(*_verified(context))
    status.close(replace(context, last=context.last and not _is_followed(context)))


def _is_followed(context: Context) -> bool:
    """Whether nox, which runs each cell by itself, has another cell to run after this one: it ends with the table."""
    if context.options.environment is None:
        return False
    kinds = {dist.kind for dist in context.record.recorded(Built).dists}
    done = {verified.cell for verified in context.record.verified()}
    left = {cell.python for cell in context.settings.cells if cell.kind in kinds and cell not in done}
    return any(interpreters.find(python, context.uv) for python in left)


def _verified(context: Context) -> tuple[list[Cell], list[Cell]]:
    """Verify what is not verified yet; return the cells that are verified now, and those whose Python is missing."""
    built, rehearsed = context.record.recorded(Built), context.record.read(Rehearsed)
    if not context.counts(rehearsed.index):
        if finished := kept(context, rehearsed):
            context.say(finished)
            return [], []
        raise elsewhere(context, "verify", rehearsed)
    beside = siblings.of(context, built)
    cells = _cells(context, rehearsed)
    left = [cell for cell in cells if not _is_done(context, beside, rehearsed, cell)]
    here = _here(context, left, some_are_done=len(left) < len(cells)) if left else []
    if here:
        from seatrial.steps.work import verify as work  # noqa: PLC0415 (only where there is something to do)

        with rehearsal(context, _held(context, built, beside)) as (index, _):
            work.verify(context, built, rehearsed, index, here)
    return [cell for cell in cells if cell in here or cell not in left], [cell for cell in left if cell not in here]


def _summary(verified: Sequence[Cell], missing: Sequence[Cell]) -> str:
    cells = ", ".join(f"{cell.python} {cell.kind}" for cell in verified) or "nothing to verify"
    absent = list(dict.fromkeys(cell.python for cell in missing))
    if not absent:
        return cells
    return f"{cells}; {' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not on this machine"


def _cells(context: Context, rehearsed: Rehearsed) -> list[Cell]:
    """Return the cells that are asked for, those of a kind that the release lacks left out. Raises NoSuchCell."""
    options, settings = context.options, context.settings
    if options.python is not None and options.python not in settings.pythons:
        raise NoSuchCell(options.python, settings.pythons)
    cells = [
        cell for cell in settings.cells if options.python in {None, cell.python} and options.kind in {None, cell.kind}
    ]
    kinds = {dist.kind for dist in rehearsed.dists}
    for kind in sorted({cell.kind for cell in cells} - kinds):
        context.detail(f"{rehearsed.project} {rehearsed.version} has no {kind}")
    return [cell for cell in cells if cell.kind in kinds]


def _is_done(context: Context, beside: Sequence[Sibling], rehearsed: Rehearsed, cell: Cell) -> bool:
    """Say and return whether `cell` is verified already, with what is released together with it still."""
    label = f"{rehearsed.project} {rehearsed.version} ({cell.kind}, Python {cell.python})"
    needs_lowest = context.settings.tries_lowest(cell)
    done = any(
        verified.cell == cell
        and context.counts(verified.index)
        and (verified.lowest or not needs_lowest)
        and not any(siblings.others_than(sibling, verified) for sibling in beside)
        for verified in context.record.verified()
    )
    if done:
        context.detail(f"{label} is verified already")
    return done


def _held(context: Context, built: Built, beside: Sequence[Sibling]) -> tuple[Path, ...]:
    """Return the files that a stand-in on this machine has to serve: the release's, and those of its siblings."""
    records = [(context.record, built), *((sibling.record, sibling.built) for sibling in beside)]
    return tuple(record.dist / dist.filename for record, stage in records for dist in stage.dists)


def _here(context: Context, cells: Sequence[Cell], *, some_are_done: bool) -> list[Cell]:
    """Return those of `cells` whose Python is on this machine.

    Raises PythonMissing where one is missing in CI, and elsewhere where all are and no other cell is done.
    """
    if context.options.environment:
        return list(cells)
    pythons = dict.fromkeys(cell.python for cell in cells)
    missing = tuple(python for python in pythons if not interpreters.find(python, context.uv))
    if missing and (context.in_ci or (len(missing) == len(pythons) and not some_are_done)):
        raise PythonMissing(missing, interpreters.here(KNOWN_PYTHONS, context.uv))
    return [cell for cell in cells if cell.python not in missing]
