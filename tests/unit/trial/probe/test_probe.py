from __future__ import annotations

import ast
import importlib.machinery
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.trial.probe import causes, command, files, importer, modules
from seatrial.trial.probe import imports as attempting
from seatrial.trial.probe.document import check
from seatrial.trial.probe.entry_points import EntryPoint
from seatrial.trial.probe.imports import Attempt, attempts
from seatrial.trial.probe.names import Names, import_names, is_import_name
from seatrial.trial.probe.subject import Needed, Project
from seatrial.trial.stdlib import history
from tests.environments import Site
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROBE = Path(command.__file__)
LIMIT = 60.0  # seconds, for imports that end
SHORT = 0.5  # seconds, for those that do not

PKGUTIL = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
PKG_RESOURCES = """\
# See the documentation of setuptools.
try:
    __import__("pkg_resources").declare_namespace(__name__)
except ImportError:
    __path__ = __import__("pkgutil").extend_path(__path__, __name__)
"""
LONG_INIT = PKGUTIL + "".join(f"number_{n} = {n}\n" for n in range(12))

posix = pytest.mark.skipif(os.name == "nt", reason="signals and process groups are of POSIX")


# Which names are there to import?


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


# The import of one name, in this interpreter.


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to import from; what was imported from it is forgotten."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def attempt(name: str) -> Attempt:
    """Import `name` in this interpreter; the answer is one that can be written."""
    return Attempt(**json.loads(json.dumps(importer.attempt(name))))


def test_an_import_tells_the_file(folder: Path) -> None:
    write_tree(folder, {"demo_a/__init__.py": "x = 1\n"})
    made = attempt("demo_a")
    assert (made.ok, made.origin, made.callable) == (True, str(folder / "demo_a" / "__init__.py"), False)


def test_an_import_of_a_namespace_tells_its_folders(folder: Path) -> None:
    write_tree(folder, {"demo_n/data.json": "{}"})
    assert attempt("demo_n").origin == [str(folder / "demo_n")]


def test_an_attribute_is_looked_up_and_can_be_called(folder: Path) -> None:
    write_tree(folder, {"demo_b.py": "class Tool:\n    @staticmethod\n    def run():\n        pass\n    x = 1\n"})
    assert attempt("demo_b:Tool.run").callable
    assert not attempt("demo_b:Tool.x").callable


def test_an_attribute_that_is_absent_is_an_error(folder: Path) -> None:
    write_tree(folder, {"demo_c.py": ""})
    made = attempt("demo_c:main")
    assert (made.ok, made.error_type) == (False, "no-attribute")
    assert "main" in (made.error or "")


def test_a_module_may_put_another_object_into_its_place(folder: Path) -> None:
    write_tree(folder, {"demo_lazy.py": "import sys\nsys.modules[__name__] = object()\n"})
    assert attempt("demo_lazy").origin == str(folder / "demo_lazy.py")


def test_a_module_that_is_imported_already_tells_its_file() -> None:
    assert attempt("json").origin == json.__file__


def test_a_module_without_a_finder_has_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "demo_made", types.ModuleType("demo_made"))
    assert attempt("demo_made") == Attempt("demo_made", ok=True)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("raise ValueError('so it is')\n", "ValueError", "so it is"),
        ("import sys\nsys.exit(3)\n", "SystemExit", "3"),
        ("import sys\nsys.exit('bye')\n", "SystemExit", "'bye'"),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt", ""),
        ("raise ValueError('\\udce4')\n", "ValueError", "\\udce4"),
        ("class E(Exception):\n    def __str__(self):\n        raise OSError\nraise E\n", "E", "(it cannot say"),
        ("def main(:\n", "SyntaxError", "demo_f.py, line 1"),
    ],
)
def test_an_import_that_raises_is_an_answer(folder: Path, text: str, kind: str, words: str) -> None:
    write_tree(folder, {"demo_f.py": text})
    made = attempt("demo_f")
    assert (made.ok, made.error_type, made.missing) == (False, kind, None)
    assert words in (made.error or "")
    json.dumps(made.error).encode()


def test_the_places_of_the_traceback_are_told(folder: Path) -> None:
    write_tree(folder, {"demo_g.py": "import demo_h\n", "demo_h.py": "\nprint(1 / 0)\n"})
    places = [(Path(file).name, line) for file, line, _ in attempt("demo_g").frames]
    assert ("demo_g.py", 1) in places
    assert places[-1] == ("demo_h.py", 2)


def test_the_code_of_each_place_is_told(site: Site) -> None:
    put(site, demo_g="import demo_h\n", demo_h="\nprint(1 / 0)\n")
    (one,) = attempts(["demo_g"], LIMIT)
    assert [(Path(file).name, line, code) for file, line, code in one.frames[-2:]] == [
        ("demo_g.py", 1, "import demo_h"),
        ("demo_h.py", 2, "print(1 / 0)"),
    ]


def test_the_place_of_a_syntax_error_is_the_last(folder: Path) -> None:
    write_tree(folder, {"demo_s.py": "\n  x = = 1\n"})
    file, line, code = attempt("demo_s").frames[-1]
    assert (Path(file).name, line, code) == ("demo_s.py", 2, "x = = 1")


def test_a_syntax_error_of_no_file_has_no_place_of_its_own(folder: Path) -> None:
    write_tree(folder, {"demo_t.py": "raise SyntaxError('made up')\n"})
    assert Path(attempt("demo_t").frames[-1][0]).name == "demo_t.py"


def test_the_module_that_is_missing_is_named(folder: Path) -> None:
    write_tree(folder, {"demo_i.py": "import no_such_module.part\n"})
    assert attempt("demo_i").missing == "no_such_module"


def test_a_name_that_a_module_lacks_is_no_missing_module(folder: Path) -> None:
    write_tree(folder, {"demo_j.py": "from json import no_such_name\n"})
    made = attempt("demo_j")
    assert (made.error_type, made.missing) == ("ImportError", None)


# Imports in interpreters of their own.


@pytest.fixture(scope="session")
def made_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site.create(tmp_path_factory.mktemp("stranger") / "ein venv ü")


@pytest.fixture
def site(made_site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The environment, which the probe takes for the one it runs in; it is empty again after each test."""
    monkeypatch.setattr(sys, "executable", str(made_site.python))
    monkeypatch.setattr("sysconfig.get_path", made_site.paths.__getitem__)
    monkeypatch.syspath_prepend(str(made_site.purelib))
    yield made_site
    made_site.clear()


def put(site: Site, **modules: str) -> None:
    write_tree(site.purelib, {f"{name}.py": text for name, text in modules.items()})


def test_imports_that_go_well_have_no_output(site: Site) -> None:
    put(site, demo="print('hello')\n", other="import warnings\nwarnings.warn('old')\n")
    assert [(one.name, one.ok, one.output) for one in attempts(["demo", "other"], LIMIT)] == [
        ("demo", True, ""),
        ("other", True, ""),
    ]


def test_what_was_printed_on_the_way_to_a_failure_is_kept(site: Site) -> None:
    put(site, demo="import sys\nprint('on the way')\nprint('a complaint', file=sys.stderr)\nprint(1 / 0)\n")
    (made,) = attempts(["demo"], LIMIT)
    assert (made.ok, made.error_type) == (False, "ZeroDivisionError")
    assert {"on the way", "a complaint"} <= set(made.output.splitlines())


def test_only_the_last_lines_are_kept(site: Site) -> None:
    put(site, demo="for number in range(1000):\n    print('line', number)\nraise OSError\n")
    (made,) = attempts(["demo"], LIMIT)
    assert made.output.splitlines() == [f"line {number}" for number in range(980, 1000)]


def test_a_module_that_leaves_no_answer_ended_the_interpreter(site: Site) -> None:
    put(site, demo="import os\nos._exit(0)\n")
    (made,) = attempts(["demo"], LIMIT)
    assert (made.ok, made.error_type) == (False, "crash")
    assert "exit code 0" in (made.error or "")
    assert "os._exit" in (made.error or "")


@posix
def test_a_crash_is_told_by_its_signal_and_with_its_place(site: Site) -> None:
    put(site, demo="import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    (made,) = attempts(["demo"], LIMIT)
    assert made.error == "crashes the interpreter when it is imported (SIGSEGV)"
    assert "demo.py" in made.output


def test_a_signal_without_a_name_is_told_by_its_number() -> None:
    assert attempting._how_it_ended(-99) == "crashes the interpreter when it is imported (signal 99)"


def test_a_hanging_import_ends(site: Site) -> None:
    put(site, demo="import threading\nthreading.Event().wait()\n")
    (made,) = attempts(["demo"], SHORT)
    assert (made.ok, made.error_type) == (False, "hang")
    assert "after 0.5 seconds" in (made.error or "")


def test_after_three_that_hang_the_rest_is_left_untried(site: Site) -> None:
    put(site, **dict.fromkeys("abcd", "import threading\nthreading.Event().wait()\n"))
    tried = attempts(["a", "b", "c", "d"], SHORT)
    assert [one.error_type for one in tried] == ["hang", "hang", "hang", "untried"]


def test_a_child_that_a_module_leaves_behind_is_ended(site: Site) -> None:
    text = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
    put(site, demo=text)
    assert attempts(["demo"], LIMIT)[0].ok


def test_a_thread_that_a_module_leaves_behind_does_not_matter(site: Site) -> None:
    put(site, demo="import threading\nthreading.Thread(target=threading.Event().wait).start()\n")
    assert attempts(["demo"], LIMIT)[0].ok


@pytest.mark.parametrize(
    "module", ["importlib.util", "importlib.metadata", "json", "traceback", "typing", "dataclasses"]
)
def test_what_a_module_uses_is_there_only_if_it_asks_for_it(site: Site, module: str) -> None:
    site_of_python = subprocess.run(
        [str(site.python), "-I", "-c", f"import sys\nprint({module!r} in sys.modules)"],
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    put(site, demo=f"import sys\nassert {module!r} not in sys.modules\n")
    assert attempts(["demo"], LIMIT)[0].ok == (site_of_python.stdout.strip() == "False")


def test_many_names_share_one_interpreter(site: Site) -> None:
    text = "import os, sys\nsys.modules.setdefault('first', os)\nassert __name__ == 'm0' or 'm0' in sys.modules\n"
    put(site, **{f"m{number}": text for number in range(9)})
    assert all(one.ok for one in attempts([f"m{number}" for number in range(9)], LIMIT))


def test_many_names_are_tried_apart_if_one_of_them_ends_the_interpreter(site: Site) -> None:
    put(site, **{f"m{number}": "" for number in range(8)}, m8="import os\nos._exit(1)\n")
    tried = attempts([f"m{number}" for number in range(9)], LIMIT)
    assert [one.ok for one in tried] == [True] * 8 + [False]


def test_a_process_is_ended_as_on_windows() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with process:
        attempting._end_tree(process)
    assert process.returncode != 0
    attempting._end_tree(process)  # of one that has ended nothing is left to do


# A whole distribution.


def look(*setting: str, name: str = "demo", limit: float = LIMIT) -> dict[str, Any]:
    """Return the document on what is in `site`, made in this interpreter; only the imports are in one of `site`."""
    document = check(name, setting, limit, Project(stdlib=history()))
    json.dumps(document)
    return document


def found(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(problem["severity"], problem["kind"], problem["name"]) for problem in document["problems"]]


def said(document: Mapping[str, Any]) -> str:
    return "\n".join(problem["message"] for problem in document["problems"])


def test_a_sound_distribution_has_no_problem(site: Site) -> None:
    site.install({"demo/__init__.py": "", "demo/data.txt": "data\n"})
    document = look()
    assert document["problems"] == []
    assert document["imported"] == ["demo"]
    assert document["why_none"] is None
    assert document["distribution"] == {"name": "demo", "version": "1.0", "files": 5}
    assert document["modules"][0]["origin"] == str(site.purelib / "demo" / "__init__.py")


@pytest.mark.usefixtures("site")
def test_the_interpreter_is_described() -> None:
    document = look()
    assert (document["probe"], document["implementation"]) == (1, sys.implementation.name)
    assert document["python"].startswith("{}.{}".format(*sys.version_info))


@pytest.mark.usefixtures("site")
def test_a_distribution_that_is_not_there() -> None:
    document = look(name="no-such-project")
    assert found(document) == [("error", "not-installed", "no-such-project")]
    assert document["distribution"] is None


@pytest.mark.parametrize("name", ["De.Mo_x", "de-mo-x", "DE--MO.X"])
def test_a_distribution_is_found_however_it_is_spelt(site: Site, name: str) -> None:
    site.install({"demo.py": ""}, name="de-mo.x")
    assert look(name=name)["problems"] == []


def test_what_does_not_import_is_told_with_its_place(site: Site) -> None:
    site.install({"demo/__init__.py": "from . import core\n", "demo/core.py": "x = 1 / 0\n"})
    document = look()
    assert found(document) == [("error", "import", "demo")]
    assert "ZeroDivisionError: division by zero (demo/core.py, line 1: x = 1 / 0)" in said(document)
    assert "`import-names` in [tool.seatrial]" in said(document)
    assert document["imported"] == []
    assert document["modules"][0]["where"] == "demo/core.py, line 1: x = 1 / 0"


def test_a_failure_outside_the_distribution_has_no_place(site: Site) -> None:
    site.install({"demo.py": "def main(): pass\n"}, entry_points="[console_scripts]\nd = demo:nothing\n", scripts=["d"])
    assert "has no attribute 'nothing'." in said(look())


def test_an_error_without_words_is_told_by_its_class(site: Site) -> None:
    site.install({"demo.py": "raise OSError\n"})
    assert "cannot be imported: OSError:  (demo.py, line 1: raise OSError)" in said(look())


def test_what_was_printed_is_shown(site: Site) -> None:
    site.install({"demo.py": "print('the cause')\nraise OSError\n"})
    assert said(look()).endswith(" It printed:\nthe cause")


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("import sys\nsys.exit(2)\n", "exits", "calls sys.exit(2) when it is imported (demo.py, line 2"),
        ("import os\nos._exit(2)\n", "crashes", "ends the interpreter when it is imported (exit code 2)"),
        ("import missing_one\n", "missing-module", "`missing_one` is of no dependency that was installed"),
        ("import demo.part\n", "missing-module", "`demo.part` is not among the files of demo: the build left it out"),
    ],
)
def test_the_kind_of_a_failure(site: Site, text: str, kind: str, words: str) -> None:
    site.install({"demo.py": text})
    document = look()
    assert found(document) == [("error", kind, "demo")]
    assert words in said(document)


def test_a_hanging_import_is_told(site: Site) -> None:
    site.install({"demo.py": "import threading\nthreading.Event().wait()\n"})
    document = look(limit=SHORT)
    assert found(document) == [("error", "hangs", "demo")]
    assert "`demo` was still being imported after 0.5 seconds" in said(document)


def test_a_module_that_prints_or_warns_is_in_order(site: Site) -> None:
    site.install({"demo.py": "import warnings\nprint('{')\nwarnings.warn('old', DeprecationWarning)\n"})
    assert look()["problems"] == []


def test_a_module_that_changes_the_folder_or_reads_the_arguments_is_in_order(site: Site) -> None:
    site.install(
        {"demo.py": "import os, sys\nassert len(sys.argv) == 1, sys.argv\nos.chdir(os.path.dirname(__file__))\n"}
    )
    assert look()["problems"] == []


# Where a module came from.


def test_a_module_of_a_dependency_is_foreign(site: Site) -> None:
    site.install({"demo-1.0.dist-info/x": ""}, metadata="Requires-Dist: other\n")
    site.install({"other.py": ""}, name="other")
    document = look("other")
    assert found(document) == [("error", "foreign", "other")]
    assert "other.py, which belongs to other." in said(document)
    assert document["imported"] == []
    assert document["modules"][0]["error_type"] == "foreign"


def test_a_module_of_no_distribution_is_foreign(site: Site) -> None:
    site.install({"demo.py": ""})
    put(site, stray="")
    assert "stray.py, which belongs to no distribution." in said(look("stray"))


@pytest.mark.parametrize("name", ["json", "sys"])
def test_a_module_of_python_is_foreign(site: Site, name: str) -> None:
    site.install({"demo.py": ""})
    document = look(name)
    assert found(document) == [("error", "foreign", name)]
    assert "Python's standard library (" in said(document)


def test_a_module_without_a_file_is_foreign(site: Site) -> None:
    text = "import sys, types\nsys.modules['demo.made'] = types.ModuleType('demo.made')\n"
    site.install({"demo/__init__.py": text})
    assert "it comes from no file at all." in said(look("demo.made"))


def test_a_namespace_is_a_warning_if_the_distribution_is_in_it(site: Site) -> None:
    site.install({"zope/event.py": ""})
    document = look("zope")
    assert found(document) == [("warning", "namespace", "zope")]
    assert document["imported"] == ["zope"]


def test_a_namespace_that_others_fill_is_foreign(site: Site) -> None:
    site.install({"demo.py": ""})
    site.install({"zope/event.py": ""}, name="zope.event")
    document = look("zope")
    assert found(document) == [("error", "foreign", "zope")]
    assert "a namespace that other distributions fill" in said(document)


def test_a_namespace_that_another_distribution_clobbers_is_told(site: Site) -> None:
    site.install({"zope/event.py": ""})
    site.install({"zope/__init__.py": "__path__ = []\n"}, name="rude")
    assert found(look()) == [("error", "missing-module", "zope.event")]


# Which names are imported.


def test_the_setting_comes_first(site: Site) -> None:
    site.install({"demo.py": "", "bad.py": "1 / 0\n"}, metadata="Import-Name: bad\n")
    assert look("demo")["imported"] == ["demo"]


def test_import_name_comes_before_the_files(site: Site) -> None:
    site.install(
        {"demo.py": "", "bad.py": "1 / 0\n", "secret.py": "1 / 0\n"},
        metadata="Import-Name: demo\nImport-Name: secret ; private\nImport-Namespace: bad\n",
    )
    assert look()["imported"] == ["demo"]


def test_an_empty_import_name_leaves_the_files(site: Site) -> None:
    site.install({"demo.py": ""}, metadata="Import-Name:\n")
    assert look()["imported"] == ["demo"]


@pytest.mark.parametrize("name", ["de-mo", "demo:main", "class", ""])
def test_what_is_no_import_name_is_told(site: Site, name: str) -> None:
    site.install({"demo.py": ""})
    assert found(look(name)) == [("error", "import-name", name)]


@pytest.mark.parametrize(
    ("files", "why"), [({"demo-stubs/__init__.pyi": ""}, "stubs"), ({"share/demo/x.json": ""}, "metapackage")]
)
def test_nothing_to_import_is_no_problem_and_is_explained(site: Site, files: dict[str, str], why: str) -> None:
    site.install(files)
    document = look()
    assert (document["problems"], document["why_none"], document["imported"]) == ([], why, [])


# The files of RECORD.


def test_a_file_that_was_not_installed_is_told(site: Site) -> None:
    site.install({"demo.py": ""}, absent=["demo_data/x.json"])
    document = look()
    assert found(document) == [("error", "missing-file", "demo_data/x.json")]
    assert "`demo_data/x.json`" in said(document)


def test_an_init_that_was_not_installed_is_told(site: Site) -> None:
    site.install({"demo/core.py": ""}, absent=["demo/__init__.py"])
    assert ("error", "missing-file", "demo/__init__.py") in found(look())


def test_bytecode_that_is_absent_is_in_order(site: Site) -> None:
    site.install({"demo.py": ""}, absent=["__pycache__/demo.cpython-38.pyc"])
    assert look()["problems"] == []


@pytest.mark.parametrize(("count", "ending"), [(10, "`f9`."), (11, "`f9` and 1 more."), (30, " and 20 more.")])
def test_of_many_files_some_are_named(site: Site, count: int, ending: str) -> None:
    site.install({"demo.py": ""}, absent=[f"f{number}" for number in range(count)])
    assert said(look()).endswith(ending)


@pytest.mark.parametrize("record", ["", "\n\n"])
def test_a_distribution_without_record_is_told(site: Site, record: str) -> None:
    site.install({"demo.py": ""}, info={"RECORD": record})
    assert found(look()) == [("error", "no-record", "demo")]


def test_a_record_that_is_not_utf_8_is_no_record(site: Site) -> None:
    site.install({"demo.py": ""}, info={"RECORD": ""})
    (site.purelib / "demo-1.0.dist-info" / "RECORD").write_bytes(b"d\xe4mo.py,,\n")
    assert found(look()) == [("error", "no-record", "demo")]


def test_a_path_with_a_comma_is_read(site: Site) -> None:
    site.install({"demo.py": "", "demo_data/a,b.txt": ""})
    assert look()["problems"] == []


@posix
def test_a_script_must_be_executable(site: Site) -> None:
    site.install(
        {"demo.py": "def main(): pass\n"}, entry_points="[console_scripts]\ndemo = demo:main\n", scripts=["demo"]
    )
    assert look()["problems"] == []
    (site.scripts / "demo").chmod(0o644)
    document = look()
    assert [(severity, kind) for severity, kind, _ in found(document)] == [("error", "script-mode")]
    assert "bin/demo` was installed, and is not executable." in said(document)


@posix
def test_a_script_that_record_does_not_list_must_be_executable(site: Site) -> None:
    site.install({"demo.py": "def main(): pass\n"}, entry_points="[console_scripts]\ndemo = demo:main\n")
    (site.scripts / "demo").touch(0o644)
    document = look()
    assert found(document) == [("error", "script-mode", "demo")]
    assert f"was installed as {site.scripts / 'demo'}, and is not executable." in said(document)


def test_a_file_that_differs_from_record_is_told(site: Site) -> None:
    site.install({"demo.py": "", "demo_data/a.txt": "as released\n"})
    (site.purelib / "demo_data" / "a.txt").write_text("changed\n", encoding="utf-8")
    document = look()
    assert found(document) == [("error", "changed-file", "demo_data/a.txt")]
    assert "says (hash): the wheel is at odds with itself." in said(document)


@pytest.mark.parametrize(
    "written",
    [
        "sha512=z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg_SpIdNs6c5H0NE8XYXysP-DGNKHfuwvY7kxvUdBeoGlODJ6-SfaPg",
        "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
        "md5=unknown",
        "nothing",
        "",
    ],
)
def test_a_hash_is_compared_where_it_can_be(site: Site, written: str) -> None:
    record = f"demo.py,{written},0\ndemo_data.bin,\n\ndemo-1.0.dist-info/RECORD,,\n"
    site.install({"demo.py": "", "demo_data.bin": ""}, info={"RECORD": record})
    assert look()["problems"] == []


@pytest.mark.parametrize(
    ("path", "severity"),
    [("demo/core.py", "error"), ("demo.py", "error"), ("LICENSE", "warning"), ("tests/a.py", "warning")],
)
def test_a_file_that_another_distribution_took_the_place_of_is_told(site: Site, path: str, severity: str) -> None:
    site.install({"demo.py": "", path: "ours = 1\n"})
    site.install({path: "theirs = 1\n"}, name="rude")
    document = look()
    assert found(document) == [(severity, "changed-file", path)]
    assert "rude has a file of that name too." in said(document)


@pytest.mark.parametrize("files", [{"demo.py": ""}, {"demo/__init__.py": "", "demo/b.py": ""}])
def test_a_name_that_another_distribution_has_too_is_told(site: Site, files: dict[str, str]) -> None:
    site.install({"demo/__init__.py": "", "demo/a.py": ""})
    site.install({**files, "polite.py": ""}, name="polite")
    document = look()
    assert found(document) == [("warning", "shared-name", "demo")]
    assert "`demo` is of demo and of polite, which is installed with it" in said(document)


@pytest.mark.parametrize("files", [{"polite.py": "", "demos.py": ""}, {"tests/__init__.py": "", "polite.py": ""}])
def test_other_names_of_other_distributions_are_theirs(site: Site, files: dict[str, str]) -> None:
    site.install({"demo/__init__.py": "", "tests/__init__.py": ""})
    site.install(files, name="polite")
    assert look()["problems"] == []


def test_namespaces_of_the_old_kinds_share_a_file(site: Site) -> None:
    site.install({"zope/__init__.py": PKG_RESOURCES, "zope/a.py": ""})
    site.install({"zope/__init__.py": PKGUTIL, "zope/b.py": ""}, name="zope.b")
    assert look()["problems"] == []


def test_a_distribution_of_nothing_is_told(site: Site) -> None:
    site.install({})
    document = look()
    assert found(document) == [("error", "empty", "demo")]
    assert "The build left everything out." in said(document)


@pytest.mark.parametrize(("text", "problems"), [("import json\n", []), ("import json, no_such_module\n", ["pth"])])
def test_a_file_for_the_module_site_must_not_fail(site: Site, text: str, problems: list[str]) -> None:
    site.install({"demo.py": "", "demo-hook.pth": text})
    document = look()
    assert [kind for _, kind, _ in found(document)] == problems
    assert not problems or "No module named 'no_such_module'" in said(document)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"demo/_old.py": "print 'hello'\n"}, "`demo/_old.py, line 1`"),
        ({"demo/_a.py": "x = 1\n  y = 2\n", "demo/_b.py": "\n)\n"}, "`demo/_a.py, line 2`, `demo/_b.py, line 2`."),
    ],
)
def test_a_private_module_that_cannot_be_compiled_is_a_warning(site: Site, files: dict[str, str], words: str) -> None:
    site.install({"demo/__init__.py": "", **files})
    document = look()
    assert [(severity, kind) for severity, kind, _ in found(document)] == [("warning", "syntax")]
    assert words in said(document)


@pytest.mark.parametrize("path", ["demo/{{name}}/x.py", "demo/my-template.py", "demo/tests/bad.py", "demo/x.txt"])
def test_what_is_no_module_is_not_compiled(site: Site, path: str) -> None:
    site.install({"demo/__init__.py": "", path: "print 'hello'\n"})
    assert look()["problems"] == []


def test_a_syntax_error_is_told_once(site: Site) -> None:
    site.install({"demo/__init__.py": "import demo.bad\n", "demo/bad.py": "print 'hello'\n"})
    assert found(look()) == [("error", "import", "demo")]


def test_no_more_is_compiled_than_is_quick(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SOURCE", 20)
    site.install({"demo/__init__.py": "", "demo/_a.py": "#" * 21, "demo/_b.py": "print 'hello'\n"})
    assert look()["problems"] == []


# Inside packages.


def inner(site: Site, **modules: str) -> dict[str, Any]:
    """Return the document on a package `demo` with `modules`; an underscore pair in a name stands for a slash."""
    files = {f"demo/{name.replace('__', '/')}.py": text for name, text in modules.items()}
    site.install({"demo/__init__.py": "", **files})
    return look()


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


def test_every_public_module_is_imported_and_counted(site: Site) -> None:
    document = inner(site, a="", _b="1 / 0\n", c="import no_such\n", d="1 / 0\n", tests__e="1 / 0\n")
    assert document["imported"] == ["demo", "demo.a"]
    others = {"want `no_such`": 1, "cannot be imported": 1}
    assert document["tally"] == {"total": 4, "imported": 2, "others": others, "aside": 1}


def test_what_is_inside_a_module_that_fails_is_not_told_again(site: Site) -> None:
    site.install({"demo/__init__.py": "", "demo/s/__init__.py": "1 / 0\n", "demo/s/a.py": "", "demo/s/b.py": ""})
    document = look()
    assert found(document) == [("error", "import", "demo.s")]
    assert document["tally"]["others"] == {"cannot be imported": 3}


def test_failures_of_one_cause_are_told_at_once(site: Site) -> None:
    document = inner(site, **{f"m{number}": "import no_such\n" for number in range(9)})
    assert found(document) == [("warning", "missing-module", "demo.m0")]
    assert "So do `demo.m1`, `demo.m2`" in said(document)


def test_what_fails_beside_others_alone_is_in_order(site: Site) -> None:
    modules = {f"m{number}": "" for number in range(9)}
    document = inner(site, **modules, z="import sys\nassert 'demo.m1' not in sys.modules\n")
    assert document["problems"] == []
    assert document["tally"]["imported"] == 11


def test_a_module_that_ends_the_shared_interpreter_takes_no_other_with_it(site: Site) -> None:
    modules = {f"m{number}": "" for number in range(9)}
    document = inner(site, **{**modules, "m4": "import os\nos._exit(0)\n", "m4x": ""})
    assert found(document) == [("error", "crashes", "demo.m4")]
    assert document["tally"]["imported"] == 10


def test_a_module_that_hangs_in_the_shared_interpreter_takes_no_other_with_it(site: Site) -> None:
    modules = {f"m{number}": "" for number in range(9)}
    put(site, **{**modules, "m4": "import time\ntime.sleep(60)\n"})
    tried = attempts(sorted(modules), 2)
    assert [(one.name, one.error_type) for one in tried if not one.ok] == [("m4", "hang")]


@pytest.mark.parametrize(
    ("text", "severity", "words"),
    [
        ("from . import gone\n", "error", "`demo.gone` is not among the files"),
        ("from collections import Mapping\n", "error", "'Mapping'"),
        ("import formatter\n", "error", "Python's own until 3.9"),
        ("print 'x'\n", "error", "SyntaxError"),
        ("from ..x import y\n", "error", "beyond top-level package"),
        ("import os\nopen(os.path.join(os.path.dirname(__file__), 'x.txt'))\n", "error", "`demo/x.txt` is not among"),
        ("open('/not/there')\n", "warning", "FileNotFoundError"),
        ("import os\nos.environ['NOBODY_SETS_THIS']\n", "warning", "KeyError"),
        ("raise RuntimeError('configure first')\n", "warning", "configure first"),
        ("raise ImportError('pip install x')\n", "warning", "pip install x"),
        ("class E(Exception): pass\nraise E\n", "warning", "E"),
        ("x = locals()['put_there']\n", "warning", "put_there"),
        ("raise SystemExit('usage')\n", "warning", "usage"),
        ("{}['a']\n", "error", "KeyError"),
        ("int('x')\n", "error", "ValueError"),
        ("import no_such\n", "warning", "Nothing of the project reaches it"),
        ("import helper\n", "error", "`helper` is in the checkout (src/helper.py)"),
        ("import yaml\n", "error", "`pyyaml` is declared in requirements.txt, and not in the metadata"),
        ("import distutils_x\n", "warning", "distutils_x"),
    ],
)
def test_the_cause_decides_whether_a_module_inside_may_fail(site: Site, text: str, severity: str, words: str) -> None:
    site.install({"demo/__init__.py": "", "demo/a.py": text})
    known = Project(stdlib=history(), modules={"helper": "src/helper.py"}, elsewhere={"pyyaml": "requirements.txt"})
    (problem,) = check("demo", (), LIMIT, known)["problems"]
    assert problem["severity"] == severity
    assert words in problem["message"]


@pytest.mark.parametrize(
    ("files", "severity"),
    [
        (
            {
                "demo/fast.py": "from . import gone\n",
                "demo/b.py": "try:\n    from . import fast\nexcept ImportError:\n    pass\n",
            },
            "warning",
        ),
        (
            {
                "demo/fast.py": "from . import gone\n",
                "demo/b.py": "import sys\nif sys.flags.debug:\n    from . import fast\n",
            },
            "warning",
        ),
        ({"demo/fast.py": "from . import gone\n", "demo/b.py": "def f():\n    from . import fast\n"}, "error"),
        ({"demo/t/fast.py": "1 / 0\n"}, "warning"),
        ({"demo/compat_py2.py": "print 'x'\n"}, "warning"),
        ({"demo/numpy.py": "import numpy\n", "demo/b.py": "def f():\n    import numpy\n"}, "warning"),
    ],
)
def test_the_code_decides_whether_a_module_inside_may_fail(site: Site, files: dict[str, str], severity: str) -> None:
    site.install({"demo/__init__.py": "", **files})
    assert [one for one, _, _ in found(look())] == [severity]


def test_what_a_script_reaches_has_to_be_required(site: Site) -> None:
    files = {"demo/__init__.py": "", "demo/cli.py": "try:\n    import demo.work\nfinally:\n    main = print\n"}
    points = "[console_scripts]\ndemo = demo.cli:main\n"
    site.install({**files, "demo/work.py": "import no_such\n"}, entry_points=points, scripts=["demo"])
    assert ("error", "missing-module", "demo.work") in found(look())


def test_a_command_that_another_distribution_has_too_is_told(site: Site) -> None:
    site.install({"demo.py": ""}, scripts=["run"])
    site.install({"other.py": ""}, name="other", scripts=["run"])
    assert found(look()) == [("error", "shared-script", "run")]


def test_an_extra_that_a_dependency_does_not_have_is_told(site: Site) -> None:
    site.install({"demo.py": ""}, metadata="Requires-Dist: other[b, C_d]\nRequires-Dist: absent[x]\n")
    site.install({"other.py": ""}, name="other", metadata="Provides-Extra: c-d\n")
    document = look()
    assert found(document) == [("warning", "unknown-extra", "other")]
    assert "an extra that other does not have: b." in said(document)


def test_a_name_that_is_borrowed_from_a_dependency_is_told(site: Site) -> None:
    site.install({}, metadata="Requires-Dist: other\n")
    site.install({"demo.py": ""}, name="other")
    document = look()
    assert found(document) == [("warning", "foreign", "demo")]
    assert "which belongs to other" in said(document)


def test_pkg_resources_that_setuptools_no_longer_has_is_told(site: Site) -> None:
    site.install({"demo.py": "import pkg_resources\n"}, metadata="Requires-Dist: setuptools\n")
    site.install({"setuptools.py": ""}, name="setuptools", version="85.0")
    assert "`pkg_resources` left setuptools in 82, and 85.0 is installed" in said(look())


# Versions.


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


# Why something cannot be imported, and whether that may be so.

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
            '`absent-here` is declared only where `python_version < "3"`, which is not so',
        ),
        (
            "import other_absent\n",
            EXTRA,
            "is of no dependency that was installed: not declared, or declared only in an",
        ),
        ("import other_absent\n", EXTRA, "an extra (cli; `extras` in [tool.seatrial] has those to install); or a part"),
        ("import formatter\n", "", "`formatter` is a module of Python's own until 3.9, and this is Python 3."),
        ("from . import core\n", "", "The module `demo.core` is not among the files of demo: the build left it out"),
        ("from demo.sub import x\n", "", "The module `demo.sub` is not among the files of demo: the build left it out"),
        ("raise ImportError('pip install demo[cli]')\n", EXTRA, "It wants the extra `cli`"),
        ("raise SystemExit('pip install demo[all,cli]')\n", EXTRA, "It wants the extra `cli`"),
        ("from json import nothing\n", "", "cannot import name 'nothing' from 'json'"),
        ("import other\nfrom other import nothing\n", "", "`other` is of Other 7"),
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
        ("raise ImportError('pip install demo[cli]')\n", EXTRA, "It wants the extra `cli`"),
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
    assert "`winreg` is a module of Python's own that Python 3." in said(document)


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
    assert "`demo._c` is among the files of demo, but `demo/_c.cpython-30-other.so` is nothing that Python" in said(
        look()
    )


def test_a_module_that_is_there_and_cannot_be_found_is_no_dependency(site: Site) -> None:
    site.install({"demo.py": "raise ModuleNotFoundError('no', name='other')\n"})
    site.install({"other.py": ""}, name="other")
    assert "`other` is of no dependency that was installed" in said(look())


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


# Entry points.


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
        ("[console_scripts]\ndemo = demo:x\n", "error", "`demo:x` is nothing that can be called."),
        ("[gui_scripts]\ndemo = demo:x\n", "error", "The GUI script `demo` does not work"),
        ("[console_scripts]\ndemo = demo\n", "error", "`demo` is not of the form `module:attribute`."),
        ("[console_scripts]\ndemo = demo main\n", "error", "`demo main` is not of the form"),
        ("[console_scripts]\ndemo = demo : main\n", "error", "`demo : main` is not of the form"),
        ("[console_scripts]\ndemo = demo_absent:main\n", "error", "`demo_absent` is of no dependency"),
        ("[console_scripts]\ndemo = absent:run [fast]\n", "warning", "It is for the extra `fast`; `extras` in"),
        (
            "[console_scripts]\ndemo = demo:run [fast]\n",
            "error",
            "`demo:run [fast]` leads to nothing: module 'demo' has",
        ),
        ("[pytest11]\ndemo = demo:run\n", "error", "The entry point [pytest11] `demo` does not work"),
        ("[pytest11]\ndemo = demo.absent\n", "error", "The module `demo.absent` is not among the files of demo"),
        ("[mkdocs.plugins]\ndemo = mkdocs_absent:Plugin\n", "warning", "`mkdocs_absent` is of no dependency"),
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


def test_an_entry_point_in_a_module_that_is_broken_anyway_is_not_told_twice(site: Site) -> None:
    document = with_points(site, "[console_scripts]\ndemo = demo:main\n", "demo", demo="1 / 0\n")
    assert found(document) == [("error", "import", "demo")]


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


# What else is in the environment.


def test_all_distributions_are_listed_once_with_their_origin(site: Site) -> None:
    direct = {"direct_url.json": '{"url": "file:///x"}'}
    site.install({"other.py": ""}, name="Other.Thing", version="2.0", info=direct)
    site.install({"third.py": ""}, name="third", info={"direct_url.json": "{", "METADATA": "no metadata"})
    site.install({"demo.py": ""})
    by_name = {item["name"]: item for item in look()["installed"]}
    assert by_name["Other.Thing"] == {
        "name": "Other.Thing",
        "version": "2.0",
        "direct_url": {"url": "file:///x"},
        "wheel_tags": ["py3-none-any"],
    }
    assert by_name["demo"]["direct_url"] is None
    assert "third" not in by_name


def test_a_direct_url_that_is_no_json_is_left_out(site: Site) -> None:
    site.install({"demo.py": ""}, info={"direct_url.json": "{"})
    (item,) = (one for one in look()["installed"] if one["name"] == "demo")
    assert item["direct_url"] is None


# The page on all this.


def test_every_finding_is_on_the_page() -> None:
    program = PROBE.parents[2]
    paths = [*program.glob("trial/*.py"), program / "steps" / "check.py"]
    sources = "".join(path.read_text(encoding="utf-8") for path in paths)
    ours = "".join(path.read_text(encoding="utf-8") for path in PROBE.parent.glob("*.py"))
    found = set(re.findall(r'finding\(\s*"([a-z-]+)"', ours))
    found |= {modules._kind(Attempt("x", ok=False, error_type=kind)) for kind in ("SystemExit", "hang", "crash", "E")}
    found |= {modules._kind(Attempt("x", ok=False, missing="y"))}
    codes = {f"install-{kind}" for kind in found}
    codes |= set(re.findall(r'Problem\(\s*"(install-[a-z-]+)"', sources))
    codes |= {
        f"install-{code}" for code in re.findall(r'yield "([a-z-]+)", |, "(?:warning|error)", "', sources) if code
    }
    codes |= {f"install-{code}" for code in re.findall(r'problem\(\s*subject\.label, "([a-z-]+)"', sources)}
    codes |= {f"install-{code}" for code in re.findall(r'\(\w+, "(lost-[a-z]+)"', sources)}
    page = (PROBE.parents[4] / "docs" / "reference" / "installed.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(install-[a-z-]+)`", page)) == codes


# The program.


def test_the_environment_is_told_as_markers_name_it(site: Site) -> None:
    told = command.environment()
    assert told["python_version"] == "{}.{}".format(*sys.version_info)
    assert (told["sys_platform"], told["os_name"]) == (sys.platform, os.name)
    assert told["purelib"] == str(site.purelib)


@pytest.mark.parametrize(
    ("level", "serial", "text"),
    [("final", 0, "3.15.0"), ("alpha", 2, "3.15.0a2"), ("beta", 1, "3.15.0b1"), ("candidate", 3, "3.15.0c3")],
)
def test_the_version_of_an_implementation(level: str, serial: int, text: str) -> None:
    version = types.SimpleNamespace(major=3, minor=15, micro=0, releaselevel=level, serial=serial)
    assert command._implementation_version(version) == text


def test_main_writes_what_each_mode_finds(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install({"demo.py": ""})
    monkeypatch.chdir(tmp_path)

    def answer(*argv: str) -> Any:
        assert command.main([*argv, "--out", "answer.json"]) == 0
        return json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))

    assert answer("environment") == command.environment()
    check = answer("check", "--name", "demo", "--import-name", "demo", "--time-limit", "60")
    assert (check["problems"], check["imported"]) == ([], ["demo"])


def test_the_child_writes_where_it_was_told_to_whatever_a_module_does(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(folder, {"demo_z.py": "import os\nos.chdir('/')\n"})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names").write_text("demo_z\njson:dumps\n", encoding="utf-8")
    assert importer.main(["names", "answers"]) == 0
    lines = (tmp_path / "answers").read_text(encoding="utf-8").splitlines()
    answers = [ast.literal_eval(line) for line in lines]
    assert [(one["name"], one["ok"]) for one in answers] == [("demo_z", True), ("json:dumps", True)]


@pytest.mark.parametrize("argv", [[], ["environment"], ["check", "--out", "x"], ["import", "--out", "x"], ["other"]])
def test_main_refuses_what_it_does_not_know(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(argv)
    assert "usage: command.py" in capsys.readouterr().err


def run_probe(site: Site, out: Path, *argv: str) -> Any:
    """Run the program as a release does, and return its document."""
    command = [str(site.python), "-I", str(PROBE), *argv, "--out", str(out)]
    subprocess.run(command, check=True, cwd=out.parent, stdin=subprocess.DEVNULL, capture_output=True)
    return json.loads(out.read_text(encoding="utf-8"))


PROGRAM = {
    "demo/__init__.py": "import sys\nassert len(sys.argv) == 1\nprint('hello')\n",
    "demo/cli.py": "def main(): pass\n",
    "_private.py": "",
}
POINTS = "[console_scripts]\ndemo = demo.cli:main\nworse = demo.cli:absent\n"


def check_by_program(site: Site, out: Path) -> Any:
    site.install(PROGRAM, entry_points=POINTS, scripts=["demo", "worse"], absent=["demo/lost.txt"])
    return run_probe(site, out, "check", "--name", "demo")


def test_the_program_finds_the_same(site: Site, tmp_path: Path) -> None:
    document = check_by_program(site, tmp_path / "answer.json")
    assert document["imported"] == ["demo", "demo.cli"]
    assert found(document) == [("error", "missing-file", "demo/lost.txt"), ("error", "entry-point", "worse")]
    inside = look()
    assert {key: inside[key] for key in ("imported", "problems", "modules", "distribution")} == {
        key: document[key] for key in ("imported", "problems", "modules", "distribution")
    }


def test_the_program_tells_its_own_environment(made_site: Site, tmp_path: Path) -> None:
    told = run_probe(made_site, tmp_path / "answer.json", "environment")
    assert Path(told["purelib"]) == made_site.purelib


def python38() -> str | None:
    """Return Python 3.8, if one on PATH runs (a shim may have nothing behind it)."""
    for place in os.get_exec_path():
        program = shutil.which("python3.8", path=place)
        if program and subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode == 0:
            return program
    return None


def test_the_program_runs_on_python_3_8(tmp_path: Path) -> None:
    program = python38()
    if program is None:
        pytest.skip("there is no python3.8 on PATH")
    site = Site.create(tmp_path / "old", program)
    document = check_by_program(site, tmp_path / "answer.json")
    assert document["python"].startswith("3.8.")
    assert document["imported"] == ["demo", "demo.cli"]
    assert found(document) == [("error", "missing-file", "demo/lost.txt"), ("error", "entry-point", "worse")]
    assert run_probe(site, tmp_path / "answer.json", "environment")["python_version"] == "3.8"
