"""`status`: what is said of HEAD, of the last dry run and of a step that failed, beside the table."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.cli import chain
from seatrial.index.conflicts import explained
from seatrial.index.holdings import OtherBytes
from seatrial.machine.errors import ReleaseError
from seatrial.project.predecessor import VerifiedNotReleased
from seatrial.release.failures import FAILED
from seatrial.release.record import StageMissing
from seatrial.release.stages import Cell, Problem
from seatrial.report import status as report
from seatrial.report.text import Failure
from seatrial.steps import status
from seatrial.steps.pypi import OtherVersion
from seatrial.steps.work.check import NotReady
from tests.projects import commit, git, write_tree
from tests.samples.releases import CELLS, release_in
from tests.samples.stages import BUILT, CHECKED, REHEARSED, RELEASED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.project.context import Context
    from tests.samples.releases import Release


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    with release_in(tmp_path, in_git=True) as made:
        yield made


def lines(release: Release, **options: Any) -> list[str]:
    """Return what the step shows."""
    release.lines.clear()
    status.run(release.at(**options))
    return release.lines


def raised(release: Release, version: str = "1.1") -> str:
    """Raise the version of the project, commit, and return the commit as it is shown."""
    path = release.root / "pyproject.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('version = "1.0"', f'version = "{version}"'), "utf-8")
    return commit(release.root)[:7]


def test_where_the_version_is_not_written_down_the_commit_alone_is_named(release: Release) -> None:
    release.write(BUILT)
    write_tree(release.root, {"pyproject.toml": '[project]\nname = "demo"\ndynamic = ["version"]\n'})
    short = commit(release.root)[:7]
    assert f"HEAD is {short}, not built yet" in lines(release)


@pytest.mark.parametrize(
    ("failure", "outcome"), [(None, "passed"), (Failure("check", "It is broken."), "failed in `check`")]
)
def test_the_last_dry_run_is_told(release: Release, failure: Failure | None, outcome: str) -> None:
    release.write(BUILT)
    assert not any("dry run" in line for line in lines(release))
    report.dry(release.context, release.record, "testpypi", failure)
    (line,) = [line for line in lines(release) if "dry run" in line]
    assert line.startswith("last dry run 20")
    assert line.endswith(f"Z: demo 1.0 {outcome}")


def test_after_a_dry_run_that_passed_the_next_command_is_the_one_that_it_said(release: Release, tmp_path: Path) -> None:
    with release_in(tmp_path / "dry") as dry:
        dry.write(BUILT)
        report.dry(release.context, dry.record, "dryrun", Failure("check", "It is broken."))
        assert lines(release)[-1] == "next: nox -s build"
        report.dry(release.context, dry.record, "testpypi")
    assert lines(release)[-1] == "next: nox -s testpypi"
    release.write(BUILT)
    assert lines(release)[-1] == "next: nox -s testpypi"
    with pytest.raises(StageMissing):
        chain.act("testpypi", release.context)
    assert lines(release)[-1] == "next: nox -s check"


def test_where_a_release_is_finished_the_next_one_is_what_is_next(release: Release) -> None:
    release.write(BUILT, CHECKED, REHEARSED)
    release.verified(*CELLS)
    release.write(RELEASED)
    assert not any(line.startswith("next: ") for line in lines(release))
    raised(release)
    assert lines(release)[-1] == "next: nox -s build"
    report.dry(release.context, release.record, "testpypi")
    assert lines(release)[-1] == "next: nox -s testpypi"


def test_a_step_that_failed_is_called_so_until_it_passes(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    release.write(BUILT)
    with pytest.raises(ReleaseError):  # nothing is checked, so it stops
        chain.act("testpypi", release.context)
    shown = "\n".join(lines(release))
    assert "  failed   testpypi" in shown
    assert StageMissing("checked", "check").text(release.context.commands).partition("\n")[0] in shown
    monkeypatch.setattr("seatrial.steps.testpypi.run", lambda _: None)
    chain.act("testpypi", release.context)
    assert "  failed   " not in "\n".join(lines(release))


def test_a_later_attempt_that_was_refused_hides_no_step_that_is_done(release: Release) -> None:
    release.proved()
    release.write(CHECKED)
    raised(release)
    with pytest.raises(VerifiedNotReleased):
        chain.act("build", release.context)
    shown = lines(release)
    assert "  done     build" in "\n".join(shown)
    assert shown[-1] == "next: nox -s pypi"
    release.write(RELEASED)
    with pytest.raises(OtherVersion):
        chain.act("pypi", release.at(yes="2.0"))
    assert "  failed   " not in "\n".join(lines(release))


@pytest.mark.parametrize(("step", "command"), [("testpypi", "verify"), ("pypi", "verify -- --rebuild")])
def test_a_version_that_is_spent_is_told_and_needs_another_release(
    release: Release, monkeypatch: pytest.MonkeyPatch, step: str, command: str
) -> None:
    def run(_: Context) -> None:
        indexes, met = release.context.settings.indexes, OtherBytes("PyPI", "demo", "1.0", (), "the page")
        raise explained(met, "demo", "1.0", indexes=indexes, step=step, commands=release.context.commands)

    release.write(BUILT, CHECKED)
    if step == "pypi":
        release.write(REHEARSED)
        release.verified(*CELLS)
    release.serve("pypi")
    monkeypatch.setattr(f"seatrial.steps.{step}.run", run)
    with pytest.raises(OtherBytes) as error:
        chain.act(step, release.context)
    cure = f"set the next version (1.0.1 is free on both indexes), commit, and run `nox -s {command}`."
    assert cure in error.value.text(release.context.commands)
    assert lines(release)[-2:] == ["1.0 is spent: set the next version, and commit", f"next: nox -s {command}"]


def test_what_check_finds_later_counts(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: Context) -> None:
        raise NotReady((Problem("index-other-bytes", "error", "release", "PyPI has other files"),))

    release.write(BUILT, CHECKED)
    monkeypatch.setattr("seatrial.steps.check.run", run)
    with pytest.raises(NotReady):
        chain.act("check", release.context)
    assert lines(release)[-1] == "next: nox -s check"


@pytest.mark.parametrize(("cells", "following"), [(CELLS, "pypi"), (CELLS[1:], "verify")])
def test_verify_is_done_when_all_cells_are(release: Release, cells: tuple[Cell, ...], following: str) -> None:
    release.write(BUILT, CHECKED, REHEARSED)
    release.verified(*cells)
    write_tree(release.record.folder, {FAILED: json.dumps({"step": "verify", "at": "", "message": "It stopped."})})
    assert lines(release)[-1] == f"next: nox -s {following}"


def test_what_stopped_it_stays_among_the_findings_of_the_report(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_: Context) -> None:
        raise NotReady((Problem("metadata-name", "error", "demo-1.0.tar.gz", "there is no Name"),))

    release.write(BUILT)
    monkeypatch.setattr("seatrial.steps.check.run", run)
    with pytest.raises(NotReady):
        chain.act("check", release.context)
    lines(release)
    page = (release.record.folder / "report.html").read_text(encoding="utf-8")
    assert "there is no Name" in page
    assert "not checked yet" not in page


def test_a_failure_that_cannot_be_kept_or_read_hides_nothing(release: Release) -> None:
    release.write(BUILT)
    (release.record.folder / FAILED).mkdir()
    with pytest.raises(StageMissing):
        chain.act("testpypi", release.context)
    assert "  failed   " not in "\n".join(lines(release))


def test_before_a_build_no_failure_is_kept(release: Release) -> None:
    with pytest.raises(StageMissing):
        chain.act("check", release.context)
    assert not (release.record.folder / FAILED).exists()


def test_the_options_that_are_needed_again_stand_in_the_next_command(release: Release) -> None:
    release.write(BUILT, CHECKED)
    shown = lines(release, rehearse_on="TestPyPI is down")
    assert shown[-1] == 'next: nox -s testpypi -- --rehearse-on dryrun "TestPyPI is down"'


def test_a_rehearsal_here_needs_its_option_again_in_another_command(release: Release) -> None:
    """Who asks later need not know that the rehearsal was one of this machine: the record does."""
    local = "http://127.0.0.1:9/simple/"
    release.write(BUILT, CHECKED)
    release.write(REHEARSED, index=local, reason="TestPyPI is down")
    assert lines(release)[-1] == 'next: nox -s verify -- --rehearse-on dryrun "TestPyPI is down"'
    release.verified(*CELLS, index=local)
    assert lines(release)[-1] == 'next: nox -s pypi -- --rehearse-on dryrun "TestPyPI is down"'
    release.write(RELEASED)
    assert not any(line.startswith("next: ") for line in lines(release))


def test_where_the_setting_says_so_no_option_is_needed(release: Release) -> None:
    release.write(BUILT, CHECKED)
    release.write(REHEARSED, index="http://127.0.0.1:9/simple/", reason='rehearse-on = "dryrun" in [tool.seatrial]')
    settings = replace(release.context.settings, rehearse_on="dryrun")
    release.lines.clear()
    status.run(replace(release.context, settings=settings))
    assert release.lines[-1] == "next: nox -s verify"


def test_in_a_shallow_clone_the_record_alone_is_shown(release: Release, tmp_path: Path) -> None:
    """As in the job of CI that collects the records."""
    release.write(BUILT)
    commit(release.root)
    clone = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", release.root.as_uri(), str(clone))
    shutil.copytree(release.record.folder, clone / "release-record")
    release.context = replace(release.context, root=clone)
    shown = lines(release)
    assert any(line.startswith("demo 1.0") for line in "\n".join(shown).splitlines())
    assert not any(line.startswith("HEAD is") for line in shown)
