from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.errors import ReusedEnvironment
from tasks.indexes import PYPI
from tasks.standins import Standin
from tests.fakes import FakeSession, make_run
from tests.projects import write_tree

STANDIN = Standin(Path("place"), "http://127.0.0.1:1", "http://127.0.0.1:2")


@pytest.fixture(autouse=True)
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


def test_the_environment_of_a_session_is_the_folder_around_its_programs(tmp_path: Path) -> None:
    assert make_run(tmp_path).venv.root == tmp_path / ".nox" / "build"


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("1", True), ("YES", True), ("false", False), ("", False), ("0", False)]
)
def test_ci_says_that_it_is_ci(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, *, expected: bool) -> None:
    monkeypatch.setenv("CI", value)
    assert make_run(tmp_path).in_ci is expected
    assert make_run(tmp_path).interactive is not expected


def test_a_dry_run_is_never_as_strict_as_ci(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert not make_run(tmp_path, standin=STANDIN).in_ci


@pytest.mark.parametrize("interactive", [True, False])
def test_somebody_can_be_asked_where_nox_has_a_terminal(tmp_path: Path, *, interactive: bool) -> None:
    session = FakeSession(tmp_path, interactive=interactive)
    assert make_run(tmp_path, session=session).interactive is interactive


@pytest.mark.parametrize(
    ("door", "prefix", "args", "expected"),
    [
        (False, "", (), "nox -s check"),
        (False, "release-", ("--yes", "1.0"), "nox -s release-check -- --yes 1.0"),
        (True, "", (), "seatrial check"),
        (True, "", ("--yes", "1.0"), "seatrial check --yes 1.0"),
    ],
)
def test_a_command_is_what_a_person_types(
    tmp_path: Path, args: tuple[str, ...], prefix: str, expected: str, *, door: bool
) -> None:
    assert make_run(tmp_path, door=door, prefix=prefix).command("check", *args) == expected


def test_the_next_command_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path).next("build", "--rebuild")
    assert capsys.readouterr().out == "next: nox -s build -- --rebuild\n"


def test_inside_a_dry_run_it_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path, standin=STANDIN).next("check")
    assert capsys.readouterr().out == ""


def test_scratch_is_outside_the_project_and_gone_afterwards(tmp_path: Path) -> None:
    with make_run(tmp_path).scratch() as scratch:
        assert scratch.is_dir()
        assert scratch.name.startswith("seatrial-build-")
        assert tmp_path not in scratch.parents
    assert not scratch.exists()


@pytest.mark.parametrize("uv", [None, "/bin/uv"])
def test_the_installer_takes_dependencies_from_their_own_index(tmp_path: Path, uv: str | None) -> None:
    installer = make_run(tmp_path, uv=uv).installer(tmp_path)
    assert (installer.uv, installer.index, installer.scratch) == (uv, PYPI.simple, tmp_path)
    assert installer.env["PIP_CONFIG_FILE"] == os.devnull


# The environment of `verify`.


def test_an_environment_is_used_once(tmp_path: Path) -> None:
    make_run(tmp_path).claim()
    with pytest.raises(ReusedEnvironment, match=r"--reuse-venv=no"):
        make_run(tmp_path).claim()


def test_an_environment_that_nox_made_is_not_made_again(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    run = make_run(tmp_path, session=session)
    run.claim()
    run.renew()
    assert session.virtualenv.created == 0


def test_an_environment_that_nox_was_let_keep_is_made_anew_before_it_is_worked_in(tmp_path: Path) -> None:
    make_run(tmp_path).claim()
    session = FakeSession(tmp_path)
    run = make_run(tmp_path, session=session, kept=True)
    left = write_tree(run.venv.root, {"left.txt": ""}) / "left.txt"
    run.claim()
    assert left.exists()
    run.renew()
    assert (session.virtualenv.created, left.exists()) == (1, False)
    with pytest.raises(ReusedEnvironment):
        make_run(tmp_path).claim()


def test_an_environment_that_cannot_be_made_anew_is_not_worked_in(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    session.virtualenv.stubborn = True
    with pytest.raises(ReusedEnvironment):
        make_run(tmp_path, session=session, kept=True).renew()
