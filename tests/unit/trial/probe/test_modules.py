from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING

import pytest

from seatrial.trial.probe import modules
from seatrial.trial.probe.subject import subject_of
from tests.projects import write_tree

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("extras", "hint"),
    [
        ("", "`import-names` in [tool.seatrial] narrows what is imported."),
        (
            "Provides-Extra: d\nProvides-Extra: uvloop\n",
            "`import-names` in [tool.seatrial] narrows what is imported; `extras` names those to install: d, uvloop.",
        ),
    ],
)
def test_a_failed_import_may_want_an_extra_where_there_are_any(tmp_path: Path, extras: str, hint: str) -> None:
    metadata = f"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n{extras}\n"
    info = write_tree(tmp_path / "demo-1.0.dist-info", {"METADATA": metadata})
    assert modules._ways_out(subject_of(importlib.metadata.PathDistribution(info))) == hint
