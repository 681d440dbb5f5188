"""The scripts that are files: those that work, and those that fail whoever runs them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.trial.probe.scripts import OF_PYTHON
from tests.samples.probed import found, look, said

if TYPE_CHECKING:
    from tests.environments import Site

FILES = {"demo/__init__.py": "x = 1\n", "demo/cli.py": "def main(): pass\n", "demo/odd.py": "import absent_here\n"}
ENV = "#!/usr/bin/env python\n"


def with_script(site: Site, text: str, name: str = "tool", entry_points: str = "") -> dict[str, Any]:
    site.install(FILES, scripts=[name], entry_points=entry_points)
    (program,) = site.scripts.glob(f"{name}*")
    program.write_bytes(text.encode())
    return look("demo")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{ENV}print 'x'\n", "cannot compile it, line 2."),
        ("#!/usr/bin/env python2\nprint 'x'\n", "cannot compile it, line 2."),
        ("#!python\ndef f(:\n", "cannot compile it, line 2."),
        (f"{ENV}from demo.absent import main\n", "The module `demo.absent` is not among the files of demo"),
        (f"{ENV}import demo.absent.more\n", "`demo.absent.more` cannot be imported"),
        (f"{ENV}from demo.cli import run\n", "`demo.cli:run` leads to nothing"),
    ],
)
def test_a_script_that_fails_is_told(site: Site, text: str, words: str) -> None:
    document = with_script(site, text)
    assert [one for one in found(document) if one[2] == "tool"] == [("error", "script", "tool")]
    assert words in said(document)
    assert said(document).count("The script `tool` does not work: ") == 1


@pytest.mark.parametrize(
    "text",
    [
        f"{ENV}from demo.cli import main\nfrom demo import cli, x\nimport demo.cli\nfrom demo import *\nmain()\n",
        f"{ENV}import absent_here\nfrom demo.odd import x\n",
        f"{ENV}def main():\n    from demo import gone\ntry:\n    import demo.gone\nexcept ImportError:\n    pass\n",
        "#!/bin/sh\nprint 'x'\n",
        "#!/usr/bin/env ipython\nprint 'x'\n",
        "# To be read by bash:\ncomplete -C demo_completer demo\n",
        "complete\n",
        "\0import this\n",
        "",
    ],
)
def test_a_script_that_works_or_is_none_of_python_passes(site: Site, text: str) -> None:
    document = with_script(site, text)
    assert not [one for one in found(document) if one[1] == "script"]


def test_a_script_without_a_first_line_for_the_system_is_a_warning(site: Site) -> None:
    document = with_script(site, "import demo\nprint(demo.x)\n")
    assert [one for one in found(document) if one[1] == "script"] == [("warning", "script", "tool")]
    assert "has no first line `#!python`" in said(document)


@pytest.mark.skipif(sys.platform == "win32", reason="the program that is made there is none of Python")
def test_what_an_installer_makes_of_an_entry_point_is_told_as_that(site: Site) -> None:
    points = "[console_scripts]\ntool = demo.cli:run\n"
    document = with_script(site, f"{ENV}from demo.cli import run\n", entry_points=points)
    assert [one[1] for one in found(document) if one[2] == "tool"] == ["entry-point"]


@pytest.mark.skipif(sys.platform == "win32", reason="a program there ends in .exe")
def test_a_batch_file_needs_no_first_line(site: Site) -> None:
    document = with_script(site, "print(1)\n", name="tool.bat")
    assert not [one for one in found(document) if one[1] == "script"]


@pytest.mark.parametrize(
    ("line", "is_python"),
    [
        (b"#!python", True),
        (b"#!pythonw", True),
        (b"#!/usr/bin/env python3", True),
        (b"#!/usr/bin/env -S python3.11 -u", True),
        (b"#! /usr/bin/python -E", True),
        (b"#!C:\\a b\\python.exe", True),
        (b"#!/bin/sh\n'''exec' '/a b/bin/python' \"$0\" \"$@\"\n' '''", True),
        (b"#!/usr/bin/env bpython", False),
        (b"#!/opt/python/tool", False),
        (b"#!/bin/sh\npython", False),
    ],
)
def test_first_lines_of_python(line: bytes, is_python: bool) -> None:  # noqa: FBT001
    assert bool(OF_PYTHON.match(line + b"\n")) is is_python
