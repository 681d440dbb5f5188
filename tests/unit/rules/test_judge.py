from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.rules import judge
from tests.archives import SDIST, WHEEL, gzipped, metadata, sdist, sdist_members, tarred, token, wheel, written
from tests.projects import write_tree
from tests.samples.mutations import CHANGES, mutated

ROOT = Path(__file__).parents[2]


def judged(tmp_path: Path, *paths: Path) -> Any:
    """Return what the rules program says of each of `paths` by itself."""
    judge.main(["--out", str(tmp_path / "out.json"), "files", *map(str, paths)])
    return json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))


def judged_release(tmp_path: Path, *paths: Path, **changes: Any) -> Any:
    """Return what the rules program says of `paths` as one release."""
    request: dict[str, Any] = {"files": list(map(str, paths)), "root": str(tmp_path), "tags": []}
    request |= {"tag_patterns": ["v{version}"], "tracked": [], "committed": [], "lacking": [], "reached": []}
    request |= {"clean": True}
    (tmp_path / "request.json").write_text(json.dumps(request | changes), encoding="utf-8")
    out = tmp_path / "out.json"
    judge.main(["--out", str(out), "release", "--request", str(tmp_path / "request.json")])
    return json.loads(out.read_text(encoding="utf-8"))


def codes(problems: list[dict[str, str]]) -> list[str]:
    return [problem["rule"] for problem in problems]


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    return tmp_path / "dist"


def test_in_whole_files_nothing_is_found(tmp_path: Path, dist: Path) -> None:
    paths = (wheel(dist), sdist(dist))
    assert judged(tmp_path, *paths) == [{"file": str(path), "problems": []} for path in paths]


def test_each_file_is_judged_by_itself_in_the_order_given(tmp_path: Path, dist: Path) -> None:
    paths = (sdist(dist, {"Summary": None}), dist / "gone.whl", wheel(dist, filename="demo-2.0-py3-none-any.whl"))
    answer = judged(tmp_path, *paths)
    assert [entry["file"] for entry in answer] == list(map(str, paths))
    assert codes(answer[0]["problems"]) == ["metadata-summary"]
    problem = next(problem for problem in answer[1]["problems"] if problem["rule"] == "archive-readable")
    assert set(problem) == {"rule", "severity", "message"}
    assert problem["severity"] == "error"


def test_a_whole_release_passes_every_rule(tmp_path: Path, dist: Path) -> None:
    answer = judged_release(tmp_path, wheel(dist), sdist(dist), tags=["v1.0"])
    assert answer["problems"] == []
    assert answer["rules"] == sorted(set(answer["rules"]))
    assert {"archive-readable", "release-tag", "twine-check", "wheel-pth"} <= set(answer["rules"])


def test_a_release_is_judged_file_by_file_and_together(tmp_path: Path, dist: Path) -> None:
    write_tree(tmp_path, {"conf": token()})
    paths = (wheel(dist, {"Summary": None}), written(dist, SDIST, b""))
    answer = judged_release(tmp_path, *paths, tags=["v2.0"], tracked=["conf"])
    where = {problem["rule"]: problem["file"] for problem in answer["problems"]}
    assert where == {
        "metadata-summary": WHEEL,
        "archive-readable": SDIST,
        "secret-api-token": "release",
        "release-no-sdist": "release",
        "release-tag": "release",
    }


def test_a_member_that_cannot_be_read_is_a_finding(tmp_path: Path, dist: Path) -> None:
    path = wheel(dist, files={"demo/b.txt": bytes(range(1, 256)) * 20})
    raw = bytearray(path.read_bytes())
    at = raw.find(b"demo/b.txt") + 100
    raw[at : at + 20] = bytes(20)
    path.write_bytes(raw)
    problems = judged(tmp_path, path)[0]["problems"]
    (problem,) = problems
    assert problem["rule"] == "zip-damaged-member"
    assert "demo/b.txt" in problem["message"]


@pytest.mark.parametrize("argv", [[], ["--out", "x"], ["files", "x"], ["--out", "x", "files"]])
def test_what_is_not_asked_whole_is_not_answered(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        judge.main(argv)
    assert "usage" in capsys.readouterr().err


def many(dist: Path) -> list[Path]:
    paths = [wheel(dist, filename=f"demo-1.0-{n}-py3-none-any.whl") for n in range(judge.MANY)]
    return [*paths, sdist(dist, {"Summary": None}), written(dist, "demo-2.0.tar.gz", b"")]


def test_many_files_are_shared_out_and_answered_in_order(
    tmp_path: Path, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = many(dist)
    alone = [judge._judged(str(path)) for path in paths]
    monkeypatch.setattr(judge, "_cores", lambda: 2)
    monkeypatch.setattr(judge, "SHARE", 6)
    assert judged(tmp_path, *paths) == alone
    monkeypatch.setattr(judge, "_cores", lambda: 1)
    assert judged(tmp_path, *paths) == alone


def test_as_many_processes_work_at_once_as_there_are_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(3, timeout=60)

    def elsewhere(names: list[str]) -> list[dict[str, Any]]:
        together.wait()
        return [{"file": name} for name in names]

    monkeypatch.setattr(judge, "_cores", lambda: 3)
    monkeypatch.setattr(judge, "_elsewhere", elsewhere)
    names = [str(number) for number in range(100)]
    assert [entry["file"] for entry in judge.judged(names)] == names


def test_a_release_of_many_files_is_judged_as_one_of_few(
    tmp_path: Path, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = many(dist)
    shared = judged_release(tmp_path, *paths, tags=["v3.0"])
    monkeypatch.setattr(judge, "MANY", 100)
    assert shared == judged_release(tmp_path, *paths, tags=["v3.0"])
    assert {"release-tag", "archive-readable", "metadata-summary"} <= set(codes(shared["problems"]))


def test_there_is_at_least_one_core() -> None:
    assert judge._cores() >= 1


def test_it_runs_as_a_program(tmp_path: Path, dist: Path) -> None:
    out = tmp_path / "out.json"
    argv = [
        sys.executable,
        "-I",
        str(ROOT / "tasks" / "judge.py"),
        "--out",
        str(out),
        "files",
        "--alone",
        str(wheel(dist)),
    ]
    subprocess.run(argv, check=True, cwd=tmp_path, capture_output=True)
    assert json.loads(out.read_text(encoding="utf-8"))[0]["problems"] == []


def test_every_rule_says_why(tmp_path: Path) -> None:
    del tmp_path
    declared = judge.rules()
    for rule in declared.all_rules():
        assert rule.code == rule.code.lower()
        assert rule.severity in {"error", "warning"}
        assert rule.explanation.strip().splitlines()[0].endswith((".", '"'))


# Whatever is thrown at the rules, they answer with findings.


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([wheel, sdist]), CHANGES, st.none() | st.integers(0, 10_000))
def test_a_mutated_archive_ends_in_findings(
    tmp_path_factory: pytest.TempPathFactory, make: Make, changes: list[tuple[int, int]], cut: int | None
) -> None:
    path = make(Path(tmp_path_factory.getbasetemp()))
    path.write_bytes(mutated(path.read_bytes(), changes, cut))
    for problem in judge.rules().judge_file(path):
        assert problem.file == path.name
        assert problem.message.strip()


@settings(max_examples=100, deadline=None)
@given(CHANGES, st.none() | st.integers(0, 20_000))
def test_a_mutated_tar_ends_in_findings(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], cut: int | None
) -> None:
    raw = tarred(sdist_members(SDIST, metadata(), {}).items())
    path = written(Path(tmp_path_factory.getbasetemp()), SDIST, gzipped(mutated(raw, changes, cut)))
    found = judge.rules().judge_release([path], judge.rules().Release(()))
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
        for problem in judge.rules().judge_file(path):
            assert problem.message.strip()


def test_the_rules_need_nothing_that_nox_alone_brings() -> None:
    script = "import runpy, sys; runpy.run_path(sys.argv[1])['rules'](); print(*sys.modules)"
    argv = [sys.executable, "-I", "-c", script, str(ROOT / "tasks" / "judge.py")]
    loaded = set(subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split())
    assert "seatrial_tasks.stages" in loaded
    # On Python 3.10 TOML is read by tomli, which nox needs and the tools of `check` do not.
    assert not {"nox", "tomli", "seatrial_tasks.toml", "seatrial_tasks.config"} & loaded
