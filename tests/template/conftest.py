"""The template as a project gets it: one rendering for each set of answers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from seatrial.adoption import template
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Render = Callable[..., Path]

OF_CI = re.compile("TOKEN|^TWINE_|^NOX|^GITHUB_|^GITLAB_|^CI$|^CI_")  # of the CI that runs this test


@dataclass(frozen=True)
class Ended:
    """How a program ended, and what it printed."""

    code: int
    output: str

    def shows(self, *texts: str) -> bool:
        """Whether all `texts` stand in the output, however lines are broken."""
        flat = " ".join(re.sub("\x1b[^m]*m", "", self.output).split())
        return all(" ".join(text.split()) in flat for text in texts)


def run_nox(project: Path, *args: str) -> Ended:
    """Run nox in `project` as a person does."""
    env = {name: value for name, value in os.environ.items() if not OF_CI.search(name)}
    done = subprocess.run(
        [sys.executable, "-m", "nox", *args],
        cwd=project,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout)


VARIANTS: dict[str, dict[str, str]] = {
    "github": {},
    "github-token": {"credentials": "token"},
    "github-release": {"trigger": "release", "workflow": "publish.yml", "pypi_environment": "release"},
    "github-compiled": {"compiled": "true", "credentials": "token"},
    "github-named": {"folder": "release-tasks", "prefix": "release-", "check": "check-release.yml"},
    "github-without-release": {"workflow": ""},
    "gitlab": {"ci": "gitlab"},
    "gitlab-token": {"ci": "gitlab", "credentials": "token", "pythons": '["3.11"]'},
    "none": {"ci": "none"},
}


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render the template with some answers into a folder and return it."""

    def rendered(**answers: str) -> Path:
        folder = tmp_path_factory.mktemp("rendered") / "project"
        return write_tree(folder, template.render(template.complete(answers)))

    return rendered


@pytest.fixture(scope="session")
def variants(render: Render) -> dict[str, Path]:
    return {name: render(**answers) for name, answers in VARIANTS.items()}
