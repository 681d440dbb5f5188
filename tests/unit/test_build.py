from __future__ import annotations

import itertools
import json
import os
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.building import frontend
from seatrial.building.brought import NothingToTake, NothingToTakeOf
from seatrial.building.folder import workplace
from seatrial.building.frontend import BuildOdd, SdistNeedsGit, build_command, fixed_environment
from seatrial.building.isolation import Reach, Seclusion
from seatrial.building.normalise import members
from seatrial.machine import process
from seatrial.machine.process import ToolFailed
from seatrial.project.context import Run
from seatrial.project.settings import BadConfig, Config
from seatrial.release.archives import BadArchive
from seatrial.release.record import FilesChanged, Record
from seatrial.release.stages import Built, Cell, Dist, Rehearsed, Tool
from seatrial.steps import build as module
from seatrial.steps.build import build, recipe
from seatrial.workspace.packages import PackageCycle
from tests.fakes import make_run
from tests.projects import EPOCH, commit, git, sample, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seatrial.release.stages import Kind

PYTHONS = ("3.13",)
SDIST, WHEEL = "demo-1.0.tar.gz", "demo-1.0-py3-none-any.whl"


def make_sdist(path: Path, name: str = "demo", version: str = "1.0") -> Path:
    """Write an sdist with nothing but its metadata."""
    info = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n"
    inside = write_tree(path.parent, {f"{name}-{version}.info": info}) / f"{name}-{version}.info"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(inside, f"{name}-{version}/PKG-INFO")
    inside.unlink()
    return path


def make_wheel(path: Path, name: str = "demo", version: str = "1.0") -> Path:
    """Write a wheel with nothing but its metadata."""
    with zipfile.ZipFile(path, "w") as archive:
        info = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n"
        archive.writestr(f"{name}-{version}.dist-info/METADATA", info)
    return path


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


class FakeBuild:
    """The tool `build`, which writes what it is told to, and a report of it."""

    def __init__(self) -> None:
        self.makers: dict[str, Callable[[Path], Path]] = {SDIST: make_sdist, WHEEL: make_wheel}
        self.beside: Callable[[Path], Path] | None = None
        self.compared = 0
        self.hangs = False
        self.codes = {"sdist": 0, "wheel": 0}
        self.unreported: set[str] = set()
        self.argv: list[tuple[str, ...]] = []
        self.env: Mapping[str, str] = {}
        self.trees: dict[str, set[str]] = {}

    def __call__(self, argv: Sequence[str], *, env: Mapping[str, str], **settings: Any) -> process.Outcome:
        kind = "wheel" if "--wheel" in argv else "sdist"
        if kind == "wheel" and Path(argv[-1]).name == "checkout":
            return self.of_checkout(argv, settings["on_wait"])
        self.argv.append(tuple(argv))
        self.env = env
        self.trees[kind] = {path.name for path in Path(argv[-1]).iterdir()}
        out, written = (Path(argv[argv.index(option) + 1]) for option in ("--outdir", "--report"))
        made = [
            Dist.from_file(make(out / name))
            for name, make in self.makers.items()
            if name.endswith(".whl") == (kind == "wheel")
        ]
        artifacts = [
            {"name": dist.filename, "hashes": {"sha256": dist.sha256}}
            for dist in made
            if dist.filename not in self.unreported
        ]
        written.write_text(json.dumps({"artifacts": artifacts}), encoding="utf-8")
        settings["on_wait"](15.0)
        return process.Outcome(self.codes[kind], "the backend's words\n")

    def of_checkout(self, argv: Sequence[str], on_wait: process.OnWait) -> process.Outcome:
        """Build the wheel of the tree itself, which is only compared."""
        self.compared += 1
        if self.hangs:
            while True:
                on_wait(1.0)
        if self.beside is None:
            return process.Outcome(1, "only the sdist can be built into a wheel\n")
        dist = Dist.from_file(self.beside(Path(argv[argv.index("--outdir") + 1]) / WHEEL))
        report = {"artifacts": [{"name": dist.filename, "hashes": {"sha256": dist.sha256}}]}
        Path(argv[argv.index("--report") + 1]).write_text(json.dumps(report), encoding="utf-8")
        return process.Outcome(0, "")


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> FakeBuild:
    """Put a fake in place of `build` and of its installation."""
    fake = FakeBuild()
    monkeypatch.setattr(process, "run", fake)
    monkeypatch.setattr(Run, "tools", lambda *_: Path(sys.executable))
    return fake


def built(root: Path) -> Built:
    found = Record.of(root).find(Built)
    assert found is not None
    return found


def rehearse(root: Path) -> None:
    """Record that what is built was rehearsed."""
    one = built(root)
    shared = {"project": one.project, "version": one.version, "dists": one.dists, "at": one.at}
    Record.of(root).write(Rehearsed(index="https://test.pypi.org/simple/", urls=(), **shared))  # type: ignore[arg-type]


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
    build(make_run(root))
    one = built(root)
    assert (one.project, one.version, one.epoch, one.dirty) == ("demo", "1.0", EPOCH, False)
    assert (one.commit, one.tag) == (git(root, "rev-parse", "HEAD"), "v1.1")
    assert {dist.filename for dist in one.dists} == names(root / "dist") == {SDIST, WHEEL}
    assert one.dists == tuple(sorted(map(Dist.from_file, (root / "dist").iterdir())))
    assert one.matrix == (Cell("3.13", "wheel"), Cell("3.13", "sdist"))
    assert [tool.name for tool in one.tools] == ["seatrial", "build", "python"]
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
    build(make_run(root, config=Config(pythons=PYTHONS, build_env=("MY_SWITCH",))))
    assert fixed_environment(EPOCH).items() <= tool.env.items()
    assert (tool.env["TZ"], tool.env["MY_SWITCH"], tool.env["SOURCE_DATE_EPOCH"]) == ("UTC", "on", str(EPOCH))
    assert "PYPI_TOKEN" not in tool.env


@pytest.mark.parametrize("uv", [None, "/bin/uv"])
def test_with_uv_the_build_uses_it(root: Path, tool: FakeBuild, uv: str | None) -> None:
    build(make_run(root, uv=uv))
    assert [("--installer" in argv) for argv in tool.argv] == [bool(uv), bool(uv)]
    assert tool.env.get("UV") == uv


@pytest.mark.parametrize(
    ("kind", "uv", "expected"),
    [
        ("sdist", False, "py -I -m build --sdist --report r --outdir o t"),
        ("wheel", True, "py -I -m build --wheel --installer uv --report r --outdir o t"),
    ],
)
def test_the_command_builds_one_archive(kind: Kind, expected: str, *, uv: bool) -> None:
    assert " ".join(build_command("py", kind, "t", "o", "r", uv=uv)) == expected


def test_the_wheel_is_built_from_the_sdist_alone_in_one_place(root: Path, tool: FakeBuild) -> None:
    build(make_run(root))
    of_sdist, of_wheel = (Path(argv[-1]) for argv in tool.argv)
    assert (of_sdist.name, tool.trees["wheel"]) == ("checkout", {"PKG-INFO"})
    assert of_wheel == Path(tempfile.gettempdir()).resolve() / "seatrial-build" / "src" / "demo-1.0"
    assert not of_wheel.exists()


def fuller_wheel(path: Path) -> Path:
    """Write a wheel with modules that the sdist does not hand on."""
    make_wheel(path)
    with zipfile.ZipFile(path, "a") as archive:
        for name in ("demo/lost.py", "demo/data.json", "demo-1.0.dist-info/RECORD"):
            archive.writestr(name, "")
    return path


def test_files_that_are_lost_on_the_way_through_the_sdist_are_recorded(root: Path, tool: FakeBuild) -> None:
    tool.beside = fuller_wheel
    build(make_run(root))
    assert built(root).lacking == ("demo/data.json", "demo/lost.py")
    assert names(root / "dist") == {SDIST, WHEEL}


def test_where_the_checkout_cannot_be_compared_nothing_is_lacking(root: Path, tool: FakeBuild) -> None:
    build(make_run(root))
    assert (tool.compared, built(root).lacking) == (1, ())


def test_a_build_that_fails_ends_the_one_beside_it(root: Path, tool: FakeBuild) -> None:
    tool.hangs = True
    tool.codes["wheel"] = 1
    with pytest.raises(ToolFailed, match="The build of the wheel failed"):
        build(make_run(root))
    assert tool.compared == 1


@pytest.mark.usefixtures("tool")
def test_a_folder_that_is_in_use_is_told(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = Path(tempfile.gettempdir()).resolve()
    with workplace(base, root.parent / "other"):
        build(make_run(root))
    assert "the usual folder is in use" in capsys.readouterr().out


def compiled_sdist(path: Path) -> Path:
    """Write an sdist with something in it for a compiler."""
    source = write_tree(path.parent, {"x": "int x;"}) / "x"
    with tarfile.open(make_sdist(path)) as old, tarfile.open(path.with_suffix(".new"), "w:gz") as tar:
        for member in old:
            tar.addfile(member, old.extractfile(member))
        tar.add(source, "demo-1.0/demo.c")
    source.unlink()
    return path.with_suffix(".new").replace(path)


def test_what_is_compiled_quickly_is_compared_as_well(root: Path, tool: FakeBuild) -> None:
    tool.makers[SDIST], tool.beside = compiled_sdist, fuller_wheel
    build(make_run(root))
    assert built(root).lacking == ("demo/data.json", "demo/lost.py")


def test_what_takes_long_to_compile_is_not_compiled_twice(
    root: Path, tool: FakeBuild, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(frontend, "QUICK", -1.0)
    tool.makers[SDIST], tool.beside = compiled_sdist, fuller_wheel
    build(make_run(root))
    assert (tool.compared, built(root).lacking) == (0, ())
    assert "not compared with a wheel of the checkout" in capsys.readouterr().out


# Without git and without network, and with both where that does not go.


def test_the_backend_of_the_wheel_is_set_apart_and_nothing_else(root: Path, tool: FakeBuild) -> None:
    build(make_run(root))
    of_sdist, of_wheel = tool.argv
    assert of_sdist[1:4] == ("-I", "-m", "build")
    assert of_wheel[1:4] == ("-I", str(frontend.HOOKS), "--first")
    settings = dict(word.split("=", 1) for before, word in itertools.pairwise(of_wheel) if before == "--set")
    assert settings["HTTPS_PROXY"].startswith("http://127.0.0.1:")
    assert not set(settings) & set(tool.env)


def asking(tool: FakeBuild, monkeypatch: pytest.MonkeyPatch, reach: Reach, *, code: int, then: int = 0) -> None:
    """Let the backend of the wheel ask for `reach` and end with `code`; the next time with `then`."""
    monkeypatch.setattr(Seclusion, "reach", reach)
    codes = iter((code, then))

    def ended(argv: Sequence[str], **settings: Any) -> process.Outcome:
        if "--wheel" in argv and Path(argv[-1]).name != "checkout":
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
    build(make_run(root))
    assert [argv[2:4] for argv in tool.argv[1:]] == [(str(frontend.HOOKS), "--first"), ("-m", "build")]
    assert built(root).reached == reach.words
    assert f"the build of the wheel from {SDIST} asked for {reach}: building it again" in capsys.readouterr().out


def test_a_call_of_git_that_did_not_matter_is_not_told(
    root: Path, tool: FakeBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking(tool, monkeypatch, CALLED, code=0)
    build(make_run(root))
    assert (len(tool.argv), built(root).reached) == (2, ())


def test_a_wheel_that_needs_git_is_told_as_that(root: Path, tool: FakeBuild, monkeypatch: pytest.MonkeyPatch) -> None:
    asking(tool, monkeypatch, CALLED, code=1, then=1)
    with pytest.raises(SdistNeedsGit, match="its build calls `git describe`") as error:
        build(make_run(root))
    assert "| the backend's words" in str(error.value)
    assert "let the sdist carry what git said" in str(error.value)


def test_a_wheel_that_fails_with_the_network_too_is_told_in_its_own_words(
    root: Path, tool: FakeBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking(tool, monkeypatch, ASKED, code=1, then=1)
    with pytest.raises(ToolFailed, match="The build of the wheel failed"):
        build(make_run(root))
    assert not (root / "dist").exists()


@pytest.mark.usefixtures("tool")
def test_what_packagers_look_for_is_told(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(make_run(root))
    assert f"{SDIST} for packagers: licence files: none; tests: none; documentation: none" in capsys.readouterr().out


def test_a_repository_around_the_folder_is_out_of_reach(root: Path, tool: FakeBuild) -> None:
    build(make_run(root))
    above = tool.env["GIT_CEILING_DIRECTORIES"].split(os.pathsep)
    assert above == [str(Path(tool.argv[0][-1]).parent), str(Path(tool.argv[1][-1]).parents[1])]


@pytest.mark.usefixtures("tool")
def test_an_sdist_that_depends_on_the_clock_is_normalised_and_the_record_says_so(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(make_run(root))
    (one,) = built(root).normalised
    assert one.filename == SDIST
    assert one.sha256 != Dist.from_file(root / "dist" / SDIST).sha256
    assert one.members == members(root / "dist" / SDIST)
    assert f"{SDIST} was normalised" in capsys.readouterr().out


@pytest.mark.usefixtures("tool")
def test_what_is_not_to_be_normalised_stays_as_the_backend_made_it(root: Path) -> None:
    build(make_run(root, config=Config(pythons=PYTHONS, normalise=False)))
    assert built(root).normalised == ()


@pytest.mark.usefixtures("tool")
def test_where_only_a_wheel_is_asked_for_its_sdist_is_not_kept(root: Path) -> None:
    build(make_run(root, config=Config(pythons=PYTHONS, archives=("wheel",))))
    assert names(root / "dist") == {WHEEL}
    assert built(root).normalised == ()


def test_variables_that_the_build_does_not_see_are_named(
    root: Path, tool: FakeBuild, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "environ", {"PATH": os.environ["PATH"]})
    build(make_run(root))
    assert "not handed to the build" not in capsys.readouterr().out
    os.environ["MY_SWITCH"] = "its value"
    build(make_run(root, "--rebuild"))
    told = capsys.readouterr().out
    assert "not handed to the build (`build-env` in [tool.seatrial] lets more through): MY_SWITCH\n" in told
    assert "its value" not in told
    assert "MY_SWITCH" not in tool.env


@pytest.mark.usefixtures("tool")
def test_without_a_wheel_there_is_none(root: Path) -> None:
    build(make_run(root, config=Config(pythons=PYTHONS, archives=("sdist",))))
    assert names(root / "dist") == {SDIST}
    assert built(root).matrix == (Cell("3.13", "sdist"),)


@pytest.mark.usefixtures("tool")
def test_without_git_the_working_tree_is_built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = sample(tmp_path / "demo")
    build(make_run(root))
    assert (built(root).commit, built(root).tag, built(root).dirty) == (None, None, False)
    assert "of a copy of the working tree (no git here)" in capsys.readouterr().out


@pytest.mark.parametrize("in_place", [False, True])
def test_changes_that_are_not_committed_are_told(
    root: Path, tool: FakeBuild, capsys: pytest.CaptureFixture[str], *, in_place: bool
) -> None:
    write_tree(root, {"new.py": ""})
    build(make_run(root, config=Config(pythons=PYTHONS, in_place=in_place)))
    told = capsys.readouterr().out
    assert built(root).dirty
    assert ("new.py" in tool.trees["sdist"]) is in_place
    assert ("part of the files (in-place)" in told) is in_place
    assert ("they are NOT part of the files" in told) is not in_place
    assert "\n  new.py\n" in told


def test_the_recipe_is_what_decides_beside_the_tree(root: Path) -> None:
    plain = make_run(root)
    others = [
        make_run(root, config=Config(archives=("sdist",))),
        make_run(root, config=Config(in_place=True)),
        make_run(root, config=Config(normalise=False)),
        make_run(root, "--from", "wheels"),
        make_run(root, config=Config(release_with=("../core",))),
        make_run(root, config=Config(release_with=("../base",))),
    ]
    assert len({recipe(run) for run in (plain, *others)}) == 7
    assert recipe(plain) == recipe(make_run(root, "--rebuild", config=Config(pythons=("3.10",))))


# What is released together with it.


def test_the_record_names_what_it_is_released_together_with(root: Path, tool: FakeBuild) -> None:
    write_tree(root, {"core/pyproject.toml": "[project]\nname = 'core'\n"})
    build(make_run(root))
    assert built(root).release_with == ()
    build(make_run(root, config=Config(release_with=("core",))))
    assert built(root).release_with == ("core",)
    assert len(tool.argv) == 4  # twice an sdist and a wheel: it is another recipe


def test_a_sibling_that_is_none_stops_the_build(root: Path, tool: FakeBuild) -> None:
    with pytest.raises(BadConfig) as error:
        build(make_run(root, config=Config(release_with=("../nowhere",))))
    assert (error.value.key, error.value.found) == ("release-with", "../nowhere")
    assert tool.argv == []


def test_siblings_that_need_each_other_stop_the_build(root: Path, tool: FakeBuild) -> None:
    settings = "[tool.seatrial]\nrelease-with = ['..']\n"
    write_tree(root, {"core/pyproject.toml": f"[project]\nname = 'core'\n{settings}"})
    with pytest.raises(PackageCycle) as error:
        build(make_run(root, config=Config(release_with=("core",))))
    assert set(error.value.names) == {"demo", "core"}
    assert tool.argv == []


# A build that goes wrong leaves everything as it was.


@pytest.mark.parametrize(("kind", "cause"), [("sdist", "only the working tree has"), ("wheel", "not in the sdist")])
def test_a_build_that_fails_is_told_in_its_own_words(root: Path, tool: FakeBuild, kind: str, cause: str) -> None:
    tool.codes[kind] = 2
    with pytest.raises(ToolFailed, match=rf"The build of the {kind} failed \(exit code 2\)") as error:
        build(make_run(root))
    assert "| the backend's words" in str(error.value)
    assert cause in str(error.value)
    assert not (root / "dist").exists()
    assert Record.of(root).find(Built) is None


def test_nothing_in_the_making_is_left(root: Path, tool: FakeBuild) -> None:
    tool.codes["wheel"] = 2
    write_tree(root / "release-record", {"staging-killed/a.whl": ""})
    with pytest.raises(ToolFailed):
        build(make_run(root))
    assert not list((root / "release-record").glob("staging-*"))


def test_files_that_the_report_does_not_name_are_odd(root: Path, tool: FakeBuild) -> None:
    tool.unreported = {WHEEL}
    with pytest.raises(BuildOdd, match="what it reports is not the one file it wrote") as error:
        build(make_run(root))
    assert WHEEL in str(error.value)


def test_two_files_in_one_build_are_odd(root: Path, tool: FakeBuild) -> None:
    tool.makers["demo-1.0-py2-none-any.whl"] = make_wheel
    with pytest.raises(BuildOdd, match="not the one file it wrote") as error:
        build(make_run(root))
    assert error.value.files == ("demo-1.0-py2-none-any.whl", WHEEL)


def test_a_build_that_writes_nothing_is_odd(root: Path, tool: FakeBuild) -> None:
    tool.makers = {}
    with pytest.raises(BuildOdd, match="it wrote no file"):
        build(make_run(root))


def test_an_sdist_that_cannot_be_read_is_no_sdist(root: Path, tool: FakeBuild) -> None:
    def cut(path: Path) -> Path:
        path.write_bytes(make_sdist(path).read_bytes()[:-20])
        return path

    tool.makers[SDIST] = cut
    with pytest.raises(BadArchive, match="cannot be read"):
        build(make_run(root))


OTHERS: list[tuple[str, Callable[[Path], Path], str]] = [
    (WHEEL.replace("demo", "other"), lambda path: make_wheel(path, "other"), "of more than one project"),
    (WHEEL.replace("1.0", "1.1"), lambda path: make_wheel(path, version="1.1"), "of more than one version"),
]


@pytest.mark.parametrize(("name", "make", "reason"), OTHERS)
def test_files_of_two_releases_are_odd(
    root: Path, tool: FakeBuild, name: str, make: Callable[[Path], Path], reason: str
) -> None:
    del tool.makers[WHEEL]
    tool.makers[name] = make
    with pytest.raises(BuildOdd, match=reason):
        build(make_run(root, config=Config(pythons=PYTHONS)))


@pytest.mark.parametrize(("missing", "kind"), [(SDIST, "sdist"), (WHEEL, "wheel")])
def test_a_kind_that_was_asked_for_and_is_not_there_is_odd(root: Path, wheels: Path, missing: str, kind: str) -> None:
    (wheels / missing).unlink()
    with pytest.raises(NothingToTakeOf, match=f"there is no {kind} among its 1 files"):
        build(make_run(root, "--from", str(wheels)))


# What is there already.


@pytest.mark.usefixtures("tool")
def test_what_is_built_from_this_source_is_kept(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(make_run(root))
    before = (root / "release-record" / "built.json").read_bytes()
    build(make_run(root))
    assert "demo 1.0 is built already, from this source (2 files)." in capsys.readouterr().out
    assert (root / "release-record" / "built.json").read_bytes() == before


@pytest.mark.usefixtures("tool")
def test_kept_files_are_hashed_anew(root: Path) -> None:
    build(make_run(root))
    (root / "dist" / WHEEL).write_bytes(b"other")
    with pytest.raises(FilesChanged):
        build(make_run(root))


@pytest.mark.usefixtures("tool")
def test_a_source_that_moved_on_is_built_and_the_old_files_are_moved_aside(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(make_run(root))
    first = built(root).commit
    commit(root)
    build(make_run(root))
    aside = next((root / "release-record" / "aside").iterdir())
    assert built(root).commit != first
    assert names(aside) == {"release-record", SDIST, WHEEL}
    assert f"moved aside what lay in dist/, to {aside}:\n  {WHEEL}" in capsys.readouterr().out


@pytest.mark.usefixtures("tool")
def test_rehearsed_files_are_sealed_whatever_the_source(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(make_run(root))
    rehearse(root)
    first = built(root)
    commit(root)
    build(make_run(root))
    assert built(root) == first
    told = capsys.readouterr().out
    assert "demo 1.0 was rehearsed and is sealed; the source has moved on since" in told
    assert "to start anew: nox -s build -- --rebuild" in told


@pytest.mark.usefixtures("tool")
def test_what_is_sealed_and_would_be_built_in_another_way_is_not_said_to_be_of_another_source(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(make_run(root))
    rehearse(root)
    build(make_run(root, config=Config(pythons=("3.13",), normalise=False)))
    told = capsys.readouterr().out
    assert "is sealed; what is asked for now would be built in another way, from the same commit. Going on" in told
    assert "has moved on" not in told


@pytest.mark.usefixtures("tool")
def test_a_rebuild_replaces_also_what_was_rehearsed(root: Path) -> None:
    build(make_run(root))
    rehearse(root)
    build(make_run(root, "--rebuild"))
    assert Record.of(root).find(Rehearsed) is None
    aside = next((root / "release-record" / "aside").iterdir())
    assert names(aside / "release-record") == {"built.json", "rehearsed.json"}


@pytest.mark.usefixtures("tool")
def test_a_record_without_files_is_moved_aside_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(make_run(root))
    for path in (root / "dist").iterdir():
        path.unlink()
    commit(root)
    build(make_run(root))
    assert "moved the old record aside, to" in capsys.readouterr().out


def test_without_git_the_seal_names_no_commit(
    tmp_path: Path, tool: FakeBuild, capsys: pytest.CaptureFixture[str]
) -> None:
    root = sample(tmp_path / "demo")
    build(make_run(root))
    rehearse(root)
    write_tree(root, {"README.md": "# other\n"})
    tool.makers = {}
    build(make_run(root))
    assert "(no git -> no git)" in capsys.readouterr().out


# What another tool built.


def test_distributions_are_taken_as_they_are(root: Path, wheels: Path) -> None:
    before = {path.name: path.read_bytes() for path in wheels.iterdir()}
    build(make_run(root, "--from", str(wheels)))
    assert {path.name: path.read_bytes() for path in (root / "dist").iterdir()} == before
    assert Tool("--from", "wheels") in built(root).tools
    assert names(wheels) == set(before)


REFUSED: list[tuple[Mapping[str, str], str]] = [
    ({}, "it holds no wheel and no sdist"),
    ({"folder/a.whl": ""}, "it holds no wheel and no sdist"),
    ({"a.whl": "", "notes.txt": "", "a.zip": ""}, "it holds other files than wheels and sdists:\n  a.zip\n  notes.txt"),
]


@pytest.mark.parametrize(("files", "reason"), REFUSED)
def test_a_folder_with_anything_else_is_not_taken(
    root: Path, tmp_path: Path, files: Mapping[str, str], reason: str
) -> None:
    folder = tmp_path / "taken"
    folder.mkdir()
    write_tree(folder, files)
    with pytest.raises(NothingToTake) as error:
        build(make_run(root, "--from", str(folder)))
    assert reason in str(error.value)


def test_a_folder_that_is_not_there_is_not_taken(root: Path) -> None:
    with pytest.raises(NothingToTake, match="there is no such folder"):
        build(make_run(root, "--from", "nowhere"))


def test_dist_itself_is_not_taken(root: Path) -> None:
    (root / "dist").mkdir()
    make_sdist(root / "dist" / SDIST)
    with pytest.raises(NothingToTake, match="this is where the taken files are put"):
        build(make_run(root, "--from", "dist"))
    assert names(root / "dist") == {SDIST}


def test_the_lock_names_the_version_of_build() -> None:
    tools = {tool.name: tool.version for tool in module._tools()}
    assert tools["build"][0].isdigit()
    assert tools["python"].count(".") == 2
