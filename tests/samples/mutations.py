"""Bytes changed at random, for the tests that no input breaks a reader."""

from __future__ import annotations

from hypothesis import strategies as st


def mutated(raw: bytes, changes: list[tuple[int, int]], cut: int | None) -> bytes:
    """Return `raw` with bytes changed and its end cut off; places are counted modulo its length."""
    changed = bytearray(raw)
    for place, byte in changes:
        changed[place % len(raw)] = byte
    return bytes(changed[: None if cut is None else cut % len(raw)])


CHANGES = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8)
