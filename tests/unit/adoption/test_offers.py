"""The lines that are offered for the tools and the build backend of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.adoption import target
from seatrial.adoption.offers import Offer, for_archives, for_tools
from tests.projects import sample

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.adoption.target import Target


def offers(project: Target, folder: str, created: Sequence[str]) -> tuple[Offer, ...]:
    return (*for_tools(project, folder, created), *for_archives(project, created))


def offered(tmp_path: Path, pyproject: str, files: dict[str, str] | None = None) -> str:
    project = sample(tmp_path, files={**(files or {}), "pyproject.toml": pyproject})
    return "\n".join(map(str, offers(target.look(project), "tasks", ("tasks", "noxfile.py"))))


@pytest.mark.parametrize(
    ("pyproject", "line"),
    [
        ("[tool.mypy]\nstrict = true\n", r'exclude = ["^tasks/", "^noxfile\\.py$"]    ([tool.mypy] of pyproject.toml)'),
        ("[tool.ruff]\n", 'extend-exclude = ["tasks", "noxfile.py"]'),
        ("[tool.black]\n", r"extend-exclude = '^/tasks/|^/noxfile\.py$'"),
        ("[tool.pyright]\n", 'exclude = ["tasks", "noxfile.py"]'),
        ("[tool.coverage.run]\n", 'omit = ["tasks/*", "noxfile.py"]'),
        ('[build-system]\nbuild-backend = "hatchling.build"\n', 'exclude = ["/tasks", "/noxfile.py"]'),
        ('[build-system]\nbuild-backend = "pdm.backend"\n', 'excludes = ["tasks", "noxfile.py"]'),
        ('[build-system]\nbuild-backend = "scikit_build_core.build"\n', 'sdist.exclude = ["/tasks", "/noxfile.py"]'),
        ('[build-system]\nbuild-backend = "mesonpy"\n', "/tasks export-ignore"),
        (
            '[build-system]\nbuild-backend = "setuptools.build_meta"\nrequires = ["setuptools_scm"]\n',
            "prune tasks; exclude noxfile.py",
        ),
    ],
)
def test_a_line_is_offered_for_what_the_project_uses(tmp_path: Path, pyproject: str, line: str) -> None:
    assert line in offered(tmp_path, pyproject)


@pytest.mark.parametrize(
    "pyproject",
    [
        "",
        '[build-system]\nbuild-backend = "flit_core.buildapi"\n',
        '[build-system]\nbuild-backend = "setuptools.build_meta"\n',
        '[build-system]\nbuild-backend = "hatchling.build"\n[tool.hatch.build.targets.sdist]\ninclude = ["/src"]\n',
    ],
)
def test_nothing_is_offered_where_nothing_is_taken_in(tmp_path: Path, pyproject: str) -> None:
    assert offered(tmp_path, pyproject) == ""


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("mypy.ini", "[mypy]\n", r"exclude = ^tasks/|^noxfile\.py$    ([mypy] of mypy.ini)"),
        ("setup.cfg", "[mypy]\n", r"exclude = ^tasks/|^noxfile\.py$    ([mypy] of setup.cfg)"),
        ("ruff.toml", "", 'ruff: extend-exclude = ["tasks", "noxfile.py"]    (ruff.toml)'),
        (".coveragerc", "[run]\n", "omit = tasks/*,noxfile.py    ([run] of .coveragerc)"),
        ("tox.ini", "[coverage:run]\n", "omit = tasks/*,noxfile.py    ([coverage:run] of tox.ini)"),
        ("tox.ini", "[flake8]\n", "flake8: extend-exclude = tasks,noxfile.py    ([flake8] of tox.ini)"),
        ("pyrightconfig.json", "{}", 'pyright: "exclude": ["tasks", "noxfile.py"]    (pyrightconfig.json)'),
        (".pre-commit-config.yaml", "repos: []\n", r"pre-commit: exclude: ^tasks/|^noxfile\.py$"),
    ],
)
def test_a_line_is_offered_for_the_file_that_has_the_settings(tmp_path: Path, file: str, text: str, line: str) -> None:
    (offer,) = offered(tmp_path, "", {file: text}).splitlines()
    assert line in offer


def test_the_first_file_with_the_settings_counts_as_it_does_for_the_tool(tmp_path: Path) -> None:
    pyproject = "[tool.mypy]\n[tool.ruff]\n"
    files = {"mypy.ini": "[mypy]\n", "setup.cfg": "[mypy]\n", "ruff.toml": ""}
    lines = offered(tmp_path, pyproject, files).splitlines()
    assert [line.rpartition("(")[2] for line in lines] == ["[mypy] of mypy.ini)", "ruff.toml)"]


def test_a_noxfile_that_was_there_stays_in_their_linters(tmp_path: Path) -> None:
    project = sample(tmp_path, files={"pyproject.toml": "[tool.ruff]\n"})
    (offer,) = offers(target.look(project), "tasks", ("tasks",))
    assert offer.lines == ('extend-exclude = ["tasks"]',)


def test_what_is_not_new_is_not_left_out(tmp_path: Path) -> None:
    project = sample(tmp_path, files={"pyproject.toml": "[tool.ruff]\n"})
    (offer,) = offers(target.look(project), "tasks", ("noxfile.py",))
    assert offer.lines == ('extend-exclude = ["noxfile.py"]',)
    assert offers(target.look(project), "tasks", ()) == ()
