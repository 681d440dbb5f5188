"""How far each of the five steps of a release is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from seatrial.machine.values import Value
from seatrial.release import failures
from seatrial.release.stages import Built, Checked, Problem, Rehearsed, Released, Stage
from seatrial.report import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.release.record import Record

State = Literal["done", "part", "open", "failed"]
PAGE, SUMMARY = "report.html", "report.md"  # in the folder of the record
WORDS: Mapping[State, str] = {"done": "done", "part": "in part", "open": "not yet", "failed": "failed"}


class Failure(Value):
    """Why the step `name` failed, which no record holds: an error's text, the problems that `check` stops for."""

    name: str
    message: str = ""
    problems: tuple[Problem, ...] = ()


class Step(Value):
    """One of the five steps of a release: how far it is, when that was (UTC, ISO 8601), and its result in a line."""

    name: str
    state: State
    at: str = ""
    summary: str = ""


def steps(record: Record, failure: Failure | None = None, *, dry: bool = False) -> tuple[Step, ...]:
    """Return how far each of the five steps is, as recorded, and that one of them failed."""
    built, verified = record.find(Built), record.verified()
    if failure is None and (failed := failures.last(record)):
        failure = Failure(failed.step, failed.message, failed.problems)
    announced = {cell for cell in built.matrix if cell.kind in {dist.kind for dist in built.dists}} if built else set()
    done = {proof.cell for proof in verified}
    verify = _step("verify", max(verified, key=lambda proof: proof.at, default=None), dry=dry)
    if verified:
        state: State = "done" if announced <= done else "part"
        verify = Step("verify", state, verify.at, f"{len(done)} of {len(announced | done)} cells")
    if broken := [f"{one.python} {one.kind}" for one in failures.cells(record)]:
        verify = Step("verify", "failed", verify.at, f"{', '.join(broken)}{f'; {verify.summary}' if verified else ''}")
    recorded = (
        _step("build", built, dry=dry),
        _step("check", record.find(Checked), dry=dry),
        _step("testpypi", record.find(Rehearsed), dry=dry),
        verify,
        _step("pypi", record.find(Released), dry=dry),
    )
    if failure is None:
        return recorded
    said = failure.message.partition("\n")[0].removesuffix(":")  # of a list that is not shown here
    summary = text.counted(failure.problems) or said
    return tuple(
        Step(step.name, "failed", "", summary or step.summary) if step.name == failure.name else step
        for step in recorded
    )


def _step(name: str, stage: Stage | None, *, dry: bool) -> Step:
    return Step(name, "done", stage.at, text.summary(stage, dry=dry)) if stage else Step(name, "open")
