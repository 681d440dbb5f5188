from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import door
from seatrial.steps import inspect
from tests.archives import SDIST, WHEEL, sdist, wheel

if TYPE_CHECKING:
    from pathlib import Path


def test_whole_files_end_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sdist(wheel(tmp_path / "dist").parent)
    out = tmp_path / "out.json"
    words = ["--json", "out.json", f"dist/{WHEEL}", f"dist/{SDIST}"]
    assert inspect.main(words, tmp_path) == 0
    assert capsys.readouterr().out == f"  {WHEEL}: nothing found\n  {SDIST}: nothing found\n"
    answer = json.loads(out.read_text(encoding="utf-8"))
    assert [entry["file"] for entry in answer] == [str(tmp_path / place) for place in words[2:]] or [
        entry["file"] for entry in answer
    ] == words[2:]


def test_a_file_with_an_error_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel(tmp_path, files={"noxfile.py": ""})
    assert inspect.main([WHEEL], tmp_path) == 1
    said = capsys.readouterr()
    assert "[wheel-release-tooling]" in said.out
    assert "1 of these files cannot be uploaded" in said.err


def test_a_warning_alone_ends_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel(tmp_path, {"Summary": None})
    assert inspect.main([WHEEL], tmp_path) == 0
    assert "[metadata-summary]" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["--no-such-option"]])
def test_what_cannot_be_meant_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert inspect.main(words, tmp_path) == 1
    assert "What to do: " in capsys.readouterr().err


def test_a_place_that_cannot_be_written_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel(tmp_path)
    assert inspect.main(["--json", "gone/out.json", WHEEL], tmp_path) == 1
    assert "out.json" in capsys.readouterr().err


def test_the_door_inspects_in_its_own_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(door, "run_nox", None)
    assert door.main(["inspect", WHEEL]) == 0
    assert "nothing found" in capsys.readouterr().out


def test_without_the_libraries_it_is_not_equipped(monkeypatch: pytest.MonkeyPatch) -> None:
    assert inspect.is_equipped()
    monkeypatch.setattr(inspect, "LIBRARIES", ("twine", "there_is_none"))
    assert not inspect.is_equipped()
    monkeypatch.setattr(inspect, "LIBRARIES", ("there_is_none.inside",))
    assert not inspect.is_equipped()
    assert importlib.util.find_spec("there_is_none") is None
