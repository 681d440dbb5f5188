"""Repositories with several packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.projects import write_tree

if TYPE_CHECKING:
    from pathlib import Path

BUILDS = "[build-system]\nrequires = []\n"
UV = '[tool.uv.workspace]\nmembers = ["packages/*"]\n'


def project(name: str, *, dependencies: str = "", rest: str = "", settings: str = "") -> str:
    """Return the pyproject.toml of a package."""
    needs = f"dependencies = [{dependencies}]\n" if dependencies else ""
    ours = f"[tool.seatrial]\n{settings}\n" if settings else ""
    return f'{BUILDS}[project]\nname = "{name}"\n{needs}{rest}\n{ours}'


def three(root: Path, workspace: str = UV) -> Path:
    """Write three packages in a chain: cli needs core, core needs base."""
    return write_tree(
        root,
        {
            "pyproject.toml": workspace,
            "packages/base/pyproject.toml": project("demo-base"),
            "packages/core/pyproject.toml": project("Demo.Core", dependencies='"demo_base>=1", "six"'),
            "packages/cli/pyproject.toml": project("demo-cli", dependencies="\"DEMO-core; python_version > '3'\""),
        },
    ).resolve()
