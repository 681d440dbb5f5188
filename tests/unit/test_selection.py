"""`nox -p` and NOXPYTHON that select none of our sessions: nox says no more than that, and the copy which there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.samples import copies
from tests.samples.copies import RUNNING

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = "Python version selection caused no sessions to be selected."
OWN = '\n\n@nox.session(python=["3.7"])\ndef check_types(session):\n    print("my own session")\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copies.make(tmp_path / "ein Übungsstück")


@pytest.mark.parametrize(
    ("words", "variables", "chosen"),
    [
        (("-s", "verify", "-p", "3.7"), {}, "3.7"),
        (("-p", "3.7", "3.8", "-s", "verify"), {}, "3.7 3.8 "),
        (("--python=3.7", "-s", "testpypi"), {}, "3.7 "),
        (("-s", "build", "-p", "3.7"), {}, "3.7"),
        (("-s", "testpypi", "-p", RUNNING), {}, RUNNING),
        (("-s", "verify"), {"NOXPYTHON": "3.7"}, "3.7"),
    ],
)
def test_pythons_that_no_cell_has_are_named_with_those_that_there_are(
    root: Path, words: tuple[str, ...], variables: dict[str, str], chosen: str
) -> None:
    done = copies.nox(root, *words, **variables)
    assert done.code == 3
    assert NOTHING in done.output
    assert f"seatrial: Python {chosen}: only verify has some, {RUNNING} (`pythons`)\n" in done.output


def test_a_prefix_is_part_of_the_name(root: Path) -> None:
    text = copies.PYPROJECT + 'session-prefix = "release-"\n'
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    done = copies.nox(root, "-s", "release-verify", "-p", "3.7")
    assert f"seatrial: Python 3.7: only release-verify has some, {RUNNING} (`pythons`)\n" in done.output


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        (("--no-dependencies", "-p", RUNNING, "-s", "verify"), {}),
        (("-l",), {"NOXPYTHON": "3.7"}),
        (("-s", "check_types", "-p", "3.7"), {}),
    ],
)
def test_what_selects_something_or_nothing_of_ours_is_left_alone(
    root: Path, words: tuple[str, ...], variables: dict[str, str]
) -> None:
    noxfile = root / "noxfile.py"
    noxfile.write_text(f"import nox\n{noxfile.read_text(encoding='utf-8')}{OWN}", encoding="utf-8")
    done = copies.nox(root, *words, **variables)
    assert done.code == 0, done.output
    assert "seatrial: " not in done.output
