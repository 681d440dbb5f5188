"""When the report is written, and where it is left."""

from __future__ import annotations

import webbrowser
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.index.indexes import PYPI, TESTPYPI
from seatrial.project.settings import Config
from seatrial.release.record import Record, locked_file
from seatrial.release.stages import Problem
from seatrial.report import files, status
from seatrial.standin.standins import Standin
from tests.fakes import make_run
from tests.projects import write_tree
from tests.unit.test_record import BUILT, CHECKED, FILES, REHEARSED, RELEASED, SAMPLES, VERIFIED, WHEEL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.project.context import Run
    from seatrial.release.stages import Stage


@pytest.fixture
def run(tmp_path: Path) -> Run:
    write_tree(tmp_path / "dist", FILES)
    return make_run(tmp_path, name="check", prefix="release-")


def wrote(run: Run, stages: Sequence[Stage]) -> None:
    for stage in stages:
        run.record.write(stage)


def source(run: Run) -> str:
    return (run.record.folder / files.PAGE).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("stages", "name"),
    [
        ((), "build"),
        ((BUILT,), "check"),
        ((BUILT, CHECKED), "testpypi"),
        ((BUILT, CHECKED, REHEARSED), "verify"),
        ((BUILT, CHECKED, REHEARSED, VERIFIED), "pypi"),
        (SAMPLES, ""),
    ],
)
def test_the_next_command_is_that_of_the_first_stage_that_is_open(run: Run, stages: Sequence[Stage], name: str) -> None:
    wrote(run, stages)
    assert status.undone(run.record, run) == name
    assert status.following(run) == (f"nox -s release-{name}" if name else "")


def test_a_rehearsal_for_once_needs_its_option_again(tmp_path: Path) -> None:
    run = make_run(tmp_path, "--rehearse-on", "dryrun", "no network", name="testpypi")
    write_tree(tmp_path / "dist", FILES)
    assert status.following(run) == "nox -s build"
    wrote(run, (BUILT, CHECKED))
    assert status.following(run) == 'nox -s testpypi -- --rehearse-on dryrun "no network"'


def test_a_session_that_moved_the_release_on_shows_it_and_writes_the_report(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    wrote(run, (BUILT,))
    status.close(run)
    told = capsys.readouterr().out
    assert "  done  release-build     2024-05-06 07:08  2 files from c0ffee" in told
    assert f"report: {run.record.folder / 'report.html'}" in told
    assert "nox -s release-check" in source(run)
    assert (run.record.folder / "report.md").is_file()


def test_a_session_that_moved_nothing_says_and_writes_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    wrote(run, (BUILT,))
    status.close(run)
    before = (run.record.folder / files.PAGE).stat().st_mtime_ns
    capsys.readouterr()
    status.close(run)
    assert capsys.readouterr().out == ""
    assert (run.record.folder / files.PAGE).stat().st_mtime_ns == before


def test_nothing_built_is_shown_nowhere(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    status.close(run)
    assert capsys.readouterr().out == ""
    assert not (run.record.folder / files.PAGE).exists()


@pytest.mark.parametrize("name", [files.PAGE, files.SUMMARY])
def test_a_report_that_is_gone_or_older_than_the_record_is_written_anew(run: Run, name: str) -> None:
    wrote(run, (BUILT,))
    status.status(run)
    assert files.is_current(run.record)
    (run.record.folder / name).unlink()
    assert not files.is_current(run.record)
    status.status(run)
    wrote(run, (CHECKED,))
    assert not files.is_current(run.record)
    status.status(run)
    assert "1 warning" in source(run)
    (run.record.folder / files.PAGE).write_text("no report", encoding="utf-8")
    assert not files.is_current(run.record)


def test_inside_a_dry_run_a_session_shows_nothing_of_it(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    wrote(run, (BUILT,))
    status.close(replace(run, standin=Standin(run.root, "http://127.0.0.1:1", "http://127.0.0.1:2")))
    assert capsys.readouterr().out == ""
    assert not (run.record.folder / files.PAGE).exists()


@pytest.mark.parametrize("dry", [True, False])
def test_what_stops_a_check_is_in_the_report(run: Run, capsys: pytest.CaptureFixture[str], *, dry: bool) -> None:
    wrote(run, (BUILT,))
    standin = Standin(run.root, "http://127.0.0.1:1", "http://127.0.0.1:2") if dry else None
    status.stopped(replace(run, standin=standin), [Problem("install-failed", "error", WHEEL, "it does not install")])
    assert "it does not install" in source(run)
    assert f"nox -s release-{'dryrun' if dry else 'check'}" in source(run)
    assert ("report: " in capsys.readouterr().out) is not dry


def test_a_report_that_cannot_be_written_stops_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    wrote(run, (BUILT,))
    (run.record.folder / files.PAGE).mkdir()
    status.close(run)
    assert "the report could not be written: " in capsys.readouterr().out


def test_who_finds_another_at_it_lets_it(run: Run) -> None:
    wrote(run, (BUILT,))
    with locked_file(run.record.folder / ".report.lock"):
        assert files.write(run.record, run.names, "") == run.record.folder / files.PAGE
    assert not (run.record.folder / files.PAGE).exists()


def test_who_writes_looks_again_whether_the_record_moved_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    wrote(run, (BUILT,))
    writing = files._write

    def late(*args: object) -> None:
        if not run.record.path(CHECKED).exists():
            run.record.write(CHECKED)
        writing(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "_write", late)
    files.write(run.record, run.names, "")
    assert files.is_current(run.record)


# Of a dry run.


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_tree(tmp_path / "dry" / "dist", FILES)
    for stage in SAMPLES:
        Record.of(tmp_path / "dry").write(stage)
    return tmp_path / "dry"


def test_the_report_of_a_dry_run_outlives_its_folder(
    tmp_path: Path, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path, name="dryrun")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    status.dry(run, place, "testpypi")
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").startswith("## demo 1.0\n\nA dry run")
    left = tmp_path / ".nox" / "seatrial-report"
    assert {path.name for path in left.iterdir()} == {"report.html", "report.md"}
    assert "A dry run" in (left / "report.html").read_text(encoding="utf-8")
    assert "nox -s testpypi" in (left / "report.html").read_text(encoding="utf-8")
    assert (place / "release-record" / "report.html").is_file()
    assert capsys.readouterr().out == f"report: {left / 'report.html'}\n"


def test_a_dry_run_that_built_nothing_leaves_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Record.of(tmp_path / "empty").prepare()
    status.dry(make_run(tmp_path, name="dryrun"), tmp_path / "empty", "dryrun")
    assert capsys.readouterr().out == ""


def test_a_dry_run_whose_report_cannot_be_left_goes_on(
    tmp_path: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path, name="dryrun")
    (tmp_path / ".nox" / "seatrial-report").write_text("in the way", encoding="utf-8")
    status.dry(run, place, "testpypi")
    assert "the report could not be written: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "terminal", "ci", "opened"),
    [("y", True, "", True), ("", True, "", False), ("y", False, "", False), ("y", True, "true", False)],
)
def test_it_is_opened_where_somebody_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, ci: str, *, terminal: bool, opened: bool
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    monkeypatch.setenv("CI", ci)
    for name in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{name}.isatty", lambda: terminal, raising=False)
    page = tmp_path / "report.html"
    status.offer(make_run(tmp_path, name="dryrun"), page)
    assert shown == ([page.as_uri()] if opened else [])


def test_earlier_versions_are_on_the_projects_own_index_also_in_a_dry_run(tmp_path: Path) -> None:
    run = make_run(tmp_path, config=Config(pythons=("3.13",), pypi=TESTPYPI))
    assert run.published == TESTPYPI
    assert replace(run, own_index=PYPI).published == PYPI


def test_the_report_of_a_finished_release_names_no_command(run: Run) -> None:
    wrote(run, (*SAMPLES, RELEASED))
    status.status(run)
    assert "Next:" not in source(run)
