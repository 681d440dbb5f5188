"""Archives made to hurt: each gets an answer, soon and in little memory, and nothing is written."""

from __future__ import annotations

import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from seatrial.release import archives
from seatrial.release.formats import tars, zip_records
from seatrial.rules import distribution
from seatrial.rules.judge import judge_file
from tests.archives import SDIST, WHEEL, gzipped, written, zipped
from tests.hostile import (
    MEMBERS,
    TAR,
    bomb,
    climbing,
    crowd,
    encrypted,
    endless,
    extended,
    long_description,
    many_fields,
    nested,
    overlapping,
    tokens,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MEMORY = 100 << 20  # bytes that Python may hold at any time

HOSTILE: list[tuple[str, Callable[[], bytes], set[str]]] = [
    (WHEEL, bomb, {"zip-ratio"}),
    (WHEEL, overlapping, {"zip-ratio", "zip-directory"}),
    (WHEEL, crowd, {"wheel-record-mismatch"}),
    (WHEEL, encrypted, {"zip-encrypted", "zip-damaged-member"}),
    (WHEEL, nested, {"wheel-record-mismatch"}),
    (WHEEL, climbing, {"wheel-path"}),
    (WHEEL, tokens, {"wheel-record-mismatch"}),
    (WHEEL, many_fields, {"metadata-url", "metadata-repeated"}),
    (WHEEL, long_description, {"description-not-rendered"}),
    (SDIST, lambda: endless(bytes(1 << 20), 50), {"archive-readable"}),
    (SDIST, extended, {"archive-readable"}),
    (SDIST, lambda: gzipped(gzipped(TAR)), {"archive-readable"}),
]


@pytest.mark.parametrize(("name", "make", "codes"), HOSTILE)
def test_a_hostile_archive_is_answered_in_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, make: Callable[[], bytes], codes: set[str]
) -> None:
    monkeypatch.setattr(archives, "FLOOR", 40 << 20)
    path = written(tmp_path / "dist", name, make())
    judge_file(path.with_name("warm-1.0.tar.gz"))  # what is imported on first use is not counted
    tracemalloc.start()
    try:
        found = judge_file(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert codes <= {problem.rule for problem in found}
    assert peak < MEMORY
    assert [file.name for file in tmp_path.rglob("*")] == ["dist", name]
    assert not os.path.lexists(tmp_path.parent / "climbed")


@pytest.mark.parametrize("name", [WHEEL, SDIST])
def test_names_that_are_too_long_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = written(tmp_path, name, zipped(MEMBERS.items()) if name == WHEEL else gzipped(TAR))
    assert judge_file(path) == ()
    monkeypatch.setattr(distribution, "NAMES_TOTAL", 50)
    assert "archive-readable" in {problem.rule for problem in judge_file(path)}


def test_the_readers_limits_hold_memory_too() -> None:
    """What a list of that many members takes stays far below what a machine has."""
    assert max(zip_records.MEMBER_LIMIT, tars.MEMBER_LIMIT) <= 100_000
    assert tars.HEADER_LIMIT <= 1 << 20
