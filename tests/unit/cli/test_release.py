"""A step on the project in a folder: what is refused first, where the log goes, and which uv is used."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import types
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import chain, main, release
from seatrial.index.indexes import TESTPYPI
from seatrial.index.tokens import make
from seatrial.machine.screen import SCREEN
from seatrial.trial.interpreters import RUNNING
from tests.projects import commit, sample, write_tree
from tests.samples.workspaces import three

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.project.context import Context

TOKENS = {"TESTPYPI_TOKEN": make("test.pypi.org"), "PYPI_TOKEN": make("pypi.org")}
SETTINGS = f'\n[tool.seatrial]\npythons = ["{RUNNING}"]\n'


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Context]]:
    """The steps that were run, which do nothing."""
    met: list[tuple[str, Context]] = []
    monkeypatch.setattr(chain, "act", lambda step, context: met.append((step, context)))
    return met


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A committed project in the current folder."""
    root = sample(tmp_path / "demo").resolve()
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(SETTINGS)
    commit(root)
    monkeypatch.chdir(root)
    return root


# Before a build.


@pytest.mark.parametrize("step", ["adopt", "status", "build"])
def test_settings_that_nobody_wrote_by_hand_are_an_error_like_any_other(
    project: Path, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f"deep = {'[' * 10_000}{']' * 10_000}\n")
    assert main.run([step], {}) == 1
    assert "pyproject.toml is not valid TOML: its brackets are nested too deeply" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("outer", "message"),
    [
        ({}, "no credential found"),
        ({"TESTPYPI_TOKEN": TOKENS["PYPI_TOKEN"]}, "is a token for pypi.org, not for test.pypi.org"),
        (TOKENS, "1 uncommitted change would not be in the release"),
    ],
)
def test_what_can_be_known_is_refused_before_the_build(
    project: Path,
    ran: list[tuple[str, Context]],
    capsys: pytest.CaptureFixture[str],
    outer: dict[str, str],
    message: str,
) -> None:
    if "uncommitted" in message:
        write_tree(project, {"src/demo/new.py": ""})
    assert main.run(["verify"], outer) == 1
    assert message in capsys.readouterr().err
    assert ran == []
    assert main.run(["check"], outer) == 0
    assert [step for step, _ in ran] == ["build", "check"]


def test_a_python_that_is_not_here_is_refused_before_a_dry_run(
    project: Path, ran: list[tuple[str, Context]], capsys: pytest.CaptureFixture[str]
) -> None:
    text = (project / "pyproject.toml").read_text(encoding="utf-8").replace(SETTINGS, "")
    write_tree(project, {"pyproject.toml": f'{text}\n[tool.seatrial]\npythons = ["3.99"]\n'})
    assert main.run(["dryrun"], {}) == 1
    assert "Not on this machine: Python 3.99, on which this release is to be tried" in capsys.readouterr().err
    assert main.run(["status"], {}) == 0
    assert [step for step, _ in ran] == ["status"]


def test_so_it_is_for_one_package_and_for_all(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ran: list[tuple[str, Context]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(three(tmp_path))
    assert main.run(["verify", "--package", "demo-base"], {}) == 1
    assert "No upload to TestPyPI" in capsys.readouterr().err
    assert main.run(["verify", "--all"], {}) == 1
    shown = capsys.readouterr()
    assert "No upload to TestPyPI" in shown.out
    assert "`verify` failed for demo-base." in shown.err
    assert ran == []


# What a step works with.


@pytest.mark.parametrize(
    ("step", "place"),
    [("check", "release-record/log.txt"), ("dryrun", "release-record/dryrun/log.txt")],
)
def test_the_log_lies_beside_the_record(project: Path, ran: list[tuple[str, Context]], step: str, place: str) -> None:
    assert main.run([step], {}) == 0
    assert ran
    assert SCREEN.log.path == project / place


def test_an_index_of_ones_own_is_shown_before_a_login_is_sent_to_it(
    project: Path, ran: list[tuple[str, Context]], capsys: pytest.CaptureFixture[str]
) -> None:
    simple = "https://house.example/simple/"
    index = f'\n[tool.seatrial.indexes.testpypi]\nsimple = "{simple}"\nupload = "https://house.example/"\n'
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(index)
    commit(project)
    assert main.run(["verify"], {"TESTPYPI_TOKEN": "a password"}) == 0
    assert f"index: {simple}  read with TESTPYPI_TOKEN" in capsys.readouterr().out
    assert ran[0][1].settings.testpypi.login is not None
    assert main.run(["build"], {"TESTPYPI_TOKEN": "a password"}) == 0
    assert ran[-1][1].settings.testpypi.login is None
    assert TESTPYPI.login is None


# uv.


def test_the_package_uv_is_used_before_the_one_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    package = types.ModuleType("uv")
    package.find_uv_bin = lambda: "/environment/bin/uv"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "uv", package)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    assert release.find_uv() == "/environment/bin/uv"


@pytest.mark.parametrize("path", ["/usr/bin/uv", None])
def test_else_the_one_on_the_path_if_there_is_one(monkeypatch: pytest.MonkeyPatch, path: str | None) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: path)
    assert release.find_uv() == path
