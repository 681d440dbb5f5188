from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path

import pytest

from seatrial.machine.terminal import visible
from seatrial.steps.inspect import FindingsInFiles, FolderGiven, inspect
from tests.archives import SDIST, WHEEL, metadata, sdist, wheel, wheel_members, written, zipped


def test_whole_files_are_said_to_be_so_and_named_as_they_were_given(tmp_path: Path) -> None:
    sdist(wheel(tmp_path / "dist").parent)
    lines: list[str] = []
    files = [Path("dist") / WHEEL, Path("dist") / SDIST]
    inspect(files, tmp_path / "out.json", lines.append, tmp_path)
    assert lines == [f"  {WHEEL}: no problems found", f"  {SDIST}: no problems found"]
    answer = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert answer == [{"file": str(file), "problems": []} for file in files]


def test_a_file_with_an_error_fails(tmp_path: Path) -> None:
    lines: list[str] = []
    path = wheel(tmp_path, {"Summary": None}, files={"noxfile.py": ""})
    with pytest.raises(FindingsInFiles, match="1 of these files cannot be uploaded"):
        inspect([path], tmp_path / "out.json", lines.append)
    assert "wheel-release-tooling: " in lines[0]
    (entry,) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert {problem["rule"]: problem["severity"] for problem in entry["problems"]} == {
        "wheel-release-tooling": "error",
        "metadata-summary": "warning",
    }
    assert all(set(problem) == {"rule", "severity", "message"} for problem in entry["problems"])


def test_a_folder_is_said_to_be_one(tmp_path: Path) -> None:
    wheel(tmp_path / "dist")
    lines: list[str] = []
    with pytest.raises(FolderGiven, match="dist is a folder, and `inspect` looks at files"):
        inspect([Path("dist")], None, lines.append, tmp_path)
    assert lines == []


def test_a_warning_alone_does_not_fail(tmp_path: Path) -> None:
    lines: list[str] = []
    inspect([wheel(tmp_path, {"Summary": None})], None, lines.append)
    assert "metadata-summary: " in lines[0]


def _end_of(pipe: Path) -> None:
    with contextlib.suppress(OSError):  # nobody reads it
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))


def test_what_no_reader_expects_is_a_finding_and_the_others_are_judged_all_the_same(tmp_path: Path) -> None:
    digits = "9" * 5000
    files = [tmp_path / "absent.whl", wheel(tmp_path, {"Version": digits}), sdist(tmp_path, {"Summary": None})]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "demo-1.0.tar.gz.whl")
        files.append(tmp_path / "demo-1.0.tar.gz.whl")
    late = threading.Timer(20, _end_of, files[-1:])  # who does wait for the pipe fails, and does not hang
    late.start()
    lines: list[str] = []
    with pytest.raises(FindingsInFiles):
        inspect(files, None, lines.append)
    late.cancel()
    assert len(lines) == len(files)
    assert "there is no such file" in lines[0]
    assert "metadata-release-version: " in lines[1]
    assert len(lines[1]) < 3000
    assert "metadata-summary: " in lines[2]
    assert "it is not a file" in lines[-1]


@pytest.mark.skipif(os.name == "nt", reason="no file has such a name there")
def test_the_name_of_a_file_and_of_a_member_begin_no_line_of_their_own(tmp_path: Path) -> None:
    foreign = "\n::error::x\x1b[2J"
    members = [*wheel_members(WHEEL, metadata(), {}).items(), (f"demo/{foreign}.py", b"")]
    good, bad = wheel(tmp_path), written(tmp_path, f"demo-1.0{foreign}-py3-none-any.whl", zipped(members))
    named = good.rename(tmp_path / "demo-1.0-1\nok-py3-none-any.whl")
    lines: list[str] = []
    with pytest.raises(FindingsInFiles):
        inspect([bad, named], None, lines.append)
    shown = "\n".join(lines).splitlines()
    assert [line for line in shown if not line.startswith(("  error: ", "  warning: ", "  | "))] == []
    assert "\x1b[2J" not in "\n".join(map(visible, lines))
