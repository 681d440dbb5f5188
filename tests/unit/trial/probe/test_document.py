from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.trial.probe import modules
from seatrial.trial.probe.document import check
from seatrial.trial.probe.imports import Attempt, attempts
from seatrial.trial.probe.subject import Project
from seatrial.trial.wheel import history
from tests.samples.probed import LIMIT, PROBE, SHORT, found, look, put, said

if TYPE_CHECKING:
    from tests.environments import Site

# A whole distribution.


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


@pytest.mark.parametrize("name", ["nope", "demo.nope"])
def test_a_name_that_only_the_setting_has_is_blamed_on_the_setting(site: Site, name: str) -> None:
    site.install({"demo/__init__.py": ""})
    document = look(name)
    assert found(document) == [("error", "missing-module", name)]
    assert "`import-names` in [tool.seatrial] names it, and demo has no such module: correct the setting" in said(
        document
    )
    assert "depend" not in said(document)


def test_a_module_of_the_setting_that_lacks_another_one_is_no_fault_of_the_setting(site: Site) -> None:
    site.install({"demo/__init__.py": "import absent_one\n"})
    assert "names it" not in said(look("demo"))


def test_what_others_put_into_its_packages_or_in_place_of_pythons_own_is_named(site: Site) -> None:
    site.install({"demo/__init__.py": "", "demo/a.py": ""})
    site.install({"demo/inner/b.py": "", "imp.py": "", "other.py": ""}, name="other")
    assert look()["supplied"] == ["demo.inner.b", "imp"]


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
        ("import missing_one\n", "missing-module", "No installed dependency has the module `missing_one`"),
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


# Inside packages.


def inner(site: Site, **modules: str) -> dict[str, Any]:
    """Return the document on a package `demo` with `modules`; an underscore pair in a name stands for a slash."""
    files = {f"demo/{name.replace('__', '/')}.py": text for name, text in modules.items()}
    site.install({"demo/__init__.py": "", **files})
    return look()


def test_every_public_module_is_imported_and_counted(site: Site) -> None:
    document = inner(site, a="", _b="1 / 0\n", c="import no_such\n", d="1 / 0\n", tests__e="1 / 0\n")
    assert document["imported"] == ["demo", "demo.a"]
    others = {"need `no_such`": 1, "cannot be imported": 1}
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
        ("import formatter\n", "error", "in the standard library only until 3.9"),
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
        ("import no_such\n", "warning", "No main module and no script imports it"),
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


def test_what_a_script_imports_in_a_function_is_not_said_to_be_imported_by_nothing(site: Site) -> None:
    files = {"demo/__init__.py": "", "demo/cli.py": "def main():\n    import demo.work\n"}
    points = "[console_scripts]\ndemo = demo.cli:main\n"
    site.install({**files, "demo/work.py": "import no_such\n"}, entry_points=points, scripts=["demo"])
    document = look()
    assert found(document) == [("warning", "missing-module", "demo.work")]
    assert said(document).endswith("No main module and no script imports it for certain, so this counts as intended.")


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
    paths = [*program.glob("trial/*.py"), program / "steps" / "work" / "check.py"]
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
