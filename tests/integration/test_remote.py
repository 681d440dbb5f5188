"""`status --remote` on real projects; tests/unit/steps/test_remote.py has what it compares and says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Project


@pytest.mark.slow
def test_status_asks_only_when_it_is_told_to(bring: Callable[[str], Project]) -> None:
    """The indexes of this project are on no machine."""
    project = bring("build")
    text = (project.root / "pyproject.toml").read_text(encoding="utf-8")
    nowhere = 'upload = "http://127.0.0.1:9/legacy/"\nsimple = "http://127.0.0.1:9/simple/"\n'
    tables = "".join(f"\n[tool.seatrial.indexes.{name}]\n{nowhere}" for name in ("testpypi", "pypi"))
    project.change({"pyproject.toml": text + tables})
    assert project.step("status").code == 0
    refused = project.step("status", "--remote")
    assert refused.code == 1
    assert refused.shows("127.0.0.1:9 cannot be read at http://127.0.0.1:9/simple/demo/")
