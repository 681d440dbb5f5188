"""Settings of this machine's pip and uv, and what strangers registered on the test index, change no result."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from typing import TYPE_CHECKING

import pytest

from seatrial.index.holdings import read_project
from seatrial.project.validation import DEPENDENCIES
from seatrial.release.record import load
from seatrial.release.stages import KINDS, Built, Verified
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.conftest import Indexes, Project

HOSTILE = "99.0"
TRAP = "raise SystemExit('a package of somebody else was installed')\n"


def write_wheel(folder: Path, name: str, version: str, code: str) -> Path:
    """Write a small wheel with one module into `folder` and return it."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    members = {
        f"{name}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    return path


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    """A project with a dependency."""
    return make_project(dependencies=["six"])


@pytest.fixture
def hostile(project: Project, indexes: Indexes, tmp_path: Path) -> dict[str, str]:
    """Newer doubles of the project, its dependency and its build backend: on the test index, in a folder, and in all
    settings.
    """  # noqa: D205 (one sentence)
    folder = tmp_path / "links"
    folder.mkdir()
    for place in (folder, indexes.folder / "testpypi"):
        for name in ("six", "demo", "flit_core"):
            write_wheel(place, name, HOSTILE, TRAP)
    url = f"{indexes.urls['testpypi']}/simple/"
    pip_conf = f"[global]\nfind-links = {folder}\nextra-index-url = {url}\nno-build-isolation = true\n"
    uv_toml = f'find-links = ["{folder.as_posix()}"]\nexclude-newer = "2001-01-01T00:00:00Z"\n'
    home = write_tree(tmp_path / "settings", {"pip/pip.conf": pip_conf, "uv/uv.toml": uv_toml})
    project.change({"uv.toml": uv_toml})
    return {
        "XDG_CONFIG_HOME": str(home),
        "PIP_CONFIG_FILE": str(home / "pip/pip.conf"),
        "PIP_INDEX_URL": url,
        "PIP_EXTRA_INDEX_URL": url,
        "PIP_FIND_LINKS": str(folder),
        "PIP_NO_DEPS": "1",
        "UV_DEFAULT_INDEX": url,
        "UV_INDEX_URL": url,
        "UV_INDEX": url,
        "UV_EXTRA_INDEX_URL": url,
        "UV_FIND_LINKS": str(folder),
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_EXCLUDE_NEWER": "2001-01-01T00:00:00Z",
        "UV_NO_BUILD_ISOLATION": "1",
        "PYTHONPATH": str(write_tree(tmp_path / "path", {"six.py": TRAP, "demo.py": TRAP})),
    }


@pytest.mark.parametrize("uv", [True, False], ids=["uv", "pip"])
def test_what_is_installed_is_what_was_released_and_what_pypi_has(
    project: Project, indexes: Indexes, hostile: dict[str, str], *, uv: bool
) -> None:
    assert project.step("testpypi").code == 0
    done = project.step("verify", alone=True, uv=uv, **hostile)
    assert done.code == 0, done.output
    assert done.shows("1 dependency from PyPI")
    of_pypi = {file.sha256 for file in read_project(DEPENDENCIES, "six").files}
    built = {dist.kind: dist.sha256 for dist in load(project.record / "built.json", Built).dists}
    for kind in KINDS:
        (path,) = project.record.glob(f"verified-*-{kind}.json")
        installed = {
            one.name: one for one in load(path, Verified).installed if one.name != "pip"
        }  # it was there before
        assert set(installed) == {"demo", "six"}
        assert (installed["demo"].version, installed["demo"].sha256) == ("1.0", built[kind])
        assert (installed["demo"].origin or "").startswith(f"{indexes.urls['testpypi']}/packages/demo-1.0")
        assert installed["six"].version != HOSTILE
        assert (installed["six"].origin or "").startswith("https://")
        assert installed["six"].sha256 in of_pypi


def test_the_trial_of_check_and_the_tools_are_not_misled_either(project: Project, hostile: dict[str, str]) -> None:
    del hostile["PYTHONPATH"]  # nox itself would read it
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        del hostile[name]  # where this machine takes its tools from, which are locked by hash
    assert project.step("build").code == 0
    project.env |= hostile
    done = project.step("check", "--offline", alone=True)
    assert done.code == 0, done.output
    (trial, _) = project.stage("checked.json")["trials"]
    assert HOSTILE not in {one["version"] for one in trial["installed"]}


def test_an_environment_that_is_active_elsewhere_gets_nothing_of_ours(project: Project, tmp_path: Path) -> None:
    """As where we are started by a session of another nox, which names its own environment to uv."""
    uv = shutil.which("uv", path=sysconfig.get_path("scripts")) or shutil.which("uv")
    if uv is None:
        pytest.skip("only uv has settings for this")
    active = tmp_path / "active"
    subprocess.run([uv, "venv", "--quiet", "--no-config", "--python", sys.executable, str(active)], check=True)
    before = set(active.rglob("*"))
    project.env |= dict.fromkeys(("VIRTUAL_ENV", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT"), str(active))
    done = project.step("build")
    assert done.code == 0, done.output
    assert set(active.rglob("*")) == before
