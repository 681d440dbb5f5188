"""`dryrun`: which steps it runs with what, what it leaves, and what it says when one stops.

The two indexes are real, the steps are not: each leaves what it would record, and the uploads leave their files.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.building import git
from seatrial.index.indexes import Index
from seatrial.machine.errors import ReleaseError
from seatrial.machine.screen import Screen
from seatrial.project.options import ALL, Commands, Options
from seatrial.project.settings import Settings
from seatrial.release.record import DIGEST_VARIABLE
from seatrial.release.stages import Built, Dist, Problem
from seatrial.report.status import last_dry_run, status
from seatrial.standin import launch
from seatrial.steps import build, check, dryrun, pypi, testpypi, verify
from seatrial.steps.dryrun import BadWorkspace, DryrunFailed, LocalWheel, _held
from seatrial.steps.work.check import NotReady
from seatrial.workspace.order import PackagesFailed
from seatrial.workspace.packages import PackageCycle, find, name_of
from tests.projects import write_tree
from tests.samples.contexts import make_context
from tests.samples.stages import BUILT, CHECKED, FILES, REHEARSED, RELEASED, SDIST, VERIFIED
from tests.samples.workspaces import project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from seatrial.project.context import Context
    from seatrial.release.stages import Stage
    from seatrial.standin.indexes import Standins
    from seatrial.workspace.packages import Package

LOCAL = "demo-1.0-cp313-cp313-linux_x86_64.whl"


class StoppedError(ReleaseError):
    what = "It stopped."
    cause = "a test."
    cure = "nothing."


@dataclass
class Steps:
    """What runs in the place of the steps. `failing` are names of a step, or of a step and a package."""

    failing: set[str] = field(default_factory=set)
    files: dict[str, str] = field(default_factory=lambda: dict(FILES))
    more: dict[str, str] = field(default_factory=dict)  # that both indexes hold in the end
    built: Built = BUILT
    standins: list[Standins] = field(default_factory=list)
    ran: list[tuple[str, Context]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [step for step, _ in self.ran]

    def act(self, step: str, context: Context) -> None:
        self.ran.append((step, context))
        name = name_of(context.root)
        if self.failing & {step, f"{step} {name}"}:
            raise StoppedError
        with context.screen.step(step):
            getattr(self, f"_{step}")(context, name)

    def record(self, context: Context, stage: Stage, **facts: Any) -> None:
        dists = tuple(sorted(map(Dist.from_file, context.record.dist.iterdir())))
        index = {"index": context.settings.testpypi.simple} if hasattr(stage, "index") else {}
        context.record.write(replace(stage, **({"dists": dists, "project": name_of(context.root)} | index | facts)))

    def _build(self, context: Context, name: str) -> None:
        shutil.rmtree(context.record.dist.parent, ignore_errors=True)
        kinds = context.settings.archives
        files = {
            file.replace("demo", name.replace("-", "_")): text + name
            for file, text in self.files.items()
            if ("sdist" if file.endswith(".tar.gz") else "wheel") in kinds
        }
        write_tree(context.record.dist, files)
        self.record(context, self.built)

    def _check(self, context: Context, _: str) -> None:
        if any(path.name == LOCAL for path in context.record.dist.iterdir()):
            raise NotReady((Problem("filename-platform", "error", LOCAL, "PyPI takes no such wheel"),))
        self.record(context, CHECKED)

    def _testpypi(self, context: Context, _: str) -> None:
        self._upload(context, "testpypi")
        self.record(context, REHEARSED)

    def _verify(self, context: Context, _: str) -> None:
        for kind in context.settings.archives:
            self.record(context, VERIFIED, kind=kind)

    def _pypi(self, context: Context, _: str) -> None:
        assert context.options.yes == "1.0"
        self._upload(context, "pypi")
        self.record(context, RELEASED)

    def _upload(self, context: Context, index: str) -> None:
        shutil.copytree(context.record.dist, self.standins[0].folder / index, dirs_exist_ok=True)
        write_tree(self.standins[0].folder / index, self.more)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Steps:
    """Put others in place of the steps, note the indexes, and the folder of temporary files."""
    made = Steps()
    for module in (build, check, testpypi, verify, pypi):
        step = module.__name__.rpartition(".")[2]
        monkeypatch.setattr(module, "run", lambda context, step=step: made.act(step, context))
    serve = launch.serve

    @contextmanager
    def noted(folder: Path) -> Iterator[Standins]:
        with serve(folder) as standins:
            made.standins.append(standins)
            yield standins

    monkeypatch.setattr(launch, "serve", noted)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return made


@dataclass
class DryRun:
    """A dry run of a project: what it is given, and the lines that were shown (also with ``-v``)."""

    context: Context
    lines: list[str]

    def run(self, *, settings: Mapping[str, Any] | None = None, **options: Any) -> None:
        """Run it with `options`, and with `settings` changed."""
        changed = replace(self.context.settings, **(settings or {}))
        dryrun.run(replace(self.context, settings=changed, options=replace(Options(), **options)))

    @property
    def shown(self) -> str:
        return " ".join(word for line in self.lines for word in line.split() if word != "|")


def dry_run_of(root: Path, **changes: Any) -> DryRun:
    lines: list[str] = []
    screen = Screen(verbose=True, write=lines.append)
    settings = Settings(pythons=("3.14t",), pypi=Index("PyPI", simple="http://127.0.0.1:9/simple/", token_location="x"))
    fields = {"settings": settings, "published": settings.pypi, "screen": screen}
    return DryRun(make_context(root, **(fields | changes)), lines)


@pytest.fixture
def demo(tmp_path: Path) -> DryRun:
    write_tree(tmp_path / "demo", {"pyproject.toml": project("demo"), "dist/mine.txt": ""})
    return dry_run_of((tmp_path / "demo").resolve(), variables={"PYPI_TOKEN": "a real one", DIGEST_VARIABLE: "0" * 64})


# One package.


def test_all_five_steps_run_and_the_next_command_is_shown(demo: DryRun, steps: Steps) -> None:
    demo.run(offline=True)
    assert steps.names == ["build", "check", "testpypi", "verify", "pypi"]
    (standins,) = steps.standins
    assert f"stand-in for TestPyPI: {standins.testpypi} stand-in for PyPI: {standins.pypi}" in demo.shown
    assert "dry run of demo 1.0 passed: 2 files, the same bytes on both stand-ins" in demo.shown
    assert "what a dry run cannot show: whether the name is free or yours" in demo.shown
    assert "Python 3.14t wheel imported demo" in demo.shown
    assert demo.lines[-1] == "next: nox -s testpypi"


def test_the_steps_get_the_stand_ins_and_their_tokens_and_nothing_of_the_release(demo: DryRun, steps: Steps) -> None:
    demo.run(offline=True)
    (standins,) = steps.standins
    for step, context in steps.ran:
        assert context.variables == standins.tokens
        assert (context.settings.testpypi.simple, context.settings.pypi.simple) == (
            f"{standins.testpypi}/simple/",
            f"{standins.pypi}/simple/",
        )
        assert context.settings.dependencies == demo.context.settings.dependencies
        assert context.published == demo.context.published
        assert context.record.expected is None
        assert context.dry is not None
        assert context.record.folder.parent == context.dry.place
        assert context.options.yes == ("1.0" if step == "pypi" else None)


def test_options_of_build_and_check_are_handed_on_and_no_others(demo: DryRun, steps: Steps, tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "taken_from": tmp_path / "wheels",
        "since": "0.9",
        "sdist_only": True,
        "offline": True,
        "version": "1.0",
        "verbose": True,
    }
    demo.run(**given, rebuild=True, keep_sealed=True, yes="9", python="3.1", rehearse_on="no", open=False)
    assert steps.ran[0][1].options == replace(Options(), **given)


@pytest.mark.usefixtures("steps")
def test_the_project_stays_as_it_was_and_only_the_report_is_left(demo: DryRun, tmp_path: Path) -> None:
    demo.run(offline=True)
    root = demo.context.root
    assert [path.name for path in (root / "dist").iterdir()] == ["mine.txt"]
    left = {path.relative_to(root / "release-record").as_posix() for path in (root / "release-record").rglob("*")}
    assert left == {".gitignore", "dryrun", "dryrun/last.json", "dryrun/report.html", "dryrun/report.md"}
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_tree_with_uncommitted_changes_has_to_be_committed_before_the_release(
    demo: DryRun, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = replace(git.look(demo.context.root), changed=("a.py", "b.py"))
    monkeypatch.setattr(git, "look", lambda _: source)
    demo.run(offline=True)
    assert steps.names[-1] == "pypi"
    assert demo.lines[-1] == "to release this commit: commit 2 changes"


# What goes wrong.


@pytest.mark.parametrize("step", ["build", "check", "testpypi", "verify", "pypi"])
def test_a_step_that_fails_stops_the_dry_run_and_is_named(demo: DryRun, steps: Steps, step: str) -> None:
    steps.failing.add(step)
    with pytest.raises(StoppedError):
        demo.run(offline=True)
    assert steps.names[-1] == step
    assert f"The dry run stopped in `{step}`; the real indexes were not touched." in demo.shown
    assert "next:" not in demo.shown
    left = demo.context.record.folder / "dryrun" / "last.json"
    if step == "build":
        assert not left.exists()  # there is nothing to report on
    else:
        assert str(last_dry_run(demo.context)).endswith(f": demo 1.0 failed in `{step}`")


@pytest.mark.parametrize("more", [{"demo-1.0.tar.gz": "other"}, {"demo-1.0.zip": ""}])
def test_other_files_on_the_indexes_are_no_success(demo: DryRun, steps: Steps, more: dict[str, str]) -> None:
    steps.more = more
    with pytest.raises(DryrunFailed, match="files other than those that were built in: testpypi, pypi"):
        demo.run(offline=True)


# The folder of a dry run.


@pytest.mark.usefixtures("steps")
def test_what_is_to_be_kept_is_kept(demo: DryRun, tmp_path: Path) -> None:
    kept = tmp_path / "a" / "kept"
    demo.run(keep=kept, offline=True)
    assert {path.name for path in kept.iterdir()} >= {"dist", "release-record", "testpypi", "pypi"}
    assert f"kept in {kept}: dist, release-record, testpypi, pypi" in demo.shown


def test_it_is_kept_also_when_the_dry_run_fails(demo: DryRun, steps: Steps, tmp_path: Path) -> None:
    steps.failing.add("pypi")
    with pytest.raises(StoppedError):
        demo.run(keep=tmp_path / "kept", offline=True)
    assert (tmp_path / "kept" / "dist" / SDIST).is_file()


@pytest.mark.parametrize("name", ["dist", "release-record", "."])
def test_the_projects_own_folders_are_not_taken(tmp_path: Path, steps: Steps, name: str) -> None:
    with pytest.raises(BadWorkspace, match=r"this is the project's own|not an empty folder"):
        dry_run_of(tmp_path / "empty").run(keep=tmp_path / "empty" / name)
    assert steps.ran == []


def test_a_folder_that_holds_something_is_not_taken(demo: DryRun, steps: Steps, tmp_path: Path) -> None:
    write_tree(tmp_path, {"kept/a": "", "file": ""})
    for name in ("kept", "file"):
        with pytest.raises(BadWorkspace, match="it exists and is not an empty folder"):
            demo.run(keep=tmp_path / name)
    assert steps.ran == []
    (tmp_path / "empty").mkdir()
    demo.run(keep=tmp_path / "empty", offline=True)
    assert steps.names[-1] == "pypi"


# A wheel that is for this machine alone.


def with_wheel(steps: Steps, name: str) -> None:
    steps.files = {SDIST: "the sdist", name: "a wheel"}


def test_a_wheel_for_this_machine_alone_is_left_out_and_the_sdist_rehearsed(demo: DryRun, steps: Steps) -> None:
    with_wheel(steps, LOCAL)
    with pytest.raises(LocalWheel) as error:
        demo.run(offline=True)
    assert steps.names == ["build", "check", "check", "testpypi", "verify", "pypi"]
    after = steps.ran[2][1]
    assert (after.settings.archives, "release-no-wheel" in after.settings.ignore) == (("sdist",), True)
    assert "moved what was in dist/" not in demo.shown
    assert "dry run of demo 1.0 passed: 1 file" in demo.shown
    assert [cell for cell in after.settings.cells if cell.kind == "wheel"] == []
    message = error.value.text(demo.context.commands)
    words = "PyPI accepts no wheel that may run only on this machine:"
    assert f"the wheel cannot go up, because {words}\n  {LOCAL}" in message
    assert "`nox -s dryrun -- --from FOLDER`" in message
    assert f"going on with the sdist alone: {LOCAL}" in demo.shown
    assert "next:" not in demo.shown
    status(demo.context)
    assert "next: nox -s dryrun -- --from FOLDER" in demo.shown


def test_an_sdist_that_stops_too_stops_the_dry_run(demo: DryRun, steps: Steps) -> None:
    with_wheel(steps, LOCAL)
    steps.failing.add("testpypi")
    with pytest.raises(StoppedError):
        demo.run(offline=True)


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({"taken_from": True}, {}),
        ({}, {"archives": ("wheel",)}),
        ({}, {"pypi": Index("house", simple="https://house.example/simple/")}),
    ],
)
def test_any_other_wheel_that_check_stops_is_no_matter_of_the_platform(
    demo: DryRun, steps: Steps, tmp_path: Path, options: dict[str, Any], settings: dict[str, Any]
) -> None:
    with_wheel(steps, LOCAL)
    with pytest.raises(NotReady):
        demo.run(offline=True, settings=settings, **dict.fromkeys(options, tmp_path))
    assert steps.names == ["build", "check"]
    page = (demo.context.record.folder / "dryrun" / "report.html").read_text(encoding="utf-8")
    assert "PyPI takes no such wheel" in page


# What is released together with it.


@pytest.fixture
def family(tmp_path: Path) -> DryRun:
    """`demo`, which is released with `core`, which is released with `base`."""
    write_tree(
        tmp_path,
        {
            "demo/pyproject.toml": project("demo"),
            "core/pyproject.toml": project("Demo.Core", settings='release-with = ["../base"]\npythons = ["3.12"]'),
            "base/pyproject.toml": project("demo-base"),
        },
    )
    made = dry_run_of((tmp_path / "demo").resolve(), variables={"PYPI_TOKEN": "the real one"})
    made.context = made.context.with_settings(replace(made.context.settings, release_with=("../core",)))
    return made


def test_what_it_is_released_together_with_is_rehearsed_first_on_the_same_stand_ins(
    family: DryRun, steps: Steps
) -> None:
    family.run(offline=True, sdist_only=True, since="0.9", rebuild=True)
    ran = [(step, context.root.name) for step, context in steps.ran]
    five = ("build", "check", "testpypi", "verify", "pypi")
    assert ran == [(step, name) for name in ("base", "core", "demo") for step in five]
    (standins,) = steps.standins
    place = steps.ran[-1][1].record.folder.parent
    for step, context in steps.ran:
        assert context.variables == standins.tokens
        assert context.settings.pypi.simple == f"{standins.pypi}/simple/"
        assert context.dry is not None
        assert set(context.dry.places.values()) == {place, place / "with" / "demo-base", place / "with" / "demo-core"}
        if context.root.name != "demo":
            yes = "1.0" if step == "pypi" else None
            assert context.options == replace(Options(), offline=True, yes=yes)
            assert context.record.folder.parent == context.dry.places[context.root]
    assert {context.settings.pythons for _, context in steps.ran if context.root.name == "core"} == {("3.12",)}
    assert "== demo-base, which is released together with this package" in family.shown
    assert "dry run of demo 1.0 passed: 2 files" in family.shown


def test_a_sibling_that_fails_stops_the_dry_run(family: DryRun, steps: Steps) -> None:
    steps.failing.add("check demo-core")
    with pytest.raises(StoppedError):
        family.run(offline=True)
    assert steps.ran[-1][1].root.name == "core"


def test_siblings_that_need_each_other_are_not_rehearsed(family: DryRun, steps: Steps, tmp_path: Path) -> None:
    write_tree(tmp_path, {"base/pyproject.toml": project("demo-base", settings='release-with = ["../demo"]')})
    with pytest.raises(PackageCycle):
        family.run(offline=True)
    assert steps.ran == []


@pytest.mark.parametrize("name", ["demo-1.0.zip", "Demo-1.0-cp313-cp313-win_amd64.whl", "demo-1.1.tar.gz"])
def test_a_file_of_the_project_that_was_not_built_is_found_among_those_of_others(
    family: DryRun, steps: Steps, name: str
) -> None:
    steps.more = {name: "of nobody"}
    with pytest.raises(DryrunFailed, match="files other than those that were built in: testpypi, pypi"):
        family.run(offline=True)


@pytest.mark.parametrize("name", ["demo-core", "Demo.Core", "demo_core"])
def test_the_files_of_a_project_are_its_own_however_it_is_spelt(tmp_path: Path, name: str) -> None:
    ours = ("Demo_Core-1.0-py3-none-any.whl", "demo_core-1.0.tar.gz")
    write_tree(tmp_path, dict.fromkeys((*ours, "demo-1.0.tar.gz", "demo_core_x-1.0.tar.gz", "notes.txt"), ""))
    assert tuple(dist.filename for dist in _held(tmp_path, name)) == ours


# All packages.


@dataclass
class Everything:
    """A dry run of all packages of a repository; `failed` are those that did not pass."""

    root: Path
    dry_run: DryRun
    failed: list[str] = field(default_factory=list)

    def run(self, **options: Any) -> None:
        context = replace(self.dry_run.context, options=replace(Options(), **options))

        def act(package: Package, work: Callable[[Context], None]) -> bool:
            settings = replace(context.settings, release_with=())
            try:
                work(replace(context, root=package.root, settings=settings))
            except ReleaseError:
                self.failed.append(package.name)
                return False
            return True

        dryrun.of_all(context, find(self.root), act)


@pytest.fixture
def everything(tmp_path: Path) -> Everything:
    root = write_tree(
        tmp_path / "all",
        {
            "pyproject.toml": '[tool.seatrial]\npackages = ["demo", "core", "base"]\n',
            "demo/pyproject.toml": project("pypi", dependencies='"demo-core"'),  # as an index is called
            "core/pyproject.toml": project("Demo.Core", dependencies='"demo-base"'),
            "base/pyproject.toml": project("demo-base"),
        },
    ).resolve()
    return Everything(root, dry_run_of(root, commands=Commands(option=ALL)))


def test_all_packages_are_rehearsed_on_the_same_stand_ins(everything: Everything, steps: Steps) -> None:
    everything.run(offline=True)
    assert [context.root.name for step, context in steps.ran if step == "build"] == ["base", "core", "demo"]
    (standins,) = steps.standins
    for _, context in steps.ran:
        assert context.dry is not None
        assert context.record.folder.parent == standins.folder / "packages" / name_of(context.root)
        assert context.dry.places[context.root] == context.record.folder.parent
        assert context.variables == standins.tokens
    shown = everything.dry_run.shown
    assert "dry run of 3 packages: all five steps passed for each what a dry run cannot show" in shown
    assert "kept in" not in shown
    assert "next:" not in shown


@pytest.mark.usefixtures("steps")
def test_a_dry_run_of_all_may_be_kept(everything: Everything, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    everything.run(keep=kept, offline=True)
    expected = f"kept in {kept}: testpypi, pypi, and in packages dist and release-record of each"
    assert expected in everything.dry_run.shown
    assert {path.name for path in (kept / "packages").iterdir()} == {"demo-base", "demo-core", "pypi"}


def test_a_package_that_fails_is_no_dry_run_of_all(everything: Everything, steps: Steps) -> None:
    steps.failing.add("verify demo-base")
    with pytest.raises(PackagesFailed) as error:
        everything.run(offline=True)
    assert (error.value.failed, error.value.waiting) == (("demo-base",), ("demo-core", "pypi"))
    assert everything.failed == ["demo-base"]
    assert "all five steps passed" not in everything.dry_run.shown
