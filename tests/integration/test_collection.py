"""Every broken distribution of the collection is stopped by its cause, and no sound one is.

What `check` does with files is done here with the real rules, installer, environments, probe and readers; the
dependencies come from an index on this machine, so nothing is downloaded.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from seatrial.machine import variables
from seatrial.machine.errors import ReleaseError
from seatrial.project.pythons import KNOWN_PYTHONS
from seatrial.project.settings import Settings
from seatrial.release.stages import Dist, Problem
from seatrial.rules import judge
from seatrial.standin.launch import serving
from seatrial.standin.server import StandinIndex
from seatrial.trial import interpreters, lost, static
from seatrial.trial.checkout import Checkout
from seatrial.trial.installer import Installer, Origin
from seatrial.trial.trial import Subject, use
from tests.collection import BESIDE, RUNNING, Case
from tests.collection.broken import BROKEN
from tests.collection.sound import SOUND
from tests.integration.conftest import SETTINGS, Project
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

CASES = (*BROKEN, *SOUND)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a folder for each case: its files in dist/, and what git tracks in checkout/."""
    folder = tmp_path_factory.mktemp("collection")
    for case in CASES:
        case.write(folder / case.label / "dist")
        write_tree(folder / case.label / "checkout", case.checkout)
    return folder


@pytest.fixture(scope="module")
def findings(shelf: Path) -> Mapping[str, list[Problem]]:
    """What the rules find in the files of each case, with `twine check --strict` among them."""
    paths = {path: case.label for case in CASES for path in (shelf / case.label / "dist").iterdir()}
    found: dict[str, list[Problem]] = {case.label: [] for case in CASES}
    for path, problems in judge.judge_files(list(paths)):
        found[paths[path]] += problems
    return found


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The simple repository that dependencies come from."""
    folder = tmp_path_factory.mktemp("index")
    for case in BESIDE:
        case.write(folder)
    with serving(StandinIndex(folder, "no upload is taken")) as url:
        yield f"{url}/simple/"


def tried(case: Case, place: Path, index: str, python: str | None = None) -> list[Problem]:
    """Read, install and import the files of `case`, which are in `place`, as `check` does; return what it meets."""
    paths = sorted((place / "dist").iterdir())
    checkout = Checkout.of(place / "checkout", case.checkout)
    met = [problem for path in paths for problem in installed(case, path, place, index, python)]
    wheels, packed = [path for path in paths if path.suffix == ".whl"], lost.packed(paths)
    read = [problem for path in wheels for problem in static.problems(path, (RUNNING,), checkout, packed)]
    return [*met, *static.untold([*read, *lost.problems(paths, checkout)], met)]


def installed(case: Case, path: Path, place: Path, index: str, python: str | None) -> tuple[Problem, ...]:
    """Install the file at `path` into a fresh environment and use it there; return what comes of that."""
    scratch = place / f"{path.name}-{python or RUNNING}"
    scratch.mkdir()
    env = variables.for_install(os.environ) | {"UV_CACHE_DIR": str(place.parent / "cache")}
    installer = Installer(find_uv_bin(), env, scratch, index)
    subject = Subject(path.name, case.name, case.version, (Origin(path.as_uri(), Dist.from_file(path).sha256),))
    settings = Settings(**{"pythons": (RUNNING,), **case.settings})
    try:
        venv = installer.create(scratch / "venv", python)
        installer.from_file(venv, path, case.name)
        return use(installer, venv, subject, settings, place / "checkout").problems
    except ReleaseError as error:
        return (Problem("install-failed", "error", path.name, str(error)),)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def test_the_collection_is_large_and_each_has_a_name_of_its_own() -> None:
    assert len(BROKEN) >= 70
    assert len(SOUND) >= 60
    assert len({case.label for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_twine_and_the_other_rules_find_nothing_that_stops_it(
    case: Case, findings: Mapping[str, list[Problem]]
) -> None:
    stopping = {p.rule for p in findings[case.label] if p.severity == "error" or p.rule.startswith("twine-")}
    assert stopping == ({case.rule} if case.rule else set())


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.label)
def test_what_is_broken_is_stopped_by_its_cause(
    case: Case, shelf: Path, index: str, findings: Mapping[str, list[Problem]]
) -> None:
    met = [*findings[case.label], *tried(case, shelf / case.label, index)]
    errors = [problem for problem in met if problem.severity == "error"]
    shown = " ".join("\n".join(f"{problem.file}: {problem.message}" for problem in errors).split())
    assert errors
    for words in case.says:
        assert words in shown


@pytest.mark.parametrize("case", SOUND, ids=lambda case: case.label)
def test_what_is_sound_is_not_stopped(case: Case, shelf: Path, index: str) -> None:
    assert [problem for problem in tried(case, shelf / case.label, index) if problem.severity == "error"] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import tomllib\n", "`tomllib` is in the standard library only since 3.11, and this is Python 3."),
        ("from typing import assert_never\n", "cannot import name 'assert_never' from 'typing'"),
    ],
)
def test_what_a_newer_python_hides_is_found_on_a_lower_one(tmp_path: Path, index: str, text: str, words: str) -> None:
    older = KNOWN_PYTHONS[: KNOWN_PYTHONS.index("3.11")]
    python = next((one for one in older if interpreters.find(one, find_uv_bin())), None)
    if python is None or sys.version_info < (3, 11):
        pytest.skip("there is no Python on PATH that lacks what this one has")
    case = Case("too low", {"demo.py": text}, requires_python=f">={python}")
    (path,) = case.write(tmp_path / "dist")
    (problem,) = installed(case, path, tmp_path, index, python)
    assert problem.severity == "error"
    assert words in problem.message


# The whole program.


def test_a_module_that_was_never_committed_is_missed_before_anything_is_uploaded(
    make_project: Callable[..., Project],
) -> None:
    files = {"src/demo/__init__.py": '"""A module."""\nfrom demo.core import main\n\n__version__ = "1.0"\n'}
    project = make_project(files={**files, ".gitignore": ".nox/\ndist/\nrelease-record/\n__pycache__/\ncore.py\n"})
    write_tree(project.root, {"src/demo/core.py": "def main():\n    pass\n"})
    ended = project.step("check", "--offline")
    assert ended.code == 1
    assert ended.shows("The module `demo.core` is not among the files of demo: the build left it out", "1 error")
    assert not (project.record / "checked.json").exists()


def test_a_plugin_and_a_script_of_an_extra_do_not_stop_a_release(make_project: Callable[..., Project]) -> None:
    more = """
[project.optional-dependencies]
cli = ["click-absent>=8"]

[project.entry-points.pytest11]
demo = "demo.plugin"

[project.gui-scripts]
demo-gui = "demo.gui:main"

[tool.seatrial.ignore]
install-entry-point = "whoever uses them has what they need"
"""
    files = {
        "src/demo/plugin.py": "import no_such_runner\n",
        "src/demo/gui.py": "from click_absent import command as main\n",
    }
    project = make_project(more + SETTINGS, files=files)
    ended = project.step("check", "--offline")
    assert ended.code == 0, ended.output
    assert ended.shows("install-entry-point (whoever uses them has what they need)")
    assert project.stage("checked.json")["problems"] == []
