"""The template as a project gets it: one rendering for each set of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.adoption import questions, template
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Render = Callable[..., Path]

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
        return write_tree(folder, template.render(questions.complete(answers)))

    return rendered


@pytest.fixture(scope="session")
def variants(render: Render) -> dict[str, Path]:
    return {name: render(**answers) for name, answers in VARIANTS.items()}
