"""`sdist-pythons`: a cell that nox has, and that is left out, is neither verified nor missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.steps import pypi, verify
from tests.samples.releases import release_in
from tests.samples.stages import BUILT, REHEARSED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.samples.releases import Release

CHANGES = {"sdist_pythons": ("3.14",)}


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    with release_in(tmp_path) as made:
        made.serve("testpypi")
        made.serve("pypi")
        yield made


def test_a_cell_that_is_left_out_is_not_verified(release: Release) -> None:
    release.write(BUILT, REHEARSED)
    verify.run(release.at(changes=CHANGES, python="3.13", kind="sdist", environment=release.root / "venv"))
    assert "nothing to verify" in release.shown
    assert release.record.verified() == ()


def test_a_release_does_not_need_it(release: Release) -> None:
    cells = release.at(changes=CHANGES).settings.cells
    release.write(BUILT, matrix=cells)
    release.write(REHEARSED)
    release.verified(*cells)
    pypi.run(release.at(changes=CHANGES, yes="1.0"))
    assert "not verified: 3.13 sdist" not in release.shown
    assert "2 files on PyPI" in release.shown
