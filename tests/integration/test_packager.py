"""The sdist as packagers build it: without git, without network once its requirements are there, on old Pythons."""

from __future__ import annotations

import json
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from seatrial.project.pythons import KNOWN_PYTHONS, is_here
from seatrial.release.record import load
from seatrial.release.stages import Verified
from seatrial.standin import launch
from tests.integration.conftest import RUNNING, SETTINGS, Project, project_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

posix = pytest.mark.skipif(os.name == "nt", reason="on Windows the program git stays in reach")

# A backend in the tree: flit-core's, after something else was done.
BACKEND = """\
import http.client
import os
import subprocess
from pathlib import Path

from flit_core import buildapi
from flit_core.buildapi import build_sdist

HERE = Path(__file__).parent


def ask_git():
    return subprocess.run(["git", "ls-files"], stdout=subprocess.PIPE, check=True)


def fetch(url):
    connection = http.client.HTTPConnection(os.environ.get("http_proxy", url).partition("//")[2])
    connection.request("GET", url)
    answer = connection.getresponse()
    if answer.status != 200:
        raise OSError(answer.status)
    (HERE / "src" / "demo" / "fetched.txt").write_bytes(answer.read())


def build_wheel(*args, **settings):
    {work}
    return buildapi.build_wheel(*args, **settings)
"""
BUILD_SYSTEM = 'build-backend = "flit_core.buildapi"', 'build-backend = "backend"\nbackend-path = ["."]'
INCLUDED = '\n[tool.flit.sdist]\ninclude = ["backend.py"]\n'


@pytest.fixture
def fetched_from(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of something to download, without a proxy of this machine."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def app(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        return [b"from the network"]

    with launch.serving(app) as url:
        yield url


@pytest.fixture
def with_backend(tmp_path: Path) -> Callable[[str], Project]:
    def make(work: str) -> Project:
        files = {"backend.py": BACKEND.replace("{work}", work)}
        project = project_in(tmp_path, SETTINGS + INCLUDED, files=files)
        pyproject = (project.root / "pyproject.toml").read_text(encoding="utf-8").replace(*BUILD_SYSTEM)
        project.change({"pyproject.toml": pyproject})
        return project

    return make


def wheel_of(project: Project) -> Mapping[str, bytes]:
    (wheel,) = project.dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@posix
def test_an_sdist_that_needs_git_stops_the_build_and_says_so(with_backend: Callable[[str], Project]) -> None:
    project = with_backend("ask_git()")
    done = project.step("build")
    assert done.code == 1
    assert done.shows("The wheel cannot be built from demo-1.0.tar.gz: its build calls `git ls-files`")
    assert done.shows("What to do: let the sdist carry what git said: setuptools-scm, hatch-vcs")
    assert not project.dist.exists()


@posix
def test_git_that_is_not_needed_stops_nothing(with_backend: Callable[[str], Project]) -> None:
    project = with_backend("subprocess.run(['git', '--version'], check=False)")
    done = project.step("build")
    assert done.code == 0, done.output
    assert project.stage("built.json")["reached"] == []
    assert "asked for" not in done.output


@posix
def test_git_as_a_program_is_let_through_and_told(with_backend: Callable[[str], Project]) -> None:
    project = with_backend("subprocess.run(['git', '--version'], check=True)")
    done = project.step("check")
    assert done.code == 0, done.output
    assert done.shows("asked for git (`git --version`): building it again with that in reach")
    assert done.shows(
        "release-build-reaches: the build of the wheel from the sdist asked for more than its requirements:"
    )
    assert done.shows("git --version")
    assert project.stage("built.json")["reached"] == ["git --version"]


def test_what_is_downloaded_in_a_hook_is_let_through_and_told(
    with_backend: Callable[[str], Project], fetched_from: str
) -> None:
    project = with_backend(f"fetch({fetched_from!r})")
    done = project.step("check")
    assert done.code == 0, done.output
    assert done.shows("asked for the network (127.0.0.1): building it again with that in reach")
    assert done.shows(
        "release-build-reaches: the build of the wheel from the sdist asked for more than its requirements:"
    )
    assert wheel_of(project)["demo/fetched.txt"] == b"from the network"


def test_what_is_left_out_without_network_is_not_left_out_of_the_wheel(
    with_backend: Callable[[str], Project], fetched_from: str
) -> None:
    project = with_backend(f"try: fetch({fetched_from!r})\n    except OSError: pass")
    done = project.step("build")
    assert done.code == 0, done.output
    assert wheel_of(project)["demo/fetched.txt"] == b"from the network"
    assert project.stage("built.json")["reached"] == ["127.0.0.1"]


def test_a_failure_that_asked_for_nothing_is_not_tried_again(with_backend: Callable[[str], Project]) -> None:
    project = with_backend("raise SystemExit(f'broken {HERE.name}')")
    done = project.step("build")
    assert done.code == 1
    assert done.shows("The build of the wheel failed (exit code 1). Its output:")
    assert done.shows("broken demo-1.0")
    assert done.output.count("| building the wheel") == 1
    assert not project.dist.exists()


LOWEST = next((one for one in KNOWN_PYTHONS if one != RUNNING and is_here(one)), None)


@pytest.fixture
def for_lowest(tmp_path: Path) -> Callable[[str], Project]:
    """Make a project for the lowest Python that is here and for the one that runs us, with a line of `requires`."""
    if LOWEST is None or KNOWN_PYTHONS.index(LOWEST) > KNOWN_PYTHONS.index(RUNNING):
        pytest.skip("there is no older Python on PATH")

    def make(requirement: str) -> Project:
        settings = SETTINGS.replace(f'["{RUNNING}"]', f'["{LOWEST}", "{RUNNING}"]')
        project = project_in(tmp_path, settings)
        text = (project.root / "pyproject.toml").read_text(encoding="utf-8")
        text = text.replace('requires-python = ">=3.10"', f'requires-python = ">={LOWEST}"')
        project.change({"pyproject.toml": text.replace('["flit_core>=3.12"]', f'["flit_core>=3.4", {requirement!r}]')})
        return project

    return make


def test_the_sdist_is_built_and_verified_on_the_lowest_python(
    for_lowest: Callable[[str], Project], tmp_path: Path
) -> None:
    project = for_lowest("packaging")
    done = project.step("dryrun", "--keep", str(tmp_path / "kept"))
    assert done.code == 0, done.output
    tried = json.loads((tmp_path / "kept" / "release-record" / "checked.json").read_text(encoding="utf-8"))["trials"]
    assert ("demo-1.0.tar.gz", LOWEST) in {(trial["filename"], trial["python"]) for trial in tried}
    (path,) = (tmp_path / "kept" / "release-record").glob(f"verified-{LOWEST}-*-sdist.json")
    verified = load(path, Verified)
    assert verified.filename == "demo-1.0.tar.gz"
    assert verified.python_version.startswith(f"{LOWEST}.")


def test_an_sdist_that_cannot_be_built_on_the_lowest_python_is_found_before_an_upload(
    for_lowest: Callable[[str], Project],
) -> None:
    project = for_lowest(f'no-such-backport-of-ours; python_version < "{RUNNING}"')
    done = project.step("check")
    assert done.code == 1
    assert done.shows(
        f"demo-1.0.tar.gz: On Python {LOWEST}: demo-1.0.tar.gz could not be installed", "no-such-backport"
    )
    assert done.shows("The files do not work once installed: 1 error.")
