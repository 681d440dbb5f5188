"""Runs the commands of a rendered workflow as a CI system would: each job in a folder of its own, in order.

Only what a job's steps hand on reaches another job: artifacts, outputs, dotenv variables. Actions are stood in for by
what they do to files. This is no GitHub and no GitLab: it shows that the commands, the artifacts' paths and the
conditions fit together.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import string
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.projects import git, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable

EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


class Context(dict[str, Any]):
    """A context of GitHub's expressions: what it lacks is an empty string."""

    def __getattr__(self, name: str) -> Any:
        value = self.get(name, "")
        return Context(value) if isinstance(value, dict) else value


@dataclass
class Outcome:
    """How a job ended: `result` as GitHub names it, its outputs, and what its commands printed."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""


@dataclass
class Github:
    """One run of a workflow on `repository` at `tag`, in `folder`."""

    workflow: Path
    repository: Path
    folder: Path
    env: dict[str, str]
    github: dict[str, str]
    inputs: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    artifacts: Path = Path()
    jobs: dict[str, Outcome] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.document = yaml.safe_load(self.workflow.read_text(encoding="utf-8"))
        self.artifacts = self.folder / "artifacts"
        self.artifacts.mkdir(parents=True, exist_ok=True)

    def run(self) -> None:
        """Run all jobs in the order they stand in, which is an order that their needs allow."""
        for name in self.document["jobs"]:
            self.run_job(name)

    def run_job(self, name: str) -> Outcome:
        """Run the job `name`: each field of its matrix that is for Linux, unless a need or its condition says no."""
        job = self.document["jobs"][name]
        needs = job.get("needs", [])
        needed = {need: self.jobs[need] for need in ([needs] if isinstance(needs, str) else needs)}
        contexts = Context(
            needs={need: {"result": one.result, "outputs": one.outputs} for need, one in needed.items()},
            github=self.github,
            inputs=self.inputs,
        )
        condition = str(job.get("if", "success()")).strip()
        inner = EXPRESSION.fullmatch(condition)
        condition = inner[1] if inner else condition
        implied = "cancelled()" in condition or all(one.result == "success" for one in needed.values())
        wanted = implied and self._value(condition, contexts)
        outcome = self._run_matrix(name, job, contexts) if wanted else Outcome("skipped")
        self.jobs[name] = outcome
        return outcome

    def _run_matrix(self, name: str, job: dict[str, Any], contexts: Context) -> Outcome:
        outcome = Outcome("success")
        for cell in self._cells(job, contexts):
            here = Context(contexts | {"matrix": cell, "secrets": self.secrets if "environment" in job else {}})
            if str(self._filled(job["runs-on"], here)).startswith("ubuntu"):
                one = self._run_steps(f"{name}-{len(list(self.folder.iterdir()))}", job, here)
                outcome.outputs |= one.outputs
                outcome.log += one.log
                outcome.result = one.result if outcome.result == "success" else outcome.result
        return outcome

    def labels(self, name: str, **contexts: dict[str, str]) -> str:
        """Return the label of the machine that the job `name` runs on, with these contexts."""
        return str(self._filled(self.document["jobs"][name]["runs-on"], Context(contexts)))

    def _cells(self, job: dict[str, Any], contexts: Context) -> list[dict[str, Any]]:
        matrix = job.get("strategy", {}).get("matrix", {"include": [{}]})
        if isinstance(matrix, str):
            matrix = self._filled(matrix, contexts)
        if "include" in matrix:
            return list(matrix["include"])
        return [{key: value} for key, values in matrix.items() for value in values]

    def _run_steps(self, name: str, job: dict[str, Any], contexts: Context) -> Outcome:
        place = self.folder / name
        work, temp = place / "work", place / "temp"
        work.mkdir(parents=True)
        temp.mkdir()
        contexts = Context(contexts | {"runner": {"temp": str(temp)}, "steps": {}})
        log = ""
        try:
            for number, step in enumerate(job["steps"]):
                log += self._step(step, work, temp / f"output-{number}", contexts)
        except subprocess.CalledProcessError as failed:
            return Outcome("failure", {}, log + failed.stdout)
        outputs = {key: str(self._filled(value, contexts)) for key, value in job.get("outputs", {}).items()}
        return Outcome("success", outputs, log)

    def _step(self, step: dict[str, Any], work: Path, output: Path, contexts: Context) -> str:
        if not self._value(str(step.get("if", "success()")), contexts):
            return ""
        given = {key: self._filled(value, contexts) for key, value in step.get("with", {}).items()}
        if "uses" in step:
            action = step["uses"].partition("@")[0].replace("/", "_").replace("-", "_")
            getattr(self, action)(work, given)
            return ""
        variables = self.document.get("env", {}) | step.get("env", {})
        env = self.env | {key: str(self._filled(value, contexts)) for key, value in variables.items()}
        env |= {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(self.folder / "artifacts" / "summary.md")}
        env |= {"RUNNER_TEMP": contexts["runner"]["temp"], "GITHUB_WORKSPACE": str(work)}
        env |= {f"GITHUB_{name.upper()}": value for name, value in self.github.items()}
        log = shell(step["run"], work, env | {"GITHUB_ACTIONS": "true"})
        lines = output.read_text(encoding="utf-8").splitlines() if output.exists() else []
        contexts["steps"][step.get("id", "")] = {"outputs": dict(line.split("=", 1) for line in lines)}
        return log

    def _filled(self, value: Any, contexts: Context) -> Any:
        """Return `value` with its expressions replaced; an expression alone keeps its type."""
        if not isinstance(value, str):
            return value
        if alone := EXPRESSION.fullmatch(value):
            return self._value(alone[1], contexts)
        return EXPRESSION.sub(lambda match: str(self._value(match[1], contexts)), value)

    def _value(self, expression: str, contexts: Context) -> Any:
        python = expression.replace("&&", " and ").replace("||", " or ")
        python = re.sub(r"!(?!=)", " not ", " ".join(python.split())).strip()
        names: dict[str, Any] = {name: Context(value) for name, value in contexts.items()}
        names |= {"fromJSON": json.loads, "cancelled": lambda: False, "success": lambda: True}
        return eval(python, {"__builtins__": {}}, names)  # noqa: S307 (the expressions of our own templates)

    def actions_checkout(self, work: Path, given: dict[str, Any]) -> None:
        depth = [] if given.get("fetch-depth") == 0 else ["--depth", "1"]
        branch = ["--branch", self.github["ref_name"]]
        git(work, "clone", "--quiet", *depth, *branch, self.repository.as_uri(), ".")

    def actions_setup_python(self, work: Path, given: dict[str, Any]) -> None:
        del work
        assert re.fullmatch(r"(\d\.\d+\n?)+", given["python-version"])

    def actions_upload_artifact(self, work: Path, given: dict[str, Any]) -> None:
        upload(work, self.artifacts / given["name"], given["path"].split())

    def actions_download_artifact(self, work: Path, given: dict[str, Any]) -> None:
        """Put one artifact by its name into the path, and those of a pattern into folders of their names there."""
        patterns = str(given.get("pattern", given.get("name"))).strip("{}").split(",")
        artifacts = [path for path in sorted(self.artifacts.iterdir()) if any(map(path.match, patterns))]
        assert artifacts or "pattern" in given, f"no artifact is called {patterns}"
        for artifact in artifacts:
            apart = "pattern" in given and not given.get("merge-multiple")
            shutil.copytree(artifact, work / given["path"] / (artifact.name if apart else ""), dirs_exist_ok=True)

    def pypa_cibuildwheel(self, work: Path, given: dict[str, Any]) -> None:
        del given
        shell("pip wheel --quiet --no-deps --wheel-dir wheelhouse .", work, self.env)


def upload(work: Path, artifact: Path, patterns: list[str]) -> None:
    """Keep the files that `patterns` name, as actions/upload-artifact does: below their deepest common folder."""
    found = [path for pattern in patterns for path in work.glob(pattern.rstrip("/"))]
    files = [path for top in found for path in ([top] if top.is_file() else top.rglob("*")) if path.is_file()]
    assert files, f"nothing matches {patterns}"
    roots = [str(path.parent if path.is_file() else path) for path in found]
    common = Path(os.path.commonpath(roots))
    for path in files:
        target = artifact / path.relative_to(common)
        assert not target.exists(), f"{target.name} is in that artifact already"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def shell(script: str, work: Path, env: dict[str, str]) -> str:
    """Run `script` in bash as the CI systems do, and return what it prints."""
    bash = shutil.which("bash") or "bash"
    done = subprocess.run(
        [bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=work,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    output = f"$ {script}\n" + done.stdout.decode("utf-8", "replace")
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, script, output)
    return output


@dataclass
class Gitlab:
    """One pipeline of a tag: jobs with the artifacts and dotenv variables of the jobs they need."""

    pipeline: Path
    repository: Path
    folder: Path
    env: dict[str, str]
    tag: str
    secrets: dict[str, str]
    hostile: dict[str, str] = field(default_factory=dict)  # what the build job adds to its artifact
    after: Callable[[str, Path], None] | None = None  # called with a job whose commands are done, and its folder

    def run(self) -> dict[str, str]:
        """Run the jobs of a release in order; return what each printed. Raises CalledProcessError."""
        document = yaml.safe_load(self.pipeline.read_text(encoding="utf-8"))
        logs: dict[str, str] = {}
        for name, written in document.items():
            job = self._extended(document, written)
            if not name.startswith(".") and "merge_request_event" not in str(job["rules"]):
                for cell in self._cells(job):
                    logs[name] = logs.get(name, "") + self._job(name, job, cell)
        return logs

    def _extended(self, document: dict[str, Any], job: dict[str, Any]) -> dict[str, Any]:
        base = self._extended(document, document[job["extends"]]) if "extends" in job else {}
        return {**base, **job}

    def _cells(self, job: dict[str, Any]) -> list[dict[str, str]]:
        """Return the variables of each of the jobs that `job` stands for."""
        lists = job.get("parallel", {}).get("matrix", [{}])[0]
        return [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]

    def _job(self, name: str, job: dict[str, Any], cell: dict[str, str]) -> str:
        work = self.folder / "-".join([name, *cell.values()])
        git(self.folder, "clone", "--quiet", "--branch", self.tag, self.repository.as_uri(), str(work))
        env = self.env | job.get("variables", {}) | {"GITLAB_CI": "true", "CI_COMMIT_TAG": self.tag}
        env |= {"CI_PROJECT_DIR": str(work), "CI_REPOSITORY_URL": self.repository.as_uri()}
        env |= {"CI_COMMIT_SHA": git(work, "rev-parse", "HEAD")}
        for needed in job.get("needs", []):
            shutil.copytree(self.folder / "artifacts" / needed, work, dirs_exist_ok=True)
            write_tree(work, self.hostile if needed == "build" and "environment" in job else {})
            dotenv = self.folder / "dotenv" / needed
            env |= (
                dict(line.split("=", 1) for line in dotenv.read_text("utf-8").splitlines()) if dotenv.exists() else {}
            )
        env |= self.secrets if "environment" in job else {}
        log = shell("\n".join([*job["before_script"], *job["script"]]), work, env | cell)
        if self.after:
            self.after(name, work)
        self._keep(name, job.get("artifacts", {}), work, cell)
        return log

    def _keep(self, name: str, kept: dict[str, Any], work: Path, cell: dict[str, str]) -> None:
        (self.folder / "artifacts" / name).mkdir(parents=True, exist_ok=True)
        for pattern in kept.get("paths", []):
            for path in work.glob(string.Template(pattern).substitute(cell).rstrip("/")):
                target = self.folder / "artifacts" / name / path.relative_to(work)
                target.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if path.is_dir() else shutil.copyfile)(path, target)
        if dotenv := kept.get("reports", {}).get("dotenv"):
            (self.folder / "dotenv").mkdir(exist_ok=True)
            shutil.copyfile(work / dotenv, self.folder / "dotenv" / name)
