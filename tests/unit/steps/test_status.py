"""`status`: what is shown of a release, of HEAD and of the last dry run, without asking an index."""

from __future__ import annotations

import json
import shutil
import webbrowser
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from seatrial.release.stages import Cell
from seatrial.report import status as report
from seatrial.report.text import PAGE
from seatrial.steps import status
from tests.archives import WHEEL, wheel
from tests.projects import commit, write_tree
from tests.samples.releases import release_in
from tests.samples.stages import BUILT, CHECKED, REHEARSED, RELEASED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.samples.releases import Release


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    with release_in(tmp_path, in_git=True) as made:
        yield made


def test_where_nothing_is_built_the_first_command_is_shown(release: Release) -> None:
    status.run(release.context)
    folder = release.record.folder
    assert release.lines == [f"{release.root.name}: {folder}", "nothing is built yet", "next: nox -s build"]


def test_without_a_release_it_is_the_report_of_the_dry_run_that_is_opened(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    status.run(release.at(open=True))
    assert (opened, release.lines[-2]) == ([], "there is no report to open yet: nox -s dryrun leaves one")
    page = report.dry_folder(release.context) / PAGE
    write_tree(page.parent, {page.name: ""})
    status.run(release.context)
    assert opened == []
    status.run(release.at(open=True))
    assert opened == [page.as_uri()]
    assert f"report: {page}" in release.lines


def test_a_release_is_shown_with_its_files_and_the_next_command(release: Release) -> None:
    release.write(BUILT, CHECKED)
    status.run(release.context)
    assert "demo 1.0 done build" in release.shown
    assert f"{WHEEL} " in release.shown
    assert release.lines[-1] == "next: nox -s testpypi"
    assert "HEAD is" not in release.shown
    assert release.faults.reads == 0


@pytest.mark.parametrize("version", ["1.1", None])
def test_a_head_that_moved_on_is_named_with_its_version_and_so_are_uncommitted_changes(
    release: Release, version: str | None
) -> None:
    release.write(BUILT)
    said = f'version = "{version}"' if version else 'dynamic = ["version"]'
    write_tree(release.root, {"pyproject.toml": f'[project]\nname = "demo"\n{said}\n'})
    head = commit(release.root)[:7]
    write_tree(release.root, {"src/demo/new.py": ""})
    status.run(release.context)
    assert f"HEAD is {f'{version} ({head})' if version else head}, not built yet" in release.shown
    assert "1 uncommitted change is not in this build: src/demo/new.py. Commit it first." in release.shown


def test_the_last_dry_run_is_shown(release: Release) -> None:
    left = report.LastDryRun("2024-05-06T07:08:09Z", "demo 1.0", "check", "dryrun")
    write_tree(report.dry_folder(release.context), {report.LAST: json.dumps(asdict(left))})
    status.run(release.context)
    assert "last dry run 2024-05-06T07:08:09Z: demo 1.0 failed in `check`" in release.shown
    write_tree(report.dry_folder(release.context), {report.LAST: "{}"})
    release.lines.clear()
    status.run(release.context)
    assert "dry run" not in release.shown


def test_the_verdict_on_each_of_several_wheels_is_shown(release: Release) -> None:
    wheel(release.record.dist, filename="demo-1.0-cp313-cp313-win_amd64.whl")
    release.write(BUILT, REHEARSED)
    release.verified(Cell("3.13", "wheel"), filename=WHEEL)
    status.run(release.context)
    assert "files: demo-1.0-cp313-cp313-win_amd64.whl: not verified here" in release.shown


def test_files_that_are_gone_or_changed_are_told(release: Release) -> None:
    release.proved()
    release.write(CHECKED)
    path = release.record.dist / WHEEL
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    status.run(release.context)
    assert f"does not contain the files that were built: {WHEEL}: expected sha256" in release.shown
    assert release.lines[-1] == "next: nox -s build -- --rebuild"
    shutil.rmtree(release.record.dist)
    status.run(release.context)
    assert f"{WHEEL}: expected sha256" in release.lines[-2]
    assert release.lines[-1] == "next: nox -s build -- --rebuild"
    release.record.dist.touch()
    status.run(release.context)
    assert "has to be a folder" in release.lines[-2]


def test_what_lies_beside_the_files_is_told_before_the_next_command(release: Release) -> None:
    release.proved()
    release.write(CHECKED)
    write_tree(release.record.dist, {"other.whl": ""})
    status.run(release.context)
    assert "so move other.whl to another folder" in release.lines[-2]
    assert release.lines[-1] == "next: nox -s pypi"


def test_files_that_were_released_may_be_gone(release: Release) -> None:
    release.proved()
    release.write(CHECKED, RELEASED)
    shutil.rmtree(release.record.dist)
    status.run(release.context)
    assert "does not contain" not in release.shown


# Compared with the indexes: see test_remote.py.


def compare(release: Release) -> None:
    status.run(release.at(remote=True))


@pytest.mark.parametrize("state", ["archived", "quarantined"])
def test_a_project_that_is_closed_is_said_to_be_so(release: Release, state: str) -> None:
    release.write(BUILT)
    release.serve("pypi")
    release.standins.apps["pypi"].state.statuses["demo"] = (state, "")
    compare(release)
    if state == "archived":
        assert "PyPI: 2 of 2 files, identical; the project is archived" in release.shown
    assert ("yank it, and release the next version" in release.shown) == (state == "archived")


def test_how_to_yank_is_not_said_of_what_is_yanked(release: Release) -> None:
    release.write(BUILT)
    release.serve("pypi")
    yanked = {dist.filename: "broken" for dist in release.dists}
    release.standins.apps["pypi"].state.yanked |= yanked
    compare(release)
    assert "PyPI: 2 of 2 files, identical, 2 yanked" in release.shown
    assert "yank it" not in release.shown


def test_a_release_without_git_and_without_pages_has_no_tag_and_a_plain_place_to_yank(tmp_path: Path) -> None:
    with release_in(tmp_path) as release:
        release.write(BUILT)
        release.serve("pypi")
        release.context = release.context.with_settings(
            replace(release.context.settings, pypi=replace(release.pypi, pages=""))
        )
        compare(release)
        assert "tag: none, it was built without git" in release.shown
        assert "page of this release on PyPI" in release.shown
