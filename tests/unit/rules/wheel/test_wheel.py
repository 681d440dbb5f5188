from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.rules.judge import judge_file
from tests.archives import WHEEL, found, metadata, wheel, wheel_members, written, zipped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archives import Contents, Fields

INFO = "demo-1.0.dist-info"
LOST = ("wheel-license-file", "wheel-record")
RECORD = wheel_members(WHEEL, metadata(), {})[f"{INFO}/RECORD"].decode()


def scripts(text: str | bytes) -> Contents:
    return {f"{INFO}/entry_points.txt": text}


def record(text: str | bytes | None) -> Contents:
    return {f"{INFO}/RECORD": text}


CASES: list[tuple[str, Contents, Contents]] = [
    ("wheel-dist-info", {f"{INFO}/WHEEL": None}, {}),
    ("wheel-metadata", {f"{INFO}/METADATA": None}, {}),
    ("wheel-one-dist-info", {"six-1.17.dist-info/METADATA": ""}, {"demo/six-1.17.dist-info/METADATA": ""}),
    ("wheel-license-file", {f"{INFO}/licenses/LICENSE": None, f"{INFO}/LICENSE": ""}, {f"{INFO}/LICENSE": ""}),
    ("wheel-record", record(None), {}),
    ("wheel-record", record(b"\xff"), record("größe,,\n")),
    ("wheel-record", record(RECORD + "\n"), record(RECORD)),
    ("wheel-record", record("x" * 200_000 + ",,\n"), record("x" * 100_000 + ",,\n")),
    ("wheel-record", record("\n" + RECORD), record(RECORD.replace("\n", "\r\n"))),
    ("wheel-record-mismatch", record(RECORD + "demo/gone.py,,\n"), record(RECORD)),
    ("wheel-record-mismatch", {**record(RECORD), "demo/more.py": ""}, {**record(RECORD), f"{INFO}/RECORD.jws": ""}),
    ("wheel-entry-points", scripts("[console_scripts]\na b = demo:main\n"), scripts("[other]\na b = demo:main\n")),
    ("wheel-entry-points", scripts("[gui_scripts]\n../x = demo:main\n"), scripts("[gui_scripts]\n._-x = demo:main\n")),
    ("wheel-entry-points", scripts("[console_scripts]\na = d:a\na = d:b\n"), scripts("[x]\na = d:a\nA = d:b\n")),
    ("wheel-entry-points", scripts("[x]\na=b\n[x]\nb=a\n"), scripts("[x]\na=b\n[y]\na=b\n")),
    ("wheel-entry-points", scripts("a = b\n"), scripts("")),
    ("wheel-entry-points", scripts("[x]\na: b\n"), scripts("[x]\na = b:c [d]\n# e\n")),
    ("wheel-entry-points", scripts(b"[x]\n\xff = b\n"), scripts("[x]\nä = b\n")),
    ("wheel-path", {"../demo.py": ""}, {"demo/..py": ""}),
    ("wheel-path", {"/demo.py": ""}, {"demo/a.py": ""}),
]


@pytest.mark.parametrize(("code", "broken", "whole"), CASES)
def test_what_a_wheel_lacks_is_named(tmp_path: Path, code: str, broken: Contents, whole: Contents) -> None:
    (message,) = found(wheel(tmp_path, files=broken), code)
    assert message.endswith((".", "?"))
    assert found(wheel(tmp_path, files=whole), code) == []


def test_a_wheel_that_was_renamed_is_told_so(tmp_path: Path) -> None:
    path = wheel(tmp_path).rename(tmp_path / "demo-2.0-py3-none-any.whl")
    messages = {problem.rule: problem.message for problem in judge_file(path)}
    assert set(messages) == {
        "wheel-dist-info",
        "wheel-metadata",
        "filename-version",
        "wheel-license-file",
        "wheel-record",
    }
    assert messages["wheel-dist-info"].startswith("there is no demo-2.0.dist-info/WHEEL in it, ")
    assert "but demo-1.0.dist-info: was" in messages["wheel-dist-info"]


def test_a_wheel_without_any_dist_info_is_told_so(tmp_path: Path) -> None:
    path = written(tmp_path, WHEEL, zipped([("demo/__init__.py", b"")]))
    (message,) = found(path, "wheel-dist-info")
    assert "no .dist-info at all" in message


def test_a_record_on_windows_has_other_slashes(tmp_path: Path) -> None:
    files = record(RECORD.replace("/", "\\"))
    assert found(wheel(tmp_path, files=files), "wheel-record-mismatch") == []


def test_folders_need_not_be_recorded(tmp_path: Path) -> None:
    members = [*wheel_members(WHEEL, metadata(), {}).items(), ("demo/", b"")]
    assert judge_file(written(tmp_path, WHEEL, zipped(members))) == ()


@pytest.mark.parametrize(
    ("version", "count"), [("2.4", 1), ("2.5", 1), ("2.3", 0), ("1.0", 0), ("two", 0), (None, 0), ("3.0", 1)]
)
def test_a_license_file_counts_from_metadata_2_4_on(tmp_path: Path, version: str | None, count: int) -> None:
    changes: Fields = {"Metadata-Version": version}
    path = wheel(tmp_path, changes, files={f"{INFO}/licenses/LICENSE": None})
    assert len(found(path, "wheel-license-file")) == count


def test_a_wheel_whose_name_has_too_few_parts_is_not_searched(tmp_path: Path) -> None:
    path = written(tmp_path, "demo-1.0.whl", wheel(tmp_path).read_bytes())
    assert {problem.rule for problem in judge_file(path)} == {"filename-wheel", "wheel-license-file"}
