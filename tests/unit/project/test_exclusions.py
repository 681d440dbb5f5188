"""What drops a file is named by the line of the configuration that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.project.exclusions import dropped
from tests.projects import write_tree

if TYPE_CHECKING:
    from pathlib import Path

STUB = "src/demo/_vendor/six.pyi"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"pyproject.toml": '[tool.hatch.build]\nexclude = ["*.pyi"]\n'}, "`*.pyi` in [tool.hatch.build] exclude"),
        (
            {"pyproject.toml": '[tool.hatch.build.targets.sdist]\nexclude = ["/src/demo/_vendor"]\n'},
            "`/src/demo/_vendor` in [tool.hatch.build.targets.sdist] exclude",
        ),
        ({"pyproject.toml": '[tool.flit.sdist]\nexclude = ["**/*.pyi"]\n'}, "`**/*.pyi` in [tool.flit.sdist] exclude"),
        ({"pyproject.toml": '[tool.poetry]\nexclude = ["src/**/*.pyi"]\n'}, "`src/**/*.pyi` in [tool.poetry] exclude"),
        (
            {"pyproject.toml": '[tool.pdm.build]\nexcludes = ["src/demo/_vendor/**"]\n'},
            "`src/demo/_vendor/**` in [tool.pdm.build] excludes",
        ),
        (
            {"pyproject.toml": '[tool.uv.build-backend]\nsource-exclude = ["*.pyi"]\n'},
            "`*.pyi` in [tool.uv.build-backend] source-exclude",
        ),
        (
            {"pyproject.toml": '[tool.scikit-build]\nsdist.exclude = ["*.pyi"]\n'},
            "`*.pyi` in [tool.scikit-build.sdist] exclude",
        ),
        (
            {"pyproject.toml": '[tool.setuptools.packages.find]\nexclude = ["demo._vendor*"]\n'},
            "`demo._vendor*` in [tool.setuptools.packages.find] exclude",
        ),
        (
            {"pyproject.toml": '[tool.setuptools.exclude-package-data]\n"*" = ["*.pyi"]\n'},
            "`*.pyi` in [tool.setuptools.exclude-package-data]",
        ),
        ({"MANIFEST.in": "include *.md\nglobal-exclude *.pyi\n"}, "`global-exclude *.pyi` in MANIFEST.in"),
        ({"MANIFEST.in": "prune src/demo/_vendor\n"}, "`prune src/demo/_vendor` in MANIFEST.in"),
        ({"MANIFEST.in": "recursive-exclude src *.pyi\n"}, "`recursive-exclude src *.pyi` in MANIFEST.in"),
        (
            {
                "pyproject.toml": '[build-system]\nbuild-backend = "hatchling.build"\n',
                ".gitignore": "# stubs\n!x\n\n*.pyi\n",
            },
            "`*.pyi` in .gitignore",
        ),
    ],
)
def test_the_line_that_drops_a_file_is_named(tmp_path: Path, files: dict[str, str], place: str) -> None:
    write_tree(tmp_path, files)
    assert dropped(tmp_path, [STUB]) == f" (dropped by {place})"
    assert dropped(tmp_path, ["demo/_vendor/six.pyi", "src/demo/a.py"]) == f" (dropped by {place})"
    assert dropped(tmp_path, ["src/demo/other.py"]) == ""


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"pyproject.toml": "[tool.hatch\n"},
        {"pyproject.toml": "[tool.hatch.build]\nexclude = 3\n", "MANIFEST.in": "exclude\nrecursive-exclude\n\n"},
        {"pyproject.toml": '[tool.flit.sdist]\ninclude = ["*.pyi"]\n', "MANIFEST.in": "recursive-include src *.pyi\n"},
        {"pyproject.toml": '[build-system]\nbuild-backend = "setuptools.build_meta"\n', ".gitignore": "*.pyi\n"},
    ],
)
def test_what_drops_nothing_is_not_named(tmp_path: Path, files: dict[str, str]) -> None:
    assert dropped(write_tree(tmp_path, files), [STUB]) == ""
    assert dropped(None, [STUB]) == ""
