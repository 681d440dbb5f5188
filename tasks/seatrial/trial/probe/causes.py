"""Why a module cannot be imported, as far as files and metadata tell."""

from __future__ import annotations

import builtins
import importlib.machinery
import importlib.metadata
import os
import platform
import re
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .known import FOREIGN, SUPPLIERS, system_of
from .names import module_name
from .source import conditional_names, parsed, raises_on_purpose, read_bytes
from .subject import SCRIPTS, Subject, lies_in, located, metadata_of, normalised, real_path, standard_library, whose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .imports import Attempt


NO_NAME = re.compile(r"cannot import name '(\w+)'")  # what Python says where a module lacks something

EXCUSED = frozenset({"extra", "platform", "host"})
EXTRAS = "`extras` in [tool.seatrial] has the extras to install"

# What an error says of a library of the system that is not there (Linux, macOS, Windows).
NO_LIBRARY = re.compile(r"cannot open shared object file|Library not loaded|DLL load failed")
NO_ATTRIBUTE = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
OS = frozenset(("os.py", "<frozen os>"))
SCOPE = re.compile(r"\b(locals|globals)\(\)")
MISTAKES = frozenset(
    ("TypeError", "AttributeError", "NameError", "UnboundLocalError", "SyntaxError", "IndentationError")
)
GONE = "82"  # the version of setuptools that has no `pkg_resources` any more


@dataclass(frozen=True)
class Cause:
    """Why something cannot be imported: a sentence without its full stop, or nothing.

    The `kind` is ``own`` for what the project itself lacks, ``python`` for what this Python does not have,
    ``dependency`` for what a dependency does not have, ``elsewhere`` for a requirement that is declared and not in the
    metadata, ``undeclared`` for one that is nowhere; or somebody's choice: ``extra`` for what an extra would bring,
    ``platform`` for what is of another system, ``host`` for the program whose plug-in it is, ``choice`` for an error
    that is raised on purpose. It is empty for a mistake.

    `label` says in a summary what a module needs.
    """

    kind: str = ""
    text: str = ""
    label: str = ""


def cause_of(subject: Subject, one: Attempt) -> Cause:
    """Return why `one` failed."""
    if one.error_type == "no-attribute":
        return Cause("own")
    cause = _cause_of(subject, one)
    system = system_of(one.name.partition(":")[0])
    if system and cause.kind not in EXCUSED:
        return Cause("platform", f"By its name it is for {system}, and this is {sys.platform}", f"are for {system}")
    return cause


def _cause_of(subject: Subject, one: Attempt) -> Cause:
    if one.error_type == "PackageNotFoundError":
        name = f"this one is called `{subject.name}`"
        return Cause("own", f"It asks for the metadata of `{one.lacking}`, which is not installed; {name}")
    if one.error_type == "FileNotFoundError" and one.path:
        return _no_file(subject, one.path)
    named = None if one.missing else _named_extra(subject, one)
    if named:
        return named
    meant = _is_on_purpose(subject, one)
    if one.missing:
        cause = _absence(subject, one)
        return replace(cause, kind="choice") if meant and cause.kind == "undeclared" else cause
    if meant:
        return _purpose(subject, one)
    return _lack(subject, one) or _no_attribute(one) or Cause()


def _is_on_purpose(subject: Subject, one: Attempt) -> bool:
    """Whether the error is one that somebody raises, rather than a mistake that Python meets."""
    if one.error_type in {"SystemExit", *MISTAKES} or not one.error_type or not one.frames:
        return one.error_type == "SystemExit"
    place, line, words = one.frames[-1]
    if one.missing or one.lacking:
        return real_path(place) in subject.own and raises_on_purpose(place, line)
    if one.defined_in != "builtins":
        return True
    of_its_user = {  # a variable, a name that whoever executes the file puts there, and what somebody types
        "KeyError": os.path.basename(place) in OS or SCOPE.search(words),
        "EOFError": True,
        "IndexError": "sys.argv" in words,
        "ValueError": "sys.argv" in words,
    }
    if of_its_user.get(one.error_type):
        return True
    if issubclass(getattr(builtins, one.error_type, Exception), OSError):
        return True  # what the machine has, or lets in
    return not real_path(place).startswith(standard_library()) and raises_on_purpose(place, line)


def _purpose(subject: Subject, one: Attempt) -> Cause:
    """Say of an error that is raised on purpose what it is about, as far as can be known."""
    if one.because_of:
        cause = _of_a_requirement(subject, one.because_of)
        if cause:
            return cause
        return Cause("choice", f"It says so itself, because `{one.because_of}` is absent", f"need `{one.because_of}`")
    words = {
        "SystemExit": "end the program",
        "KeyError": "need a variable that is not set",
        **dict.fromkeys(("EOFError", "IndexError"), "need what somebody types"),
    }
    return Cause("choice", "", words.get(str(one.error_type), f"raise {one.error_type} on purpose"))


def _no_file(subject: Subject, path: str) -> Cause:
    """A file that is not there: one of the distribution's own, or one of whoever uses it."""
    libraries = {os.path.join(real_path(located(subject.dist, "")), "")}
    place = os.path.normcase(os.path.abspath(path))
    root = next((root for root in libraries if os.path.isabs(path) and real_path(place).startswith(root)), None)
    if root is None:
        return Cause("choice", "", "need a file of whoever uses them")
    inside = real_path(place)[len(root) :].replace(os.sep, "/")
    there = subject.project.data.get(inside)
    where = f"; in the checkout it is {there}" if there else ""
    return Cause("own", f"`{inside}` is not among the files of {subject.name}: the build left it out{where}")


def _no_attribute(one: Attempt) -> Cause | None:
    match = NO_ATTRIBUTE.search(one.error or "")
    return _not_in_python(match[1], match[2]) if match and one.error_type == "AttributeError" else None


def _not_in_python(module: str, name: str) -> Cause | None:
    """A module of Python's own that does not have `name` (any more), or does on another system."""
    if not _is_of_python(module):
        return None
    text, label = f"`{name}` is not in `{module}` of {_running()}", f"need `{module}.{name}`"
    spec = importlib.machinery.PathFinder.find_spec(module)
    if (
        spec
        and spec.origin
        and spec.origin.endswith(".py")
        and name in conditional_names(parsed(read_bytes(spec.origin)))
    ):
        return Cause("platform", f"{text} on {sys.platform}", label)
    return Cause("python", text, label)


def _absence(subject: Subject, one: Attempt) -> Cause:
    """Say how a module can be absent: one of the distribution's own, of Python's, or of a dependency."""
    missing = str(one.missing)
    return (
        _hidden(subject, missing)
        or _left_out(subject, missing)
        or _beside(subject, one, missing)
        or _of_python(subject, missing)
        or _without_pkg_resources(missing)
        or _of_a_requirement(subject, missing)
        or _in_the_checkout(subject, missing)
        or _of_a_host(subject, one, missing)
        or _elsewhere(subject, missing)
        or _undeclared(subject, missing)
    )


def _beside(subject: Subject, one: Attempt, missing: str) -> Cause | None:
    """A module beside the one that needs it, which imports it as Python 2 would.

    One that imports a module of its own name is for a project of that name, and the others there may be too.
    """
    places = [subject.own[real_path(frame[0])] for frame in one.frames if real_path(frame[0]) in subject.own]
    beside = ".".join([*places[-1].split("/")[:-1], missing]) if places else ""
    if "." not in beside or beside not in subject.code.readers or subject.code.wants(beside, missing):
        return None
    return Cause("own", f"`{missing}` is beside it: `from . import {missing}` finds it there")


def _without_pkg_resources(missing: str) -> Cause | None:
    if missing != "pkg_resources":
        return None
    for dist in importlib.metadata.distributions():
        metadata = metadata_of(dist)
        if metadata.get("Name") == "setuptools":
            has = f"`pkg_resources` left setuptools in {GONE}, and {metadata.get('Version')} is installed"
            cure = "use importlib.resources and importlib.metadata, or require `setuptools<82`"
            return Cause("dependency", f"{has}: {cure}", "need `pkg_resources`")
    return None


def _in_the_checkout(subject: Subject, missing: str) -> Cause | None:
    there = subject.project.modules.get(missing.partition(".")[0])
    if there is None:
        return None
    return Cause("own", f"`{missing}` is in the checkout ({there}), and not among the files of {subject.name}")


def _of_a_host(subject: Subject, one: Attempt, missing: str) -> Cause | None:
    """The program that an entry point is for: it is there wherever that is loaded."""
    module, top = one.name.partition(":")[0], normalised(missing.partition(".")[0])
    for group, named in subject.points:
        is_inside = module == named or module.startswith(f"{named}.") or named.startswith(f"{module}.")
        if group not in SCRIPTS and is_inside and host_of(group) == top:
            return Cause("host", f"It is a plug-in for `{top}` (entry point [{group}])", f"are plug-ins for `{top}`")
    return None


def host_of(group: str) -> str:
    """Return the program that loads the entry points of `group`, by how that begins: `pytest11`, `mkdocs.plugins`."""
    return normalised(re.split(r"[^A-Za-z_]", group, maxsplit=1)[0])


def _elsewhere(subject: Subject, missing: str) -> Cause | None:
    for name, place in subject.project.elsewhere.items():
        if _supplies(name, missing):
            return Cause("elsewhere", f"`{name}` is declared in {place}, and not in the metadata")
    return None


def _hidden(subject: Subject, missing: str) -> Cause | None:
    """A module that is there: another one stands before its namespace, or it is an extension for another Python."""
    for metadata, own in subject.neighbours:
        for real in (real for real, path in own.items() if _is_at(path, missing) and os.path.exists(real)):
            text = _unread(own[real], missing) or _covered(own, missing)
            if text:
                return Cause("own", f"`{missing}` is among the files of {metadata.get('Name')}, {text}")
    return None


def _unread(path: str, module: str) -> str | None:
    """Say that the file of a module is of no kind that this Python reads, if so."""
    filename, name = path.rpartition("/")[2], module.rpartition(".")[2]
    if filename in {stem + suffix for stem in (name, "__init__") for suffix in importlib.machinery.all_suffixes()}:
        return None
    return f"but Python {platform.python_version()} on {sys.platform} cannot read `{path}`"


def _covered(own: Mapping[str, str], module: str) -> str | None:
    """Say which package or module takes the place of the namespace that `module` is in, if any does."""
    top = module.partition(".")[0]
    spec = importlib.machinery.PathFinder.find_spec(top) if top != module else None
    if spec is None or spec.origin is None:
        return None
    if real_path(spec.origin) in own:
        return f"and `{top}` does not lead to it"
    return f"but hidden, because `{top}` is {whose(spec.origin)}"


def _is_at(path: str, module: str) -> bool:
    """Whether the file at `path` is that of `module`, or of the package of that name."""
    *folders, filename = path.split("/")
    name = module_name(filename)
    inside = ".".join(folders if name == "__init__" else [*folders, name])
    return bool(name) and inside == module


def _left_out(subject: Subject, missing: str) -> Cause | None:
    if lies_in(missing, subject.names.modules):
        text = f"The module `{missing}` is not among the files of {subject.name}: the build left it out"
        return Cause("own", text)
    return None


def _of_python(subject: Subject, missing: str) -> Cause | None:
    """A module of the standard library that this Python has no longer, has not yet, or never had on this system."""
    top = missing.partition(".")[0]
    since, until = subject.project.stdlib.get(top, (None, None))
    if since or until:
        when = f"since {since}" if since else f"until {until}"
        text = f"`{top}` is in the standard library only {when}, and this is {_running()}"
        return Cause("python", text, f"need `{top}`")
    if not _is_of_python(top):
        return None
    text = f"`{top}` is in the standard library, but {_running()} does not have it on {sys.platform}"
    return Cause("platform", text, f"need `{top}`")


def _is_of_python(module: str) -> bool:
    return module.partition(".")[0] in getattr(sys, "stdlib_module_names", FOREIGN)


def _running() -> str:
    return "Python {}.{}".format(*sys.version_info)


def _of_a_requirement(subject: Subject, missing: str) -> Cause | None:
    """A requirement that was not installed, because it is of an extra, or its marker does not hold here."""
    for needed in subject.unmet:
        if not _supplies(needed.name, missing):
            continue
        if needed.extras:
            extras = " and ".join(f"`{extra}`" for extra in needed.extras)
            text = f"`{needed.name}` is declared only in the extra {extras}, so that {subject.name} alone lacks it"
            return Cause("extra", f"{text} ({EXTRAS})", f"need the extra {extras}")
        text = f"`{needed.name}` is declared only where `{needed.marker}`, which does not hold here"
        return Cause("platform", text, f"need `{needed.name}`, where `{needed.marker}`")
    return None


def _supplies(requirement: str, missing: str) -> bool:
    """Whether a distribution of that name is likely to have that module."""
    module = normalised(missing)
    if SUPPLIERS.get(module, SUPPLIERS.get(module.partition("-")[0])) == requirement:
        return True
    bare = re.sub(r"^(python-|py-?)|(-?python|-py)$", "", requirement)
    return any(name == module or name.startswith(f"{module}-") for name in (requirement, bare))


def _undeclared(subject: Subject, missing: str) -> Cause:
    extras = sorted({extra for needed in subject.unmet for extra in needed.extras})
    where = f" ({', '.join(extras)}; {EXTRAS})" if extras else ""
    text = f"No installed dependency has the module `{missing}`: it is not declared, or only in an extra{where}"
    return Cause("undeclared", f"{text}; or it is part of the project, and the build left it out", f"need `{missing}`")


def _named_extra(subject: Subject, one: Attempt) -> Cause | None:
    """An error whose words say which extra to install."""
    for needed in subject.unmet:
        for extra in needed.extras:
            if re.search(rf"\[[^]]*\b{re.escape(extra)}\b[^]]*\]", one.error or ""):
                return Cause("extra", f"It needs the extra `{extra}` ({EXTRAS})", f"need the extra `{extra}`")
    return None


def _lack(subject: Subject, one: Attempt) -> Cause | None:
    """A module was found, and has not the name that is imported from it; or a library of the system was not."""
    if NO_LIBRARY.search(one.error or ""):
        return Cause("platform", "It needs a system library that is not here", "need a system library")
    match = NO_NAME.search(one.error or "")
    if not one.lacking or not match:
        return None
    wanted = f"{one.lacking}.{match[1]}"
    if lies_in(one.lacking, subject.names.modules):
        text = f"The module `{wanted}` is not among the files of {subject.name}: the build left it out"
        return _hidden(subject, wanted) or Cause("own", f"{text}, or it is a name that is imported in a circle")
    for metadata, files in subject.neighbours:
        if any(_is_at(path, one.lacking) for path in files.values()):
            return Cause("dependency", f"`{one.lacking}` belongs to {metadata.get('Name')} {metadata.get('Version')}")
    return _not_in_python(one.lacking, match[1])
