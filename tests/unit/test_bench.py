from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from seatrial.release.archives import Archive
from seatrial.release.record import Record
from seatrial.rules import judge
from tests import archives
from tests.bench import __main__ as bench
from tests.bench import figures, growth, picture, spent, watching
from tests.bench.figures import BEGIN, END, Aim, Timed, placed, ratios, seconds, standing, steps_of
from tests.bench.growth import Curve, Growth, write_variant
from tests.bench.ways import AIMS, BASES, Ways, stop_unless_proved
from tests.bench.workshop import BenchError, Workshop, watched
from tests.projects import write_tree
from tests.samples.stages import FILES, SAMPLES, VERIFIED

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.release.stages import Stage


def runs(*times: float) -> list[Timed]:
    return [Timed(seconds, {}) for seconds in times]


# Medians, ratios, aims.


@pytest.mark.parametrize(
    ("times", "shown"),
    [((2.0,), "2.00"), ((1.0, 9.0, 2.0), "2.00 (1.00 to 9.00)"), ((1.0, 2.0), "1.50 (1.00 to 2.00)")],
)
def test_a_median_is_shown_with_its_spread(times: tuple[float, ...], shown: str) -> None:
    assert seconds(runs(*times)) == shown


def test_a_ratio_is_of_two_runs_of_one_round() -> None:
    assert ratios(runs(1.0, 8.0), runs(2.0, 4.0)) == [0.5, 2.0]


def test_as_many_runs_are_compared_as_there_are() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratios(runs(1.0), runs(2.0, 4.0))


@pytest.mark.parametrize(("limit", "said"), [(0.5, "reached"), (0.4, "missed")])
def test_an_aim_is_reached_or_missed_by_the_median(limit: float, said: str) -> None:
    table = standing({"ours": runs(1.0, 1.0, 9.0), "theirs": runs(2.0, 2.0, 2.0)}, [Aim("ours", "theirs", limit)])
    assert table.splitlines()[-1] == f"| `ours` to `theirs` | at most {limit} | 0.50 (0.50 to 4.50) | {said} |"


def test_an_aim_whose_ways_were_left_out_is_left_out() -> None:
    assert standing({"ours": runs(1.0)}, [Aim("ours", "theirs", 0.5)]) == ""


def test_an_aim_may_be_about_seconds_more() -> None:
    table = standing({"ours": runs(1.5), "theirs": runs(1.0)}, [Aim("ours", "theirs", 0.4, added=True)])
    assert table.splitlines()[-1] == "| `ours` more than `theirs` | at most 0.4 s | 0.50 | missed |"


# Where the time goes.

DRY_RUN = """\
nox > Running session dryrun
nox > Creating virtual environment (uv) using python in .nox/dryrun
nox > /bin/uv pip install --require-hashes -r requirements/standin.txt
stand-in for TestPyPI: http://127.0.0.1:1   stand-in for PyPI: http://127.0.0.1:2
nox > Running session build
building sdist, wheel of commit c0ffee
nox > Session build was successful in a second.
nox > Running session check
21 rules applied; now installing and importing the files from this disk
nox > Session check was successful in a second.
nox > Running session testpypi
index: http://127.0.0.1:1/legacy/  credential: TESTPYPI_TOKEN
nox > Session testpypi was successful in a second.
nox > Running session verify-3.13(wheel)
nox > Creating virtual environment (uv) using python in .nox/verify-3-13-wheel
verified demo 1.0
nox > Session verify-3.13(wheel) was successful in a second.
"""


def test_each_line_of_a_dry_run_begins_a_step_or_goes_on_with_it() -> None:
    lines = [(float(number), line) for number, line in enumerate(DRY_RUN.splitlines(), 1)]
    spent = steps_of(0.0, lines, 20.0)
    assert sum(spent.values()) == 20.0
    assert spent == {
        figures.REST: 2 + 2 + 1 + 2 + 1 + 3,
        figures.ENVIRONMENTS: 1,
        figures.TOOLS: 1,
        figures.BUILD: 1,
        figures.RULES: 1,
        figures.TRIAL: 1,
        figures.UPLOAD: 1,
        figures.USE: 3,
    }


def test_a_step_that_no_way_has_is_not_shown() -> None:
    table = figures.breakdown({"a": [Timed(3.0, {"building": 1.0}), Timed(3.0, {"building": 3.0})], "b": runs(1.0)})
    assert table.splitlines()[2:] == ["| building | 2.00 |  |"]


# How the cost grows.


def test_a_curve_is_a_table_and_what_one_more_costs() -> None:
    points = ((1, Timed(2.0, {}, 40 << 20)), (5, Timed(4.0, {})))
    text = growth.report([Curve("Pythons", "Pythons", points, Timed(0.7, {}))])
    assert text == (
        "| Pythons: Pythons | seconds | largest process, MiB |\n| --- | --- | --- |\n| 1 | 2.00 | 40 |\n| 5 | 4.00 |  |"
        "\n\nOne more costs 0.500 s, from the first line to the last;"
        " by hand, an environment and one installation: 0.70 s."
    )
    assert "One more" not in growth.report([Curve("files", "wheels", points[:1])])


@pytest.mark.parametrize(("number", "mebibytes"), [(1, 0), (2, 0), (0, 2)])
def test_a_variant_of_a_wheel_is_a_wheel_of_its_own(tmp_path: Path, number: int, mebibytes: int) -> None:
    path = write_variant(archives.wheel(tmp_path), tmp_path, number, mebibytes)
    assert path.name == f"demo-1.0-{number}-py3-none-any.whl"
    sizes = {member.name: member.size for member in Archive.open(path).members}
    assert sizes["demo/data.bin"] == (mebibytes << 20 or len(str(number)))
    assert judge.judge_file(path) == ()


def test_both_pictures_are_in_one_file(tmp_path: Path) -> None:
    curve = Curve("files", "wheels", ((1, Timed(2.0, {})), (5, Timed(4.0, {}))))
    picture.draw({"ours": runs(1.0, 2.0)}, [curve], tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text("utf-8")
    assert text.rstrip().endswith("</svg>")
    assert "ours" in text
    assert "wheels" in text


# The page.


def test_the_tables_stand_between_the_marks_of_a_page() -> None:
    page = placed(f"before\n{BEGIN}\nold\n{END}\nafter\n", "new\n")
    assert page == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert placed(page, "new\n") == page


@pytest.mark.parametrize("page", ["", "text", f"half {BEGIN}", f"{END} the wrong way round {BEGIN}"])
def test_a_page_without_both_marks_becomes_the_tables(page: str) -> None:
    assert placed(page, "new\n") == "new\n"


def test_a_report_has_the_facts_the_ways_the_aims_and_the_steps() -> None:
    results = {"ours": [Timed(1.0, {"building": 0.5}, 3 << 20)], "theirs": [Timed(2.0, {"building": 1.0})]}
    text = figures.report(results, [Aim("ours", "theirs", 0.5)], ["theirs", "left out"], "2 cores.")
    assert text == (
        "2 cores.\n\n"
        "| way | seconds: median (lowest to highest) | ratio to `theirs` | largest process, MiB |\n"
        "| --- | --- | --- | --- |\n| `ours` | 1.00 | 0.50 | 3 |\n| `theirs` | 2.00 | 1.00 |  |\n\n"
        "| ratio, or seconds more | aim | measured |  |\n| --- | --- | --- | --- |\n"
        "| `ours` to `theirs` | at most 0.5 | 0.50 | reached |\n\n"
        "| step, in seconds | `ours` | `theirs` |\n| --- | --- | --- |\n| building | 0.50 | 1.00 |\n"
    )


# Which runs are made, and which count.


def test_ways_take_turns_and_the_first_round_does_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    made: list[str] = []

    def way(name: str) -> Timed:
        made.append(name)
        return Timed(float(len(made)), {})

    results = bench.measure({"a": lambda: way("a"), "b": lambda: way("b")}, 2)
    assert made == ["a", "b", "b", "a", "a", "b"]
    assert {name: [run.seconds for run in timed] for name, timed in results.items()} == {"a": [4, 5], "b": [3, 6]}
    assert capsys.readouterr().out.splitlines()[:3] == ["warm-up: a: 1.00 s", "warm-up: b: 2.00 s", "run 1: b: 3.00 s"]


def test_without_ways_nothing_is_run() -> None:
    assert bench.measure({}, 2) == {}


def test_ways_are_chosen_by_how_their_names_begin(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, "uv", "nox")
    ways, curves = Ways(shop).all(), Growth(shop).all()
    chosen, grown = bench._chosen(ways, curves, only=["dryrun, uv", "nox", "growth: f"])
    assert list(chosen) == ["dryrun, uv, cold", "dryrun, uv, warm", "nox -l", "nox -l, empty noxfile"]
    assert list(grown) == ["growth: files"]
    assert list(bench._chosen(ways, curves, only=None)) == [ways, curves]
    with pytest.raises(BenchError, match="no way is called so"):
        list(bench._chosen(ways, curves, only=["by foot"]))


def test_aims_and_bases_are_about_ways_that_exist(tmp_path: Path) -> None:
    ways = Ways(Workshop(tmp_path, "uv", "nox")).all()
    assert {*BASES, *(aim.way for aim in AIMS), *(aim.base for aim in AIMS)} <= set(ways)


def recorded(place: Path, *stages: Stage) -> Path:
    record = Record.of(write_tree(place / "dist", FILES).parent)
    for stage in stages:
        record.write(stage)
    return place


def test_a_run_whose_record_lacks_an_archive_or_the_release_does_not_count(tmp_path: Path) -> None:
    for number, left_out in enumerate([SAMPLES[-1], VERIFIED]):
        kept = recorded(tmp_path / str(number), *(stage for stage in SAMPLES if stage is not left_out))
        with pytest.raises(BenchError, match="proves too little"):
            stop_unless_proved(kept)


def test_a_program_that_fails_is_an_error_with_its_words(tmp_path: Path) -> None:
    script = write_tree(tmp_path, {"fails.py": "import sys\nprint('alas')\nsys.exit(3)\n"}) / "fails.py"
    with pytest.raises(BenchError, match="exit code 3:\nalas"):
        watched((sys.executable, script), tmp_path, os.environ)


def test_without_uv_it_is_out_of_sight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = write_tree(tmp_path / "bin", {"uv": "", "uv.exe": ""})
    for path in bare.iterdir():
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(bare))
    env = Workshop(tmp_path, "uv", "nox").env(uv=False)
    assert str(bare) not in env["PATH"]
    assert env["UV"] == "there-is-no-uv-here"
    assert Workshop(tmp_path, "/bin/uv", "nox").env()["UV"] == "/bin/uv"


# What a run spends its time on.


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("git -c core.hooksPath= clone --quiet --shared /a /b", watching.GIT),
        ("/e/bin/python -I -m build --sdist --installer uv --outdir /o /tmp/venv", watching.BUILDING),
        ("/e/bin/python -I /tasks/hooks.py --first /s", watching.BUILDING),
        ("/e/bin/python -I /tasks/judge.py --out /f release", watching.RULES),
        ("/e/bin/python -I -m seatrial.index.uploads.uploader", watching.UPLOADING),
        ("/e/bin/python -I /tasks/probe.py check --name demo", watching.PROBE),
        ("uv venv --quiet --python /usr/bin/python3 /tmp/venv", watching.VIRTUALENV),
        ("python -I -m virtualenv --quiet /tmp/venv", watching.VIRTUALENV),
        ("uv pip install --python /e --require-hashes --no-compile -r /tasks/requirements/twine.txt", watching.TOOLS),
        ("uv pip install --quiet --python /e --no-deps --require-hashes --only-binary :all: demo", watching.INSTALLING),
        ("/e/bin/python -I -m pip --no-input install --no-deps /tmp/demo.tar.gz", watching.INSTALLING),
        ("python -c import sys; from nox.__main__ import main; main() --session pypi", watching.NOT_OURS),
        ("/e/bin/python -I /tasks/standin.py --root /tmp", watching.NOT_OURS),
        ("cc -c demo.c", watching.OTHER),
    ],
)
def test_a_program_is_known_by_its_command_line(command: str, kind: str) -> None:
    assert watching.kind_of(command) == kind


def test_what_runs_is_noted_once_and_calls_are_noted_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = tmp_path / "notes"
    monkeypatch.setenv(watching.VARIABLE, str(notes))
    with watching.Watched([sys.executable, "-c", ""]) as child:
        assert child.poll() in {None, 0}
        assert child.wait() == child.wait() == 0
    double = watching.timed(watching.HASHING, lambda number: 2 * number)
    assert (double(2), double(3)) == (4, 6)
    watching.note(watching.NOT_OURS, 1.0)
    found = [json.loads(line)[0] for line in notes.read_text(encoding="utf-8").splitlines()]
    assert found == [watching.OTHER, watching.HASHING, watching.HASHING]
    assert set(spent.added_up(notes.read_text(encoding="utf-8"))) == {watching.OTHER, watching.HASHING}


def test_the_table_of_what_a_run_spends_has_a_line_for_each_kind_that_there_is() -> None:
    runs = [spent.Spent("one", {watching.GIT: 0.5, watching.RULES: 1.0}, 3.0), spent.Spent("two", {}, 4.0)]
    lines = spent.report(runs).splitlines()
    assert lines[2:] == ["| rules | 1.00 |  |", "| git | 0.50 |  |", "| on the clock | 3.00 | 4.00 |"]
    assert spent.report([]) == ""
