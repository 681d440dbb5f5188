"""`adopt` on projects as they are: what it writes, what it leaves alone, and that nothing stays of a half of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from seatrial import __version__
from seatrial.adoption.changes import LinkLeadsOut
from seatrial.adoption.lock import NotAdopted
from seatrial.adoption.plan import AdoptedAlready, Taken
from seatrial.adoption.target import Ignored, NotClean
from seatrial.adoption.template import BadAnswer
from seatrial.steps.adopt import WrongUse
from tests.projects import commit, git, sample, write_tree
from tests.samples.workspaces import three
from tests.unit.adoption.conftest import state

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.adoption.conftest import Adopt

WHEEL = f"tasks/seatrial-{__version__}-py3-none-any.whl"
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


def test_a_bare_project_gets_everything_and_keeps_what_it_has(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project")
    commit(project)
    before = state(project)
    printed = adopt(project)
    after = state(project)
    assert {name: after[name] for name in before} == before  # .gitignore had the lines already
    assert after.keys() - before.keys() == {
        "noxfile.py",
        "tasks/release.py",
        "tasks/release.txt",
        "tasks/nox.txt",
        WHEEL,
        ".github/workflows/check.yml",
        ".github/workflows/release.yml",
    }
    assert "next:\n  git add . && git commit\n  nox -s dryrun" in printed


@pytest.mark.parametrize("data", [[], ["ci=none"]], ids=["workflows", "none"])
def test_the_root_of_packages_is_told_what_works_there(tmp_path: Path, adopt: Adopt, data: list[str]) -> None:
    project = three(tmp_path / "project")
    commit(project)
    printed = adopt(project, *(word for answer in data for word in ("--data", answer)))
    assert "\n  nox -s dryrun -- --all\n" in printed
    assert ("the workflows are for one package" in printed) is (not data)


@pytest.mark.parametrize("gitignore", [True, False])
def test_what_is_added_can_be_reviewed(tmp_path: Path, adopt: Adopt, *, gitignore: bool) -> None:
    """At most 8 files and 600 lines, the hashes not counted, and of those at most 200 in release.py."""
    project = sample(tmp_path / "project")
    if not gitignore:
        (project / ".gitignore").unlink()
    commit(project)
    before = state(project)
    adopt(project)
    added = {name: content for name, content in state(project).items() if name not in before}
    assert len(added) <= 8
    text = [line for content in added.values() if b"\0" not in content for line in content.decode().splitlines()]
    assert len([line for line in text if "--hash=" not in line]) <= 600
    assert len(added["tasks/release.py"].splitlines()) <= 200


def test_what_adopt_prints_undoes_it(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project", files={"noxfile.py": NOXFILE, ".github/FUNDING.yml": "a: b\n"})
    commit(project)
    undo = adopt(project).partition("to undo it before you commit: ")[2].partition("next:")[0]
    command, _, listed = undo.partition("; delete")
    git(project, *command.split()[1:])
    for name in listed.split():
        path = project / name
        for inner in sorted(path.rglob("*"), reverse=True):
            inner.rmdir() if inner.is_dir() else inner.unlink()
        path.rmdir() if path.is_dir() else path.unlink()
    assert git(project, "status", "--porcelain") == ""


def test_a_dry_run_shows_all_and_writes_nothing_even_in_a_dirty_tree(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project", files={"noxfile.py": NOXFILE, "ruff.toml": ""})
    commit(project)
    write_tree(project, {"README.md": "# demo\n\nwork in progress\n"})
    before = state(project)
    printed = adopt(project, "--dry-run")
    assert state(project) == before
    assert '+runpy.run_path("tasks/release.py")' in printed
    assert 'ruff: extend-exclude = ["tasks"]    (ruff.toml)' in printed
    assert ".github/workflows/release.yml" in printed
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


def test_the_outputs_of_all_packages_of_a_repository_are_ignored(tmp_path: Path, adopt: Adopt) -> None:
    files = {
        "pyproject.toml": '[tool.uv.workspace]\nmembers = ["packages/*"]\n',
        "packages/core/setup.py": "",
        "packages/web/setup.py": "",
    }
    project = sample(tmp_path / "project", files=files)
    commit(project)
    adopt(project)
    commit(project)
    write_tree(project, {f"packages/{name}/dist/a.whl": "" for name in ("core", "web")})
    assert git(project, "status", "--porcelain") == ""


def test_a_project_without_git_gets_no_files_for_git(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project")
    (project / ".gitignore").unlink()
    adopt(project)
    names = {name.partition("/")[0] for name in state(project)} - {"tasks", "src"}
    assert names == {"pyproject.toml", "README.md", "LICENSE", "noxfile.py"}


def test_a_project_with_setup_py_alone_is_one(tmp_path: Path, adopt: Adopt) -> None:
    project = write_tree(tmp_path / "project", {"setup.py": "from setuptools import setup\nsetup()\n"})
    commit(project)
    assert "adopting into" in adopt(project)
    assert not (project / "pyproject.toml").exists()


def test_the_line_that_keeps_the_copy_out_of_the_sdist_is_a_next_step(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project", backend="hatchling")
    commit(project)
    following = adopt(project).partition("next:")[2]
    assert 'exclude = ["/.github", "/noxfile.py", "/tasks"]    ([tool.hatch.build.targets.sdist]' in following


def test_a_workflow_that_publishes_is_kept_and_compared(tmp_path: Path, adopt: Adopt) -> None:
    theirs = ".github/workflows/publish.yml"
    project = sample(tmp_path / "project", files={theirs: PUBLISH, ".github/workflows/check.yml": "on: push\n"})
    commit(project)
    printed = adopt(project)
    assert (project / theirs).read_text("utf-8") == PUBLISH
    assert sorted(path.name for path in (project / ".github/workflows").iterdir()) == [
        "check-release.yml",
        "check.yml",
        "publish.yml",
    ]
    assert f"{theirs} already uploads, and a trusted publisher is bound to its name, so it is kept as it is" in printed
    assert '+      name: "release"' in printed.replace("| ", "")  # the environment's name stays
    assert "Never keep both" in printed
    commit(project)
    git(project, "rm", "--quiet", theirs)
    commit(project)
    (way,) = re.findall(r"seatrial adopt --update (--data \S+)\.", printed)
    adopt(project, "--update", *way.split())
    assert "nox --no-dependencies -s pypi" in (project / theirs).read_text("utf-8")


def test_two_workflows_that_upload_are_warned_of(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project", files={".github/workflows/publish.yml": PUBLISH})
    commit(project)
    assert "several workflows" not in adopt(project, "--dry-run")
    printed = adopt(project, "--data", "workflow=release.yml")
    assert "several workflows upload to an index: publish.yml, release.yml." in printed
    assert (project / ".github/workflows/release.yml").is_file()


def test_files_that_only_their_owner_can_change_are_left_and_spoken_of(tmp_path: Path, adopt: Adopt) -> None:
    files = {".gitlab-ci.yml": "stages: [build, test, deploy]\n", "renovate.json": "{}\n"}
    project = sample(tmp_path / "project", files=files)
    commit(project)
    printed = adopt(project)
    assert {name: (project / name).read_text("utf-8") for name in files} == files
    assert "- local: .gitlab/release.yml" in printed
    assert '"matchPackageNames": ["seatrial"], "enabled": false' in printed
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
    assert "part of a larger repository" in adopt(project)
    assert not (project / ".github").exists()


@pytest.mark.parametrize(
    ("files", "refusal"),
    [
        ({".github/workflows/a.yml": "on: push\n"}, (Taken, r"workflows/a\.yml")),
        ({".gitignore": "*.whl\n"}, (Ignored, r"seatrial-.*\.whl: \.gitignore:1")),
    ],
)
def test_what_is_in_the_way_stops_everything(
    tmp_path: Path, adopt: Adopt, files: dict[str, str], refusal: tuple[type[Exception], str]
) -> None:
    project = sample(tmp_path / "project", files=files)
    commit(project)
    before = state(project)
    with pytest.raises(refusal[0], match=refusal[1]):
        adopt(project, "--data", "check=a.yml")
    assert state(project) == before


def test_nothing_is_written_through_a_link_that_leads_out(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project")
    (tmp_path / "shared").mkdir()
    (project / ".github").symlink_to(tmp_path / "shared")
    commit(project)
    before = state(project)
    with pytest.raises(LinkLeadsOut, match="shared"):
        adopt(project)
    assert state(project) == before
    assert list((tmp_path / "shared").iterdir()) == []


def test_an_answer_or_option_that_is_not_valid_stops_everything(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project")
    before = state(project)
    with pytest.raises(BadAnswer, match="github, gitlab or none"):
        adopt(project, "--data", "ci=jenkins")
    with pytest.raises(WrongUse, match="--force") as met:
        adopt(project, "--force")
    assert "\\n" not in str(met.value)  # the usage has several lines
    with pytest.raises(WrongUse, match="not allowed with"):
        adopt(project, "--check", "--update")
    assert state(project) == before


def test_a_second_adopt_names_the_update(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project")
    with pytest.raises(NotAdopted):
        adopt(project, "--update")
    adopt(project)
    with pytest.raises(AdoptedAlready, match="seatrial adopt --update"):
        adopt(project)


def test_nothing_stays_of_a_half_finished_adopt(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project", files={"noxfile.py": NOXFILE, ".gitignore": "/x/\n"})
    (project / ".gitlab").write_text("a file where the pipeline's folder belongs\n", encoding="utf-8")
    commit(project)
    before, folders = state(project), sorted(path for path in project.iterdir() if path.is_dir())
    with pytest.raises(OSError, match=r"\.gitlab"):
        adopt(project, "--data", "ci=gitlab")
    assert state(project) == before
    assert sorted(path for path in project.iterdir() if path.is_dir()) == folders


def test_the_copy_that_was_just_made_is_genuine(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project")
    adopt(project)
    assert f"release.py matches seatrial {__version__}, and release.txt pins everything by hash" in adopt(
        project, "--check"
    )


def test_a_compiled_project_gets_jobs_for_its_wheels_and_an_sdist_to_rehearse(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project", files={"setup.py": "setup(ext_modules=[])\n"})
    commit(project)
    printed = adopt(project)
    assert printed.rstrip().endswith("nox -s dryrun -- --sdist-only")
    assert "pypa/cibuildwheel@" in (project / ".github/workflows/release.yml").read_text("utf-8")


def test_an_own_file_in_the_folder_for_the_copy_is_not_overwritten(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project", files={"tools/release.txt": "notes\n"})
    with pytest.raises(Taken, match=r"tools/release\.txt"):
        adopt(project, "--data", "folder=tools")


def test_a_pipeline_that_includes_ours_already_is_not_spoken_of(tmp_path: Path, adopt: Adopt) -> None:
    project = sample(tmp_path / "project", files={".gitlab-ci.yml": "include: [{local: .gitlab/release.yml}]\n"})
    commit(project)
    assert "is yours" not in adopt(project)
