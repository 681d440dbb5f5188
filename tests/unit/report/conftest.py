from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.archives import sdist, wheel

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a wheel and an sdist in dist/, of which nothing is recorded."""
    wheel(tmp_path / "dist")
    sdist(tmp_path / "dist")
    return tmp_path
