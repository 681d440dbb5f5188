"""A marked secret in every place where one can be, and a search of everything that comes out.

Output, command lines, environments, record, files and what is left behind: none of them may hold a mark.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.cli import secrets
from seatrial.index.tokens import make
from seatrial.standin import launch
from seatrial.standin.indexes import LOCATIONS
from seatrial.standin.server import StandinIndex
from tests.index_server import ALWAYS, Faults
from tests.integration.conftest import HERE, RUNNING, Indexes
from tests.oidc_server import REQUEST_TOKEN, Issuer
from tests.projects import git, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.conftest import Ended, Project

PROC = Path("/proc")
GUARDED = str(HERE / "tests" / "guarded.py")
pytestmark = pytest.mark.skipif(not (PROC / "self" / "environ").exists(), reason="needs /proc")

MARK = f"canary{os.getpid()}"  # other runs of these tests have marks of their own
GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "ada/demo",
    "GITHUB_WORKFLOW_REF": "ada/demo/.github/workflows/release.yml@refs/tags/v1.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
}
SPY_VARIABLES = """\
import json, os, sys
with open({log!r}, "a", encoding="utf-8") as log:
    log.write(json.dumps([{who!r}, sys.argv, dict(os.environ)]) + "\\n")
"""
BACKEND = "from flit_core.buildapi import *\n"
PACKAGE = '''\
"""A module that tells what it sees."""

__version__ = "1.0"

{spy}

def main() -> None:
    """Do nothing."""
'''
KEYRING = """\
import keyring.backend

class Keyring(keyring.backend.KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        return {passwords!r}.get(service) if username == "__token__" else None

    def set_password(self, service, username, password):
        raise NotImplementedError
"""

# Names that speak of a secret, of every tool that has one, and names that do not.
NAMES = """
    TWINE_CERT_PASSWORD UV_PUBLISH_TOKEN UV_PUBLISH_PASSWORD HATCH_INDEX_AUTH FLIT_PASSWORD POETRY_PYPI_TOKEN_PYPI
    PDM_PUBLISH_PASSWORD GITHUB_TOKEN GH_TOKEN CI_JOB_TOKEN AWS_SECRET_ACCESS_KEY NPM_TOKEN SIGSTORE_ID_TOKEN
    ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_RUNTIME_TOKEN PYPI_ID_TOKEN TESTPYPI_ID_TOKEN SSH_PASSPHRASE
""".split()
INNOCENT = ("DATABASE_URL", "SENTRY_DSN", "MY_INNOCENT_NAME")
LOGINS = ("PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")


@dataclass
class Watch:
    """Looks at all processes and at the temporary folder, again and again, for as long as something runs."""

    temporary: Path
    marks: list[bytes]
    argvs: set[str] = field(default_factory=set)
    holders: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    uploads: int = 0
    looks: int = 0

    def marked(self, content: bytes) -> bool:
        return any(mark in content for mark in self.marks)

    def look(self) -> None:
        self.looks += 1
        for process in PROC.glob("[0-9]*"):
            with contextlib.suppress(OSError):
                line = (process / "cmdline").read_bytes()
                argv = line.replace(b"\0", b" ").decode(errors="replace").strip()
                self.uploads += is_upload(argv)
                if self.marked(argv.encode()) and not is_ours(argv):  # what a user typed is not ours
                    self.argvs.add(argv)
                variables = (process / "environ").read_bytes().split(b"\0")
                if (process / "cmdline").read_bytes() != line:  # another program was started meanwhile
                    continue
                if is_ours(argv):  # what does not look like a secret stays there, and goes nowhere else
                    variables = [line for line in variables if not line.startswith(tuple(map(str.encode, INNOCENT)))]
                if self.marked(b"\0".join(variables)):
                    self.holders.add(argv)
        self.files |= {str(path) for path in found(self.temporary, self.marked)}

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        ended = threading.Event()

        def loop() -> None:
            while not ended.wait(0.05):
                self.look()

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def found(folder: Path, marked: Callable[[bytes], bool]) -> Iterator[Path]:
    """Yield the files under `folder` that hold a mark, packed ones included; installed packages are left out."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in {"site-packages", ".git"}]
        for name in names:
            path = Path(parent, name)
            with contextlib.suppress(OSError):
                if any(map(marked, contents(path))):
                    yield path


def contents(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    elif path.name.endswith(".tar.gz"):
        yield subprocess.run(["gzip", "-dc", str(path)], capture_output=True, check=False).stdout


@dataclass
class Scene:
    """The project with all its secrets, and what is watched."""

    project: Project
    indexes: Indexes
    watch: Watch
    log: Path
    kept: Path
    outputs: list[str] = field(default_factory=list)

    def argv(self, step: str, *options: str) -> list[str]:
        return [sys.executable, "-I", GUARDED, step, "-v", *options]

    def step(self, step: str, *options: str, **env: str) -> Ended:
        """Run `step`, as loudly as it can."""
        with self.watch.watching():
            done = self.project.run(self.argv(step, *options), **env)
        self.outputs.append(done.output)
        return done

    def seen(self, who: str) -> list[dict[str, str]]:
        """Return the environments that the spy `who` saw."""
        lines = map(json.loads, self.log.read_text(encoding="utf-8").splitlines())
        return [env for name, _argv, env in lines if name == who]

    def leaks(self) -> list[str]:
        """Return every place where a mark came out."""
        places = [f"output {number}" for number, text in enumerate(self.outputs) if self.watch.marked(text.encode())]
        places += [f"argv: {argv}" for argv in self.watch.argvs] + [f"temporary: {path}" for path in self.watch.files]
        roots = (self.project.root, self.watch.temporary, self.kept, self.log.parent)
        places += [f"file: {path}" for root in roots for path in found(root, self.watch.marked)]
        strangers = [argv for argv in self.watch.holders if not may_hold(argv)]
        return places + [f"environment: {argv}" for argv in strangers]


def is_typed(argv: str) -> bool:
    """Whether a process is the program as it was started, before it has started itself again."""
    return argv.split()[2:3] == [GUARDED] and secrets.OPTION not in argv


def is_ours(argv: str) -> bool:
    """Whether a process is the program at work."""
    return argv.split()[2:3] == [GUARDED]


def is_upload(argv: str) -> bool:
    """Whether a process is the twine that sends."""
    return "seatrial.index.uploads.uploader" in argv


def may_hold(argv: str) -> bool:
    """Whether a process may have a secret in its environment: the program for a moment, and twine a CI's identity."""
    return is_typed(argv) or is_upload(argv)


def marks_of(secret: str) -> list[bytes]:
    """Return what of `secret` must not show: itself, also narrowed and as HTTP sends it."""
    head = secret[:70]  # up to the identifier; a narrowed token begins so too
    login = base64.b64encode(f"__token__:{head}".encode())[:60]
    return [head.encode(), login]


@pytest.fixture
def project(make_project: Callable[..., Project], tmp_path: Path) -> Project:
    """A project whose build backend, module and smoke command tell what they see."""
    log = tmp_path / "log" / "seen.jsonl"
    log.parent.mkdir()
    spy = {who: SPY_VARIABLES.format(log=str(log), who=who) for who in ("backend", "package")}
    made = make_project(
        settings=f'\n[tool.seatrial]\npythons = ["{RUNNING}"]\nindex-timeout = 5\nsmoke = ["demo"]\n',
        files={"spy.py": BACKEND + spy["backend"], "src/demo/__init__.py": PACKAGE.format(spy=spy["package"])},
        commit_it=False,
    )
    pyproject = made.root / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    text = text.replace('"flit_core.buildapi"', '"spy"\nbackend-path = ["."]')
    pyproject.write_text(text + '\n[tool.flit.sdist]\ninclude = ["spy.py"]\n', encoding="utf-8")
    made.change({})
    git(made.root, "remote", "add", "origin", f"https://ada:{MARK}-remote@example.org/demo.git")
    return made


@pytest.fixture
def scene(project: Project, indexes: Indexes, tmp_path: Path) -> Iterator[Scene]:
    with made_scene(project, indexes, tmp_path) as made:
        tokens = [indexes.env[f"{name}_TOKEN"] for name in ("TESTPYPI", "PYPI")]
        made.watch.marks += [mark for token in tokens for mark in marks_of(token)]
        yield made


@contextlib.contextmanager
def made_scene(project: Project, indexes: Indexes, folder: Path) -> Iterator[Scene]:
    """Put secrets into every place of `project` and its surroundings; in the end none of them may have come out."""
    temporary = folder / "temporary"
    temporary.mkdir()
    project.env |= {name: f"{MARK}-{name}" for name in (*NAMES, *INNOCENT)}
    project.env |= {name: f"https://ada:{MARK}-{name}@index.example/simple/" for name in LOGINS}
    project.env |= {"HOME": str(home(folder)), "TMPDIR": str(temporary)}
    watch = Watch(temporary, [f"{MARK}-".encode()])
    made = Scene(project, indexes, watch, folder / "log" / "seen.jsonl", folder / "kept")
    yield made
    assert made.watch.looks
    leaks = made.leaks()
    assert not leaks, "\n".join(leaks)


def home(folder: Path) -> Path:
    """Make a home with secrets in it, and with the caches and package settings of the real one."""
    made = write_tree(
        folder / "home",
        {
            ".pypirc": f"[distutils]\nindex-servers = pypi\n[pypi]\nusername = __token__\npassword = {MARK}-pypirc\n",
            ".netrc": f"machine example.org login ada password {MARK}-netrc\n",
        },
    )
    (made / ".config").mkdir()
    for name in (".cache", ".config/pip", ".config/uv", ".local"):
        if (Path.home() / name).exists():
            (made / name).symlink_to(Path.home() / name)
    return made


def fill_keyring(scene: Scene, **found: str) -> None:
    """Give this home a keyring with passwords by index, a real one for all that twine knows."""
    folder = Path(scene.project.env["HOME"]).parent / "keyring"
    by_url = {f"{scene.indexes.urls[name]}/legacy/": password for name, password in found.items()}
    write_tree(folder / "backend", {"canary_keyring.py": KEYRING.format(passwords=by_url)})
    settings = f"[backend]\ndefault-keyring=canary_keyring.Keyring\nkeyring-path={folder / 'backend'}\n"
    write_tree(Path(scene.project.env["HOME"]), {".config/python_keyring/keyringrc.cfg": settings})


def test_a_whole_release_shows_no_secret(scene: Scene) -> None:
    for step, *options in (["build"], ["check"], ["testpypi"], ["verify"], ["pypi", "--yes", "1.0"], ["status"]):
        done = scene.step(step, *options)
        assert done.code == 0, done.output
    assert scene.step("inspect", *map(str, scene.project.dist.iterdir())).code == 0
    assert scene.indexes.held("pypi") == scene.project.files()
    assert all(name in scene.outputs[0] for name in ("PYPI_TOKEN", "UV_PUBLISH_TOKEN", "PIP_EXTRA_INDEX_URL"))
    assert scene.seen("backend")
    assert scene.seen("package")
    assert scene.watch.uploads
    assert not any(map(is_upload, scene.watch.holders))  # twine reads its token from a pipe


def test_a_dry_run_shows_no_secret(scene: Scene) -> None:
    done = scene.step("dryrun", "--keep", str(scene.kept))
    assert done.code == 0, done.output
    assert scene.seen("backend")


@pytest.fixture
def checked(scene: Scene) -> Scene:
    done = scene.step("check")
    assert done.code == 0, done.output
    return scene


def test_no_fault_shows_a_secret(checked: Scene) -> None:
    faults: list[tuple[str, str, Any]] = [
        ("status", "POST", "403 Invalid or non-existent authentication information."),
        ("status", "POST", "400 Bad Request"),
        ("status", "GET", "403 Forbidden"),
        ("html", "GET", None),
    ]
    for kind, method, detail in faults:
        checked.indexes.testpypi.orders.clear()
        checked.indexes.testpypi.order(kind, method=method, times=ALWAYS, detail=detail)
        assert checked.step("testpypi").code == 1
    checked.indexes.testpypi.orders.clear()
    swapped = {"TESTPYPI_TOKEN": checked.indexes.env["PYPI_TOKEN"], "PYPI_TOKEN": checked.indexes.env["TESTPYPI_TOKEN"]}
    wrong: list[dict[str, str]] = [
        swapped,
        {"TWINE_PASSWORD": f"pypi-{MARK}-other"},
        {"TWINE_USERNAME": "ada", "TWINE_PASSWORD": f"{MARK}-password"},
        {"TESTPYPI_TOKEN": f"{MARK}-no-prefix"},
        {"TESTPYPI_TOKEN": f'"pypi-{MARK}-quotes"'},
        {"TESTPYPI_TOKEN": f"pypi-{MARK}-unknown-format"},
    ]
    for env in wrong:
        assert checked.step("testpypi", **env).code == 1
    assert checked.step("testpypi", checked.indexes.env["TESTPYPI_TOKEN"]).code == 1
    assert checked.indexes.held("testpypi") == {}


@pytest.mark.slow
def test_no_fault_that_is_got_over_shows_a_secret(checked: Scene) -> None:
    """Each of them makes twine, or us, say something and try again; then the same files are sent to an empty index."""
    faults: list[tuple[str, str, Any]] = [
        ("status", "POST", "503 Service Unavailable"),
        ("reset", "POST", None),
        ("slow", "POST", 1.0),
        ("stored-then-502", "POST", None),
        ("truncated", "GET", None),
    ]
    indexes = checked.indexes
    for kind, method, detail in faults:
        indexes.testpypi.inner = StandinIndex(indexes.folder / f"after-{kind}", indexes.env["TESTPYPI_TOKEN"])
        indexes.testpypi.order(kind, method=method, detail=detail)
        done = checked.step("testpypi")
        assert done.code == 0, done.output
        (checked.project.record / "rehearsed.json").unlink()


def test_no_fault_after_the_rehearsal_shows_a_secret(checked: Scene) -> None:
    assert checked.step("testpypi").code == 0
    checked.indexes.testpypi.order("body", prefix="/packages/", times=ALWAYS, detail=b"other bytes")
    assert checked.step("verify").code == 1
    checked.indexes.testpypi.orders.clear()
    assert checked.step("verify").code == 0
    assert checked.step("pypi").code == 1  # not confirmed
    assert checked.step("pypi", "--yes", "1.0", PYPI_TOKEN=f"pypi-{MARK}-unknown-format").code == 1
    checked.indexes.pypi.order("status", method="POST", times=ALWAYS, detail="403 Forbidden")
    assert checked.step("pypi", "--yes", "1.0").code == 1
    assert checked.indexes.held("pypi") == {}
    assert checked.step("status", "--remote").code in {0, 1}


def test_a_token_from_the_keyring_is_used_and_not_shown(checked: Scene) -> None:
    fill_keyring(checked, testpypi=checked.indexes.env["TESTPYPI_TOKEN"])
    del checked.project.env["TESTPYPI_TOKEN"]
    done = checked.step("testpypi")
    assert done.code == 0, done.output
    assert "credential: the keyring, a token of the stand-in" in done.output
    assert checked.indexes.held("testpypi") == checked.project.files()


def on_a_terminal(scene: Scene, step: str, typed: str, **env: str) -> tuple[int, str]:
    """Run `step` on a terminal where `typed` is typed when a token is asked for; return its exit code and output."""
    import pty  # noqa: PLC0415 (not there on Windows, which skips this module)

    terminal, inside = pty.openpty()
    shown = b""
    with scene.watch.watching():
        run = subprocess.Popen(
            scene.argv(step),
            cwd=scene.project.root,
            env=os.environ | scene.project.env | env,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        with contextlib.suppress(OSError):  # how a terminal says that everybody has left
            while some := os.read(terminal, 4096):
                shown += some
                if typed and b"(it is not shown)" in shown:
                    os.write(terminal, typed.encode() + b"\n")
                    typed = ""
        code = run.wait()
    os.close(terminal)
    scene.outputs.append(shown.decode("utf-8", "replace"))
    return code, scene.outputs[-1]


def test_a_token_that_is_typed_is_used_and_not_shown(checked: Scene) -> None:
    token = checked.project.env.pop("TESTPYPI_TOKEN")
    code, shown = on_a_terminal(checked, "testpypi", token)
    assert code == 0, shown
    assert "credential: the terminal, a token of the stand-in" in shown
    assert checked.indexes.held("testpypi") == checked.project.files()


def test_in_ci_nobody_is_asked_for_a_token(checked: Scene) -> None:
    token = checked.project.env.pop("TESTPYPI_TOKEN")
    code, shown = on_a_terminal(checked, "testpypi", token, CI="true")
    assert code == 1, shown
    assert "No upload to TestPyPI (stand-in): no credential found." in shown
    assert "(it is not shown)" not in shown


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_an_upload_that_is_interrupted_leaves_no_secret(checked: Scene, name: str) -> None:
    checked.indexes.testpypi.order("slow", method="POST", detail=3.0)
    with (
        checked.watch.watching(),
        subprocess.Popen(
            checked.argv("testpypi"),
            cwd=checked.project.root,
            env=os.environ | checked.project.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as run,
    ):
        while run.poll() is None and not checked.watch.uploads:
            time.sleep(0.05)
        run.send_signal(getattr(signal, name))
        assert run.stdout is not None
        checked.outputs.append(run.stdout.read().decode("utf-8", "replace"))
    assert run.returncode != 0


# With the CI's identity, at the public addresses of both indexes.


@dataclass
class Ci:
    """A job on GitHub with an identity, PyPI and TestPyPI under their own names, and what is watched."""

    scene: Scene
    issuers: dict[str, Issuer]

    @property
    def asked(self) -> dict[str, list[str]]:
        return {name: [path.rpartition("/")[2] for path in issuer.asked] for name, issuer in self.issuers.items()}


@pytest.fixture
def job(project: Project, tmp_path: Path) -> Iterator[Ci]:
    public = pytest.importorskip("tests.public", reason="trustme is not installed (dependency group `test`)")
    files = tmp_path / "indexes"
    tokens = {name: make(location) for name, location in LOCATIONS.items()}
    faults = {name: Faults(StandinIndex(files / name, token)) for name, token in tokens.items()}
    issuers = {name: Issuer(app, tokens[name], audience=name) for name, app in faults.items()}
    pypi = public.Beside(issuers["pypi"], "demo", "https://pypi.org")
    hosts = {"test.pypi.org": issuers["testpypi"], "upload.pypi.org": issuers["pypi"], "pypi.org": pypi}
    indexes = Indexes(files, faults["testpypi"], faults["pypi"], {}, {})
    with (
        public.standing_in(tmp_path, hosts) as found,
        launch.serving(issuers["pypi"]) as github,
        made_scene(project, indexes, tmp_path) as scene,
    ):
        project.env |= found | GITHUB | {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{github}/identity?api-version=2.0"}
        scene.watch.marks += [mark for secret in (REQUEST_TOKEN, *tokens.values()) for mark in marks_of(secret)]
        for issuer in issuers.values():
            issuer.on_secret = lambda secret: scene.watch.marks.append(secret.encode())
        yield Ci(scene, issuers)


def test_a_release_with_an_identity_shows_no_secret(job: Ci) -> None:
    for step, *options in (["check"], ["testpypi"], ["verify"], ["pypi", "--yes", "1.0"], ["status"]):
        done = job.scene.step(step, *options)
        assert done.code == 0, done.output
    said = "".join(job.scene.outputs)
    assert said.count("credential: the CI's identity (trusted publishing)") == 2
    assert "https://test.pypi.org/project/demo/1.0/" in said
    assert "https://pypi.org/project/demo/1.0/" in said
    assert job.scene.indexes.held("pypi") == job.scene.indexes.held("testpypi") == job.scene.project.files()
    assert job.asked["testpypi"] == ["audience", "mint-token", "burn-token"]
    assert job.asked["pypi"] == ["identity", "audience", "identity", "mint-token", "burn-token"]
    assert all(issuer.burnt for issuer in job.issuers.values())
    assert any(map(is_upload, job.scene.watch.holders))


def test_no_fault_on_the_way_to_a_token_shows_a_secret(job: Ci) -> None:
    done = job.scene.step("check")
    assert done.code == 0, done.output
    issuer, faults = job.issuers["testpypi"], job.scene.indexes.testpypi
    issuer.refusal = ("invalid-publisher", "valid token, but no corresponding publisher")
    assert job.scene.step("testpypi").shows("TestPyPI has no trusted publisher for demo", "Repository name: demo")
    issuer.refusal = None
    job.issuers["pypi"].wrongly_for = "pypi"  # this one plays GitHub as well
    assert job.scene.step("testpypi").shows("Token audience claim mismatch")
    job.issuers["pypi"].wrongly_for = ""
    assert job.scene.step("testpypi", ACTIONS_ID_TOKEN_REQUEST_TOKEN=f"{MARK}-that-github-does-not-know").code == 1
    assert job.scene.step("testpypi", TESTPYPI_TOKEN=f"pypi-{MARK}-both").shows("TESTPYPI_TOKEN and the CI's own")
    faults.order("status", method="POST", detail="403 Invalid or non-existent authentication information.")
    assert job.scene.step("testpypi").code == 1
    issuer.burning = "503 Service Unavailable"
    faults.order("reset", method="POST")
    done = job.scene.step("testpypi")
    assert done.code == 0, done.output
    assert done.shows("the minted token could not be burnt (HTTP 503)")
    assert job.scene.indexes.held("testpypi") == job.scene.project.files()
