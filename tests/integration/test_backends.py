"""What build backends leave out is found: one project and six backends, each once told to lose a part, once not.

The wheels are built by the real backends, which come from the index that this machine is set up with.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from seatrial.trial import lost, static
from seatrial.trial.checkout import Checkout
from tests.projects import write_tree

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.release.stages import Problem

FILES = {
    "README.md": "# demo\n",
    "src/demo/__init__.py": "",
    "src/demo/cli.py": "def main():\n    from demo.io import load\n    return load()\n",
    "src/demo/io/__init__.py": "from importlib import resources\n\n\ndef load():\n"
    "    return (resources.files('demo') / 'page.html').read_text()\n",
    "src/demo/page.html": "<p>\n",
}
PROJECT = """\
[build-system]
requires = ["{requires}"]
build-backend = "{backend}"

[project]
name = "demo"
version = "1.0"
description = "A demo"
requires-python = ">=3.10"
{tool}
"""
NO_DISCOVERY = '[tool.setuptools]\npackages = ["demo"]\npackage-dir = {"" = "src"}\ninclude-package-data = false\n'


@dataclass(frozen=True)
class Backend:
    """A build backend: the settings with which it packs everything, and those with which it loses what it may."""

    requires: str
    module: str
    whole: str
    losing: str
    loses: tuple[str, ...] = ("src/demo/io/__init__.py", "src/demo/page.html")


BACKENDS = (
    Backend(
        "setuptools>=77", "setuptools.build_meta", '[tool.setuptools.package-data]\ndemo = ["*.html"]\n', NO_DISCOVERY
    ),
    Backend(
        "hatchling",
        "hatchling.build",
        '[tool.hatch.build.targets.wheel]\npackages = ["src/demo"]\n',
        '[tool.hatch.build.targets.wheel]\npackages = ["src/demo"]\nexclude = ["io", "*.html"]\n',
    ),
    Backend(
        "flit_core>=3.12",
        "flit_core.buildapi",
        "",
        '[tool.flit.sdist]\nexclude = ["src/demo/page.html"]\n',
        (),  # it packs the package as it lies there, whatever is excluded from the sdist
    ),
    Backend(
        "poetry-core>=2",
        "poetry.core.masonry.api",
        '[tool.poetry]\npackages = [{ include = "demo", from = "src" }]\n',
        '[tool.poetry]\npackages = [{ include = "demo/*.py", from = "src" }]\n',
    ),
    Backend(
        "pdm-backend",
        "pdm.backend",
        "",
        '[tool.pdm.build]\nexcludes = ["src/demo/io", "src/demo/*.html"]\n',
    ),
    Backend(
        "uv_build>=0.9",
        "uv_build",
        "",
        '[tool.uv.build-backend]\nwheel-exclude = ["src/demo/io", "*.html"]\n',
    ),
)


def built(folder: Path, backend: Backend, tool: str) -> list[Problem]:
    """Build a wheel in `folder`, and return what is read in it."""
    text = PROJECT.format(requires=backend.requires, backend=backend.module, tool=tool)
    write_tree(folder, {**FILES, "pyproject.toml": text})
    argv = (find_uv_bin(), "build", "--quiet", "--wheel", "--no-config", "--out-dir", str(folder / "dist"), str(folder))
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    checkout = Checkout.of(folder, FILES)
    return [*static.problems(wheel, (), checkout), *lost.problems([wheel], checkout)]


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.module)
def test_what_a_backend_packs_is_in_order(tmp_path: Path, backend: Backend) -> None:
    assert built(tmp_path, backend, backend.whole) == []


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.module)
def test_what_a_backend_is_told_to_leave_out_is_told_by_its_cause(tmp_path: Path, backend: Backend) -> None:
    problems = built(tmp_path, backend, backend.losing)
    shown = "".join(problem.message for problem in problems)
    assert all(name in shown for name in backend.loses)
    codes = {(problem.rule, problem.severity) for problem in problems}
    if backend.loses:
        assert {("install-missing-module", "error"), ("install-lost-module", "error")} <= codes
        assert ("install-lost-data", "warning") in codes
    else:
        assert problems == []
