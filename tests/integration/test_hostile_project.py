"""A hostile project, as a plain user: its build, its dependency and all it runs look for secrets that are set.

What they may find is what docs/explanation/security.md names as left: the environment of the shell itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from seatrial.index.tokens import make
from seatrial.standin import launch
from seatrial.standin.server import StandinIndex
from tests.integration.conftest import HERE, RUNNING
from tests.projects import commit, write_tree
from tests.samples.copies import NOXFILE
from tests.samples.spy import hostile, spying

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what can be seen of other processes is Linux's")

NOBODY = 65534
PLAIN = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--bounding-set=-all")
# Python may lie in root's own home, which is closed to others: this shows it alone there, to these processes alone.
OPENED = """\
mount --bind "$1" "$2" && mount -t tmpfs -o mode=755 none "$3" && mkdir -p "$1" && mount --bind "$2" "$1" || exit
shift 3
exec "$@"
"""
SHELL = "the shell that exported them"
NAMES = """
    TWINE_CERT_PASSWORD UV_PUBLISH_TOKEN UV_PUBLISH_PASSWORD HATCH_INDEX_AUTH FLIT_PASSWORD POETRY_PYPI_TOKEN_PYPI
    PDM_PUBLISH_PASSWORD GITHUB_TOKEN GH_TOKEN CI_JOB_TOKEN AWS_SECRET_ACCESS_KEY NPM_TOKEN SIGSTORE_ID_TOKEN
    ACTIONS_RUNTIME_TOKEN SSH_PASSPHRASE DATABASE_URL SENTRY_DSN MY_INNOCENT_NAME NIX_CONFIG PYTHON_MY_SECRET
    TESTPYPI_READ_TOKEN DEPENDENCIES_TOKEN
""".split()
MODULE = """\
{spy}
look({who!r})

def main():
    look("{name} script")
"""


@dataclass(frozen=True)
class Scene:
    """The hostile project in the hands of a plain user, with secrets in every variable."""

    folder: Path
    root: Path
    env: dict[str, str]
    user: tuple[str, ...]

    def run(self, *argv: str) -> str:
        """Run `argv` in a shell that exported all secrets; return its output."""
        script = f'"$@"; code=$?; : "{SHELL}"; exit $code'
        done = subprocess.run(
            [*self.user, "sh", "-c", script, "sh", *argv],
            cwd=self.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def finds(self) -> list[list[object]]:
        """Return what was found, by whom and where, but for what is left and for the spies themselves."""
        notes = [json.loads(line) for line in (self.folder / "log" / "notes").read_text("utf-8").splitlines()]
        spies = {note[2] for note in notes if note[0] == "spy"} | {os.getpid()}
        rest = [note for note in notes if note[0] not in {"spy", "variable", "file"} and note[2] not in spies]
        left = [note for note in rest if SHELL in note[3]]
        assert any(note[0] == "environ" for note in left), "the spies see nothing at all"
        return [note for note in rest if note not in left] + [n for n in notes if n[0] in {"variable", "file"}]

    @property
    def spies(self) -> set[str]:
        notes = map(json.loads, (self.folder / "log" / "notes").read_text("utf-8").splitlines())
        return {note[1] for note in notes if note[0] == "spy"}


@pytest.fixture
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))  # pytest's own is closed to others
    tokens = {"TESTPYPI_TOKEN": make("testpypi.localhost"), "PYPI_TOKEN": make("pypi.org")}
    with contextlib.ExitStack() as stack:
        # One at a time: the memory of a scene's spies holds what they have read, and those of another would find it.
        stack.enter_context(FileLock(tmp_path_factory.getbasetemp().parent / "hostile.lock"))
        testpypi = stack.enter_context(launch.serving(StandinIndex(folder / "testpypi", tokens["TESTPYPI_TOKEN"])))
        others = StandinIndex(folder / "others", make("pypi.localhost"))
        yield made(folder, tokens, testpypi, stack.enter_context(launch.serving(others)))
    shutil.rmtree(folder, ignore_errors=True)


def made(folder: Path, tokens: dict[str, str], testpypi: str, dependencies: str) -> Scene:
    """Write the project, its dependency and a home into `folder`, and give them to the plain user."""
    for name in ("home", "temporary", "log"):
        (folder / name).mkdir()
    root = folder / "project"
    mark = f"canary-{uuid.uuid4().hex}-of-"  # another scene may be at work beside this one
    canaries = {name: mark + name for name in NAMES} | tokens
    places = [str(folder / name) for name in ("home", "temporary", "project")]
    spy = spying(str(folder / "log" / "notes"), places, [mark, *(token[:60] for token in tokens.values())])
    needed = hostile(
        spy, "needed", {"needed.py": MODULE.format(spy=spy, who="dependency", name="needed")}, who="its build"
    )
    build_in(write_tree(folder / "needed", needed), folder / "others")
    own = hostile(
        spy,
        "demo",
        {"demo.py": MODULE.format(spy=spy, who="module", name="demo")},
        who="backend",
        more="Requires-Dist: needed\n",
        points="[console_scripts]\ndemo = demo:main\n",
    )
    settings = (
        f'[tool.seatrial]\npythons = ["{RUNNING}"]\nindex-timeout = 30\n'
        f'smoke = ["""python -c "import needed, demo; demo.look(\'smoke\')" """, "demo"]\n'
        f'[tool.seatrial.indexes]\ntestpypi = {{ simple = "{testpypi}/simple/", upload = "{testpypi}/legacy/" }}\n'
        f'dependencies = {{ simple = "{dependencies}/simple/" }}\n'
    )
    copy = {"noxfile.py": NOXFILE, ".gitignore": ".nox/\ndist/\nrelease-record/\n__pycache__/\n"}
    copy |= {f"tasks/{name}": (HERE / "tasks" / name).read_text("utf-8") for name in ("release.py", "release.txt")}
    write_tree(root, own | copy | {"pyproject.toml": own["pyproject.toml"] + settings})
    (root / "tasks" / "seatrial").symlink_to(HERE / "tasks" / "seatrial")
    commit(root)
    for name in ("pip/pip.conf", "uv/uv.toml"):
        if (config := Path.home() / ".config" / name).exists():
            write_tree(folder / "home" / ".config", {name: config.read_text("utf-8")})
    if os.getuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    own_env = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "temporary"), "PYTHONDONTWRITEBYTECODE": "1"}
    return Scene(folder, root, {**os.environ, **canaries, **own_env}, plain(folder))


def plain(folder: Path) -> tuple[str, ...]:
    """Return the words before a command that let a plain user run it; skip the test where there is no way."""
    if os.getuid() != 0:
        return ()
    if HERE.is_relative_to(Path.home()):
        pytest.skip("this repository is in root's own home")
    python, place = Path(sys.base_prefix), folder / "python"
    opened: tuple[str, ...] = ()
    if python.is_relative_to(Path.home()):
        place.mkdir()
        opened = ("unshare", "--mount", "sh", "-c", OPENED, "sh", str(python), str(place), str(Path.home()))
    try:
        # By way of a shell: setpriv itself may still open what the user cannot.
        argv = [*opened, *PLAIN, "sh", "-c", 'exec "$1" -c ""', "sh", sys.executable]
        subprocess.run(argv, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no plain user can be made of root here")
    return (*opened, *PLAIN)


def build_in(project: Path, target: Path) -> None:
    """Build the sdist of `project` into `target`, which an index serves."""
    target.mkdir(exist_ok=True)
    script = f"import backend; backend.look = lambda who: None; backend.build_sdist({str(target)!r})"
    subprocess.run([sys.executable, "-c", script], cwd=project, check=True)


WHO = {"backend", "its build", "dependency", "module", "demo script", "smoke"}


@pytest.mark.slow
def test_verify_shows_a_hostile_project_no_secret(scene: Scene) -> None:
    output = scene.run(sys.executable, "-m", "nox", "-s", "verify")
    assert scene.finds() == []
    assert scene.spies >= WHO
    assert output.count("can read it from the environment of the shell") == 1, output


@pytest.mark.slow
def test_a_dry_run_shows_a_hostile_project_no_secret(scene: Scene) -> None:
    output = scene.run(sys.executable, "-m", "seatrial", "dryrun")
    assert scene.finds() == []
    assert scene.spies >= WHO
    assert output.count("can read it from the environment of the shell") == 1, output
