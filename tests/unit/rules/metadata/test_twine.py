from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.rules.distribution import Distribution
from seatrial.rules.judge import judge_file
from seatrial.rules.metadata import twine as module
from tests.archives import found, sdist, wheel

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_twine_refuses_is_an_error(tmp_path: Path) -> None:
    (message,) = found(sdist(tmp_path, {"Requires-Dist": "six >= one"}), "twine-check")
    assert message.startswith("`twine check` fails: ")
    assert "requires-dist" in message.lower()
    assert found(sdist(tmp_path, {"Requires-Dist": "six >= 1"}), "twine-check") == []


def test_what_another_rule_found_is_not_said_again(tmp_path: Path) -> None:
    codes = [problem.rule for problem in judge_file(sdist(tmp_path, {"Requires-Dist": "six >= one"}))]
    assert codes == ["metadata-requirement"]


def test_what_would_take_twine_long_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sdist(tmp_path, {"Requires-Dist": "six >= one"})
    assert found(path, "twine-check")
    monkeypatch.setattr(module, "MEMBERS", 3)
    assert found(path, "twine-check") == []
    monkeypatch.undo()
    monkeypatch.setattr(module, "DESCRIPTION", 3)
    assert found(path, "twine-check") == []


def test_an_archive_that_is_gone_is_a_finding(tmp_path: Path) -> None:
    dist = Distribution.open(wheel(tmp_path))
    dist.path.write_bytes(b"PK")
    (message,) = module.errors.find(dist)
    assert "`twine check` fails: " in message
