"""Mutations of real files, in a process of their own, whose memory can be read."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.rules.judge import judge_file
from tests import fuzz

ROOT = Path(__file__).parents[3]


def test_a_thousand_mutations_of_ten_real_files_end_in_findings() -> None:
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tasks")])}
    argv = [sys.executable, "-m", "tests.fuzz", "--mutations", "1000"]
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["files"], answer["judged"]) == (10, 1000)
    assert answer["slowest"][0] < 10
    assert answer["memory"] < 300 << 20


@pytest.mark.parametrize(
    "path", [path for path in fuzz.FILES.iterdir() if path.name != "README.md"], ids=lambda p: p.name
)
def test_the_files_themselves_are_taken_by_pypi(path: Path) -> None:
    """But for the name of a wheel, which old backends did not normalise, and which is refused since 2024."""
    errors = {problem.rule for problem in judge_file(path) if problem.severity == "error"}
    assert errors <= {"filename-project", "wheel-dist-info"}


def test_a_mutation_is_the_same_for_the_same_seed() -> None:
    for path in fuzz.FILES.glob("iniconfig*"):
        raw = path.read_bytes()
        first, again = (fuzz.mutation(path.name, raw, random.Random(7)) for _ in range(2))  # noqa: S311 (no secret)
        assert first == again != raw
