"""The scope of an API token, and narrowing it; a real verifier of macaroons (pypitoken) is the judge."""

from __future__ import annotations

import base64
import json
from typing import Any

import pypitoken
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.index.tokens import Scope, Token, narrow

KEY = "the key that only the index knows"
NOW = 1_800_000_000
USER = "7b5b0c4e-7d5a-4a55-8a0e-0d2b1a0d7c11"
PROJECT_ID = "0c6c4a54-62a1-4a86-9c35-55c6d8b8a9a1"


def token(location: str = "pypi.org", **restrictions: Any) -> str:
    """Return a token as an index makes it."""
    made = pypitoken.Token.create(location, "an-identifier", KEY)
    return str(made.restrict(**restrictions).dump() if restrictions else made.dump())


def with_caveat(caveat: str) -> str:
    made = pypitoken.Token.create("pypi.org", "an-identifier", KEY)
    made._macaroon.add_first_party_caveat(caveat)
    return str(made.dump())


RESTRICTIONS: list[tuple[dict[str, Any], Scope]] = [
    ({}, Scope()),
    ({"user_id": USER}, Scope()),
    ({"legacy_noop": True}, Scope()),
    ({"project_names": ["demo"]}, Scope(projects=frozenset({"demo"}))),
    ({"project_names": ["demo", "other"]}, Scope(projects=frozenset({"demo", "other"}))),
    ({"legacy_project_names": ["demo"]}, Scope(projects=frozenset({"demo"}))),
    ({"project_names": ["demo", "other"], "legacy_project_names": ["other"]}, Scope(projects=frozenset({"other"}))),
    ({"project_ids": [PROJECT_ID]}, Scope(by_id=True)),
    ({"not_before": 5, "not_after": 9}, Scope(starts=5, expires=9)),
    ({"legacy_not_before": 5, "legacy_not_after": 9}, Scope(starts=5, expires=9)),
    (
        {"not_before": 5, "not_after": 9, "legacy_not_before": 6, "legacy_not_after": 8},
        Scope(starts=6, expires=8),
    ),
]


@pytest.mark.parametrize(("restrictions", "scope"), RESTRICTIONS)
def test_the_scope_of_a_token_is_what_its_caveats_leave(restrictions: dict[str, Any], scope: Scope) -> None:
    assert Token.parse(token(**restrictions)).scope == scope


@pytest.mark.parametrize(
    "caveat",
    [
        '[4, "a-publisher", "a-service"]',
        "[0, 9]",
        '[0, "9", "5"]',
        "[1]",
        '[1, "demo"]',
        "[]",
        "{}",
        '{"version": 2, "permissions": "user"}',
        "no JSON",
        "null",
        "",
    ],
)
def test_a_caveat_that_is_not_known_is_said_to_be_unknown(caveat: str) -> None:
    assert Token.parse(with_caveat(caveat)).scope == Scope(unknown=True)


def test_a_caveat_nested_too_deeply_is_unknown() -> None:
    assert Scope().under(None).unknown
    assert Token("pypi.org", "a", ("[" * 100_000,)).scope.unknown


@pytest.mark.parametrize(
    ("scope", "whole"),
    [
        (Scope(), True),
        (Scope(starts=5, expires=9), True),
        (Scope(projects=frozenset({"demo"})), False),
        (Scope(projects=frozenset()), False),
        (Scope(by_id=True), False),
        (Scope(unknown=True), False),
    ],
)
def test_a_token_without_projects_is_for_the_whole_account(scope: Scope, *, whole: bool) -> None:
    assert scope.whole_account is whole


CAVEATS = ([0, NOW + 900, NOW - 60], [1, ["demo"]])


@pytest.mark.parametrize("location", ["pypi.org", "test.pypi.org"])
@pytest.mark.parametrize("restrictions", [restrictions for restrictions, _ in RESTRICTIONS])
def test_a_narrowed_token_is_that_of_pypitoken_byte_for_byte(location: str, restrictions: dict[str, Any]) -> None:
    theirs = pypitoken.Token.load(token(location, **restrictions))
    theirs.restrict(not_before=NOW - 60, not_after=NOW + 900).restrict(project_names=["demo"])
    assert narrow(token(location, **restrictions), CAVEATS) == theirs.dump()


def accepted(text: str, project: str, at: int) -> bool:
    """Whether the index takes `text` for an upload of `project` at the time `at`."""
    try:
        pypitoken.Token.load(text).check(KEY, project_name=project, user_id=USER, now=at)
    except pypitoken.ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("project", "at", "taken"),
    [
        ("demo", NOW, True),
        ("demo", NOW - 60, True),
        ("demo", NOW - 61, False),
        ("demo", NOW + 899, True),
        ("demo", NOW + 900, False),
        ("other", NOW, False),
    ],
)
def test_a_narrowed_token_is_taken_in_its_window_and_for_its_project_alone(
    project: str, at: int, *, taken: bool
) -> None:
    assert accepted(token(user_id=USER), project, at)
    assert accepted(narrow(token(user_id=USER), CAVEATS), project, at) is taken


def test_a_caveat_cannot_be_taken_away_again() -> None:
    whole = narrow(token(), CAVEATS)
    raw = base64.urlsafe_b64decode(whole[5:] + "=" * (-len(whole[5:]) % 4))
    start, end = raw.index(b'[1, ["demo"]]') - 2, raw.index(b'[1, ["demo"]]') + len(b'[1, ["demo"]]') + 1
    cut = "pypi-" + base64.urlsafe_b64encode(raw[:start] + raw[end:]).decode().rstrip("=")
    assert Token.parse(cut).caveats == ("[0, 1800000900, 1799999940]",)
    assert accepted(whole, "demo", NOW)
    assert not accepted(cut, "demo", NOW)


NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=200)


@given(st.sampled_from(["pypi.org", "test.pypi.org"]), st.lists(NAMES, min_size=1), st.integers(1, 2**40))
def test_any_narrowing_is_that_of_pypitoken(location: str, names: list[str], at: int) -> None:
    theirs = pypitoken.Token.load(token(location)).restrict(not_before=at, not_after=at + 900)
    assert narrow(token(location), [[0, at + 900, at]]) == theirs.dump()
    theirs.restrict(project_names=names)
    narrowed = narrow(token(location), [[0, at + 900, at], [1, names]])
    assert narrowed == theirs.dump()
    assert Token.parse(narrowed).scope == Scope(projects=frozenset(names), starts=at, expires=at + 900)


@given(st.lists(st.one_of(NAMES, st.integers(), st.lists(NAMES)), max_size=4))
def test_narrowing_twice_is_narrowing_once_by_both(caveats: list[Any]) -> None:
    assert narrow(narrow(token(), caveats), CAVEATS) == narrow(token(), [*caveats, *CAVEATS])
    assert Token.parse(narrow(token(), caveats)).caveats == tuple(json.dumps(caveat) for caveat in caveats)


def other_form(text: str) -> str:
    """Return the token `text` with the length of its signature written in two bytes where one is enough."""
    raw = base64.urlsafe_b64decode(text[5:] + "=" * (-len(text[5:]) % 4))
    raw = raw[:-33] + b"\xa0\0" + raw[-32:]
    return "pypi-" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize("text", ["", "pypi-", "pypi-AgEIcHlwaS5vcmc", "a password", token()[:-3], other_form(token())])
def test_what_is_no_whole_token_is_not_narrowed(text: str) -> None:
    with pytest.raises(ValueError, match=r"API token|macaroon") as error:
        narrow(text, CAVEATS)
    assert not text or text not in str(error.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_token_or_a_value_error(raw: bytes) -> None:
    text = "pypi-" + base64.urlsafe_b64encode(b"\x02" + raw).decode().rstrip("=")
    try:
        found = Token.parse(text)
    except ValueError:
        return
    assert isinstance(found.scope, Scope)
