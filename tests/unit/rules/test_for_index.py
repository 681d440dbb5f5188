"""Which rules hold everywhere, and which on PyPI alone."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from seatrial.index.indexes import Index
from seatrial.project.settings import Config
from seatrial.release.stages import Problem
from seatrial.rules.judge import for_index
from seatrial.steps import check
from tests.archives import found, sdist, wheel
from tests.fakes import make_run

if TYPE_CHECKING:
    from pathlib import Path

HOUSE = Index("packages.example", simple="https://packages.example/simple/")


def test_what_pypi_alone_refuses_is_a_warning_elsewhere(tmp_path: Path) -> None:
    private = sdist(tmp_path, {"Classifier": "Private :: Do Not Upload"})
    local = sdist(tmp_path / "local", {"Version": "1.0+local"}, filename="demo-1.0+local.tar.gz")
    linux = wheel(tmp_path, filename="demo-1.0-cp312-cp312-linux_x86_64.whl")
    for path, code in (
        (private, "metadata-classifier"),
        (local, "metadata-local-version"),
        (linux, "filename-platform"),
    ):
        (message,) = found(path, code)
        problem = Problem(code, "error", path.name, message)
        (relaxed,) = for_index([problem], "packages.example")
        assert relaxed.severity == "warning"
        assert relaxed.message.endswith("(A warning: only PyPI refuses it, and these files are for packages.example.)")
        assert for_index([problem], "") == [problem]


def test_what_breaks_for_somebody_is_an_error_everywhere() -> None:
    broken = Problem("wheel-record", "error", "demo.whl", "RECORD is missing.")
    warned = Problem("filename-platform", "warning", "demo.whl", "a warning already")
    assert for_index([broken, warned], "packages.example") == [broken, warned]


@pytest.mark.parametrize(
    ("config", "words", "other"),
    [
        (Config(), (), ""),
        (Config(testpypi=HOUSE), (), ""),
        (Config(pypi=HOUSE), (), ""),
        (Config(pypi=HOUSE), ("--rehearse-on", "dryrun", "a reason"), "packages.example"),
        (Config(testpypi=HOUSE, pypi=HOUSE), (), "packages.example"),
    ],
)
def test_the_files_are_for_another_index_where_none_of_theirs_is_pypis(
    tmp_path: Path, config: Config, words: tuple[str, ...], other: str
) -> None:
    run = make_run(tmp_path, *words, name="check", config=dataclasses.replace(config, pythons=("3.13",)))
    assert check._other_index(run) == other
