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

    from seatrial.project.context import Context


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
        verified, missing = _verified(context)
        step.summary = ", ".join(f"{cell.python} {cell.kind}" for cell in verified) or "nothing to verify"
        if absent := list(dict.fromkeys(cell.python for cell in missing)):
            step.summary += f"; {' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not on this machine"
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
    pythons = () if context.options.environment else tuple(dict.fromkeys(cell.python for cell in left))
    missing = tuple(python for python in pythons if not interpreters.find(python, context.uv))
    has_none = len(missing) == len(pythons) and len(left) == len(cells)  # in CI every cell has to be there
    if missing and (has_none or context.in_ci):
        raise PythonMissing(missing, interpreters.here(KNOWN_PYTHONS, context.uv))
    here = [cell for cell in left if cell.python not in missing]
    if here:
        from seatrial.steps.work import verify as work  # noqa: PLC0415 (only where there is something to do)

        records = [(context.record, built), *((sibling.record, sibling.built) for sibling in beside)]
        held = tuple(record.dist / dist.filename for record, stage in records for dist in stage.dists)
        with rehearsal(context, held) as (index, _):
            work.verify(context, built, rehearsed, index, here)
    return [cell for cell in cells if cell in here or cell not in left], [cell for cell in left if cell not in here]


def _cells(context: Context, rehearsed: Rehearsed) -> list[Cell]:
    """Return the cells that are asked for, those of a kind that the release lacks left out. Raises NoSuchCell."""
    python, kind, settings = context.options.python, context.options.kind, context.settings
    if python is not None and python not in settings.pythons:
        raise NoSuchCell(python, settings.pythons)
    cells = [cell for cell in settings.cells if python in {None, cell.python} and kind in {None, cell.kind}]
    kinds = {dist.kind for dist in rehearsed.dists}
    for lacking in sorted({cell.kind for cell in cells} - kinds):
        context.detail(f"{rehearsed.project} {rehearsed.version} has no {lacking}")
    return [cell for cell in cells if cell.kind in kinds]


def _is_done(context: Context, beside: Sequence[siblings.Sibling], rehearsed: Rehearsed, cell: Cell) -> bool:
    """Say and return whether `cell` is verified already, with what is released together with it still."""
    needs_lowest = context.settings.tries_lowest(cell)
    done = any(
        verified.cell == cell
        and context.counts(verified.index)
        and (verified.lowest or not needs_lowest)
        and not any(siblings.others_than(sibling, verified) for sibling in beside)
        for verified in context.record.verified()
    )
    if done:
        label = f"{rehearsed.project} {rehearsed.version} ({cell.kind}, Python {cell.python})"
        context.detail(f"{label} is verified already")
    return done
