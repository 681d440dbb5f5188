"""The names of the sessions in a project whose noxfile has sessions of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.steps import adopt
from tests.projects import commit, sample
from tests.template.conftest import run_nox

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOXFILE = """\
import nox

nox.options.sessions = ["build"]


@nox.session
def build(session: nox.Session) -> None:
    session.log("the project's own build")
"""


def test_a_noxfile_of_its_own_is_kept_and_taken_names_are_given_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = sample(tmp_path / "project", files={"noxfile.py": NOXFILE, "tasks.py": "x = 1\n"})
    commit(project)
    adopt.adopt([str(project)], tmp_path)
    printed = capsys.readouterr().out
    assert (project / "noxfile.py").read_text("utf-8").startswith("import runpy\n\n" + NOXFILE)
    assert "release-build" in printed
    assert (project / "tasks.py").read_text("utf-8") == "x = 1\n"
    assert (project / "release-tasks" / "release.py").is_file()
    assert "nox -s release-dryrun" in (project / ".github/workflows/check.yml").read_text("utf-8")
    listed = run_nox(project, "-l")
    assert listed.shows("* build", "- release-build -> Build the sdist", "- release-dryrun"), listed.output


NEVER = """\
import nox

if not nox:

    @nox.session
    def build(session: nox.Session) -> None:
        session.log("the project's own build")
"""
LOOP = """\
import nox

for name in ("build", "check"):

    @nox.session(name=name)
    def run(session: nox.Session) -> None:
        session.log("the project's own")
"""


def test_names_that_are_made_when_nox_runs_are_spoken_of_and_end_before_any_upload(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is read of the noxfile is a guess; what nox has registered is what counts."""
    project = sample(tmp_path / "project", files={"noxfile.py": LOOP})
    commit(project)
    adopt.adopt([str(project)], tmp_path)
    assert "take it back and adopt with --data prefix=release-" in capsys.readouterr().out
    assert run_nox(project, "-l").shows("* build", "* check", "- release-build", "- release-testpypi")
    for name in ("dryrun", "testpypi", "pypi"):  # as the workflows would have them
        done = run_nox(project, "--no-dependencies", "-s", name)
        assert done.code != 0
        assert done.shows(f"Sessions not found: {name}")
    workflow = (project / ".github" / "workflows" / "release.yml").read_text("utf-8")
    assert "nox --no-dependencies -s testpypi" in workflow


def test_a_name_that_no_session_has_when_nox_runs_ends_before_any_upload(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The noxfile shows a session `build` that is not registered on this machine."""
    project = sample(tmp_path / "project", files={"noxfile.py": NEVER})
    commit(project)
    adopt.adopt([str(project)], tmp_path)
    assert "these are called release-build" in capsys.readouterr().out
    assert run_nox(project, "-l").shows("- build -> Build the sdist")
    done = run_nox(project, "--no-dependencies", "-s", "release-testpypi")
    assert done.code != 0
    assert done.shows("Sessions not found: release-testpypi")
