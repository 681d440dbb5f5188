from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.project.options import Commands
from seatrial.release import failures
from seatrial.release.record import Record, RunningAlready, StageMissing
from seatrial.release.stages import Cell
from tests.projects import write_tree
from tests.samples.stages import BUILT, FILES, REHEARSED, VERIFIED

if TYPE_CHECKING:
    from pathlib import Path

CELL = Cell("3.14", "wheel")


@pytest.fixture
def record(tmp_path: Path) -> Record:
    write_tree(tmp_path / "dist", FILES)
    made = Record.of(tmp_path)
    for stage in (BUILT, REHEARSED):
        made.write(stage)
    return made


def fail(record: Record, cell: Cell = CELL) -> None:
    error = StageMissing("checked", "check")
    with pytest.raises(StageMissing), failures.trying(record, cell, Commands(nox=True), StageMissing):
        raise error


def test_a_cell_that_failed_is_kept_until_it_is_verified(record: Record) -> None:
    assert failures.cells(record) == ()
    fail(record)
    fail(record, Cell("3.10", "sdist"))
    sdist, wheel = failures.cells(record)
    assert (sdist.python, sdist.kind, wheel.python, wheel.kind) == ("3.10", "sdist", "3.14", "wheel")
    assert wheel.message.startswith("Nothing is recorded as checked for this release.\n")
    assert "run `nox -s check` first" in wheel.message
    record.write(replace(VERIFIED, python=CELL.python, kind=CELL.kind))
    assert failures.cells(record) == (sdist,)


def test_a_cell_that_was_not_tried_to_the_end_says_nothing(record: Record) -> None:
    with pytest.raises(KeyboardInterrupt), failures.trying(record, CELL, Commands(nox=True), StageMissing):
        raise KeyboardInterrupt
    assert failures.cells(record) == ()


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 1}', '{"schema": 1, "python": 3}'])
def test_what_cannot_be_read_says_nothing(record: Record, text: str) -> None:
    write_tree(record.folder, {"failed-3.14-wheel.json": text, "failed.json": text})
    assert failures.cells(record) == ()
    assert failures.last(record) is None


def test_a_release_is_verified_if_a_cell_works_and_none_failed(record: Record) -> None:
    assert not failures.is_verified(record)
    record.write(VERIFIED)
    assert failures.is_verified(record)
    fail(record)
    assert not failures.is_verified(record)


def test_a_run_that_another_one_keeps_out_is_no_failure_of_the_release(record: Record) -> None:
    refused = pytest.raises(RunningAlready)
    with record.locked("release"), refused, failures.noting(record, "build", Commands()), record.locked("release"):
        pass
    assert not (record.folder / failures.FAILED).exists()


def test_what_failed_is_archived_with_the_record(record: Record) -> None:
    fail(record)
    assert record.move_aside(())
    assert failures.cells(record) == ()
