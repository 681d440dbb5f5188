"""A wheel as it is read here, never run: its files by their place in site-packages, its code, its Pythons."""

from __future__ import annotations

import functools
import posixpath
import re
from typing import TYPE_CHECKING, Literal

from stdlib_list import stdlib_list

from seatrial.machine.values import Value
from seatrial.project.pythons import KNOWN_PYTHONS
from seatrial.release.archives import Archive
from seatrial.release.stages import Problem
from seatrial.trial.interpreters import admitted
from seatrial.trial.probe.modules import is_for_another_python
from seatrial.trial.probe.names import INTERNAL, import_names, module_of, place_of
from seatrial.trial.probe.source import Code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from seatrial.trial.probe.names import Names

Severity = Literal["error", "warning"]
Found = tuple[str, Severity, str]  # code, severity, message
PATCHES = (*range(30), 99)  # of a Python's minor version
# Modules of Python's own that are documented for some versions only, and there in all.
UNEVEN = frozenset({"lib", "nt", "test", "xxsubtype", "xxlimited"})


class Wheel(Value):
    """A wheel as its code is read: `files` and `texts` by their place in site-packages."""

    archive: Archive
    files: frozenset[str]
    texts: Mapping[str, str]

    @classmethod
    def open(cls, path: Path) -> Wheel:
        """Read the wheel at `path`. Raises BadArchive."""
        archive = Archive.open(path)
        files = frozenset(place for member in archive.members if (place := place_of(member.name)))
        texts = {place: text for name, text in archive.texts() if (place := place_of(name)) and place.endswith(".py")}
        return cls(archive, files, texts)

    @functools.cached_property
    def code(self) -> Code:
        encoded = functools.partial(str.encode, encoding="utf-8", errors="surrogateescape")
        return Code.of((path, functools.partial(encoded, text)) for path, text in sorted(self.texts.items()))

    @functools.cached_property
    def modules(self) -> frozenset[str]:
        """All modules, and the folders that can be imported as namespaces."""
        modules = {name for path in self.files if (name := module_of(path))}
        folders = {posixpath.dirname(path) for path in self.files if ".dist-info/" not in path}
        above = {"/".join(folder.split("/")[:depth]) for folder in folders for depth in range(1, folder.count("/") + 2)}
        return frozenset(modules | {folder.replace("/", ".") for folder in above if folder})

    @functools.cached_property
    def compiled(self) -> frozenset[str]:
        """The modules without source: nobody can tell what is in them."""
        return frozenset(name for path in self.files if not path.endswith(".py") and (name := module_of(path)))

    @functools.cached_property
    def names(self) -> Names:
        return import_names(self.files, self.texts.get)

    @functools.cached_property
    def reached(self) -> frozenset[str]:
        """The modules that an import of a public module reaches for certain."""
        return self.code.reached(module for module in self.code.readers if is_public(module))

    def imports(self, module: str) -> bool:
        """Whether any module imports `module`, something in it, or a module inside it."""
        listed = (name for reader in self.code.readers for one in self.code.imports(reader) for name in one.candidates)
        return any(name == module or name.startswith(f"{module}.") for name in listed)

    @property
    def is_for_all(self) -> bool:
        return any(tag.platform == "any" for tag in self.archive.tags)

    def supports(self, pythons: Sequence[str]) -> list[str]:
        """Return the known Pythons that the tags and Requires-Python admit; `pythons` where that says nothing."""
        required = admitted(self.archive.metadata.first("requires-python"))
        if required is None:
            return []
        known = [python for python in KNOWN_PYTHONS if self._is_for(python)]
        if not str(required):
            return [python for python in known if python in pythons]
        return [python for python in known if any(required.contains(f"{python}.{patch}") for patch in PATCHES)]

    def _is_for(self, python: str) -> bool:
        """Whether one of the tags is for `python`: of that CPython, of an earlier one's stable ABI, or of Python 3."""
        minor = int(python.partition(".")[2])
        matches = ((re.fullmatch(r"(cp|py)3(\d*)", tag.interpreter), tag.abi) for tag in self.archive.tags)
        firsts = ((int(match[2] or minor), abi == "abi3" or match[1] == "py") for match, abi in matches if match)
        return any(first == minor or (first < minor and goes_on) for first, goes_on in firsts)

    def may_fail(self, module: str) -> bool:
        """Whether `module` need not work everywhere: all can do without it, or its name or place says so."""
        if is_for_another_python(module) or module in self.names.loose or self.code.is_optional(module):
            return True
        return not (is_public(module) or module.endswith(".__main__") or module in self.reached)


@functools.cache
def history() -> Mapping[str, tuple[str | None, str | None]]:
    """Return the modules of Python's own that came or went within the known Pythons: the first with it, and the last.

    `stdlib-list` has them from the documentation. None stands for one that had it from the beginning, or has it still.
    """
    versions: dict[str, list[str]] = {}
    for python in KNOWN_PYTHONS:
        for top in {name.partition(".")[0] for name in stdlib_list(python)}:
            versions.setdefault(top, []).append(python)
    return {
        top: (None if there[0] == KNOWN_PYTHONS[0] else there[0], None if there[-1] == KNOWN_PYTHONS[-1] else there[-1])
        for top, there in versions.items()
        if not top.startswith("_") and top not in UNEVEN and len(there) < len(KNOWN_PYTHONS)
    }


FOUND = frozenset(  # the codes of all that `problem` is called with, without their beginning
    """
    failed not-installed version requires-python extra unknown-extra empty no-record missing-file changed-file
    shared-name shared-script import-name import missing-module exits crashes hangs foreign namespace
    module-version stdlib syntax missing-data lost-module lost-data file-name script-newlines pth
    missing-script script script-mode entry-point smoke star-import
    """.split()
)


def problem(file: str, code: str, severity: Severity, message: str) -> Problem:
    """Return what fails somebody who installs `file`: an error stops a release, and can be silenced with a reason."""
    return Problem(f"install-{code}", severity, file, message, silenceable=severity == "error")


def is_aside(module: str) -> bool:
    return any(map(INTERNAL.fullmatch, module.split(".")[1:])) or module.endswith(".__main__")


def is_public(module: str) -> bool:
    return not is_aside(module) and not any(part.startswith("_") for part in module.split("."))
