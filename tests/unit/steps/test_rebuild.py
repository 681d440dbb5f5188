from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.building.frontend import Product
from seatrial.index import indexes
from seatrial.index.simple import Served
from seatrial.project.settings import Config
from seatrial.release.stages import Dist
from seatrial.steps import rebuild as module
from seatrial.steps.rebuild import SAME_MEMBERS, NothingServed, RebuiltOtherwise, TagMissing, differences, rebuild
from tests.fakes import make_run
from tests.projects import MOMENT, commit, git, sample, write_tree
from tests.unit.test_build import SDIST, WHEEL, make_sdist, make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.building.frontend import Job

OTHER_WHEEL = "demo-1.0-cp313-cp313-win_amd64.whl"


class World:
    """What a rebuild gives, and what the index serves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: dict[str, Callable[[Path], Path]] = {SDIST: make_sdist, WHEEL: make_wheel}
        self.job: Job | None = None
        self.tree: set[str] = set()

    def serve(self, name: str, make: Callable[[Path], Path]) -> None:
        make(self.folder / name)

    def make(self, job: Job, tree: Path, *, compare: bool) -> Product:
        assert not compare
        self.job, self.tree = job, {path.name for path in tree.iterdir()}
        for name, make in self.made.items():
            make(job.out / name)
        return Product()

    def read_project(self, *_args: Any, **_settings: Any) -> tuple[Served, ...]:
        dists = [Dist.from_file(path) for path in sorted(self.folder.iterdir())]
        return tuple(
            Served(one.filename, one.sha256, f"https://f.example/{one.filename}", yanked=False) for one in dists
        )

    def download(self, _index: object, url: str, target: Path) -> None:
        target.write_bytes((self.folder / url.rpartition("/")[2]).read_bytes())


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "index").mkdir()
    made = World(tmp_path / "index")
    monkeypatch.setattr(module, "make", made.make)
    monkeypatch.setattr(module, "download", made.download)
    monkeypatch.setattr(indexes, "read_project", made.read_project)
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that was tagged and has moved on."""
    project = sample(tmp_path / "demo", files={"then": ""})
    commit(project, tag="v1.0")
    git(project, "rm", "--quiet", "then")
    commit(write_tree(project, {"now": ""}))
    return project


def other_wheel(path: Path) -> Path:
    """Write a wheel that differs in its members."""
    make_wheel(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("demo/more.py", "x = 1\n")
    return path


def repacked_wheel(path: Path) -> Path:
    """Write a wheel with the same members, packed otherwise."""
    make_wheel(path)
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return path


def run_it(root: Path, version: str = "1.0", config: Config | None = None) -> None:
    rebuild(make_run(root, name="rebuild", config=config), version)


def test_a_tag_that_gives_the_same_bytes_says_so(root: Path, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    (root.parent / "made").mkdir()
    for name, make in list(world.made.items()):
        make(root.parent / "made" / name)
        world.made[name] = lambda path: Path(shutil.copy(root.parent / "made" / path.name, path))
        world.serve(name, world.made[name])
    world.serve(OTHER_WHEEL, make_wheel)
    run_it(root)
    told = capsys.readouterr().out
    assert f"  identical  {SDIST}\n" in told
    assert f"  identical  {WHEEL}\n" in told
    assert f"not built here, so not compared: {OTHER_WHEEL}" in told
    assert "demo 1.0: the tag v1.0 gives exactly the bytes that PyPI serves" in told


def test_the_tag_is_built_and_not_what_is_there_now(root: Path, world: World) -> None:
    world.serve("demo-0.9.tar.gz", lambda path: make_sdist(path, version="0.9"))
    with pytest.raises(NothingServed, match=r"PyPI serves no file of demo 1\.0"):
        run_it(root)
    assert {"then", "now"} & world.tree == {"then"}
    assert world.job is not None
    assert world.job.epoch == 1714979289
    assert MOMENT.startswith("2024-05-06")


@pytest.mark.parametrize(
    ("make", "line"), [(other_wheel, "demo/more.py: only on the index"), (repacked_wheel, SAME_MEMBERS)]
)
def test_other_bytes_are_told_member_by_member(
    root: Path, world: World, capsys: pytest.CaptureFixture[str], make: Callable[[Path], Path], line: str
) -> None:
    world.serve(WHEEL, make)
    with pytest.raises(RebuiltOtherwise, match="is not what PyPI serves") as error:
        run_it(root)
    assert error.value.files == (WHEEL,)
    told = capsys.readouterr().out
    assert f"  different  {WHEEL}\n    {line}\n" in told
    assert f"not on PyPI, so not compared: {SDIST}" in told


def test_where_nothing_can_be_compared_nothing_is_proved(root: Path, world: World) -> None:
    world.serve(OTHER_WHEEL, make_wheel)
    with pytest.raises(RebuiltOtherwise, match="gives none of the files that PyPI serves"):
        run_it(root)


@pytest.mark.usefixtures("world")
def test_a_version_without_a_tag_is_named_with_what_was_tried(root: Path) -> None:
    with pytest.raises(TagMissing, match=r"Tried: v2\.0, 2\.0"):
        run_it(root, "2.0")
    with pytest.raises(TagMissing, match=r"Tried: NAME-1\.0"):
        run_it(root, config=Config(tag=("{name}-{version}",)))
    with pytest.raises(TagMissing):
        run_it(sample(root.parent / "without-git"))


@pytest.mark.parametrize("tag", ["demo-1.0", "other/demo-1.0"])
def test_a_tag_may_hold_the_name(root: Path, world: World, tag: str) -> None:
    git(root, "tag", tag, "v1.0")
    git(root, "tag", "demo-1.0.1")
    with pytest.raises(NothingServed):
        run_it(root, config=Config(tag=("{name}-{version}",)))
    assert "then" in world.tree


TODAY = Config(pythons=("3.13",))
THEN = """
[tool.seatrial]
normalise = false
archives = ["wheel"]
build-env = ["X"]
pythons = ["3.10"]
"""
SETTINGS: list[tuple[str, Config]] = [
    (THEN, replace(TODAY, normalise=False, archives=("wheel",), build_env=("X",))),
    ("[tool.seatrial]\nfrom-another-version = 1\n", TODAY),
]


@pytest.mark.parametrize(("table", "expected"), SETTINGS)
def test_what_decides_about_the_bytes_is_set_as_it_was_then(
    root: Path, world: World, table: str, expected: Config
) -> None:
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    commit(write_tree(root, {"pyproject.toml": f"{text}\n{table}"}), tag="v3.0")
    commit(write_tree(root, {"pyproject.toml": text}))
    with pytest.raises(NothingServed):
        run_it(root, "3.0")
    assert world.job is not None
    assert world.job.config == expected


def test_members_are_compared_by_their_contents(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    for folder, extra in ((ours, {"a": "1", "b": "1"}), (theirs, {"b": "2", "c": "1"})):
        make_wheel(folder / WHEEL)
        with zipfile.ZipFile(folder / WHEEL, "a") as archive:
            for name, content in extra.items():
                archive.writestr(name, content)
    assert differences(ours / WHEEL, theirs / WHEEL) == [
        "c: only on the index",
        "a: only in the file built here",
        "b: other contents",
    ]
