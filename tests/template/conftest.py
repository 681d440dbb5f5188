"""The template as Copier renders it: one render for each set of answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.adoption import template
from seatrial.adoption.template import render as run_copier

if TYPE_CHECKING:
    from collections.abc import Callable

    Render = Callable[..., Path]

pytest.importorskip("copier", reason="the dependency group `template` is not installed")

VARIANTS = {
    "github": {},
    "github-token": {"credentials": "token"},
    "github-release": {"trigger": "release", "workflow": "publish.yml", "pypi_environment": "release"},
    "github-compiled": {"compiled": "true", "credentials": "token"},
    "github-named": {"folder": "release-tasks", "prefix": "release-", "check": "check-release.yml"},
    "github-thin": {"copy": "thin"},
    "github-without-release": {"workflow": ""},
    "gitlab": {"ci": "gitlab"},
    "gitlab-token": {"ci": "gitlab", "credentials": "token", "pythons": '["3.11"]'},
    "none": {"ci": "none"},
}


@pytest.fixture(scope="session")
def assembled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template.assemble(tmp_path_factory.mktemp("template") / "template")


@pytest.fixture(scope="session")
def render(assembled: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render the template with some answers and return the folder; the same answers give the same folder."""
    made: dict[tuple[tuple[str, str], ...], Path] = {}

    def rendered(**answers: str) -> Path:
        key = tuple(sorted(answers.items()))
        if key not in made:
            folder = tmp_path_factory.mktemp("rendered") / "project"
            run_copier(Path(sys.executable), assembled, folder, answers)
            made[key] = folder
        return made[key]

    return rendered


@pytest.fixture(scope="session")
def variants(render: Render) -> dict[str, Path]:
    return {name: render(**answers) for name, answers in VARIANTS.items()}
