"""Distributions that are broken once installed; each says what its messages must have."""

from __future__ import annotations

from tests.collection import CLI, EXTRA, PLATFORM_TAG, RUNNING, RUNNING_IN_FULL, SCRIPT, Case, backend

BROKEN = (
    # The build left something out.
    Case("a module is not in the wheel", {"demo/__init__.py": "from . import core\n"}, ("`demo.core`", "left it out")),
    Case("a package is not in the wheel", {"demo/__init__.py": "import demo.sub.x\n"}, ("`demo.sub`", "left it out")),
    Case(
        "a module is not in the sdist",
        {"demo/__init__.py": "from .core import x\n", "demo/core.py": "x = 1\n"},
        ("demo-1.0.tar.gz", "`demo.core`", "left it out"),
        sources={"src/demo/__init__.py": "from .core import x\n"},
    ),
    Case(
        "a data file is not in the wheel",
        {"demo.py": "import pathlib\nx = pathlib.Path(__file__).with_name('demo.json').read_text()\n"},
        ("FileNotFoundError", "demo.json"),
    ),
    Case("nothing is in the wheel", {}, ("installs nothing", "left everything out")),
    Case(
        "nothing but tests is left",
        {"tests/__init__.py": "import demo\n"},
        ("`demo`", "No installed dependency"),
    ),
    Case(
        "the package of its name is not in the wheel",
        {"tests/__init__.py": "", "other_demo.py": ""},
        ("lacks: src/demo/__init__.py src/demo/core.py",),
        checkout={"src/demo/__init__.py": "", "src/demo/core.py": "", "tests/__init__.py": "", "other_demo.py": ""},
    ),
    Case(
        "the module of its name is not in the wheel",
        {},
        ("lacks: demo.py",),
        metadata="Requires-Dist: other\n",
        checkout={"demo.py": "import other\n"},
    ),
    # What the wheel says of itself.
    Case(
        "an egg-info that an earlier build left",
        {"demo.py": "", "demo.egg-info/PKG-INFO": "Metadata-Version: 2.1\nName: demo\nVersion: 0.9\n"},
        ("it installs demo.egg-info",),
        rule="wheel-egg-info",
    ),
    Case(
        "an extension for another Python than the tag's",
        {"demo/__init__.py": "", "demo/_c.cpython-30-x86_64-linux-gnu.so": b""},
        ("no such Python loads demo/_c.cpython-30",),
        tag=PLATFORM_TAG,
        rule="wheel-extension-tag",
    ),
    Case(
        "a licence file that is named and not there",
        {"demo.py": ""},
        ("LICENSES/MIT.txt",),
        metadata="License-File: LICENSES/MIT.txt\n",
        rule="wheel-license-file",
    ),
    # Requirements.
    Case("a requirement is not declared", {"demo.py": "import other\n"}, ("`other`", "not declared")),
    Case(
        "a requirement is declared in an extra only",
        {"demo.py": "import clicker\n"},
        ("`clicker` is declared only in the extra `cli`",),
        metadata=EXTRA,
    ),
    Case(
        "a requirement is declared for other Pythons only",
        {"demo.py": "import other\n"},
        ('`other` is declared only where `python_version < "3"`',),
        metadata='Requires-Dist: other; python_version < "3"\n',
    ),
    Case("a pin cannot be met", {"demo.py": ""}, ("other==3",), metadata="Requires-Dist: other==3\n"),
    Case(
        "a requirement does not exist", {"demo.py": ""}, ("no-such-thing",), metadata="Requires-Dist: no-such-thing\n"
    ),
    Case(
        "requirements exclude each other",
        {"demo.py": ""},
        ("needy", "other"),
        metadata="Requires-Dist: needy\nRequires-Dist: other>=2\n",
    ),
    Case("a requirement wants a newer Python", {"demo.py": ""}, ("modern", "3.99"), metadata="Requires-Dist: modern\n"),
    Case(
        "a bound is too loose",
        {"demo.py": "from other import old\n"},
        ("cannot import name 'old'", "`other` belongs to other 2.0"),
        metadata="Requires-Dist: other\n",
    ),
    Case("no Python is supported", {"demo.py": ""}, ("3.99",), requires_python=">=3.99"),
    Case(
        "an extra of the settings is unknown",
        {"demo.py": ""},
        ("no extra `clu`",),
        EXTRA,
        settings={"extras": ("clu",)},
    ),
    # Where modules come from.
    Case(
        "a dependency supplies the module",
        {"demo_data/x.txt": ""},
        ("`other` is imported, but not from demo", "belongs to other"),
        metadata="Requires-Dist: other\nImport-Name: other\n",
    ),
    Case(
        "a namespace is clobbered",
        {"space/demo.py": ""},
        ("`space.demo` is among the files of demo, but hidden", "belongs to rude"),
        metadata="Requires-Dist: rude\n",
    ),
    Case(
        "it clobbers a namespace",
        {"space.py": "import space.other\n"},
        ("`space.other` is among the files of space-other, but hidden", "belongs to demo"),
        metadata="Requires-Dist: space-other\n",
    ),
    Case(
        "a dependency overwrites a module",
        {"demo/__init__.py": "from . import core\n", "demo/core.py": "ours = 1\n"},
        ("`demo/core.py` is not what RECORD of demo says", "ruder has a file of that name"),
        metadata="Requires-Dist: ruder\n",
    ),
    Case("Python's own module comes first", {"json/__init__.py": ""}, ("`json`", "Python's standard library")),
    Case(
        "an import name is declared and absent", {"a.py": ""}, ("`demo`", "cannot be"), metadata="Import-Name: demo\n"
    ),
    # It works in a checkout only.
    Case(
        "it reads pyproject.toml",
        {"demo.py": "import pathlib\nx = (pathlib.Path(__file__).parent / 'pyproject.toml').read_text()\n"},
        ("FileNotFoundError", "pyproject.toml"),
    ),
    Case(
        "it asks git for its version",
        {"demo.py": "import subprocess\nsubprocess.run(['git', 'describe', '--tags'], check=True)\n"},
        ("'git', 'describe'", "demo.py, line 2"),
    ),
    Case(
        "it asks for the metadata of another name",
        {"demo.py": "import importlib.metadata as metadata\n__version__ = metadata.version('demo-app')\n"},
        ("metadata of `demo-app`", "this one is called `demo`"),
    ),
    # Inside packages: every public module is imported.
    Case(
        "a module imports what lies beside the package",
        {"demo/__init__.py": "", "demo/horizon.py": "from helpers import Y\n"},
        ("`demo.horizon`", "`helpers` is in the checkout (helpers.py)"),
        checkout={"helpers.py": "Y = 1\n"},
    ),
    Case(
        "a module imports a helper of the tests",
        {"demo/__init__.py": "", "demo/util.py": "from tests.helpers import x\n"},
        ("`demo.util`", "is in the checkout (tests/helpers.py)"),
        checkout={"tests/helpers.py": "x = 1\n"},
    ),
    Case(
        "a module imports its neighbour as Python 2 did",
        {"demo/__init__.py": "", "demo/a.py": "import b\n", "demo/b.py": ""},
        ("`demo.a`", "`b` is beside it: `from . import b`"),
    ),
    Case(
        "a relative import leaves the package",
        {"demo/__init__.py": "", "demo/a.py": "from ..other import x\n"},
        ("`demo.a`", "beyond top-level package"),
    ),
    Case("a syntax of old, inside", {"demo/__init__.py": "", "demo/old.py": "print 'x'\n"}, ("demo/old.py, line 1",)),
    Case(
        "Latin-1, inside",
        {"demo/__init__.py": "", "demo/a.py": "x = 'ä'\n".encode("latin-1")},
        ("`demo.a`", "utf-8"),
    ),
    Case(
        "a module that Python dropped, inside",
        {"demo/__init__.py": "", "demo/a.py": "import formatter\n"},
        ("`demo.a`", "in the standard library only until 3.9"),
    ),
    Case(
        "a name that Python dropped, inside",
        {"demo/__init__.py": "", "demo/a.py": "from collections import Mapping\n"},
        ("`demo.a`", "'Mapping'"),
    ),
    Case(
        "an attribute that Python dropped",
        {"demo/__init__.py": "", "demo/a.py": "import time\nstart = time.clock()\n"},
        ("`demo.a`", "`clock` is not in `time`"),
    ),
    Case("a mistake, inside", {"demo/__init__.py": "", "demo/a.py": "x = undefined\n"}, ("`demo.a`", "NameError")),
    Case(
        "modules import each other, inside",
        {"demo/__init__.py": "", "demo/a.py": "from .b import y\ny = 1\n", "demo/b.py": "from .a import y\n"},
        ("`demo.a.y`", "circle"),
    ),
    Case(
        "a bound is too loose, inside",
        {"demo/__init__.py": "", "demo/a.py": "from other import old\n"},
        ("`demo.a`", "`other` belongs to other 2.0"),
        metadata="Requires-Dist: other\n",
    ),
    Case(
        "a module ends the interpreter, inside",
        {"demo/__init__.py": "", **{f"demo/m{n}.py": "" for n in range(9)}, "demo/a.py": "import os\nos._exit(9)\n"},
        ("`demo.a`", "exit code 9"),
    ),
    Case(
        "it asks for the metadata of another name, inside",
        {"demo/__init__.py": "", "demo/a.py": "import importlib.metadata as m\nv = m.version('demo-app')\n"},
        ("`demo.a`", "metadata of `demo-app`"),
    ),
    Case(
        "an extension for another Python, inside",
        {"demo/__init__.py": "", "demo/c.cpython-30-other.so": b""},
        ("`demo.c`", "cannot read"),
        rule="wheel-extension-pure",
    ),
    Case(
        "a script reaches what is not declared",
        {
            "demo/__init__.py": "",
            "demo/cli.py": "def main():\n    pass\nimport demo.work\n",
            "demo/work.py": "import clicker\n",
        },
        ("`demo.work`", "`clicker`", "not declared"),
        points=SCRIPT.format("demo.cli:main"),
    ),
    Case(
        "a requirement is declared in requirements.txt",
        {"demo/__init__.py": "", "demo/a.py": "import clicker\n"},
        ("`clicker` is declared in requirements.txt, and not in the metadata",),
        checkout={"requirements.txt": "# what it needs\nclicker>=1\n"},
    ),
    Case(
        "a requirement is declared in a table of Poetry's",
        {"demo/__init__.py": "", "demo/a.py": "import clicker\n"},
        ("`clicker` is declared in [tool.poetry.dependencies]",),
        checkout={"pyproject.toml": "[tool.poetry.dependencies]\npython = '^3.10'\nclicker = '*'\n"},
    ),
    Case(
        "pkg_resources has left setuptools",
        {"demo.py": "import pkg_resources\n"},
        ("`pkg_resources` left setuptools in 82", "85.0 is installed"),
        metadata="Requires-Dist: setuptools\n",
    ),
    # What no interpreter here shows.
    Case(
        "a module that is imported in a function is not in the wheel",
        {"demo/__init__.py": "", "demo/cli.py": "def run():\n    from demo.io import load\n"},
        ("`demo.io` is imported (demo/cli.py, line 2)", "not among the files of this wheel"),
    ),
    Case(
        "a subpackage got lost on the way",
        {"demo/__init__.py": "", "demo/cli.py": ""},
        ("The project has modules", "src/demo/io/__init__.py"),
        checkout={"src/demo/__init__.py": "", "src/demo/cli.py": "", "src/demo/io/__init__.py": ""},
    ),
    Case(
        "a module got lost between sdist and wheel",
        {"demo/__init__.py": ""},
        ("The sdist has modules", "src/demo/extra.py"),
        sources={"src/demo/__init__.py": "", "src/demo/extra.py": ""},
    ),
    Case(
        "a data file is read in a function",
        {
            "demo/__init__.py": "",
            "demo/a.py": "import os\ndef f():\n    return open(os.path.join(os.path.dirname(__file__), 'x.json'))\n",
        },
        ("`demo/x.json` is read (demo/a.py, line 3)", "In the checkout it is src/demo/x.json"),
        checkout={"src/demo/__init__.py": "", "src/demo/x.json": "{}\n"},
    ),
    Case(
        "a resource is read in a function",
        {
            "demo/__init__.py": "",
            "demo/a.py": "from importlib import resources\n"
            "def f():\n    return (resources.files('demo') / 't.html').read_text()\n",
        },
        ("`demo/t.html` is read",),
        checkout={"src/demo/__init__.py": "", "src/demo/t.html": ""},
    ),
    Case(
        "a resource is read by pkgutil",
        {"demo/__init__.py": "import pkgutil\ndef f():\n    return pkgutil.get_data(__name__, 'data/x.bin')\n"},
        ("`demo/data/x.bin` is read",),
        checkout={"src/demo/__init__.py": "", "src/demo/data/x.bin": ""},
    ),
    Case(
        "a data file is read while a module is imported",
        {
            "demo/__init__.py": "",
            "demo/a.py": "import pathlib\nx = pathlib.Path(__file__).with_name('x.json').read_text()\n",
        },
        ("`demo/x.json` is not among the files of demo",),
    ),
    Case(
        "a syntax that the lowest Python lacks",
        {"demo/__init__.py": "", "demo/a.py": "match 1:\n    case 1:\n        pass\n"},
        ("`demo/a.py`, line ", "Requires-Python admits 3.8"),
        requires_python=">=3.8",
    ),
    Case(
        "a module that the lowest Python lacks",
        {"demo/__init__.py": "", "demo/a.py": "import tomllib\n"},
        ("`tomllib` is in the standard library only since 3.11", "demo/a.py, line 1"),
        requires_python=">=3.8",
    ),
    Case(
        "a module that the highest Python lacks",
        {"demo/__init__.py": "", "demo/a.py": "import telnetlib\n"},
        ("`telnetlib` is in the standard library only until 3.12",),
    ),
    Case(
        "Requires-Python leaves out this patch release",
        {"demo.py": ""},
        (RUNNING_IN_FULL,),
        requires_python=f">={RUNNING},!={RUNNING_IN_FULL}",
    ),
    Case(
        "names that differ in capitals only",
        {"demo/__init__.py": "", "demo/Core.txt": "", "demo/core.txt": ""},
        ("differ in capitals only",),
    ),
    Case("a name that Windows cannot have", {"demo/__init__.py": "", "demo/aux.txt": ""}, ("Windows cannot have",)),
    Case(
        "a shell script with the line ends of Windows",
        {"demo.py": "", "demo-1.0.data/scripts/run.sh": "#!/bin/sh\r\nexit 0\r\n"},
        ("`run.sh` has the line ends of Windows",),
    ),
    Case(
        "a command that a dependency has too",
        {"demo.py": "def main(): pass\n"},
        ("`demo", "is a command of both demo and commander"),
        points=SCRIPT.format("demo:main"),
        metadata="Requires-Dist: commander\n",
    ),
    # Entry points.
    Case("a script that pip refuses", CLI, ("demo.cli : main",), points=SCRIPT.format("demo.cli : main")),
    Case(
        "a script leads to no function", CLI, ("`demo.cli:run` leads to nothing",), points=SCRIPT.format("demo.cli:run")
    ),
    Case("a script leads to no module", CLI, ("`demo.clu`", "left it out"), points=SCRIPT.format("demo.clu:main")),
    Case("a script cannot be called", CLI, ("not callable",), points=SCRIPT.format("demo.cli:number")),
    Case(
        "a plugin leads to nothing",
        CLI,
        ("[pytest11]", "leads to nothing"),
        points="[pytest11]\ndemo = demo.cli:plug\n",
    ),
    Case(
        "a plugin of a required host needs what is not declared",
        {"demo/__init__.py": "", "demo/_plugin.py": "import no_such\n"},
        ("[clicker.commands]", "No module named 'no_such'", "not declared"),
        points="[clicker.commands]\ndemo = demo._plugin\n",
        metadata="Requires-Dist: clicker\n",
    ),
    Case(
        "a script needs what is not declared",
        {"demo/__init__.py": "", "demo/cli.py": "import clicker\ndef main(): pass\n"},
        ("console script `demo`", "`clicker`", "not declared"),
        points=SCRIPT.format("demo.cli:main"),
    ),
    # The code.
    Case("a syntax of old", {"demo.py": "print 'hello'\n"}, ("SyntaxError", "demo.py, line 1")),
    Case("Latin-1", {"demo.py": "x = 'ä'\n".encode("latin-1")}, ("SyntaxError", "utf-8")),
    Case("a module that Python dropped", {"demo.py": "import formatter\n"}, ("library only until 3.9",)),
    Case(
        "a name that Python dropped", {"demo.py": "from collections import Mapping\n"}, ("'Mapping'", "demo.py, line 1")
    ),
    Case(
        "modules import each other",
        {"demo/__init__.py": "from .a import x\n", "demo/a.py": "from . import y\n"},
        ("`demo.y`", "circle"),
    ),
    Case("it exits", {"demo.py": "import sys\nsys.exit('no config')\n"}, ("calls sys.exit('no config')",)),
    Case("it ends the interpreter", {"demo.py": "import os\nos._exit(9)\n"}, ("exit code 9", "os._exit")),
    Case(
        "an extension for another Python",
        {"demo/__init__.py": "from . import _c\n", "demo/_c.cpython-30-other.so": b""},
        ("cannot read `demo/_c.cpython-30-other.so`",),
        rule="wheel-extension-pure",
    ),
    Case("a .pth file fails", {"demo.py": "", "demo.pth": "import demo.hook\n"}, ("`demo.pth`", "fails", "demo.hook")),
    Case(
        "a smoke command fails",
        {"demo.py": "def f():\n    return open('demo.json')\n"},
        ("The smoke command", "demo.json"),
        settings={"smoke": ("python -c 'import demo; demo.f()'",)},
    ),
    # The sdist cannot be built by others.
    Case(
        "the build reads a file that is not in the sdist",
        {"demo.py": ""},
        ("demo-1.0.tar.gz", "could not be installed", "CHANGES.md"),
        sources={"src/demo.py": "", "backend.py": backend("(here / 'CHANGES.md').read_text()\n")},
    ),
    Case(
        "the build needs what is not declared",
        {"demo.py": ""},
        ("demo-1.0.tar.gz", "could not be installed", "no_such_builder"),
        sources={"src/demo.py": "", "backend.py": backend("import no_such_builder\n")},
    ),
    Case(
        "the build needs git's history",
        {"demo.py": ""},
        ("demo-1.0.tar.gz", "could not be installed", "git"),
        sources={"src/demo.py": "", "backend.py": backend("(here / '.git' / 'HEAD').read_text()\n")},
    ),
    Case(
        "the sdist builds another version",
        {"demo.py": ""},
        ("demo-1.0.tar.gz", "0.0.0"),
        sources={"src/demo.py": "", "backend.py": backend(version="0.0.0")},
    ),
)
