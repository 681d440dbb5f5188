"""Where a release stands: the table, when the report is written, and where it is left."""

from __future__ import annotations

import io
import sys
import webbrowser
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.machine import terminal
from seatrial.machine.disk import locked_file, write_whole
from seatrial.project.context import DryRun
from seatrial.project.options import Commands, Options
from seatrial.release.failures import trying
from seatrial.release.record import Record, StageMissing
from seatrial.release.stages import Cell, Dist, Problem
from seatrial.report import status
from seatrial.report.status import table
from seatrial.report.text import PAGE, SUMMARY, Failure, Step, steps
from tests.projects import write_tree
from tests.samples.contexts import make_context
from tests.samples.stages import BUILT, CHECKED, FILES, REHEARSED, RELEASED, SAMPLES, VERIFIED, WHEEL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.project.context import Context
    from seatrial.release.stages import Stage

STEPS = (
    Step("build", "done", "2024-05-06T07:08:09Z", "from c0ffee: wheel 2.0 KiB"),
    Step("check", "done", "2024-05-06T07:08:09Z", "101 rules, 1 warning"),
    Step("testpypi", "done", "2024-05-06T07:08:09Z", "https://test.pypi.org/simple/"),
    Step("verify", "part", "2024-05-06T07:08:09Z", "1 of 2 cells"),
    Step("pypi", "open"),
)
DISTS = (Dist("demo-1.0-py3-none-any.whl", "0" * 64, 2048),)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    write_tree(tmp_path / "dist", FILES)
    return make_context(tmp_path, commands=Commands(nox=True, prefix="release-"))


def write(context: Context, stages: Sequence[Stage]) -> None:
    for stage in stages:
        context.record.write(stage)


def source(context: Context) -> str:
    return (context.record.folder / PAGE).read_text(encoding="utf-8")


# How far it is.


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
def test_the_next_command_is_that_of_the_first_step_that_is_open(
    context: Context, stages: Sequence[Stage], name: str
) -> None:
    write(context, stages)
    assert status.undone(context.record) == name
    assert status.following(context) == (f"nox -s release-{name}" if name else "")


def test_a_rehearsal_for_once_needs_its_option_again(tmp_path: Path) -> None:
    context = make_context(tmp_path, options=Options(rehearse_on="no network"))
    write_tree(tmp_path / "dist", FILES)
    assert status.following(context) == "nox -s build"
    write(context, (BUILT, CHECKED))
    assert status.following(context) == 'nox -s testpypi -- --rehearse-on dryrun "no network"'


def test_each_step_has_a_state_and_a_summary(context: Context) -> None:
    write(context, (BUILT, CHECKED, VERIFIED))
    rows = {step.name: step for step in steps(context.record)}
    assert {name: step.state for name, step in rows.items()} == {
        "build": "done",
        "check": "done",
        "testpypi": "open",
        "verify": "part",
        "pypi": "open",
    }
    assert rows["verify"].summary == "1 of 2 cells"
    write(context, (replace(VERIFIED, kind="sdist"),))
    assert steps(context.record)[3] == Step("verify", "done", VERIFIED.at, "2 of 2 cells")


def test_a_release_of_one_kind_needs_the_cells_of_that_kind(context: Context) -> None:
    (context.record.dist / WHEEL).unlink()
    sdist = tuple(dist for dist in BUILT.dists if dist.kind == "sdist")
    write(context, (replace(BUILT, dists=sdist), replace(VERIFIED, dists=sdist, kind="sdist")))
    assert steps(context.record)[3].state == "done"


@pytest.mark.parametrize(
    ("failure", "summary"),
    [
        (
            Failure("check", problems=(Problem("a", "error", "x", "y"), Problem("b", "warning", "x", "y"))),
            "1 error, 1 warning",
        ),
        (Failure("check", "It does not work.\nWhat to do: x"), "It does not work."),
        (Failure("check", "These files fail:\n  a.whl\nWhat to do: x"), "These files fail"),
    ],
)
def test_a_step_that_failed_is_called_failed(context: Context, failure: Failure, summary: str) -> None:
    write(context, (BUILT, CHECKED))
    assert steps(context.record, failure)[1] == Step("check", "failed", "", summary)


def test_a_cell_that_failed_is_what_is_next(context: Context) -> None:
    write(context, (BUILT, CHECKED, REHEARSED, VERIFIED))
    cell, error = Cell("3.14", "sdist"), StageMissing("built", "build")
    with pytest.raises(StageMissing), trying(context.record, cell, Commands(nox=True), StageMissing):
        raise error
    assert steps(context.record)[3] == Step("verify", "failed", VERIFIED.at, "3.14 sdist; 1 of 2 cells")
    assert status.undone(context.record) == "verify"


# When it is shown, and the report is written.


def test_a_step_that_moved_the_release_on_shows_it_and_writes_the_report(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    write(context, (BUILT,))
    status.close(context)
    output = capsys.readouterr().out
    assert "  done     build     2024-05-06 07:08  from c0ffee: wheel 10 B, sdist 10 B" in output
    assert f"report: {context.record.folder / 'report.html'}\nnext: nox -s release-check\n" in output
    assert len(output.splitlines()) == 8
    assert "nox -s release-check" in source(context)
    assert (context.record.folder / "report.md").is_file()


def test_a_step_before_the_last_writes_the_report_and_shows_nothing(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    write(context, (BUILT,))
    status.close(replace(context, last=False))
    assert capsys.readouterr().out == ""
    assert "nox -s release-check" in source(context)


def test_a_report_that_is_up_to_date_is_not_written_again(context: Context) -> None:
    write(context, (BUILT,))
    status.close(context)
    before = (context.record.folder / PAGE).stat().st_mtime_ns
    status.close(context)
    assert (context.record.folder / PAGE).stat().st_mtime_ns == before


def test_nothing_built_is_shown_nowhere(context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    status.close(context)
    status.failed(context, Failure("check"))
    assert capsys.readouterr().out == ""
    assert not (context.record.folder / PAGE).exists()
    status.status(context)
    assert capsys.readouterr().out == "nothing is built yet\nnext: nox -s release-build\n"


@pytest.mark.parametrize("name", [PAGE, SUMMARY])
def test_a_report_that_is_gone_or_older_than_the_record_is_written_anew(context: Context, name: str) -> None:
    write(context, (BUILT,))
    status.status(context)
    assert status.is_current(context.record)
    (context.record.folder / name).unlink()
    assert not status.is_current(context.record)
    status.status(context)
    write(context, (CHECKED,))
    assert not status.is_current(context.record)
    status.status(context)
    assert "1 warning" in source(context)
    (context.record.folder / PAGE).write_text("no report", encoding="utf-8")
    assert not status.is_current(context.record)


def test_inside_a_dry_run_a_step_shows_nothing_of_it(context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    write(context, (BUILT,))
    status.close(replace(context, dry=DryRun(context.root)))
    assert capsys.readouterr().out == ""
    assert not (context.record.folder / PAGE).exists()


@pytest.mark.parametrize("dry", [True, False])
def test_what_stops_a_check_is_in_the_report(
    context: Context, capsys: pytest.CaptureFixture[str], *, dry: bool
) -> None:
    write(context, (BUILT,))
    context = replace(context, dry=DryRun(context.root) if dry else None)
    problem = Problem("install-failed", "error", WHEEL, "it does not install")
    status.failed(context, Failure("check", problems=(problem,)))
    assert "it does not install" in source(context)
    assert '<li class="failed"><span class="state">failed</span>' in source(context)
    assert f"nox -s release-{'dryrun' if dry else 'check'}" in source(context)
    assert ("report: " in capsys.readouterr().out) is not dry


def test_why_a_step_failed_is_in_the_report_until_it_passes(context: Context) -> None:
    write(context, (BUILT, CHECKED))
    status.failed(context, Failure("testpypi", "TestPyPI rejected <the> upload.\nWhat to do: wait"))
    assert "TestPyPI rejected &lt;the&gt; upload." in source(context)
    assert "`testpypi` failed: TestPyPI rejected" in (context.record.folder / SUMMARY).read_text(encoding="utf-8")
    write(context, (REHEARSED,))
    status.close(context)
    assert "rejected" not in source(context)


def test_a_report_that_cannot_be_written_stops_nothing(context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    write(context, (BUILT,))
    (context.record.folder / PAGE).mkdir()
    status.close(context)
    output = capsys.readouterr().out
    assert "warning: the report could not be written: " in output
    assert "report: " not in output


def test_a_record_that_cannot_be_read_does_not_hide_the_error_that_says_so(context: Context) -> None:
    write(context, (BUILT,))
    context.record.path(BUILT.__class__).write_text("{", encoding="utf-8")
    status.failed(context, Failure("check", "RecordDamaged"))
    assert not (context.record.folder / PAGE).exists()


def test_who_finds_another_at_it_lets_it(context: Context) -> None:
    write(context, (BUILT,))
    with locked_file(context.record.folder / ".report.lock"):
        status.write(context.record, "")
    assert not (context.record.folder / PAGE).exists()


def test_who_writes_looks_again_whether_the_record_moved_on(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    write(context, (BUILT,))

    def late(path: Path, text: str) -> None:
        if not context.record.path(CHECKED).exists():
            context.record.write(CHECKED)
        write_whole(path, text)

    monkeypatch.setattr(status, "write_whole", late)
    status.write(context.record, "")
    assert status.is_current(context.record)


def test_the_report_of_a_finished_release_names_no_command(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    write(context, (*SAMPLES, RELEASED))
    status.status(context)
    assert "Next:" not in source(context)
    assert "next:" not in capsys.readouterr().out


def test_a_step_that_stops_says_how_many_problems_it_has_in_its_line(context: Context) -> None:
    lines: list[str] = []
    context.screen.write = lines.append
    write(context, (BUILT,))
    with context.screen.step("check"):
        problems = tuple(Problem("a", "error", name, "y") for name in FILES)
        status.failed(context, Failure("check", problems=problems))
    assert lines[0].split()[:4] == ["ok", "check", "1", "error"]


@pytest.mark.parametrize("asked", [True, False])
def test_it_is_opened_where_the_option_says_so(
    context: Context, monkeypatch: pytest.MonkeyPatch, *, asked: bool
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    write(context, (BUILT,))
    status.status(replace(context, options=Options(open=asked)))
    assert opened == ([(context.record.folder / PAGE).as_uri()] if asked else [])


# Of a dry run.


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """The record of a dry run that went to its end, in a folder of its own."""
    write_tree(tmp_path / "dry" / "dist", FILES)
    record = Record.of(tmp_path / "dry")
    for stage in SAMPLES:
        record.write(stage)
    return record


@pytest.mark.parametrize("folder", [".nox/seatrial-report", "release-record/dryrun"])
def test_the_report_of_a_dry_run_outlives_its_folder(
    tmp_path: Path, record: Record, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    if folder.startswith(".nox"):
        (tmp_path / ".nox").mkdir()
    context = make_context(tmp_path, variables={"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")})
    left = status.dry(context, record, "testpypi")
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").startswith("## demo 1.0\n\nA dry run")
    assert left == tmp_path / folder / "report.html"
    assert {path.name for path in left.parent.iterdir()} == {"report.html", "report.md", "last.json"}
    assert "A dry run" in left.read_text(encoding="utf-8")
    assert "nox -s testpypi" in left.read_text(encoding="utf-8")
    assert (record.folder / PAGE).is_file()
    output = capsys.readouterr().out
    assert output.startswith("  done     build")
    assert output.endswith(f"report: {left}\n")
    assert len(output.splitlines()) == 6


def test_a_dry_run_that_stopped_leaves_a_report_and_no_table(
    tmp_path: Path, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    left = status.dry(make_context(tmp_path), record, "dryrun", Failure("pypi", "The stand-in rejected it."))
    assert left
    assert "The stand-in rejected it." in left.read_text(encoding="utf-8")
    assert capsys.readouterr().out == f"report: {left}\n"


def test_git_does_not_see_the_report_of_a_dry_run(tmp_path: Path, record: Record) -> None:
    status.dry(make_context(tmp_path), record, "testpypi")
    assert (tmp_path / "release-record" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_the_log_lies_beside_the_report(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    assert status.log_of(context, "check") == tmp_path / "release-record" / "log.txt"
    assert status.log_of(context, "dryrun") == tmp_path / "release-record" / "dryrun" / "log.txt"


def test_a_dry_run_that_built_nothing_leaves_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status.dry(make_context(tmp_path), Record.of(tmp_path / "empty"), "dryrun") is None
    assert capsys.readouterr().out == ""


def test_a_dry_run_whose_report_cannot_be_left_goes_on(
    tmp_path: Path, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tree(tmp_path, {".nox/seatrial-report": "in the way"})
    status.dry(make_context(tmp_path), record, "testpypi")
    assert "the report could not be written: " in capsys.readouterr().out


# The table.


def test_the_table_is_plain_where_there_is_no_terminal() -> None:
    assert table("demo 1.0", STEPS, DISTS).splitlines() == [
        "demo 1.0",
        "  done     build     2024-05-06 07:08  from c0ffee: wheel 2.0 KiB",
        "  done     check     2024-05-06 07:08  101 rules, 1 warning",
        "  done     testpypi  2024-05-06 07:08  https://test.pypi.org/simple/",
        "  in part  verify    2024-05-06 07:08  1 of 2 cells",
        "  not yet  pypi",
        "  demo-1.0-py3-none-any.whl  2.0 KiB",
    ]


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_the_table_fits(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    long = (replace(STEPS[0], summary="on a stand-in on this machine (there is no network where this was built)"),)
    lines = table("demo 1.0", (*long, *STEPS[1:]), DISTS).splitlines()
    assert max(map(len, lines)) < columns
    assert ("2024" in lines[1]) is (columns >= 100)
    assert "there is no network" in " ".join(" ".join(lines).split())


def test_the_table_has_colours_where_they_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = table("demo 1.0", STEPS, DISTS)
    assert "\x1b[32mdone\x1b[0m     build" in shown
    assert "\x1b[33min part\x1b[0m  verify" in shown


def test_the_table_shows_names_as_they_are_and_not_too_many() -> None:
    dists = tuple(Dist(f"demo\x1b[2J{number}.whl", "", 1) for number in range(10))
    shown = table("demo\x1b]0;owned\x07", STEPS, dists)
    assert "\x1b" not in shown
    assert "and 2 more files" in shown


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437"])
def test_the_table_can_be_written_in_any_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    monkeypatch.setattr(sys, "stdout", stream)
    terminal.line(table("größe → 1.0", STEPS, DISTS))
    stream.seek(0)
    assert "\\u2192 1.0\n" in stream.read()
