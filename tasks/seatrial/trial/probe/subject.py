"""The distribution that is looked at: its metadata, its files, its neighbours.

Python's own readers of RECORD and METADATA differ too much from 3.8 to 3.14: since 3.12 `Distribution.files` leaves out
files that do not exist, which are what we are after.
"""

from __future__ import annotations

import contextlib
import csv
import email
import functools
import importlib.metadata
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .names import Names, import_names, module_of
from .source import Code, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from email.message import Message
    from importlib.metadata import Distribution

    from .imports import Attempt

    Problem = dict[str, str]

SCRIPTS = {"console_scripts": "console script", "gui_scripts": "GUI script"}  # groups of entry points
SHOWN = 10  # items of a long list
EXTRA = re.compile(r"""\bextra\s*==\s*["']([^"']+)["']""")  # in a marker (PEP 508)


@dataclass(frozen=True)
class Project:
    """What the program knows of the project: it has the checkout, and we have not.

    `modules` are importable files of the checkout by their top-level name, `data` those by the path that they would
    have in a wheel, `elsewhere` requirements that something else than the metadata declares (name and place), and
    `stdlib` the modules of Python's own that came or went: the first Python that has one, and the last.
    """

    modules: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    stdlib: Mapping[str, Sequence[str | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """The distribution that is looked at; `own` has its files by their real path, each as RECORD spells it."""

    dist: Distribution
    metadata: Message
    name: str
    version: str
    own: Mapping[str, str]
    names: Names
    unmet: tuple[Needed, ...]
    project: Project = field(default_factory=Project)

    @property
    def main(self) -> tuple[str, ...]:
        """The import names that the distribution is there for: that of its own name, or all if none is like it.

        Beside types there are at most plugins for the tools that read them.
        """
        named = [name for name in self.names.modules if normalised(name) == normalised(self.name)]
        return tuple(named) or (() if self.names.stubs else self.names.modules)

    @functools.cached_property
    def code(self) -> Code:
        """What the source of the distribution says."""
        places = sorted((path, real) for real, path in self.own.items())
        return Code.of((path, functools.partial(read_bytes, real)) for path, real in places)

    @functools.cached_property
    def points(self) -> list[tuple[str, str]]:
        """Group and module of each entry point, as far as they can be read."""
        try:
            return [(one.group, re.split(r"[:\s\[]", one.value.strip())[0]) for one in self.dist.entry_points]
        except Exception:  # noqa: BLE001 (what is wrong with that file is told elsewhere)
            return []

    @functools.cached_property
    def reached(self) -> frozenset[str]:
        """The modules that an import of a main module or a script reaches for certain."""
        scripts = [module for group, module in self.points if group in SCRIPTS]
        return self.code.reached([*self.main, *scripts])

    @functools.cached_property
    def neighbours(self) -> list[tuple[Message, Mapping[str, str]]]:
        """All distributions of this environment, this one included: metadata and files."""
        return [(metadata_of(dist), own_files(dist)) for dist in importlib.metadata.distributions()]

    @property
    def others(self) -> list[tuple[str, Mapping[str, str]]]:
        """The other distributions of this environment: name and files."""
        named = [(str(metadata.get("Name", "")), files) for metadata, files in self.neighbours]
        return [(name, files) for name, files in named if normalised(name) != normalised(self.name)]

    @property
    def supplied(self) -> list[str]:
        """The modules that other distributions put into its packages, or into the place of one of Python's own."""
        tops = {path.partition("/")[0] for path in self.own.values()} | set(self.project.stdlib)
        paths = (path for _, files in self.others for path in files.values())
        found = {module_of(path) for path in paths if path.partition("/")[0].partition(".")[0] in tops}
        return sorted(found - {""})

    def where(self, one: Attempt) -> str | None:
        """Return the last place of a traceback that is in the distribution, or None."""
        for file, line, code in reversed(one.frames):
            if real_path(file) in self.own:
                return f"{self.own[real_path(file)]}, line {line}" + (f": {code}" if code else "")
        return None


@dataclass(frozen=True)
class Needed:
    """A requirement of the distribution that nothing installed meets by name: one of `extras`, or of a `marker`."""

    name: str
    extras: tuple[str, ...]
    marker: str

    @classmethod
    def from_line(cls, line: str) -> Needed:
        specified, _, marker = line.partition(";")
        name = re.split(r"[^\w.-]", specified.strip(), maxsplit=1)[0]
        return cls(normalised(name), tuple(EXTRA.findall(marker)), marker.strip())


def finding(kind: str, name: str, message: str, *, severity: str = "error") -> Problem:
    return {"kind": kind, "severity": severity, "name": name, "message": message}


def listed(paths: Sequence[str]) -> str:
    """Return the first of `paths` as they are shown in a sentence, and how many more there are."""
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(f"`{path}`" for path in paths[:SHOWN]) + more


def subject_of(dist: Distribution, project: Project | None = None) -> Subject:
    metadata, own = metadata_of(dist), own_files(dist)
    present = {normalised(metadata_of(other).get("Name", "")) for other in importlib.metadata.distributions()}
    needed = map(Needed.from_line, metadata.get_all("Requires-Dist", []))
    unmet = tuple(one for one in needed if one.name not in present)
    facts = (metadata["Name"], metadata.get("Version", ""), own, names_of(own), unmet, project or Project())
    return Subject(dist, metadata, *facts)


def names_of(own: Mapping[str, str]) -> Names:
    """Return what a distribution offers for import whose files are `own`: real path, and the path in RECORD."""
    places = {path: real for real, path in own.items()}
    return import_names(own.values(), lambda path: source_text(places[path]))


def source_text(path: str) -> str:
    """Return the text of the file at `path`, empty where it cannot be read."""
    with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
    return ""


def normalised(name: str) -> str:
    """Return a distribution's name as it is compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).strip().lower()


def text_of(dist: Distribution, filename: str) -> str:
    """Return the text of a file in the ``.dist-info`` folder; an empty one if it is absent or not UTF-8."""
    try:
        return dist.read_text(filename) or ""
    except UnicodeDecodeError:
        return ""


def metadata_of(dist: Distribution) -> Message:
    return email.message_from_string(text_of(dist, "METADATA"))


def own_files(dist: Distribution) -> dict[str, str]:
    """Return the files that RECORD lists (PEP 376, PEP 427): real path, and the path in RECORD."""
    rows = csv.reader(text_of(dist, "RECORD").splitlines())
    return {real_path(str(dist.locate_file(row[0]))): row[0] for row in rows if row and row[0]}


def real_path(path: str) -> str:
    """Return `path` in the one spelling that can be compared."""
    folder, name = os.path.split(path)
    if name in {"", os.curdir, os.pardir} or os.path.islink(path):
        return os.path.normcase(os.path.realpath(path))
    return os.path.join(real_folder(folder), os.path.normcase(name))


@functools.lru_cache(maxsize=None)  # the files of an environment are many, and lie in few folders
def real_folder(path: str) -> str:
    """Return the folder `path` in the one spelling that can be compared."""
    return os.path.normcase(os.path.realpath(path))


def lies_in(name: str, modules: Iterable[str]) -> bool:
    """Whether `name` is one of `modules`, or inside one."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def whose(origin: str | None) -> str:
    """Say whose file a module came from."""
    if origin is None:
        return "no file at all"
    if not os.path.isabs(origin) or real_path(origin).startswith(standard_library()):
        return f"Python's standard library ({origin})"
    for dist in importlib.metadata.distributions():
        if real_path(origin) in own_files(dist):
            return f"{origin}, which belongs to {metadata_of(dist).get('Name')}"
    return f"{origin}, which belongs to no distribution"


def standard_library() -> str:
    return os.path.join(real_path(os.path.dirname(os.__file__)), "")
