"""What a rehearsal of a finished release is stays: another one does not take its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.steps import testpypi, verify
from seatrial.steps.testpypi import RehearsedElsewhere
from tests.samples.releases import CELLS, release_in
from tests.samples.stages import BUILT, CHECKED, REHEARSED, RELEASED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.samples.releases import Release

HERE = {"index": "http://127.0.0.1:9/simple/", "reason": "TestPyPI is down"}


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    with release_in(tmp_path) as made:
        made.write(BUILT, CHECKED, REHEARSED)
        made.verified(*CELLS)
        made.write(RELEASED)
        yield made


def content(release: Release) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in release.record.folder.glob("*.json")}


def test_a_rehearsal_here_does_not_overwrite_the_record_of_a_finished_release(release: Release) -> None:
    before = content(release)
    testpypi.run(release.at(rehearse_on="once more"))
    assert "demo 1.0 is released; its rehearsal on TestPyPI stays on record" in release.shown
    verify.run(release.at(rehearse_on="once more"))
    assert content(release) == before
    assert release.held("testpypi") == ()


def test_nor_does_one_on_the_index_where_this_machine_was_the_rehearsal(release: Release) -> None:
    release.record.path(RELEASED).unlink()
    release.write(REHEARSED, **HERE)
    release.verified(*CELLS, index=HERE["index"])
    release.write(RELEASED)
    before = content(release)
    testpypi.run(release.at())
    assert "its rehearsal on a stand-in on this machine, not TestPyPI (TestPyPI is down) stays" in release.shown
    verify.run(release.at())
    assert content(release) == before


def test_before_the_release_it_does(release: Release) -> None:
    release.record.path(RELEASED).unlink()
    with pytest.raises(RehearsedElsewhere):
        verify.run(release.at(rehearse_on="once more"))
    testpypi.run(release.at(rehearse_on="once more"))
    rehearsed = release.record.find(type(REHEARSED))
    assert rehearsed is not None
    assert rehearsed.reason == "once more"
