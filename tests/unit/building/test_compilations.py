"""What is said of a project that is compiled: how often, and how to choose less."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.building.distributions import compilations
from seatrial.project.settings import Settings
from seatrial.trial import interpreters

WHEEL = "1 for the wheel; 1 to compare it with the checkout, unless it takes more than 60 seconds"


@pytest.mark.parametrize(
    ("changes", "times"),
    [
        ({}, f"{WHEEL}; 2 in `verify`, of the sdist on Python 3.12, 3.14"),
        ({"sdist_pythons": ("3.14",)}, f"{WHEEL}; 1 in `verify`, of the sdist on Python 3.14"),
        ({"archives": ("wheel",)}, WHEEL),
        ({"pythons": ("3.12", "3.13", "3.15")}, f"{WHEEL}; 1 in `verify`, of the sdist on Python 3.12"),
    ],
)
def test_it_is_told_how_often_code_is_compiled(
    changes: dict[str, Any], times: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "find", lambda python, _: python if python in {"3.12", "3.14"} else "")
    settings = Settings(**{"pythons": ("3.12", "3.14"), **changes})
    assert compilations(settings, None) == (
        f"It is compiled this often: {times}. `sdist-pythons` and `archives` in [tool.seatrial] reduce this."
    )
