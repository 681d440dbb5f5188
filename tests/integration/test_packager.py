"""The sdist as packagers build it: without git, and without network once its requirements are there."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from tasks import standin
from tests.integration.conftest import SETTINGS, Project, project_in

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

    with standin.serving(app) as url:
        yield url


@pytest.fixture
def with_backend(tmp_path: Path, envdir: Path) -> Callable[[str], Project]:
    def make(work: str) -> Project:
        files = {"backend.py": BACKEND.replace("{work}", work)}
        project = project_in(tmp_path, envdir, SETTINGS + INCLUDED, files=files)
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
    done = project.nox("build")
    assert done.code == 1
    assert done.shows("The wheel cannot be built from demo-1.0.tar.gz: its build calls `git ls-files`")
    assert done.shows("What to do: let the sdist carry what git said: setuptools-scm, hatch-vcs")
    assert not project.dist.exists()


@posix
def test_git_that_is_not_needed_stops_nothing(with_backend: Callable[[str], Project]) -> None:
    project = with_backend("subprocess.run(['git', '--version'], check=False)")
    done = project.nox("build")
    assert done.code == 0, done.output
    assert project.stage("built.json")["reached"] == []
    assert "asked for" not in done.output


@posix
def test_git_as_a_program_is_let_through_and_told(with_backend: Callable[[str], Project]) -> None:
    project = with_backend("subprocess.run(['git', '--version'], check=True)")
    done = project.nox("check")
    assert done.code == 0, done.output
    assert done.shows("asked for git (`git --version`): building it again with that in reach")
    assert done.shows("asked for more than its requirements: | git --version [release-build-reaches]")
    assert project.stage("built.json")["reached"] == ["git --version"]


def test_what_is_downloaded_in_a_hook_is_let_through_and_told(
    with_backend: Callable[[str], Project], fetched_from: str
) -> None:
    project = with_backend(f"fetch({fetched_from!r})")
    done = project.nox("check")
    assert done.code == 0, done.output
    assert done.shows("asked for the network (127.0.0.1): building it again with that in reach")
    assert done.shows("asked for more than its requirements: | 127.0.0.1 [release-build-reaches]")
    assert wheel_of(project)["demo/fetched.txt"] == b"from the network"


def test_what_is_left_out_without_network_is_not_left_out_of_the_wheel(
    with_backend: Callable[[str], Project], fetched_from: str
) -> None:
    project = with_backend(f"try: fetch({fetched_from!r})\n    except OSError: pass")
    done = project.nox("build")
    assert done.code == 0, done.output
    assert wheel_of(project)["demo/fetched.txt"] == b"from the network"
    assert project.stage("built.json")["reached"] == ["127.0.0.1"]


def test_a_failure_that_asked_for_nothing_is_not_tried_again(with_backend: Callable[[str], Project]) -> None:
    project = with_backend("raise SystemExit(f'broken {HERE.name}')")
    done = project.nox("build")
    assert done.code == 1
    assert done.shows("The build of the wheel failed (exit code 1). Its own words:")
    assert done.output.count("| broken demo-1.0") == 1
    assert not project.dist.exists()
