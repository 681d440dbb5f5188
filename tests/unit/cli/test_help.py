from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.cli.options import BadOption, parse

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("prog", ["seatrial build", "nox -s build --"])
def test_options_are_explained_under_the_command_that_was_typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], prog: str
) -> None:
    with pytest.raises(SystemExit):
        parse("build", ["--help"], tmp_path, prog=prog)
    assert capsys.readouterr().out.startswith(f"usage: {prog} [-h]")
    with pytest.raises(BadOption, match=rf"{prog}: unrecognized arguments: a\.whl"):
        parse("build", ["a.whl"], tmp_path, prog=prog)
