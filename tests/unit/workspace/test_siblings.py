from __future__ import annotations

import contextlib
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from seatrial.index.holdings import OtherBytes, ReleaseYanked, holdings
from seatrial.index.indexes import PYPI, TESTPYPI, Index
from seatrial.index.tokens import make
from seatrial.project.context import DryRun
from seatrial.project.options import ALL, Commands, Options
from seatrial.project.settings import Settings
from seatrial.release.record import FilesChanged, Record, RecordDamaged
from seatrial.release.stages import Built, Dist, Installed, Kind, Verified
from seatrial.standin.launch import serving
from seatrial.standin.server import StandinIndex
from seatrial.trial.installer import Installer, InstallFailed, Venv
from seatrial.trial.tags import NoFittingWheel
from seatrial.workspace import siblings
from seatrial.workspace.candidate import Candidate
from seatrial.workspace.packages import PackageCycle, TwoPackages
from seatrial.workspace.siblings import (
    Sibling,
    SiblingChanged,
    SiblingElsewhere,
    SiblingNotReady,
    SiblingNotReleased,
    commit_note,
    hinted,
    local,
    of,
    others_than,
    rehearsed,
    stop_unless_released,
)
from tests.index_server import ALWAYS, Faults
from tests.projects import write_tree
from tests.samples.contexts import make_context
from tests.samples.records import LINUX, SDIST, WHEEL, built_in, rehearsed_in
from tests.samples.stages import BUILT, VERIFIED
from tests.samples.workspaces import three

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.index.holdings import Holdings
    from seatrial.project.context import Context
    from seatrial.release.stages import Rehearsed
    from seatrial.trial.installer import Beside

REASON = Options(rehearse_on="TestPyPI is down")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of the packages."""
    return (tmp_path / "die Pakete").resolve()


def context_in(folder: Path, options: Options | None = None, **fields: Any) -> Context:
    folder.mkdir(parents=True, exist_ok=True)
    return make_context(folder, options=options or Options(), **fields)


# What may be missing.


@pytest.mark.parametrize(
    ("package", "release_with", "names"),
    [("core", (), "demo-base"), ("core", ("../base",), ""), ("base", (), ""), ("cli", ("../base",), "demo-core")],
)
def test_a_dependency_that_is_a_package_of_the_repository_is_named_where_it_is_not_released_with_it(
    root: Path, package: str, release_with: tuple[str, ...], names: str
) -> None:
    settings = Settings(pythons=("3.13",), release_with=release_with)
    context = context_in(three(root) / "packages" / package, settings=settings)
    with pytest.raises(InstallFailed, match=r"could not be installed \(exit code 1\)") as failed, hinted(context):
        raise InstallFailed("The dependencies", 1, "no matching distribution")
    said = str(failed.value)
    assert (f"{names} in this repository is a dependency" in said) is bool(names)
    assert ("release-with" in said and "`--all`" in said) is bool(names)


def test_other_packages_that_are_broken_hide_no_failed_installation(root: Path) -> None:
    context = context_in(three(root) / "packages" / "core")
    write_tree(root, {"packages/base/pyproject.toml": "["})
    with pytest.raises(InstallFailed), hinted(context):
        raise InstallFailed("The dependencies", 1, "")


# Which packages belong to one.


def test_a_package_alone_has_no_siblings(root: Path) -> None:
    built = built_in(root / "cli")
    assert of(context_in(root / "cli"), built) == ()


def test_siblings_are_told_with_theirs_those_that_others_need_first(root: Path) -> None:
    base = built_in(root / "base", version="0.9")
    core = built_in(root / "core", "../base")
    other = built_in(root / "other", "../base", "../core")
    cli = built_in(root / "cli", "../other", "../core", "../base")
    found = of(context_in(root / "cli"), cli)
    assert found == tuple(
        Sibling(root / name, Record.of(root / name), one)
        for name, one in (("base", base), ("core", core), ("other", other))
    )
    assert [one.label for one in found] == ["base 0.9", "core 1.0", "other 1.0"]


def test_a_sibling_may_lie_anywhere_and_be_named_twice(root: Path) -> None:
    built_in(root, name="whole")
    built_in(root / "a" / "b c" / "ü", name="deep")
    cli = built_in(root / "cli", "..", "../a/b c/ü", "../../die Pakete/a/b c/ü/.")
    assert [one.root for one in of(context_in(root / "cli"), cli)] == [root, root / "a" / "b c" / "ü"]


def test_a_folder_with_two_names_is_one_sibling(root: Path) -> None:
    built_in(root / "core")
    try:
        (root / "alias").symlink_to(root / "core", target_is_directory=True)
    except OSError:
        pytest.skip("Windows wants a right for it")
    cli = built_in(root / "cli", "../core", "../alias")
    assert [one.root for one in of(context_in(root / "cli"), cli)] == [root / "core"]


@pytest.mark.parametrize(
    ("commands", "command"),
    [
        (Commands(nox=True), "`nox -s build` in ../core"),
        (Commands(), "`seatrial build` in ../core"),
        (Commands(nox=True, prefix="r-", option=ALL), "`nox -s r-build -- --all`"),
        (Commands(nox=True, option=("--package", "cli")), "`nox -s build -- --package demo-core`"),
        (Commands(option=("--package", "cli")), "`seatrial build --package demo-core`"),
    ],
)
def test_one_that_is_not_built_is_named_with_what_to_do(root: Path, commands: Commands, command: str) -> None:
    write_tree(root / "core", {"pyproject.toml": "[project]\nname = 'Demo.Core'\n"})
    cli = built_in(root / "cli", "../core")
    with pytest.raises(SiblingNotReady) as error:
        of(context_in(root / "cli", commands=commands), cli)
    assert (error.value.sibling, error.value.stage) == ("demo-core (../core)", "built")
    assert error.value.command == command


def test_one_whose_folder_is_not_there_is_named_too(root: Path) -> None:
    cli = built_in(root / "cli", "../core")
    with pytest.raises(SiblingNotReady) as error:
        of(context_in(root / "cli"), cli)
    assert error.value.sibling == "core (../core)"


def test_files_of_one_that_changed_are_refused(root: Path) -> None:
    built_in(root / "core")
    cli = built_in(root / "cli", "../core")
    (root / "core" / "dist" / "core-1.0.tar.gz").write_text("other bytes", encoding="utf-8")
    with pytest.raises(FilesChanged) as error:
        of(context_in(root / "cli"), cli)
    assert error.value.folder == root / "core" / "dist"


def test_a_record_of_one_that_is_damaged_is_refused(root: Path) -> None:
    built_in(root / "core")
    cli = built_in(root / "cli", "../core")
    Record.of(root / "core").path(Built).write_text("{}", encoding="utf-8")
    with pytest.raises(RecordDamaged):
        of(context_in(root / "cli"), cli)


@pytest.mark.parametrize(
    ("back", "names"),
    [
        ("../cli", ("cli", "core", "base", "cli")),
        ("../core", ("core", "base", "core")),
        (".", ("base", "base")),
    ],
)
def test_siblings_that_need_each_other_are_told_in_a_circle(root: Path, back: str, names: tuple[str, ...]) -> None:
    built_in(root / "base", back)
    built_in(root / "core", "../base")
    cli = built_in(root / "cli", "../core")
    with pytest.raises(PackageCycle) as error:
        of(context_in(root / "cli"), cli)
    assert error.value.names == names


@pytest.mark.parametrize("name", ["Demo.Core", "demo_core"])
def test_two_siblings_of_one_name_are_refused(root: Path, name: str) -> None:
    built_in(root / "core", name="demo-core")
    built_in(root / "copy", name=name)
    cli = built_in(root / "cli", "../core", "../copy")
    with pytest.raises(TwoPackages) as error:
        of(context_in(root / "cli"), cli)
    assert (error.value.name, error.value.folders) == ("demo-core", (str(root / "core"), str(root / "copy")))


def test_a_sibling_with_the_name_of_the_package_itself_is_refused(root: Path) -> None:
    built_in(root / "copy", name="CLI")
    cli = built_in(root / "cli", "../copy")
    with pytest.raises(TwoPackages) as error:
        of(context_in(root / "cli"), cli)
    assert (error.value.name, error.value.folders) == ("cli", (str(root / "cli"), str(root / "copy")))


def test_inside_a_dry_run_it_is_the_record_of_the_dry_run(root: Path) -> None:
    built_in(root / "core", version="0.1")
    core = built_in(root / "place" / "core")
    cli = built_in(root / "cli", "../core")
    dry = DryRun(root / "place" / "cli", {root / "core": root / "place" / "core"})
    (found,) = of(context_in(root / "cli", dry=dry), cli)
    assert (found.root, found.built, found.record) == (root / "core", core, Record.of(root / "place" / "core"))


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        ("a" * 40, "a" * 40, ""),
        ("a" * 40, "b" * 40, f" (built from {'a' * 12}, this package from {'b' * 12})"),
        (None, "b" * 40, ""),
        ("a" * 40, None, ""),
        (None, None, ""),
    ],
)
def test_another_commit_is_told(root: Path, theirs: str | None, ours: str | None, said: str) -> None:
    sibling = Sibling(root, Record.of(root), replace(BUILT, commit=theirs))
    assert commit_note(sibling, replace(BUILT, commit=ours)) == said


# The files that are installed.


class House:
    """An index on this machine that can serve the files of several packages, and be told to change its pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults = Faults(StandinIndex(folder, make("test.pypi.org")))

    @contextlib.contextmanager
    def served(self, *packages: Built) -> Iterator[Index]:
        for built in packages:
            for dist in built.dists:
                shutil.copy2(self.folder.parent / built.project / "dist" / dist.filename, self.folder)
        with serving(self.faults) as url:
            yield Index("house", simple=f"{url}/simple/")

    def change(self, project: str, **fields: Any) -> None:
        """Let the page of `project` say something else of its files."""

        def change(page: dict[str, Any]) -> None:
            for file in page["files"]:
                file.update(fields)

        self.faults.order("page", prefix=f"/simple/{project}/", times=ALWAYS, detail=change)


@pytest.fixture
def house(root: Path) -> House:
    folder = root / "house"
    folder.mkdir(parents=True)
    return House(folder)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tags of wheels that every interpreter takes, the best first."""
    tags = ["cp313-cp313-manylinux_2_17_x86_64", "py3-none-any"]
    monkeypatch.setattr(siblings, "taken_by", lambda *_: tuple(tags))
    return tags


def installer_in(scratch: Path) -> Installer:
    return Installer(None, {}, scratch, PYPI.simple)


def served(index: Index, found: list[tuple[Sibling, Rehearsed, Holdings]], root: Path) -> tuple[Beside, ...]:
    """Return the files of the siblings that are `found`, as an installer below `root` gets them from `index`."""
    candidate = Candidate(found[0][1], index, found[0][2], tuple(found))
    return candidate.with_siblings(installer_in(root), Venv(root / "venv")).beside


@pytest.mark.parametrize(
    ("files", "tags", "expected"),
    [
        ((WHEEL, SDIST), [], "core-1.0-py3-none-any.whl"),  # nothing has to be asked
        ((SDIST,), [], "core-1.0.tar.gz"),
        ((LINUX, SDIST), ["cp313-cp313-manylinux_2_17_x86_64"], f"core-1.0-{LINUX}"),
        ((LINUX, SDIST), ["cp312-cp312-win_amd64"], "core-1.0.tar.gz"),
        # As an installer prefers it: what is compiled before what fits everywhere.
        ((LINUX, WHEEL, SDIST), ["cp313-cp313-manylinux_2_17_x86_64", "py3-none-any"], f"core-1.0-{LINUX}"),
        ((LINUX, WHEEL), ["cp312-cp312-win_amd64", "py3-none-any"], "core-1.0-py3-none-any.whl"),
    ],
)
def test_the_file_is_the_one_that_an_installer_takes(
    root: Path, taken: list[str], files: tuple[str, ...], tags: list[str], expected: str
) -> None:
    taken[:] = tags
    core = built_in(root / "core", files=files)
    cli = built_in(root / "cli", "../core")
    (one,) = local(context_in(root / "cli"), cli, Venv(root / "venv"), installer_in(root))
    (dist,) = [dist for dist in core.dists if dist.filename == expected]
    path = root / "core" / "dist" / expected
    assert (one.project, one.version, one.sha256, one.url) == ("core", "1.0", dist.sha256, path.as_uri())
    # What is built of an sdist, and kept by its path, is for one Python.
    assert one.path == (root / "beside" / expected if dist.kind == "sdist" else path)
    assert Dist.from_file(one.path) == dist


def test_where_no_file_fits_that_is_said(root: Path, taken: list[str]) -> None:
    taken[:] = ["cp312-cp312-win_amd64"]
    built_in(root / "core", files=(LINUX,))
    cli = built_in(root / "cli", "../core")
    with pytest.raises(NoFittingWheel) as error:
        local(context_in(root / "cli"), cli, Venv(root / "venv"), installer_in(root))
    assert error.value.files == (f"core-1.0-{LINUX}",)


def test_each_interpreter_is_asked_for_itself(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def taken_by(*args: Any) -> tuple[str, ...]:
        asked.append(args)
        return ()

    monkeypatch.setattr(siblings, "taken_by", taken_by)
    built_in(root / "core", files=(LINUX, SDIST))
    cli = built_in(root / "cli", "../core")
    venv = Venv(root / "venv")
    local(context_in(root / "cli"), cli, venv, replace(installer_in(root), env={"A": "b"}))
    assert asked == [(venv, {"A": "b"}, root)]


def test_the_files_of_all_siblings_are_fetched_from_the_index_under_test(root: Path, house: House) -> None:
    base, core = built_in(root / "base"), built_in(root / "core", "../base", version="2.0")
    cli = built_in(root / "cli", "../core")
    with house.served(base, core) as index:
        for name in ("base", "core"):
            rehearsed_in(root / name, index.simple)
        context = context_in(root / "cli", settings=Settings(testpypi=index))
        found = [
            (sibling, stage, holdings(index, stage.project, stage.version, stage.dists))
            for sibling, stage in rehearsed(context, cli)
        ]
        taken = served(index, found, root)
    wheels = [(one, dist) for one in (base, core) for dist in one.dists if dist.kind == "wheel"]
    assert [(one.project, one.version, one.path, one.sha256) for one in taken] == [
        (stage.project, stage.version, root / "beside" / dist.filename, dist.sha256) for stage, dist in wheels
    ]
    assert [Dist.from_file(one.path) for one in taken] == [dist for _, dist in wheels]
    assert all(one.url.startswith(index.simple.removesuffix("simple/")) for one in taken)


def test_other_bytes_than_are_recorded_are_not_installed(root: Path, house: House) -> None:
    core = built_in(root / "core")
    cli = built_in(root / "cli", "../core")
    with house.served(core) as index:
        rehearsed_in(root / "core", index.simple)
        context = context_in(root / "cli", settings=Settings(testpypi=index))
        ((sibling, stage),) = rehearsed(context, cli)
        found = holdings(index, stage.project, stage.version, stage.dists)
        wheel = next(dist for dist in core.dists if dist.kind == "wheel")
        house.faults.order("body", prefix=urlsplit(found.url(wheel)).path, times=ALWAYS, detail=b"x" * wheel.size)
        with pytest.raises(OtherBytes) as error:
            served(index, [(sibling, stage, found)], root)
    assert error.value.files[0][:2] == (wheel.filename, wheel.sha256)


# Their rehearsal.


def test_one_that_is_not_rehearsed_is_named_with_what_to_do(root: Path) -> None:
    built_in(root / "core", version="2.0")
    cli = built_in(root / "cli", "../core")
    with pytest.raises(SiblingNotReady) as error:
        list(rehearsed(context_in(root / "cli"), cli))
    assert (error.value.sibling, error.value.stage) == ("core 2.0", "rehearsed")
    assert error.value.command == "`nox -s testpypi` in ../core"
    with pytest.raises(SiblingNotReady) as error:
        list(rehearsed(context_in(root / "cli", REASON), cli))
    assert error.value.command == '`nox -s testpypi -- --rehearse-on dryrun "TestPyPI is down"` in ../core'


@pytest.mark.parametrize(
    ("options", "index", "expected"),
    [
        (Options(), "http://127.0.0.1:1/simple/", TESTPYPI.simple),
        (Options(), PYPI.simple, TESTPYPI.simple),
        (REASON, TESTPYPI.simple, "a stand-in on this machine"),
    ],
)
def test_one_that_was_rehearsed_elsewhere_is_refused(root: Path, options: Options, index: str, expected: str) -> None:
    built_in(root / "core")
    cli = built_in(root / "cli", "../core")
    rehearsed_in(root / "core", index)
    with pytest.raises(SiblingElsewhere) as error:
        list(rehearsed(context_in(root / "cli", options), cli))
    assert (error.value.sibling, error.value.found, error.value.expected) == ("core 1.0", index, expected)
    assert error.value.command.startswith("`nox -s testpypi")
    assert error.value.command.endswith("` in ../core")


@pytest.mark.parametrize(("options", "index"), [(Options(), TESTPYPI.simple), (REASON, "http://127.0.0.1:1/simple/")])
def test_one_that_was_rehearsed_here_or_there_as_asked_for_is_taken(root: Path, options: Options, index: str) -> None:
    built_in(root / "core")
    cli = built_in(root / "cli", "../core")
    stage = rehearsed_in(root / "core", index)
    ((sibling, found),) = rehearsed(context_in(root / "cli", options), cli)
    assert (sibling.root, found) == (root / "core", stage)


# The gate.


def cell(*installed: Installed, kind: Kind = "wheel") -> Verified:
    return replace(VERIFIED, kind=kind, installed=installed)


def gate(root: Path, index: Index, built: Built, cells: tuple[Verified, ...] = (), options: Options = REASON) -> None:
    stop_unless_released(context_in(root / "cli", options, settings=Settings(pypi=index)), built, cells)


def test_what_the_index_serves_and_was_verified_is_no_obstacle(root: Path, house: House) -> None:
    base, core = built_in(root / "base"), built_in(root / "core", "../base")
    cli = built_in(root / "cli", "../core")
    ours = Installed("cli", "1.0", None, "f" * 64)
    cells = (
        cell(ours, Installed("core", "1.0", None, core.dists[0].sha256)),
        cell(ours, Installed("core", "1.0", None, core.dists[1].sha256), kind="sdist"),
        cell(ours),
    )
    with house.served(base, core) as index:
        gate(root, index, cli, cells)
    assert house.faults.reads == 2


def test_a_sibling_that_the_index_does_not_serve_goes_first(root: Path, house: House) -> None:
    base, core = built_in(root / "base"), built_in(root / "core", "../base", version="2.0")
    cli = built_in(root / "cli", "../core")
    with house.served(base) as index:
        with pytest.raises(SiblingNotReleased) as error:
            gate(root, index, cli, options=Options())
        found = error.value
        assert (found.index, found.sibling) == ("house", "core 2.0")
        assert found.files == tuple(dist.filename for dist in core.dists)
        assert found.command == "`nox -s pypi` in ../core"
        with pytest.raises(SiblingNotReleased) as error:
            gate(root, index, cli)
    assert error.value.command == '`nox -s pypi -- --rehearse-on dryrun "TestPyPI is down"` in ../core'


def test_one_file_of_it_that_is_missing_is_named(root: Path, house: House) -> None:
    core = built_in(root / "core")
    cli = built_in(root / "cli", "../core")
    with house.served(replace(core, dists=core.dists[:1])) as index, pytest.raises(SiblingNotReleased) as error:
        gate(root, index, cli)
    assert error.value.files == (core.dists[1].filename,)


@pytest.mark.parametrize(
    ("how", "kind"), [({"hashes": {"sha256": "e" * 64}}, OtherBytes), ({"yanked": "broken"}, ReleaseYanked)]
)
def test_other_bytes_of_it_stop_everything(
    root: Path, house: House, how: dict[str, Any], kind: type[OtherBytes | ReleaseYanked]
) -> None:
    core = built_in(root / "core")
    cli = built_in(root / "cli", "../core")
    house.change("core", **how)
    with house.served(core) as index, pytest.raises(kind) as error:
        gate(root, index, cli)
    assert [getattr(error.value, name) for name in ("index", "project", "version")] == ["house", "core", "1.0"]


@pytest.mark.parametrize("sha256", ["e" * 64, None])
def test_what_was_verified_with_other_files_of_it_is_verified_anew(
    root: Path, house: House, sha256: str | None
) -> None:
    core = built_in(root / "core")
    cli = built_in(root / "cli", "../core")
    good = cell(Installed("core", "1.0", None, core.dists[0].sha256))
    bad = cell(Installed("core", "0.9", None, sha256), kind="sdist")
    with house.served(core) as index:
        with pytest.raises(SiblingChanged) as error:
            gate(root, index, cli, (good, bad), Options())
        with pytest.raises(SiblingChanged) as again:
            gate(root, index, cli, (good, bad))
    found = error.value
    assert found.sibling == "core 1.0"
    assert found.files == (f"core 0.9 (sha256 {sha256}, Python 3.14t, sdist)",)
    assert found.command == "nox -s verify -- --keep-sealed"
    assert again.value.command == 'nox -s verify -- --keep-sealed --rehearse-on dryrun "TestPyPI is down"'
    assert house.faults.reads == 0  # said before anything is looked up


def test_it_is_the_files_of_that_project_that_are_compared(root: Path) -> None:
    core = built_in(root / "Demo.Core", name="Demo.Core")
    sibling = Sibling(root / "Demo.Core", Record.of(root / "Demo.Core"), core)
    ours = Installed("demo-core", "1.0", None, core.dists[0].sha256)
    other = Installed("demo-core", "1.0", None, "e" * 64)
    assert others_than(sibling, cell(ours, Installed("demo-core-extra", "1.0", None, "e" * 64))) == ()
    assert others_than(sibling, cell(other, ours)) == (other,)
