"""What the terminal shows of a release, in plain text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.release.archives import Archive
from seatrial.release.record import Record
from seatrial.release.stages import KINDS, Cell, Dist, Installed, Problem
from seatrial.report import text as report
from tests.archives import sdist
from tests.projects import write_tree
from tests.samples.stages import BUILT, CHECKED, DISTS, FILES, REHEARSED, RELEASED, SAMPLES, VERIFIED

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.release.stages import Rehearsed, Released, Stage


def test_a_file_is_told_with_its_hash() -> None:
    dists = (Dist("a.whl", "0" * 64, 12), Dist("b.tar.gz", "1" * 64, 2048))
    assert report.files(dists) == f"  a.whl  12 B\n    sha256 {'0' * 64}\n  b.tar.gz  2.0 KiB\n    sha256 {'1' * 64}"


def test_findings_are_told_once_errors_first_with_all_their_files() -> None:
    found = [
        Problem("readme", "warning", "a.whl", "It is short."),
        Problem("size", "error", "b.tar.gz", "It is too large:\n  more than\n  100 MiB."),
        Problem("readme", "warning", "b.tar.gz", "It is short."),
        Problem("readme", "warning", "a.whl", "It is short."),
    ]
    assert report.problems(found).splitlines() == [
        "  error: size: It is too large: (b.tar.gz)",
        "  | more than",
        "  | 100 MiB.",
        "  warning: readme: It is short. (a.whl, b.tar.gz)",
    ]


def test_no_findings_are_nothing() -> None:
    assert report.problems([]) == ""


def test_the_matrix_is_told_cell_by_cell_in_order_of_versions() -> None:
    announced = (Cell("3.14t", "wheel"), Cell("3.9", "wheel"), Cell("pypy3.11", "sdist"), Cell("3.10", "wheel"))
    lines = report.cells([VERIFIED], announced).splitlines()
    assert [line.split()[1] for line in lines] == ["3.9", "3.10", "pypy3.11", "3.14t"]
    assert "imported demo; Python 3.14.0 on linux, with 0 dependencies, 1 smoke command run" in lines[3]
    assert "sdist  not verified (no such interpreter here, or not run yet)" in lines[2]


def test_a_cell_that_was_not_announced_is_told_too() -> None:
    assert "3.14t" in report.cells([VERIFIED], [])


@pytest.mark.parametrize(
    ("imported", "ran", "expected"),
    [
        ((), (), "no importable modules; Python"),
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
        "demo-1.0.tar.gz for packagers: licence files: COPYING.txt, LICENSE; tests: 2 files; documentation: 1 file"
    )


def test_pythons_are_shown_in_the_order_of_their_versions() -> None:
    pythons = ("3.14", "3.9", "3.10", "pypy3.11", "3.14t")
    lines = report.cells((), [Cell(python, kind) for python in pythons for kind in KINDS]).splitlines()
    assert [line.split()[1] for line in lines[::2]] == ["3.9", "3.10", "pypy3.11", "3.14", "3.14t"]
    assert [line.split()[2] for line in lines[:2]] == ["sdist", "wheel"]


def written(record: Record, *stages: Stage) -> Record:
    for stage in stages:
        record.write(stage)
    return record


def test_the_verdict_on_each_file_is_told_where_there_are_several_wheels(tmp_path: Path) -> None:
    names = ("demo-1.0.tar.gz", "demo-1.0-py3-none-any.whl", "demo-1.0-cp311-cp311-win_amd64.whl")
    (tmp_path / "dist").mkdir()
    for name in names:
        (tmp_path / "dist" / name).write_text(name, encoding="utf-8")
    dists = tuple(sorted(map(Dist.from_file, (tmp_path / "dist").iterdir())))
    record = written(Record.of(tmp_path), replace(BUILT, dists=dists))
    assert report.of_files(record) == ""
    written(record, replace(VERIFIED, dists=dists))
    lines = report.of_files(record).splitlines()
    assert lines[0] == "files:"
    assert lines[1].startswith("  demo-1.0-cp311-cp311-win_amd64.whl: not verified here, no platform that fits")
    assert lines[2] == "  demo-1.0-py3-none-any.whl: verified on Python 3.14t on linux x86_64"
    assert len(lines) == 1 + len(dists)


def test_one_wheel_needs_no_verdict_beside_its_cell(tmp_path: Path) -> None:
    write_tree(tmp_path / "dist", FILES)
    assert report.of_files(written(Record.of(tmp_path), *SAMPLES)) == ""
    assert report.of_files(Record.of(tmp_path / "nothing")) == ""


# A stage in a line.

DEVPI = "http://127.0.0.1:3141/root/dev/+simple/"  # an index of one's own, which is no stand-in
(TRIAL,) = CHECKED.trials
COMPILED = "1 rule, 1 file tried on 3.13, 1 module; 1 warning"


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (BUILT, "from c0ffee: wheel 10 B, sdist 10 B"),
        (replace(BUILT, commit=None, dirty=True), "from no commit (not a clean tree): wheel 10 B, sdist 10 B"),
        (replace(BUILT, dists=(*DISTS, replace(DISTS[0], size=2048))), "from c0ffee: 2 wheels 2.0 KiB, sdist 10 B"),
        (CHECKED, "1 rule, 1 file tried on 3.13, 1 module; 1 warning"),
        (replace(CHECKED, trials=(), problems=()), "1 rule, no file tried, 0 modules"),
        (REHEARSED, "https://test.pypi.org/simple/"),
        (
            replace(REHEARSED, index="http://127.0.0.1:1/simple/", reason="no network"),
            "a stand-in on this machine (no network)",
        ),
        (RELEASED, "https://pypi.org/simple/"),
        (replace(REHEARSED, index=DEVPI), f"{DEVPI} (on this machine)"),
        (replace(RELEASED, index=DEVPI), f"{DEVPI} (on this machine)"),
        (replace(CHECKED, trials=(TRIAL, replace(TRIAL, filename="a", through="b"))), COMPILED),
        (VERIFIED, "imported demo; Python 3.14.0 on linux, with 0 dependencies, 1 smoke command run"),
    ],
)
def test_a_stage_is_summarised_in_a_line(stage: Stage, expected: str) -> None:
    assert report.summary(stage) == expected


@pytest.mark.parametrize("stage", [REHEARSED, RELEASED])
def test_the_indexes_of_a_dry_run_are_stand_ins(stage: Rehearsed | Released) -> None:
    assert report.summary(replace(stage, index=DEVPI), dry=True) == "a stand-in on this machine"


def test_problems_are_counted_once_however_many_files_they_are_about() -> None:
    found = [Problem("readme", "warning", name, "It is short.") for name in ("a.whl", "b.tar.gz")]
    assert report.counted(found) == "1 warning"
    assert report.counted([*found, Problem("a", "error", "x", "y"), Problem("b", "error", "x", "y")]) == (
        "2 errors, 1 warning"
    )
    assert report.counted([]) == ""


def test_the_name_of_a_file_begins_no_line_of_its_own() -> None:
    name = "demo-1.0\n::error::x\x1b[2J-py3-none-any.whl"
    found = [Problem("readme", "error", name, "It is short.")]
    assert report.problems(found) == r"  error: readme: It is short. (demo-1.0\n::error::x\x1b[2J-py3-none-any.whl)"
    assert report.files([Dist(name, "0" * 64, 1)]).count("\n") == 1
