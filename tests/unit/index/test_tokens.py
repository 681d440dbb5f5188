from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatrial.index.tokens import Token, find_tokens
from tests.archives import macaroon, packet, token

WORDS = st.text(min_size=1, max_size=200)


@given(location=st.text(max_size=40), caveats=st.lists(WORDS, max_size=4), identifier=WORDS)
@example(location="pypi.org", caveats=["x" * 300], identifier="1" * 130)
def test_a_token_is_read_whole(location: str, caveats: list[str], identifier: str) -> None:
    raw = macaroon(location, caveats, identifier)
    assert Token.parse(token(raw)) == Token(location, identifier, tuple(caveats))


def test_a_token_without_a_location_is_read() -> None:
    raw = b"\2" + packet(2, b"id") + b"\0\0" + packet(6, bytes(32))
    assert Token.parse(token(raw)) == Token("", "id", ())


@given(st.integers(1, len(macaroon()) - 1))
def test_a_token_cut_short_anywhere_is_none(end: int) -> None:
    with pytest.raises(ValueError, match=r"cut short|no whole signature"):
        Token.parse(token(macaroon()[:end]))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_token_or_a_value_error(raw: bytes) -> None:
    with contextlib.suppress(ValueError):
        Token.parse(token(b"\2" + raw))


@given(st.text(max_size=100))
def test_any_text_is_a_token_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        Token.parse("pypi-" + text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a password", "begins with pypi-"),
        ("pypi-a token", "urlsafe base64"),
        ("pypi-größe", "urlsafe base64"),
        ("pypi-", "version 2"),
        (token(b"\1" + macaroon()[1:]), "version 2"),
        (token(b"\2" + packet(1, b"pypi.org") + b"\0\0" + packet(6, bytes(32))), "no identifier"),
        (token(b"\2" + packet(2, b"id") + packet(4, b"vid") + b"\0\0" + packet(6, bytes(32))), "no identifier"),
        (token(b"\2" + packet(2, b"id") + b"\0\0" + packet(6, bytes(31))), "no whole signature"),
        (token(b"\2" + packet(2, b"id") + b"\0\0" + packet(5, bytes(32))), "no whole signature"),
        (token(macaroon() + b"\0"), "no whole signature"),
        (token(b"\2\2" + b"\xff" * 6), "cut short"),
    ],
)
def test_what_is_no_token_says_why_and_is_not_shown(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as error:
        Token.parse(text)
    assert text.removeprefix("pypi-") not in str(error.value) or not text.removeprefix("pypi-")


def test_tokens_are_found_with_their_lines() -> None:
    first, second = token(), token(macaroon("test.pypi.org", ['[1,["demo"]]']))
    text = f"[pypi]\npassword = {first}\n\n[testpypi]\npassword={second!r}\n"
    assert [(line, found.location) for line, found in find_tokens(text)] == [(2, "pypi.org"), (5, "test.pypi.org")]


@pytest.mark.parametrize(
    "text",
    [
        token()[:-8] + "...",
        token()[:-4],
        token() + "AAAA",
        "pypi-" + "A" * 80,
        "pypi-" + base64.urlsafe_b64encode(b"\2" * 80).decode(),
        "pypi-server-and-a-very-long-name-of-a-package-that-nobody-would-ever-type-by-hand",
    ],
)
def test_what_only_looks_like_a_token_is_not_found(text: str) -> None:
    assert list(find_tokens(text)) == []
