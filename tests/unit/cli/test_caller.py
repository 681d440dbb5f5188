"""Who asked for a step: what is typed there, and which credentials what is built could read there."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.cli.caller import Caller
from seatrial.cli.options import Nox
from seatrial.machine.screen import SCREEN
from seatrial.project.options import Commands

BOTH = ("PYPI_TOKEN", "TESTPYPI_TOKEN")


def caller(step: str, *variables: str, nox: Nox | None = None) -> Caller:
    return Caller(step, nox, Commands(), SCREEN, dict.fromkeys(variables, "s3cret"))


def by_nox(*asked: str, withheld: tuple[str, ...] = BOTH) -> Nox:
    return Nox(prefix="", uv=None, interactive=False, root=Path(), start=Path(), asked=asked, withheld=withheld)


@pytest.mark.parametrize("step", ["build", "check", "testpypi", "verify", "dryrun", "rebuild"])
@pytest.mark.parametrize("name", [*BOTH, "TWINE_PASSWORD", "PYPI_ID_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
def test_a_step_that_runs_foreign_code_names_what_that_can_read(step: str, name: str) -> None:
    said = caller(step, "HOME", "PYPI_READ_TOKEN", name).exposed
    assert said.startswith(f"{name}: what is built and tested here can read it")
    assert "docs/" not in said  # which no adopted project has
    assert "s3cret" not in said


@pytest.mark.parametrize("step", ["pypi", "status", "inspect", "adopt"])
def test_a_step_that_runs_none_says_nothing(step: str) -> None:
    assert caller(step, *BOTH).exposed == ""


def test_without_a_credential_nothing_is_said() -> None:
    assert caller("verify", "HOME", "PYPI_READ_TOKEN").exposed == ""


def test_of_the_sessions_that_nox_runs_the_first_says_it() -> None:
    said = [caller(step, nox=by_nox("verify")).exposed[:26] for step in ("build", "check", "testpypi", "verify")]
    assert said == ["PYPI_TOKEN, TESTPYPI_TOKEN", "", "", ""]
    assert caller("pypi", *BOTH, nox=by_nox("verify", "pypi")).exposed == ""


@pytest.mark.parametrize("step", ["check", "verify", "dryrun"])
def test_a_session_without_those_before_it_says_it_itself(step: str) -> None:
    assert caller(step, nox=by_nox()).exposed
    assert not caller(step, nox=by_nox(withheld=())).exposed
