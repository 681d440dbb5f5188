"""The benchmark of the rules: what it measures, and on which files."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.archives import found
from tests.bench import checks
from tests.bench.checks import BEGIN, END, Cost, Line

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell what a process took")
BUSY = "import sys; kept = bytes(int(sys.argv[1])); sum(range(2_000_000)); print('not ours')"


@posix
def test_a_process_is_measured_and_not_the_one_that_started_it() -> None:
    ballast = bytearray(b"x") * (150 << 20)
    small = checks.watched([sys.executable, "-c", BUSY, "0"])
    large = checks.watched([sys.executable, "-c", BUSY.replace("bytes(", "b'x' * ("), str(100 << 20)])
    assert small.memory < 100 < large.memory
    assert small.computing > 0
    assert small.seconds > 0
    assert len(ballast) == 150 << 20


@posix
def test_a_process_that_fails_is_no_figure() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        checks.watched([sys.executable, "-c", "import sys; sys.exit(3)"])


def test_the_large_wheel_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "MODULES", 3)
    monkeypatch.setattr(checks, "LUMP", 100_000)
    path = checks.large_wheel(tmp_path / "large", 1_000_000)
    assert 1_000_000 <= path.stat().st_size < 1_100_000
    for code in ("wheel-record-mismatch", "archive-readable", "zip-damaged-member", "zip-directory"):
        assert found(path, code) == []


@pytest.mark.parametrize(
    ("aim", "reached", "said"), [("", True, ""), ("soon", True, "reached"), ("soon", False, "missed")]
)
def test_an_aim_is_reached_or_missed(aim: str, reached: bool, said: str) -> None:  # noqa: FBT001
    line = Line("it", [Cost(1, 2, 3), Cost(5, 1, 9), Cost(2, 1, 1)], aim, reached=reached)
    assert line.cells == ["it", "2.00", "2.00", "9", aim, said]
    assert checks.report([line], 3).splitlines()[-1] == f"| it | 2.00 | 2.00 | 9 | {aim} | {said} |"


def test_more_cores_are_to_need_less() -> None:
    assert checks._hoped(1) == 1.0
    assert checks._hoped(8) < checks._hoped(2) < 0.8


def test_the_figures_go_between_their_own_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\n{END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(checks, "measure", lambda _folder, _rounds: [Line("it", [Cost(1, 2, 3)], "", reached=True)])
    assert checks.main(["--runs", "1", "--out", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\n\n1 rounds, ")
    assert text.endswith(f"| it | 1.00 | 2.00 | 3 |  |  |\n\n{END}\nafter\n")
    assert capsys.readouterr().out.strip() in text


@posix
def test_files_are_judged_and_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "MODULES", 1)
    monkeypatch.setattr(checks, "LUMP", 1000)
    monkeypatch.setattr(checks, "BIG", 1000)
    base, ours = checks.of_large(tmp_path, 1)
    assert base.said == ""
    assert ours.said in {"reached", "missed"}
    assert ours.costs[0].memory > 1
    assert not list(tmp_path.rglob("*.whl"))
