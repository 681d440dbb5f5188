"""What is read in wheels: small real ones, good and bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.release.archives import BadArchive
from seatrial.release.stages import Problem
from seatrial.trial import lost, static
from seatrial.trial.checkout import Checkout
from seatrial.trial.probe.source import parsed
from seatrial.trial.resources import reads
from seatrial.trial.wheel import history
from tests.archives import WHEEL, sdist, wheel
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Files = dict[str, str | bytes | None]


def read(
    folder: Path, files: Mapping[str, str], fields: Mapping[str, str] | None = None, filename: str = WHEEL
) -> list[tuple[str, str, str]]:
    """Return code, severity and message of what is read in a wheel with `files`."""
    members: Files = {"demo/__init__.py": "", **files}
    path = wheel(folder, dict(fields or {}), filename=filename, files=members)
    found = static.problems(path, ("3.12", "3.13"), Checkout(folder, ("src/demo/there.txt",)))
    assert all(one.silenceable == (one.severity == "error") and one.file == path.name for one in found)
    return [(one.rule, one.severity, one.message) for one in found]


SIX = "import sys, types\nsys.modules[__name__ + '.moves'] = types.ModuleType('moves')\n"


@pytest.mark.parametrize(
    ("files", "severity"),
    [
        ({"demo/a.py": "def f():\n    from demo.gone import x\n"}, "error"),
        ({"demo/a.py": "def f():\n    from .gone import x\n"}, "error"),
        ({"demo/a.py": "def f():\n    import demo.gone.deep\n"}, "error"),
        ({"demo/a.py": "def f():\n    from . import gone\n"}, "error"),
        ({"demo/a.py": "def f():\n    from demo.__init__ import gone\n"}, "error"),
        ({"demo/__main__.py": "from demo.gone import main\n"}, "error"),
        ({"demo/_a.py": "def f():\n    import demo.gone\n", "demo/b.py": "from demo import _a\n"}, "error"),
        ({"demo/_a.py": "def f():\n    import demo.gone\n"}, "warning"),
        ({"demo/a.py": "import sys\nif sys.platform == 'x':\n    import demo.gone\n"}, "warning"),
    ],
)
def test_a_module_of_its_own_that_is_in_no_file_is_told(tmp_path: Path, files: dict[str, str], severity: str) -> None:
    ((code, found, message),) = read(tmp_path, files)
    assert (code, found) == ("install-missing-module", severity)
    assert message.startswith("`demo.gone")
    assert "(demo/" in message


@pytest.mark.parametrize(
    "files",
    [
        {"demo/a.py": "try:\n    import demo.gone\nexcept ImportError:\n    pass\n"},
        {"demo/a.py": "import typing\nif typing.TYPE_CHECKING:\n    import demo.gone\n"},
        {"demo/a.py": "import demo.c.inner\n", "demo/c.abi3.so": ""},
        {"demo/a.py": "import demo.data\n", "demo/data/x.txt": ""},
        {"demo/a.py": "import demo.six.moves\n", "demo/six.py": SIX},
        {"demo/a.py": "import demo.x.y\n", "demo/x/__init__.py": "__path__.append('z')\n"},
        {"demo/a.py": "import demo.moved\n", "demo/b.py": "import sys\nsys.modules['demo.moved'] = sys\n"},
        {"demo/a.py": "from demo import lazy\n", "demo/__init__.py": "def __getattr__(name): return name\n"},
        {"demo/a.py": "from demo import made\n", "demo/__init__.py": "made = 1\n"},
        {
            "demo/a.py": "from . import __path__, __doc__, __file__, __spec__\nfrom .b import __init__\n",
            "demo/b/__init__.py": "",
        },
        {"demo/a.py": "from demo.__init__ import x\nimport demo.__init__\n", "demo/__init__.py": "x = 1\n"},
        {"demo/a.py": "import other.gone\n"},
        {"demo/a.py": "import space.gone\n", "space/here.py": ""},
        {"demo/tests/test_a.py": "import demo.gone\n"},
    ],
)
def test_a_module_that_is_there_or_need_not_be_is_not_told(tmp_path: Path, files: dict[str, str]) -> None:
    assert read(tmp_path, files) == []


@pytest.mark.parametrize(
    ("text", "requires", "severity", "words"),
    [
        (
            "import tomllib\n",
            ">=3.9",
            "error",
            "since 3.11, and is imported (demo/a.py, line 1). Requires-Python admits 3.9, 3.10,",
        ),
        (
            "import imp\n",
            ">=3.11",
            "error",
            "until 3.11, and is imported (demo/a.py, line 1). Requires-Python admits 3.12, 3.13",
        ),
        ("def f():\n    import imp\n", ">=3.11", "warning", "until 3.11"),
        ("import distutils.core\n", ">=3.8", "error", "`distutils`"),
        ("import formatter\n", "", "error", "admits 3.12, 3.13,"),
    ],
)
def test_a_module_of_pythons_own_that_a_supported_python_lacks_is_told(
    tmp_path: Path, text: str, requires: str, severity: str, words: str
) -> None:
    ((code, found, message),) = read(tmp_path, {"demo/a.py": text}, {"Requires-Python": requires})
    assert (code, found) == ("install-stdlib", severity)
    assert words in message


@pytest.mark.parametrize(
    ("text", "fields", "filename"),
    [
        ("import tomllib\n", {"Requires-Python": ">=3.11"}, WHEEL),
        ("import imp\n", {"Requires-Python": "<3.12"}, WHEEL),
        ("import tomllib\n", {"Requires-Python": ">=3.9"}, "demo-1.0-cp312-cp312-win_amd64.whl"),
        ("import imp\n", {"Requires-Python": ">=3.9"}, "demo-1.0-cp311-cp311-win_amd64.whl"),
        ("try:\n    import tomllib\nexcept ImportError:\n    import tomli\n", {"Requires-Python": ">=3.9"}, WHEEL),
        ("import sys\nif sys.version_info > (3, 11):\n    import tomllib\n", {"Requires-Python": ">=3.9"}, WHEEL),
        ("import zoneinfo\n", {"Requires-Python": ">=3.8", "Requires-Dist": "backports.zoneinfo"}, WHEEL),
        ("import audioop\n", {"Requires-Dist": "audioop-lts; python_version >= '3.13'"}, WHEEL),
        ("import distutils\n", {"Requires-Dist": "setuptools"}, WHEEL),
        ("import setuptools, distutils\n", {}, WHEEL),
        ("import json, os.path\n", {"Requires-Python": ">=3.8"}, WHEEL),
    ],
)
def test_a_module_of_pythons_own_that_is_there_or_supplied_is_not_told(
    tmp_path: Path, text: str, fields: dict[str, str], filename: str
) -> None:
    assert read(tmp_path, {"demo/a.py": text}, fields, filename) == []


def test_a_copy_of_a_module_that_left_python_may_bring_another(tmp_path: Path) -> None:
    fields = {"Requires-Python": ">=3.12", "Requires-Dist": "standard-aifc; python_version >= '3.13'"}
    ((code, severity, message),) = read(tmp_path, {"demo/a.py": "import aifc\nimport audioop\n"}, fields)
    assert (code, severity) == ("install-stdlib", "warning")
    assert message.endswith("admits 3.13, 3.14, where that fails, unless a requirement brings it.")


def test_a_wheel_for_the_stable_abi_is_for_later_pythons_too(tmp_path: Path) -> None:
    (found,) = read(tmp_path, {"demo/a.py": "import imp\n"}, filename="demo-1.0-cp311-abi3-win_amd64.whl")
    assert found[0] == "install-stdlib"


@pytest.mark.parametrize(
    ("path", "severity"), [("demo/a.py", "error"), ("demo/_a.py", "warning"), ("demo/py310.py", "warning")]
)
def test_a_syntax_that_the_lowest_python_lacks_is_told(tmp_path: Path, path: str, severity: str) -> None:
    text = "match 1:\n    case 1:\n        pass\n"
    ((code, found, message),) = read(tmp_path, {path: text}, {"Requires-Python": ">=3.9"})
    assert (code, found) == ("install-syntax", severity)
    assert message.startswith(f"`{path}`, line ")
    assert "Requires-Python admits 3.9" in message
    assert read(tmp_path, {path: text}, {"Requires-Python": ">=3.10"}) == []


def test_a_python_that_is_newer_than_the_one_that_reads_is_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, fields = {"demo/a.py": "what a later Python has\n"}, {"Requires-Python": ">=3.12"}
    monkeypatch.setattr(static, "HERE", (3, 11))
    assert read(tmp_path, files, fields) == []
    monkeypatch.setattr(static, "HERE", (3, 12))
    assert [code for code, _, _ in read(tmp_path, files, fields)] == ["install-syntax"]


HERE = "import os, pathlib\nHERE = pathlib.Path(__file__).resolve().parent\n"
RESOURCES = "from importlib import resources\nimport pkgutil\n"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (HERE + "open(HERE / 'x.txt')\n", "p/x.txt"),
        (HERE + "def f():\n    return (HERE / 'd' / 'x.txt').read_text()\n", "p/d/x.txt"),
        (HERE + "HERE.joinpath('d', 'x.txt').open()\n", "p/d/x.txt"),
        (HERE + "with open(HERE.parent / 'pyproject.toml', 'rb') as f: pass\n", "pyproject.toml"),
        (HERE + "pathlib.Path(__file__).with_name('x.txt').read_bytes()\n", "p/x.txt"),
        (HERE + "(pathlib.Path(__file__).parents[0] / 'x.txt').read_bytes()\n", "p/x.txt"),
        (HERE + "open(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'x.txt'))\n", "x.txt"),
        (
            HERE + "def f():\n    name = os.path.join(HERE, 'x.txt')\n    return open(name, encoding='utf-8')\n",
            "p/x.txt",
        ),
        (RESOURCES + "resources.files('p.q').joinpath('x.txt').read_text()\n", "p/q/x.txt"),
        (RESOURCES + "(resources.files(__package__) / 'x.txt').read_bytes()\n", "p/x.txt"),
        (RESOURCES + "resources.read_text('p', 'x.txt')\n", "p/x.txt"),
        (RESOURCES + "pkgutil.get_data('p', 'd/x.txt')\n", "p/d/x.txt"),
        (RESOURCES + "pkgutil.get_data(__name__, 'x.txt')\n", "p/x.txt"),
        (RESOURCES + "with resources.as_file(resources.files('p') / 'x.txt') as x: pass\n", "p/x.txt"),
        ("import pkg_resources\npkg_resources.resource_string(__name__, 'x.txt')\n", "p/x.txt"),
        (HERE + "X = HERE / 'x.txt'\nprint(X, str(X))\nopen(os.path.abspath(X))\n", "p/x.txt"),
        (HERE + "def f():\n    open(HERE / 'x.txt')\ntry:\n    a.f()\nexcept OSError:\n    pass\n", "p/x.txt"),
        (HERE + "import contextlib\nwith contextlib.suppress(KeyError):\n    open(HERE / 'x.txt')\n", "p/x.txt"),
    ],
)
def test_a_file_that_is_read_beside_the_code_is_seen(text: str, path: str) -> None:
    assert list(reads(parsed(text), "p.a", package=False)[0]) == [path]


@pytest.mark.parametrize(
    "text",
    [
        HERE + "open(HERE / 'x.txt', 'w')\n",
        HERE + "open(HERE / 'x.txt', mode='a')\n",
        HERE + "(HERE / 'x.txt').write_text('')\n(HERE / 'x.txt').read_text()\n",
        HERE + "if (HERE / 'x.txt').exists():\n    (HERE / 'x.txt').read_text()\n",
        HERE + "print((HERE / 'x.txt').is_file())\n(HERE / 'x.txt').read_text()\n",
        HERE + "try:\n    open(HERE / 'x.txt')\nexcept OSError:\n    pass\n",
        HERE + "X = HERE / 'x.txt'\nfetch('https://example.org', X)\nX.read_text()\n",
        HERE + "X = HERE / 'x.txt'\nfetch(to=str(X))\nopen(X)\n",
        HERE + "def f():\n    try:\n        os.stat(HERE / 'x.txt')\n    except OSError:\n        return\n"
        "    open(HERE / 'x.txt')\n",
        HERE + "import contextlib\nwith contextlib.suppress(FileNotFoundError):\n    open(HERE / 'x.txt')\n",
        HERE + "def g():\n    return f()\ndef f():\n    return open(HERE / 'x.txt')\n"
        "try:\n    g()\nexcept FileNotFoundError:\n    pass\n",
        HERE + "class A:\n    def f(self):\n        return open(HERE / 'x.txt')\n    def g(self):\n"
        "        try:\n            self.f()\n        except OSError:\n            pass\n",
        HERE + "def f(name):\n    return (HERE / name).read_text()\n",
        HERE + "def f(name):\n    return (HERE / f'{name}.txt').read_text()\n",
        HERE + "print(HERE / 'x.txt')\n",
        HERE + "open('x.txt')\n",
        HERE + "open(__file__).read()\n",
        HERE + "open(HERE.parent.parent.parent / 'x.txt')\n",
        "a = b\nb = a\nopen(a / 'x.txt')\n",
    ],
)
def test_what_need_not_be_there_or_is_not_known_is_no_such_file(text: str) -> None:
    assert reads(parsed(text), "p.a", package=False)[0] == {}


def test_a_file_that_is_read_and_is_not_in_the_wheel_is_told_with_its_place(tmp_path: Path) -> None:
    text = HERE + "def f():\n    return open(HERE / 'there.txt'), open(HERE / 'x.txt'), open(HERE / 'here.txt')\n"
    found = read(tmp_path, {"demo/a.py": text, "demo/here.txt": ""})
    assert [(code, severity) for code, severity, _ in found] == [
        ("install-missing-data", "error"),
        ("install-missing-data", "warning"),
    ]
    assert "`demo/there.txt` is read (demo/a.py, line 4)" in found[0][2]
    assert found[0][2].endswith("In the checkout it is src/demo/there.txt.")
    assert found[1][2].endswith("Nor is it in the checkout, so the program may make it.")


def test_a_file_that_the_sdist_has_is_told(tmp_path: Path) -> None:
    text = HERE + "def f():\n    return open(HERE / 'x.txt')\n"
    path = wheel(tmp_path, files={"demo/__init__.py": "", "demo/a.py": text})
    (found,) = static.problems(path, ("3.12",), Checkout(tmp_path, ()), ("src/demo/x.txt",))
    assert found.severity == "error"
    assert found.message.endswith("The sdist has src/demo/x.txt.")


def test_a_file_that_the_wheel_spells_otherwise_is_told(tmp_path: Path) -> None:
    text = HERE + "def f():\n    return open(HERE / 'Config.json')\n"
    ((code, severity, message),) = read(tmp_path, {"demo/a.py": text, "demo/config.json": ""})
    assert (code, severity) == ("install-missing-data", "error")
    assert message.endswith("It has demo/config.json, which only some systems take for the same.")


def test_a_file_that_another_module_writes_is_not_told(tmp_path: Path) -> None:
    reader = HERE + "def f():\n    return open(HERE / 'x.txt')\n"
    assert read(tmp_path, {"demo/a.py": reader, "demo/b.py": HERE + "(HERE / 'x.txt').write_text('')\n"}) == []


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"demo/Core.txt": "", "demo/core.txt": ""}, "file-name"),
        ({"demo/con.py": ""}, "file-name"),
        ({"demo/a:b.txt": ""}, "file-name"),
        ({"demo-1.0.data/scripts/run": "#!/bin/sh\r\n"}, "script-newlines"),
    ],
)
def test_names_and_scripts_that_do_not_work_everywhere_are_told(
    tmp_path: Path, files: dict[str, str], code: str
) -> None:
    ((found, severity, _),) = read(tmp_path, files)
    assert (found, severity) == (f"install-{code}", "error")


def test_scripts_that_an_installer_rewrites_are_not_told(tmp_path: Path) -> None:
    assert read(tmp_path, {"demo-1.0.data/scripts/run": "#!python\r\nimport demo\r\n", "demo/console.py": ""}) == []


def test_an_extra_of_its_own_that_is_not_there_is_told(tmp_path: Path) -> None:
    fields = {"Provides-Extra": "all", "Requires-Dist": 'Demo[tests]; extra == "all"'}
    ((code, severity, message),) = read(tmp_path, {}, fields)
    assert (code, severity) == ("install-unknown-extra", "warning")
    assert message.endswith("an extra that this project does not have: tests.")


def test_what_the_trial_has_told_is_not_told_again() -> None:
    found = [
        Problem("install-stdlib", "error", "f", "`imp` is ..."),
        Problem("install-stdlib", "error", "f", "`cgi` is"),
    ]
    told = [Problem("install-missing-module", "error", "f", "`demo` cannot be imported: `imp` is a module ...")]
    assert static.untold(found, told) == found[1:]
    warned = [Problem("install-missing-module", "warning", "f", "`imp`")]
    assert static.untold(found, warned) == found
    assert static.untold(found, told, ["cgi.escape"]) == []


def test_a_file_that_is_no_wheel_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / WHEEL
    path.write_bytes(b"no zip")
    with pytest.raises(BadArchive):
        static.problems(path, ())


def test_the_history_of_the_standard_library() -> None:
    assert history()["tomllib"] == ("3.11", None)
    assert history()["imp"] == (None, "3.11")
    assert not {"json", "test", "os", "_winapi"} & history().keys()


# What got lost on the way.


def losses(
    folder: Path, files: Mapping[str, str], tracked: tuple[str, ...], packed: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    members: Files = {"demo/__init__.py": "", **files}
    paths = [wheel(folder, files=members)]
    if packed:
        paths.append(sdist(folder, files={f"demo-1.0/{name}": "" for name in packed}))
    found = lost.problems(paths, Checkout(folder, tracked))
    return [(f"{one.severity} {one.rule.removeprefix('install-')}", one.message) for one in found]


BASE = ("src/demo/__init__.py",)


@pytest.mark.parametrize(
    ("tracked", "expected"),
    [
        ((*BASE, "src/demo/io/__init__.py"), "error lost-module"),
        ((*BASE, "src/demo/cli.py"), "error lost-module"),
        ((*BASE, "src/demo/_cli.py"), "warning lost-module"),
        ((*BASE, "src/demo/templates/page.html"), "warning lost-data"),
        ((*BASE, "src/demo/py.typed"), "warning lost-data"),
        ((*BASE, "src/demo/skeleton/app.py"), "warning lost-data"),
        (("demo/__init__.py", "demo/cli.py"), "error lost-module"),
    ],
)
def test_what_git_tracks_in_a_package_and_the_wheel_lacks_is_told(
    tmp_path: Path, tracked: tuple[str, ...], expected: str
) -> None:
    ((kind, message),) = losses(tmp_path, {}, tracked)
    assert kind == expected
    assert message.startswith("The project has")
    assert message.endswith(f"\n  {tracked[-1]}")


@pytest.mark.parametrize(
    "name",
    [
        "src/demo/tests/test_a.py",
        "src/demo/test_a.py",
        "src/demo/conftest.py",
        "src/demo/_c.pyx",
        "src/demo/README.md",
        "src/demo/.gitignore",
        "src/demo/fast.py",
        "src/other/__init__.py",
        "demo/cli.py",
        "docs/demo/x.py",
    ],
)
def test_what_belongs_elsewhere_or_is_compiled_is_not_told(tmp_path: Path, name: str) -> None:
    assert (
        losses(tmp_path, {"demo/fast.cpython-313-darwin.so": "", "demo/a.py": ""}, (*BASE, "src/demo/a.py", name)) == []
    )


def test_what_the_sdist_holds_and_the_wheel_lacks_is_told(tmp_path: Path) -> None:
    packed = ("src/demo/__init__.py", "src/demo/_version.py", "src/demo/made.py", "src/demo/x.json")
    kinds = losses(tmp_path, {"demo/_version.py": ""}, BASE, packed)
    assert [kind for kind, _ in kinds] == ["error lost-module", "warning lost-data"]
    assert kinds[0][1] == "The sdist has modules in its packages that this wheel lacks:\n  src/demo/made.py"


def test_what_the_configuration_drops_is_told_with_its_line(tmp_path: Path) -> None:
    write_tree(tmp_path, {"pyproject.toml": '[tool.hatch.build.targets.wheel]\nexclude = ["*.html"]\n'})
    ((_, message),) = losses(tmp_path, {}, (*BASE, "src/demo/page.html"))
    assert "this wheel lacks (dropped by `*.html` in [tool.hatch.build.targets.wheel] exclude):" in message


@pytest.mark.parametrize(
    ("exclude", "text", "expected"),
    [
        ("cli.py", "", "warning"),
        ("/src/demo/cli.py", "", "warning"),
        ("src/demo/cli.py", "def f():\n    from . import cli\n", "error"),
        ("c*.py", "", "error"),
        ("other.py", "", "error"),
    ],
)
def test_a_module_that_a_wheel_excludes_by_name_and_nothing_imports_is_meant(
    tmp_path: Path, exclude: str, text: str, expected: str
) -> None:
    write_tree(tmp_path, {"pyproject.toml": f'[tool.hatch.build.targets.wheel]\nexclude = ["{exclude}"]\n'})
    ((kind, _),) = losses(tmp_path, {"demo/a.py": text}, (*BASE, "src/demo/a.py", "src/demo/cli.py"))
    assert kind == f"{expected} lost-module"


# What the checkout has.


def test_modules_and_data_of_a_checkout(tmp_path: Path) -> None:
    files = ("helpers.py", "setup.py", "src/demo/__init__.py", "src/demo/x.txt", "tests/helpers.py", "docs/x.md")
    checkout = Checkout(tmp_path, files)
    assert {"helpers": "helpers.py", "tests": "tests/helpers.py", "demo": "src/demo/__init__.py"}.items() <= (
        checkout.modules().items()
    )
    assert "setup" not in checkout.modules()
    assert checkout.data()["demo/x.txt"] == "src/demo/x.txt"


def test_a_checkout_without_git_is_walked_but_for_what_tools_put_there(tmp_path: Path) -> None:
    write_tree(tmp_path, dict.fromkeys(("a.py", "b/c.py", ".nox/d.py", "build/e.py", "env/pyvenv.cfg", "env/f.py"), ""))
    assert Checkout.of(tmp_path).files == ("a.py", "b/c.py")
    assert Checkout.of(tmp_path, ("x.py",)).files == ("x.py",)
    assert Checkout.of(tmp_path / "absent").files == ()


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("requirements.txt", "# for users\n-r x.txt\nPyYAML>=5  # yes\n--hash=x\n", "requirements.txt"),
        ("requirements/base.txt", "pyyaml\n", "requirements/base.txt"),
        ("pyproject.toml", "[tool.poetry.dependencies]\npython = '*'\nPyYAML = '*'\n", "[tool.poetry.dependencies]"),
        ("pyproject.toml", "[tool.pixi.pypi-dependencies]\npyyaml = '*'\n", "[tool.pixi.pypi-dependencies]"),
        ("Pipfile", "[packages]\npyyaml = '*'\n", "[packages] of Pipfile"),
        ("setup.cfg", "[options]\ninstall_requires =\n    pyyaml>=5\n", "setup.cfg"),
    ],
)
def test_a_requirement_that_is_declared_elsewhere(tmp_path: Path, name: str, text: str, place: str) -> None:
    write_tree(tmp_path, {name: text})
    assert Checkout.of(tmp_path).elsewhere() == {"pyyaml": place}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements-dev.txt", "pyyaml\n"),
        ("requirements/test.txt", "pyyaml\n"),
        ("pyproject.toml", "[tool.poetry.group.dev.dependencies]\npyyaml = '*'\n"),
        ("pyproject.toml", "no toml"),
        ("pyproject.toml", "[tool]\npoetry = 3\n"),
        ("setup.cfg", "no section\n"),
    ],
)
def test_what_is_for_those_who_work_on_a_project_is_not_declared_for_users(
    tmp_path: Path, name: str, text: str
) -> None:
    write_tree(tmp_path, {name: text})
    assert Checkout.of(tmp_path).elsewhere() == {}


def test_a_file_of_requirements_that_lists_tools_is_for_those_who_work_on_the_project(tmp_path: Path) -> None:
    write_tree(tmp_path, {"requirements.txt": "ipython\nPyTest-Cov>=2\n", "requirements/base.txt": "pyyaml\n"})
    assert Checkout.of(tmp_path).elsewhere() == {"pyyaml": "requirements/base.txt"}
