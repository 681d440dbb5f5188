"""`adopt` as a person runs it, and the project as it is then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.steps import adopt as step

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Adopt = Callable[..., str]


@pytest.fixture
def adopt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Adopt:
    """Run adopt on `project` and return what it printed."""

    def run(project: Path, *args: str) -> str:
        capsys.readouterr()
        step.adopt([str(project), *args], tmp_path)
        return capsys.readouterr().out

    return run


def state(project: Path) -> dict[str, bytes]:
    """All files of a project but those of git itself."""
    paths = [path for path in project.rglob("*") if path.is_file() and ".git" not in path.relative_to(project).parts]
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in paths}
