from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.cli import chain
from seatrial.cli.main import STEPS
from seatrial.release import failures
from seatrial.release.record import StageMissing
from tests.projects import write_tree
from tests.samples.contexts import make_context
from tests.samples.stages import BUILT, FILES

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.project.context import Context

ALL_FOUR = ("build", "check", "testpypi", "verify")


@pytest.mark.parametrize(
    ("step", "steps"),
    [
        ("build", ALL_FOUR[:1]),
        ("check", ALL_FOUR[:2]),
        ("testpypi", ALL_FOUR[:3]),
        ("verify", ALL_FOUR),
        *((step, (step,)) for step in STEPS if step not in ALL_FOUR),  # `pypi` above all: it never builds
    ],
)
def test_a_step_comes_after_those_that_it_requires(step: str, steps: tuple[str, ...]) -> None:
    assert chain.through(step) == steps


@pytest.mark.parametrize("last", [True, False])
def test_only_the_step_that_was_asked_for_is_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, last: bool
) -> None:
    ran: list[tuple[str, bool]] = []

    def act(step: str, context: Context) -> None:
        ran.append((step, context.last))

    monkeypatch.setattr(chain, "act", act)
    chain.run(("build", "check"), make_context(tmp_path, last=last))
    assert ran == [("build", False), ("check", last)]


def test_what_fails_stops_those_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def act(step: str, _context: Context) -> None:
        ran.append(step)
        raise ZeroDivisionError

    monkeypatch.setattr(chain, "act", act)
    with pytest.raises(ZeroDivisionError):
        chain.run(("build", "check"), make_context(tmp_path))
    assert ran == ["build"]


def test_every_step_has_its_module() -> None:
    from importlib import import_module  # noqa: PLC0415

    for step in set(STEPS) - {"adopt", "inspect"}:
        assert callable(import_module(f"seatrial.steps.{step}").run)


def test_a_step_that_failed_is_kept_beside_the_record_until_it_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Context) -> None:
        raise StageMissing("checked", "check")

    context = make_context(tmp_path)
    monkeypatch.setattr("seatrial.steps.testpypi.run", fail)
    with pytest.raises(StageMissing):
        chain.act("testpypi", context)
    assert failures.last(context.record) is None  # nothing is built
    write_tree(tmp_path / "dist", FILES)
    context.record.write(BUILT)
    for _ in range(2):
        with pytest.raises(StageMissing):
            chain.act("testpypi", context)
        failed = failures.last(context.record)
        assert failed is not None
        assert failed.step == "testpypi"
        assert failed.message.startswith("Nothing is recorded as checked")
    monkeypatch.setattr("seatrial.steps.build.run", lambda _: None)
    chain.act("build", context)
    assert failures.last(context.record)
    shown = []
    monkeypatch.setattr("seatrial.steps.testpypi.run", lambda its: shown.append(failures.last(its.record)))
    chain.act("testpypi", context)
    assert shown == [None]  # at its end a step shows where the release stands
    assert failures.last(context.record) is None


def test_that_a_step_without_a_record_failed_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Context) -> None:
        raise StageMissing("built", "build")

    context = make_context(tmp_path)
    write_tree(tmp_path / "dist", FILES)
    context.record.write(BUILT)
    monkeypatch.setattr("seatrial.steps.status.run", fail)
    with pytest.raises(StageMissing):
        chain.act("status", context)
    assert failures.last(context.record) is None
