from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from seatrial.release.archives import Archive
from seatrial.release.record import Record
from seatrial.rules import judge
from tests import archives
from tests.bench import __main__ as bench
from tests.bench import figures, growth, picture
from tests.bench.figures import BEGIN, END, Aim, Timed, placed, ratios, seconds, standing
from tests.bench.growth import Curve, Growth, write_variant
from tests.bench.ways import AIMS, BASES, Ways, stop_unless_proved
from tests.bench.workshop import BenchError, Workshop, watched
from tests.projects import write_tree
from tests.samples.stages import FILES, SAMPLES, VERIFIED

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.release.stages import Stage


def runs(*times: float) -> list[Timed]:
    return [Timed(seconds) for seconds in times]


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


@pytest.mark.parametrize(
    ("hoped", "required", "word"), [(0.5, 0.5, "reached"), (0.4, 0.5, "passed"), (0.3, 0.4, "missed")]
)
def test_an_aim_is_reached_passed_or_missed_by_the_median(hoped: float, required: float, word: str) -> None:
    aims = [Aim("ours", "theirs", hoped, required)]
    table = standing({"ours": runs(1.0, 1.0, 9.0), "theirs": runs(2.0, 2.0, 2.0)}, aims)
    limits = f"at most {hoped}" + (f" ({required} required)" if required != hoped else "")
    assert table.splitlines()[-1] == f"| `ours` to `theirs` | {limits} | 0.50 (0.50 to 4.50) | {word} |"


def test_an_aim_whose_ways_were_left_out_is_left_out() -> None:
    assert standing({"ours": runs(1.0)}, [Aim("ours", "theirs", 0.5, 0.5)]) == ""


def test_an_aim_may_be_about_seconds() -> None:
    table = standing({"ours": runs(1.5)}, [Aim("ours", None, 0.4, 2)])
    assert table.splitlines()[-1] == "| `ours` | at most 0.4 s (2 s required) | 1.50 | passed |"


# Where the time goes.

DRY_RUN = """\
nox > Running session dryrun
ok     build     demo 1.0 from c0ffee: wheel 2.2 KiB, sdist 1.4 KiB                       2.1 s
   start    length  task
     0.1 s     2.1 s  build
     0.2 s     0.1 s  git -c core.hooksPath= clone --quiet --shared
     0.3 s     1.5 s  python hooks.py build --sdist
     2.2 s     3.0 s  check
     2.3 s     0.5 s  uv venv --quiet --python python
     2.4 s     0.7 s  uv pip install --quiet --python
     2.5 s     0.9 s  python command.py check --name demo
     5.2 s     0.5 s  testpypi
     5.3 s     0.4 s  python -m seatrial.index.uploads.uploader
     5.7 s     1.0 s  verify
     6.7 s     0.5 s  pypi
     6.8 s     0.4 s  python -m seatrial.index.uploads.uploader
nox > Session dryrun was successful in 8 seconds.
"""


def test_a_dry_run_says_what_took_how_long() -> None:
    timed = Timed.of(DRY_RUN, 8.0, 3 << 20)
    assert timed.parts == {
        figures.BUILD: 2.1,
        figures.TRIAL: 3.0,
        figures.UPLOAD: 1.0,
        figures.USE: 1.0,
        figures.REST: pytest.approx(0.9),
    }
    kinds = {"git": 0.1, "building": 1.5, "virtual environments": 0.5, "installing": 0.7, "probe": 0.9}
    assert timed.programs == kinds | {"uploading": 0.8}


def test_what_says_nothing_has_no_parts() -> None:
    assert Timed.of("ok\n", 8.0, None) == Timed(8.0)


def test_a_part_that_no_way_has_is_not_shown() -> None:
    table = figures.breakdown("part", {"a": [{"x": 1.0}, {"x": 3.0}], "b": [{}]}, ["w", "x"])
    assert table.splitlines()[2:] == ["| x | 2.00 |"]
    assert figures.breakdown("part", {"b": [{}]}, ["x"]) == ""


# How the cost grows.


def test_a_curve_is_a_table_and_what_one_more_costs() -> None:
    points = ((1, Timed(2.0, memory=40 << 20)), (5, Timed(4.0)))
    text = growth.report([Curve("Pythons", "Pythons", points, Timed(0.7))])
    assert text == (
        "| Pythons: Pythons | seconds | largest process, MiB |\n| --- | --- | --- |\n| 1 | 2.00 | 40 |\n| 5 | 4.00 |  |"
        "\n\nOne more costs 0.500 s, from the first line to the last;"
        " by hand, two environments and installations: 0.70 s."
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
    curve = Curve("files", "wheels", ((1, Timed(2.0)), (5, Timed(4.0))))
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
    text = figures.report(results, [Aim("ours", "theirs", 0.5, 0.5)], ["theirs", "left out"], "2 cores.")
    assert text == (
        "2 cores.\n\n"
        "| way | seconds: median (lowest to highest) | ratio to `theirs` | largest process, MiB |\n"
        "| --- | --- | --- | --- |\n| `ours` | 1.00 | 0.50 | 3 |\n| `theirs` | 2.00 | 1.00 |  |\n\n"
        "| ratio, or seconds | aim | measured |  |\n| --- | --- | --- | --- |\n"
        "| `ours` to `theirs` | at most 0.5 | 0.50 | reached |\n\n"
        "| part, in seconds | `ours` | `theirs` |\n| --- | --- | --- |\n| building | 0.50 | 1.00 |\n"
    )


# Which runs are made, and which count.


def test_ways_take_turns_and_the_first_round_does_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    made: list[str] = []

    def way(name: str) -> Timed:
        made.append(name)
        return Timed(float(len(made)))

    results = bench.measure({"a": lambda: way("a"), "b": lambda: way("b")}, 2)
    assert made == ["a", "b", "b", "a", "a", "b"]
    assert {name: [run.seconds for run in timed] for name, timed in results.items()} == {"a": [4, 5], "b": [3, 6]}
    assert capsys.readouterr().out.splitlines()[:3] == ["warm-up: a: 1.00 s", "warm-up: b: 2.00 s", "run 1: b: 3.00 s"]


def test_without_ways_nothing_is_run() -> None:
    assert bench.measure({}, 2) == {}


def test_ways_are_chosen_by_how_their_names_begin(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, "uv", "nox")
    ways, curves = Ways(shop).all(), Growth(shop).all()
    chosen, grown = bench._chosen(ways, curves, only=["seatrial, uv", "nox -l", "growth: f"])
    assert list(chosen) == ["seatrial, uv, cold", "seatrial, uv, warm", "nox -l", "nox -l, empty noxfile"]
    assert list(grown) == ["growth: files"]
    assert list(bench._chosen(ways, curves, only=None)) == [ways, curves]
    with pytest.raises(BenchError, match="no way is called so"):
        list(bench._chosen(ways, curves, only=["by foot"]))


def test_aims_and_bases_are_about_ways_that_exist(tmp_path: Path) -> None:
    ways = Ways(Workshop(tmp_path, "uv", "nox")).all()
    assert {*BASES, *(aim.way for aim in AIMS), *(aim.base for aim in AIMS if aim.base)} <= set(ways)


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
