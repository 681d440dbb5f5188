"""The workflows at work: their commands, job by job, against stand-in indexes, with only the artifacts in between."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from seatrial.adoption import lock as pins
from seatrial.index.indexes import Index
from seatrial.standin import server
from seatrial.standin.index import StandinIndex
from tests.integration.conftest import HERE
from tests.projects import commit, git, sample
from tests.template.runner import Github, Gitlab, upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.template.conftest import Render

RUNNING = "{}.{}".format(*sys.version_info)
SETTINGS = """
[tool.seatrial]
pythons = ["{python}"]
index-timeout = 10

[tool.seatrial.indexes.testpypi]
simple = "{testpypi}/simple/"
upload = "{testpypi}/legacy/"

[tool.seatrial.indexes.pypi]
simple = "{pypi}/simple/"
upload = "{pypi}/legacy/"
"""
OF_CI = re.compile("TOKEN|^TWINE_|^GITHUB_|^GITLAB_|^CI$|^CI_")  # of the CI system that runs this test, if one does
CLASH = """\
@nox.session
def build(session: nox.Session) -> None:
    session.error("this is the project's own session")


"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the jobs that these commands are for run on Linux")


@dataclass
class Stage:
    """A project whose indexes are on this machine, and what a CI system has at hand for it."""

    project: Path
    indexes: Path
    env: dict[str, str]
    secrets: dict[str, str]

    def held(self, index: str) -> dict[str, str]:
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (self.indexes / index).iterdir()}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of a fresh Python with nothing but pip: what a runner has."""
    folder = tmp_path_factory.mktemp("runner") / "python"
    venv.create(folder, with_pip=True)
    return folder / ("Scripts" if os.name == "nt" else "bin")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An index on this machine that has the package `seatrial`, as this working tree makes it."""
    folder = tmp_path_factory.mktemp("package")
    source = shutil.copytree(HERE, folder / "source", ignore=shutil.ignore_patterns(".*", "__pycache__", "dist"))
    build = (
        sys.executable,
        "-m",
        "build",
        "--quiet",
        "--installer",
        "uv",
        "--wheel",
        "--outdir",
        str(folder / "served"),
    )
    subprocess.run([*build, str(source)], check=True)
    with server.serving(StandinIndex(folder / "served", "no upload is taken")) as url:
        yield f"{url}/simple/"


@pytest.fixture
def make_stage(tmp_path: Path, render: Render, python: Path) -> Iterator[Callable[..., Stage]]:
    with contextlib.ExitStack() as stack:

        def make(sessions: str = "", **answers: str) -> Stage:
            tokens = {name: make(location) for name, location in server.LOCATIONS.items()}
            indexes = tmp_path / "indexes"
            urls = {
                name: stack.enter_context(server.serving(StandinIndex(indexes / name, token))).rstrip("/")
                for name, token in tokens.items()
            }
            project = sample(tmp_path / "project")
            shutil.copytree(render(**answers), project, dirs_exist_ok=True)
            with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
                file.write(SETTINGS.format(python=RUNNING, **urls))
            noxfile = project / "noxfile.py"
            noxfile.write_text(
                noxfile.read_text(encoding="utf-8").replace("nox.needs", f"{sessions}nox.needs"), "utf-8"
            )
            commit(project, tag="v1.0")
            plain = {name: value for name, value in os.environ.items() if not OF_CI.search(name)}
            path = os.pathsep.join([str(python), os.environ["PATH"], sysconfig.get_path("scripts")])
            secrets = {f"{name.upper()}_TOKEN": token for name, token in tokens.items()}
            return Stage(project, indexes, plain | {"PATH": path, "CI": "true"}, secrets)

        yield make


def github(stage: Stage, folder: Path, event: str = "push", **inputs: str) -> Github:
    facts = {"event_name": event, "ref_type": "tag", "ref": "refs/tags/v1.0", "ref_name": "v1.0", "run_id": "7"}
    workflow = stage.project / ".github" / "workflows" / "release.yml"
    return Github(workflow, stage.project, folder, stage.env, facts, inputs, stage.secrets)


def test_a_tag_on_github_goes_through_all_jobs(make_stage: Callable[..., Stage], tmp_path: Path) -> None:
    stage = make_stage(credentials="token")
    run = github(stage, tmp_path / "run")
    run.run()
    assert {name: job.result for name, job in run.jobs.items()} == {
        "dryrun": "skipped",
        "build": "success",
        "testpypi": "success",
        "verify": "success",
        "pypi": "success",
        "record": "success",
    }, "\n".join(job.log for job in run.jobs.values())
    assert stage.held("testpypi") == stage.held("pypi")
    assert len(stage.held("pypi")) == 2
    summary = (run.artifacts / "summary.md").read_text(encoding="utf-8")
    assert "2 of 2 cells" in summary
    assert run.jobs["build"].outputs["record"] in summary
    assert "--no-dependencies" in run.jobs["pypi"].log


def test_a_thin_project_goes_through_all_jobs_with_the_package_by_its_hash(
    make_stage: Callable[..., Stage], package: str, tmp_path: Path
) -> None:
    """As it will be once the package is on PyPI: what the workflow installs is the wheel that the lock names."""
    stage = make_stage(copy="thin", credentials="token")
    lock = pins.locked(Index("this machine", simple=package))
    (stage.project / pins.FILE).write_text(lock, encoding="utf-8")
    commit(stage.project)
    git(stage.project, "tag", "--force", "v1.0")
    own = tmp_path / "python"
    venv.create(own, with_pip=True)
    stage.env["PATH"] = os.pathsep.join([str(own / "bin"), stage.env["PATH"]])
    stage.env["PIP_EXTRA_INDEX_URL"] = package
    run = github(stage, tmp_path / "run")
    run.run()
    assert run.jobs["pypi"].result == "success", "\n".join(job.log for job in run.jobs.values())
    assert stage.held("testpypi") == stage.held("pypi")
    assert len(stage.held("pypi")) == 2
    assert not (stage.project / "tasks").exists()

    (seatrial,) = re.findall(r"seatrial==.*\n +--hash=sha256:(\w+)", lock)
    (stage.project / pins.FILE).write_text(lock.replace(seatrial, seatrial[::-1]), encoding="utf-8")
    commit(stage.project)
    git(stage.project, "tag", "--force", "v1.0")
    subprocess.run([str(own / "bin" / "pip"), "uninstall", "--quiet", "--yes", "seatrial"], check=True)
    refused = github(stage, tmp_path / "refused").run_job("build")
    assert (refused.result, "THESE PACKAGES DO NOT MATCH THE HASHES" in refused.log) == ("failure", True)


def test_a_pull_request_is_rehearsed_and_its_copy_compared(
    make_stage: Callable[..., Stage], package: str, tmp_path: Path
) -> None:
    stage = make_stage()
    own = tmp_path / "python"
    venv.create(own, with_pip=True)
    stage.env["PATH"] = os.pathsep.join([str(own / "bin"), stage.env["PATH"]])
    stage.env["PIP_EXTRA_INDEX_URL"] = package
    facts = {"event_name": "pull_request", "ref_type": "branch", "ref": "refs/pull/1/merge", "ref_name": "main"}
    workflow = stage.project / ".github" / "workflows" / "check.yml"
    run = Github(workflow, stage.project, tmp_path / "run", stage.env, facts)
    run.run()
    assert {name: job.result for name, job in run.jobs.items()} == {"dryrun": "success", "copy": "success"}, "\n".join(
        job.log for job in run.jobs.values()
    )
    assert "all five sessions passed" in run.jobs["dryrun"].log

    with (stage.project / "tasks" / "upload.py").open("a", encoding="utf-8") as file:
        file.write("import os\n")
    commit(stage.project)
    changed = Github(workflow, stage.project, tmp_path / "changed", stage.env, facts).run_job("copy")
    assert (changed.result, "upload.py: was changed" in changed.log) == ("failure", True)


def test_a_rehearsal_on_github_is_promoted_by_a_later_run(make_stage: Callable[..., Stage], tmp_path: Path) -> None:
    """And what came between: other evidence is not believed, another build is noticed."""
    stage = make_stage(CLASH, credentials="token", prefix="release-", folder="release-tasks")
    rehearsed = github(stage, tmp_path / "rehearsal", "workflow_dispatch")
    rehearsed.run()
    assert rehearsed.jobs["verify"].result == "success", rehearsed.jobs
    assert (rehearsed.jobs["pypi"].result, stage.held("pypi")) == ("skipped", {})

    record = rehearsed.jobs["build"].outputs["record"]
    evidence = next(rehearsed.artifacts.glob("evidence-verified-*"))
    (evidence / "built.json").write_text("{}", encoding="utf-8")  # a verify job that adds more than its evidence
    promoted = github(stage, tmp_path / "promotion", "workflow_dispatch", run="7", record=record)
    promoted.artifacts = rehearsed.artifacts
    promoted.run()
    assert promoted.jobs["pypi"].result == "success", promoted.jobs["pypi"].log
    assert stage.held("pypi") == stage.held("testpypi")

    swapped = github(stage, tmp_path / "swapped", "workflow_dispatch", run="7", record=record)
    swapped.artifacts = rehearsed.artifacts
    path = rehearsed.artifacts / "built" / "release-record" / "built.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"dirty": True}), encoding="utf-8")
    swapped.run()
    assert swapped.jobs["pypi"].result == "failure"
    assert "is not the file that the build job wrote" in " ".join(swapped.jobs["pypi"].log.split())


def test_parts_of_several_jobs_are_built_into_one_release(make_stage: Callable[..., Stage], tmp_path: Path) -> None:
    stage = make_stage(credentials="token", compiled="true")
    run = github(stage, tmp_path / "run")
    assert [run.run_job(name).result for name in ("sdist", "wheels")] == ["success", "success"]
    build = run.run_job("build")
    assert build.result == "success", build.log
    built = json.loads((run.artifacts / "built" / "release-record" / "built.json").read_text(encoding="utf-8"))
    assert [dist["filename"] for dist in built["dists"]] == ["demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"]
    parts = run.artifacts.glob("part-*/*")
    assert {path.name: path.read_bytes() for path in parts} == {
        path.name: path.read_bytes() for path in (run.artifacts / "built" / "dist").iterdir()
    }


def test_a_tag_on_gitlab_goes_through_all_jobs(make_stage: Callable[..., Stage], tmp_path: Path) -> None:
    stage = make_stage(ci="gitlab", credentials="token", pythons=json.dumps([RUNNING]))
    folder = tmp_path / "pipeline"
    folder.mkdir()
    pipeline = stage.project / ".gitlab" / "release.yml"
    logs = Gitlab(pipeline, stage.project, folder, stage.env, "v1.0", stage.secrets).run()
    assert list(logs) == ["build", "testpypi", "verify", "pypi"]
    assert stage.held("testpypi") == stage.held("pypi")
    assert len(stage.held("pypi")) == 2
    assert "SEATRIAL_RECORD=" in (folder / "dotenv" / "build").read_text(encoding="utf-8")


def test_files_of_an_artifact_lie_below_their_common_folder(tmp_path: Path) -> None:
    for name in ("dist/a.whl", "record/built.json", "record/other.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    upload(tmp_path, tmp_path / "both", ["dist/", "record/built.json"])
    upload(tmp_path, tmp_path / "one", ["record/b*.json"])
    assert (tmp_path / "both" / "record" / "built.json").is_file()
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["built.json"]
