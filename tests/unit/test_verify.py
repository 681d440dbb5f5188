from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from seatrial.index import conflicts
from seatrial.index import indexes as reading
from seatrial.index.indexes import TESTPYPI, NotVisible, OtherBytes
from seatrial.machine.process import ToolFailed
from seatrial.project.context import ReusedEnvironment
from seatrial.project.settings import Config
from seatrial.release.record import FilesChanged, Record, StageMissing
from seatrial.release.stages import Built, Cell, Dist, Installed, Problem, Rehearsed
from seatrial.standin import standins
from seatrial.standin.standins import RehearsedElsewhere
from seatrial.steps import verify as module
from seatrial.steps.verify import LowestFailed, NotVerifiable, verify
from seatrial.trial.installer import Beside, Installer, InstallFailed, Venv
from seatrial.trial.tags import NoFittingWheel
from seatrial.trial.trial import Guest, Life
from seatrial.workspace.siblings import SiblingNotReady
from tests.fakes import FakeSession, make_run
from tests.projects import write_tree
from tests.samples.records import built_in, hashings, rehearsed_in
from tests.samples.stages import BUILT, DISTS, FILES, REHEARSED, SDIST, WHEEL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.project.context import Run

WHEEL_CELL, SDIST_CELL = Cell("3.13", "wheel"), Cell("3.13", "sdist")
SERVED = tuple(
    reading.Served(dist.filename, dist.sha256, f"https://f.example/{dist.filename}", yanked=False) for dist in DISTS
)
WARNING = Problem("install-version", "warning", WHEEL, "Its __version__ is another.")
ERROR = Problem("install-import", "error", WHEEL, "It cannot be imported.")


@dataclass
class World:
    """The index and the fresh environment, as far as `verify` meets them."""

    served: tuple[reading.Served, ...] = SERVED
    content: bytes = FILES[SDIST].encode()
    problems: tuple[Problem, ...] = ()
    asked: tuple[Any, ...] = ()
    guest: Guest | None = None

    def read(self, *_args: Any, **_settings: Any) -> tuple[reading.Served, ...]:
        return self.served

    def get(self, _index: object, url: str, **_settings: Any) -> bytes:
        self.asked = ("download", url)
        return self.content

    def from_index(self, _venv: object, *args: Any) -> None:
        self.asked = ("from_index", *args)

    def from_file(self, _venv: object, path: Path, project: str) -> None:
        self.asked = (*self.asked, path.name, path.read_bytes(), project)

    def live(self, _installer: object, _venv: object, guest: Guest, *_settings: Any) -> Life:
        self.guest = guest
        origin = guest.origins[0]
        moved_in = Installed("demo", "1.0", origin.url, origin.sha256)
        return Life("3.13.1", "linux", "x86_64", moved_in, (moved_in,), ("demo",), ("demo -h",), self.problems)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(reading, "read_project", made.read)
    monkeypatch.setattr(reading, "_get", made.get)
    monkeypatch.setattr(Installer, "from_index", lambda _self, *args: made.from_index(*args))
    monkeypatch.setattr(Installer, "from_file", lambda _self, *args: made.from_file(*args))
    monkeypatch.setattr(module, "live", made.live)
    monkeypatch.setattr(reading, "AGREEING", 1)
    return made


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run on a project that is built and rehearsed."""
    write_tree(tmp_path / "dist", FILES)
    made = make_run(tmp_path, name="verify")
    made.record.write(BUILT)
    made.record.write(REHEARSED)
    return made


def test_the_wheel_comes_from_the_index_by_its_sealed_hash(run: Run, world: World) -> None:
    verify(run, WHEEL_CELL)
    wheel = tuple(dist for dist in DISTS if dist.kind == "wheel")
    assert world.asked == ("from_index", "demo", "1.0", wheel, TESTPYPI.simple)
    assert world.guest is not None
    assert world.guest.label == "demo 1.0 (wheel)"


def test_the_sdist_is_fetched_by_its_url_and_proved(run: Run, world: World) -> None:
    verify(run, SDIST_CELL)
    assert world.asked == ("download", f"https://f.example/{SDIST}", SDIST, FILES[SDIST].encode(), "demo")


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("cell", [WHEEL_CELL, SDIST_CELL])
def test_a_verified_cell_is_recorded(run: Run, cell: Cell, capsys: pytest.CaptureFixture[str]) -> None:
    verify(run, cell)
    (one,) = run.record.verified()
    assert (one.cell, one.index, one.dists) == (cell, TESTPYPI.simple, DISTS)
    assert one.filename == (WHEEL if cell == WHEEL_CELL else SDIST)
    assert (one.python_version, one.sys_platform, one.machine) == ("3.13.1", "linux", "x86_64")
    assert (one.imported, one.ran) == (("demo",), ("demo -h",))
    label = f"verified demo 1.0 ({cell.kind}, Python 3.13) from TestPyPI, 0 dependencies from PyPI; imported demo"
    assert label in capsys.readouterr().out


@pytest.mark.usefixtures("world")
def test_each_cell_hashes_the_files_once_before_it_says_anything(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    verify(run, WHEEL_CELL)
    read = hashings(monkeypatch)
    verify(run, WHEEL_CELL)
    assert sorted(read) == sorted(FILES)
    write_tree(run.record.dist, {WHEEL: "other bytes"})
    with pytest.raises(FilesChanged):
        verify(run, WHEEL_CELL)


@pytest.mark.usefixtures("world")
def test_what_is_verified_already_is_not_done_again(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verify(run, WHEEL_CELL)
    monkeypatch.delattr(module, "live")
    verify(run, WHEEL_CELL)
    assert "demo 1.0 (wheel, Python 3.13) is verified already." in capsys.readouterr().out


def test_a_kept_environment_is_made_anew_where_there_is_something_to_verify(
    run: Run, tmp_path: Path, world: World
) -> None:
    kept = FakeSession(tmp_path, "verify")
    verify(make_run(tmp_path, name="verify", session=kept, kept=True), WHEEL_CELL)
    assert (kept.virtualenv.created, world.asked[0]) == (1, "from_index")
    verify(make_run(tmp_path, name="verify", session=kept, kept=True), WHEEL_CELL)
    assert kept.virtualenv.created == 1
    assert len(run.record.verified()) == 1


def test_in_a_kept_environment_that_cannot_be_made_anew_nothing_is_verified(
    run: Run, tmp_path: Path, world: World
) -> None:
    kept = FakeSession(tmp_path, "verify")
    kept.virtualenv.stubborn = True
    with pytest.raises(ReusedEnvironment):
        verify(make_run(tmp_path, name="verify", session=kept, kept=True), WHEEL_CELL)
    assert (world.asked, run.record.verified()) == ((), ())


def test_a_kind_that_the_release_lacks_is_said(
    tmp_path: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tree(tmp_path / "dist", {SDIST: FILES[SDIST]})
    run = make_run(tmp_path, name="verify")
    sdist = tuple(dist for dist in DISTS if dist.kind == "sdist")
    run.record.write(replace(BUILT, dists=sdist))
    run.record.write(replace(REHEARSED, dists=sdist))
    verify(run, WHEEL_CELL)
    assert "demo 1.0 (wheel, Python 3.13): this release has no wheel." in capsys.readouterr().out
    assert world.asked == ()
    assert run.record.verified() == ()


@pytest.mark.parametrize(("stages", "missing"), [((), "built"), ((BUILT,), "rehearsed")])
def test_what_was_not_rehearsed_is_not_verified(
    tmp_path: Path, stages: tuple[Built | Rehearsed, ...], missing: str
) -> None:
    write_tree(tmp_path / "dist", FILES)
    run = make_run(tmp_path, name="verify")
    for stage in stages:
        run.record.write(stage)
    with pytest.raises(StageMissing, match=f"Nothing is recorded as {missing}"):
        verify(run, WHEEL_CELL)


def test_a_rehearsal_elsewhere_proves_nothing(run: Run) -> None:
    run.record.write(replace(REHEARSED, index="http://127.0.0.1:1/simple/"))
    with pytest.raises(RehearsedElsewhere, match=r"http://127\.0\.0\.1:1/simple/"):
        verify(run, WHEEL_CELL)


def test_warnings_are_told_and_the_cell_is_verified(run: Run, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.problems = (WARNING,)
    verify(run, WHEEL_CELL)
    assert "warning: demo-1.0-py3-none-any.whl: Its __version__ is another." in capsys.readouterr().out
    assert len(run.record.verified()) == 1


def test_an_error_leaves_no_record(run: Run, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.problems = (WARNING, ERROR)
    with pytest.raises(NotVerifiable, match="1 error"):
        verify(run, WHEEL_CELL)
    assert "It cannot be imported." in capsys.readouterr().out
    assert run.record.verified() == ()


def test_an_index_that_serves_other_bytes_under_that_url_is_caught(run: Run, world: World) -> None:
    world.content = b"other"
    with pytest.raises(OtherBytes) as error:
        verify(run, SDIST_CELL)
    assert Dist.from_file(run.record.dist / SDIST).sha256 in str(error.value)
    assert run.record.verified() == ()


def test_files_that_are_not_shown_in_time_are_named(tmp_path: Path, run: Run, world: World) -> None:
    world.served = SERVED[:1]
    hurried = make_run(tmp_path, name="verify", config=replace(run.config, index_timeout=0))
    with pytest.raises(NotVisible):
        verify(hurried, WHEEL_CELL)


def test_nothing_importable_is_no_failure(
    run: Run, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def live(*args: Any) -> Life:
        return replace(world.live(*args), imported=())

    monkeypatch.setattr(module, "live", live)
    verify(run, WHEEL_CELL)
    assert "nothing in it can be imported" in capsys.readouterr().out


# The lowest dependencies.


def lowest_run(run: Run, folder: Path) -> Run:
    """Return `run` with the setting that asks for them."""
    return make_run(folder, name="verify", config=replace(run.config, resolution="lowest-direct"))


@dataclass
class Lower(World):
    """The second life in the cell: its requirements, and how it goes."""

    failed: Exception | None = None
    installed: tuple[str, ...] = ()

    def live(self, *args: Any, narrowed: Any = tuple, **_settings: Any) -> Life:
        if narrowed is not tuple:
            self.installed = narrowed(["tea>=1", "cup"])
            if self.failed:
                raise self.failed
        return super().live(*args)


@pytest.fixture
def lower(monkeypatch: pytest.MonkeyPatch, world: World) -> Lower:
    made = Lower()
    del world
    tea = [reading.Served(f"tea-{version}.tar.gz", "", "", yanked=False) for version in ("0.9", "1.0", "2.0")]
    monkeypatch.setattr(module, "live", made.live)
    monkeypatch.setattr(module, "read_project", lambda _index, name: tea if name == "tea" else [])
    monkeypatch.setattr(module, "taken_by", lambda *_: ("py3-none-any",))
    monkeypatch.setattr(Installer, "create", lambda _self, root, _python: Venv(root))
    monkeypatch.setattr(reading, "_get", lambda *_args, **_settings: FILES[WHEEL].encode())
    return made


def test_the_lowest_direct_dependencies_are_tried_too(
    tmp_path: Path, run: Run, lower: Lower, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = lowest_run(run, tmp_path)
    verify(asked, WHEEL_CELL)
    assert lower.installed == ("tea>=1", "cup", "tea==1.0")
    (one,) = asked.record.verified()
    assert [found.name for found in one.lowest] == ["demo"]
    said = capsys.readouterr().out
    assert "works with the lowest direct dependencies too: tea==1.0" in said
    assert "no lower bound, so not tried with their lowest version: cup" in said


def test_they_are_tried_once_and_in_one_cell(tmp_path: Path, run: Run, lower: Lower) -> None:
    verify(run, WHEEL_CELL)
    assert lower.installed == ()
    asked = lowest_run(run, tmp_path)
    verify(asked, WHEEL_CELL)
    assert lower.installed
    lower.installed = ()
    verify(asked, WHEEL_CELL)
    assert lower.installed == ()


@pytest.mark.parametrize("failed", [InstallFailed("The dependencies", 1, "they exclude each other"), None])
def test_a_release_that_does_not_work_with_them_is_not_verified(
    tmp_path: Path, run: Run, lower: Lower, failed: Exception | None
) -> None:
    asked = lowest_run(run, tmp_path)
    lower.failed = failed or NotVerifiable(1, "TestPyPI")
    with pytest.raises(LowestFailed) as error:
        verify(asked, WHEEL_CELL)
    assert "does not work:\n  tea==1.0\n  | " in str(error.value)
    assert asked.record.verified() == ()


# A compiled release, and an index that wants a login.


def test_where_no_wheel_fits_that_is_said_before_anything_is_installed(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "demo-1.0-cp313-cp313-win_amd64.whl"
    write_tree(tmp_path / "dist", {name: "a wheel"})
    made = make_run(tmp_path, name="verify")
    dists = (Dist.from_file(tmp_path / "dist" / name),)
    made.record.write(replace(BUILT, dists=dists))
    made.record.write(replace(REHEARSED, dists=dists))
    world.served = tuple(reading.Served(d.filename, d.sha256, "https://f.example/", yanked=False) for d in dists)
    monkeypatch.setattr(module, "taken_by", lambda *_: ("cp313-cp313-manylinux_2_17_x86_64",))
    with pytest.raises(NoFittingWheel, match=r"fits Python 3\.13 here"):
        verify(made, WHEEL_CELL)
    assert world.asked == ()


def test_an_interpreter_that_does_not_say_what_it_takes_leaves_the_choice_to_the_installer(
    tmp_path: Path, run: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object) -> NoReturn:
        raise ToolFailed("Asking the interpreter", 1, "SyntaxError", "it is old.", "take another.")

    monkeypatch.setattr(module, "taken_by", silent)
    monkeypatch.setattr(module, "fits_everywhere", lambda _: False)
    verify(run, WHEEL_CELL)
    assert world.asked[0] == "from_index"
    house = replace(TESTPYPI, login=reading.Login("ada", "s3cret", "TESTPYPI_TOKEN"))
    asked = make_run(tmp_path / "again", name="verify", config=replace(run.config, testpypi=house))
    shutil.copytree(tmp_path / "dist", asked.record.dist)
    for stage in (BUILT, REHEARSED):
        asked.record.write(stage)
    with pytest.raises(ToolFailed):
        verify(asked, WHEEL_CELL)


def test_where_an_index_wants_a_login_the_installer_gets_a_file(
    tmp_path: Path, run: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = replace(TESTPYPI, login=reading.Login("ada", "s3cret", "TESTPYPI_TOKEN"))
    asked = make_run(tmp_path, name="verify", config=replace(run.config, testpypi=house))
    world.content = FILES[WHEEL].encode()
    monkeypatch.setattr(module, "taken_by", lambda *_: ("py3-none-any",))
    verify(asked, WHEEL_CELL)
    assert world.asked == ("download", f"https://f.example/{WHEEL}", WHEEL, FILES[WHEEL].encode(), "demo")


# A package that is released together with others.


@dataclass
class Family(World):
    """The index also serves `core`, which is released together with the package."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    pages: dict[str, tuple[reading.Served, ...]] = field(default_factory=dict)
    beside: tuple[Beside, ...] = ()
    came_along: tuple[Installed, ...] = ()
    fetched: list[str] = field(default_factory=list)

    def read(self, _index: object, project: str, **_settings: Any) -> tuple[reading.Served, ...]:
        return self.pages[project]

    def get(self, _index: object, url: str, **_settings: Any) -> bytes:
        name = url.rpartition("/")[2]
        self.fetched.append(name)
        return self.bodies[name]

    def live(self, installer: Any, venv: object, guest: Guest, *settings: Any) -> Life:
        self.beside = installer.beside
        for one in self.beside:
            assert one.path.read_bytes() == self.bodies[one.path.name]
        life = super().live(installer, venv, guest, *settings)
        return replace(life, installed=(*life.installed, *self.came_along))


CORE_URL = "https://f.example/core-2.0-py3-none-any.whl"


@dataclass
class Pair:
    """`demo`, and `core` that it is released together with: both built and rehearsed."""

    root: Path
    core: Built
    run: Run


def pair_in(folder: Path, index: str = TESTPYPI.simple, *words: str, **settings: Any) -> Pair:
    core = built_in(folder / "core", version="2.0")
    rehearsed_in(folder / "core", index)
    demo = write_tree(folder / "demo", {f"dist/{name}": text for name, text in FILES.items()})
    run = make_run(demo, *words, name="verify", **settings)
    run.record.write(replace(BUILT, release_with=("../core",)))
    run.record.write(replace(REHEARSED, index=index))
    return Pair(folder, core, run)


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: World) -> Family:
    made = Family()
    del world
    for attribute, value in (("read_project", made.read), ("_get", made.get)):
        monkeypatch.setattr(reading, attribute, value)
    monkeypatch.setattr(Installer, "from_index", lambda _self, *args: made.from_index(*args))
    monkeypatch.setattr(Installer, "from_file", lambda _self, *args: made.from_file(*args))
    monkeypatch.setattr(module, "live", made.live)
    made.pages["demo"] = SERVED
    made.bodies |= {name: text.encode() for name, text in FILES.items()}
    core = built_in(tmp_path / "core", version="2.0")
    made.pages["core"] = tuple(
        reading.Served(dist.filename, dist.sha256, f"https://f.example/{dist.filename}", yanked=False)
        for dist in core.dists
    )
    made.bodies |= {path.name: path.read_bytes() for path in (tmp_path / "core" / "dist").iterdir()}
    made.came_along = (Installed("core", "2.0", CORE_URL, core.dists[0].sha256), Installed("six", "1.17", "x", "y"))
    return made


@pytest.mark.parametrize("cell", [WHEEL_CELL, SDIST_CELL])
def test_a_sibling_comes_from_the_index_under_test(
    tmp_path: Path, family: Family, capsys: pytest.CaptureFixture[str], cell: Cell
) -> None:
    pair = pair_in(tmp_path)
    verify(pair.run, cell)
    (one,) = family.beside
    assert (one.project, one.version, one.sha256, one.url) == ("core", "2.0", pair.core.dists[0].sha256, CORE_URL)
    assert one.path.name == "core-2.0-py3-none-any.whl"
    said = capsys.readouterr().out
    assert "from TestPyPI, with core 2.0 from there too, 1 dependency from PyPI; imported demo" in said
    assert {found.name for found in pair.run.record.verified()[0].installed} == {"demo", "core", "six"}


def test_a_package_alone_has_nothing_beside_it(run: Run, family: Family, capsys: pytest.CaptureFixture[str]) -> None:
    verify(run, WHEEL_CELL)
    assert family.beside == ()
    assert family.fetched == []
    assert "from TestPyPI, 2 dependencies from PyPI;" in capsys.readouterr().out


def test_a_sibling_that_was_not_needed_is_not_told(
    tmp_path: Path, family: Family, capsys: pytest.CaptureFixture[str]
) -> None:
    family.came_along = ()
    verify(pair_in(tmp_path).run, WHEEL_CELL)
    assert "from TestPyPI, 0 dependencies from PyPI;" in capsys.readouterr().out


def test_other_bytes_of_a_sibling_are_caught_and_told_as_its(
    tmp_path: Path, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = pair_in(tmp_path)
    told: list[Any] = []

    def explained(run: Run, met: Exception, *release: str) -> Exception:
        told.append((run, *release))
        return met

    monkeypatch.setattr(conflicts, "explained", explained)
    family.bodies["core-2.0-py3-none-any.whl"] = b"other bytes"
    with pytest.raises(OtherBytes) as error:
        verify(pair.run, WHEEL_CELL)
    assert (error.value.project, error.value.version) == ("core", "2.0")
    assert told == [(pair.run, "core", "2.0")]
    assert pair.run.record.verified() == ()


def test_a_sibling_has_to_be_rehearsed_first(tmp_path: Path, family: Family) -> None:
    pair = pair_in(tmp_path)
    Record.of(tmp_path / "core").path(Rehearsed).unlink()
    with pytest.raises(SiblingNotReady) as error:
        verify(pair.run, WHEEL_CELL)
    assert error.value.stage == "rehearsed"
    assert family.beside == ()


def test_a_cell_is_done_again_where_a_sibling_is_another_now(
    tmp_path: Path, family: Family, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = pair_in(tmp_path)
    verify(pair.run, WHEEL_CELL)
    capsys.readouterr()
    verify(pair.run, WHEEL_CELL)
    assert "demo 1.0 (wheel, Python 3.13) is verified already." in capsys.readouterr().out
    # It was verified with other files of it than those that are recorded now.
    family.came_along = (Installed("core", "2.0", CORE_URL, "e" * 64),)
    (one,) = pair.run.record.verified()
    pair.run.record.write(replace(one, installed=(*one.installed[:1], *family.came_along)))
    verify(pair.run, WHEEL_CELL)
    assert "verified already" not in capsys.readouterr().out


def test_on_this_machine_the_stand_in_holds_the_files_of_siblings_too(
    tmp_path: Path, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = "http://127.0.0.1:4711/simple/"
    pair = pair_in(tmp_path, here, "--rehearse-on", "dryrun", "TestPyPI is down")
    held: list[tuple[Path, ...]] = []

    @contextlib.contextmanager
    def rehearsal(run: Run, files: tuple[Path, ...]) -> Iterator[Any]:
        held.append(files)
        yield replace(run.config.testpypi, simple=here), {}

    monkeypatch.setattr(standins, "rehearsal", rehearsal)
    verify(pair.run, WHEEL_CELL)
    demo, core = tmp_path / "demo" / "dist", tmp_path / "core" / "dist"
    assert held == [(*(demo / dist.filename for dist in DISTS), *(core / d.filename for d in pair.core.dists))]
    assert all(path.is_file() for path in held[0])
    assert [one.project for one in family.beside] == ["core"]


def test_a_sibling_has_no_lowest_version(
    tmp_path: Path, family: Family, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the one that is there; another version of it on the index is not looked at."""
    pair = pair_in(tmp_path, config=Config(pythons=("3.13",), resolution="lowest-direct"))
    asked: list[str] = []
    narrow: list[Any] = []
    beside: list[tuple[Beside, ...]] = []

    def live(installer: Any, *args: Any, narrowed: Any = tuple) -> Life:
        narrow.append(narrowed(["Core>=1", "tea>=1"]))
        beside.append(installer.beside)
        return family.live(installer, *args)

    def read(_index: object, name: str) -> list[reading.Served]:
        asked.append(name)
        return [reading.Served(f"{name}-{version}.tar.gz", "", "", yanked=False) for version in ("1.0", "2.0")]

    monkeypatch.setattr(module, "live", live)
    monkeypatch.setattr(module, "read_project", read)
    monkeypatch.setattr(module, "taken_by", lambda *_: ("py3-none-any",))
    monkeypatch.setattr(Installer, "create", lambda _self, root, _python: Venv(root))
    verify(pair.run, WHEEL_CELL)
    assert narrow == [("Core>=1", "tea>=1"), ("Core>=1", "tea>=1", "tea==1.0")]
    assert asked == ["tea"]
    assert [[one.project for one in of_one] for of_one in beside] == [["core"], ["core"]]
    assert "works with the lowest direct dependencies too: tea==1.0" in capsys.readouterr().out


# What an edge of the index shows before it has it.


WHEELS = tuple(dist for dist in DISTS if dist.kind == "wheel")


def install(run: Run, tmp_path: Path, pauses: tuple[float, ...], slept: list[float]) -> None:
    installer = run.installer(tmp_path)
    module.install_wheel(run, installer, TESTPYPI, REHEARSED, WHEELS, pauses=pauses, sleep=slept.append)


def failing(monkeypatch: pytest.MonkeyPatch, outputs: list[str]) -> None:
    def from_index(*_args: Any) -> None:
        if outputs:
            raise InstallFailed("demo 1.0 from the index", 1, outputs.pop(0))

    monkeypatch.setattr(Installer, "from_index", from_index)


def test_a_wheel_that_cannot_be_had_yet_is_tried_again(
    tmp_path: Path, run: Run, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, ["not found", "not found"])
    slept: list[float] = []
    install(run, tmp_path, (2.0, 10.0, 30.0), slept)
    assert slept == [2.0, 10.0]
    assert "TestPyPI shows the wheel, and it could not be installed; trying again in 2 s" in capsys.readouterr().out
    assert world.asked == ()


@pytest.mark.usefixtures("world")
def test_in_the_end_the_installers_words_are_told(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ["not found", "still not found"])
    slept: list[float] = []
    with pytest.raises(InstallFailed) as error:
        install(run, tmp_path, (2.0,), slept)
    assert (error.value.output, slept) == ("still not found", [2.0])


@pytest.mark.parametrize(("content", "expected"), [(b"other", OtherBytes), (FILES[WHEEL].encode(), InstallFailed)])
def test_bytes_that_an_installer_finds_to_be_others_are_looked_at(
    run: Run, world: World, monkeypatch: pytest.MonkeyPatch, content: bytes, expected: type[Exception]
) -> None:
    failing(monkeypatch, ["THESE PACKAGES DO NOT MATCH THE HASHES"])
    world.content = content
    with pytest.raises(expected):
        install(run, run.root, (), [])
    assert world.asked == ("download", f"https://f.example/{WHEEL}")
