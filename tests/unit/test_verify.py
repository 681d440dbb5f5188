from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from tasks import indexes as reading
from tasks import verify as module
from tasks.errors import (
    FilesChanged,
    InstallFailed,
    LowestFailed,
    NoFittingWheel,
    NotVerifiable,
    NotVisible,
    OtherBytes,
    RehearsedElsewhere,
    ReusedEnvironment,
    StageMissing,
)
from tasks.indexes import TESTPYPI
from tasks.installer import Installer, Venv
from tasks.stages import Built, Cell, Dist, Installed, Problem, Rehearsed
from tasks.stranger import Guest, Life
from tasks.verify import verify
from tests.fakes import FakeSession, make_run
from tests.projects import write_tree
from tests.unit.test_record import BUILT, DISTS, FILES, REHEARSED, SDIST, WHEEL, hashings

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.run import Run

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


def test_where_an_index_wants_a_login_the_installer_gets_a_file(
    tmp_path: Path, run: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = replace(TESTPYPI, login=reading.Login("ada", "s3cret", "TESTPYPI_TOKEN"))
    asked = make_run(tmp_path, name="verify", config=replace(run.config, testpypi=house))
    world.content = FILES[WHEEL].encode()
    monkeypatch.setattr(module, "taken_by", lambda *_: ("py3-none-any",))
    verify(asked, WHEEL_CELL)
    assert world.asked == ("download", f"https://f.example/{WHEEL}", WHEEL, FILES[WHEEL].encode(), "demo")
