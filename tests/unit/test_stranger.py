from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import pytest

from tasks.installer import Origin, Venv
from tasks.stages import Installed
from tasks.stranger import _installed, _resolved, holding

if TYPE_CHECKING:
    from pathlib import Path

LINUX = {"python_version": "3.13", "python_full_version": "3.13.1", "sys_platform": "linux", "os_name": "posix"}
WINDOWS = {**LINUX, "sys_platform": "win32", "os_name": "nt"}
OLD = {**LINUX, "python_version": "3.9", "python_full_version": "3.9.18"}

posix = pytest.mark.skipif(os.name == "nt", reason="words are split by other rules there")


# What holds of the requirements.


@pytest.mark.parametrize(
    ("surroundings", "expected"),
    [
        (LINUX, ["attrs>=23", "uvloop"]),
        (WINDOWS, ["attrs>=23", "colorama"]),
        (OLD, ["attrs>=23", "uvloop", "tomli"]),
    ],
)
def test_markers_are_those_of_the_environment(surroundings: dict[str, str], expected: list[str]) -> None:
    requires = [
        "attrs>=23",
        'colorama; sys_platform == "win32"',
        'uvloop; os_name == "posix"',
        'tomli; python_version < "3.11"',
    ]
    assert holding(requires, "demo", (), surroundings) == expected


@pytest.mark.parametrize(
    ("extras", "expected"),
    [((), ["attrs"]), (("test",), ["attrs", "pytest"]), (("test", "docs"), ["attrs", "pytest", "sphinx"])],
)
def test_extras_are_those_asked_for(extras: tuple[str, ...], expected: list[str]) -> None:
    requires = ["attrs", 'pytest; extra == "test"', 'sphinx; extra == "docs"']
    assert sorted(holding(requires, "demo", extras, LINUX)) == expected


@pytest.mark.parametrize("project", ["demo", "Demo", "de-mo", "De.Mo"])
def test_a_requirement_on_the_project_itself_stands_for_its_extras(project: str) -> None:
    name = project.upper()
    requires = [f'{name}[test,docs]; extra == "all"', 'pytest; extra == "test"', 'sphinx; extra == "docs"']
    assert holding(requires, project, ("all",), LINUX) == ["pytest", "sphinx"]
    assert holding(requires, project, (), LINUX) == []


def test_extras_that_stand_for_each_other_come_to_an_end() -> None:
    requires = ['demo[b]; extra == "a"', 'demo[a]; extra == "b"', 'demo[c]; extra == "b"', 'attrs; extra == "c"']
    assert holding(requires, "demo", ("a",), LINUX) == ["attrs"]


def test_an_extra_holds_only_where_the_rest_of_its_marker_does() -> None:
    requires = ['demo[test]; extra == "all" and sys_platform == "win32"', 'pytest; extra == "test"']
    assert holding(requires, "demo", ("all",), LINUX) == []
    assert holding(requires, "demo", ("all",), WINDOWS) == ["pytest"]


def test_a_requirement_by_url_is_kept() -> None:
    requires = ['other @ https://files.example/other-1.0.tar.gz ; sys_platform == "linux"']
    assert holding(requires, "demo", (), LINUX) == ["other @ https://files.example/other-1.0.tar.gz"]


def test_extras_and_versions_of_a_requirement_are_kept() -> None:
    assert holding(['other[cli,x]>=1,<2; os_name == "posix"'], "demo", (), LINUX) == ["other[cli,x]<2,>=1"]


def test_a_line_that_is_no_requirement_is_handed_on_as_it_is() -> None:
    assert holding(["attrs (>=23", "other"], "demo", ("test",), LINUX) == ["attrs (>=23", "other"]


def test_a_requirement_that_is_named_twice_is_there_once() -> None:
    requires = ["attrs", 'attrs; extra == "test"', "attrs>=23"]
    assert holding(requires, "demo", ("test",), LINUX) == ["attrs", "attrs>=23"]


# The words of a smoke command.


@pytest.fixture
def venv(tmp_path: Path) -> Venv:
    """The environment's folder, with one program in it."""
    made = Venv(tmp_path / "ein venv")
    made.scripts.mkdir(parents=True)
    (made.scripts / "demo").touch()
    return made


@pytest.mark.parametrize("command", ["demo", "demo --version", "demo run demo"])
def test_the_program_of_the_environment_is_preferred(venv: Venv, tmp_path: Path, command: str) -> None:
    assert _resolved(command, venv, tmp_path) == [str(venv.scripts / "demo"), *command.split()[1:]]


def test_the_program_may_end_in_exe(venv: Venv, tmp_path: Path) -> None:
    (venv.scripts / "tool.exe").touch()
    assert _resolved("tool -h", venv, tmp_path) == [str(venv.scripts / "tool.exe"), "-h"]


def test_other_programs_are_left_to_the_path(venv: Venv, tmp_path: Path) -> None:
    (venv.scripts / "folder").mkdir()
    assert _resolved("git --version", venv, tmp_path) == ["git", "--version"]
    assert _resolved("folder", venv, tmp_path) == ["folder"]


def test_project_stands_for_the_checkout_and_is_one_word(venv: Venv, tmp_path: Path) -> None:
    checkout = tmp_path / "ein Übungsstück"
    words = _resolved("demo {project}/tests --root={project}", venv, checkout)
    assert words[1:] == [f"{checkout}/tests", f"--root={checkout}"]


@posix
def test_quotes_keep_words_together_and_no_shell_is_involved(venv: Venv, tmp_path: Path) -> None:
    command = shlex.join(["demo", "two words", "$HOME", "a;b", "*"])
    assert _resolved(command, venv, tmp_path)[1:] == ["two words", "$HOME", "a;b", "*"]


# What was found in the environment.


def test_what_is_installed_is_shown_with_its_origin_and_without_a_login() -> None:
    report = {
        "installed": [
            {"name": "Zope.Interface", "version": "7.0", "wheel_tags": ["py3-none-any"]},
            {"name": "attrs", "version": "23.1", "wheel_tags": []},
        ]
    }
    origin = Origin("https://ada:s3cret@files.example/zope_interface-7.0-py3-none-any.whl", "a" * 64)
    assert _installed(report, {"zope-interface": (origin,)}) == (
        Installed("attrs", "23.1"),
        Installed("zope-interface", "7.0", "https://files.example/zope_interface-7.0-py3-none-any.whl", "a" * 64),
    )
