from __future__ import annotations

import errno
import functools
import json
import os
import platform
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from seatrial.building import distributions, frontend
from seatrial.building.brought import NothingToTake, NothingToTakeOf
from seatrial.building.distributions import SdistNeedsGit
from seatrial.building.frontend import BuildFailed, BuildOdd
from seatrial.building.isolation import Reach, Seclusion, fixed_environment, workplace
from seatrial.building.normalise import members
from seatrial.index import holdings
from seatrial.index.indexes import PYPI
from seatrial.index.simple import Listing, Served
from seatrial.machine import process
from seatrial.machine.screen import Screen
from seatrial.project.context import Context, DryRun
from seatrial.project.options import Commands, Options
from seatrial.project.predecessor import SHORT, VerifiedNotReleased
from seatrial.project.settings import Settings
from seatrial.project.validation import BadConfig
from seatrial.release.archives import BadArchive
from seatrial.release.record import DistNotFolder, FilesChanged, Record
from seatrial.release.stages import Built, Cell, Dist, Installed, Rehearsed, Released, Tool, Verified
from seatrial.steps import build as module
from seatrial.steps.build import build, recipe
from seatrial.workspace.packages import PackageCycle
from tests import archives
from tests.projects import EPOCH, commit, git, sample, write_tree
from tests.samples import contexts
from tests.samples.builds import SDIST, WHEEL, FakeBuild, NoWorker, make_sdist, make_wheel, requested

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COMPILED = "demo-1.0-cp313-cp313-linux_x86_64.whl"
PYTHONS = ("3.13",)


def make_context(root: Path, **changes: Any) -> Context:
    """Return a context that shows all it has to say."""
    return contexts.make_context(root, **({"screen": Screen(verbose=True)} | changes))


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep apart from other runs on this machine, which use one folder for wheels."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A committed project."""
    project = sample(tmp_path / "demo")
    commit(project)
    return project


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with the distributions that another tool built."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    make_sdist(folder / SDIST)
    make_wheel(folder / WHEEL)
    return folder


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> FakeBuild:
    """Put a fake in place of the process that builds."""
    fake = FakeBuild()
    # A test may exchange the answer later on.
    monkeypatch.setattr(process, "run", lambda argv, **settings: fake.answer(argv, **settings))  # noqa: PLW0108
    monkeypatch.setattr(frontend, "Worker", NoWorker)
    return fake


def built(root: Path) -> Built:
    found = Record.of(root).find(Built)
    assert found is not None
    return found


def rehearse(root: Path, index: str = "https://test.pypi.org/simple/", reason: str | None = None) -> None:
    """Record that what is built was rehearsed."""
    one = built(root)
    shared = {"project": one.project, "version": one.version, "dists": one.dists, "at": one.at}
    Record.of(root).write(Rehearsed(index=index, urls=(), reason=reason, **shared))  # type: ignore[arg-type]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# What is built, and what is recorded of it.


def test_the_files_are_built_from_the_commit_and_recorded(
    root: Path, tool: FakeBuild, capsys: pytest.CaptureFixture[str]
) -> None:
    git(root, "tag", "v1.0")
    write_tree(root, {"untracked.log": ""})
    git(root, "rm", "--quiet", "README.md")
    commit(write_tree(root, {".gitignore": "*.log\nrelease-record/\n.nox/\ndist/\n"}), tag="v1.1")
    build(make_context(root))
    one = built(root)
    assert (one.project, one.version, one.epoch, one.dirty) == ("demo", "1.0", EPOCH, False)
    assert (one.commit, one.tag) == (git(root, "rev-parse", "HEAD"), "v1.1")
    assert {dist.filename for dist in one.dists} == names(root / "dist") == {SDIST, WHEEL}
    assert one.dists == tuple(sorted(map(Dist.from_file, (root / "dist").iterdir())))
    assert one.matrix == (Cell("3.13", "wheel"), Cell("3.13", "sdist"))
    assert [tool.name for tool in one.tools] == ["seatrial", "build", "python"]
    assert one.tools[1].version[0].isdigit()
    assert one.tools[2].version.count(".") == 2
    assert "untracked.log" not in tool.trees["sdist"]
    told = capsys.readouterr().out
    assert f"building sdist, wheel of commit {one.commit[:12] if one.commit else ''} (v1.1)" in told
    assert "still building the sdist (15 s)" in told
    assert f"built demo 1.0 in {root / 'dist'}:" in told


def test_the_build_sees_what_makes_it_repeatable_and_no_secret(
    root: Path, tool: FakeBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYPI_TOKEN", "s3cret")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("MY_SWITCH", "on")
    build(make_context(root, settings=Settings(pythons=PYTHONS, build_env=("MY_SWITCH",))))
    assert fixed_environment(EPOCH).items() <= tool.env.items()
    assert (tool.env["TZ"], tool.env["MY_SWITCH"], tool.env["SOURCE_DATE_EPOCH"]) == ("UTC", "on", str(EPOCH))
    assert "PYPI_TOKEN" not in tool.env


@pytest.mark.parametrize("uv", [None, "/bin/uv"])
def test_with_uv_the_build_uses_it(root: Path, tool: FakeBuild, uv: str | None) -> None:
    build(make_context(root, uv=uv))
    assert [request.installer for request in tool.requests] == ["uv" if uv else "pip"] * 2
    assert tool.env.get("UV") == uv


def test_the_wheel_is_built_from_the_sdist_alone_in_one_place(root: Path, tool: FakeBuild) -> None:
    build(make_context(root))
    of_sdist, of_wheel = (Path(request.tree) for request in tool.requests)
    assert (of_sdist.name, tool.trees["wheel"]) == ("checkout", {"PKG-INFO"})
    assert of_wheel == Path(tempfile.gettempdir()).resolve() / "seatrial-build" / "src" / "demo-1.0"
    assert not of_wheel.exists()


def test_the_builds_share_an_environment_and_the_record_says_what_is_in_it(root: Path, tool: FakeBuild) -> None:
    build(make_context(root, uv="/bin/uv"))
    of_sdist, of_wheel = tool.requests
    assert of_sdist.shared is None
    assert of_wheel.shared is not None
    assert of_wheel.shared.folder == of_sdist.environment
    assert [environment.kind for environment in built(root).environments] == ["sdist", "wheel"]
    for environment in built(root).environments:
        assert environment.distributions == (Installed("builder", "1.2", sha256="0a"),)
        assert (environment.python, environment.installer) == (platform.python_version(), "uv")


def test_the_flags_of_compilers_are_recorded(root: Path, tool: FakeBuild, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CFLAGS", "-O1")
    build(make_context(root))
    assert "CFLAGS=-O1" in built(root).environments[0].flags
    assert tool.env["CFLAGS"] == "-O1"


def test_a_record_of_an_earlier_version_without_these_fields_is_read(root: Path, tool: FakeBuild) -> None:
    build(make_context(root))
    path = root / "release-record" / "built.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["environments"], document["supposed_tag"]
    path.write_text(json.dumps(document), encoding="utf-8")
    assert (built(root).environments, built(root).supposed_tag) == ((), None)
    assert len(tool.requests) == 2


# A dry run builds the release that the commit would become.


def dry(root: Path, **options: Any) -> Context:
    return make_context(root, dry=DryRun(root), options=Options(**options))


def versions(tool: FakeBuild, *found: str) -> None:
    """Let the builds give sdists and wheels of the versions `found`, one after the other."""
    left = iter(found)
    of_sdist: list[str] = []

    def make(argv: Sequence[str], **settings: Any) -> process.Outcome:
        request = requested(settings["given"])
        if request.kind == "sdist":
            of_sdist.append(next(left))
        version = of_sdist[-1]
        sdist, wheel = (functools.partial(make, version=version) for make in (make_sdist, make_wheel))
        tool.makers = {f"demo-{version}.tar.gz": sdist, f"demo-{version}-py3-none-any.whl": wheel}
        return FakeBuild.__call__(tool, argv, **settings)

    tool.answer = make


def test_a_dry_run_builds_what_the_commit_would_become(
    root: Path, tool: FakeBuild, capsys: pytest.CaptureFixture[str]
) -> None:
    git(root, "tag", "v1.0")
    commit(write_tree(root, {"more": ""}))
    versions(tool, "1.1.dev1+gabc", "1.1")
    found = build(dry(root))
    assert (found.version, found.supposed_tag, found.tag) == ("1.1", "v1.1", None)
    assert {dist.filename for dist in found.dists} == names(root / "dist")
    assert "rehearsed as 1.1, as if this commit were tagged v1.1\n" in capsys.readouterr().out
    assert [Path(request.tree).name for request in tool.requests] == ["checkout", "tagged", "demo-1.1"]
    assert git(root, "tag", "--list") == "v1.0"


def test_outside_of_a_dry_run_the_version_stays_as_it_is(root: Path, tool: FakeBuild) -> None:
    versions(tool, "1.1.dev1+gabc")
    found = build(make_context(root))
    assert (found.version, found.supposed_tag) == ("1.1.dev1+gabc", None)


def test_a_version_that_is_asked_for_is_another_recipe(root: Path, tool: FakeBuild) -> None:
    versions(tool, "2.0", "3.0")
    assert build(dry(root, version="2.0")).version == "2.0"
    assert build(dry(root, version="3.0")).version == "3.0"


def fuller_wheel(path: Path) -> Path:
    """Write a wheel with modules that the sdist does not hand on."""
    make_wheel(path)
    with zipfile.ZipFile(path, "a") as archive:
        for name in ("demo/lost.py", "demo/data.json", "demo-1.0.dist-info/RECORD"):
            archive.writestr(name, "")
    return path


def test_files_that_are_lost_on_the_way_through_the_sdist_are_recorded(root: Path, tool: FakeBuild) -> None:
    tool.beside = fuller_wheel
    build(make_context(root))
    assert built(root).lacking == ("demo/data.json", "demo/lost.py")
    assert names(root / "dist") == {SDIST, WHEEL}


def test_where_the_checkout_cannot_be_compared_nothing_is_lacking(root: Path, tool: FakeBuild) -> None:
    build(make_context(root))
    assert (tool.compared, built(root).lacking) == (1, ())


def test_a_build_that_fails_ends_the_one_beside_it(root: Path, tool: FakeBuild) -> None:
    tool.hangs = True
    tool.codes["wheel"] = 1
    with pytest.raises(BuildFailed, match="The build of the wheel failed"):
        build(make_context(root))
    assert tool.compared == 1


def compiled_sdist(path: Path, place: str = "demo.c") -> Path:
    """Write an sdist with something in it for a compiler, at `place`."""
    source = write_tree(path.parent, {"x": "int x;"}) / "x"
    with tarfile.open(make_sdist(path)) as old, tarfile.open(path.with_suffix(".new"), "w:gz") as tar:
        for member in old:
            tar.addfile(member, old.extractfile(member))
        tar.add(source, f"demo-1.0/{place}")
    source.unlink()
    return path.with_suffix(".new").replace(path)


def compiles(tool: FakeBuild) -> None:
    """Let the project be one whose wheel is compiled."""
    tool.makers = {SDIST: compiled_sdist, COMPILED: make_wheel}


@pytest.mark.parametrize("compiled", [True, False])
def test_only_what_is_compiled_is_said_to_be(
    root: Path, tool: FakeBuild, capsys: pytest.CaptureFixture[str], *, compiled: bool
) -> None:
    tool.makers[SDIST], tool.beside = compiled_sdist, fuller_wheel
    if compiled:
        compiles(tool)
    build(make_context(root))
    assert (f"{SDIST} contains code to compile. It is compiled" in capsys.readouterr().out) == compiled
    assert built(root).lacking == ("demo/data.json", "demo/lost.py")


@pytest.mark.parametrize(
    ("place", "together"), [("tests/data/a.c", True), ("src/demo/templates/a.c", True), ("src/demo/a.c", False)]
)
def test_two_wheels_are_built_side_by_side_unless_there_may_be_something_to_compile(
    root: Path, tool: FakeBuild, *, place: str, together: bool
) -> None:
    tool.makers[SDIST] = functools.partial(compiled_sdist, place=place)
    tool.codes["wheel"], tool.hangs = 1, True  # the other ends when this one has failed
    with pytest.raises(BuildFailed):
        build(make_context(root))
    assert tool.compared == together


@pytest.mark.parametrize("compiled", [True, False])
def test_a_folder_that_is_in_use_is_told_where_a_compiler_writes_its_name(
    root: Path, tool: FakeBuild, capsys: pytest.CaptureFixture[str], *, compiled: bool
) -> None:
    if compiled:
        compiles(tool)
    base = Path(tempfile.gettempdir()).resolve()
    with workplace(base, root.parent / "other"):
        build(make_context(root))
    assert ("the usual folder is in use" in capsys.readouterr().out) == compiled


def test_what_takes_long_to_compile_is_not_compiled_twice(
    root: Path, tool: FakeBuild, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(distributions, "QUICK", -1.0)
    compiles(tool)
    build(make_context(root))
    assert (tool.compared, built(root).lacking) == (0, ())
    assert "not compared with a wheel of the checkout" in capsys.readouterr().out


# Without git and without network, and with both where that does not go.


def test_the_backend_of_the_wheel_is_set_apart_and_nothing_else(root: Path, tool: FakeBuild) -> None:
    build(make_context(root))
    of_sdist, of_wheel = tool.requests
    assert (of_sdist.first, of_sdist.variables) == (None, {})
    assert of_wheel.first is not None
    assert of_wheel.variables["HTTPS_PROXY"].startswith("http://127.0.0.1:")
    assert not set(of_wheel.variables) & set(tool.env)


def asking(tool: FakeBuild, monkeypatch: pytest.MonkeyPatch, reach: Reach, *, code: int, then: int = 0) -> None:
    """Let the backend of the wheel ask for `reach` and end with `code`; the next time with `then`."""
    monkeypatch.setattr(Seclusion, "reach", reach)
    codes = iter((code, then))

    def ended(argv: Sequence[str], **settings: Any) -> process.Outcome:
        request = requested(settings["given"])
        if request.kind == "wheel" and Path(request.tree).name != "checkout":
            tool.codes["wheel"] = next(codes)
        return tool(argv, **settings)

    monkeypatch.setattr(process, "run", ended)


CALLED, ASKED = Reach(git=("describe",)), Reach(hosts=("crates.io",))


@pytest.mark.parametrize("case", [(CALLED, 1), (ASKED, 1), (ASKED, 0)])
def test_what_asked_for_more_is_built_again_with_it_in_reach(
    root: Path,
    tool: FakeBuild,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: tuple[Reach, int],
) -> None:
    reach, code = case
    asking(tool, monkeypatch, reach, code=code)
    build(make_context(root))
    assert [bool(request.first) for request in tool.requests[1:]] == [True, False]
    assert built(root).reached == reach.words
    assert f"the build of the wheel from {SDIST} asked for {reach}: building it again" in capsys.readouterr().out


def test_a_call_of_git_that_did_not_matter_is_not_told(
    root: Path, tool: FakeBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking(tool, monkeypatch, CALLED, code=0)
    build(make_context(root))
    assert (len(tool.requests), built(root).reached) == (2, ())


def test_a_wheel_that_needs_git_is_told_as_that(root: Path, tool: FakeBuild, monkeypatch: pytest.MonkeyPatch) -> None:
    asking(tool, monkeypatch, CALLED, code=1, then=1)
    with pytest.raises(SdistNeedsGit, match="its build calls `git describe`") as error:
        build(make_context(root))
    assert "| the backend's words" in str(error.value)
    assert "let the sdist carry what git said" in str(error.value)


def test_a_wheel_that_fails_with_the_network_too_is_told_in_its_own_words(
    root: Path, tool: FakeBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking(tool, monkeypatch, ASKED, code=1, then=1)
    with pytest.raises(BuildFailed, match="The build of the wheel failed"):
        build(make_context(root))
    assert not (root / "dist").exists()


@pytest.mark.usefixtures("tool")
def test_what_packagers_look_for_is_told(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(make_context(root))
    assert f"{SDIST} for packagers: licence files: none; tests: none; documentation: none" in capsys.readouterr().out


def test_a_repository_around_the_folder_is_out_of_reach(root: Path, tool: FakeBuild) -> None:
    build(make_context(root))
    above = tool.env["GIT_CEILING_DIRECTORIES"].split(os.pathsep)
    of_sdist, of_wheel = (Path(request.tree) for request in tool.requests)
    assert above == [str(of_sdist.parent), str(of_wheel.parents[1])]


@pytest.mark.usefixtures("tool")
def test_an_sdist_that_depends_on_the_clock_is_normalised_and_the_record_says_so(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(make_context(root))
    (one,) = built(root).normalised
    assert one.filename == SDIST
    assert one.sha256 != Dist.from_file(root / "dist" / SDIST).sha256
    assert one.members == members(root / "dist" / SDIST)
    assert f"{SDIST} was normalised" in capsys.readouterr().out


@pytest.mark.usefixtures("tool")
def test_what_is_not_to_be_normalised_stays_as_the_backend_made_it(root: Path) -> None:
    build(make_context(root, settings=Settings(pythons=PYTHONS, normalise=False)))
    assert built(root).normalised == ()


@pytest.mark.usefixtures("tool")
def test_where_only_a_wheel_is_asked_for_its_sdist_is_not_kept(root: Path) -> None:
    build(make_context(root, settings=Settings(pythons=PYTHONS, archives=("wheel",))))
    assert names(root / "dist") == {WHEEL}
    assert built(root).normalised == ()


def test_variables_that_the_build_does_not_see_are_named(
    root: Path, tool: FakeBuild, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "environ", {"PATH": os.environ["PATH"]})
    build(make_context(root))
    assert "withheld from the build" not in capsys.readouterr().out
    os.environ["MY_SWITCH"] = "its value"
    build(make_context(root, options=Options(rebuild=True)))
    told = capsys.readouterr().out
    assert "withheld from the build (`build-env` in [tool.seatrial] lets more through): MY_SWITCH\n" in told
    assert "its value" not in told
    assert "MY_SWITCH" not in tool.env


@pytest.mark.usefixtures("tool")
def test_without_a_wheel_there_is_none(root: Path) -> None:
    build(make_context(root, settings=Settings(pythons=PYTHONS, archives=("sdist",))))
    assert names(root / "dist") == {SDIST}
    assert built(root).matrix == (Cell("3.13", "sdist"),)


@pytest.mark.usefixtures("tool")
def test_without_git_the_working_tree_is_built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = sample(tmp_path / "demo")
    build(make_context(root))
    assert (built(root).commit, built(root).tag, built(root).dirty) == (None, None, False)
    assert "of a copy of the working tree (no git here)" in capsys.readouterr().out


@pytest.mark.parametrize("in_place", [False, True])
def test_changes_that_are_not_committed_are_told(
    root: Path, tool: FakeBuild, capsys: pytest.CaptureFixture[str], *, in_place: bool
) -> None:
    write_tree(root, {"new.py": ""})
    build(make_context(root, settings=Settings(pythons=PYTHONS, in_place=in_place)))
    told = capsys.readouterr().out
    assert built(root).dirty
    assert ("new.py" in tool.trees["sdist"]) is in_place
    assert ("these files contain uncommitted changes (in-place)" in told) is in_place
    assert ("1 uncommitted change is not in this build: new.py. Commit it first." in told) is not in_place


def test_the_recipe_is_what_decides_beside_the_tree(root: Path) -> None:
    plain = make_context(root)
    others = [
        make_context(root, settings=Settings(archives=("sdist",))),
        make_context(root, settings=Settings(in_place=True)),
        make_context(root, settings=Settings(normalise=False)),
        make_context(root, options=Options(taken_from=root / "wheels")),
        make_context(root, settings=Settings(release_with=("../core",))),
        make_context(root, settings=Settings(release_with=("../base",))),
    ]
    assert len({recipe(run) for run in (plain, *others)}) == 7
    assert recipe(plain) == recipe(
        make_context(root, options=Options(rebuild=True), settings=Settings(pythons=("3.10",)))
    )


# What is released together with it.


def test_the_record_names_what_it_is_released_together_with(root: Path, tool: FakeBuild) -> None:
    write_tree(root, {"core/pyproject.toml": "[project]\nname = 'core'\n"})
    build(make_context(root))
    assert built(root).release_with == ()
    build(make_context(root, settings=Settings(release_with=("core",))))
    assert built(root).release_with == ("core",)
    assert len(tool.requests) == 4  # twice an sdist and a wheel: it is another recipe


def test_a_sibling_that_is_none_stops_the_build(root: Path, tool: FakeBuild) -> None:
    with pytest.raises(BadConfig) as error:
        build(make_context(root, settings=Settings(release_with=("../nowhere",))))
    assert (error.value.key, error.value.found) == ("release-with", "../nowhere")
    assert tool.requests == []


def test_siblings_that_need_each_other_stop_the_build(root: Path, tool: FakeBuild) -> None:
    settings = "[tool.seatrial]\nrelease-with = ['..']\n"
    write_tree(root, {"core/pyproject.toml": f"[project]\nname = 'core'\n{settings}"})
    with pytest.raises(PackageCycle) as error:
        build(make_context(root, settings=Settings(release_with=("core",))))
    assert set(error.value.names) == {"demo", "core"}
    assert tool.requests == []


# A build that goes wrong leaves everything as it was.


@pytest.mark.parametrize(("kind", "cause"), [("sdist", "only the working tree has"), ("wheel", "not in the sdist")])
def test_a_build_that_fails_is_told_in_its_own_words(root: Path, tool: FakeBuild, kind: str, cause: str) -> None:
    tool.codes[kind] = 2
    with pytest.raises(BuildFailed, match=rf"The build of the {kind} failed \(exit code 2\)") as error:
        build(make_context(root))
    assert "| the backend's words" in str(error.value)
    assert cause in str(error.value)
    assert "uncommitted" not in str(error.value)
    assert not (root / "dist").exists()
    assert Record.of(root).find(Built) is None


def test_what_is_not_committed_is_named_again_where_a_build_fails(root: Path, tool: FakeBuild) -> None:
    tool.codes["sdist"] = 2
    write_tree(root, {"needed.py": ""})
    with pytest.raises(BuildFailed, match=r"1 uncommitted change is not in this build: needed\.py\. Commit it first\."):
        build(make_context(root))


def test_nothing_in_the_making_is_left(root: Path, tool: FakeBuild) -> None:
    tool.codes["wheel"] = 2
    write_tree(root / "release-record", {"staging-killed/a.whl": ""})
    with pytest.raises(BuildFailed):
        build(make_context(root))
    assert not list((root / "release-record").glob("staging-*"))


def test_files_that_the_report_does_not_name_are_odd(root: Path, tool: FakeBuild) -> None:
    tool.unreported = {WHEEL}
    with pytest.raises(BuildOdd, match="what it reports is not the one file it wrote") as error:
        build(make_context(root))
    assert WHEEL in str(error.value)


def test_two_files_in_one_build_are_odd(root: Path, tool: FakeBuild) -> None:
    tool.makers["demo-1.0-py2-none-any.whl"] = make_wheel
    with pytest.raises(BuildOdd, match="not the one file it wrote") as error:
        build(make_context(root))
    assert error.value.files == ("demo-1.0-py2-none-any.whl", WHEEL)


def test_a_build_that_writes_nothing_is_odd(root: Path, tool: FakeBuild) -> None:
    tool.makers = {}
    with pytest.raises(BuildOdd, match="it wrote no file"):
        build(make_context(root))


def test_an_sdist_that_cannot_be_read_is_no_sdist(root: Path, tool: FakeBuild) -> None:
    def cut(path: Path) -> Path:
        path.write_bytes(make_sdist(path).read_bytes()[:-20])
        return path

    tool.makers[SDIST] = cut
    with pytest.raises(BadArchive, match="cannot be read"):
        build(make_context(root))


OTHERS: list[tuple[str, Callable[[Path], Path], str]] = [
    (WHEEL.replace("demo", "other"), lambda path: make_wheel(path, "other"), "belong to more than one project"),
    (WHEEL.replace("1.0", "1.1"), lambda path: make_wheel(path, version="1.1"), "have more than one version"),
]


@pytest.mark.parametrize(("name", "make", "reason"), OTHERS)
def test_files_of_two_releases_are_odd(
    root: Path, tool: FakeBuild, name: str, make: Callable[[Path], Path], reason: str
) -> None:
    del tool.makers[WHEEL]
    tool.makers[name] = make
    with pytest.raises(BuildOdd, match=reason):
        build(make_context(root, settings=Settings(pythons=PYTHONS)))


@pytest.mark.parametrize(("missing", "kind"), [(SDIST, "sdist"), (WHEEL, "wheel")])
def test_a_kind_that_was_asked_for_and_is_not_there_is_odd(root: Path, wheels: Path, missing: str, kind: str) -> None:
    (wheels / missing).unlink()
    with pytest.raises(NothingToTakeOf, match=f"it contains no {kind}. Found: 1 file."):
        build(make_context(root, options=Options(taken_from=wheels)))


# What is there already.


@pytest.mark.usefixtures("tool")
def test_what_is_built_from_this_source_is_kept(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(make_context(root))
    before = (root / "release-record" / "built.json").read_bytes()
    build(make_context(root))
    assert "demo 1.0 is already built from this source (2 files)." in capsys.readouterr().out
    assert (root / "release-record" / "built.json").read_bytes() == before


@pytest.mark.usefixtures("tool")
def test_kept_files_are_hashed_anew(root: Path) -> None:
    build(make_context(root))
    (root / "dist" / WHEEL).write_bytes(b"other")
    with pytest.raises(FilesChanged):
        build(make_context(root))


@pytest.mark.usefixtures("tool")
def test_a_source_that_moved_on_is_built_and_the_old_files_are_moved_aside(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(make_context(root))
    first = built(root).commit
    commit(root)
    build(make_context(root))
    aside = next((root / "release-record" / "aside").iterdir())
    assert built(root).commit != first
    assert names(aside) == {"release-record", SDIST, WHEEL}
    assert f"moved what was in dist/ to {aside}" in capsys.readouterr().out


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What PyPI serves: sha256 by file name."""
    served: dict[str, str] = {}

    def read_project(*_: Any, **__: Any) -> Listing:
        files = (Served(name, digest, f"https://f.example/{name}", yanked=False) for name, digest in served.items())
        return Listing(tuple(files))

    monkeypatch.setattr(holdings, "read_project", read_project)
    return served


def verify(root: Path) -> None:
    """Record that what is rehearsed was verified in one cell."""
    one = built(root)
    Record.of(root).write(
        Verified(
            project=one.project,
            version=one.version,
            dists=one.dists,
            at=one.at,
            index="https://test.pypi.org/simple/",
            python="3.13",
            python_version="3.13.1",
            sys_platform="linux",
            machine="x86_64",
            kind="wheel",
            filename=WHEEL,
            installed=(),
            imported=(),
            ran=(),
        )
    )


def next_version(root: Path, tool: FakeBuild, version: str = "1.1") -> None:
    """Commit another version."""
    names = (f"demo-{version}.tar.gz", f"demo-{version}-py3-none-any.whl")
    sdist, wheel = (functools.partial(make, version=version) for make in (make_sdist, make_wheel))
    tool.makers = {names[0]: sdist, names[1]: wheel}
    commit(write_tree(root, {"version": version}))


@pytest.mark.parametrize("how", ["record", "index"])
def test_a_release_that_is_out_is_archived_and_the_next_one_starts(
    root: Path, tool: FakeBuild, index: dict[str, str], capsys: pytest.CaptureFixture[str], how: str
) -> None:
    build(make_context(root))
    rehearse(root)
    verify(root)
    first = built(root)
    if how == "index":
        index |= {dist.filename: dist.sha256 for dist in first.dists}
    else:
        shared = {"project": first.project, "version": first.version, "dists": first.dists, "at": first.at}
        Record.of(root).write(Released(index=PYPI.simple, urls=(), **shared))  # type: ignore[arg-type]
    next_version(root, tool)
    if how == "record":
        with pytest.raises(VerifiedNotReleased):  # the index answers, and has no such file
            build(make_context(root))
    assert build(make_context(root, options=Options(offline=how == "record"))) == built(root)
    head = git(root, "rev-parse", "HEAD")
    assert built(root).version == "1.1"
    assert f"1.0 is on PyPI; starting 1.1 from {head[:SHORT]}\n" in capsys.readouterr().out
    assert Record.of(root).find(Rehearsed) is None
    (aside,) = (root / "release-record" / "aside").iterdir()
    assert {"built.json", "rehearsed.json"} < names(aside / "release-record")


def test_a_rehearsal_that_was_not_verified_makes_way_and_is_named(
    root: Path, tool: FakeBuild, index: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    build(make_context(root))
    rehearse(root)
    next_version(root, tool)
    build(make_context(root))
    shown = capsys.readouterr().out
    assert index == {}
    assert "1.0 is on TestPyPI and was not released; starting 1.1 from" in shown
    assert "Three ways out" not in shown


@pytest.mark.usefixtures("index")
def test_the_same_version_with_other_files_has_three_ways_out(
    root: Path, tool: FakeBuild, capsys: pytest.CaptureFixture[str]
) -> None:
    build(make_context(root))
    rehearse(root)
    tool.makers[WHEEL] = fuller_wheel
    commit(root)
    build(make_context(root))
    shown = capsys.readouterr().out
    assert "TestPyPI already has different files for 1.0, and rejects these. Three ways out:" in shown
    assert "1. Raise the version and commit." in shown
    assert "2. Rehearse on a private index: [tool.seatrial.indexes.testpypi]." in shown
    assert '3. Rehearse on this machine: `nox -s verify -- --rehearse-on dryrun "REASON"`.' in shown


@pytest.mark.parametrize("rebuild", [False, True])
@pytest.mark.parametrize("reason", [None, "TestPyPI is down"])
def test_a_version_that_is_released_has_to_be_raised(
    root: Path,
    tool: FakeBuild,
    index: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    *,
    reason: str | None,
    rebuild: bool,
) -> None:
    build(make_context(root))
    rehearse(root, *(("http://127.0.0.1:1/simple/", reason) if reason else ()))
    verify(root)
    index |= {dist.filename: dist.sha256 for dist in built(root).dists}
    tool.makers[WHEEL] = fuller_wheel
    commit(root)
    build(make_context(root, options=Options(rebuild=rebuild)))
    shown = capsys.readouterr().out
    assert "PyPI has 1.0 already, and never takes other files for it. Raise the version and commit." in shown
    assert "ways out" not in shown


@pytest.mark.usefixtures("index")
def test_what_is_verified_and_not_released_stops_the_build_when_head_moves_on(root: Path, tool: FakeBuild) -> None:
    build(make_context(root))
    rehearse(root)
    verify(root)
    first = built(root)
    next_version(root, tool)
    with pytest.raises(VerifiedNotReleased) as error:
        build(make_context(root))
    head = git(root, "rev-parse", "HEAD")
    text = error.value.text(Commands(nox=True))
    assert f"demo 1.0, built from {str(first.commit)[:SHORT]}, is verified and not released, and HEAD has" in text
    assert head[:SHORT] in text
    for command in ("nox -s pypi", "nox -s build -- --rebuild", "nox -s verify -- --keep-sealed"):
        assert f"`{command}`" in text
    assert text.count("Cost:") == 3
    assert "if HEAD is still 1.0, raise the version first: TestPyPI accepts no other files of it" in text
    assert built(root) == first


@pytest.mark.usefixtures("index")
def test_what_is_verified_in_part_and_failed_on_another_python_makes_way(
    root: Path, tool: FakeBuild, capsys: pytest.CaptureFixture[str]
) -> None:
    build(make_context(root))
    rehearse(root)
    verify(root)
    failed = {"schema": 1, "python": "3.14", "kind": "wheel", "at": "", "message": "It fails."}
    write_tree(root / "release-record", {"failed-3.14-wheel.json": json.dumps(failed)})
    next_version(root, tool)
    assert build(make_context(root)).version == "1.1"
    assert "1.0 is on TestPyPI and was not released; starting 1.1 from" in capsys.readouterr().out


@pytest.mark.usefixtures("index")
def test_sealed_files_are_kept_where_that_is_asked_for(
    root: Path, tool: FakeBuild, capsys: pytest.CaptureFixture[str]
) -> None:
    build(make_context(root))
    rehearse(root)
    verify(root)
    first = built(root)
    next_version(root, tool)
    assert build(make_context(root, options=Options(keep_sealed=True))) == first
    assert "going on with the sealed files of demo 1.0, built from" in capsys.readouterr().out


def test_an_index_that_does_not_answer_counts_as_one_without_the_release(
    root: Path, tool: FakeBuild, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def read_project(*_: Any, **__: Any) -> NoReturn:
        raise holdings.NoHashes("PyPI", "https://pypi.org/simple/demo/")

    monkeypatch.setattr(holdings, "read_project", read_project)
    build(make_context(root))
    rehearse(root)
    verify(root)
    next_version(root, tool)
    with pytest.raises(VerifiedNotReleased):
        build(make_context(root))
    assert "PyPI does not answer, so whether 1.0 is there" in capsys.readouterr().out


def test_what_was_rehearsed_on_this_machine_is_on_no_index(
    root: Path, tool: FakeBuild, index: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    build(make_context(root))
    rehearse(root, "http://127.0.0.1:1/simple/", "TestPyPI is down")
    next_version(root, tool)
    build(make_context(root))
    assert index == {}
    assert "1.0 was rehearsed on this machine and not released; starting 1.1" in capsys.readouterr().out


@pytest.mark.usefixtures("tool")
def test_what_is_sealed_and_would_be_built_in_another_way_is_not_said_to_be_of_another_source(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(make_context(root))
    rehearse(root)
    build(make_context(root, settings=Settings(pythons=("3.13",), normalise=False)))
    told = capsys.readouterr().out
    assert "is sealed; what is asked for now would build it differently from the same commit. Going on" in told
    assert "has moved on" not in told


@pytest.mark.usefixtures("tool")
def test_what_is_not_committed_changes_nothing_in_what_is_sealed(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(make_context(root))
    rehearse(root)
    write_tree(root, {"new.txt": ""})
    build(make_context(root))
    told = capsys.readouterr().out
    assert "1 uncommitted change is not in this build: new.txt. Commit it first." in told
    assert "demo 1.0 is already built from this source (2 files)." in told


@pytest.mark.usefixtures("tool")
def test_a_rebuild_replaces_also_what_was_rehearsed(root: Path) -> None:
    build(make_context(root))
    rehearse(root)
    build(make_context(root, options=Options(rebuild=True)))
    assert Record.of(root).find(Rehearsed) is None
    aside = next((root / "release-record" / "aside").iterdir())
    assert names(aside / "release-record") == {"built.json", "rehearsed.json"}


@pytest.mark.usefixtures("tool")
def test_a_record_without_files_is_moved_aside_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(make_context(root))
    for path in (root / "dist").iterdir():
        path.unlink()
    commit(root)
    build(make_context(root))
    assert "moved the old record to" in capsys.readouterr().out


@pytest.mark.usefixtures("index")
def test_without_git_the_seal_names_no_commit(tmp_path: Path, tool: FakeBuild) -> None:
    root = sample(tmp_path / "demo")
    build(make_context(root))
    rehearse(root)
    verify(root)
    write_tree(root, {"README.md": "# other\n"})
    tool.makers = {}
    with pytest.raises(VerifiedNotReleased, match="built from a tree without git, is verified"):
        build(make_context(root))


@pytest.mark.usefixtures("tool")
def test_a_dist_that_is_no_folder_is_named(root: Path, tmp_path: Path) -> None:
    (root / "dist").write_text("a file", encoding="utf-8")
    with pytest.raises(DistNotFolder, match="dist is a file, but has to be a folder for the distributions"):
        build(make_context(root))
    assert (root / "dist").read_text(encoding="utf-8") == "a file"
    (root / "dist").unlink()
    (root / "dist").symlink_to(tmp_path / "unmounted")
    with pytest.raises(DistNotFolder, match=r"dist is a link to .*unmounted, which does not exist"):
        build(make_context(root))


@pytest.mark.usefixtures("tool")
def test_a_file_in_the_place_of_what_was_built_is_named(root: Path) -> None:
    build(make_context(root))
    shutil.rmtree(root / "dist")
    (root / "dist").touch()
    with pytest.raises(DistNotFolder, match="dist is a file, but has to be a folder for the distributions"):
        build(make_context(root))


@pytest.mark.usefixtures("tool")
def test_dist_may_lie_on_another_file_system(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if path.parent != target.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    build(make_context(root))
    commit(root)
    build(make_context(root))
    (aside,) = (root / "release-record" / "aside").iterdir()
    assert names(root / "dist") == {SDIST, WHEEL}
    assert names(aside) == {"release-record", SDIST, WHEEL}


# What another tool built.


def test_distributions_are_taken_as_they_are(root: Path, wheels: Path) -> None:
    before = {path.name: path.read_bytes() for path in wheels.iterdir()}
    build(make_context(root, options=Options(taken_from=wheels)))
    assert {path.name: path.read_bytes() for path in (root / "dist").iterdir()} == before
    assert Tool("--from", "wheels") in built(root).tools
    assert names(wheels) == set(before)


REFUSED: list[tuple[Mapping[str, str], str]] = [
    ({}, "it contains no wheel and no sdist"),
    ({"folder/a.whl": ""}, "it contains no wheel and no sdist"),
    (
        {"a.whl": "", "notes.txt": "", "a.zip": ""},
        "it contains files other than wheels and sdists:\n  a.zip\n  notes.txt",
    ),
]


@pytest.mark.parametrize(("files", "reason"), REFUSED)
def test_a_folder_with_anything_else_is_not_taken(
    root: Path, tmp_path: Path, files: Mapping[str, str], reason: str
) -> None:
    folder = tmp_path / "taken"
    folder.mkdir()
    write_tree(folder, files)
    with pytest.raises(NothingToTake) as error:
        build(make_context(root, options=Options(taken_from=folder)))
    assert reason in str(error.value)


def test_a_folder_that_is_not_there_is_not_taken(root: Path) -> None:
    with pytest.raises(NothingToTake, match="there is no such folder"):
        build(make_context(root, options=Options(taken_from=root / "nowhere")))


def test_dist_itself_is_not_taken(root: Path) -> None:
    (root / "dist").mkdir()
    make_sdist(root / "dist" / SDIST)
    with pytest.raises(NothingToTake, match="this is where seatrial puts the files itself"):
        build(make_context(root, options=Options(taken_from=root / "dist")))
    assert names(root / "dist") == {SDIST}


def test_modules_of_a_wheel_that_are_not_as_in_the_sdist_are_named(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "unlike"
    archives.sdist(folder, files={"demo-1.0/demo/__init__.py": "x = 1\n"})
    for tag in ("py2", "py3"):
        archives.wheel(folder, filename=f"demo-1.0-{tag}-none-any.whl", files={"demo/__init__.py": "x = 2\n"})
    build(make_context(root, options=Options(taken_from=folder)))
    said = capsys.readouterr().out
    assert "these modules differ from those in the sdist. Were all files built from one commit?" in said
    assert "demo/__init__.py (in 2 wheels)" in said


@pytest.mark.usefixtures("tool")
def test_the_step_ends_with_a_line_and_what_the_jobs_of_a_ci_need(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = tmp_path / "outputs"
    module.run(make_context(root, variables={"GITHUB_OUTPUT": str(outputs)}))
    assert f"ok     build     demo 1.0 from {str(built(root).commit)[:12]}: wheel " in capsys.readouterr().out
    assert f"record={Record.of(root).digest()}\nversion=1.0\nmatrix=" in outputs.read_text(encoding="utf-8")
