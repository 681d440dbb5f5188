from __future__ import annotations

import io
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.release.archives import Archive
from seatrial.release.record import Record
from seatrial.release.stages import Cell, Dist, Installed, Problem
from seatrial.report import text as report
from tests.archives import sdist
from tests.releases import write_rehearsal, write_release
from tests.unit.test_record import VERIFIED

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("text", ["", "plain", "größe → ü"])
def test_what_is_said_is_a_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    report.say(text)
    assert capsys.readouterr().out == text + "\n"


def test_a_terminal_that_lacks_a_character_gets_its_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", terminal)
    report.say("größe →")
    terminal.seek(0)
    assert terminal.read() == "größe \\u2192\n"


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (3 << 20, "3.0 MiB"),
        (5 << 30, "5.0 GiB"),
        (7 << 40, "7168.0 GiB"),
    ],
)
def test_a_size_is_for_a_person(count: int, expected: str) -> None:
    assert report.size(count) == expected


def test_a_file_is_told_with_its_hash() -> None:
    dists = (Dist("a.whl", "0" * 64, 12), Dist("b.tar.gz", "1" * 64, 2048))
    assert report.files(dists) == f"  a.whl  12 B\n    sha256 {'0' * 64}\n  b.tar.gz  2.0 KiB\n    sha256 {'1' * 64}"


def test_findings_are_told_once_errors_first_with_all_their_files() -> None:
    found = [
        Problem("readme", "warning", "a.whl", "It is short."),
        Problem("size", "error", "b.tar.gz", "It is too large:\nmore than 100 MiB."),
        Problem("readme", "warning", "b.tar.gz", "It is short."),
        Problem("readme", "warning", "a.whl", "It is short."),
    ]
    assert report.problems(found).splitlines() == [
        "  error: b.tar.gz: It is too large:",
        "  | more than 100 MiB. [size]",
        "  warning: a.whl, b.tar.gz: It is short. [readme]",
    ]


def test_no_findings_are_nothing() -> None:
    assert report.problems([]) == ""


def test_the_matrix_is_told_cell_by_cell_in_order_of_versions() -> None:
    announced = (Cell("3.14t", "wheel"), Cell("3.9", "wheel"), Cell("pypy3.11", "sdist"), Cell("3.10", "wheel"))
    lines = report.cells([VERIFIED], announced).splitlines()
    assert [line.split()[1] for line in lines] == ["3.9", "3.10", "pypy3.11", "3.14t"]
    assert "imported demo; Python 3.14.0 on linux, with 0 dependencies, 1 smoke commands run" in lines[3]
    assert "sdist  not verified (no such interpreter here, or not run yet)" in lines[2]


def test_a_cell_that_was_not_announced_is_told_too() -> None:
    assert "3.14t" in report.cells([VERIFIED], [])


@pytest.mark.parametrize(
    ("imported", "ran", "expected"),
    [
        ((), (), "nothing in it can be imported; Python"),
        (("a", "b", "c", "d"), (), "imported a, b, c, d; Python"),
        (("a", "b", "c", "d", "e"), (), "imported a, b, c, d and 1 more; Python"),
    ],
)
def test_what_was_imported_fits_a_line(imported: tuple[str, ...], ran: tuple[str, ...], expected: str) -> None:
    told = report.cells([replace(VERIFIED, imported=imported, ran=ran)], [])
    assert expected in told
    assert "smoke" not in told


@pytest.mark.parametrize(("count", "expected"), [(0, "0 dependencies"), (1, "1 dependency"), (2, "2 dependencies")])
def test_dependencies_are_counted_without_our_own_and_what_is_there_anyway(count: int, expected: str) -> None:
    came = [Installed("demo", "1.0", "https://files.example/demo.whl")] * (count + 1)
    assert report.dependencies([*came, Installed("pip", "25.3")]) == expected


def test_what_packagers_look_for_is_counted(tmp_path: Path) -> None:
    names = ("vendored/COPYING.txt", "tests/test_a.py", "src/demo/tests/data.txt", "docs/index.md", "test.py")
    archive = Archive.open(sdist(tmp_path, files={f"demo-1.0/{name}": "x" for name in names}))
    assert report.for_packagers(archive) == (
        "  demo-1.0.tar.gz for packagers: licence files: COPYING.txt, LICENSE; tests: 2 files; documentation: 1 file"
    )


def test_the_verdict_on_each_file_is_told_where_there_are_several_wheels(tmp_path: Path) -> None:
    built = write_release(tmp_path)
    record = Record.of(tmp_path)
    assert report.of_files(record) == ""
    write_rehearsal(tmp_path, built, "https://index.example/simple/")
    said = report.of_files(record)
    assert said.startswith("files:\n  demo-1.0-cp311-cp311-macosx_11_0_arm64.whl: verified on Python ")
    assert len(said.splitlines()) == 1 + len(built.dists)


def test_one_wheel_needs_no_verdict_beside_its_cell(tmp_path: Path) -> None:
    built = write_release(tmp_path, ["py3-none-any"])
    write_rehearsal(tmp_path, built, "https://index.example/simple/")
    assert report.of_files(Record.of(tmp_path)) == ""
    assert report.of_files(Record.of(tmp_path / "nothing")) == ""
