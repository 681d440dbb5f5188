"""`inspect` on files that have nothing to do with the project, and `--explain` on all sessions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from seatrial.machine.disk import locked_file
from tests.integration.conftest import RUNNING
from tests.projects import git, write_tree
from tests.samples.messages import is_clear

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.conftest import Indexes, Project

WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"


@pytest.fixture
def built(bring: Callable[[str], Project]) -> Project:
    return bring("build")


def test_files_in_order_are_good(built: Project, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    names = [f"dist/{SDIST}", f"dist/{WHEEL}"]
    done = built.step("inspect", "--json", str(out), *names)
    assert done.code == 0, done.output
    assert json.loads(out.read_text(encoding="utf-8")) == [{"file": name, "problems": []} for name in names]
    assert not (built.record / "checked.json").exists()


def test_a_bad_file_among_good_ones_fails(built: Project, tmp_path: Path) -> None:
    good = (built.dist / WHEEL).read_bytes()
    (tmp_path / WHEEL).write_bytes(good[: len(good) // 2])
    write_tree(tmp_path, {"demo.egg": "an egg"})
    files = [str(built.dist / WHEEL), str(tmp_path / WHEEL), str(tmp_path / "demo.egg"), str(tmp_path / "absent.whl")]
    done = built.step("inspect", "--json", str(tmp_path / "found.json"), *files)
    assert done.code == 1
    assert "Traceback" not in done.output
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert [entry["file"] for entry in found] == files
    assert [any(p["severity"] == "error" for p in entry["problems"]) for entry in found] == [False, True, True, True]
    assert all(set(p) == {"rule", "severity", "message"} for entry in found for p in entry["problems"])
    assert done.shows("3 of these files cannot be uploaded to PyPI", "there is no such file")


def test_it_needs_a_file(project: Project) -> None:
    assert is_clear(project.step("inspect"), "no FILE was given")


SESSIONS = ("build", "check", "testpypi", "verify", "pypi", "dryrun", "inspect", "status", "rebuild")
SAID = {
    "build": "-m build --sdist --outdir",
    "check": "twine check dist/*",
    "testpypi": "twine upload",
    "verify": "--require-hashes",
    "pypi": "--repository-url https://upload.pypi.org/legacy/",
    "dryrun": "pypi-server run",
    "inspect": "twine check FILE...",
    "rebuild": "checkout --detach v1.0",
    "status": "cat release-record/*.json",
}


@pytest.mark.parametrize("session", SESSIONS)
def test_explain_prints_commands_and_does_nothing(project: Project, session: str) -> None:
    project.env |= {"PYPI_TOKEN": "pypi-secret", "TESTPYPI_TOKEN": "pypi-secret"}
    done = project.step(session, "--explain", alone=True)
    assert done.code == 0, done.output
    assert done.shows(SAID[session])
    assert "pypi-secret" not in done.output
    assert not project.dist.exists()
    assert not project.record.exists()


def test_a_second_run_at_the_same_time_is_told(bring: Callable[[str], Project], indexes: Indexes) -> None:
    project = bring("testpypi")
    assert indexes.held("testpypi") == project.files()
    with locked_file(project.record / ".release.lock"):
        for session in ("build", "check", "testpypi", "pypi"):
            told = project.step(session, alone=True)
            assert is_clear(told, "Another run of the release sessions is using")
    with locked_file(project.record / f".verify-{RUNNING}-wheel.lock"):
        told = project.step("verify", "--kind", "wheel", alone=True)
        assert is_clear(told, "Another run of the release sessions is using")


def test_nothing_that_was_written_is_new_to_git(built: Project) -> None:
    assert git(built.root, "status", "--porcelain") == ""
