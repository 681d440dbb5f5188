from __future__ import annotations

import importlib.machinery
import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.trial.probe.names import Names, import_names, is_import_name
from tests.projects import write_tree
from tests.samples.probed import LONG_INIT, PKG_RESOURCES, PKGUTIL

if TYPE_CHECKING:
    from collections.abc import Mapping


def names(*paths: str, **texts: str) -> Names:
    """Return what `paths` offer; `texts` are of files, by their path with two underscores for a slash."""
    known = {path.replace("___", "/"): text for path, text in texts.items()}
    return import_names(paths, known.get)


def of(files: Mapping[str, str]) -> Names:
    return import_names(files, files.get)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        pytest.param(["demo/__init__.py", "demo/core.py", "demo/sub/__init__.py"], ["demo"], id="package"),
        pytest.param(["demo.py"], ["demo"], id="module"),
        pytest.param(["demo/__init__.py", "other.py", "third/__init__.py"], ["demo", "other", "third"], id="three"),
        pytest.param(["démo/__init__.py"], ["démo"], id="a letter beyond ASCII"),
        pytest.param(["demo/__init__.pyc"], ["demo"], id="bytecode without source"),
        pytest.param(["demo.pyc"], ["demo"], id="bytecode of a module"),
        pytest.param(["ujson.cpython-313-x86_64-linux-gnu.so"], ["ujson"], id="bare extension module"),
        pytest.param(["demo.abi3.so"], ["demo"], id="stable ABI"),
        pytest.param(["demo.so"], ["demo"], id="extension module without a tag"),
        pytest.param(["demo.cp313-win_amd64.pyd"], ["demo"], id="extension module of Windows"),
        pytest.param(["demo.pyd"], ["demo"], id="extension module of Windows without a tag"),
        pytest.param(["demo/__init__.cpython-313-darwin.so"], ["demo"], id="package that is an extension"),
        pytest.param(["libfoo.so", "demo.py"], ["demo"], id="a library is no module"),
        pytest.param(["libfoo.so.1", "libfoo.dll", "demo.py"], ["demo"], id="other spellings of a library"),
        pytest.param(["library.py", "libmagic/__init__.py"], ["libmagic", "library"], id="modules named lib"),
        pytest.param(["liblinear.cpython-313-darwin.so"], ["liblinear"], id="an extension module named lib"),
        pytest.param(["81d243__mypyc.cpython-313-darwin.so", "demo.py"], ["demo"], id="mypyc's helper"),
        pytest.param(["my-script.py", "demo.py"], ["demo"], id="not an identifier"),
        pytest.param(["async/__init__.py", "class.py", "demo.py"], ["demo"], id="keywords"),
        pytest.param(["__main__.py", "__init__.py", "demo.py"], ["demo"], id="__main__ and a stray __init__"),
        pytest.param(["demo/__main__.py", "demo/__init__.py"], ["demo"], id="a package that can be run"),
        pytest.param(["google/cloud/storage/__init__.py"], ["google.cloud.storage"], id="namespace in a namespace"),
        pytest.param(["zope/interface.py", "zope/b/__init__.py"], ["zope.b", "zope.interface"], id="namespace"),
        pytest.param(["zope/_c.py", "zope/event.py"], ["zope.event"], id="private name in a namespace"),
        pytest.param(["zope/conftest.py", "zope/setup.py", "zope/a.py"], ["zope.a"], id="conftest and setup"),
        pytest.param(["zope/tests/__init__.py", "zope/test.py", "zope/a.py"], ["zope.a"], id="tests of a namespace"),
        pytest.param(["tests/__init__.py", "conftest.py", "setup.py", "docs/a.py", "a.py"], ["a"], id="not for users"),
        pytest.param(["tests/__init__.py"], ["tests"], id="tests and nothing else"),
        pytest.param(["demo/tests/__init__.py", "demo/__init__.py"], ["demo"], id="tests of a package"),
        pytest.param(["zope/__main__.py", "zope/a.py"], ["zope.a"], id="a namespace that can be run"),
        pytest.param(["demo.py", "demo/data.py"], ["demo"], id="a module hides a namespace"),
        pytest.param(["demo.py", "demo/__init__.py"], ["demo"], id="a module beside its package"),
        pytest.param(["_demo.py", "demo/__init__.py", "_x/__init__.py"], ["demo"], id="private names left out"),
        pytest.param(["_demo.py", "_x/__init__.py"], ["_demo", "_x"], id="private names only"),
        pytest.param(["demo-1.0.data/purelib/demo/__init__.py"], ["demo"], id="purelib"),
        pytest.param(["demo-1.0.data/platlib/demo.abi3.so"], ["demo"], id="platlib"),
        pytest.param(["demo-1.0.data/scripts/demo.py", "a.py"], ["a"], id="old scripts"),
        pytest.param(["demo-1.0.data/data/share/demo.py", "a.py"], ["a"], id="data of the environment"),
        pytest.param(["demo-1.0.data/headers/demo.py", "demo-1.0.data", "a.py"], ["a"], id="other folders of .data"),
        pytest.param(["../../../bin/demo.py", "a.py"], ["a"], id="outside site-packages"),
        pytest.param(["./demo/./__init__.py"], ["demo"], id="dots"),
        pytest.param(["/demo.py", "a//b.py", "", "c.py"], ["c"], id="absolute and empty"),
        pytest.param(["demo/__pycache__/x.py", "__pycache__/a.cpython-313.pyc", "b.py"], ["b"], id="caches"),
        pytest.param(["demo/data.json", "a.py"], ["a"], id="a folder of data"),
        pytest.param(["demo-1.0.dist-info/METADATA", "demo-1.0.dist-info/licenses/x.py"], [], id="metadata"),
    ],
)
def test_import_names(paths: list[str], expected: list[str]) -> None:
    assert names(*paths).modules == tuple(expected)


@pytest.mark.parametrize("text", [PKGUTIL, PKG_RESOURCES, f"#!/usr/bin/env python\n\n{PKGUTIL}"])
def test_a_namespace_of_the_old_kinds_is_gone_through(text: str) -> None:
    assert of({"backports/__init__.py": text, "backports/tarfile.py": ""}).modules == ("backports.tarfile",)


@pytest.mark.parametrize("text", ["", "x = 1\n", LONG_INIT, "# extend_path(__path__)\n"])
def test_an_init_of_any_other_text_makes_a_package(text: str) -> None:
    assert of({"demo/__init__.py": text, "demo/tarfile.py": ""}).modules == ("demo",)


def test_an_init_that_cannot_be_read_makes_a_package() -> None:
    assert names("demo/__init__.py").modules == ("demo",)


def test_the_init_in_a_data_folder_is_read_by_the_path_it_was_given_by() -> None:
    files = {"d-1.data/purelib/zope/__init__.py": PKGUTIL, "d-1.data/purelib/zope/a.py": ""}
    assert of(files).modules == ("zope.a",)


@pytest.mark.parametrize(
    ("paths", "stubs"),
    [
        (["yaml-stubs/__init__.pyi", "yaml-stubs/py.typed"], ["yaml-stubs"]),
        (["google-stubs/protobuf/any.pyi"], ["google-stubs"]),
        (["six.pyi"], ["six"]),
        (["demo/__init__.pyi"], ["demo"]),
    ],
)
def test_stubs_offer_nothing_to_import(paths: list[str], stubs: list[str]) -> None:
    found = names(*paths)
    assert (found.modules, found.stubs, found.why_none) == ((), tuple(stubs), "stubs")


def test_stubs_beside_code_are_named_apart() -> None:
    found = names("django-stubs/__init__.pyi", "mypy_django_plugin/__init__.py", "mypy_django_plugin/main.pyi")
    assert (found.modules, found.stubs, found.why_none) == (("mypy_django_plugin",), ("django-stubs",), None)


@pytest.mark.parametrize("paths", [[], ["meta-1.0.dist-info/METADATA"], ["meta/data.json"]])
def test_a_metapackage_offers_nothing(paths: list[str]) -> None:
    found = names(*paths)
    assert (found.modules, found.stubs, found.why_none) == ((), (), "metapackage")


def test_files_for_the_module_site_are_named() -> None:
    assert names("demo.py", "distutils-precedence.pth", "demo/x.pth").pth == ("distutils-precedence.pth",)


SEGMENTS = st.sampled_from(["a", "b", "_c", "é", "class", "a-b", "__pycache__", "lib", "setup", "conftest", "c.data"])
FILES = st.sampled_from(
    ["__init__.py", "__main__.py", "a.py", "_c.py", "b.pyi", "x.json", "a-b.py", "__init__.pyi", "setup.py", "libx.so"]
)
TREES = st.dictionaries(
    st.tuples(st.lists(SEGMENTS, max_size=3), FILES).map(lambda pair: "/".join([*pair[0], pair[1]])),
    st.sampled_from(["", "x = 1\n", PKGUTIL, PKG_RESOURCES]),
    max_size=8,
)


@given(TREES)
@settings(max_examples=60, deadline=None)
def test_python_finds_every_name_among_the_files(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]
) -> None:
    root = tmp_path_factory.mktemp("site")
    kept = {path: text for path, text in files.items() if not path.startswith("c.data/")}
    write_tree(root, kept)
    for name in of(kept).modules:
        *above, last = name.split(".")
        loader = (importlib.machinery.SourceFileLoader, [".py"])
        spec = importlib.machinery.FileFinder(str(root.joinpath(*above)), loader).find_spec(last)
        assert spec is not None, name
        assert spec.origin is not None, name
        assert Path(spec.origin).relative_to(root).as_posix() in kept


@given(st.lists(st.text(alphabet="ab_é./-\\: ", max_size=12) | st.text(max_size=6), max_size=6))
def test_no_path_is_too_odd(paths: list[str]) -> None:
    assert all(is_import_name(name) for name in names(*paths).modules)


@pytest.mark.parametrize(
    ("paths", "inner", "loose", "aside"),
    [
        (["p/__init__.py", "p/a.py", "p/s/__init__.py", "p/s/b.py"], ["p.a", "p.s", "p.s.b"], [], []),
        (["p/__init__.py", "p/_a.py", "p/_s/__init__.py", "p/_s/b.py"], [], [], []),
        (["p/__init__.py", "p/c.cpython-313-darwin.so", "p/d.abi3.so", "p/e.pyd"], ["p.c", "p.d", "p.e"], [], []),
        (["p/__init__.py", "p/t/a.py", "p/t/u/b.py"], ["p.t.a", "p.t.u.b"], ["p.t.a", "p.t.u.b"], []),
        (
            ["p/__init__.py", "p/__main__.py", "p/tests/a.py", "p/test_b.py"],
            [],
            [],
            ["p.__main__", "p.test_b", "p.tests.a"],
        ),
        (["p/__init__.py", "p/a-b.py", "p/class.py", "p/{{x}}/a.py", "p/x.txt"], [], [], []),
        (["p/__init__.py", "p/a.py", "p/a/b.py"], ["p.a"], [], []),
        (["n/p/__init__.py", "n/p/a.py"], ["n.p.a"], [], []),
        (["p.py", "p/a.py"], [], [], []),
        (["_p/__init__.py", "_p/a.py"], ["_p.a"], [], []),
    ],
)
def test_the_modules_inside_packages(paths: list[str], inner: list[str], loose: list[str], aside: list[str]) -> None:
    found = names(*paths)
    assert (list(found.inner), sorted(found.loose), list(found.aside)) == (inner, loose, aside)
