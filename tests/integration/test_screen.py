"""What the program shows without ``-v``: a line a step, where the release stands, and an error as the last thing."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from tests.integration.conftest import PROGRAM, Ended, Indexes, Project

if TYPE_CHECKING:
    from collections.abc import Callable

STEP = re.compile(r"^(ok|FAILED) +(\w+)", re.MULTILINE)


def quietly(project: Project, step: str, *options: str) -> Ended:
    """Run `step`, and those before it, without ``-v``; what nox itself would say of its sessions is left out."""
    done = project.run([sys.executable, "-I", str(PROGRAM), step, "--", *options])
    return Ended(
        done.code, "".join(line for line in done.output.splitlines(keepends=True) if "Running session" not in line)
    )


def test_a_dry_run_is_a_line_a_step_and_where_it_stands(project: Project) -> None:
    done = quietly(project, "dryrun")
    assert done.code == 0, done.output
    assert STEP.findall(done.output) == [("ok", step) for step in ("build", "check", "testpypi", "verify", "pypi")]
    lines = done.output.splitlines()
    assert len(lines) <= 25
    assert lines[-1] == "next: nox -s testpypi"
    left = project.record / "dryrun"
    assert f"report: {left / 'report.html'}" in lines
    assert "Building wheel" in (left / "log.txt").read_text(encoding="utf-8")


def test_a_verify_with_all_before_it_fits_a_screen(project: Project, indexes: Indexes) -> None:
    done = quietly(project, "verify")
    assert done.code == 0, done.output
    assert STEP.findall(done.output) == [("ok", step) for step in ("build", "check", "testpypi", "verify")]
    lines = done.output.splitlines()
    assert len(lines) <= 15
    assert lines[-1] == "next: nox -s pypi"
    assert sum("not yet" in line for line in lines) == 1
    assert indexes.held("testpypi")


def test_an_error_is_the_last_thing_with_where_the_log_is(make_project: Callable[..., Project]) -> None:
    project = make_project()
    project.change({"src/demo/__init__.py": "import nothing_like_this\n"})
    done = quietly(project, "check", "--offline")
    assert done.code == 1
    assert STEP.findall(done.output) == [("ok", "build"), ("FAILED", "check")]
    *_, cure, log = done.output.splitlines()
    assert cure.startswith("What to do: ")
    assert log == f"Log: {project.record / 'log.txt'}"
    assert "ModuleNotFoundError" in (project.record / "log.txt").read_text(encoding="utf-8")
    report = (project.record / "report.html").read_text(encoding="utf-8")
    assert '<li class="failed"><span class="state">failed</span>' in report
