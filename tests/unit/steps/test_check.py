"""`check`: the rules and the indexes, then a trial of the files from this disk, and what of it stops a release.

The environments of the trial and what is installed into them are not real here.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest

from seatrial.index import changes, indexes
from seatrial.index.indexes import Index
from seatrial.project.context import DryRun
from seatrial.release.record import FilesChanged, StageMissing
from seatrial.release.stages import Built, Changes, Checked, Installed, Problem, Tool
from seatrial.steps import check as module
from seatrial.steps.work import check as work
from seatrial.steps.work.check import NotReady
from seatrial.trial import interpreters
from seatrial.trial.installer import Installer, InstallFailed, Venv
from seatrial.trial.trial import Use
from seatrial.workspace import siblings
from tests.archives import SDIST, WHEEL, sdist, token, wheel, written
from tests.projects import commit, write_tree
from tests.samples.records import built_in
from tests.samples.releases import release_in
from tests.samples.stages import BUILT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.trial.trial import Subject
    from tests.samples.releases import Release

HOUSE = Index("house", simple="http://127.0.0.1:9/simple/")
RUNNING = "{}.{}".format(*sys.version_info)


@dataclass
class Environments:
    """The environments of a trial: for which Pythons they were made, and what goes wrong in them."""

    made: list[tuple[str, str | None]] = field(default_factory=list)  # kind of file, and Python
    failing: tuple[str, ...] = ()  # files that cannot be installed
    without: tuple[str, ...] = ()  # Pythons for which none can be made
    problems: dict[str, tuple[Problem, ...]] = field(default_factory=dict)  # by file
    supplied: tuple[str, ...] = ()  # modules of what was installed beside the release
    beside: set[str] = field(default_factory=set)  # versions of what was installed beside the release

    def create(self, _: Installer, root: Path, python: str | None, _executable: str) -> Venv:
        self.made.append((root.parent.name.partition("-")[0], python))
        if python in self.without:
            raise InstallFailed(f"A virtual environment for Python {python}", 1, "no interpreter")
        return Venv(root)

    def from_file(self, _: Installer, _venv: Venv, path: Path, project: str) -> None:
        assert project == "demo"
        if path.name in self.failing:
            raise InstallFailed(path.name, 1, "no matching distribution for six")

    def use(self, installer: Installer, _venv: Venv, subject: Subject, *_: Any) -> Use:
        self.beside |= {one.version for one in installer.beside}
        own = Installed("demo", subject.version, subject.origins[0].url, subject.origins[0].sha256)
        problems = self.problems.get(installer.scratch.name, self.problems.get(subject.label, ()))
        installed = (own, Installed("six", "1.17"))
        return Use("3.13.0", "linux", "x86_64", own, installed, ("demo",), (), problems, "imported demo", self.supplied)


@pytest.fixture(autouse=True)
def environments(monkeypatch: pytest.MonkeyPatch) -> Environments:
    made = Environments()
    for name in ("create", "from_file"):
        method = getattr(made, name)
        monkeypatch.setattr(Installer, name, lambda self, *args, method=method: method(self, *args))
    monkeypatch.setattr(work, "use", made.use)
    return made


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The Pythons of this machine."""
    pythons = {RUNNING}
    monkeypatch.setattr(interpreters, "find", lambda python, _uv: python if python in pythons else "")
    return pythons


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    """A committed project whose files are built; both indexes have an earlier release of it."""
    with release_in(tmp_path, in_git=True) as made:
        settings = replace(made.context.settings, pythons=(RUNNING,))
        made.context = made.context.with_settings(settings)
        for index in ("testpypi", "pypi"):
            earlier = made.standins.folder / index
            wheel(earlier, {"Version": "0.9"}, filename="demo-0.9-py3-none-any.whl")
        made.write(BUILT)
        yield made


def check(release: Release, *, changes: dict[str, Any] | None = None, **options: Any) -> Checked:
    module.run(release.at(changes=changes, **options))
    return release.record.read(Checked)


def stopped(release: Release, *, changes: dict[str, Any] | None = None, **options: Any) -> NotReady:
    """Return the error that ends the step, which leaves no record."""
    with pytest.raises(NotReady) as error:
        module.run(release.at(changes=changes, **options))
    assert release.record.find(Checked) is None
    return error.value


def rules(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.rule for problem in problems]


# What is recorded.


def test_what_passes_is_recorded_with_its_trials(release: Release) -> None:
    checked = check(release)
    assert checked.problems == ()
    assert [(trial.filename, trial.python, trial.imported) for trial in checked.trials] == [
        (WHEEL, RUNNING, ("demo",)),
        (SDIST, RUNNING, ("demo",)),
    ]
    assert {"release-tag", "wheel-record"} <= set(checked.rules)
    assert "A project to rehearse releases with" in checked.rendered
    summary = f"{len(checked.rules)} rules, 2 files tried on {RUNNING}, 1 module"
    assert f"ok check {summary}" in release.shown
    assert f"{WHEEL}: installed on Python {RUNNING} with 0 dependencies; imported demo" in release.shown
    (origin,) = {one.origin for trial in checked.trials if trial.filename == SDIST for one in trial.installed} - {None}
    assert origin == (release.record.dist / SDIST).as_uri()


def test_nothing_is_checked_without_a_build(release: Release) -> None:
    release.record.path(Built).unlink()
    with pytest.raises(StageMissing) as error:
        check(release)
    assert (error.value.stage, error.value.step) == ("built", "build")


def test_what_is_checked_is_not_checked_again(release: Release, environments: Environments) -> None:
    first = check(release)
    environments.made.clear()
    asked = release.faults.reads
    assert check(release) == first
    assert (environments.made, release.faults.reads) == ([], asked)
    assert f"demo 1.0 is already checked ({len(first.rules)} rules)" in release.shown


def test_files_that_changed_since_are_refused(release: Release) -> None:
    check(release)
    (release.record.dist / WHEEL).write_bytes(b"")
    with pytest.raises(FilesChanged):
        module.run(release.at())


# The rules.


def test_an_error_stops_before_the_trial(release: Release, environments: Environments) -> None:
    wheel(release.record.dist, files={"noxfile.py": ""})
    written(release.record.dist, SDIST, b"no sdist")
    release.write(BUILT)
    error = stopped(release)
    assert (error.count, error.trial) == (2, False)
    message = error.text(release.context.commands)
    assert message.startswith("PyPI would refuse these files, or they would fail their users: 2 errors.")
    assert "run `nox -s check` again. Nothing was uploaded, so no version was spent." in message
    assert environments.made == []
    release.context = replace(release.context, dry=DryRun(release.root))
    assert "run `nox -s dryrun` again." in stopped(release).text(release.context.commands)
    assert "error wheel-release-tooling: " in release.shown
    assert "error archive-readable: " in release.shown


def test_a_problem_of_two_files_is_one(release: Release) -> None:
    for make in (wheel, sdist):
        make(release.record.dist, {"Author-email": None})
    release.write(BUILT)
    assert rules(check(release).problems) == ["metadata-author", "metadata-author"]
    assert release.shown.count("metadata-author: ") == 1
    assert f"({WHEEL}, {SDIST})" in release.shown or f"({SDIST}, {WHEEL})" in release.shown
    assert "; 1 warning" in release.shown


def test_a_warning_that_is_ignored_is_named_with_its_reason(release: Release) -> None:
    wheel(release.record.dist, {"Author-email": None})
    release.write(BUILT)
    checked = check(release, changes={"ignore": {"metadata-author": "we are many", "metadata-summary": "unused"}})
    assert checked.problems == ()
    assert f"ignored: {WHEEL}: metadata-author (we are many)" in release.shown
    assert "unused" not in release.shown


def test_a_code_that_is_none_is_named(release: Release) -> None:
    known = {"metadata-author": "we are many", "install-smoke": "no", "index-new-name": "ours"}
    check(release, changes={"ignore": {**known, "metadata-autor": "we are many", "xyz": "y"}})
    assert "warning `ignore` in [tool.seatrial]: there is no rule or finding `xyz`." in release.shown
    assert release.shown.count("Did you mean") == 1
    assert "no rule or finding `metadata-autor`. Did you mean `metadata-author`?" in release.shown
    assert release.shown.count("there is no rule or finding") == 2


@pytest.mark.parametrize(("files", "rule"), [({"demo/token": token()}, "secret-api-token")])
def test_what_pypi_refuses_cannot_be_ignored(release: Release, files: dict[str, str], rule: str) -> None:
    written(release.record.dist, SDIST, b"no sdist")
    wheel(release.record.dist, files=files)
    release.write(BUILT)
    stopped(release, changes={"ignore": {"archive-readable": "please", rule: "please"}})
    assert "ignored: demo-1.0.tar.gz" not in release.shown
    assert "error archive-readable: " in release.shown


def test_the_rules_see_the_tag_and_what_git_tracks(release: Release) -> None:
    write_tree(release.root, {"conf/secret": token()})
    commit(release.root, "v2.0")
    assert stopped(release).count == 2
    assert "conf/secret:1 (tracked by git)" in release.shown
    assert "HEAD is tagged v2.0" in release.shown


def test_the_rules_compare_the_files_with_what_is_committed(release: Release) -> None:
    write_tree(release.root, {"src/demo/data.json": ""})
    commit(release.root)
    assert "release-left-out" in rules(check(release).problems)


@pytest.mark.parametrize(
    ("tool", "settings", "found"),
    [
        ("build", {}, []),
        ("build", {"in_place": True}, ["release-untracked"]),
        ("--from", {}, ["release-untracked"]),
    ],
)
def test_files_that_no_clean_checkout_gave_are_compared_with_what_git_has(
    release: Release, tool: str, settings: dict[str, Any], found: list[str]
) -> None:
    wheel(release.record.dist, files={"demo/old.py": ""})
    release.write(BUILT, tools=(Tool(tool, ""),))
    assert rules(check(release, changes=settings).problems) == found


def beside_the_code(release: Release) -> dict[str, str]:
    """Let the repository have a changelog of another version, and a workflow that uploads; return both."""
    files = {"CHANGELOG.md": "# 0.9\n", ".github/workflows/publish.yml": "steps:\n- run: twine upload dist/*\n"}
    release.write(BUILT, commit=commit(write_tree(release.root, files)))
    return files


def test_a_changelog_and_a_workflow_are_warned_of_before_a_release(release: Release) -> None:
    beside_the_code(release)
    found = {problem.rule: problem for problem in check(release).problems}
    assert found["release-changelog"].message.startswith("CHANGELOG.md names versions up to 0.9, but not 1.0")
    assert found["release-other-workflow"].message.startswith("publish.yml uploads too (`twine upload`)")
    assert {found[rule].severity for rule in ("release-changelog", "release-other-workflow")} == {"warning"}
    assert "CHANGELOG.md names versions up to 0.9" in release.shown


def test_a_reason_silences_both(release: Release) -> None:
    beside_the_code(release)
    reasons = {"release-changelog": "kept elsewhere", "release-other-workflow": "for TestPyPI"}
    assert not set(reasons) & set(rules(check(release, changes={"ignore": reasons}).problems))
    assert "ignored: release: release-changelog (kept elsewhere)" in release.shown


def test_a_dry_run_of_any_commit_does_not_ask_for_them(release: Release) -> None:
    beside_the_code(release)
    module.run(replace(release.at(), dry=DryRun(release.root)))
    assert not {"release-changelog", "release-other-workflow"} & set(rules(release.record.read(Checked).problems))


def test_without_git_the_rules_go_on(tmp_path: Path) -> None:
    with release_in(tmp_path) as release:
        write_tree(release.root, {"pyproject.toml": ""})
        release.write(BUILT)
        assert check(release).problems == ()


# The indexes.


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-ins are on other machines: what a dry run's own indexes hold is not looked up."""
    monkeypatch.setattr(indexes, "LOOPBACK", frozenset())


@pytest.mark.usefixtures("far_away")
def test_a_name_that_is_new_on_the_index_is_a_warning(release: Release) -> None:
    for path in (release.standins.folder / "pypi").iterdir():
        path.unlink()
    assert rules(check(release).problems) == ["index-new-name"]
    release.record.path(Checked).unlink()
    assert check(release, changes={"ignore": {"index-new-name": "our first release"}}).problems == ()
    assert "ignored: release: index-new-name (our first release)" in release.shown


@pytest.mark.usefixtures("far_away")
def test_offline_nothing_is_looked_up_and_a_later_run_does_it(release: Release) -> None:
    asked = release.faults.reads
    checked = check(release, offline=True)
    assert (checked.offline, checked.changes) == (True, Changes(None, "PyPI", "--offline"))
    assert [code for code in checked.rules if code.startswith("index-")] == []
    assert release.faults.reads == asked
    assert "note: what TestPyPI and PyPI have was not checked (--offline)" in release.shown.replace("note ", "note: ")
    completed = check(release)
    assert not completed.offline
    assert completed.changes.since == "0.9"
    assert set(completed.rules) > set(checked.rules)
    assert completed.trials == checked.trials


@pytest.mark.usefixtures("far_away")
def test_a_later_run_that_names_a_version_compares_once(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel(release.standins.folder / "pypi", {"Version": "0.8"}, filename="demo-0.8-py3-none-any.whl")
    check(release, offline=True)
    comparing = MagicMock(side_effect=changes.compare)
    monkeypatch.setattr(changes, "compare", comparing)
    assert check(release, since="0.8").changes.since == "0.8"
    comparing.assert_called_once()


@pytest.mark.usefixtures("far_away")
def test_a_version_that_is_spent_on_testpypi_has_ways_out(release: Release) -> None:
    wheel(release.standins.folder / "testpypi", {"Summary": "another"})
    stopped(release)
    assert "TestPyPI already has a different demo-1.0-py3-none-any.whl" in release.shown
    assert "PyPI does not have this version. There are three ways out: 1. The next version: 1.0.1" in release.shown


@pytest.mark.usefixtures("far_away")
def test_a_later_run_stops_on_what_it_finds_online(release: Release) -> None:
    checked = check(release, offline=True)
    wheel(release.standins.folder / "testpypi", {"Summary": "another"})
    with pytest.raises(NotReady):
        check(release)
    assert release.record.find(Checked) == checked


# The earlier version.


def test_what_changes_is_recorded_and_can_be_compared_with_another_version(release: Release) -> None:
    wheel(release.standins.folder / "pypi", {"Version": "0.8"}, filename="demo-0.8-py3-none-any.whl")
    assert check(release).changes.since == "0.9"
    assert "0.9" in release.shown
    assert check(release, since="0.8").changes.since == "0.8"
    assert check(release, since="0.7").changes.reason == "PyPI has no version 0.7 of demo"


def test_a_dry_run_asks_no_private_index(release: Release) -> None:
    house = Index("house", simple="https://house.example/simple/")
    release.context = replace(release.context, dry=DryRun(release.root), published=house)
    reason = "a dry run has no login, so it asks no index but PyPI"
    assert check(release).changes == Changes(None, "house", reason)


def test_nobody_waits_for_a_comparison_that_a_failed_check_does_not_need(
    release: Release, monkeypatch: pytest.MonkeyPatch, environments: Environments
) -> None:
    monkeypatch.setattr(changes, "compare", lambda *_: pytest.fail("cannot be met"))
    environments.failing = (WHEEL,)
    assert stopped(release).trial


# The trial.


def test_a_file_that_cannot_be_installed_stops(release: Release, environments: Environments) -> None:
    environments.failing = (SDIST,)
    error = stopped(release)
    assert (error.count, error.trial) == (1, True)
    assert str(error).startswith("The files do not work once installed: 1 error.")
    assert f"error install-failed: {SDIST} could not be installed" in release.shown
    assert "no matching distribution for six" in release.shown
    assert f"{SDIST}: installed on" not in release.shown
    assert "install-failed" in (release.record.folder / "report.md").read_text(encoding="utf-8")


def test_a_package_of_the_repository_that_may_be_missing_is_named(
    release: Release, environments: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siblings, "_unnamed", lambda _: ("six",))
    environments.failing = (SDIST,)
    stopped(release)
    assert "six in this repository is a dependency" in release.shown


def test_what_does_not_work_once_installed_stops(release: Release, environments: Environments) -> None:
    environments.problems[WHEEL] = (Problem("install-import", "error", WHEEL, "import demo fails"),)
    assert stopped(release).trial
    assert f"error install-import: import demo fails ({WHEEL})" in release.shown


@pytest.mark.parametrize(
    ("problem", "ignored"),
    [
        (Problem("install-version", "warning", WHEEL, "another"), True),
        (Problem("install-import", "error", WHEEL, "not imported", silenceable=True), True),
        (Problem("install-import", "error", WHEEL, "not imported"), False),
    ],
)
def test_what_the_trial_meets_can_be_ignored_where_it_is_silenceable(
    release: Release, environments: Environments, problem: Problem, *, ignored: bool
) -> None:
    environments.problems[WHEEL] = (problem,)
    ignore = {"ignore": {problem.rule: "it needs a display"}}
    if ignored:
        assert check(release, changes=ignore).problems == ()
        assert f"ignored: {WHEEL}: {problem.rule} (it needs a display)" in release.shown
    else:
        assert stopped(release, changes=ignore).count == 1


def test_a_module_that_another_distribution_supplies_is_not_missing(
    release: Release, environments: Environments
) -> None:
    wheel(release.record.dist, files={"demo/__init__.py": "def f():\n    import demo.inner\n"})
    release.write(BUILT)
    assert stopped(release).trial
    assert "error install-missing-module: `demo.inner` is imported" in release.shown
    environments.supplied = ("demo.inner.core",)
    assert rules(check(release).problems) == []


def test_a_warning_of_the_trial_is_recorded(release: Release, environments: Environments) -> None:
    environments.problems[SDIST] = (Problem("install-version", "warning", SDIST, "demo.__version__ is another"),)
    assert check(release).problems == environments.problems[SDIST]


@pytest.mark.parametrize("more", ["demo-1.0-1-py3-none-any.whl", "demo-1.0-cp39-cp39-manylinux_2_17_ppc64le.whl"])
def test_of_several_wheels_the_one_that_fits_best_is_tried(release: Release, more: str) -> None:
    best = wheel(release.record.dist, filename=f"demo-1.0-cp{RUNNING.replace('.', '')}-none-any.whl").name
    (release.record.dist / WHEEL).unlink()
    wheel(release.record.dist, filename=more)
    release.write(BUILT)
    assert [trial.filename for trial in check(release).trials] == [best, SDIST]
    assert f"{more}: not tried here (another platform, or one more of its kind)" in release.shown


def test_wheels_alone_are_tried_alone(release: Release) -> None:
    (release.record.dist / SDIST).unlink()
    release.write(BUILT)
    checked = check(release)
    assert [trial.filename for trial in checked.trials] == [WHEEL]
    assert rules(checked.problems) == ["release-no-sdist"]


def test_an_index_of_ones_own_is_named_in_place_of_pypi(release: Release, environments: Environments) -> None:
    environments.failing = (WHEEL,)
    error = stopped(release, changes={"testpypi": HOUSE, "pypi": HOUSE}, offline=True)
    assert error.index == "house"


# Which Pythons.


@pytest.fixture
def old(release: Release, here: set[str]) -> Release:
    """A release for Python 3.9 and later, on a machine that has 3.8 and 3.9 too."""
    here |= {"3.9", "3.8"}
    release.context = release.context.with_settings(replace(release.context.settings, pythons=("3.8", "3.14")))
    for make in (wheel, sdist):
        make(release.record.dist, {"Requires-Python": ">=3.9"})
    release.write(BUILT)
    return release


def test_both_files_are_tried_on_the_lowest_python_that_is_here_too(old: Release, environments: Environments) -> None:
    assert sorted(trial.python for trial in check(old).trials) == sorted(["3.9", "3.9", RUNNING, RUNNING])
    expected = [("sdist", "3.9"), ("sdist", None), ("wheel", "3.9"), ("wheel", None)]
    assert sorted(environments.made, key=str) == expected


def test_what_only_the_lowest_python_shows_is_said_of_it(old: Release, environments: Environments) -> None:
    environments.problems["wheel-3.9"] = (Problem("install-import", "error", WHEEL, "`demo` cannot be imported."),)
    stopped(old)
    assert "On Python 3.9: `demo` cannot be imported." in old.shown


def test_what_several_trials_show_is_said_once_in_a_command(old: Release, environments: Environments) -> None:
    for name in (WHEEL, SDIST):
        environments.problems[name] = (Problem("install-version", "warning", name, "It has another version."),)
    assert [problem.file for problem in check(old).problems] == [WHEEL, SDIST]
    check(old, since="0.9")
    old.record.path(Checked).unlink()
    check(old)
    assert old.shown.count("It has another version.") == 1
    assert f"warning install-version: It has another version. ({WHEEL}, {SDIST})" in old.shown


def test_a_lowest_python_without_an_environment_is_named_and_no_error(old: Release, environments: Environments) -> None:
    environments.without = ("3.9",)
    assert {trial.python for trial in check(old).trials} == {RUNNING}
    assert f"{WHEEL}: not tried on Python 3.9, for which no environment could be made" in old.shown


def test_a_python_without_an_environment_that_has_to_be_tried_is_an_error(
    release: Release, environments: Environments
) -> None:
    environments.without = ("3.9",)
    for make in (wheel, sdist):
        make(release.record.dist, {"Requires-Python": f"<{RUNNING}"})
    release.write(BUILT)
    stopped(release, changes={"pythons": ("3.8", "3.9")})
    assert "On Python 3.9: A virtual environment for Python 3.9 could not be installed" in release.shown


# A package that is released together with another.


def test_a_sibling_is_installed_from_its_own_files(release: Release, environments: Environments) -> None:
    built_in(release.root.parent / "core", version="2.0")
    release.write(BUILT, release_with=("../core",))
    check(release)
    assert environments.beside == {"2.0"}
    assert "released together with core 2.0" in release.shown
