"""Whether the files of a release are for another index than PyPI: a question of the step `check`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from seatrial.index.indexes import Index
from seatrial.project.settings import Config
from seatrial.steps import check
from tests.fakes import make_run

if TYPE_CHECKING:
    from pathlib import Path

HOUSE = Index("packages.example", simple="https://packages.example/simple/")


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
