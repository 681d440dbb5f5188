from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.project.pythons import is_admitted, supported_pythons

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RUNNING = "{}.{}".format(*sys.version_info)


def classifiers(*versions: str) -> list[str]:
    return [f"Programming Language :: Python :: {version}" for version in versions]


@pytest.fixture
def interpreters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make the interpreters of these versions, and no others, be on PATH; return what does so."""

    def there(*versions: str, folder: str = "bin") -> None:
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        for version in versions:
            program = place / f"python{version}{'.exe' if os.name == 'nt' else ''}"
            program.touch()
            program.chmod(0o755)
        monkeypatch.setenv("PATH", str(place))

    there()
    return there


ABLE: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({}, (RUNNING,)),
    ({"classifiers": classifiers("3", "3.9", "3.10", "3.13")}, ("3.9", "3.13")),
    ({"classifiers": classifiers("3.13", "3.10", "3.9")}, ("3.9", "3.13")),
    ({"classifiers": classifiers("3 :: Only", "2.7"), "requires-python": ">=3.12"}, ("3.12", "3.14")),
    ({"classifiers": classifiers("3.5", "3.13", "3.16")}, ("3.13", "3.16")),
    ({"classifiers": classifiers("3.5")}, (RUNNING,)),
    ({"requires-python": ">=3.9"}, ("3.9", "3.14")),
    ({"requires-python": ">=3.9.1,<3.12"}, ("3.9", "3.11")),
    ({"requires-python": "==3.12.*"}, ("3.12",)),
    ({"requires-python": "about 3"}, (RUNNING,)),
    ({"requires-python": 3}, (RUNNING,)),
    ({"classifiers": [3]}, (RUNNING,)),
    ({"requires-python": ">=3.12", "classifiers": classifiers("3.11", "3.12", "3.13")}, ("3.12", "3.13")),
    ({"requires-python": ">=3.99"}, (RUNNING,)),
    ({"classifiers": classifiers("3.5", "3.99"), "requires-python": "<3"}, (RUNNING,)),
]


@pytest.mark.parametrize(("project", "expected"), ABLE)
def test_pythons_are_the_lowest_and_the_highest(
    project: dict[str, Any], expected: tuple[str, ...], interpreters: Callable[..., None]
) -> None:
    interpreters("3.8", "3.9", "3.12", "3.13", "3.14")
    assert supported_pythons(project) == expected


def test_where_neither_is_here_the_running_python_is_added(interpreters: Callable[..., None]) -> None:
    assert supported_pythons({"requires-python": ">=3.8"}) == ("3.8", "3.14", RUNNING)[: 3 if RUNNING != "3.14" else 2]
    interpreters("3.14")
    assert supported_pythons({"requires-python": ">=3.8"}) == ("3.8", "3.14")


def test_the_running_python_is_not_added_where_the_project_does_not_support_it(
    interpreters: Callable[..., None],
) -> None:
    interpreters()
    assert supported_pythons({"requires-python": "<3.9"}) == ("3.8",)


def test_where_the_running_python_is_not_supported_the_highest_one_here_that_is_stands_in(
    interpreters: Callable[..., None],
) -> None:
    interpreters("3.7", "3.9", "3.10", "3.14", RUNNING)
    assert supported_pythons({"requires-python": f">=3.8,<{RUNNING},!=3.8.*,!=3.9.*"})[:1] == ("3.10",)
    assert supported_pythons({"classifiers": classifiers("3.4", "3.5")}) == (RUNNING,)
    named = {"classifiers": classifiers("3.8", "3.9", "3.11", "3.99"), "requires-python": f"!={RUNNING}.*"}
    assert supported_pythons(named)[:3] == ("3.8", "3.99", "3.9")


def test_a_shim_is_no_interpreter(interpreters: Callable[..., None]) -> None:
    """The shims of pyenv are on PATH for versions that are switched off as well."""
    interpreters("3.8", "3.14", folder="shims")
    assert RUNNING in supported_pythons({"requires-python": ">=3.8"})


@pytest.mark.parametrize("required", ["", ">=3.9", "==3.11.7", "<=3.11", "~=3.11.2", "no specifier"])
@pytest.mark.parametrize("python", ["3.11", "3.11t", "pypy3.11"])
def test_a_python_is_admitted_by_any_patch_release(python: str, required: str) -> None:
    assert is_admitted(python, required)


@pytest.mark.parametrize("required", [">=3.12", "<3.11", "!=3.11.*"])
@pytest.mark.parametrize("python", ["3.11", "3.11t", "pypy3.11"])
def test_a_python_is_not_admitted_where_no_patch_release_is(python: str, required: str) -> None:
    assert not is_admitted(python, required)
