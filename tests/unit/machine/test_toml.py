"""TOML that nobody wrote by hand is an error like any other."""

from __future__ import annotations

import pytest

from seatrial.machine import toml


@pytest.mark.parametrize("text", [f"a = {'[' * 10_000}", f"a = {'[' * 10_000}{']' * 10_000}", "a = " + "{a=" * 10_000])
def test_what_is_nested_too_deeply_is_an_error_of_the_document(text: str) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        toml.parse(text)
