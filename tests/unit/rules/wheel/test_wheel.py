from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from seatrial.rules.judge import judge_file
from tests.archives import WHEEL, found, metadata, wheel, wheel_members, written, zipped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archives import Contents, Fields

INFO = "demo-1.0.dist-info"
LINUX = "cpython-312-x86_64-linux-gnu"
WHEEL_FILE = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
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
    ("wheel-first-dist-info", {"a-1.dist-info/METADATA": ""}, {"six-1.17.dist-info/METADATA": ""}),
    ("wheel-egg-info", {"demo.egg-info/PKG-INFO": "Version: 0.9"}, {"demo/data/demo.egg-info/PKG-INFO": ""}),
    ("wheel-egg-info", {"demo.egg-info": ""}, {}),
    ("wheel-version", {f"{INFO}/WHEEL": WHEEL_FILE.replace("Wheel-Version: 1.0\n", "")}, {}),
    ("wheel-version", {f"{INFO}/WHEEL": WHEEL_FILE.replace("1.0", "2.0")}, {f"{INFO}/WHEEL": WHEEL_FILE}),
    (
        "wheel-version",
        {f"{INFO}/WHEEL": b"\xff" + WHEEL_FILE.encode()},
        {f"{INFO}/WHEEL": WHEEL_FILE.replace("1.0", "1.9")},
    ),
    ("wheel-fields", {f"{INFO}/WHEEL": WHEEL_FILE.replace("true", "yes")}, {f"{INFO}/WHEEL": WHEEL_FILE}),
    ("wheel-fields", {f"{INFO}/WHEEL": WHEEL_FILE + "Build: 1\n"}, {}),
    (
        "wheel-fields",
        {f"{INFO}/WHEEL": WHEEL_FILE + "Tag: odd\n"},
        {f"{INFO}/WHEEL": WHEEL_FILE + "Tag: py2-none-any\n"},
    ),
    ("wheel-data-scheme", {"demo-1.0.data/share/a": ""}, {"demo-1.0.data/data/share/a": "", "other.data/share/a": ""}),
    ("wheel-script", scripts("[console_scripts]\na = demo.main\n"), scripts("[console_scripts]\na = demo:main\n")),
    (
        "wheel-script",
        scripts("[gui_scripts]\na = demo: \n"),
        scripts("[gui_scripts]\na = demo.a : b.c [x]\n[y]\nz = q\n"),
    ),
    ("wheel-record-hash", record(RECORD.replace("sha256=", "sha256=A")), record(RECORD)),
    (
        "wheel-record-hash",
        {**record(RECORD), "demo/__init__.py": "changed"},
        record(re.sub("sha256=[^,]*", "", RECORD)),
    ),
    ("wheel-record-hash", record(RECORD.replace(",26\n", ",27\n")), record(RECORD.replace("sha256=", "sha512="))),
    ("wheel-record-hash", {**record(RECORD + "demo/a.so,sha256=A,1\n"), "demo/a.so": b"\0"}, {}),
    ("wheel-extension-pure", {f"demo/_c.{LINUX}.so": ""}, {"demo/_c.py": "", "demo/data.so.txt": ""}),
    ("wheel-extension-pure", {"demo/_c.pyd": ""}, {"demo/_c.so": ""}),
    ("wheel-extension-pure", {"demo/_c.abi3.so": ""}, {}),
    ("wheel-library-pure", {"demo/_c.so": "\x7fELF"}, {"demo/tool.exe": "MZ"}),
    ("wheel-library-pure", {"demo/c.dll": "MZ"}, {f"demo/_c.{LINUX}.so": ""}),
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
    *(
        ("wheel-script-group", scripts(f"[{group}]\na = demo:main\n"), scripts("[console_scripts]\na = demo:main\n"))
        for group in ("console_script", "console-scripts", "gui_script", "console_scripts ", "Console_Scripts")
    ),
    ("wheel-script-group", scripts("[gui.scripts]\na = demo:main\n"), scripts("[gui_scripts]\na = demo:main\n")),
    ("wheel-script-group", scripts("[consolescripts]\n"), scripts("[demo.console_scripts]\n[scripts]\n[x]\n")),
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


# What the tags promise.

CP312 = "demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"
ELF = b"\x7fELF"


@pytest.mark.parametrize(
    ("filename", "lost", "kept"),
    [
        (CP312, "demo/_c.cpython-311-x86_64-linux-gnu.so", f"demo/_c.{LINUX}.so"),
        (CP312, "demo/_c.cpython-312-darwin.so", "demo/_c.so"),
        (CP312, "demo/_c.cp312-win_amd64.pyd", "demo/_c.abi3.so"),
        (CP312, "demo/_c.pypy310-pp73-x86_64-linux-gnu.so", f"demo/_c.{LINUX}.so"),
        ("demo-1.0-cp39-abi3-win_amd64.whl", "demo/_c.cp39-win_amd64.pyd", "demo/_c.pyd"),
        ("demo-1.0-cp39-abi3-macosx_11_0_arm64.whl", "demo/_c.cpython-39-darwin.so", "demo/_c.abi3.so"),
        ("demo-1.0-cp37-cp37m-win32.whl", "demo/_c.cp36-win32.pyd", "demo/_c.cp37-win32.pyd"),
        ("demo-1.0-cp313-cp313t-manylinux_2_28_x86_64.whl", "demo/_c.cpython-313-x86_64-linux-gnu.so", "demo/_c.so"),
    ],
)
def test_an_extension_that_no_python_of_the_tags_loads_is_named(
    tmp_path: Path, filename: str, lost: str, kept: str
) -> None:
    (message,) = found(wheel(tmp_path, filename=filename, files={lost: ELF}), "wheel-extension-tag")
    assert lost in message
    assert found(wheel(tmp_path, filename=filename, files={kept: ELF}), "wheel-extension-tag") == []
    both = {lost: ELF, kept: ELF}  # several Pythons in one wheel
    assert found(wheel(tmp_path, filename=filename, files=both), "wheel-extension-tag") == []


@pytest.mark.parametrize("filename", ["demo-1.0-py3-none-any.whl", "demo-1.0-py3-none-manylinux2014_x86_64.whl"])
def test_a_wheel_for_every_python_promises_no_abi(tmp_path: Path, filename: str) -> None:
    path = wheel(tmp_path, filename=filename, files={"demo/_c.cpython-311-x86_64-linux-gnu.so": ELF})
    assert found(path, "wheel-extension-tag") == []


@pytest.mark.parametrize(
    "sound",
    [
        {"demo/_c.so": ELF},
        {"demo-1.0.data/scripts/demo": ELF},
        {"demo/lib.dylib": b"\xcf\xfa\xed\xfe"},
        {"demo/tool.exe": b"MZ"},
    ],
)
def test_a_wheel_for_one_platform_without_machine_code_is_named(tmp_path: Path, sound: Contents) -> None:
    (message,) = found(wheel(tmp_path, filename=CP312), "wheel-platform-pure")
    assert "manylinux_2_28_x86_64 alone, but it contains no machine code" in message
    assert found(wheel(tmp_path, filename=CP312, files=sound), "wheel-platform-pure") == []
    assert found(wheel(tmp_path), "wheel-platform-pure") == []


def test_the_build_number_is_that_of_the_name(tmp_path: Path) -> None:
    name = "demo-1.0-2b-py3-none-any.whl"
    assert found(wheel(tmp_path, filename=name), "wheel-fields")
    files = {f"{INFO}/WHEEL": WHEEL_FILE + "Build: 2b\n"}
    assert found(wheel(tmp_path, filename=name, files=files), "wheel-fields") == []
