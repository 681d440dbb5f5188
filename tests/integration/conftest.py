"""Real nox, build, twine, uv and pip on small real projects, against stand-in indexes on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tasks import standin
from tasks.standins import VARIABLE
from tests.index_server import Faults
from tests.projects import commit, sample, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parents[2]
NOXFILE = f"""\
import runpy

runpy.run_path({str(HERE / "tasks" / "register.py")!r})
"""
# The script: `python -m nox` would import what lies in the project's folder.
NOX = shutil.which("nox", path=sysconfig.get_path("scripts")) or "nox"
RUNNING = "{}.{}".format(*sys.version_info)
SETTINGS = f'\n[tool.seatrial]\npythons = ["{RUNNING}"]\nindex-timeout = 5\n'


@dataclass(frozen=True)
class Ended:
    """How a run of nox ended."""

    code: int
    output: str

    def shows(self, *texts: str) -> bool:
        """Whether all `texts` are in the output, however its lines are broken."""
        flat = " ".join(self.output.split())
        missing = [text for text in texts if " ".join(text.split()) not in flat]
        if missing:
            print(self.output)
        return not missing


@dataclass
class Project:
    """A project in a folder, and nox on it."""

    root: Path
    envdir: Path
    env: dict[str, str] = field(default_factory=dict)

    def nox(self, session: str, *args: str, flags: tuple[str, ...] = (), **env: str) -> Ended:
        """Run `session` with `args` after the double dash, and `flags` for nox itself."""
        return self.run([NOX, "--envdir", str(self.envdir), *flags, "-s", session, "--", *args], **env)

    def run(self, argv: list[str], **env: str) -> Ended:
        done = subprocess.run(
            argv,
            cwd=self.root,
            env=os.environ | self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode("utf-8", "replace"))

    def change(self, files: dict[str, str], *, tag: str | None = None) -> str:
        """Write `files`, commit, and return the commit."""
        write_tree(self.root, files)
        return commit(self.root, tag)

    def stage(self, name: str) -> Any:
        """Return the recorded stage in the file `name`."""
        return json.loads((self.record / name).read_text(encoding="utf-8"))

    @property
    def record(self) -> Path:
        return self.root / "release-record"

    @property
    def dist(self) -> Path:
        return self.root / "dist"

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.dist.iterdir()}


@pytest.fixture(scope="session")
def envdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One place for the environments of all tests: those of the tools are reused, as in a project."""
    return tmp_path_factory.mktemp("environments") / "nox"


@pytest.fixture(autouse=True)
def outer_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credential and no CI of this machine takes part, unless a test says so."""
    for name in list(os.environ):
        if name in {"CI", "GITHUB_ACTIONS", "GITLAB_CI"} or "TOKEN" in name or name.startswith("TWINE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def make_project(tmp_path: Path, envdir: Path) -> Callable[..., Project]:
    """Make a committed project, in a folder with a blank and letters beyond ASCII in its name."""

    def make(settings: str = SETTINGS, *, commit_it: bool = True, **sample_args: Any) -> Project:
        root = sample(tmp_path / "mein Projekt ü", **sample_args)
        with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(settings)
        write_tree(root, {"noxfile.py": NOXFILE})
        if commit_it:
            commit(root)
        return Project(root, envdir)

    return make


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    return make_project()


@dataclass
class Indexes:
    """Two stand-in indexes with faults to order, and what they hold."""

    folder: Path
    testpypi: Faults
    pypi: Faults
    env: dict[str, str]
    urls: dict[str, str]

    def held(self, index: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / index).iterdir()}


@pytest.fixture
def indexes(tmp_path: Path, project: Project) -> Iterator[Indexes]:
    """Start the stand-ins and point `project` at them: its own dist/ and record, as with the real indexes."""
    folder = tmp_path / "indexes"
    tokens = {name: standin.make_token(location) for name, location in standin.LOCATIONS.items()}
    with contextlib.ExitStack() as stack:
        faults = {name: Faults(standin.make_index(folder / name, token)) for name, token in tokens.items()}
        urls = {name: stack.enter_context(standin.serving(app)) for name, app in faults.items()}
        env = {VARIABLE: json.dumps({"place": str(project.root), **urls})}
        env |= {f"{name.upper()}_TOKEN": token for name, token in tokens.items()}
        project.env |= env
        yield Indexes(folder, faults["testpypi"], faults["pypi"], env, urls)
