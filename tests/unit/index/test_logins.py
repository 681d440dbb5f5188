"""What an index of one's own is read with; the keyring program itself is tried in the integration tests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.index import logins
from seatrial.index.credentials import BadCredential, Credential
from seatrial.index.indexes import PYPI, TESTPYPI, Index, Indexes, Login
from seatrial.index.logins import readable, with_logins
from seatrial.index.tokens import make

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HOUSE = "https://house.example"
STAGING = Index("house", simple=f"{HOUSE}/simple/", upload=f"{HOUSE}/upload/", token_variable="TESTPYPI_TOKEN")
OTHER = Index(
    "other", simple="https://other.example/simple/", upload="https://other.example/", token_variable="PYPI_TOKEN"
)
LIBRARY = Index("house", simple=f"{HOUSE}/library/", token_variable="DEPENDENCIES_TOKEN")
PUBLIC = Indexes(TESTPYPI, PYPI, replace(PYPI, upload="", token_variable="DEPENDENCIES_TOKEN"))
OWN = Indexes(STAGING, OTHER, LIBRARY)


@pytest.fixture(autouse=True)
def netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home folder without the file .netrc; return where it would be."""
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path / ".netrc"


@pytest.fixture(autouse=True)
def lookups(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What the keyring is asked; it knows the password of the staging index alone."""
    calls: list[tuple[str, str]] = []

    def secret(service: str, user: str) -> str:
        calls.append((service, user))
        return "a password" if service == STAGING.upload else ""

    monkeypatch.setattr(logins, "secret", secret)
    return calls


def found(indexes: Indexes, outer: Mapping[str, str], *, uploads: bool = True) -> list[tuple[str, str, str] | None]:
    """Return the logins for rehearsal index, release index and dependencies."""
    given = [index.login for index in with_logins(indexes, outer, uploads=uploads)]
    return [(login.username, login.password, login.source) if login else None for login in given]


@pytest.mark.parametrize(
    ("outer", "expected"),
    [
        ({}, [None, None, None]),
        ({"TESTPYPI_TOKEN": "a"}, [("__token__", "a", "TESTPYPI_TOKEN"), None, ("__token__", "a", "TESTPYPI_TOKEN")]),
        ({"PYPI_TOKEN": "b", "PYPI_USERNAME": "ada"}, [None, ("ada", "b", "PYPI_TOKEN"), None]),
        ({"DEPENDENCIES_TOKEN": "c", "DEPENDENCIES_USERNAME": "d"}, [None, None, ("d", "c", "DEPENDENCIES_TOKEN")]),
        (
            {"TESTPYPI_TOKEN": "a", "DEPENDENCIES_TOKEN": "c"},
            [("__token__", "a", "TESTPYPI_TOKEN"), None, ("__token__", "c", "DEPENDENCIES_TOKEN")],
        ),
        (
            {"PYPI_TOKEN": "b", "PYPI_READ_TOKEN": "r", "PYPI_READ_USERNAME": "reader"},
            [None, ("reader", "r", "PYPI_READ_TOKEN"), None],
        ),
        ({"PYPI_READ_TOKEN": "r", "PYPI_USERNAME": "ada"}, [None, ("ada", "r", "PYPI_READ_TOKEN"), None]),
        ({"DEPENDENCIES_USERNAME": "d"}, [None, None, None]),
    ],
)
def test_each_index_is_read_with_its_own_login(
    outer: dict[str, str], expected: list[tuple[str, str, str] | None]
) -> None:
    assert found(OWN, outer) == expected


def test_a_step_that_uploads_nothing_sends_no_credential_of_uploads() -> None:
    uploads = {"TESTPYPI_TOKEN": "a", "PYPI_TOKEN": "b", "TWINE_PASSWORD": "c"}
    assert found(OWN, uploads, uploads=False) == [None, None, None]
    reading = ("__token__", "r", "TESTPYPI_READ_TOKEN")
    assert found(OWN, {**uploads, "TESTPYPI_READ_TOKEN": "r"}, uploads=False) == [reading, None, reading]


def test_a_credential_of_uploads_reads_nothing_but_its_own_host() -> None:
    apart = replace(STAGING, upload="https://uploads.example/")
    assert found(Indexes(apart, OTHER, LIBRARY), {"TESTPYPI_TOKEN": "a"}) == [None, None, None]


def test_no_place_sees_the_login_of_another() -> None:
    elsewhere = replace(LIBRARY, simple="https://third.example/simple/")
    both = {"TWINE_USERNAME": "ada", "TWINE_PASSWORD": "s3cret"}
    assert found(Indexes(STAGING, OTHER, elsewhere), both)[2] is None


@pytest.mark.parametrize("variable", ["TESTPYPI_READ_TOKEN", "DEPENDENCIES_TOKEN", "TESTPYPI_TOKEN"])
def test_a_token_of_pypi_reads_no_other_host(variable: str) -> None:
    with pytest.raises(BadCredential, match=r"it is a token for pypi\.org, and goes nowhere else"):
        with_logins(OWN, {variable: make("pypi.org")}, uploads=True)


def test_a_token_of_pypi_in_netrc_or_keyring_reads_no_other_host(netrc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc.write_text(f"machine house.example login __token__ password {make('pypi.org')}\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setattr(logins, "secret", lambda _service, _user: make("test.pypi.org"))
    assert found(OWN, {"TESTPYPI_USERNAME": "__token__"}) == [None, None, None]


def test_the_public_indexes_are_read_without_a_login() -> None:
    everything = {"PYPI_TOKEN": make("pypi.org"), "TESTPYPI_TOKEN": make("test.pypi.org"), "PYPI_USERNAME": "ada"}
    assert found(PUBLIC, {**everything, "DEPENDENCIES_TOKEN": "c"}) == [None, None, None]


def test_where_installers_would_look_we_look_last(netrc: Path) -> None:
    indexes = Indexes(OTHER, OTHER, LIBRARY)
    netrc.write_text("machine house.example login ada password s3cret\n", encoding="utf-8")
    netrc.chmod(0o600)
    assert found(indexes, {})[2] == ("ada", "s3cret", "the file .netrc")
    assert found(indexes, {"DEPENDENCIES_TOKEN": "c"})[2] == ("__token__", "c", "DEPENDENCIES_TOKEN")
    netrc.write_text("no such line\n", encoding="utf-8")
    assert found(indexes, {})[2] is None


def test_a_login_that_cannot_be_meant_is_refused_before_it_is_used() -> None:
    with pytest.raises(BadCredential, match="DEPENDENCIES_TOKEN is set but empty"):
        found(Indexes(TESTPYPI, PYPI, LIBRARY), {"DEPENDENCIES_TOKEN": ""})


def test_what_uploads_reads_too() -> None:
    typed = readable(STAGING, Credential("the terminal", "typed"))
    assert typed.login == Login("__token__", "typed", "the terminal")
    assert readable(PYPI, Credential("the terminal", "typed")) is PYPI
    assert readable(STAGING, None) is STAGING


# The keyring.


def test_an_index_whose_user_name_is_set_gets_what_the_keyring_has(lookups: list[tuple[str, str]]) -> None:
    elsewhere = Indexes(STAGING, PYPI, replace(LIBRARY, simple="https://third.example/simple/"))
    given = found(elsewhere, {"TESTPYPI_USERNAME": "ada", "DEPENDENCIES_USERNAME": "bob"})
    assert given == [("ada", "a password", "the keyring"), None, None]
    assert lookups == [(STAGING.upload, "ada"), ("https://third.example/simple/", "bob")]


@pytest.mark.parametrize(
    ("index", "outer"),
    [
        (STAGING, {}),
        (TESTPYPI, {"TESTPYPI_USERNAME": "ada"}),
        (STAGING, {"TESTPYPI_USERNAME": "ada", "TESTPYPI_TOKEN": "s3cret"}),
        (STAGING, {"TESTPYPI_USERNAME": "ada", "TESTPYPI_READ_TOKEN": "s3cret"}),
    ],
    ids=["no user name", "an index that anybody reads", "a credential", "a login"],
)
def test_nobody_opens_a_keyring_without_need(
    lookups: list[tuple[str, str]], index: Index, outer: dict[str, str]
) -> None:
    found(Indexes(index, PYPI, PYPI), outer)
    assert lookups == []
