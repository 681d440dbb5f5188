"""Any commit is rehearsed as the release that it would become, whatever tool reads its version from git."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seatrial.building import git as source_of
from seatrial.building import supposed
from seatrial.building.frontend import BuildFailed, Job
from seatrial.building.tags import NotThatVersion
from seatrial.cli.release import find_uv
from seatrial.machine.screen import Screen
from seatrial.project.settings import Settings
from seatrial.release.archives import Archive
from tests.projects import commit, git, sample, write_tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seatrial.building.supposed import Supposition

MODULE = {"src/demo/__init__.py": '"""A module to import."""\n', ".gitignore": "*.egg-info/\n"}


def pyproject(build_system: str, settings: str) -> str:
    """Return a pyproject.toml whose version is dynamic."""
    project = '[project]\nname = "demo"\ndescription = "A project"\ndynamic = ["version"]\nrequires-python = ">=3.9"\n'
    return f"[build-system]\n{build_system}\n\n{project}\n{settings}"


HATCHLING = 'build-backend = "hatchling.build"'
SETUPTOOLS = 'build-backend = "setuptools.build_meta"'
VERSIONEER = """\
[tool.versioneer]
VCS = "git"
style = "pep440"
versionfile_source = "src/demo/_version.py"
versionfile_build = "demo/_version.py"
tag_prefix = "v"
"""
POETRY = """\
[tool.poetry-dynamic-versioning]
enable = true
vcs = "git"

[tool.poetry]
packages = [{ include = "demo", from = "src" }]
version = "0.0.0"
"""
PBR = "[metadata]\nname = demo\nsummary = A project\n\n[options]\npackages = find:\npackage_dir =\n    = src\n"
DUNAMAI = """\
import setuptools
from dunamai import Style, Version

setuptools.setup(name="demo", version=Version.from_git().serialize(style=Style.Pep440), package_dir={"": "src"})
"""
TOOLS: Mapping[str, Mapping[str, str]] = {
    "setuptools-scm": {
        "pyproject.toml": pyproject(
            f'requires = ["setuptools>=77", "setuptools-scm>=8"]\n{SETUPTOOLS}', "[tool.setuptools_scm]\n"
        )
    },
    "setuptools-scm, counting from the last release": {
        "pyproject.toml": pyproject(
            f'requires = ["setuptools>=77", "setuptools-scm>=8"]\n{SETUPTOOLS}',
            '[tool.setuptools_scm]\nversion_scheme = "no-guess-dev"\n',
        )
    },
    "hatch-vcs": {
        "pyproject.toml": pyproject(
            f'requires = ["hatchling", "hatch-vcs"]\n{HATCHLING}', '[tool.hatch.version]\nsource = "vcs"\n'
        )
    },
    "pdm-backend": {
        "pyproject.toml": pyproject(
            'requires = ["pdm-backend"]\nbuild-backend = "pdm.backend"', '[tool.pdm.version]\nsource = "scm"\n'
        )
    },
    "flit-scm": {
        "pyproject.toml": pyproject(
            'requires = ["flit_scm"]\nbuild-backend = "flit_scm:buildapi"',
            '[tool.setuptools_scm]\nwrite_to = "src/demo/_version.py"\n',
        )
    },
    "pbr": {
        "pyproject.toml": '[build-system]\nrequires = ["setuptools>=77,<81", "pbr>=6"]\nbuild-backend = "pbr.build"\n',
        "setup.cfg": PBR,
        "setup.py": "import setuptools\n\nsetuptools.setup(setup_requires=['pbr'], pbr=True)\n",
    },
    "versioneer": {
        "pyproject.toml": pyproject(f'requires = ["setuptools>=77", "versioneer[toml]"]\n{SETUPTOOLS}', VERSIONEER),
        "setup.py": (
            "import setuptools\nimport versioneer\n\n"
            "setuptools.setup(version=versioneer.get_version(), cmdclass=versioneer.get_cmdclass())\n"
        ),
        "src/demo/_version.py": "",
    },
    "uv-dynamic-versioning": {
        "pyproject.toml": pyproject(
            f'requires = ["hatchling", "uv-dynamic-versioning"]\n{HATCHLING}',
            '[tool.hatch.version]\nsource = "uv-dynamic-versioning"\n',
        )
    },
    "poetry-dynamic-versioning": {
        "pyproject.toml": pyproject(
            'requires = ["poetry-core>=2", "poetry-dynamic-versioning>=1.7"]\n'
            'build-backend = "poetry_dynamic_versioning.backend"',
            POETRY,
        )
    },
    "setuptools-git-versioning": {
        "pyproject.toml": pyproject(
            f'requires = ["setuptools>=77", "setuptools-git-versioning>=2"]\n{SETUPTOOLS}',
            "[tool.setuptools-git-versioning]\nenabled = true\n",
        )
    },
    "dunamai": {
        "pyproject.toml": f'[build-system]\nrequires = ["setuptools>=77", "dunamai"]\n{SETUPTOOLS}\n',
        "setup.py": DUNAMAI,
    },
}


def project(root: Path, tool: str) -> Path:
    """Write a project whose version comes from git by `tool`, and commit it."""
    commit(write_tree(root, {**MODULE, **TOOLS[tool]}))
    return root


def rehearse(root: Path, version: str | None = None, **settings: Any) -> tuple[str, Supposition, list[str]]:
    """Return the version that HEAD is rehearsed as, how, and what was shown."""
    scratch = root.parent / f"scratch-{len(list(root.parent.iterdir()))}"
    out = scratch / "out"
    out.mkdir(parents=True)
    shown: list[str] = []
    source = source_of.look(root)
    job = Job(Settings(**settings), source.epoch, out, scratch, Screen(write=shown.append), find_uv())
    found = supposed.suppose(job, source, "demo", version)
    return str(Archive.open(found.sdist.path).version), found, shown


@pytest.mark.parametrize("tool", TOOLS)
def test_a_commit_between_two_releases_is_rehearsed_as_the_next_one(tmp_path: Path, tool: str) -> None:
    root = project(tmp_path / "demo", tool)
    git(root, "tag", "--annotate", "--message", "1.4.0", "v1.4.0")
    commit(write_tree(root, {"more": "1"}))
    commit(write_tree(root, {"more": "2"}))
    write_tree(root, {"more": "not committed"})
    version, found, _ = rehearse(root)
    assert (version, found.tag) == ("1.4.1", "v1.4.1")
    assert [path.name for path in found.sdist.path.parent.iterdir()] == [found.sdist.path.name]
    assert git(root, "tag", "--list") == "v1.4.0"


@pytest.mark.parametrize("tool", ["setuptools-scm", "pdm-backend"])
def test_another_version_is_rehearsed_where_that_is_asked_for(tmp_path: Path, tool: str) -> None:
    root = project(tmp_path / "demo", tool)
    git(root, "tag", "--annotate", "--message", "1.4.0", "v1.4.0")
    commit(write_tree(root, {"more": "1"}))
    version, found, _ = rehearse(root, "2.0.0")
    assert (version, found.tag) == ("2.0.0", "v2.0.0")


@pytest.mark.parametrize("tool", TOOLS)
def test_a_release_is_rehearsed_as_it_is(tmp_path: Path, tool: str) -> None:
    root = project(tmp_path / "demo", tool)
    git(root, "tag", "--annotate", "--message", "1.4.0", "v1.4.0")
    version, found, _ = rehearse(root)
    assert (version, found.tag) == ("1.4.0", None)


@pytest.mark.parametrize("tool", ["setuptools-scm", "hatch-vcs", "versioneer", "uv-dynamic-versioning", "pdm-backend"])
def test_without_a_version_tag_it_is_a_first_release_and_that_is_said(tmp_path: Path, tool: str) -> None:
    root = project(tmp_path / "demo", tool)
    _, found, shown = rehearse(root)
    assert found.tag in {"v0.1", "v0.0.1", "v0.1.0", "v1"}
    assert "no version tag in the history of HEAD: `--as VERSION` chooses a version other" in "\n".join(shown)


def test_a_series_of_pre_releases_goes_on(tmp_path: Path) -> None:
    root = project(tmp_path / "demo", "setuptools-scm")
    git(root, "tag", "v2.0rc1")
    commit(write_tree(root, {"more": "1"}))
    assert rehearse(root)[0] == "2.0rc2"


@pytest.mark.parametrize("version", ["1.4.0.post0", "1.5.0.dev1"])
def test_a_tagged_post_or_development_release_stays_as_it_is(tmp_path: Path, version: str) -> None:
    root = project(tmp_path / "demo", "setuptools-scm")
    git(root, "tag", "1.4.0")
    commit(write_tree(root, {"more": "1"}), version)
    rehearsed, found, _ = rehearse(root)
    assert (rehearsed, found.tag) == (version, None)


def test_tags_of_a_sibling_and_the_users_signing_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "signing"
    config.write_text("[tag]\n\tgpgSign = true\n", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    settings = '[tool.setuptools_scm]\ntag_regex = "^demo-v(?P<version>.+)$"\n'
    settings += 'scm.git.describe_command = "git describe --dirty --tags --long --match demo-v*"\n'
    text = pyproject(f'requires = ["setuptools>=77", "setuptools-scm>=8"]\n{SETUPTOOLS}', settings)
    root = write_tree(tmp_path / "demo", {**MODULE, "pyproject.toml": text})
    commit(root, "demo-v1.4.0")
    commit(write_tree(root, {"more": "1"}), "other-v7.0")
    commit(write_tree(root, {"more": "2"}))
    version, found, _ = rehearse(root, tag=("{name}-v{version}",))
    assert (version, found.tag) == ("1.4.1", "demo-v1.4.1")


@pytest.mark.parametrize("version", ["1.0", "1.0.dev3"])
def test_a_static_version_stays_as_it_is(tmp_path: Path, version: str) -> None:
    root = sample(tmp_path / "demo", version=version)
    commit(root, "v0.9")
    commit(write_tree(root, {"more": "1"}), "v1.0")
    commit(write_tree(root, {"more": "2"}))
    rehearsed, found, shown = rehearse(root)
    assert (rehearsed, found.tag) == (version, None)
    tried = "the version stays 1.0.dev3 when this commit is tagged v1.1: it is static, or"
    assert (tried in "\n".join(shown)) == ("dev" in version)


def test_a_static_version_is_not_another_one(tmp_path: Path) -> None:
    root = sample(tmp_path / "demo")
    commit(root)
    assert rehearse(root, "1.0")[0] == "1.0"
    with pytest.raises(NotThatVersion, match=r"--as 2\.0: with the tag v2\.0 .* gives version 1\.0"):
        rehearse(root, "2.0")


def test_a_backend_that_asks_for_a_tag_has_the_way_out(tmp_path: Path) -> None:
    files = {"pyproject.toml": f'[build-system]\nrequires = ["setuptools>=77"]\n{SETUPTOOLS}\n', "setup.py": "1 / 0\n"}
    root = write_tree(tmp_path / "demo", files)
    commit(root)
    with pytest.raises(BuildFailed, match="`dryrun --as VERSION` rehearses as if there were one"):
        rehearse(root)
