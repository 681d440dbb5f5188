"""The workflows at work: their commands, job by job, against stand-in indexes, with only the artifacts in between."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
import sysconfig
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from virtualenv import cli_run

from seatrial import __version__
from seatrial.index.tokens import make as make_token
from seatrial.report import ci
from seatrial.standin import launch
from seatrial.standin.indexes import LOCATIONS
from seatrial.standin.server import StandinIndex
from seatrial.steps import adopt
from tests.projects import commit, git, sample, write_tree
from tests.samples import installed
from tests.template.runner import Github, Gitlab, Outcome, upload

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
import nox


@nox.session
def build(session: nox.Session) -> None:
    session.error("this is the project's own session")
"""
GH = """\
#!{python}
import json, os, sys

run = json.loads(os.environ["GH_RUN"])
*options, address, _, query = sys.argv[2:]
place = f"repos/{{os.environ['GITHUB_REPOSITORY']}}/actions/runs/7"
assert sys.argv[1] == "api" and address in (place, f"{{place}}/jobs?per_page=100"), sys.argv
if address != place:
    assert options == ["--paginate"] and query.endswith("| .conclusion")
    print("\\n".join(run.get("verified", ["success"])))
    sys.exit()
assert "head_repository.full_name" in query and "head_branch" in query and "head_sha" in query and ".path" in query
path = run["workflow_ref"].partition("@")[0].partition("/.github")[2]
print(f"{{run['repository']}}/.github{{path}}@refs/tags/{{run['ref_name']}} {{run['sha']}}")
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
    """The scripts of a fresh Python with nothing but pip, and a `gh` that knows one run: what a runner has."""
    folder = tmp_path_factory.mktemp("runner") / "python"
    cli_run([str(folder)])
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    (scripts / "gh").write_text(GH.format(python=sys.executable), encoding="utf-8")
    (scripts / "gh").chmod(0o755)
    return scripts


@pytest.fixture
def make_stage(tmp_path: Path, python: Path) -> Iterator[Callable[..., Stage]]:
    """Adopt into a project that releases to indexes on this machine, and tag it."""
    with contextlib.ExitStack() as stack:

        def make(noxfile: str = "", **answers: str) -> Stage:
            secrets = {name: make_token(location) for name, location in LOCATIONS.items()}
            indexes = tmp_path / "indexes"
            apps = {name: StandinIndex(indexes / name, token) for name, token in secrets.items()}
            urls = {name: stack.enter_context(launch.serving(app)) for name, app in apps.items()}
            files = {"noxfile.py": noxfile} if noxfile else {}
            project = sample(tmp_path / "project", files=files)
            with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
                file.write(SETTINGS.format(python=RUNNING, **urls))
            commit(project)
            adopt.adopt([str(project), *(f"--data={name}={value}" for name, value in answers.items())], tmp_path)
            commit(project, tag="v1.0")
            plain = {name: value for name, value in os.environ.items() if not OF_CI.search(name)}
            path = os.pathsep.join([str(python), os.environ["PATH"], sysconfig.get_path("scripts")])
            tokens = {f"{name.upper()}_TOKEN": token for name, token in secrets.items()}
            # A job imports little of what it installs.
            env = plain | {"PATH": path, "CI": "true", "PIP_NO_COMPILE": "1"}
            return Stage(project, indexes, env, tokens)

        yield make


def github(stage: Stage, folder: Path, event: str = "push", **inputs: str) -> Github:
    facts = {
        "event_name": event,
        "ref_type": "tag",
        "ref": "refs/tags/v1.0",
        "ref_name": "v1.0",
        "run_id": "7",
        "repository": "ada/demo",
        "workflow_ref": "ada/demo/.github/workflows/release.yml@refs/tags/v1.0",
        "sha": git(stage.project, "rev-parse", "v1.0"),
    }
    workflow = stage.project / ".github" / "workflows" / "release.yml"
    return Github(workflow, stage.project, folder, stage.env, facts, inputs, stage.secrets)


HOSTILE = {
    "noxfile.py": "raise SystemExit('run from an artifact')\n",
    "tasks/release.py": "raise SystemExit('run from an artifact')\n",
    "dist/sitecustomize.py": "raise SystemExit('run from an artifact')\n",
    "release-record/hostile.json": "{}",
    ".nox/testpypi/bin/python": "#!/bin/sh\necho run from an artifact\n",
}


def stop_if_anything_else_was_taken(works: list[Path], logs: str) -> None:
    """Assert that jobs with an identity took the distributions and the named records, and ran nothing of the rest."""
    assert "run from an artifact" not in logs
    for work in works:
        assert sorted(path.suffix for path in (work / "dist").iterdir()) == [".gz", ".whl"]
        assert not (work / "release-record" / "hostile.json").exists()


def claim_others(artifact: Path) -> None:
    """Have a verify job claim that it verified for another Python and for another system as well."""
    for path in list(artifact.glob("verified-*")):
        for change in ({"python": "3.99"}, {"sys_platform": "win32"}):
            cell = json.loads(path.read_text("utf-8")) | change
            name = "verified-{python}-{sys_platform}-{machine}-{kind}.json".format_map(cell)
            (artifact / name).write_text(json.dumps(cell), encoding="utf-8")


def stop_if_another_cell_was_taken(work: Path) -> None:
    """Assert that the record in `work` has what the one verify job for Linux can have proved, and no more."""
    names = sorted(path.name for path in (work / "release-record").glob("verified-*"))
    assert [re.sub("-linux-.+-", "-linux-", name) for name in names] == [
        f"verified-{RUNNING}-linux-{kind}.json" for kind in ("sdist", "wheel")
    ]


@pytest.mark.parametrize("trigger", ["tag", "release"])
def test_a_build_job_cannot_choose_the_machine_of_a_verify_job(tmp_path: Path, render: Render, trigger: str) -> None:
    project = render(trigger=trigger)
    commit(project, tag="v1.0")
    run = github(Stage(project, tmp_path, {}, {}), tmp_path / "run")
    given = [*ci.RUNNERS, "self-hosted", "ubuntu-latest-16-cores", ""]
    assert [run.labels("verify", matrix={"os": os}) for os in given] == [*ci.RUNNERS, *["ubuntu-latest"] * 3]


@pytest.mark.slow
def test_a_tag_on_github_goes_through_all_jobs(make_stage: Callable[..., Stage], tmp_path: Path) -> None:
    """Whatever the build job put into its artifact beside the files: it may do so, since it runs the build backend."""
    stage = make_stage(credentials="token")
    run = github(stage, tmp_path / "run")
    for name in run.document["jobs"]:
        run.run_job(name)
        write_tree(run.artifacts / "built", HOSTILE if name == "build" else {})
        if name == "verify":
            claim_others(run.artifacts / f"evidence-verified-ubuntu-latest-{RUNNING}")
    logs = "\n".join(job.log for job in run.jobs.values())
    assert {name: job.result for name, job in run.jobs.items()} == {
        "dryrun": "skipped",
        "build": "success",
        "testpypi": "success",
        "verify": "success",
        "pypi": "success",
        "record": "success",
    }, logs
    assert stage.held("testpypi") == stage.held("pypi")
    assert len(stage.held("pypi")) == 2
    summary = (run.artifacts / "summary.md").read_text(encoding="utf-8")
    for work in (*run.folder.glob("pypi-*/work"), *run.folder.glob("record-*/work")):
        stop_if_another_cell_was_taken(work)
    assert "2 of 2 cells" in summary
    assert run.jobs["build"].outputs["record"] in summary
    assert "--no-dependencies" in run.jobs["pypi"].log
    jobs = [next((tmp_path / "run").glob(f"{name}-*")) for name in ("testpypi", "verify", "pypi", "record")]
    stop_if_anything_else_was_taken([job / "work" for job in jobs], logs)


@pytest.mark.slow
def test_a_pull_request_is_rehearsed_and_its_copy_compared(make_stage: Callable[..., Stage], tmp_path: Path) -> None:
    stage = make_stage()
    own = tmp_path / "python"
    cli_run([str(own)])
    stage.env["PATH"] = os.pathsep.join([str(own / "bin"), stage.env["PATH"]])
    facts = {"event_name": "pull_request", "ref_type": "branch", "ref": "refs/pull/1/merge", "ref_name": "main"}
    workflow = stage.project / ".github" / "workflows" / "check.yml"
    run = Github(workflow, stage.project, tmp_path / "run", stage.env, facts)
    run.run()
    assert {name: job.result for name, job in run.jobs.items()} == {"dryrun": "success", "copy": "success"}, "\n".join(
        job.log for job in run.jobs.values()
    )
    assert "rehearsed as 1.0, as its files call it" in (run.artifacts / "summary.md").read_text(encoding="utf-8")

    with (stage.project / "tasks" / "release.py").open("a", encoding="utf-8") as file:
        file.write("import evil\n")
    commit(stage.project)
    changed = Github(workflow, stage.project, tmp_path / "changed", stage.env, facts).run_job("copy")
    assert (changed.result, "release.py: changed" in changed.log) == ("failure", True)


def test_a_swapped_wheel_beside_the_lock_is_never_installed(make_stage: Callable[..., Stage], tmp_path: Path) -> None:
    stage = make_stage()
    (wheel,) = stage.project.glob("tasks/*.whl")
    wheel.write_bytes(installed.origin(version=__version__).wheel)
    commit(stage.project)
    git(stage.project, "tag", "--force", "v1.0")
    refused = github(stage, tmp_path / "refused").run_job("build")
    assert refused.result == "failure"
    assert re.search("hash mismatch|THESE PACKAGES DO NOT MATCH THE HASHES", refused.log, re.IGNORECASE), refused.log


@pytest.mark.slow
def test_a_rehearsal_on_github_is_promoted_by_a_later_run(make_stage: Callable[..., Stage], tmp_path: Path) -> None:
    """And what came between: other evidence is not believed, another build is noticed."""
    stage = make_stage(CLASH, credentials="token", folder="release-tasks")
    rehearsed = github(stage, tmp_path / "rehearsal", "workflow_dispatch")
    rehearsed.run()
    assert rehearsed.jobs["verify"].result == "success", "\n".join(job.log for job in rehearsed.jobs.values())
    assert (rehearsed.jobs["pypi"].result, stage.held("pypi")) == ("skipped", {})

    record = rehearsed.jobs["build"].outputs["record"]
    evidence = next(rehearsed.artifacts.glob("evidence-verified-*"))
    (evidence / "built.json").write_text("{}", encoding="utf-8")  # a verify job that adds more than its evidence
    promoted = github(stage, tmp_path / "promotion", "workflow_dispatch", run="7", record=record)
    promoted.env["GH_RUN"] = json.dumps(promoted.github)
    promoted.artifacts = rehearsed.artifacts
    promoted.run()
    assert promoted.jobs["pypi"].result == "success", promoted.jobs["pypi"].log
    assert stage.held("pypi") == stage.held("testpypi")

    swapped = github(stage, tmp_path / "swapped", "workflow_dispatch", run="7", record=record)
    swapped.env["GH_RUN"] = json.dumps(promoted.github)
    swapped.artifacts = rehearsed.artifacts
    path = rehearsed.artifacts / "built" / "release-record" / "built.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"dirty": True}), encoding="utf-8")
    swapped.run()
    assert swapped.jobs["pypi"].result == "failure"
    assert "is not the file that the build job wrote" in " ".join(swapped.jobs["pypi"].log.split())


@pytest.mark.parametrize(
    ("changed", "inputs", "reason"),
    [
        ({"repository": "eve/demo"}, {}, "run 7 is of eve/demo/"),
        ({"workflow_ref": "ada/demo/.github/workflows/other.yml@refs/tags/v1.0"}, {}, "run 7 is of ada/demo/"),
        ({"ref_name": "v0.9"}, {}, "refs/tags/v0.9"),
        ({"sha": "0" * 40}, {}, "0" * 40),
        ({}, {"run": "7/../8"}, "run: not the number of a run"),
        ({}, {"record": ""}, "record: not the sha256 of built.json"),
        ({"verified": ["success", "failure", "success"]}, {}, "run 7: not every verify job succeeded"),
        ({"verified": ["success", "null"]}, {}, "run 7: not every verify job succeeded"),
        ({"verified": []}, {}, "run 7: not every verify job succeeded"),
    ],
)
def test_a_run_of_another_workflow_tag_or_commit_or_that_was_not_verified_is_not_promoted(
    tmp_path: Path, render: Render, python: Path, *, changed: dict[str, object], inputs: dict[str, str], reason: str
) -> None:
    project = render()
    commit(project, tag="v1.0")
    stage = Stage(project, tmp_path, os.environ | {"PATH": os.pathsep.join([str(python), os.environ["PATH"]])}, {})
    run = github(stage, tmp_path / "run", "workflow_dispatch", **({"run": "7", "record": "a" * 64} | inputs))
    run.env["GH_RUN"] = json.dumps(run.github | changed)
    run.jobs = dict.fromkeys(("build", "testpypi", "verify"), Outcome("skipped"))
    job = run.run_job("pypi")
    assert job.result == "failure"
    assert reason in job.log
    assert "pip install" not in job.log


@pytest.mark.slow
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


def plant(name: str, work: Path) -> None:
    """Do what foreign code can that a job started, and that is still there when its commands are done."""
    if name == "build":
        with (work / "release-record" / "ci.env").open("a", encoding="utf-8") as file:
            file.write("BASH_ENV=/hostile\n")
    if name == "verify":
        claim_others(work / "release-record")


@pytest.mark.slow
def test_a_tag_on_gitlab_goes_through_all_jobs(make_stage: Callable[..., Stage], tmp_path: Path) -> None:
    """GitLab unpacks into the project whatever the build job uploaded; the jobs with an identity work beside it."""
    stage = make_stage(ci="gitlab", credentials="token", pythons=json.dumps([RUNNING]))
    folder = tmp_path / "pipeline"
    folder.mkdir()
    pipeline = stage.project / ".gitlab" / "release.yml"
    logs = Gitlab(pipeline, stage.project, folder, stage.env, "v1.0", stage.secrets, HOSTILE, plant).run()
    assert list(logs) == ["build", "seal", "testpypi", "verify", "pypi"]
    assert stage.held("testpypi") == stage.held("pypi")
    assert len(stage.held("pypi")) == 2
    record = hashlib.sha256((folder / "artifacts" / "build" / "release-record" / "built.json").read_bytes()).hexdigest()
    handed_on = {path.name: path.read_text("utf-8") for path in (folder / "dotenv").iterdir()}
    assert handed_on == {"seal": f"SEATRIAL_RECORD={record}\n"}
    stop_if_another_cell_was_taken(folder / "pypi.clean")
    works = [folder / f"{name}.clean" for name in ("testpypi", "pypi")]
    stop_if_anything_else_was_taken(works, "".join(logs.values()))


def test_files_of_an_artifact_lie_below_their_common_folder(tmp_path: Path) -> None:
    for name in ("dist/a.whl", "record/built.json", "record/other.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    upload(tmp_path, tmp_path / "both", ["dist/", "record/built.json"])
    upload(tmp_path, tmp_path / "one", ["record/b*.json"])
    assert (tmp_path / "both" / "record" / "built.json").is_file()
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["built.json"]
