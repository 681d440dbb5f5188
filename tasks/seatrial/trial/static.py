"""What a wheel's files say of Pythons and systems that are not here: read, never run.

Syntax that the lowest supported Python lacks, modules of its own that are in no file of it, modules of the standard
library that came or went, data that its code reads and that is not there. The codes are those of the trial
(`install-`), which shows the same where it can.
"""

from __future__ import annotations

import gc
import re
import sys
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.project.pythons import KNOWN_PYTHONS
from seatrial.release.filenames import parsed_requirement
from seatrial.trial.checkout import Checkout
from seatrial.trial.probe.source import imports, parsed
from seatrial.trial.resources import SIGNS, reads
from seatrial.trial.wheel import Found, Severity, Wheel, history, is_aside, problem

if TYPE_CHECKING:
    import ast
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement

    from seatrial.release.archives import Archive
    from seatrial.release.stages import Problem
    from seatrial.trial.probe.source import Import

# Signs of code that makes modules, or lets them be found, in a way of its own.
DYNAMIC = re.compile(r"sys\.modules|__path__|meta_path|extend_path|declare_namespace|path_hooks|LazyLoader")
NAMESPACE_HOOKS = re.compile(r"__getattr__|globals\(\)|exec\(|setattr\(|\bimport \*|lazy")
RESERVED = re.compile(r"(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³])(\..*)?|.*[<>:\"|?*\x00-\x1f].*|.*[. ]", re.IGNORECASE)
# Names that every package has, whatever is in it.
GIVEN = frozenset(
    "* __builtins__ __cached__ __dict__ __doc__ __file__ __init__ __loader__ __name__ __package__ __path__"
    " __spec__".split()
)
SHOWN = 5
HERE = sys.version_info[:2]  # the Python that parses: what is newer than it, it cannot judge


def problems(
    path: Path, pythons: Sequence[str], checkout: Checkout | None = None, packed: Iterable[str] = ()
) -> list[Problem]:
    """Return what the wheel at `path` says of itself that will fail somebody. Raises BadArchive.

    `pythons` are those of the project, as the settings name them; the `checkout` and what is `packed` in the sdist tell
    where lost files are.
    """
    wheel = Wheel.open(path)
    supported = wheel.supports(pythons)
    unread, read, known = _parse(wheel, supported[0] if supported else KNOWN_PYTHONS[0])
    found = [
        *_missing_modules(wheel),
        *_standard_library(wheel, supported),
        *(_syntax(wheel, unread, supported[0]) if supported else ()),
        *_missing_data(wheel, read, known, _places(checkout, packed)),
        *_own_extras(wheel.archive),
        *_names(wheel),
    ]
    return [problem(path.name, *each) for each in found]


def untold(found: Iterable[Problem], told: Iterable[Problem], supplied: Collection[str] = ()) -> list[Problem]:
    """Return those of `found` whose subject, the first name in backticks, no error of the trial names already.

    Nor are modules missing that other distributions `supplied` in the trial.
    """
    shown = "".join(one.message for one in told if one.severity == "error")
    there = {".".join(name.split(".")[:depth]) for name in supplied for depth in range(1, name.count(".") + 2)}
    named = ((one, one.message.split("`")[1] if "`" in one.message else "") for one in found)
    return [one for one, name in named if f"`{name}`" not in shown and name not in there]


def _parse(wheel: Wheel, lowest: str) -> tuple[dict[str, SyntaxError], dict[str, dict[str, int]], set[str]]:
    """Parse each module once, as `lowest` would.

    Return what that cannot compile, the files that modules read, and those that one of them need not find.

    Nobody here knows the syntax of a `lowest` that is newer than the Python that runs us: the trial judges that.
    """
    version = (3, int(lowest.partition(".")[2]))
    unread: dict[str, SyntaxError] = {}
    read: dict[str, dict[str, int]] = {}
    careful: set[str] = set()
    collects = gc.isenabled()
    gc.disable()  # trees are many small objects without a circle, and gone after each module
    try:
        for module in wheel.code.readers:
            if is_aside(module) and not module.endswith(".__main__"):
                continue
            source, package = wheel.code.text(module), module in wheel.code.packages
            tree = _tree(source, version)
            if isinstance(tree, SyntaxError) and version <= HERE:
                unread[module] = tree
                tree = _tree(source)
            known = None if isinstance(tree, SyntaxError) else tree
            wheel.code.known[module] = imports(known, module, package=package) if known else []
            if known and SIGNS.search(source):
                read[module], elsewhere = reads(known, module, package=package)
                careful |= elsewhere
    finally:
        if collects:
            gc.enable()
    return unread, read, careful


def _tree(source: bytes, version: tuple[int, int] | None = None) -> ast.Module | SyntaxError:
    try:
        return parsed(source, feature_version=version)
    except SyntaxError as error:
        return error


def _imports(wheel: Wheel) -> Iterator[tuple[str, Import]]:
    """Yield what the modules import without a net, but for tests and examples."""
    for module, listed in list(wheel.code.known.items()):
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
    top = one.module.partition(".")[0]
    if top not in wheel.code.packages or top not in wheel.names.modules:
        return None  # another distribution can put modules into a namespace
    if one.module not in wheel.modules:
        return None if _is_made(wheel, one.module) else one.module
    wanted = f"{one.module}.{one.name}"
    if not one.name or one.name in GIVEN or wanted in wheel.modules or one.module not in wheel.code.packages:
        return None
    text = wheel.texts.get(f"{one.module.replace('.', '/')}/__init__.py")
    if text is None or re.search(rf"\b{re.escape(one.name)}\b", text) or NAMESPACE_HOOKS.search(text):
        return None
    return None if _is_made(wheel, wanted) else wanted


def _is_made(wheel: Wheel, module: str) -> bool:
    """Whether `module` may come to be when the wheel is used: its package finds modules in a way of its own."""
    parts = module.split(".")
    for depth in range(1, len(parts)):
        above = "/".join(parts[:depth])
        text = wheel.texts.get(f"{above}/__init__.py", "") + wheel.texts.get(f"{above}.py", "")
        if DYNAMIC.search(text) or ".".join(parts[:depth]) in wheel.compiled:
            return True
    names = (f'"{module}"', f"'{module}'")
    return any(name in text for text in wheel.texts.values() if "sys.modules" in text for name in names)


def _path(wheel: Wheel, module: str) -> str:
    return f"{module.replace('.', '/')}{'/__init__' if module in wheel.code.packages else ''}.py"


def _some(places: Sequence[str]) -> str:
    shown = list(dict.fromkeys(places))
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return "; ".join(shown[:SHOWN]) + more


def _standard_library(wheel: Wheel, supported: Sequence[str]) -> Iterator[Found]:
    """Modules of Python's own that some of the `supported` Pythons do not have."""
    archive = wheel.archive
    required = {archive.name, *(canonicalize_name(requirement.name) for requirement in _requirements(archive))}
    # A copy of a module that left Python (`standard-aifc`) requires the copies of what it imports itself.
    copies = any(project.startswith("standard-") or project.endswith("-lts") for project in required)
    lacking: dict[tuple[str, Severity], list[str]] = {}
    for module, one in _imports(wheel):
        top = one.module.partition(".")[0]
        if top not in history() or one.place.conditional or top in wheel.modules:
            continue
        if top == "distutils" and ("setuptools" in required or wheel.code.wants(module, "setuptools")):
            continue
        name = canonicalize_name(top)  # of which a requirement may be a backport or a copy
        if any(name in project.split("-") or project in {f"py{name}", f"{name}lts"} for project in required):
            continue
        may_come = copies and history()[top][1] is not None
        severity: Severity = "warning" if may_come or one.place.lazy or wheel.may_fail(module) else "error"
        lacking.setdefault((top, severity), []).append(f"{_path(wheel, module)}, line {one.line}")
    for (top, severity), places in sorted(lacking.items()):
        since, until = history()[top]
        first, last = map(KNOWN_PYTHONS.index, (since or KNOWN_PYTHONS[0], until or KNOWN_PYTHONS[-1]))
        without = [python for python in supported if python not in KNOWN_PYTHONS[first : last + 1]]
        if without:
            when = f"since {since}" if since else f"until {until}"
            message = f"`{top}` is in the standard library only {when}, and is imported ({_some(places)})."
            fails = "where that fails, unless a requirement brings it" if until and copies else "where that fails"
            yield "stdlib", severity, f"{message} Requires-Python admits {', '.join(without)}, {fails}."


def _requirements(archive: Archive) -> Iterator[Requirement]:
    yield from filter(None, map(parsed_requirement, archive.metadata.all("requires-dist")))


def _syntax(wheel: Wheel, unread: Mapping[str, SyntaxError], lowest: str) -> Iterator[Found]:
    """Modules that only a later Python than the `lowest` one can compile."""
    bad: dict[Severity, list[str]] = {}
    for module, error in sorted(unread.items()):
        severity: Severity = "warning" if wheel.may_fail(module) else "error"
        bad.setdefault(severity, []).append(f"`{_path(wheel, module)}`, line {error.lineno}: {error.msg}")
    for severity, places in sorted(bad.items()):
        yield "syntax", severity, f"{_some(places)}. Requires-Python admits {lowest}, which cannot compile that."


def _places(checkout: Checkout | None, packed: Iterable[str]) -> dict[str, str]:
    """Return where the files are that a wheel may lack, by the place that each would have in site-packages."""
    if checkout is None:
        return {}
    sdist = {place: f"The sdist has {file}." for place, file in Checkout(checkout.root, tuple(packed)).data().items()}
    return sdist | {place: f"In the checkout it is {file}." for place, file in checkout.data().items()}


def _missing_data(
    wheel: Wheel, read: Mapping[str, Mapping[str, int]], careful: set[str], places: Mapping[str, str]
) -> Iterator[Found]:
    """Files that code opens beside itself by a literal name, and that the wheel has not.

    What is nowhere else either, the program may make itself in a way that cannot be seen.
    """
    there = wheel.files | {name[:end] for name in wheel.files for end in range(len(name)) if name[end] == "/"} | careful
    missing: dict[str, list[str]] = {}
    for module, files in read.items():
        # One above the packages is that of a checkout, such as pyproject.toml.
        lost = [
            path for path in files if path not in there and ("/" not in path or path.partition("/")[0] in wheel.modules)
        ]
        for path in lost if lost and not wheel.may_fail(module) else ():
            missing.setdefault(path, []).append(f"{_path(wheel, module)}, line {files[path]}")
    spelt = {name.casefold(): f"It has {name}, which only some systems take for the same." for name in wheel.files}
    for path, lines in sorted(missing.items()):
        message = f"`{path}` is read ({_some(lines)}), and is not in this wheel."
        if where := places.get(path) or spelt.get(path.casefold()):
            yield "missing-data", "error", f"{message} {where}"
        else:
            yield "missing-data", "warning", f"{message} Nor is it in the checkout, so the program may make it."


def _own_extras(archive: Archive) -> Iterator[Found]:
    """Extras of its own that another extra asks for, and that it has not: installers warn, and install nothing."""
    offered = {canonicalize_name(extra) for extra in archive.metadata.all("provides-extra")}
    for requirement in _requirements(archive):
        is_own = canonicalize_name(requirement.name) == canonicalize_name(archive.name)
        for extra in sorted(requirement.extras) if is_own else ():
            if canonicalize_name(extra) not in offered:
                asks = f"`{requirement}` asks for an extra that this project does not have: {extra}."
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
