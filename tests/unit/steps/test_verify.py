"""`verify`: which cells are verified with which files, what is recorded, and what a failure leaves.

The index is real; the environments and what is installed into them are not.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from seatrial.index.holdings import NotVisible, OtherBytes
from seatrial.index.indexes import Login
from seatrial.machine.process import ToolFailed
from seatrial.project.pythons import PythonMissing
from seatrial.release import failures
from seatrial.release.record import FilesChanged, Record, StageMissing
from seatrial.release.stages import Built, Cell, Dist, Installed, Problem, Rehearsed
from seatrial.steps import verify as module
from seatrial.steps.testpypi import RehearsedElsewhere
from seatrial.steps.verify import NoSuchCell
from seatrial.steps.work import verify as work
from seatrial.steps.work.verify import LowestFailed, NotVerifiable, ReusedEnvironment
from seatrial.trial import interpreters
from seatrial.trial.installer import Installer, InstallFailed, Venv
from seatrial.trial.tags import NoFittingWheel
from seatrial.trial.trial import Use
from seatrial.workspace import candidate, siblings
from seatrial.workspace.siblings import SiblingNotNamed, SiblingNotReady
from tests.archives import SDIST, WHEEL
from tests.projects import write_tree
from tests.samples.records import built_in, hashings, rehearsed_in
from tests.samples.releases import release_in
from tests.samples.stages import BUILT, REHEARSED, RELEASED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from seatrial.trial.installer import Beside
    from seatrial.trial.trial import Subject
    from tests.samples.releases import Release

RUNNING = "{}.{}".format(*sys.version_info)
WINDOWS = "demo-1.0-cp313-cp313-win_amd64.whl"
WARNING = Problem("install-version", "warning", WHEEL, "Its __version__ is another.")
ERROR = Problem("install-import", "error", WHEEL, "It cannot be imported.")


@dataclass
class Environments:
    """The environments of a run: what was installed into them, and how it is used there."""

    installed: list[tuple[Any, ...]] = field(default_factory=list)
    problems: tuple[Problem, ...] = ()
    imported: tuple[str, ...] = ("demo",)
    beside: list[tuple[Beside, ...]] = field(default_factory=list)
    along: tuple[Installed, ...] = ()  # with the release
    required: tuple[str, ...] = ()
    lowered: tuple[str, ...] | None = None  # the requirements of the second use, with the lowest dependencies
    failing: Exception | None = None  # what that ends with

    def create(self, _: Installer, root: Path, python: str | None, _executable: str) -> Venv:
        self.installed.append(("create", root.name, python))
        return Venv(root)

    def from_index(self, _: Installer, _venv: Venv, *args: Any) -> None:
        self.installed.append(("from_index", *args))

    def from_file(self, _: Installer, _venv: Venv, path: Path, project: str) -> None:
        self.installed.append(("from_file", Dist.from_file(path), project))

    def use(
        self, installer: Installer, _venv: Venv, subject: Subject, *_: Any, narrowed: Callable[..., Any] = tuple
    ) -> Use:
        self.beside.append(installer.beside)
        for one in installer.beside:
            assert Dist.from_file(one.path).sha256 == one.sha256
        if narrowed is not tuple:
            self.lowered = narrowed(self.required)
            if self.failing:
                raise self.failing
        origin = subject.origins[0]
        own = Installed("demo", "1.0", origin.url, origin.sha256)
        facts = ("3.13.1", "linux", "x86_64", own, (own, *self.along), self.imported, ("demo -h",), self.problems)
        return Use(*facts, summary=f"imported {' '.join(self.imported)}" if self.imported else "nothing to import")

    @property
    def names(self) -> list[str]:
        return [call[0] for call in self.installed if call[0] != "create"]


@pytest.fixture
def environments(monkeypatch: pytest.MonkeyPatch) -> Environments:
    made = Environments()
    for name in ("create", "from_index", "from_file"):
        method = getattr(made, name)
        monkeypatch.setattr(Installer, name, lambda self, *args, method=method: method(self, *args))
    monkeypatch.setattr(work, "use", made.use)
    for where in (work, candidate):
        monkeypatch.setattr(where, "taken_by", lambda *_: ("py3-none-any",))
    return made


@pytest.fixture
def release(tmp_path: Path, environments: Environments) -> Iterator[Release]:
    """A release that is rehearsed, to be verified on the Python that runs the tests."""
    del environments
    with release_in(tmp_path) as made:
        settings = replace(made.context.settings, pythons=(RUNNING,), dependencies=made.pypi)
        made.context = made.context.with_settings(settings)
        made.serve("testpypi")
        made.write(BUILT, REHEARSED)
        yield made


def verify(release: Release, *, changes: dict[str, Any] | None = None, **options: Any) -> None:
    module.run(release.at(changes=changes, **options))


def file_of(release: Release, kind: str) -> Dist:
    return next(dist for dist in release.dists if dist.kind == kind)


# What is verified.


def test_a_package_of_the_repository_that_may_be_missing_is_named(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    def from_file(*_: object) -> NoReturn:
        raise InstallFailed("demo", 1, "no matching distribution for six")

    monkeypatch.setattr(Installer, "from_file", from_file)
    monkeypatch.setattr(siblings, "_unnamed", lambda _: ("six",))
    with pytest.raises(SiblingNotNamed, match="six in this repository is a dependency"):
        verify(release, kind="sdist")
    (cell,) = failures.cells(release.record)
    assert "six in this repository is a dependency" in cell.message


def test_each_cell_is_verified_and_recorded(release: Release, environments: Environments) -> None:
    verify(release)
    sdist, wheel = sorted(release.record.verified(), key=lambda verified: verified.kind)
    for verified, name in ((wheel, WHEEL), (sdist, SDIST)):
        assert (verified.python, verified.index) == (RUNNING, release.testpypi.simple)
        assert (verified.dists, verified.filename, verified.imported, verified.ran) == (
            release.dists,
            name,
            ("demo",),
            ("demo -h",),
        )
        assert (verified.python_version, verified.sys_platform, verified.machine) == ("3.13.1", "linux", "x86_64")
        label = f"verified demo 1.0 ({verified.kind}, Python {RUNNING}) from TestPyPI, 0 dependencies from PyPI;"
        assert f"{label} imported demo" in release.shown
    assert f"ok verify {RUNNING} wheel, {RUNNING} sdist" in release.shown
    assert sorted(environments.names) == ["from_file", "from_index"]


def test_the_wheel_comes_from_the_index_by_its_sealed_hash(release: Release, environments: Environments) -> None:
    verify(release, kind="wheel")
    wheels = (file_of(release, "wheel"),)
    assert environments.installed[1:] == [("from_index", "demo", "1.0", wheels, release.testpypi.simple)]


def test_the_sdist_is_fetched_by_its_url_and_proved(release: Release, environments: Environments) -> None:
    verify(release, kind="sdist")
    assert environments.installed[1:] == [("from_file", file_of(release, "sdist"), "demo")]


def test_what_is_verified_already_is_not_done_again(
    release: Release, environments: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify(release)
    environments.installed.clear()
    hashed, asked = hashings(monkeypatch), release.faults.reads
    verify(release)
    assert environments.installed == []
    assert release.faults.reads == asked
    assert sorted(hashed) == sorted([SDIST, WHEEL])
    assert f"demo 1.0 (wheel, Python {RUNNING}) is verified already" in release.shown
    write_tree(release.record.dist, {WHEEL: "other bytes"})
    with pytest.raises(FilesChanged):
        verify(release)


def test_a_kind_that_the_release_lacks_is_named(release: Release) -> None:
    (release.record.dist / WHEEL).unlink()
    release.write(BUILT, REHEARSED)
    verify(release, kind="wheel")
    assert "demo 1.0 has no wheel" in release.shown
    assert "ok verify nothing to verify" in release.shown
    assert release.record.verified() == ()


@pytest.mark.parametrize(("stages", "missing"), [((), "built"), ((BUILT,), "rehearsed")])
def test_what_was_not_rehearsed_is_not_verified(release: Release, stages: tuple[Built, ...], missing: str) -> None:
    for path in release.record.folder.glob("*.json"):
        path.unlink()
    release.write(*stages)
    with pytest.raises(StageMissing, match=f"Nothing is recorded as {missing}"):
        verify(release)


def test_a_rehearsal_elsewhere_proves_nothing(release: Release) -> None:
    release.write(REHEARSED, index="http://127.0.0.1:9/simple/")
    with pytest.raises(RehearsedElsewhere, match=r"http://127\.0\.0\.1:9/simple/"):
        verify(release)


def test_a_finished_release_is_not_verified_elsewhere(release: Release, environments: Environments) -> None:
    release.write(RELEASED)
    verify(release, rehearse_on="once more")
    assert "demo 1.0 is released; its rehearsal on TestPyPI stays on record" in release.shown
    assert (environments.installed, release.record.verified()) == ([], ())


# The Pythons.


def test_a_python_outside_of_the_matrix_is_refused(release: Release) -> None:
    with pytest.raises(NoSuchCell) as error:
        verify(release, python="2.7")
    assert "Python 2.7 is not in the matrix of this release." in str(error.value)
    assert f"choose one of {RUNNING}, or add it to `pythons`" in str(error.value)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The Pythons of this machine."""
    pythons = {RUNNING}
    monkeypatch.setattr(interpreters, "find", lambda python, _uv: python if python in pythons else "")
    return pythons


@pytest.mark.usefixtures("here")
def test_on_a_laptop_a_missing_python_is_named_and_left_out(release: Release) -> None:
    verify(release, changes={"pythons": (RUNNING, "3.98", "3.99")})
    assert {verified.python for verified in release.record.verified()} == {RUNNING}
    said = f"{RUNNING} wheel, {RUNNING} sdist; 3.98 and 3.99 are not on this machine"
    assert said in release.shown
    verify(release, changes={"pythons": (RUNNING, "3.98", "3.99")})  # once more: the others are done
    assert release.shown.count(said) == 2
    verify(release, changes={"pythons": (RUNNING, "3.99")}, python=RUNNING)
    assert f"ok verify {RUNNING} wheel, {RUNNING} sdist" in release.shown


def test_where_no_python_is_here_that_is_an_error(release: Release, here: set[str]) -> None:
    here.clear()
    with pytest.raises(PythonMissing) as error:
        verify(release, changes={"pythons": ("3.98", "3.99")})
    assert "Python 3.98, 3.99, on which this release is to be tried. Here: none." in str(error.value)
    assert "`uv python install 3.98`" in str(error.value)


@pytest.mark.usefixtures("here")
def test_in_ci_every_python_has_to_be_here(release: Release) -> None:
    release.context = replace(release.context, variables={"CI": "true"})
    with pytest.raises(PythonMissing) as error:
        verify(release, changes={"pythons": (RUNNING, "3.99")})
    assert error.value.wanted == ("3.99",)
    assert release.record.verified() == ()


# The environment that nox made.


def test_an_environment_that_is_handed_over_is_used_once(
    release: Release, environments: Environments, tmp_path: Path
) -> None:
    (tmp_path / "given").mkdir()
    verify(release, kind="wheel", python="3.99", environment=tmp_path / "given", changes={"pythons": ("3.99",)})
    assert [call[0] for call in environments.installed] == ["from_index"]
    with pytest.raises(ReusedEnvironment) as error:
        verify(release, kind="sdist", environment=tmp_path / "given")
    assert f"used before: {tmp_path / 'given'}" in str(error.value)
    assert [verified.kind for verified in release.record.verified()] == ["wheel"]


def test_the_table_comes_after_the_last_cell_that_nox_can_run(
    release: Release, environments: Environments, here: set[str], tmp_path: Path
) -> None:
    del environments
    here |= {"3.98"}
    for python, kind in itertools.product((RUNNING, "3.98"), ("wheel", "sdist")):
        assert "next: " not in release.shown
        given = tmp_path / f"{python}-{kind}"
        given.mkdir()
        verify(release, python=python, kind=kind, environment=given, changes={"pythons": (RUNNING, "3.98", "3.99")})
    assert release.shown.count("next: ") == 1  # 3.99 is not here


# How it goes there.


def test_a_warning_is_shown_and_the_cell_is_verified(release: Release, environments: Environments) -> None:
    environments.problems = (WARNING,)
    verify(release, kind="wheel")
    assert f"warning install-version: Its __version__ is another. ({RUNNING} wheel)" in release.shown
    assert len(release.record.verified()) == 1


def test_a_warning_of_several_cells_is_one_line_that_names_them(release: Release, environments: Environments) -> None:
    environments.problems = (WARNING,)
    verify(release)
    assert release.shown.count(WARNING.message) == 1
    assert f"{WARNING.message} ({RUNNING} sdist, {RUNNING} wheel)" in release.shown


@pytest.mark.parametrize("said", ["", f"On Python {RUNNING}: ", "On Python 3.99: "])
def test_a_warning_that_check_showed_in_this_command_is_not_shown_again(
    release: Release, environments: Environments, said: str
) -> None:
    environments.problems = (WARNING,)
    release.context.told.add((release.root, WARNING.rule, f"{said}{WARNING.message}"))
    verify(release)
    assert (WARNING.message in release.shown) == ("3.99" in said)


def test_an_error_leaves_no_record(release: Release, environments: Environments) -> None:
    environments.problems = (WARNING, ERROR)
    with pytest.raises(NotVerifiable) as error:
        verify(release, kind="wheel")
    message = error.value.text(release.context.commands)
    assert message.startswith("The files that TestPyPI serves do not work once installed: 1 error, see above.")
    assert "run `nox -s verify` again" in message
    assert f"error install-import: It cannot be imported. ({RUNNING} wheel)" in release.shown
    assert release.record.verified() == ()


def test_a_cell_that_failed_is_kept_beside_the_record_until_it_works(
    release: Release, environments: Environments
) -> None:
    verify(release, kind="sdist")
    environments.problems = (ERROR,)
    with pytest.raises(NotVerifiable):
        verify(release, kind="wheel")
    (failed,) = failures.cells(release.record)
    assert (failed.python, failed.kind) == (RUNNING, "wheel")
    assert failed.message.startswith("The files that TestPyPI serves do not work once installed: 1 error")
    environments.problems = ()
    verify(release)
    assert failures.cells(release.record) == ()
    assert len(release.record.verified()) == 2


def test_an_error_that_is_silenced_with_a_reason_stops_nothing(release: Release, environments: Environments) -> None:
    environments.problems = (replace(ERROR, silenceable=True),)
    verify(release, kind="wheel", changes={"ignore": {"install-import": "it needs a display"}})
    assert len(release.record.verified()) == 1


def test_a_warning_that_is_silenced_is_not_shown(release: Release, environments: Environments) -> None:
    environments.problems = (WARNING, replace(ERROR, rule="refused", severity="warning"))
    verify(release, kind="wheel", changes={"ignore": {"install-version": "it is that of the program inside"}})
    assert WARNING.message not in release.shown
    assert "warning refused: It cannot be imported." in release.shown


def test_nothing_to_import_is_no_failure(release: Release, environments: Environments) -> None:
    environments.imported = ()
    verify(release, kind="wheel")
    assert "0 dependencies from PyPI; nothing to import" in release.shown


def test_other_bytes_under_the_url_of_the_sdist_are_caught(release: Release) -> None:
    release.faults.order("body", prefix="/packages/", detail=b"other")
    with pytest.raises(OtherBytes) as error:
        verify(release, kind="sdist")
    assert file_of(release, "sdist").sha256 in str(error.value)
    assert release.record.verified() == ()


def test_files_that_are_not_shown_in_time_are_named_with_the_command_to_go_on(release: Release) -> None:
    (release.standins.folder / "testpypi" / SDIST).unlink()
    with pytest.raises(NotVisible) as error:
        verify(release, changes={"index_timeout": 0})
    assert SDIST in str(error.value)
    assert "nox -s verify" in str(error.value)


# The lowest dependencies.

LOWEST = {"resolution": "lowest-direct"}


@pytest.fixture
def tea(release: Release, environments: Environments) -> None:
    """What the release requires, and the versions of it that there are."""
    environments.required = ("tea>=1", "cup")
    for version in ("0.9", "1.0", "2.0"):
        write_tree(release.standins.folder / "pypi", {f"tea-{version}.tar.gz": version})


@pytest.mark.usefixtures("tea")
def test_the_lowest_direct_dependencies_are_tried_once_and_in_one_cell(
    release: Release, environments: Environments
) -> None:
    verify(release)
    assert environments.lowered is None
    verify(release, changes=LOWEST)
    assert environments.lowered == ("tea>=1", "cup", "tea==1.0")
    lowest = {verified.kind: [found.name for found in verified.lowest] for verified in release.record.verified()}
    assert lowest == {"wheel": ["demo"], "sdist": []}
    assert "works with the lowest direct dependencies too: tea==1.0" in release.shown
    assert "no lower bound, so not tried with their lowest version: cup" in release.shown
    environments.lowered = None
    verify(release, changes=LOWEST)
    assert environments.lowered is None


@pytest.mark.usefixtures("tea")
@pytest.mark.parametrize("failed", [InstallFailed("The dependencies", 1, "they exclude each other"), None])
def test_a_release_that_does_not_work_with_them_is_not_verified(
    release: Release, environments: Environments, failed: Exception | None
) -> None:
    environments.failing = failed or NotVerifiable(1, "TestPyPI")
    with pytest.raises(LowestFailed) as error:
        verify(release, kind="wheel", changes=LOWEST)
    assert "does not work:\n  tea==1.0\n  | " in str(error.value)
    assert release.record.verified() == ()


# A compiled release, and an index that wants a login.


def compiled(release: Release) -> Dist:
    """Let the release be a wheel for one platform alone."""
    folder = release.record.dist
    (folder / WHEEL).rename(folder / WINDOWS)
    (folder / SDIST).unlink()
    for path in (release.standins.folder / "testpypi").iterdir():
        path.unlink()
    release.serve("testpypi")
    release.write(BUILT, REHEARSED)
    return file_of(release, "wheel")


def takes(monkeypatch: pytest.MonkeyPatch, *tags: str) -> None:
    monkeypatch.setattr(candidate, "taken_by", lambda *_: tags)


def test_where_no_wheel_fits_that_is_said_before_anything_is_installed(
    release: Release, environments: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(release)
    takes(monkeypatch, "cp313-cp313-manylinux_2_17_x86_64")
    with pytest.raises(NoFittingWheel, match=rf"fits Python {RUNNING} here"):
        verify(release)
    assert environments.names == []


def test_a_wheel_that_fits_comes_from_the_index(
    release: Release, environments: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(release)
    takes(monkeypatch, "cp313-cp313-win_amd64")
    verify(release)
    assert environments.names == ["from_index"]


def test_an_interpreter_that_does_not_say_what_it_takes_leaves_the_choice_to_the_installer(
    release: Release, environments: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object) -> Sequence[str]:
        raise ToolFailed("Asking the interpreter", 1, "SyntaxError", "it is old.", "take another.")

    compiled(release)
    monkeypatch.setattr(candidate, "taken_by", silent)
    verify(release)
    assert environments.names == ["from_index"]
    for path in release.record.folder.glob("verified-*"):
        path.unlink()
    with pytest.raises(ToolFailed):
        verify(release, changes={"testpypi": with_login(release)})


def with_login(release: Release) -> Any:
    return replace(release.testpypi, login=Login("ada", "s3cret", "TESTPYPI_TOKEN"))


def test_where_an_index_wants_a_login_the_installer_gets_a_file(release: Release, environments: Environments) -> None:
    verify(release, kind="wheel", changes={"testpypi": with_login(release)})
    assert environments.installed[1:] == [("from_file", file_of(release, "wheel"), "demo")]


# A package that is released together with others.

CORE = "core-2.0-py3-none-any.whl"


@pytest.fixture
def core(release: Release, environments: Environments) -> Built:
    """`core`, which the release is released together with: built, rehearsed, served, and needed by the release."""
    folder = release.root.parent / "core"
    built = built_in(folder, version="2.0")
    rehearsed_in(folder, release.testpypi.simple)
    release.serve("testpypi", folder / "dist")
    release.write(BUILT, release_with=("../core",))
    sha256 = next(dist.sha256 for dist in built.dists if dist.filename == CORE)
    environments.along = (Installed("core", "2.0", "url", sha256), Installed("six", "1.17", "x", "y"))
    return built


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
@pytest.mark.usefixtures("core")
def test_a_sibling_comes_from_the_index_under_test(release: Release, environments: Environments, kind: str) -> None:
    verify(release, kind=kind)
    ((beside,),) = environments.beside
    assert (beside.project, beside.version, beside.path.name) == ("core", "2.0", CORE)
    assert beside.url.startswith(release.standins.testpypi)
    assert "from TestPyPI, with core 2.0 from there too, 1 dependency from PyPI; imported demo" in release.shown
    (verified,) = release.record.verified()
    assert {found.name for found in verified.installed} == {"demo", "core", "six"}


@pytest.mark.usefixtures("core")
def test_a_sibling_that_was_not_needed_is_not_named(release: Release, environments: Environments) -> None:
    environments.along = ()
    verify(release, kind="wheel")
    assert "from TestPyPI, 0 dependencies from PyPI;" in release.shown


@pytest.mark.usefixtures("core")
def test_other_bytes_of_a_sibling_are_caught_as_its(release: Release) -> None:
    release.faults.order("body", prefix=f"/packages/{CORE}", detail=b"other bytes")
    with pytest.raises(OtherBytes) as error:
        verify(release, kind="wheel")
    assert (error.value.project, error.value.version) == ("core", "2.0")
    assert release.record.verified() == ()


@pytest.mark.usefixtures("core")
def test_a_sibling_has_to_be_rehearsed_first(release: Release, environments: Environments) -> None:
    Record.of(release.root.parent / "core").path(Rehearsed).unlink()
    with pytest.raises(SiblingNotReady) as error:
        verify(release)
    assert error.value.stage == "rehearsed"
    assert environments.installed == []


@pytest.mark.usefixtures("core")
def test_a_cell_is_verified_again_where_a_sibling_has_other_files_now(
    release: Release, environments: Environments
) -> None:
    verify(release, kind="wheel")
    environments.installed.clear()
    verify(release, kind="wheel")
    assert environments.installed == []
    (verified,) = release.record.verified()
    other = Installed("core", "2.0", "url", "e" * 64)
    release.record.write(replace(verified, installed=(verified.installed[0], other)))
    verify(release, kind="wheel")
    assert environments.names == ["from_index"]


@pytest.mark.usefixtures("core")
def test_on_this_machine_a_stand_in_serves_the_files_of_siblings_too(
    release: Release, environments: Environments
) -> None:
    for folder in (release.root, release.root.parent / "core"):
        rehearsed = Record.of(folder).find(Rehearsed)
        assert rehearsed is not None
        Record.of(folder).write(replace(rehearsed, index="http://127.0.0.1:9/simple/", reason="TestPyPI is down"))
    asked = release.faults.reads
    verify(release, kind="wheel", rehearse_on="TestPyPI is down")
    ((beside,),) = environments.beside
    assert beside.path.name == CORE
    assert release.faults.reads == asked
    assert release.record.verified()[0].index not in {release.testpypi.simple, release.pypi.simple}


@pytest.mark.usefixtures("core")
def test_a_sibling_has_no_lowest_version(release: Release, environments: Environments) -> None:
    """It is the one that is there; another version of it on the index is not looked at."""
    environments.required = ("Core>=1", "tea>=1")
    for name in ("core-1.0.tar.gz", "tea-1.0.tar.gz", "tea-2.0.tar.gz"):
        write_tree(release.standins.folder / "pypi", {name: name})
    verify(release, kind="wheel", changes=LOWEST)
    assert environments.lowered == ("Core>=1", "tea>=1", "tea==1.0")
    assert [[one.project for one in beside] for beside in environments.beside] == [["core"], ["core"]]


def test_a_cell_that_is_verified_on_another_platform_does_not_hide_a_missing_one(release: Release) -> None:
    release.verified(Cell("3.99", "wheel"))
    verify(release, kind="wheel")
    assert {verified.python for verified in release.record.verified()} == {"3.99", RUNNING}
