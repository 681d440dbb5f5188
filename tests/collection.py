"""Distributions that build and pass `twine check --strict`: some are broken once installed, some unusual and sound.

Each is a value of files and metadata that is written into a real wheel or sdist without a build backend, which might
not let its defect through. What they depend on is here too, so that nothing is downloaded.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from packaging.tags import sys_tags

from tests.archives import gzipped, sdist_members, tarred, wheel_members, written, zip_info, zipped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from zipfile import ZipInfo

    Files = Mapping[str, str | bytes]

CORE = """\
Metadata-Version: {standard}
Name: {name}
Version: {version}
Summary: One of a collection
Author-email: Ada Example <ada@example.org>
License-Expression: MIT
License-File: LICENSE
Project-URL: Source, https://example.org/{name}
Requires-Python: {requires_python}
{more}Description-Content-Type: text/markdown

# {name}

One of a collection.
"""
ELSEWHERE = "darwin" if sys.platform == "win32" else "win32"
RUNNING = "{}.{}".format(*sys.version_info)
RUNNING_IN_FULL = platform.python_version()
# What PyPI takes and this machine installs, of a wheel with an extension module.
PLATFORM_TAG = next(
    str(tag) for tag in sys_tags() if tag.abi == "abi3" and not tag.platform.startswith(("linux", "any"))
)

# The build backend of the sdists: it lies in them (PEP 517, "In-tree build backends") and packs the folder src/.
PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """\
import os
import pathlib
import zipfile

here = pathlib.Path(__file__).parent
{extra}

def build_wheel(folder, config_settings=None, metadata_directory=None):
    info = "{module}-{version}.dist-info"
    files = {{path.relative_to(here / "src").as_posix(): path.read_bytes() for path in (here / "src").rglob("*.*")}}
    files[info + "/METADATA"] = (here / "PKG-INFO").read_bytes().replace(b"Version: 1.0", b"Version: {version}")
    files[info + "/WHEEL"] = b"Wheel-Version: 1.0\\nGenerator: backend\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    record = "".join(name + ",,\\n" for name in [*files, info + "/RECORD"])
    name = "{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        for path, content in [*files.items(), (info + "/RECORD", record.encode())]:
            wheel.writestr(path, content)
    return name
"""


@dataclass(frozen=True)
class Case:
    """A release. `files` are what its wheel puts into site-packages; `sources` what its sdist has (either may lack).

    `metadata` are further lines of the core metadata, `points` the entry points, `settings` the project's (see
    `Settings`), `checkout` files that git tracks. Of a broken one, `says` are words that the messages must have, and
    `rule` is the code of a rule that stops it too.
    """

    label: str
    files: Files | None = None
    says: tuple[str, ...] = ()
    metadata: str = ""
    points: str = ""
    name: str = "demo"
    version: str = "1.0"
    requires_python: str = ">=3.10"
    tag: str = "py3-none-any"
    sources: Files | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    checkout: Mapping[str, str] = field(default_factory=dict)
    rule: str = ""

    @property
    def core(self) -> str:
        more = f"{self.metadata.strip()}\n" if self.metadata else ""
        facts = {"name": self.name, "version": self.version, "requires_python": self.requires_python}
        return CORE.format(standard="2.5" if "Import-Name" in more else "2.4", more=more, **facts)

    def write(self, folder: Path) -> list[Path]:
        """Write the files of the release into `folder`, and return them."""
        stem = f"{_module(self.name)}-{self.version}"
        made = []
        if self.files is not None:
            info = {"entry_points.txt": self.points} if self.points else {}
            files = {"demo/__init__.py": None, **self.files, **{f"{stem}.dist-info/{k}": v for k, v in info.items()}}
            wheel = f"{stem}-{self.tag}.whl"
            members = ((_header(name), raw) for name, raw in wheel_members(wheel, self.core, files).items())
            made.append(written(folder, wheel, zipped(members)))
        if self.sources is not None:
            backend = BACKEND.format(module=_module(self.name), version=self.version, extra="")
            sources = {"src/demo/__init__.py": None, "pyproject.toml": PYPROJECT, "backend.py": backend, **self.sources}
            packed = sdist_members(f"{stem}.tar.gz", self.core, {f"{stem}/{k}": v for k, v in sources.items()})
            made.append(written(folder, f"{stem}.tar.gz", gzipped(tarred(packed.items()))))
        return made


def _module(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _header(name: str) -> ZipInfo:
    """Return a member's header: pip makes a script executable only where that says so."""
    header = zip_info(name)
    header.external_attr = (0o100755 if ".data/scripts/" in name else 0o100644) << 16
    return header


def _backend(extra: str = "", version: str = "1.0") -> str:
    return BACKEND.format(module="demo", version=version, extra=extra)


CLI = {"demo/__init__.py": "", "demo/cli.py": "def main():\n    return 3\n\nnumber = 1\n"}
SCRIPT = "[console_scripts]\ndemo = {}\n"
EXTRA = 'Provides-Extra: cli\nRequires-Dist: clicker; extra == "cli"\n'
PKGUTIL = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
PKG_RESOURCES = """\
try:
    __import__("pkg_resources").declare_namespace(__name__)
except ImportError:
    __path__ = __import__("pkgutil").extend_path(__path__, __name__)
"""

# What the others may depend on.
BESIDE = (
    Case("a library", {"other.py": "old = 1\n"}, name="other"),
    Case("a newer one", {"other.py": "new = 1\n"}, name="other", version="2.0"),
    Case("one that wants the old one", {"needy.py": ""}, name="needy", metadata="Requires-Dist: other<2\n"),
    Case("for an extra", {"clicker.py": "def command(): pass\n"}, name="clicker"),
    Case("a namespace", {"space/other.py": ""}, name="space-other"),
    Case("one in the way of a namespace", {"space.py": ""}, name="rude"),
    Case("one that writes files of others", {"demo/core.py": "theirs = 1\n"}, name="ruder"),
    Case("one with a top-level licence", {"rudest.py": "", "LICENSE": "theirs\n"}, name="rudest"),
    Case("an old namespace", {"old/__init__.py": PKGUTIL, "old/other.py": ""}, name="old-other"),
    Case("a new project", {"new.py": ""}, name="modern", requires_python=">=3.99"),
    Case("one without pkg_resources", {"setuptools.py": ""}, name="setuptools", version="85.0"),
    Case("a command", {"cmd_of.py": "def main(): pass\n"}, name="commander", points=SCRIPT.format("cmd_of:main")),
)

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
    Case("nothing but tests is left", {"tests/__init__.py": "import demo\n"}, ("`demo`", "is of no dependency")),
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
        ("cannot import name 'old'", "`other` is of other 2.0"),
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
        ("`demo.a`", "`b` lies beside it: `from . import b`"),
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
        ("`demo.a`", "Python's own until 3.9"),
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
        ("`demo.a`", "`other` is of other 2.0"),
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
        ("`demo.c`", "is nothing that Python"),
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
    ),
    Case(
        "a resource is read by pkgutil",
        {"demo/__init__.py": "import pkgutil\ndef f():\n    return pkgutil.get_data(__name__, 'data/x.bin')\n"},
        ("`demo/data/x.bin` is read",),
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
        ("`tomllib` is a module of Python's own since 3.11", "demo/a.py, line 1"),
        requires_python=">=3.8",
    ),
    Case(
        "a module that the highest Python lacks",
        {"demo/__init__.py": "", "demo/a.py": "import telnetlib\n"},
        ("`telnetlib` is a module of Python's own until 3.12",),
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
        ("`demo", "is a command of demo and of commander"),
        points=SCRIPT.format("demo:main"),
        metadata="Requires-Dist: commander\n",
    ),
    # Entry points.
    Case("a script that pip refuses", CLI, ("demo.cli : main",), points=SCRIPT.format("demo.cli : main")),
    Case(
        "a script leads to no function", CLI, ("`demo.cli:run` leads to nothing",), points=SCRIPT.format("demo.cli:run")
    ),
    Case("a script leads to no module", CLI, ("`demo.clu`", "left it out"), points=SCRIPT.format("demo.clu:main")),
    Case("a script cannot be called", CLI, ("nothing that can be called",), points=SCRIPT.format("demo.cli:number")),
    Case(
        "a plugin leads to nothing",
        CLI,
        ("[pytest11]", "leads to nothing"),
        points="[pytest11]\ndemo = demo.cli:plug\n",
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
    Case("a module that Python dropped", {"demo.py": "import formatter\n"}, ("Python's own until 3.9",)),
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
        ("`demo/_c.cpython-30-other.so` is nothing that Python",),
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
        sources={"src/demo.py": "", "backend.py": _backend("(here / 'CHANGES.md').read_text()\n")},
    ),
    Case(
        "the build needs what is not declared",
        {"demo.py": ""},
        ("demo-1.0.tar.gz", "could not be installed", "no_such_builder"),
        sources={"src/demo.py": "", "backend.py": _backend("import no_such_builder\n")},
    ),
    Case(
        "the build needs git's history",
        {"demo.py": ""},
        ("demo-1.0.tar.gz", "could not be installed", "git"),
        sources={"src/demo.py": "", "backend.py": _backend("(here / '.git' / 'HEAD').read_text()\n")},
    ),
    Case(
        "the sdist builds another version",
        {"demo.py": ""},
        ("demo-1.0.tar.gz", "0.0.0"),
        sources={"src/demo.py": "", "backend.py": _backend(version="0.0.0")},
    ),
)

SOUND = (
    # What is imported.
    Case("a package", {"demo/__init__.py": "__version__ = '1.0'\n", "demo/core.py": "", "demo/data.txt": "ä\n"}),
    Case("a module", {"demo.py": ""}),
    Case("another import name", {"PIL/__init__.py": ""}, name="Pillow-ish"),
    Case("several packages", {"demo/__init__.py": "", "other_demo.py": "", "_demo.py": ""}),
    Case("private modules only", {"_demo.py": ""}),
    Case("letters beyond ASCII", {"démo/__init__.py": "größe = 1\n", "démo/ein Bild.txt": ""}),
    Case("bytecode only", {"demo/__init__.py": "", "demo/data.bin": bytes(range(256))}),
    Case(
        "a namespace shared with a dependency",
        {"space/demo/__init__.py": "import space.other\n"},
        name="Space.Demo",
        metadata="Requires-Dist: space-other\n",
    ),
    Case(
        "an old namespace shared with a dependency",
        {"old/__init__.py": PKG_RESOURCES, "old/demo.py": "import old.other\n"},
        metadata="Requires-Dist: old-other\n",
    ),
    Case("a deep namespace", {f"google/cloud/demo{number}/__init__.py": "" for number in range(12)}),
    Case("types only", {"demo-stubs/__init__.pyi": "x: int\n", "demo-stubs/py.typed": ""}, name="demo-stubs"),
    Case(
        "types, and a plugin for their reader",
        {"demo-stubs/__init__.pyi": "x: int\n", "demo_plugin.py": "import clicker\n"},
        name="demo-stubs",
        metadata=EXTRA,
    ),
    Case("a metapackage", {}, metadata="Requires-Dist: other\n"),
    Case("data only", {"demo-1.0.data/data/share/demo/x.json": "{}\n"}),
    Case("files in a .data folder", {"demo-1.0.data/purelib/demo.py": "", "demo-1.0.data/headers/demo.h": ""}),
    Case(
        "declared names",
        {"demo.py": "", "bad.py": "1 / 0\n"},
        metadata="Import-Name: demo\nImport-Name: bad; private\n",
    ),
    Case("names in the settings", {"demo.py": "", "bad.py": "1 / 0\n"}, settings={"import_names": ("demo",)}),
    Case(
        "a module replaces itself", {"demo.py": "import sys, types\nsys.modules[__name__] = types.SimpleNamespace()\n"}
    ),
    Case("a package extends its path", {"demo/__init__.py": "__path__.append('x')\n", "demo/core.py": ""}),
    # What need not be imported here.
    Case("tests", {"demo.py": "", "tests/__init__.py": "import no_such_runner\n", "conftest.py": "1 / 0\n"}),
    Case("setup.py", {"demo.py": "", "setup.py": "raise SystemExit('usage')\n"}),
    Case("a program to run", {"demo/__init__.py": "", "demo/__main__.py": "raise SystemExit(3)\n"}),
    Case("for another system", {"demo.py": "", f"demo_{ELSEWHERE}.py": "from ctypes import no_such_loader\n"}),
    Case(
        "an adapter for what may not be there",
        {"demo.py": "", "clicker_demo.py": "import clicker\n"},
        metadata=EXTRA,
    ),
    Case("templates", {"demo/__init__.py": "", "demo/{{name}}/setup.py": "{{ name }}\n", "demo/t/a-b.py": "%if x\n"}),
    Case("for newer Pythons", {"demo/__init__.py": "", "demo/_py399.py": "a new syntax\n"}),
    Case("an integration that nothing reaches", {"demo/__init__.py": "", "demo/sphinxext.py": "import no_such\n"}),
    Case(
        "a plug-in inside the package",
        {"demo/__init__.py": "", "demo/plugin.py": "import pytest\n"},
        points="[pytest11]\ndemo = demo.plugin\n",
    ),
    Case(
        "a plug-in that is all there is",
        {"pytest_demo.py": "import pytest\n"},
        name="pytest-demo",
        points="[pytest11]\ndemo = pytest_demo\n",
    ),
    Case(
        "modules of other systems, inside",
        {"demo/__init__.py": "", "demo/registry.py": f"import {'fcntl' if sys.platform == 'win32' else 'winreg'}\n"},
    ),
    Case(
        "tests and examples inside the package",
        {
            "demo/__init__.py": "",
            "demo/tests/__init__.py": "",
            "demo/tests/test_a.py": "import no_such_runner\nfrom demo.not_there import x\n",
            "demo/examples/run.py": "raise SystemExit('usage')\n",
            "demo/conftest.py": "1 / 0\n",
        },
    ),
    Case(
        "data that ends in .py",
        {"demo/__init__.py": "", "demo/skeleton/app.py": "from {{ name }} import x\n", "demo/skeleton/b.py": "1 / 0\n"},
    ),
    Case(
        "settings before an import, inside",
        {
            "demo/__init__.py": "",
            "demo/models.py": "import os\nx = os.environ['DEMO_SETTINGS_OF_NOBODY']\n",
            "demo/views.py": "class NotConfigured(Exception): pass\nraise NotConfigured('call demo.setup() first')\n",
        },
    ),
    Case(
        "it says what is absent",
        {
            "demo/__init__.py": "",
            "demo/a.py": "try:\n    import no_such\n"
            "except ImportError:\n    raise ImportError('pip install no-such')\n",
        },
    ),
    Case(
        "a vendored package that makes modules",
        {
            "demo/__init__.py": "",
            "demo/_vendor/__init__.py": "",
            "demo/_vendor/six.py": "import sys, types\nsys.modules[__name__ + '.moves'] = types.ModuleType('moves')\n",
            "demo/api.py": "def f():\n    from demo._vendor.six.moves import urllib\n",
        },
    ),
    Case(
        "types beside modules",
        {"demo/__init__.py": "", "demo/__init__.pyi": "", "demo/a.pyi": "x: int\n", "demo/py.typed": ""},
    ),
    Case(
        "a generated module that may be absent",
        {"demo/__init__.py": "try:\n    from demo._version import v\nexcept ImportError:\n    v = '0'\n"},
    ),
    Case(
        "an accelerator that may be absent",
        {
            "demo/__init__.py": "try:\n    from demo.fast import f\nexcept ImportError:\n    f = None\n",
            "demo/fast.py": "from demo._speedups import f\n",
        },
    ),
    Case("for older Pythons", {"demo/__init__.py": "", "demo/compat_py2.py": "print 'x'\n"}),
    Case(
        "names for types alone",
        {
            "demo/__init__.py": "import typing\nif typing.TYPE_CHECKING:\n"
            "    from demo._types import X\n    import tomllib\n"
        },
        requires_python=">=3.8",
    ),
    Case(
        "a module of later Pythons, behind a condition",
        {
            "demo/__init__.py": "import sys\nif sys.version_info >= (3, 99):\n"
            "    import tomllib\nelse:\n    tomllib = None\n",
            "demo/a.py": "try:\n    import tomllib\nexcept ImportError:\n    import other as tomllib\n",
        },
        requires_python=">=3.8",
        metadata="Requires-Dist: other\n",
    ),
    Case(
        "commands for setuptools",
        {"demo/__init__.py": "", "demo/command.py": "import setuptools\nfrom distutils.core import Command\n"},
    ),
    Case(
        "data that may be absent, and data that it makes",
        {
            "demo/__init__.py": "import os, pathlib\nHERE = pathlib.Path(__file__).parent\n"
            "def f():\n    if (HERE / 'x.json').exists():\n        return (HERE / 'x.json').read_text()\n"
            "def g():\n    try:\n        return (HERE / 'y.json').read_text()\n    except OSError:\n        return ''\n"
            "def h():\n    (HERE / 'z.json').write_text('')\n    return (HERE / 'z.json').read_text()\n"
            "def i():\n    return (HERE / 'there.txt').read_text()\n",
            "demo/there.txt": "x\n",
        },
    ),
    Case(
        "what is for those who work on it stays behind",
        {"demo/__init__.py": "", "demo/_c.abi3.so": b"", "demo/a.txt": ""},
        tag=PLATFORM_TAG,
        checkout={
            f"src/demo/{path}": "x = 1\n"
            for path in ("__init__.py", "tests/test_a.py", "_c.pyx", "_c.py", "README.md", "conftest.py", ".gitignore")
        },
    ),
    Case(
        "many modules in one interpreter",
        {
            "demo/__init__.py": "",
            **{f"demo/m{number:02}.py": "" for number in range(20)},
            "demo/m03.py": "import os, tempfile\nos.chdir(tempfile.gettempdir())\n",
            "demo/m05.py": "import io, sys\nsys.stdout = sys.stderr = io.StringIO()\n",
            "demo/m07.py": "import sys\nassert 'demo.m06' not in sys.modules, 'not beside others'\n",
        },
    ),
    # What happens while it is imported.
    Case("it prints and warns", {"demo.py": "import warnings\nprint('{')\nwarnings.warn('old', DeprecationWarning)\n"}),
    Case("it reads the arguments", {"demo.py": "import argparse\nargparse.ArgumentParser().parse_args()\n"}),
    Case("it changes the folder", {"demo.py": "import os\nos.chdir(os.path.dirname(__file__))\n"}),
    Case("it leaves a thread behind", {"demo.py": "import threading as t\nt.Thread(target=t.Event().wait).start()\n"}),
    Case("it writes into its own folder", {"demo.py": "open(__file__ + '.cache', 'w').close()\n"}),
    Case("it takes the streams", {"demo.py": "import io, sys\nsys.stdout = sys.stderr = io.StringIO()\n"}),
    Case("it imports lazily", {"demo.py": "def __getattr__(name):\n    import clicker\n"}, metadata=EXTRA),
    Case("it tells its version in another way", {"demo.py": "__version__ = 'v1.0.0'\n"}),
    Case("its version is out of date", {"demo.py": "__version__ = '0.9'\n"}),
    Case(
        "its version comes from the metadata",
        {"demo.py": "import importlib.metadata as m\nassert m.version('demo') == '1.0'\n"},
    ),
    # Entry points.
    Case("a script with an odd exit code", CLI, points=SCRIPT.format("demo.cli:main")),
    Case("two names of one script", CLI, points="[console_scripts]\ndemo = demo.cli:main\nd = demo.cli:main\n"),
    Case(
        "a script of an extra",
        {"demo/__init__.py": "", "demo/cli.py": "import clicker\ndef main(): pass\n"},
        points=SCRIPT.format("demo.cli:main [cli]"),
        metadata=EXTRA,
    ),
    Case(
        "a script that needs an extra",
        {"demo/__init__.py": "", "demo/cli.py": "import clicker\ndef main(): pass\n"},
        points=SCRIPT.format("demo.cli:main"),
        metadata=EXTRA,
    ),
    Case(
        "a script that says which extra it needs",
        {"demo/__init__.py": "", "demo/cli.py": "raise SystemExit('pip install demo[cli]')\n"},
        points=SCRIPT.format("demo.cli:main"),
        metadata=EXTRA,
    ),
    Case(
        "an extra that is asked for",
        {"demo.py": "from clicker import command\n"},
        points=SCRIPT.format("demo:command"),
        metadata='Provides-Extra: all\nRequires-Dist: demo[cli]; extra == "all"\n' + EXTRA,
        settings={"extras": ("all",)},
    ),
    Case(
        "a script for another system",
        {"demo/__init__.py": "", f"demo/{ELSEWHERE}.py": "1 / 0\n"},
        points=SCRIPT.format(f"demo.{ELSEWHERE}:main"),
    ),
    Case("a script in a dependency", {}, metadata="Requires-Dist: clicker\n", points=SCRIPT.format("clicker:command")),
    Case(
        "an old script",
        {
            "demo.py": "",
            "demo-1.0.data/scripts/demo-run": "#!python\nimport demo\n",
            "demo-1.0.data/scripts/d.sh": "#!/bin/sh\n",
        },
        settings={"smoke": ("python -c 'import demo'",)},
    ),
    Case(
        "a plugin whose host is not declared",
        {"demo.py": "", "demo_mkdocs.py": "class Plugin: pass\n", "demo_sphinx.py": "import no_such_sphinx\n"},
        points="[mkdocs.plugins]\ndemo = demo_mkdocs:Plugin\n[sphinx.builders]\ndemo = demo_sphinx\n",
        metadata="Import-Name: demo\n",
    ),
    Case(
        "a plugin for its own tests, which must not load",
        {"demo/__init__.py": "", "demo/tests/__init__.py": ""},
        points="[demo.loaders]\nbad = demo.tests.not_there:Bad\n",
    ),
    Case(
        "a plugin that wants its host's settings",
        {"demo/__init__.py": "", "demo/apps.py": "raise RuntimeError('settings are not configured')\n"},
        points="[django.apps]\ndemo = demo.apps:App\n",
    ),
    # Metadata, and the rest.
    Case("a name with dots and capitals", {"demo.py": "", "demo_x.py": ""}, name="De.Mo-X"),
    Case("an epoch and a pre-release", {"demo.py": "__version__ = '2.0rc1'\n"}, version="1!2.0rc1"),
    Case("an odd Requires-Python", {"demo.py": ""}, requires_python="!=3.0.*,>=2.7"),
    Case("a wheel for Python 2 too", {"demo.py": ""}, tag="py2.py3-none-any"),
    Case(
        "a requirement of other systems", {"demo.py": ""}, metadata='Requires-Dist: nothing; sys_platform == "plan9"\n'
    ),
    Case("a .pth file", {"demo.py": "", "demo.pth": "import demo\n"}),
    Case("its own licence beside another's", {"demo.py": "", "LICENSE": "ours\n"}, metadata="Requires-Dist: rudest\n"),
    Case("both files", {"demo.py": ""}, sources={"src/demo.py": "", "tests/test_demo.py": "import demo\n"}),
    Case("an sdist alone", sources={"src/demo/__init__.py": "", "src/demo/data.txt": "data\n"}),
    Case(
        "an sdist that makes a module",
        sources={"backend.py": _backend('(here / "src" / "demo.py").write_text("made = 1\\n")\n'), "src/x.txt": ""},
    ),
)
