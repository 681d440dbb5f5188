"""Which index gets a login from the keyring, and what is asked for it; the program itself is tried in test_publish."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.index import keyring
from seatrial.index.indexes import PYPI, TESTPYPI, Index, Login
from seatrial.index.keyring import with_logins
from seatrial.project.settings import Config
from tests.fakes import make_run

if TYPE_CHECKING:
    from seatrial.project.context import Run

HOUSE = "https://packages.example.org"
STAGING = Index(
    "staging", simple=f"{HOUSE}/staging/simple/", upload=f"{HOUSE}/staging/", token_variable="TESTPYPI_TOKEN"
)
WANTED = Index("wanted", simple=f"{HOUSE}/all/simple/", token_variable="DEPENDENCIES_TOKEN")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What the keyring is asked; it knows the password of the staging index alone."""
    calls: list[tuple[str, str]] = []

    def secret(python: Path, service: str, user: str) -> str:
        assert python.name == "python"
        calls.append((service, user))
        return "a password" if service == STAGING.upload else ""

    monkeypatch.setattr(keyring, "secret", secret)
    return calls


def run_of(root: Path, monkeypatch: pytest.MonkeyPatch, name: str, *indexes: Index) -> Run:
    staging, wanted = indexes
    config = replace(Config(), testpypi=staging, dependencies=wanted)
    run = make_run(root, name=name, config=config)
    monkeypatch.setattr(type(run), "tools", lambda _, lock: Path(lock) / "own" / "python")
    monkeypatch.setattr(type(run), "tools_in", lambda _, place, lock: place / lock / "python")
    return run


@pytest.mark.parametrize("name", ["testpypi", "verify"])
def test_an_index_whose_user_name_is_set_gets_what_the_keyring_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, str]], name: str
) -> None:
    monkeypatch.setenv("TESTPYPI_USERNAME", "ada")
    monkeypatch.setenv("DEPENDENCIES_USERNAME", "bob")
    found = with_logins(run_of(tmp_path, monkeypatch, name, STAGING, WANTED))
    assert asked == [(STAGING.upload, "ada"), (WANTED.simple, "bob")]
    assert found.testpypi.login == Login("ada", "a password", "the keyring")
    assert found.dependencies.login is None
    assert found.pypi == PYPI


@pytest.mark.parametrize(
    ("index", "user"),
    [(STAGING, ""), (TESTPYPI, "ada"), (replace(STAGING, login=Login("ada", "s3cret", "TESTPYPI_TOKEN")), "ada")],
    ids=["no user name", "an index that anybody reads", "a login that is there"],
)
def test_nobody_opens_a_keyring_without_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, str]], index: Index, user: str
) -> None:
    monkeypatch.setenv("TESTPYPI_USERNAME", user)
    run = run_of(tmp_path, monkeypatch, "verify", index, PYPI)
    assert with_logins(run) == run.config
    assert with_logins(run).testpypi.login == index.login
    assert asked == []
