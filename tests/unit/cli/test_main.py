"""The boundary: what a command shows and the exit code it ends with, whatever happens below it."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from seatrial import __main__ as program
from seatrial import __version__
from seatrial.cli import chain, main, secrets
from seatrial.cli.options import INTERFACE
from seatrial.index.indexes import Index
from seatrial.machine import variables
from seatrial.machine.screen import SCREEN
from seatrial.project.options import Commands
from seatrial.release.record import DIGEST_VARIABLE, StageMissing
from tests.archives import WHEEL, wheel
from tests.projects import sample, write_tree
from tests.samples.workspaces import three

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seatrial.project.context import Context

TOKEN = "pypi-AgEIcHlwaS5vcmcCJGQ2"
SEATRIAL = (sys.executable, "-I", "-m", "seatrial")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in the current folder."""
    root = sample(tmp_path / "ein Übungsstück #1 100%").resolve()
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str, Context], None]], None]:
    """Let a function act in the place of all steps."""
    return lambda act: monkeypatch.setattr(chain, "act", act)


@pytest.fixture
def contexts(acting: Callable[[Callable[[str, Context], None]], None]) -> list[tuple[str, Context]]:
    """What the steps work with, which do nothing."""
    met: list[tuple[str, Context]] = []
    acting(lambda step, context: met.append((step, context)))
    return met


# Before any step.


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_without_a_step_all_steps_are_listed(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main.run(words, {}) == 0
    shown = capsys.readouterr().out
    assert [step for step in main.STEPS if f"\n  {step} " not in shown] == []


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_the_version_is_told(capsys: pytest.CaptureFixture[str], word: str) -> None:
    assert main.run([word], {}) == 0
    assert capsys.readouterr().out == f"seatrial {__version__}\n"


def test_an_unknown_step_is_named_below_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["biuld"], {}) == 2
    shown = capsys.readouterr()
    assert shown.err == "seatrial: unknown step: biuld\n"
    assert shown.out.startswith("usage: seatrial STEP")


def test_a_step_lists_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main.run(["build", "--help"], {})
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("usage: seatrial build [-h]")


def test_a_token_on_the_command_line_is_refused_and_not_repeated(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["pypi", "--yes", TOKEN], {}) == 1
    shown = capsys.readouterr()
    assert "An API token was given on the command line." in shown.err
    assert TOKEN not in shown.out + shown.err
    assert not (project / "release-record").exists()


def test_inspect_needs_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["inspect"], {}) == 1
    said = capsys.readouterr().err
    assert said.startswith("seatrial inspect: no FILE was given\n")
    assert "as in `seatrial inspect dist/*`" in said
    assert "misspelt" not in said


# What a step works with.


def test_the_steps_that_come_before_are_run_first(project: Path, contexts: list[tuple[str, Context]]) -> None:
    outer = {"PYPI_TOKEN": "s3cret", DIGEST_VARIABLE: "0" * 64}
    assert main.run(["check", "--offline", "--sdist-only"], outer) == 0
    assert [(step, context.last) for step, context in contexts] == [("build", False), ("check", True)]
    context = contexts[-1][1]
    assert (context.root, context.record.folder) == (project, project / "release-record")
    assert (context.variables, context.record.expected) == (outer, "0" * 64)
    assert (context.options.offline, context.settings.archives) == (True, ("sdist",))
    assert context.commands.command("verify") == "seatrial verify"


def nox(root: Path, **changes: object) -> str:
    said = {
        "interface": INTERFACE,
        "prefix": "r-",
        "uv": "/a/uv",
        "interactive": True,
        "asked": ["verify"],
        "withheld": [],
    }
    return json.dumps(said | {"root": str(root), "start": str(root / "src")} | changes)


def test_nox_runs_each_step_by_itself_and_says_what_it_knows(
    project: Path, contexts: list[tuple[str, Context]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.parent)
    assert main.run(["testpypi", "--nox", nox(project), "--keep", "kept"], {}) == 0
    ((step, context),) = contexts
    assert (step, context.root, context.options.keep) == ("testpypi", project, project / "src" / "kept")
    assert (context.uv, context.asks, context.last) == ("/a/uv", True, False)
    assert context.commands.command("verify", "--rebuild") == "nox -s r-verify -- --rebuild"


def test_what_is_wrong_is_said_as_it_was_typed_with_nox(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["build", "--nox", nox(project), "--fast"], {}) == 1
    said = capsys.readouterr().err
    assert said.startswith("nox -s r-build --: unrecognized arguments: --fast\n")
    assert "`nox -s r-build -- --help` lists the options" in said


def test_another_interface_is_refused_before_anything_else(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["build", "--nox", nox(project, interface=99), TOKEN], {}) == 1
    assert "tasks/release.py speaks interface 99 of seatrial" in capsys.readouterr().err


def test_a_test_may_exchange_what_a_step_works_with(contexts: list[tuple[str, Context]], project: Path) -> None:
    other = Index("other", simple="http://127.0.0.1:1/simple/")
    main.run(["build"], {}, lambda context: context.with_settings(context.settings.__class__(testpypi=other)))
    assert (contexts[0][1].settings.testpypi, contexts[0][1].root) == (other, project)


@pytest.mark.usefixtures("project")
def test_explained_nothing_is_done(contexts: list[tuple[str, Context]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["build", "--explain"], {"PYPI_TOKEN": "s3cret"}) == 0
    assert contexts == []
    assert "git clone" in capsys.readouterr().out


def test_a_folder_without_a_project_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(["status"], {}) == 1
    assert capsys.readouterr().err.startswith(f"There is no Python project in {tmp_path.resolve()}:")


# How a step ends.


@pytest.mark.usefixtures("project")
def test_an_error_is_told_on_standard_error_with_the_commands_of_here(
    acting: Callable[[Callable[[str, Context], None]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def act(_step: str, _context: Context) -> None:
        raise StageMissing("checked", "check")

    acting(act)
    assert main.run(["status"], {}) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == StageMissing("checked", "check").text(Commands()).splitlines()


def test_the_commands_of_a_package_are_for_that_package(
    tmp_path: Path,
    acting: Callable[[Callable[[str, Context], None]], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def act(_step: str, _context: Context) -> None:
        raise StageMissing("checked", "check")

    acting(act)
    monkeypatch.chdir(three(tmp_path))
    assert main.run(["status", "--package", "packages/core"], {}) == 1
    assert "run `seatrial check --package packages/core` first" in capsys.readouterr().err


@pytest.mark.usefixtures("project")
def test_what_the_operating_system_refuses_is_told_with_what_to_do(
    acting: Callable[[Callable[[str, Context], None]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def act(_step: str, _context: Context) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    acting(act)
    assert main.run(["build"], {}) == 1
    said = capsys.readouterr().err
    assert "The operating system refused to read or write: [Errno 28] No space left on device" in said
    assert "What to do: free space" in said


@pytest.mark.usefixtures("project")
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_with_one_sentence(
    acting: Callable[[Callable[[str, Context], None]], None], capsys: pytest.CaptureFixture[str], number: int
) -> None:
    acting(lambda _step, _context: os.kill(os.getpid(), number))
    assert main.run(["build"], {}) == 130
    assert capsys.readouterr().err.startswith("Interrupted. Run the same command again: it goes on where it stopped.")
    assert main.run(["dryrun"], {}) == 130
    assert capsys.readouterr().err.startswith("Interrupted. Run the same command again: it starts from the beginning.")


@pytest.mark.usefixtures("project")
def test_a_fault_of_ours_is_not_hidden(acting: Callable[[Callable[[str, Context], None]], None]) -> None:
    def act(_step: str, _context: Context) -> None:
        raise ZeroDivisionError

    acting(act)
    with pytest.raises(ZeroDivisionError):
        main.run(["build"], {})


# As a program.


def test_the_program_and_the_module_are_one(project: Path) -> None:
    done = subprocess.run([*SEATRIAL, "--version"], cwd=project, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"seatrial {__version__}\n", "")


def test_the_projects_own_modules_are_in_nobodys_way(project: Path) -> None:
    for name in ("email", "seatrial", "packaging"):
        (project / name).mkdir()
        (project / name / "__init__.py").write_text("raise SystemExit(9)", encoding="utf-8")
    done = subprocess.run([*SEATRIAL, "status", "--bogus"], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("seatrial status: unrecognized arguments: --bogus")


@pytest.mark.skipif(os.name == "nt", reason="file descriptors are closed otherwise there")
@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("words", [("--version",), ("status", "--bogus")])
def test_closed_streams_are_no_traceback(project: Path, closed: tuple[int, ...], words: tuple[str, ...]) -> None:
    shell = " ".join(f"{number}{'<' if number == 0 else '>'}&-" for number in closed)
    argv = ["sh", "-c", f'"$@" {shell}', "sh", *SEATRIAL, *words]
    done = subprocess.run(argv, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == (1 if "--bogus" in words else 0)
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.skipif(os.name == "nt", reason="file descriptors are closed otherwise there")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_file_takes_the_number_of_a_closed_stream(closed: str) -> None:
    """What is printed, here or by a program that is started, would be written into it."""
    script = "import os, sys\nfrom seatrial import __main__ as program\nfrom seatrial.cli import main\n"
    script += "main.run = lambda *_: os.open(os.devnull, os.O_RDONLY)\n"
    argv = ["sh", "-c", f'"$@" {closed}', "sh", sys.executable, "-I", "-c", f"{script}sys.exit(program.main())"]
    assert subprocess.run(argv, check=False).returncode > 2  # the number that a file gets


@pytest.mark.usefixtures("project")
def test_what_a_killed_run_left_is_swept(
    contexts: list[tuple[str, Context]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "temporary" / "seatrial-build-1"
    write_tree(left, {".alive": "", "checkout/file": ""})
    monkeypatch.setattr(tempfile, "tempdir", str(left.parent))
    assert main.run(["status"], {}) == 0
    assert len(contexts) == 1
    assert not left.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_output_that_nobody_reads_is_no_traceback(project: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    argv = [*SEATRIAL, "build", "--explain"]
    done = subprocess.run(argv, cwd=project, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_the_program_runs_what_is_typed_with_the_secrets_it_was_handed(
    project: Path, monkeypatch: pytest.MonkeyPatch, contexts: list[tuple[str, Context]]
) -> None:
    assert project.is_dir()
    reading, writing = os.pipe()
    os.write(writing, json.dumps({"PYPI_TOKEN": "s3cret"}).encode())
    os.close(writing)
    monkeypatch.setattr(variables, "lock_memory", lambda: None)
    monkeypatch.setattr(sys, "argv", ["seatrial", f"{secrets.OPTION}{reading}", "pypi"])
    assert program.main() == 0
    assert contexts[0][1].variables["PYPI_TOKEN"] == "s3cret"


def test_files_are_inspected_from_where_it_was_typed_and_without_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(wheel(tmp_path / "dist").parent)
    assert main.run(["inspect", WHEEL], {}) == 0
    assert capsys.readouterr().out == f"  {WHEEL}: no problems found\n"


def test_adopt_takes_words_of_its_own(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    met: list[tuple[list[str], Path]] = []
    monkeypatch.setattr("seatrial.steps.adopt.adopt", lambda words, start: met.append((list(words), start)))
    assert main.run(["adopt", "--dry-run", "."], {}) == 0
    assert met == [(["--dry-run", "."], project)]
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
def test_output_that_nobody_reads_ends_it_without_a_word(
    project: Path, acting: Callable[[Callable[[str, Context], None]], None], capfd: pytest.CaptureFixture[str]
) -> None:
    def act(_step: str, _context: Context) -> None:
        raise BrokenPipeError

    acting(act)
    saved = os.dup(1)
    assert main.run(["status"], {}) == 1
    os.dup2(saved, 1)
    assert capfd.readouterr() == ("", "")
    assert project.is_dir()


def test_what_a_person_would_type_for_files_is_shown_without_looking_at_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main.run(["inspect", "--explain", "a file.whl"], {}) == 0
    assert capsys.readouterr().out.startswith("python -m twine check 'a file.whl'")


@pytest.mark.parametrize("words", [("inspect", "a.whl"), ("rebuild", "1.0")])
def test_a_folder_that_is_not_there_is_named_before_anything_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    out = tmp_path / "absent" / "out.json"
    assert main.run([*words, "--json", str(out)], {}) == 1
    assert f"--json {out}: there is no folder {out.parent} to write it to." in capsys.readouterr().err


@pytest.mark.usefixtures("project", "contexts")
def test_what_took_how_long_is_shown_where_that_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SCREEN, "tasks", [])
    assert main.run(["status", "--timing"], {}) == 0
    assert re.search(r"   start    length  task\n .* s .* s  status\n$", capsys.readouterr().out)
