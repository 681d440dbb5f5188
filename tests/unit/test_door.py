from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import platformdirs
import pytest

from seatrial.cli import door, register
from seatrial.cli.door import SESSIONS, is_session, main, nox_arguments, run_nox, usage
from seatrial.steps import inspect

if TYPE_CHECKING:
    from collections.abc import Callable

NOXFILE = Path(register.__file__)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with what the door changes put back afterwards."""
    folder = tmp_path / "ein Übungsstück"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv(register.PROJECT_VARIABLE, "")
    monkeypatch.setattr(sys, "argv", ["seatrial"])
    return folder


@pytest.fixture
def nox_argv(project: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What nox is started with, in place of running it."""
    del project
    seen: list[str] = []
    monkeypatch.setattr(runpy, "run_module", lambda *_args, **_options: seen.extend(sys.argv))
    monkeypatch.setattr(inspect, "is_equipped", lambda: False)
    return seen


def ending(code: Any) -> Callable[..., None]:
    """Return a nox that ends with `code`."""

    def run_module(_name: str, **_options: object) -> None:
        raise SystemExit(code)

    return run_module


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_usage_is_shown_on_request(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out == usage()


@pytest.mark.parametrize("words", [["publish"], ["-v"], ["--help", "me"], ["-p", "3.13"], ["--version", "now"]])
def test_without_a_session_it_is_usage_and_exit_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert capsys.readouterr() == (usage(), "seatrial: the command line names none of these sessions\n")


def test_usage_names_every_session_and_where_to_start() -> None:
    assert not [name for name, text in SESSIONS.items() if f"  {name} " not in usage() or text not in usage()]
    assert "usage: seatrial [NOX OPTIONS] SESSION [ARGS...]" in usage()
    assert "Start with `seatrial dryrun`" in usage()


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_the_version_is_told(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word]) == 0
    assert capsys.readouterr().out == f"seatrial {register.VERSION}\n"


@pytest.mark.parametrize("word", [*SESSIONS, "verify-3.13(wheel)", "verify-3.14t(sdist)"])
def test_sessions_and_cells_are_sessions(word: str) -> None:
    assert is_session(word)


@pytest.mark.parametrize("word", ["", "verify3", "builds", "BUILD", "--build", "3.13"])
def test_other_words_are_none(word: str) -> None:
    assert not is_session(word)


@pytest.mark.parametrize(
    ("words", "options", "session", "args"),
    [
        (["build"], [], "build", []),
        (["build", "--rebuild"], [], "build", ["--rebuild"]),
        (["--no-dependencies", "pypi", "--yes", "1.0"], ["--no-dependencies"], "pypi", ["--yes", "1.0"]),
        (["-p", "3.13", "-v", "verify"], ["-p", "3.13", "-v"], "verify", []),
        (["--envdir", "a b", "check"], ["--envdir", "a b"], "check", []),
        (["verify-3.13(wheel)"], [], "verify-3.13(wheel)", []),
        (["inspect", "--json", "out.json", "build"], [], "inspect", ["--json", "out.json", "build"]),
        (["status", "--help"], [], "status", ["--help"]),
    ],
)
def test_words_before_the_session_are_noxs_and_those_after_it_the_sessions(
    nox_argv: list[str], words: list[str], options: list[str], session: str, args: list[str]
) -> None:
    assert main(words) == 0
    assert nox_argv == ["nox", *options, *nox_arguments(session, Path.cwd()), "--", *args]


def test_the_words_of_the_command_line_are_the_default(nox_argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["seatrial", "status", "--explain"])
    assert main() == 0
    assert nox_argv[-4:] == ["--session", "status", "--", "--explain"]


def test_the_sessions_learn_of_the_project(nox_argv: list[str], project: Path) -> None:
    main(["build"])
    assert Path(os.environ[register.PROJECT_VARIABLE]) == project
    assert nox_argv[:3] == ["nox", "--noxfile", str(NOXFILE)]


@pytest.mark.parametrize("session", [name for name in SESSIONS if name != "inspect"])
def test_environments_are_kept_in_the_project(session: str, tmp_path: Path) -> None:
    assert nox_arguments(session, tmp_path)[2:4] == ["--envdir", str(tmp_path / ".nox")]


@pytest.mark.parametrize("session", ["inspect", "adopt"])
def test_the_environment_of_what_is_done_to_other_folders_is_kept_in_the_cache(session: str, tmp_path: Path) -> None:
    cache = Path(platformdirs.user_cache_dir("seatrial", appauthor=False))
    assert nox_arguments(session, tmp_path)[2:4] == ["--envdir", str(cache / "nox")]


@pytest.mark.parametrize(
    ("code", "expected"), [(0, 0), (None, 0), (1, 1), (2, 2), (3, 3), (130, 130), ("a message", 1)]
)
def test_the_exit_code_is_noxs(project: Path, monkeypatch: pytest.MonkeyPatch, code: object, expected: int) -> None:
    del project
    monkeypatch.setattr(runpy, "run_module", ending(code))
    assert main(["build"]) == expected


def test_a_nox_that_merely_returns_is_a_success(nox_argv: list[str]) -> None:
    assert run_nox(["--list"]) == 0
    assert nox_argv == ["nox", "--list"]


def test_nox_runs_as_the_program_it_is(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del project
    seen: list[object] = []
    monkeypatch.setattr(runpy, "run_module", lambda *args, **options: seen.extend([*args, options]))
    run_nox([])
    assert seen == ["nox", {"run_name": "__main__", "alter_sys": True}]


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        (((3, 9, 18), (2026, 1, 1)), "seatrial needs Python 3.10 or later (this is 3.9.18)"),
        (((3, 12, 0), (2024, 10, 9)), "seatrial needs nox 2025.10.16 or later (this is 2024.10.9): pip install"),
    ],
)
def test_what_is_too_old_is_named(
    nox_argv: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    versions: tuple[tuple[int, ...], tuple[int, ...]],
    message: str,
) -> None:
    python, nox_version = versions
    running = SimpleNamespace(version_info=python, version=f"{'.'.join(map(str, python))} (main)")
    monkeypatch.setattr(register, "sys", running)
    monkeypatch.setattr(register, "_nox_version", lambda: nox_version)
    assert main(["build"]) == 1
    assert message in capsys.readouterr().err
    assert nox_argv == []


def test_usage_is_shown_on_anything_however_old(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(door, "too_old", lambda: "another Python")
    assert main([]) == 0
    assert capsys.readouterr().out == usage()
