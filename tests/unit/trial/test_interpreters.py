"""Which Pythons are on this machine, and on which of them the files of this disk are tried."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from seatrial.release.archives import Archive
from seatrial.trial import interpreters
from seatrial.trial.interpreters import RUNNING, lowest_for, python_for, trials
from tests.archives import SDIST, WHEEL, sdist, wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OURS = f"demo-1.0-cp{RUNNING.replace('.', '')}-none-any.whl"  # a wheel for the Python that runs us alone
needs_posix = pytest.mark.skipif(os.name == "nt", reason="the programs here are shell scripts")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Nothing is known from another test."""
    interpreters.find.cache_clear()
    yield
    interpreters.find.cache_clear()


# What is here.


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{textwrap.dedent(script)}", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("uv", [None, "/nowhere/uv"])
def test_the_python_that_runs_us_is_here(uv: str | None) -> None:
    assert interpreters.find(RUNNING, uv) == sys.executable


@needs_posix
def test_uv_is_asked_without_downloads_and_without_the_projects_settings(tmp_path: Path) -> None:
    uv = program(tmp_path / "uv", f'echo "$@" >> {tmp_path}/asked\n[ "$6" = 3.98 ] && echo /opt/python3.98\n')
    assert interpreters.here(("3.98", RUNNING, "3.99"), str(uv)) == ("3.98", RUNNING)
    assert interpreters.find("3.98", str(uv)) == "/opt/python3.98"
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    words = "python find --no-python-downloads --no-project --no-config"
    assert asked == [f"{words} 3.98", f"{words} 3.99"]


@needs_posix
def test_a_uv_that_does_not_answer_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "LIMIT", 0.2)
    assert interpreters.find("3.98", str(program(tmp_path / "uv", "exec sleep 20\n"))) == ""


@needs_posix
def test_without_uv_a_shim_that_leads_to_nothing_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pyenv leaves one for each Python that some project of this machine uses."""
    shim = "echo 'pyenv: python3.98: command not found' >&2\nexit 127\n"
    program(tmp_path / "shims" / "python3.98", shim)
    monkeypatch.setenv("PATH", str(tmp_path / "shims"), prepend=os.pathsep)
    assert interpreters.find("3.98", None) == ""


@needs_posix
def test_without_uv_it_is_found_as_virtualenv_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under another name than its own version it is not what was asked for."""
    program(tmp_path / "bin" / "python3.98", f'exec {sys.executable} "$@"\n')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    assert interpreters.find("3.98", None) == ""


# What is tried on what.


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The Pythons of this machine."""
    pythons = {RUNNING}
    monkeypatch.setattr(interpreters, "find", lambda python, _uv: python if python in pythons else "")
    return pythons


def a_wheel(folder: Path, requires: str | None = ">=3.8", filename: str = WHEEL) -> Archive:
    return Archive.open(wheel(folder, {"Requires-Python": requires}, filename=filename))


def an_sdist(folder: Path, requires: str | None = ">=3.8") -> Archive:
    return Archive.open(sdist(folder, {"Requires-Python": requires}))


@pytest.mark.parametrize(
    ("requires", "pythons", "python"),
    [
        (">=3.8", ("3.8", "3.9"), None),
        (None, ("3.8", "3.9"), None),
        (f"=={RUNNING}.*", ("3.8", "3.9"), None),
        (">=3.99", ("3.8", "3.9"), None),
        ("three", ("3.8", "3.9"), None),  # no specifier is no reason for another
        (f"<{RUNNING}", ("3.8", "3.9"), "3.9"),
        (f"<{RUNNING}", ("3.8", "3.99"), "3.8"),
        (f"<{RUNNING}", ("pypy3.9",), "pypy3.9"),
        (f"<{RUNNING}", ("3.9t",), "3.9t"),
        (f"<{RUNNING}", ("pypy",), None),
    ],
)
def test_a_file_is_tried_on_the_python_that_runs_us_unless_only_others_are_supported(
    tmp_path: Path, here: set[str], requires: str | None, pythons: tuple[str, ...], python: str | None
) -> None:
    assert here == {RUNNING}
    assert python_for(a_wheel(tmp_path, requires), pythons, None) == python


@pytest.mark.parametrize(
    ("pythons", "others", "python"),
    [
        (("3.8", "3.9"), {"3.8"}, "3.8"),
        (("3.7", "3.8"), {"3.7", "3.8"}, "3.8"),
        (("3.7", "3.8"), {"3.8", "3.9"}, "3.8"),
        (("3.7", "pypy3.8"), {"3.8", "3.9"}, "3.9"),
    ],
)
def test_where_the_python_that_runs_us_is_left_out_one_that_is_admitted_and_here_is_used(
    tmp_path: Path, here: set[str], pythons: tuple[str, ...], others: set[str], python: str
) -> None:
    here |= others
    assert python_for(a_wheel(tmp_path, f"<{RUNNING}"), pythons, None) == python


@pytest.mark.parametrize(
    ("requires", "pythons", "others", "lowest"),
    [
        (">=3.8", ("3.8", "3.14"), {"3.9"}, "3.9"),
        (">=3.8", ("3.9", "3.14"), {"3.8", "3.9"}, "3.9"),
        (">=3.9", ("3.8", "3.14"), {"3.8", "3.9"}, "3.9"),
        (None, ("3.9",), {"3.9"}, "3.9"),
        (">=3.8", ("3.8",), set(), None),
        (">=3.8", (RUNNING, "3.14"), {"3.8"}, None),
        (">=3.8", ("pypy3.11",), {"3.8"}, None),
        (">=3.8", ("pypy3.11", "3.9"), {"3.8", "3.9"}, "3.9"),
        (f"<{RUNNING}", ("3.8", "3.9"), {"3.9"}, None),
        (f"<{RUNNING}", ("3.8", "3.9"), {"3.8", "3.9"}, "3.8"),
        ("three", ("3.8",), {"3.8"}, None),
    ],
)
def test_the_lowest_python_is_one_of_the_project_and_of_the_machine(
    tmp_path: Path,
    here: set[str],
    *,
    requires: str | None,
    pythons: tuple[str, ...],
    others: set[str],
    lowest: str | None,
) -> None:
    here |= others
    assert lowest_for(a_wheel(tmp_path, requires), pythons, None) == lowest


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        (WHEEL, [(WHEEL, None), (SDIST, None), (WHEEL, "3.8"), (SDIST, "3.8")]),
        (OURS, [(OURS, None), (SDIST, None)]),
        ("demo-1.0-cp39-cp39-win_ia64.whl", [(SDIST, None)]),
    ],
)
def test_one_file_of_each_kind_is_tried_and_what_is_compiled_on_no_other_python(
    tmp_path: Path, here: set[str], filename: str, expected: list[tuple[str, str | None]]
) -> None:
    here.add("3.8")
    archives = [an_sdist(tmp_path), a_wheel(tmp_path, filename=filename)]
    planned = [(archive.path.name, python) for archive, python in trials(archives, ("3.8",), None)]
    assert planned == expected


def test_of_several_wheels_the_one_that_fits_best_is_tried(tmp_path: Path) -> None:
    archives = [a_wheel(tmp_path), a_wheel(tmp_path, filename=OURS)]
    assert [archive.path.name for archive, _ in trials(archives, (RUNNING,), None)] == [OURS]
