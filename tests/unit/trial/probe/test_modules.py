from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from seatrial.trial.probe import modules
from tests.samples.probed import found, look, said

if TYPE_CHECKING:
    from tests.environments import Site


@pytest.mark.parametrize(
    ("module", "metadata"),
    [
        ("1.0", "1.0"),
        ("v1.0", "1.0"),
        ("1.0", "1"),
        ("1.0.0-beta.2", "1.0b2"),
        ("1.0alpha", "1.0a0"),
        ("2024.01.05", "2024.1.5"),
        ("1.0", "1!1.0"),
        ("1.0.post1", "1.0-r1"),
        ("1.0+ubuntu.1", "1.0+Ubuntu-1"),
    ],
)
def test_versions_that_agree(module: str, metadata: str) -> None:
    assert modules._release(module) == modules._release(metadata)


@pytest.mark.parametrize(
    ("module", "metadata"),
    [("1.0", "1.1"), ("1.0b1", "1.0"), ("1.0", "10"), ("1.0+g123", "1.0"), ("unknown", "1.0"), ("1.0a1", "1.0b1")],
)
def test_versions_that_differ(module: str, metadata: str) -> None:
    assert modules._release(module) != modules._release(metadata)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("__version__ = '1.0.0'\n", []),
        ("__version__ = (0, 9)\n", []),
        ("def __getattr__(name):\n    raise RuntimeError(name)\n", []),
        ("__version__ = '0.9'\n", [("warning", "module-version", "demo")]),
        ("def __getattr__(name):\n    return '0.9'\n", [("warning", "module-version", "demo")]),
    ],
)
def test_the_version_that_a_module_tells(site: Site, text: str, problems: list[tuple[str, str, str]]) -> None:
    site.install({"demo.py": text})
    document = look()
    assert found(document) == problems
    assert not problems or "`demo.__version__` is '0.9', and the metadata says 1.0." in said(document)


def test_the_version_of_another_module_is_its_own_affair(site: Site) -> None:
    site.install({"demo.py": "", "bundled.py": "__version__ = '7'\n"})
    assert look()["problems"] == []


LAZY = """\
import importlib

def __getattr__(name):
    if name == "absent":
        import absent_requirement
    if name == "own":
        return importlib.import_module(f"{__name__}._own")
    if name == "ends":
        raise SystemExit(3)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "from .core import f\n__all__ = ['f', 'g', 'h']\n",
            "not there: `g`, `h` (module 'demo' has no attribute 'g').",
        ),
        (f"{LAZY}__all__ = ('absent', 'own', 'core')\n", "not there: `own` (No module named 'demo._own')."),
        (f"{LAZY}__all__ = ['gone']\n", "`from demo import *` fails, as `__all__` names what is not there: `gone`"),
    ],
)
def test_a_name_in_all_that_is_not_there_is_a_warning(site: Site, text: str, words: str) -> None:
    site.install({"demo/__init__.py": text, "demo/core.py": "def f(): pass\n"})
    document = look()
    assert found(document) == [("warning", "star-import", "demo")]
    assert words in said(document)


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n__all__ = ['x', 'core', 'space']\n",
        f"{LAZY}__all__ = ['absent', 'ends', 'core']\n",
        "__all__ = 1\n",
        "__all__ = 'text'\n",
        "__all__ = [1, None]\n",
        "import os\n__all__ = ['later', 'gone']\ndef __getattr__(name): os._exit(1) if name == 'later' else 1 / 0\n",
        "import sys\nclass Odd:\n    def __getattr__(self, name): return self\nsys.modules[__name__] = Odd()\n",
        "import sys\nclass Odd:\n    def __getattr__(self, name): raise KeyError\nsys.modules[__name__] = Odd()\n",
    ],
)
def test_names_in_all_that_are_there_or_that_nobody_can_tell_of_pass(site: Site, text: str) -> None:
    site.install({"demo/__init__.py": text, "demo/core.py": "", "demo/space/a.txt": ""})
    assert not [one for one in found(look()) if one[1] != "namespace" and one[2] == "demo"]


@pytest.mark.skipif(os.name == "nt", reason="there is no alarm")
def test_names_in_all_that_take_long_are_given_up(site: Site) -> None:
    text = "import time\n__all__ = ['x']\ndef __getattr__(name): time.sleep(1000) if name == 'x' else int(name)\n"
    site.install({"demo.py": text})
    assert found(look()) == []


def test_names_in_all_are_asked_where_many_modules_share_an_interpreter(site: Site) -> None:
    files = {f"demo/part_{number}.py": f"__all__ = ['x']\n{'x = 1' * (number != 3)}\n" for number in range(9)}
    site.install({"demo/__init__.py": "", **files})
    assert found(look()) == [("warning", "star-import", "demo.part_3")]
