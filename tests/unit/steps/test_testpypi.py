"""`testpypi`: what is uploaded to the rehearsal index, what is not, and where a rehearsal counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.index.credentials import BadCredential
from seatrial.index.tokens import make
from seatrial.project.context import DryRun
from seatrial.release.record import StageMissing
from seatrial.release.stages import Rehearsed
from seatrial.steps import pypi, testpypi
from seatrial.steps.preflight import Dirty
from seatrial.steps.testpypi import PatternUnfit
from tests.projects import write_tree
from tests.samples.releases import release_in
from tests.samples.stages import AT, BUILT, CHECKED, REHEARSED, RELEASED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.release.stages import Stage
    from tests.samples.releases import Release


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    with release_in(tmp_path) as made:
        yield made


@pytest.fixture
def in_git(tmp_path: Path) -> Iterator[Release]:
    with release_in(tmp_path, in_git=True) as made:
        yield made


def test_checked_files_are_uploaded_and_what_the_index_serves_is_recorded(release: Release) -> None:
    release.write(BUILT, CHECKED)
    testpypi.run(release.context)
    assert release.held("testpypi") == release.dists
    assert release.held("pypi") == ()
    rehearsed = release.record.read(Rehearsed)
    assert (rehearsed.index, rehearsed.dists, rehearsed.reason) == (release.testpypi.simple, release.dists, None)
    assert [url.rpartition("/")[2].partition("#")[0] for url in rehearsed.urls] == [d.filename for d in release.dists]
    assert "credential: TESTPYPI_TOKEN, a token of the stand-in" in release.shown
    assert "2 files on TestPyPI, hashes as built: https://test.pypi.org/project/demo/1.0/" in release.shown
    assert [token for token in release.standins.tokens.values() if token in release.shown] == []


def test_a_pattern_that_fits_no_file_stops_it_before_the_upload(release: Release) -> None:
    release.write(BUILT, CHECKED)
    with pytest.raises(PatternUnfit) as error:
        testpypi.run(release.at(changes={"require_verified": ("*.whl", "*.zip")}))
    assert "has a pattern that matches no file of the release:\n  *.zip\n" in str(error.value)
    assert release.held("testpypi") == ()
    release.proved()
    with pytest.raises(PatternUnfit):
        pypi.proved(release.at(changes={"require_verified": ("*.zip",)}))


@pytest.mark.parametrize(("stages", "missing"), [((), "built"), ((BUILT,), "checked")])
def test_what_is_not_checked_is_not_uploaded(release: Release, stages: tuple[Stage, ...], missing: str) -> None:
    release.write(*stages)
    with pytest.raises(StageMissing) as error:
        testpypi.run(release.context)
    assert error.value.stage == missing
    assert release.held("testpypi") == ()


def test_a_rehearsal_on_record_is_not_repeated(release: Release) -> None:
    release.write(BUILT, CHECKED, REHEARSED)
    testpypi.run(release.context)
    assert release.held("testpypi") == ()
    assert f"demo 1.0 has been on TestPyPI since {AT}" in release.shown


def test_a_rehearsal_on_another_index_does_not_count(release: Release) -> None:
    release.write(BUILT, CHECKED)
    release.write(REHEARSED, index="http://127.0.0.1:9/simple/")
    release.serve("testpypi")
    testpypi.run(release.context)
    assert release.record.read(Rehearsed).index == release.testpypi.simple


def test_a_dirty_tree_is_not_uploaded_and_its_changes_are_named(in_git: Release) -> None:
    write_tree(in_git.root, {"src/demo/new.py": ""})
    in_git.write(BUILT, dirty=True)
    in_git.write(CHECKED)
    with pytest.raises(Dirty) as error:
        testpypi.run(in_git.context)
    assert error.value.files == ("src/demo/new.py",)
    assert "1 uncommitted change would not be in the release, so nothing is uploaded:" in str(error.value)
    assert in_git.held("testpypi") == ()


def test_files_of_a_dirty_tree_stay_refused_when_it_is_clean_again(in_git: Release) -> None:
    in_git.write(BUILT, dirty=True)
    in_git.write(CHECKED)
    with pytest.raises(Dirty) as error:
        testpypi.run(in_git.context)
    assert error.value.files == ("(the tree was dirty when `build` ran)",)


def test_a_dry_run_takes_files_of_a_dirty_tree(release: Release) -> None:
    release.write(BUILT, dirty=True)
    release.write(CHECKED)
    release.serve("testpypi")
    testpypi.run(replace(release.context, dry=DryRun(release.root)))
    assert release.record.find(Rehearsed)


def test_with_the_token_of_the_other_index_nothing_is_uploaded(release: Release) -> None:
    release.write(BUILT, CHECKED)
    with pytest.raises(BadCredential):
        testpypi.run(replace(release.context, variables={"TESTPYPI_TOKEN": make("pypi.localhost")}))
    assert release.held("testpypi") == ()
    assert release.record.find(Rehearsed) is None


def test_on_this_machine_a_stand_in_takes_the_place_of_the_index(release: Release) -> None:
    release.write(BUILT, CHECKED)
    testpypi.run(release.at(rehearse_on="TestPyPI is down"))
    rehearsed = release.record.read(Rehearsed)
    assert rehearsed.reason == "TestPyPI is down"
    assert rehearsed.index not in {release.testpypi.simple, release.pypi.simple}
    assert release.held("testpypi") == ()
    assert "rehearsal: a stand-in on this machine, not TestPyPI (TestPyPI is down)" in release.shown
    testpypi.run(release.at(rehearse_on="still down"))
    assert "has been on a stand-in on this machine, not TestPyPI (TestPyPI is down) since" in release.shown


def test_the_rehearsal_of_a_finished_release_is_not_replaced_by_another(release: Release) -> None:
    release.write(BUILT, CHECKED, REHEARSED, RELEASED)
    rehearsed = release.record.read(Rehearsed)
    testpypi.run(release.at(rehearse_on="once more"))
    assert release.record.read(Rehearsed) == rehearsed
    assert "demo 1.0 is released; its rehearsal on TestPyPI stays on record" in release.shown
