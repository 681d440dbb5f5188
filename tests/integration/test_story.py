"""Three releases in a row with the two commands of the README: typed at a terminal, and in CI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.release.filenames import version_of
from tests.index_server import ALWAYS
from tests.integration.conftest import RUNNING, SETTINGS
from tests.samples.messages import is_clear

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Ended, Indexes, Project

FAULTY = '"""A module."""\n__version__ = "0.2.1"\nimport nowhere\n'
SOUND = '"""A module."""\n__version__ = "0.2.1"\n\n\ndef main() -> None: ...\n'


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    return make_project(version="0.1.0")


def raised(project: Project, before: str, after: str, **files: str) -> str:
    """Raise the version of `project`, commit, and return the commit as it is shown."""
    text = (project.root / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{before}"' in text
    text = text.replace(f'version = "{before}"', f'version = "{after}"')
    return project.change({"pyproject.toml": text, **files})[:12]


def held(indexes: Indexes, version: str) -> dict[str, bytes]:
    """Return what PyPI holds of `version`."""
    files = indexes.held("pypi").items()
    return {name: content for name, content in files if str(version_of(name)) == version}


def released(project: Project, indexes: Indexes, ended: Ended, version: str) -> bool:
    """Whether `ended` released `version`: exit code 0, and all the files that were built are on PyPI."""
    assert ended.code == 0, ended.output
    return held(indexes, version) == project.files() != {} and project.stage("released.json")["version"] == version


@pytest.mark.slow
def test_three_releases_at_a_terminal(project: Project, indexes: Indexes) -> None:
    assert is_clear(project.step("pypi", typed="0.1.0\n"), "Nothing is verified here", "run `nox -s verify` first")

    assert project.step("verify").code == 0
    assert released(project, indexes, project.step("pypi", typed="0.1.0\n"), "0.1.0")

    commit = raised(project, "0.1.0", "0.2.0")
    verified = project.step("verify")
    assert verified.code == 0, verified.output
    assert verified.shows(f"0.1.0 is on PyPI (stand-in); starting 0.2.0 from {commit}")
    assert is_clear(project.step("pypi", typed="0.1.0\n"), "demo 0.2.0 was not confirmed (the answer was '0.1.0')")
    assert released(project, indexes, project.step("pypi", typed="0.2.0\n"), "0.2.0")

    raised(project, "0.2.0", "0.2.1", **{"src/demo/__init__.py": FAULTY})
    failed = project.step("verify")
    assert failed.code == 1
    assert failed.shows("No module named 'nowhere'")
    assert is_clear(project.step("pypi", typed="0.2.1\n"), "Nothing is verified here")
    assert not [name for name in indexes.held("testpypi") if "0.2.1" in name]  # the version is not spent

    project.change({"src/demo/__init__.py": SOUND})
    verified = project.step("verify")
    assert verified.code == 0, verified.output
    assert released(project, indexes, project.step("pypi", typed="0.2.1\n"), "0.2.1")
    assert {str(version_of(name)) for name in indexes.held("pypi")} == {"0.1.0", "0.2.0", "0.2.1"}


@pytest.mark.slow
def test_three_releases_in_ci(project: Project, indexes: Indexes) -> None:
    project.env["CI"] = "true"
    wheels = SETTINGS + 'archives = ["wheel"]\n'
    text = (project.root / "pyproject.toml").read_text(encoding="utf-8")
    project.change({"pyproject.toml": text.replace(SETTINGS, wheels)})
    assert project.step("verify").code == 0
    assert is_clear(project.step("pypi"), "demo 0.1.0 was not confirmed", "--yes 0.1.0")
    assert released(project, indexes, project.step("pypi", "--yes", "0.1.0"), "0.1.0")

    raised(project, "0.1.0", "0.2.0")
    early = project.step("pypi", "--yes", "0.2.0")
    assert is_clear(early, "--yes 0.2.0 was given, but the sealed files are demo 0.1.0", "`nox -s verify` takes HEAD")
    assert project.step("verify").code == 0
    assert released(project, indexes, project.step("pypi", "--yes", "0.2.0"), "0.2.0")

    # A rehearsal that is uploaded and cannot be verified: TestPyPI holds a file of it.
    text = (project.root / "pyproject.toml").read_text(encoding="utf-8")
    absent = text.replace(f'pythons = ["{RUNNING}"]', f'pythons = ["{RUNNING}", "3.99"]')
    project.change({"pyproject.toml": absent.replace('version = "0.2.0"', 'version = "0.2.1rc1"')})
    assert is_clear(project.step("verify"), "3.99")
    assert is_clear(project.step("pypi", "--yes", "0.2.1rc1"), "not verified as the matrix demands")
    assert "demo-0.2.1rc1-py3-none-any.whl" in indexes.held("testpypi")

    commit = project.change({"pyproject.toml": text.replace('version = "0.2.0"', 'version = "0.2.1"')})[:12]
    verified = project.step("verify")
    assert verified.code == 0, verified.output
    assert verified.shows(f"0.2.1rc1 is on TestPyPI (stand-in) and was not released; starting 0.2.1 from {commit}")
    assert released(project, indexes, project.step("pypi", "--yes", "0.2.1"), "0.2.1")

    # From here on it is the index that says what is released.
    again = project.step("pypi", "--yes", "0.2.1")
    assert again.code == 0
    assert again.shows("demo 0.2.1 has been on PyPI (stand-in) since")
    assert is_clear(project.step("pypi", "--yes", "0.2.0"), "the sealed files are demo 0.2.1")
    (file,) = project.files()
    (indexes.folder / "pypi" / file).unlink()
    gone = project.step("pypi", "--yes", "0.2.1")
    assert is_clear(gone, f"recorded as released, but PyPI (stand-in) does not serve: {file}", "has already been used")
    indexes.pypi.order("status", times=ALWAYS, detail=("503 Down", "3600"))
    assert is_clear(project.step("pypi", "--yes", "0.2.1"), "503")
