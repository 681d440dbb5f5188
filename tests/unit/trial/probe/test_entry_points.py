from __future__ import annotations

import importlib.machinery
import importlib.metadata
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.trial.probe.entry_points import EntryPoint
from tests.samples.probed import found, look, said

if TYPE_CHECKING:
    from tests.environments import Site

ELSEWHERE = "darwin" if sys.platform == "win32" else "win32"
EXTRA = 'Provides-Extra: cli\nRequires-Dist: click-absent>=8; extra == "cli"\n'


def with_points(site: Site, text: str, *scripts: str, demo: str = "def main(): pass\nx = 1\n") -> dict[str, Any]:
    site.install({"demo.py": demo}, entry_points=text, scripts=scripts)
    return look()


@pytest.mark.parametrize("where", ["demo_cli:main", f"demo_{ELSEWHERE}:main", "demo_words:main"])
def test_a_script_of_an_extra_or_another_system_is_a_warning(site: Site, where: str) -> None:
    files = {
        "demo.py": "",
        "demo_cli.py": "import click_absent\n",
        f"demo_{ELSEWHERE}.py": "raise OSError\n",
        "demo_words.py": "raise SystemExit('demo[cli] is needed')\n",
    }
    site.install(files, metadata=EXTRA, entry_points=f"[console_scripts]\ndemo = {where}\n", scripts=["demo"])
    document = look("demo")
    assert found(document) == [("warning", "entry-point", "demo")]


@pytest.mark.parametrize(
    "text",
    [
        "[console_scripts]\ndemo = demo:main\n",
        "[gui_scripts]\ndemo = demo:main\n",
        "[some.plugins]\ndemo = demo : main\n",
        "[console_scripts]\ndemo = demo:main [fast]\n",
        "[pytest11]\ndemo = demo\n",
        "[flake8.extension]\nD = demo:x\n",
        "[mkdocs.plugins]\nother = json:dumps\n",
    ],
)
def test_an_entry_point_that_loads_is_in_order(site: Site, text: str) -> None:
    assert with_points(site, text, "demo")["problems"] == []


@pytest.mark.parametrize(
    ("text", "severity", "words"),
    [
        ("[console_scripts]\ndemo = demo:run\n", "error", "has no attribute 'run'"),
        ("[console_scripts]\ndemo = demo:main.deep\n", "error", "has no attribute 'deep'"),
        ("[console_scripts]\ndemo = demo:x\n", "error", "`demo:x` is not callable."),
        ("[gui_scripts]\ndemo = demo:x\n", "error", "The GUI script `demo` does not work"),
        ("[console_scripts]\ndemo = demo\n", "error", "`demo` is not of the form `module:attribute`."),
        ("[console_scripts]\ndemo = demo main\n", "error", "`demo main` is not of the form"),
        ("[console_scripts]\ndemo = demo : main\n", "error", "`demo : main` is not of the form"),
        (
            "[console_scripts]\ndemo = demo_absent:main\n",
            "error",
            "dependency has the module `demo_absent`",
        ),
        ("[console_scripts]\ndemo = absent:run [fast]\n", "warning", "It is for the extra `fast`; `extras` in"),
        (
            "[console_scripts]\ndemo = demo:run [fast]\n",
            "error",
            "`demo:run [fast]` leads to nothing: module 'demo' has",
        ),
        ("[pytest11]\ndemo = demo:run\n", "error", "The entry point [pytest11] `demo` does not work"),
        ("[pytest11]\ndemo = demo.absent\n", "error", "The module `demo.absent` is not among the files of demo"),
        (
            "[mkdocs.plugins]\ndemo = mkdocs_absent:Plugin\n",
            "warning",
            "dependency has the module `mkdocs_absent`",
        ),
        ("[pytest11]\ndemo = de-mo\n", "warning", "is not of the form"),
        ("[demo.loaders]\ndemo = demo.tests.absent:Bad\n", "warning", "`demo.tests.absent:Bad` cannot be imported"),
        ("[demo.loaders]\ndemo = demo.latest.absent:Bad\n", "error", "`demo.latest.absent:Bad` cannot be imported"),
        ("[console_scripts]\ndemo = demo.tests.absent:main\n", "error", "`demo.tests.absent"),
    ],
)
def test_an_entry_point_that_does_not_load_is_told(site: Site, text: str, severity: str, words: str) -> None:
    document = with_points(site, text, "demo")
    assert found(document) == [(severity, "entry-point", "demo")]
    assert words in said(document)


CALLED = """\
import functools

def gives(function):
    @functools.wraps(function)
    def inner():
        return function(["x"])
    return inner

def passes(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)
    return inner

class Tool:
    def __init__(self, argv=None): pass
    def run(self): pass
    def wants(self, argv): pass
    def __call__(self, *args): pass
    @classmethod
    def make(cls): pass

class Needs:
    def __init__(self, argv): pass

needs = Needs
tool = Tool()
part = functools.partial(Tool.wants, tool, [])
after = functools.partial(print, sep="")
wrapped = gives(lambda argv: None)
passed = passes(lambda argv: None)
def defaults(argv=None, *more, quiet=False, **others): pass
def main(argv): pass
def several(argv, /, other, quiet=True, *, name, more=1): pass
async def later(): pass
async def items(): yield 1
def generator(): yield 1
"""


@pytest.mark.parametrize("name", "tool tool.run Tool.make Tool needs part after wrapped passed defaults".split())
def test_a_script_that_can_be_called_without_arguments_is_in_order(site: Site, name: str) -> None:
    assert with_points(site, f"[console_scripts]\ndemo = demo:{name}\n", "demo", demo=CALLED)["problems"] == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("main", "`demo:main` is called without arguments, and requires `argv`."),
        ("main [fast]", "`demo:main` is called without arguments, and requires `argv`."),
        ("several", "requires `argv`, `other`, `name`."),
        ("tool.wants", "requires `argv`."),
        ("Tool.run", "requires `self`."),
        ("later", "`demo:later` does nothing when it is called: it is a coroutine function or a generator."),
        ("items", "it is a coroutine function or a generator."),
        ("generator", "it is a coroutine function or a generator."),
    ],
)
def test_a_script_that_cannot_be_called_without_arguments_is_told(site: Site, name: str, words: str) -> None:
    for group, expected in (("gui_scripts", [("error", "entry-point", "demo")]), ("some.plugins", [])):
        document = with_points(site, f"[{group}]\ndemo = demo:{name}\n", "demo", demo=CALLED)
        assert found(document) == expected
        assert not expected or words in said(document)
        site.clear()


def test_an_entry_point_in_a_module_that_is_broken_anyway_is_not_told_twice(site: Site) -> None:
    document = with_points(site, "[console_scripts]\ndemo = demo:main\n", "demo", demo="1 / 0\n")
    assert found(document) == [("error", "import", "demo")]


def test_two_entry_points_in_a_broken_module_have_one_cause(site: Site) -> None:
    points = "[demo.plugins]\nwhole = demo.cli\npart = demo.cli:main\n"
    site.install({"demo/__init__.py": "", "demo/cli.py": "1 / 0\n"}, entry_points=points)
    document = look()
    assert {name for _, kind, name in found(document) if kind == "entry-point"} == {"whole", "part"}
    assert said(document).count("ZeroDivisionError") == 3  # of the module as well


def test_an_entry_point_in_a_module_that_ends_the_interpreter_is_told(site: Site) -> None:
    site.install(
        {"demo/__init__.py": "", "demo/cli.py": "import os\nprint('so')\nos._exit(4)\n"},
        entry_points="[console_scripts]\ndemo = demo.cli:main\n",
        scripts=["demo"],
    )
    document = look()
    assert found(document) == [("error", "entry-point", "demo")]
    assert "(exit code 4), as os._exit does. It printed:\nso" in said(document)


def test_a_script_that_was_not_installed_is_told(site: Site) -> None:
    document = with_points(site, "[console_scripts]\ndemo = demo:main\n[pytest11]\nother = demo\n")
    assert found(document) == [("error", "missing-script", "demo")]
    assert f"was not installed as {site.scripts}" in said(document)


@pytest.mark.parametrize("text", ["[console_scripts\ndemo = demo:main\n", "demo = demo:main\n[a]\nb = c\nb = d\n= e\n"])
def test_a_malformed_file_of_entry_points_is_told_or_read(site: Site, text: str) -> None:
    document = with_points(site, text)
    assert {kind for _, kind, _ in found(document)} <= {"entry-point"}


def test_a_file_of_entry_points_that_cannot_be_read_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ValueError("there is no section header")

    site.install({"demo.py": ""})
    # Not of importlib.metadata where the backport of that name was imported, which puts its own into its place.
    kind = type(next(iter(importlib.metadata.distributions())))
    monkeypatch.setattr(kind, "entry_points", property(fail))
    document = look()
    assert found(document) == [("error", "entry-point", "entry_points.txt")]
    assert "cannot be read: ValueError: there is no section header" in said(document)


@pytest.mark.parametrize(
    ("value", "reference", "extras"),
    [
        ("demo:main", "demo:main", ""),
        (" demo : main.run [a, b] ", "demo:main.run", "a, b"),
        ("demo", "demo", ""),
        ("demo [x]", "demo", "x"),
        ("demo:main []", "demo:main", ""),
        ("demo-x:main", "", ""),
        ("demo:main()", "", ""),
        ("", "", ""),
    ],
)
def test_object_references(value: str, reference: str, extras: str) -> None:
    point = EntryPoint.from_value("some.group", "name", value)
    assert (point.reference, point.extras) == (reference, extras)


@given(st.text(alphabet="ab.: []\n(é", max_size=12))
def test_an_object_reference_is_module_and_attribute_or_nothing(value: str) -> None:
    point = EntryPoint.from_value("console_scripts", "name", value)
    module, colon, attribute = point.reference.partition(":")
    assert point.reference == "" or (module and colon and attribute)
