"""What a wheel's files say of Pythons and systems that are not here: read, never run.

Syntax that the lowest supported Python lacks, modules of its own that are in no file of it, modules of the standard
library that came or went, data that its code reads and that is not there. The codes are those of the trial
(`install-`), which shows the same where it can.
"""

from __future__ import annotations

import contextlib
import functools
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from seatrial.project.pythons import KNOWN_PYTHONS
from seatrial.release.archives import Archive
from seatrial.release.stages import Problem
from seatrial.trial.probe.modules import is_for_another_python
from seatrial.trial.probe.names import INTERNAL, import_names, module_of, place_of
from seatrial.trial.probe.reach import Code
from seatrial.trial.probe.source import parsed
from seatrial.trial.resources import reads
from seatrial.trial.stdlib import history

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from seatrial.trial.checkout import Checkout
    from seatrial.trial.probe.source import Import

PATCHES = (*range(30), 99)  # of a Python's minor version
# Signs of code that makes modules, or lets them be found, in a way of its own.
DYNAMIC = re.compile(r"sys\.modules|__path__|meta_path|extend_path|declare_namespace|path_hooks|LazyLoader")
NAMESPACE_HOOKS = re.compile(r"__getattr__|globals\(\)|exec\(|setattr\(|\bimport \*|lazy")
RESERVED = re.compile(r"(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³])(\..*)?|.*[<>:\"|?*\x00-\x1f].*|.*[. ]", re.IGNORECASE)
SHOWN = 5


@dataclass(frozen=True)
class Wheel:
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
        return Code.of((path, functools.partial(self.texts.__getitem__, path)) for path in sorted(self.texts))

    @functools.cached_property
    def modules(self) -> frozenset[str]:
        """All modules, and the folders that can be imported as namespaces."""
        modules = {name for path in self.files if (name := module_of(path))}
        folders = {posixpath.dirname(path) for path in self.files if ".dist-info/" not in path}
        above = {"/".join(folder.split("/")[:depth]) for folder in folders for depth in range(1, folder.count("/") + 2)}
        return frozenset(modules | {folder.replace("/", ".") for folder in above if folder})

    @functools.cached_property
    def tops(self) -> frozenset[str]:
        """The packages at the top, namespaces left out: nobody else can put modules into those."""
        return frozenset(
            name for name in import_names(self.files, self.texts.get).modules if name in self.code.packages
        )

    @functools.cached_property
    def loose(self) -> frozenset[str]:
        return import_names(self.files, self.texts.get).loose

    @functools.cached_property
    def reached(self) -> frozenset[str]:
        """The modules that an import of a public module reaches for certain."""
        return self.code.reached(module for module in self.code.trees if _is_public(module))

    @property
    def is_for_all(self) -> bool:
        return any(tag.platform == "any" for tag in self.archive.tags)

    def supports(self, pythons: Sequence[str]) -> list[str]:
        """Return the known Pythons that Requires-Python admits, or `pythons` where it says nothing."""
        try:
            admitted = SpecifierSet(self.archive.metadata.first("requires-python") or "")
        except InvalidSpecifier:
            return []
        if not str(admitted):
            return [python for python in KNOWN_PYTHONS if python in pythons]
        return [python for python in KNOWN_PYTHONS if any(admitted.contains(f"{python}.{patch}") for patch in PATCHES)]

    def may_fail(self, module: str) -> bool:
        """Whether `module` need not work everywhere: all can do without it, or its name or place says so."""
        if is_for_another_python(module) or module in self.loose or self.code.is_optional(module):
            return True
        return not _is_public(module) and module not in self.reached


def problems(path: Path, pythons: Sequence[str], checkout: Checkout | None = None) -> list[Problem]:
    """Return what the wheel at `path` says of itself that will fail somebody. Raises BadArchive.

    `pythons` are those of the project, as the settings name them; the `checkout` tells where lost files are.
    """
    wheel = Wheel.open(path)
    found = [
        *_missing_modules(wheel),
        *_standard_library(wheel, wheel.supports(pythons)),
        *_syntax(wheel, wheel.supports(pythons)),
        *_missing_data(wheel, checkout.data() if checkout else {}),
        *_bounds(wheel.archive.metadata.first("requires-python") or ""),
        *_own_extras(wheel.archive),
        *_names(wheel),
    ]
    return [Problem(f"install-{code}", severity, path.name, message) for code, severity, message in found]


def untold(found: Iterable[Problem], told: Iterable[Problem]) -> list[Problem]:
    """Return those of `found` whose subject, the first name in backticks, no error of the trial names already."""
    shown = "".join(problem.message for problem in told if problem.severity == "error")
    return [problem for problem in found if f"`{_subject(problem)}`" not in shown]


def _subject(problem: Problem) -> str:
    return problem.message.partition("`")[2].partition("`")[0]


def _is_aside(module: str) -> bool:
    return any(map(INTERNAL.fullmatch, module.split(".")[1:])) or module.endswith(".__main__")


def _is_public(module: str) -> bool:
    return not _is_aside(module) and not any(part.startswith("_") for part in module.split("."))


Severity = Literal["error", "warning"]
Found = tuple[str, Severity, str]  # code, severity, message


def _imports(wheel: Wheel) -> Iterator[tuple[str, Import]]:
    """Yield what the modules import without a net, but for tests and examples."""
    for module, listed in wheel.code.imports.items():
        if not _is_aside(module) or module.endswith(".__main__"):
            yield from ((module, one) for one in listed if not one.place.guarded and not one.place.typing)


def _missing_modules(wheel: Wheel) -> Iterator[Found]:
    """Modules of its own that it imports, also in a function, and that none of its files is."""
    missing: dict[tuple[str, Severity], list[str]] = {}
    for module, one in _imports(wheel):
        absent = _absent(wheel, one)
        if absent and (wheel.is_for_all or not one.place.conditional):
            severity: Severity = "warning" if one.place.conditional or wheel.may_fail(module) else "error"
            missing.setdefault((absent, severity), []).append(f"{_path(wheel, module)}, line {one.line}")
    for (absent, severity), places in sorted(missing.items()):
        message = f"`{absent}` is imported ({_some(places)}), and is not among the files of this wheel."
        yield "missing-module", severity, f"{message} The build left it out, or it was renamed."


def _absent(wheel: Wheel, one: Import) -> str | None:
    """Return the module of ours that `one` wants and that is in no file, None where all is well or nobody knows."""
    if one.module.partition(".")[0] not in wheel.tops:
        return None
    if one.module not in wheel.modules:
        return None if _is_made(wheel, one.module) else one.module
    wanted = f"{one.module}.{one.name}"
    if one.name in {"", "*"} or wanted in wheel.modules or one.module not in wheel.code.packages:
        return None
    path = f"{one.module.replace('.', '/')}/__init__.py"
    text = wheel.texts.get(path)
    if text is None or re.search(rf"\b{re.escape(one.name)}\b", text) or NAMESPACE_HOOKS.search(text):
        return None
    return None if _is_made(wheel, wanted) else wanted


def _is_made(wheel: Wheel, module: str) -> bool:
    """Whether `module` may come to be when the wheel is used: its package finds modules in a way of its own."""
    parts = module.split(".")
    for depth in range(1, len(parts)):
        above = "/".join(parts[:depth])
        if DYNAMIC.search(wheel.texts.get(f"{above}/__init__.py", "") + wheel.texts.get(f"{above}.py", "")):
            return True
    names = (f'"{module}"', f"'{module}'")
    return any(name in text for text in wheel.texts.values() if "sys.modules" in text for name in names)


def _path(wheel: Wheel, module: str) -> str:
    base = module.replace(".", "/")
    return f"{base}/__init__.py" if module in wheel.code.packages else f"{base}.py"


def _some(places: Sequence[str]) -> str:
    more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    return "; ".join(places[:SHOWN]) + more


def _standard_library(wheel: Wheel, supported: Sequence[str]) -> Iterator[Found]:
    """Modules of Python's own that some of the `supported` Pythons do not have."""
    required = _required(wheel.archive)
    lacking: dict[tuple[str, Severity], list[str]] = {}
    for module, one in _imports(wheel):
        top = one.module.partition(".")[0]
        if top not in history() or one.place.conditional or top in wheel.modules or _is_supplied(top, required):
            continue
        if top == "distutils" and wheel.code.wants(module, "setuptools"):
            continue
        severity: Severity = "warning" if one.place.lazy or wheel.may_fail(module) else "error"
        lacking.setdefault((top, severity), []).append(f"{_path(wheel, module)}, line {one.line}")
    for (top, severity), places in sorted(lacking.items()):
        since, until = history()[top]
        without = [python for python in supported if not _has(python, since, until)]
        if without:
            when = f"since {since}" if since else f"until {until}"
            message = f"`{top}` is a module of Python's own {when}, and is imported ({_some(places)})."
            yield "stdlib", severity, f"{message} Requires-Python admits {', '.join(without)}, where that fails."


def _has(python: str, since: str | None, until: str | None) -> bool:
    at = KNOWN_PYTHONS.index(python)
    return (since is None or KNOWN_PYTHONS.index(since) <= at) and (until is None or at <= KNOWN_PYTHONS.index(until))


def _required(archive: Archive) -> set[str]:
    """Return the normalised names of the projects that the metadata requires, under whatever conditions."""
    return {str(canonicalize_name(requirement.name)) for requirement in _requirements(archive)}


def _requirements(archive: Archive) -> Iterator[Requirement]:
    for line in archive.metadata.all("requires-dist"):
        with contextlib.suppress(InvalidRequirement):
            yield Requirement(line)


def _is_supplied(top: str, required: set[str]) -> bool:
    """Whether a requirement is a backport or a copy of the module `top` of the standard library."""
    if top == "distutils" and "setuptools" in required:
        return True
    name = canonicalize_name(top)
    return any(name in re.split("-", one) or one in {f"py{name}", f"{name}lts"} for one in required)


def _syntax(wheel: Wheel, supported: Sequence[str]) -> Iterator[Found]:
    """Modules that only a later Python than the lowest of the `supported` can compile."""
    if not supported:
        return
    lowest = (3, int(supported[0].partition(".")[2]))
    bad: dict[Severity, list[str]] = {}
    for module in sorted(wheel.code.trees):
        if not _is_aside(module):
            path = _path(wheel, module)
            try:
                parsed(wheel.texts[path], feature_version=lowest)
            except SyntaxError as error:
                severity: Severity = "warning" if wheel.may_fail(module) else "error"
                bad.setdefault(severity, []).append(f"`{path}`, line {error.lineno}: {error.msg}")
    for severity, places in sorted(bad.items()):
        yield "syntax", severity, f"{_some(places)}. Requires-Python admits {supported[0]}, which cannot compile that."


def _missing_data(wheel: Wheel, data: Mapping[str, str]) -> Iterator[Found]:
    """Files that code opens beside itself by a literal name, and that the wheel has not."""
    missing: dict[str, list[str]] = {}
    for module, tree in wheel.code.trees.items():
        if _is_aside(module) or wheel.may_fail(module):
            continue
        path = _path(wheel, module)
        for read in reads(tree, module, package=module in wheel.code.packages):
            is_folder = any(file.startswith(f"{read.path}/") for file in wheel.files)
            top = read.path.partition("/")[0]
            if read.path not in wheel.files and not is_folder and (top in wheel.modules or "/" not in read.path):
                missing.setdefault(read.path, []).append(f"{path}, line {read.line}")
    for path, places in sorted(missing.items()):
        where = f" In the checkout it is {data[path]}." if path in data else ""
        yield "missing-data", "error", f"`{path}` is read ({_some(places)}), and is not in this wheel.{where}"


def _bounds(requires_python: str) -> Iterator[Found]:
    """Bounds of Requires-Python that leave out patch releases: 3.11.1 is neither ``==3.11`` nor ``<=3.11``."""
    try:
        specifiers = sorted(SpecifierSet(requires_python), key=str)
    except InvalidSpecifier:
        return
    for one in specifiers:
        match = re.fullmatch(r"3\.(\d+)(\.0)?", one.version)
        if match and one.operator in {"==", "<="} and not (match[2] and one.operator == "=="):
            minor = int(match[1])
            better = f"==3.{minor}.*" if one.operator == "==" else f"<3.{minor + 1}"
            message = f"Requires-Python `{one}` leaves out 3.{minor}.1 and all later releases of 3.{minor}"
            yield "requires-python", "warning", f"{message}: write `{better}`."


def _own_extras(archive: Archive) -> Iterator[Found]:
    """Extras of its own that another extra asks for, and that it has not: installers warn, and install nothing."""
    offered = {canonicalize_name(extra) for extra in archive.metadata.all("provides-extra")}
    for requirement in _requirements(archive):
        if canonicalize_name(requirement.name) == canonicalize_name(archive.name):
            for extra in sorted(requirement.extras):
                if canonicalize_name(extra) not in offered:
                    asks = f"`{requirement}` asks for an extra that this project has not: {extra}."
                    yield "unknown-extra", "warning", asks


def _names(wheel: Wheel) -> Iterator[Found]:
    """File names that Windows, or any system that does not tell capitals apart, cannot have; and scripts from there."""
    windows = wheel.is_for_all or any(tag.platform.startswith("win") for tag in wheel.archive.tags)
    bad = [path for path in sorted(wheel.files) if any(map(RESERVED.fullmatch, path.split("/")))]
    if bad and windows:
        yield "file-name", "error", f"`{bad[0]}` is a name that Windows cannot have ({len(bad)} of that kind)."
    spelt: dict[str, str] = {}
    for path in sorted(wheel.files):
        other = spelt.setdefault(path.casefold(), path)
        if other != path:
            message = f"`{other}` and `{path}` differ in capitals only: on Windows and macOS one overwrites the other."
            yield "file-name", "error", message
    for member in wheel.archive.members:
        if re.fullmatch(r"[^/]+\.data/scripts/[^/]+", member.name):
            first = wheel.archive.read(member.name, 256).split(b"\n")[0]
            if first.startswith(b"#!/") and first.endswith(b"\r"):
                name = member.name.rpartition("/")[2]
                yield "script-newlines", "error", f"`{name}` has the line ends of Windows: no shell finds its program."
