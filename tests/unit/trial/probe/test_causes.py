from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

import pytest

from seatrial.trial.probe import causes
from seatrial.trial.probe.subject import Needed
from tests.samples.probed import found, look, posix, said

if TYPE_CHECKING:
    from tests.environments import Site

ELSEWHERE = "darwin" if sys.platform == "win32" else "win32"
EXTRA = 'Provides-Extra: cli\nRequires-Dist: click-absent>=8; extra == "cli"\n'
MARKER = 'Requires-Dist: absent_here; python_version < "3"\n'


@pytest.mark.parametrize(
    ("text", "metadata", "words"),
    [
        (
            "import click_absent\n",
            EXTRA,
            "`click-absent` is declared only in the extra `cli`, so that demo alone lacks it",
        ),
        (
            "import absent_here\n",
            MARKER,
            '`absent-here` is declared only where `python_version < "3"`, which does not',
        ),
        (
            "import other_absent\n",
            EXTRA,
            "No installed dependency has the module `other_absent`: it is not declared, or only in an",
        ),
        (
            "import other_absent\n",
            EXTRA,
            "an extra (cli; `extras` in [tool.seatrial] has the extras to install); or it is part of the project",
        ),
        ("import formatter\n", "", "`formatter` is in the standard library only until 3.9, and this is Python 3."),
        ("from . import core\n", "", "The module `demo.core` is not among the files of demo: the build left it out"),
        ("from demo.sub import x\n", "", "The module `demo.sub` is not among the files of demo: the build left it out"),
        ("raise ImportError('pip install demo[cli]')\n", EXTRA, "It needs the extra `cli`"),
        ("raise SystemExit('pip install demo[all,cli]')\n", EXTRA, "It needs the extra `cli`"),
        ("from json import nothing\n", "", "cannot import name 'nothing' from 'json'"),
        (
            "import xml\nxml.sax.handler\n",
            "",
            "`sax` is a module in `xml`: `import xml.sax` makes it known there",
        ),
        ("import json\njson.nothing\n", "", "`nothing` is not in `json` of Python 3."),
        ("import other\nfrom other import nothing\n", "", "`other` belongs to Other 7"),
        (
            "import importlib.metadata as m\nm.version('demo-app')\n",
            "",
            "It asks for the metadata of `demo-app`, which is not installed; this one is called `demo`",
        ),
    ],
)
def test_the_cause_of_an_error_is_told(site: Site, text: str, metadata: str, words: str) -> None:
    site.install({"demo/__init__.py": text}, metadata=metadata)
    site.install({"other.py": ""}, name="Other", version="7")
    document = look()
    assert [severity for severity, _, _ in found(document)] == ["error"]
    assert words in said(document)


@pytest.mark.parametrize(
    ("text", "metadata", "words"),
    [
        ("import click_absent\n", EXTRA, "declared only in the extra `cli`"),
        ("import absent_here\n", MARKER, "declared only where"),
        ("raise ImportError('pip install demo[cli]')\n", EXTRA, "It needs the extra `cli`"),
    ],
)
def test_a_module_beside_the_main_one_may_want_more(site: Site, text: str, metadata: str, words: str) -> None:
    site.install({"demo.py": "", "pytest_demo.py": text}, metadata=metadata)
    document = look()
    assert [(severity, name) for severity, _, name in found(document)] == [("warning", "pytest_demo")]
    assert words in said(document)
    assert document["imported"] == ["demo"]


def test_a_module_that_the_settings_name_has_to_be_importable(site: Site) -> None:
    site.install({"demo.py": "", "pytest_demo.py": "import click_absent\n"}, metadata=EXTRA)
    assert [severity for severity, _, _ in found(look("demo", "pytest_demo"))] == ["error"]


def test_a_module_beside_types_may_want_more(site: Site) -> None:
    files = {"django-stubs/__init__.pyi": "", "django_plugin.py": "import click_absent\n"}
    site.install(files, name="django-stubs", metadata=EXTRA)
    assert [severity for severity, _, _ in found(look(name="django-stubs"))] == ["warning"]


def test_any_of_several_modules_has_to_be_importable_if_none_is_named_like_the_project(site: Site) -> None:
    site.install({"one.py": "", "two.py": "import click_absent\n"}, metadata=EXTRA)
    assert [severity for severity, _, _ in found(look())] == ["error"]


@pytest.mark.parametrize("module", [f"demo_{ELSEWHERE}", f"demo_{ELSEWHERE.upper()}"])
def test_a_module_for_another_system_may_fail(site: Site, module: str) -> None:
    site.install({"demo.py": "", f"{module}.py": "raise OSError('no such API')\n"})
    document = look()
    assert found(document) == [("warning", "import", module)]
    assert f"By its name it is for {ELSEWHERE}, and this is {sys.platform}" in said(document)


def test_a_module_for_this_system_must_not_fail(site: Site) -> None:
    site.install({"demo.py": "", f"demo_{sys.platform}.py": "raise OSError\n"})
    assert [severity for severity, _, _ in found(look())] == ["error"]


WINDOWS_ONLY = "Classifier: Operating System :: Microsoft :: Windows\n"
ANY = "Classifier: Operating System :: OS Independent\n"


@posix
@pytest.mark.parametrize(
    ("metadata", "severity"),
    [
        (WINDOWS_ONLY, "warning"),
        (ANY, "error"),
        ("", "error"),
        (WINDOWS_ONLY + ANY, "error"),
        (WINDOWS_ONLY + "Classifier: Operating System :: POSIX :: Linux\n", "error"),
    ],
)
def test_a_project_for_another_system_need_not_be_importable(site: Site, metadata: str, severity: str) -> None:
    site.install({"demo.py": "import winreg\n"}, metadata=metadata)
    document = look()
    assert found(document) == [(severity, "missing-module", "demo")]
    assert "`winreg` is in the standard library, but Python 3." in said(document)


def test_a_namespace_that_is_hidden_is_told_as_that(site: Site) -> None:
    site.install({"zope/event.py": ""})
    site.install({"zope.py": ""}, name="rude")
    document = look()
    assert found(document) == [("error", "missing-module", "zope.event")]
    assert "`zope.event` is among the files of demo, but hidden, because `zope` is " in said(document)
    assert "which belongs to rude" in said(document)


def test_a_namespace_that_the_distribution_hides_itself_is_told_as_that(site: Site) -> None:
    site.install({"zope.py": "import zope.event\n"})
    site.install({"zope/event/__init__.py": ""}, name="zope.event")
    assert "`zope.event` is among the files of zope.event, but hidden, because `zope` is " in said(look())
    assert "which belongs to demo" in said(look())


def test_a_package_that_leads_nowhere_is_told_as_that(site: Site) -> None:
    site.install({"demo/__init__.py": "__path__ = []\nimport demo.core\n", "demo/core.py": ""})
    assert "`demo.core` is among the files of demo, and `demo` does not lead to it" in said(look())


def test_an_extension_module_for_another_python_is_told(site: Site) -> None:
    site.install({"demo/__init__.py": "from . import _c\n", "demo/_c.cpython-30-other.so": ""})
    message = said(look())
    assert f"`demo._c` is among the files of demo, but Python {platform.python_version()} on" in message
    assert "cannot read `demo/_c.cpython-30-other.so`" in message


def test_a_module_that_is_there_and_cannot_be_found_is_no_dependency(site: Site) -> None:
    site.install({"demo.py": "raise ModuleNotFoundError('no', name='other')\n"})
    site.install({"other.py": ""}, name="other")
    assert "No installed dependency has the module `other`" in said(look())


def test_an_absent_module_of_a_namespace_that_is_there(site: Site) -> None:
    site.install({"zope/event.py": "import zope.event.deep\n", "zope/other.py": ""})
    assert "The module `zope.event.deep` is not among the files of demo" in said(look())


@pytest.mark.parametrize(
    ("requirement", "module"),
    [
        ("click", "click"),
        ("pyyaml", "yaml"),
        ("python-dateutil", "dateutil"),
        ("gitpython", "git"),
        ("pillow", "PIL"),
        ("google-cloud-storage", "google.cloud"),
        ("pytest-asyncio", "pytest_asyncio"),
        ("pywin32", "win32com.client"),
    ],
)
def test_the_supplier_of_a_module_is_guessed(requirement: str, module: str) -> None:
    assert causes._supplies(requirement, module)


@pytest.mark.parametrize(("requirement", "module"), [("click", "clicks"), ("yamllint", "yaml")])
def test_the_supplier_of_a_module_is_not_guessed_wildly(requirement: str, module: str) -> None:
    assert not causes._supplies(requirement, module)


@pytest.mark.parametrize(
    ("line", "name", "extras", "marker"),
    [
        ("Click", "click", (), ""),
        ("zope.interface>=5 ; extra == 'a'", "zope-interface", ("a",), "extra == 'a'"),
        ('a[b,c] (>=1); extra == "d" or extra == "e"', "a", ("d", "e"), 'extra == "d" or extra == "e"'),
        ("x @ https://files.example/x-1.zip", "x", (), ""),
        ("", "", (), ""),
    ],
)
def test_requirements_are_read(line: str, name: str, extras: tuple[str, ...], marker: str) -> None:
    assert Needed.from_line(line) == Needed(name, extras, marker)
