"""Every broken distribution of the collection is stopped in `check` by its cause, and no sound one is.

What `check` does with files is done here with the real rules, installer, environments and probe; only nox is left out
of it, and the dependencies come from an index on this machine.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import nox.virtualenv
import pytest

from seatrial.machine import variables
from seatrial.project.pythons import KNOWN_PYTHONS, is_here
from seatrial.project.settings import Config
from seatrial.release.record import Record
from seatrial.release.stages import Built, Dist
from seatrial.rules import judge
from seatrial.standin import server
from seatrial.standin.index import StandinIndex
from seatrial.steps import check
from seatrial.trial.installer import Installer
from tests.collection import BESIDE, BROKEN, RUNNING, SOUND, Case
from tests.integration.conftest import SETTINGS, Project
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seatrial.project.context import Run
    from seatrial.release.stages import Problem

# pypiserver's bottle forgets the file of which it was asked for a part.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file.*[.]whl:ResourceWarning")

CASES = (*BROKEN, *SOUND)


@dataclass(frozen=True)
class Bench:
    """Stands for the Run of a session: what `check` asks of it to install and try files."""

    root: Path
    config: Config
    index: str
    said: list[str] = field(default_factory=list)

    @property
    def record(self) -> Record:
        return Record.of(self.root)

    def say(self, text: str = "") -> None:
        self.said.append(text)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="seatrial-check-", ignore_cleanup_errors=True) as folder:
            yield Path(folder).resolve()

    def installer(self, scratch: Path) -> Installer:
        uv = nox.virtualenv.UV if nox.virtualenv.HAS_UV else None
        env = variables.for_install(os.environ) | {"UV_CACHE_DIR": str(self.root.parent / "cache")}
        return Installer(uv, env, scratch, self.index)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project's folder for each case, its files in dist/."""
    folder = tmp_path_factory.mktemp("collection")
    for case in CASES:
        case.write(folder / case.label / "dist")
    return folder


@pytest.fixture(scope="module")
def findings(shelf: Path) -> Mapping[str, list[dict[str, str]]]:
    """What the rules find in the files of each case, with `twine check --strict` among them."""
    paths = {path: case.label for case in CASES for path in (shelf / case.label / "dist").iterdir()}
    found: dict[str, list[dict[str, str]]] = {case.label: [] for case in CASES}
    for path, problems in judge.judge_files(list(paths)):
        found[paths[path]] += map(asdict, problems)
    return found


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The simple repository that dependencies come from."""
    folder = tmp_path_factory.mktemp("index")
    for case in BESIDE:
        case.write(folder)
    with server.serving(StandinIndex(folder, "no upload is taken")) as url:
        yield f"{url}/simple/"


def tried(case: Case, shelf: Path, index: str) -> tuple[tuple[Problem, ...], Bench]:
    """Install and import the files of `case` as `check` does; return what it met."""
    config = Config(**{"pythons": (RUNNING,), **case.settings})
    bench = Bench(shelf / case.label, config, index)
    built = Built(
        project=case.name,
        version=case.version,
        dists=tuple(sorted(map(Dist.from_file, bench.record.dist.iterdir()))),
        at="2024-05-06T07:08:09Z",
        commit=None,
        tag=None,
        dirty=False,
        epoch=0,
        fingerprint="",
        tools=(),
        normalised=(),
        matrix=(),
    )
    _, problems = check._try_all(cast("Run", bench), built)
    return problems, bench


def test_the_collection_is_large_and_each_has_a_name_of_its_own() -> None:
    assert len(BROKEN) >= 30
    assert len(SOUND) >= 30
    assert len({case.label for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_twine_and_the_other_rules_find_nothing_that_stops_it(
    case: Case, findings: Mapping[str, list[dict[str, str]]]
) -> None:
    stopping = [p for p in findings[case.label] if p["severity"] == "error" or p["rule"].startswith("twine-")]
    assert stopping == []


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.label)
def test_what_is_broken_is_stopped_by_its_cause(case: Case, shelf: Path, index: str) -> None:
    problems, _ = tried(case, shelf, index)
    errors = [problem for problem in problems if problem.severity == "error"]
    said = " ".join("\n".join(f"{problem.file}: {problem.message}" for problem in errors).split())
    assert errors
    for words in case.says:
        assert words in said


@pytest.mark.parametrize("case", SOUND, ids=lambda case: case.label)
def test_what_is_sound_is_not_stopped(case: Case, shelf: Path, index: str) -> None:
    problems, bench = tried(case, shelf, index)
    assert [problem for problem in problems if problem.severity == "error"] == []
    assert all("installed on Python" in line for line in bench.said)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import tomllib\n", "`tomllib` is a module of Python's own since 3.11, and this is Python 3."),
        ("from typing import assert_never\n", "cannot import name 'assert_never' from 'typing'"),
    ],
)
def test_what_a_newer_python_hides_is_found_on_the_lowest(tmp_path: Path, index: str, text: str, words: str) -> None:
    python = next((one for one in KNOWN_PYTHONS[: KNOWN_PYTHONS.index("3.11")] if is_here(one)), None)
    if python is None or sys.version_info < (3, 11):
        pytest.skip("there is no Python on PATH that lacks what this one has")
    case = Case("too low", {"demo.py": text}, requires_python=f">={python}", settings={"pythons": (python, RUNNING)})
    case.write(tmp_path / case.label / "dist")
    problems, bench = tried(case, tmp_path, index)
    assert [(problem.rule, problem.severity) for problem in problems] == [(problems[0].rule, "error")]
    assert problems[0].message.startswith(f"On Python {python}: ")
    assert words in problems[0].message
    assert any(f"installed on Python {RUNNING}" in line for line in bench.said)


# Through nox.


def test_a_module_that_was_never_committed_is_missed_before_anything_is_uploaded(
    make_project: Callable[..., Project],
) -> None:
    files = {"src/demo/__init__.py": '"""A module."""\nfrom demo.core import main\n\n__version__ = "1.0"\n'}
    project = make_project(files={**files, ".gitignore": ".nox/\ndist/\nrelease-record/\n__pycache__/\ncore.py\n"})
    write_tree(project.root, {"src/demo/core.py": "def main():\n    pass\n"})
    ended = project.step("check", "--offline")
    assert ended.code == 1
    assert ended.shows("The module `demo.core` is not among the files of demo: the build left it out", "2 errors")
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
