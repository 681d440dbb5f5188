"""The real program, build, twine, uv and pip on small real projects, against stand-in indexes on this machine."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from filelock import FileLock
from uv import find_uv_bin

from seatrial.index import tokens
from seatrial.standin import launch
from seatrial.standin.indexes import LOCATIONS
from seatrial.standin.server import StandinIndex
from seatrial.trial.installer import Venv
from tests import servers as others
from tests.index_server import Faults
from tests.integration import forked
from tests.program import VARIABLE
from tests.projects import commit, sample, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HERE = Path(__file__).parents[2]
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of runs of nox and twine would each compile all of it anew
PROGRAM = HERE / "tests" / "program.py"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
RUNNING = "{}.{}".format(*sys.version_info)
SETTINGS = f'\n[tool.seatrial]\npythons = ["{RUNNING}"]\nindex-timeout = 5\n'


@dataclass(frozen=True)
class Ended:
    """How a run of the program ended."""

    code: int
    output: str

    def of(self, session: str) -> Ended:
        """Return the part of the output that is of `session` (its first cell), where several were run at once."""
        parts = re.split(r"^.*Running session ", self.output, flags=re.MULTILINE)
        found = [part for part in parts if re.match(rf"{session}(?![a-z])", part)]
        assert found, self.output
        return Ended(self.code, found[0])

    def shows(self, *texts: str) -> bool:
        """Whether all `texts` are in the output, however its lines are broken."""
        flat = " ".join(re.sub(r"^ *\| ", "", self.output, flags=re.MULTILINE).split())
        missing = [text for text in texts if " ".join(text.split()) not in flat]
        if missing:
            print(self.output)
        return not missing


@dataclass
class Project:
    """A project in a folder, and the program on it."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    def step(
        self, name: str, *options: str, alone: bool = False, uv: bool = True, typed: str = "", **env: str
    ) -> Ended:
        """Run the step `name` with `options`, and those before it unless it is to run `alone`.

        `typed` is what somebody answers who is asked; without it there is nobody.
        """
        return self.steps(name, options=options, alone=alone, uv=uv, typed=typed, **env)

    def steps(
        self,
        *names: str,
        options: tuple[str, ...] = (),
        alone: bool = False,
        uv: bool = True,
        typed: str = "",
        **env: str,
    ) -> Ended:
        """Run the steps `names` one after the other, going on after one that fails, with all details shown."""
        chosen = {"--alone": alone, "--without-uv": not uv, "--typing": bool(typed)}
        flags = [flag for flag, is_set in chosen.items() if is_set]
        words = [*flags, *names, "--", "-v", *options]
        if not forked.CAN_FORK:
            return self.run([sys.executable, "-I", str(PROGRAM), *words], typed=typed, **env)
        code, output = forked.run(words, self.root, os.environ | self.env | env, typed.encode())
        return Ended(code, output.decode("utf-8", "replace"))

    def run(self, argv: list[str], *, typed: str = "", **env: str) -> Ended:
        done = subprocess.run(
            argv,
            cwd=self.root,
            env=os.environ | self.env | env,
            input=typed.encode(),
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


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Programs can be interrupted: what a shell starts in the background ignores that, and so would all they start."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def outer_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credential and no CI of this machine takes part, unless a test says so."""
    for name in list(os.environ):
        if name in {"CI", "GITHUB_ACTIONS", "GITLAB_CI"} or "TOKEN" in name or name.startswith("TWINE_"):
            monkeypatch.delenv(name)


def project_in(folder: Path, settings: str = SETTINGS, *, commit_it: bool = True, **sample_args: Any) -> Project:
    """Make a committed project, in a folder with a blank and letters beyond ASCII in its name."""
    root = sample(folder / "mein Projekt ü", **sample_args)
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(settings)
    if commit_it:
        commit(root)
    return Project(root)


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[..., Project]:
    """Make a project as `project_in` does, in this test's own folder."""
    return functools.partial(project_in, tmp_path)


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

    @classmethod
    def of(cls, project: Project, folder: Path, servers: Servers) -> Indexes:
        """Let `servers` serve what `folder` holds, and point `project` at them."""
        for name, token in servers.tokens.items():
            servers.apps[name] = Faults(StandinIndex(folder / name, token))
        env = {VARIABLE: json.dumps(servers.urls)}
        env |= {f"{name.upper()}_TOKEN": token for name, token in servers.tokens.items()}
        project.env |= env
        return cls(folder, servers.apps["testpypi"], servers.apps["pypi"], env, servers.urls)

    def held(self, index: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / index).iterdir()}


@dataclass
class Servers:
    """Two servers on this machine that keep their addresses while what they serve is exchanged."""

    urls: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    apps: dict[str, Faults] = field(default_factory=dict)

    def answer(self, name: str, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        return self.apps[name](environ, start)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    servers = Servers()
    with contextlib.ExitStack() as stack:
        for name, location in LOCATIONS.items():
            servers.tokens[name] = tokens.make(location)
            servers.urls[name] = stack.enter_context(launch.serving(functools.partial(servers.answer, name)))
        yield servers


class MadeOnce(Protocol):
    """Return a folder that `make` fills, once for all workers of pytest-xdist."""

    def __call__(self, name: str, make: Callable[[Path], object]) -> Path: ...


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    base = tmp_path_factory.getbasetemp()
    place = base.parent if WORKER else base

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, whole = place / name, place / f"{name}.made"
        with FileLock(place / f"{name}.lock"):
            if not whole.exists():
                shutil.rmtree(folder, ignore_errors=True)  # what failed in another worker
                folder.mkdir()
                make(folder)
                whole.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def programs(made_once: MadeOnce) -> Path:
    """The programs of index servers that others wrote."""
    return Venv(made_once("servers", others.install)).scripts


@pytest.fixture(scope="session")
def devpi(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Iterator[others.Devpi]:
    """A real devpi server; each test makes indexes of its own on it."""
    with others.devpi(programs, tmp_path_factory.mktemp("devpi") / "files") as server:
        yield server


@pytest.fixture
def indexes(tmp_path: Path, project: Project, servers: Servers) -> Indexes:
    """Two empty stand-ins, with `project` pointed at them."""
    return Indexes.of(project, tmp_path / "indexes", servers)


@dataclass
class Rehearsal:
    """The default project, taken from session to session once; tests get copies of how it was after each.

    All its commits are equal, so what was made from one copy of it fits every other.
    """

    servers: Servers
    made_once: MadeOnce

    def after(self, session: str) -> Path:
        """Return a folder with "dist", "release-record" and "indexes" as `session` leaves them."""
        number = SESSIONS.index(session)
        last = self.after(SESSIONS[number - 1]) if number else None
        own = (
            WORKER if session in {"testpypi", "verify"} else ""
        )  # the record has the addresses of this worker's servers
        return self.made_once(f"after-{session}{own}", lambda place: self._run(session, last, place))

    def _run(self, session: str, last: Path | None, place: Path) -> None:
        project = project_in(place / "project")
        if last:
            copy_state(last, project, place / "indexes")
        served, self.servers.apps = self.servers.apps, {}
        Indexes.of(project, place / "indexes", self.servers)
        ended = project.step(session, alone=True)
        self.servers.apps = served
        assert ended.code == 0, ended.output
        for name in OUTPUTS:
            shutil.move(project.root / name, place / name)


SESSIONS = ("build", "check", "testpypi", "verify")
OUTPUTS = ("dist", "release-record")


def copy_state(state: Path, project: Project, indexes: Path) -> None:
    """Put what `Rehearsal.after` returned into `project` and the folder of its indexes."""
    for name in OUTPUTS:
        shutil.copytree(state / name, project.root / name, dirs_exist_ok=True)
    shutil.copytree(state / "indexes", indexes, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def rehearsal(servers: Servers, made_once: MadeOnce) -> Rehearsal:
    return Rehearsal(servers, made_once)


@pytest.fixture
def bring(tmp_path: Path, project: Project, rehearsal: Rehearsal) -> Callable[[str], Project]:
    """Bring `project` (and its indexes, where the test has them) to where a session leaves it."""

    def to(session: str) -> Project:
        copy_state(rehearsal.after(session), project, tmp_path / "indexes")
        return project

    return to


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The command `seatrial`, installed from a copy of this working tree with what it needs."""
    folder = tmp_path_factory.mktemp("command")
    ignore = shutil.ignore_patterns(".*", "__pycache__", "dist", "release-record")
    source = shutil.copytree(HERE, folder / "source", ignore=ignore)
    environment = folder / "environment"
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    uv = (find_uv_bin(), "--quiet", "--no-config")
    subprocess.run([*uv, "venv", "--python", sys.executable, str(environment)], check=True)
    subprocess.run([*uv, "pip", "install", "--python", str(python), str(source)], check=True)
    yield python.with_name("seatrial.exe" if os.name == "nt" else "seatrial")
    shutil.rmtree(folder, ignore_errors=True)
