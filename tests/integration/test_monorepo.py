"""Packages of one repository that need each other, released together; one of them has a hostile double on the index."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from seatrial.index.holdings import read_project
from seatrial.index.indexes import Index
from tests.archives import metadata, wheel
from tests.integration.conftest import RUNNING, Indexes, Project
from tests.integration.test_other_servers import TABLE
from tests.projects import commit, sample, write_tree
from tests.samples.messages import is_clear

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.conftest import Ended, Servers
    from tests.servers import Devpi

# Each needs the one before it; the names are taken by nobody.
CHAIN = ("seatrial-core", "seatrial-mid", "seatrial-top")
CORE, MID, TOP = CHAIN
WORKSPACE = '[tool.uv.workspace]\nmembers = ["packages/*"]\n'
SETTINGS = f'\n[tool.seatrial]\npythons = ["{RUNNING}"]\nindex-timeout = 5\n'
WHEELS = f'{SETTINGS}archives = ["wheel"]\n'  # half of the time, where it is not about archives


class Repository:
    """A repository with the three packages of the chain."""

    def __init__(self, root: Path, settings: str = WHEELS) -> None:
        self.root, self.settings = root, settings
        self.whole = Project(root)
        write_tree(root, {"pyproject.toml": WORKSPACE})
        for name, needed in zip(CHAIN, ("", CORE, MID), strict=True):
            self.write(name, *filter(None, [needed]))
        commit(root)

    def write(self, name: str, *needed: str, version: str = "1.0", settings: str = "", folder: str = "") -> None:
        """Write the package `name`, which imports what it needs; `settings` are added to those of [tool.seatrial]."""
        modules = [requirement.replace("-", "_").partition(">")[0] for requirement in needed]
        module = f"src/{name.replace('-', '_')}/__init__.py"
        text = '"""A module."""\n' + "".join(f"import {one}\n" for one in modules) + "def main() -> None: ...\n"
        place = self.folder(folder or name)
        sample(place, name=name, version=version, dependencies=needed, files={module: text})
        with (place / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(self.settings.replace("index-timeout", f"{settings}\nindex-timeout"))

    def folder(self, name: str) -> Path:
        return self.root / "packages" / name

    def of(self, name: str) -> Project:
        """Return the package `name` as a project, for its folders."""
        return Project(self.folder(name))

    def all(self, session: str, *args: str) -> Ended:
        return self.whole.step(session, "--all", *args)

    def one(self, session: str, name: str, *args: str) -> Ended:
        return self.whole.step(session, "--package", name, *args)

    def files(self) -> dict[str, bytes]:
        return {file: content for name in CHAIN for file, content in self.of(name).files().items()}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "Ein Repo ü")


def indexes_of(repository: Repository, servers: Servers, folder: Path) -> Indexes:
    return Indexes.of(repository.whole, folder, servers)


@pytest.fixture
def indexes(tmp_path: Path, repository: Repository, servers: Servers) -> Indexes:
    return indexes_of(repository, servers, tmp_path / "indexes")


def put_double(folder: Path) -> Path:
    """Write what somebody else put on the test index under the name of the core: a higher version, which stops."""
    module, info = CORE.replace("-", "_"), f"{CORE.replace('-', '_')}-9.9.dist-info"
    core = metadata({"Name": CORE, "Version": "9.9", "License-File": None})
    files = {
        "demo/__init__.py": None,
        f"{module}/__init__.py": "raise SystemExit('this is the double')",
        f"{info}/licenses/LICENSE": None,
        f"{info}/METADATA": core,
    }
    return wheel(folder, filename=f"{module}-9.9-py3-none-any.whl", files=files)


def installed(project: Project, kind: str) -> dict[str, dict[str, str]]:
    """Return what the cell of `kind` has installed, by name."""
    (path,) = project.record.glob(f"verified-*-{kind}.json")
    return {one["name"]: one for one in json.loads(path.read_text(encoding="utf-8"))["installed"]}


@pytest.mark.slow
def test_three_packages_in_a_chain_are_released_together(tmp_path: Path, servers: Servers) -> None:
    repository = Repository(tmp_path / "Ein Repo ü", SETTINGS)
    indexes = indexes_of(repository, servers, tmp_path / "indexes")
    put_double(indexes.folder / "testpypi")
    there = Index("the test index", simple=f"{indexes.urls['testpypi']}/simple/")
    assert [file.filename for file in read_project(there, CORE).files] == ["seatrial_core-9.9-py3-none-any.whl"]

    rehearsed = repository.all("verify")
    assert rehearsed.code == 0, rehearsed.output
    assert rehearsed.output.rfind(f"== {CORE}") < rehearsed.output.rfind(f"== {MID}")
    assert rehearsed.output.rfind(f"== {MID}") < rehearsed.output.rfind(f"== {TOP}")
    assert rehearsed.shows("next: nox -s pypi -- --all")
    assert not rehearsed.shows("--package")
    for kind in ("wheel", "sdist"):
        beside = installed(repository.of(TOP), kind)
        for name in (CORE, MID):
            files = {one["filename"]: one["sha256"] for one in repository.of(name).stage("built.json")["dists"]}
            file = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
            assert beside[name]["version"] == "1.0"
            assert beside[name]["sha256"] == files[file]
            assert beside[name]["origin"] == f"{indexes.urls['testpypi']}/packages/{file}"
    assert indexes.held("pypi") == {}

    done = repository.all("pypi", "--yes", "1.0")
    assert done.code == 0, done.output
    assert indexes.held("pypi") == repository.files()
    again = repository.all("pypi", "--yes", "1.0")
    assert again.code == 0
    assert again.output.count("has been on PyPI (stand-in) since") == len(CHAIN)


@pytest.mark.slow
def test_the_same_by_way_of_devpi(tmp_path: Path, devpi: Devpi) -> None:
    places = {role: (devpi.make_index(f"chain-{role}"), devpi.simple(f"chain-{role}")) for role in ("testpypi", "pypi")}
    tables = "".join(TABLE.format(role=role, upload=up, simple=read) for role, (up, read) in places.items())
    repository = Repository(tmp_path / "repository", WHEELS + tables)
    repository.whole.env |= {"TWINE_USERNAME": devpi.user, "TWINE_PASSWORD": devpi.password}
    devpi.put("chain-testpypi", put_double(tmp_path / "double"))
    rehearsed = repository.all("verify")
    assert rehearsed.code == 0, rehearsed.output
    done = repository.all("pypi", "--yes", "1.0")
    assert done.code == 0, done.output
    for name in CHAIN:
        found = read_project(Index("devpi", simple=devpi.simple("chain-pypi")), name).files
        recorded = {one["filename"]: one["sha256"] for one in repository.of(name).stage("released.json")["dists"]}
        assert {file.filename: file.sha256 for file in found} == recorded
    assert installed(repository.of(TOP), "wheel")[CORE]["origin"].startswith(devpi.url)


def test_a_dry_run_of_all_shares_two_indexes(repository: Repository, tmp_path: Path) -> None:
    done = repository.all("dryrun", "--keep", str(tmp_path / "kept"))
    assert done.code == 0, done.output
    assert done.shows("dry run of 3 packages: all five steps passed for each", f"dry run of {TOP} 1.0 passed: 1 file")
    assert done.output.count("kept in") == 1
    built = {path.name for name in CHAIN for path in (tmp_path / "kept" / "packages" / name / "dist").iterdir()}
    for index in ("testpypi", "pypi"):
        assert {path.name for path in (tmp_path / "kept" / index).iterdir()} == built
    for package in map(repository.of, CHAIN):
        assert not package.dist.exists()
        assert {path.name for path in package.record.iterdir()} <= {".gitignore", "dryrun"}


def test_a_dry_run_rehearses_first_what_is_released_with_it(repository: Repository, tmp_path: Path) -> None:
    repository.write(MID, CORE, settings=f'release-with = ["../{CORE}"]')
    repository.write(TOP, MID, settings=f'release-with = ["../{MID}"]')
    commit(repository.root)
    done = repository.one("dryrun", TOP, "--keep", str(tmp_path / "kept"))
    assert done.code == 0, done.output
    assert done.shows(f"== {CORE}, which is released together with this package", f"{MID} 1.0 from there too")
    kept = {path.name for path in (tmp_path / "kept").iterdir() if path.is_dir()}
    assert kept == {"dist", "release-record", "testpypi", "pypi", "with"}


@pytest.fixture
def pair(repository: Repository) -> Repository:
    """The repository, whose middle package says that it is released with the core."""
    repository.write(MID, f"{CORE}>=1.0", settings=f'release-with = ["../{CORE}"]')
    commit(repository.root)
    return repository


def test_a_sibling_comes_first_in_every_session(pair: Repository, indexes: Indexes) -> None:
    assert pair.one("build", MID).code == 0
    assert is_clear(pair.one("check", MID), f"{CORE} (../{CORE}) is released together", "is not built yet", CORE)
    assert pair.one("check", CORE).code == 0
    assert pair.one("check", MID).code == 0
    assert pair.one("testpypi", MID).code == 0
    early = pair.one("verify", MID)
    assert is_clear(early, f"{CORE} 1.0 is released together", "is not rehearsed yet", f"-- --package {CORE}")
    for name in (CORE, MID):
        assert pair.one("verify", name).code == 0
    early = pair.one("pypi", MID, "--yes", "1.0")
    assert is_clear(
        early,
        "does not serve these files of it",
        "seatrial_core-1.0-py3-none-any.whl",
        f"nox -s pypi -- --package {CORE}",
    )
    assert indexes.held("pypi") == {}
    for name in (CORE, MID):
        done = pair.one("pypi", name, "--yes", "1.0")
        assert done.code == 0, done.output
    assert len(indexes.held("pypi")) == 2


def test_a_sibling_of_another_version(pair: Repository) -> None:
    pair.write(MID, f"{CORE}>=2.0", settings=f'release-with = ["../{CORE}"]')
    commit(pair.root)
    for name in (CORE, MID):
        pair.one("build", name)
    refused = pair.one("check", MID, "--offline")
    assert is_clear(refused, f"{MID} 1.0 requires `{CORE}>=2.0`, and is released together with {CORE} 1.0", listed=True)


def test_a_sibling_that_was_rehearsed_elsewhere(pair: Repository, indexes: Indexes) -> None:
    for name in (CORE, MID):
        assert pair.one("testpypi", name).code == 0
    record = pair.of(CORE).record / "rehearsed.json"
    record.write_text(record.read_text(encoding="utf-8").replace(indexes.urls["testpypi"], "https://other.example"))
    refused = pair.one("verify", MID)
    assert is_clear(refused, f"{CORE} 1.0 was rehearsed on https://other.example/simple/", indexes.urls["testpypi"])


def test_a_sibling_that_was_built_again_after_the_verification(pair: Repository, indexes: Indexes) -> None:
    for name in (CORE, MID):
        assert pair.one("verify", name).code == 0
    pair.write(CORE, version="1.1")
    commit(pair.root)
    assert pair.one("build", CORE, "--rebuild").code == 0
    refused = pair.one("pypi", MID, "--yes", "1.0")
    assert is_clear(refused, f"was verified with files of {CORE} 1.1", f"verify -- --package {MID} --keep-sealed")
    assert indexes.held("pypi") == {}
    assert pair.one("testpypi", CORE).code == 0
    anew = pair.one("verify", MID, "--keep-sealed")
    assert anew.code == 0, anew.output
    assert anew.shows(f"verified {MID} 1.0 (wheel, Python {RUNNING})", f"with {CORE} 1.1 from there too")


def test_packages_that_need_each_other_in_a_circle(repository: Repository) -> None:
    repository.write(CORE, TOP)
    commit(repository.root)
    refused = repository.all("build")
    assert is_clear(refused, "need each other, so none can be released before the other")
    assert refused.shows(CORE, " -> ")
    assert not (repository.folder(CORE) / "dist").exists()


def test_two_packages_of_one_name(repository: Repository) -> None:
    repository.write("Seatrial_Core", folder="copy")
    commit(repository.root)
    refused = repository.all("build")
    assert is_clear(refused, f"More than one package of this repository is called {CORE}", "packages/copy")


def test_one_that_fails_keeps_back_what_needs_it_alone(repository: Repository) -> None:
    repository.write("seatrial-apart")
    write_tree(repository.folder(MID), {"src/seatrial_mid/__init__.py": '"""A module."""\nimport nothing_like_it\n'})
    commit(repository.root)
    refused = repository.all("check", "--offline")
    assert is_clear(
        refused, f"`check` failed for {MID}.", f"Not started, since they come after it: {TOP}.", listed=True
    )
    for name in (CORE, "seatrial-apart"):
        assert (repository.of(name).record / "checked.json").exists()


def test_all_is_proved_before_anything_is_sent(repository: Repository, indexes: Indexes) -> None:
    for name in CHAIN[:2]:
        assert repository.one("verify", name).code == (0 if name == CORE else 1)  # PyPI has no such package
    refused = repository.all("pypi", "--yes", "1.0")
    assert refused.code == 1
    assert indexes.held("pypi") == {}


@pytest.mark.parametrize(
    ("session", "args", "said"),
    [
        ("inspect", ("--all", "some.whl"), "it takes files, and no package"),
        ("rebuild", ("--all", "1.0"), "a VERSION belongs to one package"),
        ("build", ("--all", "--from", "wheelhouse"), "--from takes the files of one package"),
        ("build", ("--all", "--package", CORE), "--package and --all exclude each other"),
        ("build", ("--package", "nowhere"), "There is no package `nowhere`"),
    ],
)
def test_what_makes_no_sense_for_packages(
    repository: Repository, session: str, args: tuple[str, ...], said: str
) -> None:
    assert is_clear(repository.whole.step(session, *args), said)


def test_a_project_of_one_package_has_no_others(make_project: Callable[..., Project]) -> None:
    assert is_clear(make_project().step("build", "--all"), "No packages are found in", 'packages = ["packages/*"]')
