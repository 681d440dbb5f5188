from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.rules import judge
from seatrial.rules.distribution import Release
from seatrial.rules.rule import RULES, Rule, practice
from tests.archives import SDIST, WHEEL, gzipped, metadata, sdist, sdist_members, tarred, token, wheel, written
from tests.projects import write_tree
from tests.samples.mutations import CHANGES, mutated

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.release.stages import Problem


def codes(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.rule for problem in problems]


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    return tmp_path / "dist"


def test_in_whole_files_nothing_is_found(dist: Path) -> None:
    paths = (wheel(dist), sdist(dist))
    assert judge.judge_files(paths) == [(path, ()) for path in paths]


def test_each_file_is_judged_by_itself_in_the_order_given(dist: Path) -> None:
    paths = (sdist(dist, {"Summary": None}), dist / "gone.whl", wheel(dist, filename="demo-2.0-py3-none-any.whl"))
    answer = judge.judge_files(paths)
    assert [path for path, _ in answer] == list(paths)
    assert codes(answer[0][1]) == ["metadata-summary"]
    problem = next(problem for problem in answer[1][1] if problem.rule == "archive-readable")
    assert problem.severity == "error"


def test_a_whole_release_passes_every_rule(dist: Path) -> None:
    applied, problems, html = judge.judge_release([wheel(dist), sdist(dist)], Release(tags=("v1.0",)))
    assert problems == ()
    assert list(applied) == sorted(set(applied))
    assert {"archive-readable", "release-tag", "twine-check", "wheel-pth"} <= set(applied)
    assert "A project to rehearse releases with." in html


def test_a_release_is_judged_file_by_file_and_together(tmp_path: Path, dist: Path) -> None:
    write_tree(tmp_path, {"conf": token()})
    paths = (wheel(dist, {"Summary": None}), written(dist, SDIST, b""))
    _, problems, _ = judge.judge_release(paths, Release(root=tmp_path, tags=("v2.0",), tracked=("conf",)))
    assert {problem.rule: problem.file for problem in problems} == {
        "metadata-summary": WHEEL,
        "archive-readable": SDIST,
        "secret-api-token": "release",
        "release-no-sdist": "release",
        "release-tag": "release",
    }


def test_what_is_refused_cannot_be_silenced_and_what_is_broken_can(dist: Path) -> None:
    path = wheel(dist, {"Name": None, "Summary": None}, files={"noxfile.py": ""})
    assert {problem.rule: (problem.severity, problem.silenceable) for problem in judge.judge_file(path)} == {
        "metadata-name": ("error", False),
        "metadata-summary": ("warning", False),
        "wheel-release-tooling": ("error", True),
    }


def test_a_rule_that_fails_is_a_finding(dist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> Any:
        raise LookupError("nobody thought of that")

    rule = Rule("demo-fails", "warning", practice("a test"), "file", fails)
    monkeypatch.setattr("seatrial.rules.rule.RULES", [*RULES, rule])
    (problem,) = judge.judge_file(wheel(dist))
    assert (problem.rule, problem.severity, problem.silenceable) == (judge.NOT_APPLIED, "error", True)
    assert "demo-fails could not be applied (LookupError: nobody thought of that)" in problem.message


def test_a_member_that_cannot_be_read_is_a_finding(dist: Path) -> None:
    path = wheel(dist, files={"demo/b.txt": bytes(range(1, 256)) * 20})
    raw = bytearray(path.read_bytes())
    at = raw.find(b"demo/b.txt") + 100
    raw[at : at + 20] = bytes(20)
    path.write_bytes(raw)
    (problem,) = judge.judge_file(path)
    assert problem.rule == "zip-damaged-member"
    assert "demo/b.txt" in problem.message


def many(dist: Path) -> list[Path]:
    paths = [wheel(dist, filename=f"demo-1.0-{n}-py3-none-any.whl") for n in range(judge.MANY)]
    return [*paths, sdist(dist, {"Summary": None}), written(dist, "demo-2.0.tar.gz", b"")]


def test_many_files_are_shared_out_and_answered_in_order(dist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = many(dist)
    alone = [(path, judge.judge_file(path)) for path in paths]
    monkeypatch.setattr(judge, "_cores", lambda: 2)
    assert judge.judge_files(paths) == alone
    monkeypatch.setattr(judge, "_cores", lambda: 1)
    assert judge.judge_files(paths) == alone


def test_a_release_of_many_files_is_judged_as_one_of_few(dist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = many(dist)
    monkeypatch.setattr(judge, "_cores", lambda: 2)
    shared = judge.judge_release(paths, Release(tags=("v3.0",)))
    monkeypatch.setattr(judge, "MANY", 100)
    assert shared == judge.judge_release(paths, Release(tags=("v3.0",)))
    assert {"release-tag", "archive-readable", "metadata-summary"} <= set(codes(shared[1]))


def test_there_is_at_least_one_core() -> None:
    assert judge._cores() >= 1


def test_files_are_shared_out_by_an_isolated_program(dist: Path) -> None:
    """Other processes import the main module anew, and without the folder that was in sys.path by chance."""
    code = "import sys; from pathlib import Path; from seatrial.rules import judge; judge._cores = lambda: 2\n"
    code += "if __name__ == '__main__': print(len(judge.judge_files([Path(name) for name in sys.argv[1:]])))"
    argv = [sys.executable, "-I", "-c", code, *map(str, many(dist))]
    assert subprocess.run(argv, check=True, capture_output=True, text=True).stdout == "10\n"


def test_where_no_other_process_can_begin_all_is_judged_here(dist: Path) -> None:
    """The main module of a program on standard input is no file, so other processes cannot import it."""
    code = "import sys; from pathlib import Path; from seatrial.rules import judge; judge._cores = lambda: 2\n"
    code += "print(len(judge.judge_files([Path(name) for name in sys.argv[1:]])))"
    argv = [sys.executable, "-I", "-", *map(str, many(dist))]
    assert subprocess.run(argv, check=True, capture_output=True, text=True, input=code).stdout == "10\n"


def test_every_rule_says_why() -> None:
    for rule in RULES:
        assert rule.code == rule.code.lower()
        assert rule.severity in {"refused", "broken", "warning"}
        assert rule.explanation.strip().splitlines()[0].endswith((".", '"'))


def test_a_refusal_that_is_no_error_elsewhere_keeps_its_code(dist: Path) -> None:
    (problem,) = judge.judge_file(wheel(dist, {"Classifier": "Private :: Do Not Upload"}))
    (relaxed,) = judge.for_index([problem], "packages.example")
    assert replace(relaxed, severity="error", message=problem.message) == problem


# Whatever is thrown at the rules, they answer with findings.


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([wheel, sdist]), CHANGES, st.none() | st.integers(0, 10_000))
def test_a_mutated_archive_ends_in_findings(
    tmp_path_factory: pytest.TempPathFactory,
    make: Callable[[Path], Path],
    changes: list[tuple[int, int]],
    cut: int | None,
) -> None:
    path = make(Path(tmp_path_factory.getbasetemp()))
    path.write_bytes(mutated(path.read_bytes(), changes, cut))
    for problem in judge.judge_file(path):
        assert problem.file == path.name
        assert problem.rule != judge.NOT_APPLIED
        assert problem.message.strip()


@settings(max_examples=100, deadline=None)
@given(CHANGES, st.none() | st.integers(0, 20_000))
def test_a_mutated_tar_ends_in_findings(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], cut: int | None
) -> None:
    raw = tarred(sdist_members(SDIST, metadata(), {}).items())
    path = written(Path(tmp_path_factory.getbasetemp()), SDIST, gzipped(mutated(raw, changes, cut)))
    _, found, _ = judge.judge_release([path], Release())
    assert all(problem.message.strip() for problem in found)


FIELD = st.tuples(
    st.sampled_from(
        ["Name", "Version", "Requires-Dist", "Requires-Python", "Classifier", "Project-URL", "License", "X"]
    ),
    st.text(max_size=30),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(FIELD, max_size=6), st.text(max_size=100))
def test_any_metadata_ends_in_findings(
    tmp_path_factory: pytest.TempPathFactory, fields: list[tuple[str, str]], description: str
) -> None:
    folder = Path(tmp_path_factory.getbasetemp())
    for path in (wheel(folder, dict(fields), description=description), sdist(folder, dict(fields))):
        for problem in judge.judge_file(path):
            assert problem.message.strip()
