"""`adopt` on projects as they are: what it writes, what it leaves alone, and that nothing stays of a half of it."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.adoption import lock, template
from seatrial.adoption.refusals import AdoptedAlready, NotClean, Taken
from seatrial.adoption.template import SESSIONS
from seatrial.cli.register import VERSION
from seatrial.machine.process import ToolFailed
from seatrial.project.options import BadOption
from seatrial.steps import adopt as session
from tests.integration.conftest import NOX, Project
from tests.projects import commit, git, sample, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.template.conftest import Render

    Adopt = Callable[..., str]

NOXFILE = """\
import nox

nox.options.sessions = ["build"]


@nox.session
def build(session: nox.Session) -> None:
    session.log("the project's own build")
"""
PUBLISH = """\
on:
  release:
    types: [published]
jobs:
  upload:
    environment: release
    steps:
      - uses: pypa/gh-action-pypi-publish@release/v1
"""


@pytest.fixture
def adopt(tmp_path: Path, render: Render, monkeypatch: pytest.MonkeyPatch) -> Adopt:
    """Run adopt on `project` and return what it said; Copier runs once for each set of answers."""

    def rendered(_python: Path, _template: Path, _target: Path, answers: Mapping[str, str]) -> dict[str, bytes]:
        return state(render(**answers))

    monkeypatch.setattr(template, "render", rendered)

    def run(project: Path, *args: str) -> str:
        said: list[str] = []
        session.adopt([str(project), *args], tmp_path, lambda _lock: Path(sys.executable), said.append)
        return "\n".join(said)

    return run


def state(project: Path) -> dict[str, bytes]:
    """All files of a project but those of git itself."""
    paths = [path for path in project.rglob("*") if path.is_file() and ".git" not in path.relative_to(project).parts]
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in paths}


def test_a_bare_project_gets_everything_and_keeps_what_it_has(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project")
    commit(project)
    before = state(project)
    said = adopt(project)
    after = state(project)
    assert {name: after[name] for name in before if name != ".gitignore"} == {
        name: text for name, text in before.items() if name != ".gitignore"
    }
    assert {"noxfile.py", "tasks/register.py", ".github/workflows/release.yml", ".seatrial.yml"} <= after.keys()
    assert "next: git add . && git commit, then nox -s dryrun" in said
    assert after[".gitignore"] == before[".gitignore"]  # it had the lines already


def test_what_adopt_prints_undoes_it(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project", files={"noxfile.py": NOXFILE, ".github/FUNDING.yml": "a: b\n"})
    commit(project)
    said = adopt(project).partition("to undo it before you commit: ")[2].splitlines()
    command, *listed = said
    git(project, *command.partition(";")[0].split()[1:])
    for line in listed:
        if line.startswith("  "):
            path = project / line.strip()
            for inner in sorted(path.rglob("*"), reverse=True):
                inner.rmdir() if inner.is_dir() else inner.unlink()
            path.rmdir() if path.is_dir() else path.unlink()
    assert git(project, "status", "--porcelain") == ""


def test_a_noxfile_of_its_own_is_kept_and_taken_names_are_given_way(
    tmp_path: Path, adopt: Adopt, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = sample(tmp_path / "project", files={"noxfile.py": NOXFILE, "tasks.py": "x = 1\n"})
    commit(project)
    said = adopt(project)
    assert (project / "noxfile.py").read_text("utf-8").startswith("import runpy\n\n" + NOXFILE)
    assert "release-build" in said
    assert (project / "tasks.py").read_text("utf-8") == "x = 1\n"
    assert (project / "release-tasks" / "register.py").is_file()
    assert "nox -s release-dryrun" in (project / ".github/workflows/check.yml").read_text("utf-8")
    listed = Project(project, tmp_path_factory.mktemp("nox")).run([NOX, "-l"])
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
    tmp_path: Path, adopt: Adopt, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What is read of the noxfile is a guess; what nox has registered is what counts."""
    project = sample(tmp_path / "project", files={"noxfile.py": LOOP})
    commit(project)
    assert "take it back and adopt with --data prefix=release-" in adopt(project)
    nox = Project(project, tmp_path_factory.mktemp("nox"))
    assert nox.run([NOX, "-l"]).shows("* build", "* check", "- release-build", "- release-testpypi")
    for name in ("dryrun", "testpypi", "pypi"):  # as the workflows would have them
        done = nox.nox(name, flags=("--no-dependencies",))
        assert done.code != 0
        assert done.shows(f"Sessions not found: {name}")
    workflow = (project / ".github" / "workflows" / "release.yml").read_text("utf-8")
    assert "nox --no-dependencies -s testpypi" in workflow


def test_a_name_that_no_session_has_when_nox_runs_ends_before_any_upload(
    tmp_path: Path, adopt: Adopt, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The noxfile shows a session `build` that is not registered on this machine."""
    project = sample(tmp_path / "project", files={"noxfile.py": NEVER})
    commit(project)
    assert "these are called release-build" in adopt(project)
    nox = Project(project, tmp_path_factory.mktemp("nox"))
    assert nox.run([NOX, "-l"]).shows("- build -> Build the sdist")
    done = nox.nox("release-testpypi", flags=("--no-dependencies",))
    assert done.code != 0
    assert done.shows("Sessions not found: release-testpypi")


def test_a_dry_run_shows_all_and_writes_nothing_even_in_a_dirty_tree(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project", files={"noxfile.py": NOXFILE, "ruff.toml": ""})
    commit(project)
    write_tree(project, {"README.md": "# demo\n\nwork in progress\n"})
    before = state(project)
    said = adopt(project, "--dry-run")
    assert state(project) == before
    assert '+runpy.run_path("tasks/register.py")' in said
    assert 'ruff: extend-exclude = ["tasks"]    (ruff.toml)' in said
    assert ".github/workflows/release.yml" in said
    with pytest.raises(NotClean):
        adopt(project)
    assert state(project) == before


def test_line_ends_of_a_gitignore_are_kept(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project", files={".gitignore": "*.log\r\n/dist/\r\n"})
    commit(project)
    adopt(project)
    text = (project / ".gitignore").read_bytes()
    assert text.startswith(b"*.log\r\n/dist/\r\n")
    assert text.count(b"\n") == text.count(b"\r\n")
    assert text.count(b"dist/") == 1


def test_a_project_without_git_gets_no_files_for_git(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project")
    (project / ".gitignore").unlink()
    adopt(project)
    names = {name.partition("/")[0] for name in state(project)} - {"tasks", "src"}
    assert names == {"pyproject.toml", "README.md", "LICENSE", "noxfile.py", ".seatrial.yml", ".seatrial.txt"}


def test_a_project_with_setup_py_alone_is_one(tmp_path: Path, adopt: Adopt) -> None:
    project = write_tree(tmp_path / "project", {"setup.py": "from setuptools import setup\nsetup()\n"})
    commit(project)
    assert "adopting into" in adopt(project)
    assert not (project / "pyproject.toml").exists()


def test_a_workflow_that_publishes_is_kept_and_compared(tmp_path: Path, adopt: Adopt) -> None:
    theirs = ".github/workflows/publish.yml"
    project = sample(tmp_path / "project", files={theirs: PUBLISH, ".github/workflows/check.yml": "on: push\n"})
    commit(project)
    said = adopt(project)
    assert (project / theirs).read_text("utf-8") == PUBLISH
    assert sorted(path.name for path in (project / ".github/workflows").iterdir()) == [
        "check-release.yml",
        "check.yml",
        "publish.yml",
    ]
    assert f"{theirs} uploads already, and is kept as it is" in said
    assert '+      name: "release"' in said.replace("| ", "")  # the environment's name stays
    assert "Never keep both" in said
    assert "workflow: ''" in (project / ".seatrial.yml").read_text("utf-8")


def test_two_workflows_that_upload_are_warned_of(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project", files={".github/workflows/publish.yml": PUBLISH})
    commit(project)
    assert "several workflows" not in adopt(project, "--dry-run")
    said = adopt(project, "--data", "workflow=release.yml")
    assert "several workflows upload to an index: publish.yml, release.yml." in said
    assert (project / ".github/workflows/release.yml").is_file()


def test_files_that_only_their_owner_can_change_are_left_and_spoken_of(tmp_path: Path, adopt: Adopt) -> None:
    files = {".gitlab-ci.yml": "stages: [build, test, deploy]\n"}
    project = sample(tmp_path / "project", files=files)
    commit(project)
    said = adopt(project)
    assert (project / ".gitlab-ci.yml").read_text("utf-8") == files[".gitlab-ci.yml"]
    assert "- local: .gitlab/release.yml" in said
    pipeline = (project / ".gitlab" / "release.yml").read_text("utf-8")
    assert '- PYTHON: ["3.10", ' in pipeline  # as `requires-python` says


def test_a_python_that_has_no_job_on_gitlab_is_named(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project", files={".gitlab-ci.yml": "stages: [build, test, deploy]\n"})
    assert "no job on GitLab" not in adopt(project, "--dry-run", "--data", "ci=gitlab")
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.seatrial]\npythons = ["3.9", "3.13"]\n')
    commit(project)
    assert "no job on GitLab verifies on Python 3.9, which cannot run nox" in adopt(project, "--dry-run")


def test_a_part_of_a_larger_repository_gets_no_workflows(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "packages" / "demo")
    commit(tmp_path)
    assert "a part of a larger repository" in adopt(project)
    assert not (project / ".github").exists()


def test_a_name_that_is_taken_stops_everything(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project", files={".seatrial.txt": "mine\n"})
    commit(project)
    before = state(project)
    with pytest.raises(Taken, match=r"\.seatrial\.txt"):
        adopt(project)
    assert state(project) == before


def test_an_answer_that_makes_no_sense_stops_everything(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project")
    before = state(project)
    with pytest.raises(ToolFailed, match="ci"):
        adopt(project, "--data", "ci=jenkins")
    with pytest.raises(BadOption, match="NAME=VALUE"):
        adopt(project, "--data", "ci")
    with pytest.raises(BadOption):
        adopt(project, "--force")
    assert state(project) == before


def test_a_second_adopt_offers_the_update(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project")
    adopt(project)
    with pytest.raises(AdoptedAlready, match="copier update"):
        adopt(project)


@pytest.mark.parametrize(
    "fault",
    [
        ("created", 1, errno.EACCES),  # a folder that is not writable
        ("created", 12, errno.ENOSPC),
        ("edited", 1, errno.ENOSPC),
    ],
)
def test_nothing_stays_of_a_half_finished_adopt(
    tmp_path: Path, adopt: Adopt, monkeypatch: pytest.MonkeyPatch, fault: tuple[str, int, int]
) -> None:
    broken, after, number = fault
    project = sample(tmp_path / "project", files={"noxfile.py": NOXFILE, ".gitignore": "/x/\n"})
    commit(project)
    before, folders = state(project), sorted(path for path in project.iterdir() if path.is_dir())
    original = session._create if broken == "created" else session._put
    left = [after]

    def failing(*args: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(number, os.strerror(number), os.fspath(project))
        original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "_create" if broken == "created" else "_put", failing)
    with pytest.raises(OSError, match=os.strerror(number)):
        adopt(project)
    assert state(project) == before
    assert sorted(path for path in project.iterdir() if path.is_dir()) == folders


def test_a_thin_project_gets_three_lines_and_a_lock(
    tmp_path: Path, adopt: Adopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "locked", lambda _index: f"seatrial=={VERSION} --hash=sha256:{'a' * 64}\n")
    project = sample(tmp_path / "project", files={"noxfile.py": NOXFILE})
    commit(project)
    adopt(project, "--data", "copy=thin")
    assert not (project / "tasks").exists()
    assert (project / ".seatrial.txt").read_text("utf-8").startswith("seatrial==")
    noxfile = (project / "noxfile.py").read_text("utf-8")
    assert 'runpy.run_module("seatrial.register", run_name="<run_path>")' in noxfile
    assert "pip install --require-hashes -r .seatrial.txt" in (project / ".github/workflows/release.yml").read_text(
        "utf-8"
    )


def test_a_thin_project_runs_the_installed_sessions(
    tmp_path: Path, adopt: Adopt, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(lock, "locked", lambda _index: "seatrial\n")
    project = sample(tmp_path / "project")
    adopt(project, "--data", "copy=thin")
    shutil.copytree(SESSIONS, tmp_path / "site" / "seatrial", ignore=shutil.ignore_patterns("__pycache__"))
    nox = Project(project, tmp_path_factory.mktemp("nox"), {"PYTHONPATH": str(tmp_path / "site")})
    listed = nox.run([NOX, "-l"])
    assert listed.shows("- build -> Build the sdist", "- dryrun"), listed.output
    assert "adopt" not in listed.output.replace("adopting", "")


def test_a_thin_project_is_locked_anew_on_request(
    tmp_path: Path, adopt: Adopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "locked", lambda _index: "seatrial\n")
    project = sample(tmp_path / "project")
    assert f"holds seatrial {VERSION}" in adopt(project, "--lock")
    assert (project / ".seatrial.txt").read_text("utf-8") == "seatrial\n"


def test_the_copy_that_was_just_made_is_genuine(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project")
    adopt(project)
    assert f"all of them those of seatrial {VERSION}" in adopt(project, "--check")
