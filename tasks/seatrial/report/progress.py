"""How far a release is: the five stages, as the record has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from seatrial.index.indexes import is_loopback
from seatrial.release.stages import Built, Checked, Rehearsed, Released

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.release.record import Record
    from seatrial.release.stages import Stage

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
