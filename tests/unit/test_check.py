from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from seatrial.building import git
from seatrial.index import changes, conflicts, indexes
from seatrial.index.indexes import PYPI, Index
from seatrial.machine import process
from seatrial.machine.process import Outcome, ToolFailed
from seatrial.project import options
from seatrial.project.settings import Config
from seatrial.release.archives import Archive
from seatrial.release.record import FilesChanged, Record, StageMissing
from seatrial.release.stages import Built, Cell, Changes, Checked, Dist, Installed, Problem, Tool
from seatrial.report import status
from seatrial.rules import lookups
from seatrial.steps import check as module
from seatrial.steps.check import NotReady, check, inspect
from seatrial.steps.inspect import FindingsInFiles
from seatrial.trial.installer import Beside, InstallFailed, Venv
from seatrial.trial.trial import Life
from tests.archives import SDIST, WHEEL, sdist, token, wheel, written
from tests.projects import commit, sample, write_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.project.context import Run

RUNNING = "{}.{}".format(*sys.version_info)


# Indexes on this machine are not asked.
NOWHERE = Index("nowhere", simple="http://127.0.0.1:9/simple/")
LOCAL = Config(pythons=(RUNNING,), testpypi=NOWHERE, pypi=NOWHERE)


@dataclass
class Installer:
    """An installer that notes what it is asked for, and fails for the files that it is told."""

    asked: list[tuple[str, str | None]] = field(default_factory=list)
    failing: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    beside: tuple[Beside, ...] = ()

    def create(self, root: Path, python: str | None) -> Venv:
        self.asked.append((root.parent.name.partition("-")[0], python))
        if python in self.without:
            raise InstallFailed(f"A virtual environment for Python {python}", 1, "no interpreter")
        return Venv(root)

    def from_file(self, _venv: Venv, path: Path, project: str) -> None:
        assert project == "demo"
        if path.name in self.failing:
            raise InstallFailed(path.name, 1, "no matching distribution for six")


@dataclass
class FakeRun:
    """A session at work, without nox: the tools are those of the Python that runs the tests."""

    root: Path
    place: Path
    config: Config = LOCAL
    rehearsed_here: str | None = None
    standin: object = None
    options: options.Options = field(default_factory=lambda: options.parse("check", (), Path()))
    record: Record = field(init=False)
    said: list[str] = field(default_factory=list)
    tried: Installer = field(default_factory=Installer)
    names: dict[str, str] = field(default_factory=lambda: {"build": "release-build"})
    invoked_from: str = ""
    stopped: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.record = Record.of(self.root)

    @property
    def session(self) -> FakeRun:
        return self

    def say(self, text: str = "") -> None:
        self.said.append(text)

    @property
    def published(self) -> Index:
        return self.config.pypi

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        yield Path(tempfile.mkdtemp(prefix="one-", dir=self.place.parent))

    def tools(self, lock: str) -> Path:
        assert lock == "twine"
        return Path(sys.executable)

    def installer(self, scratch: Path) -> Installer:
        assert scratch.is_dir()
        return self.tried

    @property
    def output(self) -> str:
        return "\n".join(self.said)


@pytest.fixture(autouse=True)
def lives(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Problem, ...]]:
    """What goes wrong once a file is installed, by its name; nothing unless a test puts it there."""
    problems: dict[str, tuple[Problem, ...]] = {}

    def live(_installer: object, _venv: Venv, guest: Any, _config: Config, _checkout: Path) -> Life:
        me = Installed("demo", guest.version, guest.origins[0].url, guest.origins[0].sha256)
        met = problems.get(guest.label, ())
        return Life("3.13.0", "linux", "x86_64", me, (me, Installed("six", "1.17")), ("demo",), (), met)

    monkeypatch.setattr(module, "live", live)
    return problems


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What was to be compared with: nothing is, here."""
    wanted: list[str | None] = []

    def compare(_built: Built, _folder: Path, index: Index, since: str | None, _scratch: Path) -> Changes:
        wanted.append(since)
        return Changes(None, index.name, "nothing is, here")

    monkeypatch.setattr(changes, "compare", compare)
    monkeypatch.setattr(status, "stopped", lambda run, found: run.stopped.extend(found))
    return wanted


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The Pythons of this machine beside the one that runs us: none unless a test puts one there."""
    pythons: set[str] = set()
    monkeypatch.setattr(module, "is_here", pythons.__contains__)
    return pythons


@pytest.fixture
def run(tmp_path: Path) -> FakeRun:
    """A committed project with a wheel and an sdist in dist/, recorded as built."""
    root = sample(tmp_path / "ein Übungsstück")
    commit(root)
    made = FakeRun(root, tmp_path / "scratch" / "one")
    made.place.parent.mkdir()
    wheel(root / "dist")
    sdist(root / "dist")
    built(made)
    return made


def built(run: FakeRun) -> Built:
    """Record what lies in dist/ as built."""
    dists = tuple(sorted(Dist.from_file(path) for path in run.record.dist.iterdir()))
    stage = Built(
        project="demo",
        version="1.0",
        dists=dists,
        at="2024-05-06T07:08:09Z",
        commit=None,
        tag=None,
        dirty=False,
        epoch=0,
        fingerprint="",
        normalised=(),
        tools=(Tool("build", "1"),),
        matrix=(Cell(RUNNING, "wheel"),),
    )
    run.record.write(stage)
    return stage


def checked(run: FakeRun) -> Checked:
    check(as_run(run))
    return run.record.read(Checked, session="check")


def as_run(run: FakeRun) -> Run:
    """Return `run` as what the sessions take it for."""
    return cast("Run", run)


# check.


def test_what_passes_is_recorded_with_its_trials(run: FakeRun) -> None:
    stage = checked(run)
    assert stage.problems == ()
    assert [(trial.filename, trial.python, trial.imported) for trial in stage.trials] == [
        (WHEEL, RUNNING, ("demo",)),
        (SDIST, RUNNING, ("demo",)),
    ]
    assert "release-tag" in stage.rules
    assert run.said[-1] == "checked demo 1.0: nothing stops this release"
    assert f"  {WHEEL}: installed on Python {RUNNING} with 0 dependencies; imported demo" in run.output
    (origin,) = {one.origin for trial in stage.trials if trial.filename == SDIST for one in trial.installed} - {None}
    assert origin == (run.record.dist / SDIST).as_uri()


def test_nothing_is_done_without_a_build(run: FakeRun) -> None:
    run.record.path(Built).unlink()
    with pytest.raises(StageMissing) as error:
        check(as_run(run))
    assert error.value.session == "release-build"


def test_what_is_checked_is_not_checked_again(run: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    checked(run)
    monkeypatch.setattr(process, "run", None)
    run.said.clear()
    check(as_run(run))
    assert len(run.said) == 1
    assert "checked already" in run.said[0]


def test_changed_files_are_refused_though_they_were_checked(run: FakeRun) -> None:
    checked(run)
    (run.record.dist / WHEEL).write_bytes(b"")
    with pytest.raises(FilesChanged):
        check(as_run(run))


def test_an_error_stops_before_the_trial(run: FakeRun) -> None:
    wheel(run.record.dist, files={"noxfile.py": ""})
    written(run.record.dist, SDIST, b"no sdist")
    built(run)
    with pytest.raises(NotReady) as error:
        check(as_run(run))
    assert (error.value.count, error.value.trial) == (2, False)
    assert run.tried.asked == []
    assert "[wheel-release-tooling]" in run.output
    assert "[archive-readable]" in run.output
    assert not run.record.path(Checked).exists()


def test_a_warning_is_shown_recorded_and_stops_nothing(run: FakeRun) -> None:
    wheel(run.record.dist, {"Author-email": None})
    built(run)
    stage = checked(run)
    assert [(problem.rule, problem.file) for problem in stage.problems] == [("metadata-author", WHEEL)]
    assert f"  warning: {WHEEL}: neither author" in run.output


def test_a_warning_that_is_ignored_is_named_with_its_reason(run: FakeRun) -> None:
    wheel(run.record.dist, {"Author-email": None})
    built(run)
    run.config = replace(run.config, ignore={"metadata-author": "we are many", "metadata-summary": "unused"})
    stage = checked(run)
    assert stage.problems == ()
    assert f"  ignored: {WHEEL}: metadata-author (we are many)" in run.said
    assert "unused" not in run.output


def test_an_error_cannot_be_ignored(run: FakeRun) -> None:
    wheel(run.record.dist, files={"noxfile.py": ""})
    built(run)
    run.config = replace(run.config, ignore={"wheel-release-tooling": "please"})
    with pytest.raises(NotReady):
        check(as_run(run))
    assert "ignored" not in run.output


def test_the_rules_see_the_tag_and_what_git_tracks(run: FakeRun) -> None:
    write_tree(run.root, {"conf/secret": token()})
    commit(run.root, "v2.0")
    with pytest.raises(NotReady) as error:
        check(as_run(run))
    assert error.value.count == 2
    assert "conf/secret:1 (tracked by git)" in run.output
    assert "HEAD is tagged v2.0" in run.output


def test_the_rules_compare_the_files_with_what_is_committed(run: FakeRun) -> None:
    write_tree(run.root, {"src/demo/data.json": ""})
    commit(run.root)
    assert [problem.rule for problem in checked(run).problems] == ["release-left-out"]


@pytest.mark.parametrize(
    ("tool", "settings", "found"),
    [
        ("build", {}, []),
        ("build", {"in_place": True}, ["release-untracked"]),
        ("--from", {}, ["release-untracked"]),
    ],
)
def test_files_that_no_clean_checkout_gave_are_compared_with_what_git_has(
    run: FakeRun, tool: str, settings: dict[str, Any], found: list[str]
) -> None:
    wheel(run.record.dist, files={"demo/old.py": ""})
    commit(run.root)
    run.config = replace(run.config, **settings)
    run.record.write(replace(built(run), tools=(Tool(tool, ""),)))
    assert [problem.rule for problem in checked(run).problems] == found


def test_without_git_the_rules_go_on(run: FakeRun, tmp_path: Path) -> None:
    bare = FakeRun(tmp_path / "bare", run.place)
    write_tree(bare.root, {"pyproject.toml": ""})
    wheel(bare.root / "dist")
    sdist(bare.root / "dist")
    built(bare)
    assert git.look(bare.root).commit is None
    assert checked(bare).problems == ()


def test_a_rules_program_that_fails_is_an_error(run: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "run", lambda *_words, **_options: Outcome(3, "no module named twine"))
    with pytest.raises(ToolFailed, match="no module named twine"):
        check(as_run(run))


# What the indexes hold.


def test_what_the_indexes_hold_is_looked_up(run: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "read_project", lambda *_words, **_options: ())
    run.config = replace(LOCAL, pypi=PYPI)
    stage = checked(run)
    assert [problem.rule for problem in stage.problems] == ["index-new-name"]
    assert "index-other-bytes" in stage.rules
    run.record.path(Checked).unlink()
    run.config = replace(run.config, ignore={"index-new-name": "our first release"})
    assert checked(run).problems == ()
    assert "  ignored: release: index-new-name (our first release)" in run.said


def test_offline_nothing_is_looked_up_and_that_is_said(run: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "read_project", None)
    run.config = replace(LOCAL, pypi=PYPI)
    run.options = options.parse("check", ["--offline"], Path())
    stage = checked(run)
    assert not [code for code in stage.rules if code.startswith("index-")]
    assert "  not checked: what nowhere and PyPI hold already (--offline)" in run.said


# The version before.


def test_what_changes_is_recorded_said_and_can_be_asked_for_again(run: FakeRun, asked: list[str | None]) -> None:
    assert checked(run).changes == Changes(None, "nowhere", "nothing is, here")
    assert "  not compared with an earlier version: nothing is, here" in run.said
    run.options = options.parse("check", ["--since", "0.9.0"], Path())
    check(as_run(run))
    assert asked == [None, "0.9.0"]
    assert run.said[-1] == "  not compared with an earlier version: nothing is, here"


def test_offline_nothing_is_compared_and_that_is_recorded(run: FakeRun, asked: list[str | None]) -> None:
    run.options = options.parse("check", ["--offline"], Path())
    assert checked(run).changes == Changes(None, "nowhere", "--offline")
    assert asked == []


def test_a_dry_run_asks_no_private_index(run: FakeRun, asked: list[str | None]) -> None:
    run.standin = "two servers on this machine"
    reason = "a dry run has no login, so it asks no index but PyPI"
    assert checked(run).changes == Changes(None, run.published.name, reason)
    assert asked == []


# The trial.


def test_a_file_that_cannot_be_installed_stops(run: FakeRun) -> None:
    run.tried.failing = (SDIST,)
    with pytest.raises(NotReady) as error:
        check(as_run(run))
    assert (error.value.count, error.value.trial) == (1, True)
    assert f"error: {SDIST}: {SDIST} could not be installed" in run.output
    assert "no matching distribution for six" in run.output
    assert [problem.rule for problem in run.stopped] == ["install-failed"]
    assert "[install-failed]" in run.output
    assert f"  {SDIST}: installed on" not in run.output
    assert not run.record.path(Checked).exists()


def test_what_does_not_work_once_installed_stops(run: FakeRun, lives: dict[str, tuple[Problem, ...]]) -> None:
    lives[WHEEL] = (Problem("install-import", "error", WHEEL, "import demo fails"),)
    with pytest.raises(NotReady) as error:
        check(as_run(run))
    assert error.value.trial
    assert "import demo fails [install-import]" in run.output


def test_a_warning_of_the_trial_is_recorded(run: FakeRun, lives: dict[str, tuple[Problem, ...]]) -> None:
    lives[SDIST] = (Problem("install-version", "warning", SDIST, "demo.__version__ is another"),)
    assert checked(run).problems == lives[SDIST]


def test_a_wheel_for_another_platform_is_named_and_not_tried(run: FakeRun) -> None:
    (run.record.dist / WHEEL).unlink()
    wheel(run.record.dist, filename="demo-1.0-cp39-cp39-win_ia64.whl")
    built(run)
    assert [trial.filename for trial in checked(run).trials] == [SDIST]
    assert "  demo-1.0-cp39-cp39-win_ia64.whl: not tried here (another platform, or one more of its kind)" in run.said


def test_of_several_wheels_the_one_that_fits_best_is_tried(run: FakeRun) -> None:
    best = f"demo-1.0-cp{sys.version_info[0]}{sys.version_info[1]}-none-any.whl"
    wheel(run.record.dist, filename=best)
    built(run)
    assert [trial.filename for trial in checked(run).trials] == [best, SDIST]
    assert f"  {WHEEL}: not tried here (another platform, or one more of its kind)" in run.said


def test_wheels_alone_are_tried_alone(run: FakeRun) -> None:
    (run.record.dist / SDIST).unlink()
    built(run)
    stage = checked(run)
    assert [trial.filename for trial in stage.trials] == [WHEEL]
    assert [problem.rule for problem in stage.problems] == ["release-no-sdist"]


@pytest.mark.parametrize(
    ("requires", "python"),
    [(">=3.10", None), (None, None), (f"<{RUNNING}", "3.9"), (">=3.99", None), (f"=={RUNNING}.*", None)],
)
def test_it_is_tried_on_a_python_that_is_supported(
    run: FakeRun, tmp_path: Path, requires: str | None, python: str | None
) -> None:
    run.config = replace(LOCAL, pythons=("3.8", "3.9"))
    wheel(run.record.dist, {"Requires-Python": requires})
    sdist(run.record.dist, {"Requires-Python": requires})
    built(run)
    stage = checked(run)
    assert sorted(run.tried.asked) == [("sdist", python), ("wheel", python)]
    assert {trial.python for trial in stage.trials} == {python or RUNNING}
    del tmp_path


@pytest.fixture
def old(run: FakeRun, here: set[str]) -> FakeRun:
    """A release for Python 3.9 and later, on a machine that has 3.8 and 3.9 too."""
    run.config = replace(LOCAL, pythons=("3.8", "3.14"))
    here |= {"3.9", "3.8"}
    for write in (wheel, sdist):
        write(run.record.dist, {"Requires-Python": ">=3.9"})
    built(run)
    return run


def test_both_files_are_tried_on_the_lowest_python_that_is_here_too(old: FakeRun) -> None:
    assert sorted(trial.python for trial in checked(old).trials) == sorted(["3.9", "3.9", RUNNING, RUNNING])
    expected = [("sdist", "3.9"), ("sdist", None), ("wheel", "3.9"), ("wheel", None)]
    assert sorted(old.tried.asked, key=str) == expected


def test_what_only_the_lowest_python_shows_is_said_of_it(old: FakeRun, lives: dict[str, tuple[Problem, ...]]) -> None:
    lives[WHEEL] = (Problem("install-import", "error", WHEEL, "`demo` cannot be imported."),)
    with pytest.raises(NotReady):
        check(as_run(old))
    assert "On Python 3.9: `demo` cannot be imported." in old.output


def test_a_lowest_python_without_an_environment_is_named_and_no_error(old: FakeRun) -> None:
    old.tried.without = ("3.9",)
    assert {trial.python for trial in checked(old).trials} == {RUNNING}
    assert f"  {WHEEL}: not tried on Python 3.9, for which no environment could be made" in old.said


def test_a_python_without_an_environment_that_has_to_be_tried_is_an_error(run: FakeRun) -> None:
    run.config = replace(LOCAL, pythons=("3.8", "3.9"))
    run.tried.without = ("3.9",)
    for write in (wheel, sdist):
        write(run.record.dist, {"Requires-Python": f"<{RUNNING}"})
    built(run)
    with pytest.raises(NotReady):
        check(as_run(run))
    assert "On Python 3.9: A virtual environment for Python 3.9 could not be installed" in run.output


@pytest.mark.parametrize(
    ("requires", "pythons", "others", "lowest"),
    [
        (">=3.8", ("3.8", "3.14"), {"3.9"}, "3.9"),
        (">=3.8", ("3.9", "3.14"), {"3.8", "3.9"}, "3.9"),
        (">=3.9", ("3.8", "3.14"), {"3.8", "3.9"}, "3.9"),
        (None, ("3.9",), {"3.9"}, "3.9"),
        (">=3.8", ("3.8",), set(), None),
        (">=3.8", (RUNNING, "3.14"), {"3.8"}, None),
        (">=3.8", ("pypy3.11",), {"3.8"}, None),
        (">=3.8", ("pypy3.11", "3.9"), {"3.8", "3.9"}, "3.9"),
        (f"<{RUNNING}", ("3.8", "3.9"), {"3.9"}, None),
        (f"<{RUNNING}", ("3.8", "3.9"), {"3.8", "3.9"}, "3.8"),
        ("three", ("3.8",), {"3.8"}, None),
    ],
)
def test_the_lowest_python_is_one_of_the_project_and_of_the_machine(
    run: FakeRun,
    here: set[str],
    *,
    requires: str | None,
    pythons: tuple[str, ...],
    others: set[str],
    lowest: str | None,
) -> None:
    here |= others
    archive = Archive.open(wheel(run.record.dist, {"Requires-Python": requires}))
    assert module._lowest(archive, pythons) == lowest


@pytest.mark.parametrize(("filename", "tried"), [("demo-1.0-cp38-abi3-any.whl", 0), (WHEEL, 2)])
def test_what_is_compiled_is_not_tried_on_another_python(
    run: FakeRun, here: set[str], filename: str, tried: int
) -> None:
    here.add("3.8")
    fields = {"Requires-Python": ">=3.8"}
    chosen = [
        Archive.open(wheel(run.record.dist, fields, filename=filename)),
        Archive.open(sdist(run.record.dist, fields)),
    ]
    assert len(module._on_the_lowest(chosen, ("3.8",))) == tried
    assert module._on_the_lowest(chosen[1:], ("3.8",)) == []


@pytest.mark.parametrize(
    ("pythons", "python"),
    [
        (("3.8", "3.9"), "3.9"),
        (("3.8", "3.99"), "3.8"),
        (("pypy3.9",), "pypy3.9"),
        (("3.9t",), "3.9t"),
        (("pypy",), None),
    ],
)
def test_the_highest_of_the_supported_pythons_of_the_project_is_taken(
    run: FakeRun, pythons: tuple[str, ...], python: str | None
) -> None:
    archive = Archive.open(wheel(run.record.dist, {"Requires-Python": f"<{RUNNING}"}))
    assert module._python_for(archive, pythons) == python


def test_a_warning_of_the_trial_can_be_ignored(run: FakeRun, lives: dict[str, tuple[Problem, ...]]) -> None:
    lives[WHEEL] = (Problem("install-syntax", "warning", WHEEL, "not compiled."),)
    run.config = replace(LOCAL, ignore={"install-syntax": "it is for newer Pythons"})
    assert checked(run).problems == ()
    assert f"  ignored: {WHEEL}: install-syntax (it is for newer Pythons)" in run.said


def test_an_error_of_the_trial_cannot_be_ignored(run: FakeRun, lives: dict[str, tuple[Problem, ...]]) -> None:
    lives[WHEEL] = (Problem("install-import", "error", WHEEL, "not imported."),)
    run.config = replace(LOCAL, ignore={"install-import": "it has to be"})
    with pytest.raises(NotReady):
        check(as_run(run))


def test_a_requires_python_that_cannot_be_read_is_no_reason_for_another(run: FakeRun) -> None:
    archive = Archive.open(wheel(run.record.dist, {"Requires-Python": "three"}))
    assert module._python_for(archive, ("3.9",)) is None


# inspect.


def inspected(run: FakeRun, *files: str, out: Path | None = None) -> None:
    run.invoked_from = str(run.record.dist)
    words = [*(["--json", str(out)] if out else []), *files]
    run.options = options.parse("inspect", words, Path(run.invoked_from))
    inspect(as_run(run))


def test_files_are_inspected_without_a_record(run: FakeRun, tmp_path: Path) -> None:
    run.record.path(Built).unlink()
    out = tmp_path / "out.json"
    inspected(run, WHEEL, SDIST, out=out)
    assert run.said == [f"  {WHEEL}: nothing found", f"  {SDIST}: nothing found"]
    answer = json.loads(out.read_text(encoding="utf-8"))
    assert answer == [{"file": WHEEL, "problems": []}, {"file": SDIST, "problems": []}]


def test_errors_in_files_are_counted_by_file(run: FakeRun, tmp_path: Path) -> None:
    files = {"noxfile.py": "", "demo/token": token()}
    wheel(run.record.dist, {"Summary": None}, files=files)
    sdist(run.record.dist, {"Summary": None})
    out = tmp_path / "out.json"
    with pytest.raises(FindingsInFiles) as error:
        inspected(run, WHEEL, SDIST, out=out)
    assert error.value.count == 1
    answer = json.loads(out.read_text(encoding="utf-8"))
    assert {(problem["rule"], problem["severity"]) for problem in answer[0]["problems"]} == {
        ("metadata-summary", "warning"),
        ("wheel-release-tooling", "error"),
        ("secret-api-token", "error"),
    }
    assert [problem["rule"] for problem in answer[1]["problems"]] == ["metadata-summary"]


def test_warnings_alone_are_no_failure_of_inspect(run: FakeRun) -> None:
    wheel(run.record.dist, {"Summary": None})
    inspected(run, WHEEL)
    assert "[metadata-summary]" in run.output


def test_a_file_elsewhere_is_inspected_by_its_path(run: FakeRun, tmp_path: Path) -> None:
    other = wheel(tmp_path / "elsewhere")
    inspected(run, str(other), os.path.relpath(other, run.record.dist))
    assert run.said == [f"  {WHEEL}: nothing found"] * 2


def test_the_samples_hash_as_recorded(run: FakeRun) -> None:
    stage = built(run)
    assert stage.dists[0].sha256 == hashlib.sha256((run.record.dist / WHEEL).read_bytes()).hexdigest()


# A version that is spent.


def test_a_version_that_is_spent_on_testpypi_has_ways_out(run: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    message = f"{run.config.testpypi.name} has demo-1.0.tar.gz with other bytes."
    spent = Problem("index-other-bytes", "error", "release", message)
    monkeypatch.setattr(lookups, "judge", lambda *_words, **_facts: (("index-other-bytes",), (spent,)))
    monkeypatch.setattr(conflicts, "of_version", lambda _run, built: f"ways out of {built.version}")
    with pytest.raises(NotReady):
        check(as_run(run))
    assert run.said.index("ways out of 1.0") < next(n for n, line in enumerate(run.said) if message in line)
