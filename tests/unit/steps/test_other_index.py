"""Whether the files of a release are for another index than PyPI: a question of the step `check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.index.indexes import Index
from seatrial.project.options import Options
from seatrial.project.settings import Settings
from seatrial.steps.work import check
from tests.samples.contexts import make_context

if TYPE_CHECKING:
    from pathlib import Path

HOUSE = Index("packages.example", simple="https://packages.example/simple/")


@pytest.mark.parametrize(
    ("settings", "reason", "other"),
    [
        (Settings(), None, ""),
        (Settings(testpypi=HOUSE), None, ""),
        (Settings(pypi=HOUSE), None, ""),
        (Settings(pypi=HOUSE), "a reason", "packages.example"),
        (Settings(testpypi=HOUSE, pypi=HOUSE), None, "packages.example"),
    ],
)
def test_the_files_are_for_another_index_where_none_of_theirs_is_pypis(
    tmp_path: Path, settings: Settings, reason: str | None, other: str
) -> None:
    context = make_context(tmp_path, settings=settings, options=Options(rehearse_on=reason))
    assert check._other_index(context) == other
