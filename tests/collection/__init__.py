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


def backend(extra: str = "", version: str = "1.0") -> str:
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
