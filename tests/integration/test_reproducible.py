"""The same commit gives the same files: in another folder, at another time, with another umask and time zone."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.integration.conftest import SETTINGS, Project
from tests.projects import commit, git, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.conftest import Indexes

posix = pytest.mark.skipif(os.name == "nt", reason="a umask is POSIX")

VERSIONEER = """\
[tool.versioneer]
VCS = "git"
style = "pep440"
versionfile_source = "src/demo/_version.py"
versionfile_build = "demo/_version.py"
tag_prefix = "v"
"""

# Backends that read the version from git: what they need, and the settings that say so.
VERSIONED: dict[str, tuple[str, str]] = {
    "setuptools-scm": (
        'requires = ["setuptools>=77", "setuptools-scm>=8"]\nbuild-backend = "setuptools.build_meta"',
        "[tool.setuptools_scm]\n",
    ),
    "hatch-vcs": (
        'requires = ["hatchling", "hatch-vcs"]\nbuild-backend = "hatchling.build"',
        '[tool.hatch.version]\nsource = "vcs"\n',
    ),
    "uv-dynamic-versioning": (
        'requires = ["hatchling", "uv-dynamic-versioning"]\nbuild-backend = "hatchling.build"',
        '[tool.hatch.version]\nsource = "uv-dynamic-versioning"\n',
    ),
    "flit-scm": (
        'requires = ["flit_scm"]\nbuild-backend = "flit_scm:buildapi"',
        '[tool.setuptools_scm]\nwrite_to = "src/demo/_version.py"\n',
    ),
    "versioneer": (
        'requires = ["setuptools>=77", "versioneer[toml]"]\nbuild-backend = "setuptools.build_meta"',
        VERSIONEER,
    ),
}
PYPROJECT = """\
[build-system]
{build_system}

[project]
name = "demo"
description = "A project with its version in git"
dynamic = ["version"]
requires-python = ">=3.10"

{settings}
{own}
"""
PBR = """\
[metadata]
name = demo
summary = A project

[options]
packages = find:
package_dir =
    = src
"""
SETUP = "import setuptools\n\nsetuptools.setup(setup_requires=['pbr'], pbr=True)\n"
SETUP_VERSIONEER = """\
import setuptools
import versioneer

setuptools.setup(version=versioneer.get_version(), cmdclass=versioneer.get_cmdclass())
"""


def versioned(root: Path, tool: str) -> Project:
    """Write a project whose version comes from git by `tool`."""
    files = {"src/demo/__init__.py": '"""A module to import."""\n'}
    files |= {".gitignore": "dist/\nrelease-record/\n*.egg-info/\n"}
    if tool == "pbr":
        build_system = 'requires = ["setuptools>=77,<81", "pbr>=6"]\nbuild-backend = "pbr.build"'
        files |= {"pyproject.toml": f"[build-system]\n{build_system}\n{SETTINGS}", "setup.cfg": PBR, "setup.py": SETUP}
        return Project(write_tree(root, files))
    if tool == "versioneer":
        files |= {"setup.py": SETUP_VERSIONEER, "src/demo/_version.py": ""}
    build_system, settings = VERSIONED[tool]
    files["pyproject.toml"] = PYPROJECT.format(build_system=build_system, settings=settings, own=SETTINGS)
    return Project(write_tree(root, files))


@pytest.mark.parametrize("tool", [*VERSIONED, "pbr"])
def test_a_version_that_is_read_from_git_is_that_of_the_tag(tmp_path: Path, tool: str) -> None:
    project = versioned(tmp_path / "mein Projekt ü", tool)
    commit(project.root)
    git(project.root, "tag", "-a", "-m", "a release", "v1.4.2")
    write_tree(project.root, {"untracked": ""})
    done = project.step("build")
    assert done.code == 0, done.output
    assert set(project.files()) == {"demo-1.4.2.tar.gz", "demo-1.4.2-py3-none-any.whl"}


@posix
def test_another_folder_time_umask_and_user_give_the_same_files(
    tmp_path: Path, make_project: Callable[..., Project]
) -> None:
    project = make_project(backend="setuptools")
    assert project.step("build").code == 0
    git(tmp_path, "clone", "--quiet", str(project.root), "elsewhere")
    other = Project(tmp_path / "elsewhere")
    for path in other.root.rglob("*.py"):
        os.utime(path, (0, 0))
    before = os.umask(0o077)
    try:
        assert other.step("build", TZ="Asia/Tokyo", PYTHONHASHSEED="1").code == 0
    finally:
        os.umask(before)
    assert other.files() == project.files()
    (one,) = project.stage("built.json")["normalised"]
    assert one == other.stage("built.json")["normalised"][0] | {"sha256": one["sha256"]}


def test_what_is_not_normalised_is_as_the_backend_made_it(make_project: Callable[..., Project]) -> None:
    project = make_project(SETTINGS + "normalise = false\n", backend="setuptools")
    assert project.step("build").code == 0
    assert project.stage("built.json")["normalised"] == []
    with tarfile.open(next(project.dist.glob("*.tar.gz"))) as tar:
        assert {member.mtime for member in tar} != {project.stage("built.json")["epoch"]}


@pytest.mark.slow
def test_a_released_tag_is_built_again_and_compared(project: Project, indexes: Indexes) -> None:
    assert project.step("verify").code == 0
    assert project.step("pypi", "--yes", "1.0").code == 0
    git(project.root, "tag", "v1.0")
    project.change({"src/demo/__init__.py": "x = 1\n"})
    same = project.step("rebuild", "1.0")
    assert same.code == 0, same.output
    assert same.shows("identical demo-1.0.tar.gz", "v1.0: identical, with flit")
    assert project.stage("rebuilt.json")["verdict"] == "identical"
    git(project.root, "tag", "--force", "v1.0")
    other = project.step("rebuild", "1.0")
    assert other.code == 1
    assert other.shows("different demo-1.0-py3-none-any.whl", "demo/__init__.py: text", "-x = 1")
    assert other.shows("built again from its tag, differs from what PyPI (stand-in) serves")
    assert len(indexes.held("pypi")) == 2


def test_modules_that_are_lost_on_the_way_through_the_sdist_stop_the_release(
    make_project: Callable[..., Project],
) -> None:
    settings = SETTINGS + '\n[tool.flit.sdist]\nexclude = ["src/demo/lost.py"]\n'
    project = make_project(settings, files={"src/demo/lost.py": "x = 1\n"})
    done = project.step("check")
    assert done.code == 1
    assert done.shows(
        "release-lost-modules: these modules are lost on the way through the sdist"
        " (dropped by `src/demo/lost.py` in [tool.flit.sdist] exclude):",
        "demo/lost.py",
    )
    assert project.stage("built.json")["lacking"] == ["demo/lost.py"]
    assert done.shows("for packagers: licence files: LICENSE; tests: none; documentation: none")
