"""From one tagged version of the template to the next, in a project whose owner has edited what came from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.adoption import copies, template
from seatrial.adoption.refusals import OtherVersion
from seatrial.adoption.target import ANSWERS
from seatrial.cli.register import VERSION
from seatrial.steps import adopt
from tests.projects import GIT_SETTINGS, commit, git, sample, write_tree

NEXT = "9.0.0"
RELEASE = ".github/workflows/release.yml"


@pytest.fixture
def repository(assembled: Path, tmp_path: Path) -> Path:
    """A repository of the template with two tagged versions: the second has another, a new and one file less."""
    folder = shutil.copytree(assembled, tmp_path / "repository")
    commit(folder, tag=f"v{VERSION}")
    register = (folder / "tasks" / "register.py").read_text("utf-8").replace(f'"{VERSION}"', f'"{NEXT}"')
    (folder / "tasks" / "explain.py").unlink()
    actions = (folder / "templates" / "actions.jinja").read_text("utf-8").replace("ubuntu-24.04", "ubuntu-26.04")
    lock = (folder / "tasks" / "requirements" / "nox.txt").read_text("utf-8") + "# newer\n"
    changes = {
        "tasks/register.py": register,
        "tasks/requirements/nox.txt": lock,
        "tasks/rules/new.py": "NEW = 1\n",
        "templates/actions.jinja": actions,
    }
    write_tree(folder, changes)
    commit(folder, tag=f"v{NEXT}")
    return folder


def copier(folder: Path, *words: str) -> str:
    """Run Copier in `folder` as a person would, away from this machine's settings."""
    env = os.environ | {"COPIER_SETTINGS_PATH": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for number, setting in enumerate(GIT_SETTINGS[1::2]):
        key, value = setting.split("=", 1)
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    env |= {"GIT_CONFIG_COUNT": str(len(GIT_SETTINGS) // 2), "GIT_CONFIG_GLOBAL": os.devnull}
    argv = [sys.executable, "-m", "copier", *words]
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_an_update_brings_the_new_version_and_keeps_the_edits(repository: Path, tmp_path: Path) -> None:
    noxfile = "import nox\n\nMINE = 1\n"
    project = sample(tmp_path / "project", files={"noxfile.py": noxfile})
    commit(project)
    copier(project, "copy", "--defaults", "--quiet", "--vcs-ref", f"v{VERSION}", f"git+{repository.as_uri()}", ".")
    workflow = (project / RELEASE).read_text("utf-8")
    edited = workflow.replace("name: release\n", "name: ours\n").replace("fail-fast: false", "fail-fast: true")
    ignored = (project / ".gitignore").read_text("utf-8") + "/mine/\n"
    write_tree(project, {RELEASE: edited, ".gitignore": ignored})
    commit(project)
    copier(project, "update", "--defaults", "--answers-file", ANSWERS)

    ours = {path.relative_to(repository).as_posix(): path.read_bytes() for path in (repository / "tasks").rglob("*.*")}
    theirs = {path.relative_to(project).as_posix(): path.read_bytes() for path in (project / "tasks").rglob("*.*")}
    assert theirs == ours
    assert "tasks/explain.py" not in theirs
    assert "tasks/rules/new.py" in theirs
    workflow = (project / RELEASE).read_text("utf-8")
    assert "ubuntu-26.04" in workflow
    assert "ubuntu-24.04" not in workflow
    assert "name: ours" in workflow
    assert "fail-fast: true" in workflow
    assert "<<<<<<<" not in workflow
    assert f"_commit: v{NEXT}" in (project / ANSWERS).read_text("utf-8")
    assert f"seatrial=={NEXT}" in (project / ".seatrial.txt").read_text("utf-8")

    git(project, "add", "-A")
    changed = git(project, "diff", "--name-only", "HEAD").splitlines()
    assert all(name.startswith(("tasks/", ".github/", ".seatrial")) for name in changed), changed
    assert "MINE = 1" in (project / "noxfile.py").read_text("utf-8")
    assert "/mine/" in (project / ".gitignore").read_text("utf-8")


def test_a_kept_workflow_is_touched_by_no_update_until_it_is_asked_for(repository: Path, tmp_path: Path) -> None:
    publish = "on:\n  push:\n    tags: ['v*']\njobs:\n  p:\n    steps:\n      - run: twine upload dist/*\n"
    theirs = ".github/workflows/release.yml"
    project = sample(tmp_path / "project", files={theirs: publish})
    commit(project)
    adopt.adopt([str(project)], tmp_path, lambda _: Path(sys.executable), lambda _: None)
    answers = (project / ANSWERS).read_text("utf-8").replace(template.REPOSITORY, f"git+{repository.as_uri()}")
    assert "workflow: ''" in answers
    lines = [f"_commit: v{VERSION}" if line.startswith("_commit:") else line for line in answers.split("\n")]
    (project / ANSWERS).write_text("\n".join(lines), "utf-8")
    commit(project)
    copier(project, "update", "--defaults", "--answers-file", ANSWERS)
    assert (project / theirs).read_text("utf-8") == publish
    assert f'VERSION = "{NEXT}"' in (project / "tasks" / "register.py").read_text("utf-8")
    with pytest.raises(OtherVersion):
        copies.compare(project)
    git(project, "rm", "--quiet", theirs)
    commit(project)
    copier(project, "update", "--defaults", "--answers-file", ANSWERS, "--data", "workflow=release.yml")
    assert "nox --no-dependencies -s pypi" in (project / theirs).read_text("utf-8")
