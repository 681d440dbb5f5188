"""Distributions that are unusual, and work."""

from __future__ import annotations

import sys

from tests.collection import CLI, ELSEWHERE, EXTRA, PKG_RESOURCES, PLATFORM_TAG, SCRIPT, Case, backend

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
        "names of Python's own that another system has, inside",
        {
            "demo/__init__.py": "",
            "demo/a.py": "import ctypes\nkernel = ctypes.windll.kernel32\n",
            "demo/b.py": "from subprocess import STARTUPINFO\n",
        },
    ),
    Case(
        "programs among the modules",
        {
            "demo/__init__.py": "",
            "demo/a.py": "import sys\nname = sys.argv[1]\n",
            "demo/b.py": "name = input('Name? ')\n",
        },
    ),
    Case(
        "a plugin of one's own that wants what is not declared",
        {"demo/__init__.py": "", "demo/_plugin.py": "import no_such\n"},
        points="[demo.backends]\nx = demo._plugin\n",
        metadata="Requires-Dist: clicker\n",
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
            "def i():\n    return (HERE / 'there.txt').read_text()\n"
            "def j():\n    return (HERE / 'made elsewhere.txt').read_text()\n",
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
    Case(
        "a licence in a folder",
        {"demo.py": "", "demo-1.0.dist-info/licenses/LICENSES/MIT.txt": "MIT\n"},
        metadata="License-File: LICENSES/MIT.txt\n",
    ),
    Case("its own licence beside another's", {"demo.py": "", "LICENSE": "ours\n"}, metadata="Requires-Dist: rudest\n"),
    Case("both files", {"demo.py": ""}, sources={"src/demo.py": "", "tests/test_demo.py": "import demo\n"}),
    Case("an sdist alone", sources={"src/demo/__init__.py": "", "src/demo/data.txt": "data\n"}),
    Case(
        "an sdist that makes a module",
        sources={"backend.py": backend('(here / "src" / "demo.py").write_text("made = 1\\n")\n'), "src/x.txt": ""},
    ),
)
