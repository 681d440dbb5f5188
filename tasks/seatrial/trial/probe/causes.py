"""Why a module cannot be imported, as far as files and metadata tell."""

from __future__ import annotations

import builtins
import importlib.machinery
import os
import platform
import re
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .names import module_of
from .source import conditional_names, parsed, raises_on_purpose, read_bytes
from .subject import SCRIPTS, Subject, lies_in, normalised, real_path, standard_library, whose

if TYPE_CHECKING:
    from .imports import Attempt

NO_NAME = re.compile(r"cannot import name '(\w+)'")  # what Python says where a module lacks something
EXCUSED = frozenset({"extra", "platform", "host"})
EXTRAS = "`extras` in [tool.seatrial] has the extras to install"

# What an error says of a library of the system that is not there (Linux, macOS, Windows).
NO_LIBRARY = re.compile(r"cannot open shared object file|Library not loaded|DLL load failed")
NO_ATTRIBUTE = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
OS = frozenset(("os.py", "<frozen os>"))
SCOPE = re.compile(r"\b(locals|globals)\(\)")
MISTAKES = frozenset("TypeError AttributeError NameError UnboundLocalError SyntaxError IndentationError".split())
GONE = "82"  # the version of setuptools that has no `pkg_resources` any more
# Ends of the names of modules for one platform, and how `sys.platform` begins there.
PLATFORMS = {
    **dict.fromkeys(("win", "win32", "windows", "nt"), "win32"),
    **dict.fromkeys(("darwin", "mac", "macos", "osx"), "darwin"),
    **dict.fromkeys(("linux", "linux2"), "linux"),
}
FOREIGN = frozenset(  # Python's own that are of some systems only; `sys.stdlib_module_names` came in Python 3.10
    "_winapi crypt curses fcntl grp msvcrt nt ossaudiodev posix pty pwd readline resource spwd syslog termios tkinter"
    " tty winreg winsound _curses _scproxy _tkinter".split()
)
OF_PYTHON = getattr(sys, "stdlib_module_names", FOREIGN)
RUNNING = "Python {}.{}".format(*sys.version_info)
# Distributions whose modules have another name; `python-`, `py` and the like are seen through (see `_supplies`).
SUPPLIERS = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv",
    "crypto": "pycryptodome",
    "fitz": "pymupdf",
    "gi": "pygobject",
    "google-protobuf": "protobuf",
    "mysqldb": "mysqlclient",
    "pil": "pillow",
    "pkg-resources": "setuptools",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "zmq": "pyzmq",
    **dict.fromkeys(("pythoncom", "win32api", "win32com", "win32con"), "pywin32"),
}


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
    systems = (PLATFORMS.get(part.rpartition("_")[2].lower()) for part in one.name.partition(":")[0].split("."))
    system = next((system for system in systems if system and not sys.platform.startswith(system)), None)
    if system and cause.kind not in EXCUSED:
        return Cause("platform", f"By its name it is for {system}, and this is {sys.platform}", f"are for {system}")
    return cause


def _cause_of(subject: Subject, one: Attempt) -> Cause:
    if one.error_type == "PackageNotFoundError":
        name = f"this one is called `{subject.name}`"
        return Cause("own", f"It asks for the metadata of `{one.lacking}`, which is not installed; {name}")
    if one.error_type == "FileNotFoundError" and one.path:
        return _no_file(subject, one.path)
    meant = _is_on_purpose(subject, one)
    if one.missing:
        cause = (
            _hidden(subject, one.missing)
            or _left_out(subject, one, one.missing)
            or _of_python(subject, one.missing)
            or _of_a_requirement(subject, one.missing)
            or _undeclared(subject, one, one.missing)
        )
        return replace(cause, kind="choice") if meant and cause.kind == "undeclared" else cause
    for extra in (extra for needed in subject.unmet for extra in needed.extras):
        if re.search(rf"\[[^]]*\b{re.escape(extra)}\b[^]]*\]", one.error or ""):
            return Cause("extra", f"It needs the extra `{extra}` ({EXTRAS})", f"need the extra `{extra}`")
    return _purpose(subject, one) if meant else _lack(subject, one) or Cause()


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
    of_the_machine = issubclass(getattr(builtins, one.error_type, Exception), OSError)  # what it has, or lets in
    if of_its_user.get(one.error_type) or of_the_machine:
        return True
    return not real_path(place).startswith(standard_library()) and raises_on_purpose(place, line)


def _purpose(subject: Subject, one: Attempt) -> Cause:
    """Say of an error that is raised on purpose what it is about, as far as can be known."""
    if one.because_of:
        text = f"It says so itself, because `{one.because_of}` is absent"
        return _of_a_requirement(subject, one.because_of) or Cause("choice", text, f"need `{one.because_of}`")
    words = {
        "SystemExit": "end the program",
        "KeyError": "need a variable that is not set",
        **dict.fromkeys(("EOFError", "IndexError"), "need what somebody types"),
    }
    return Cause("choice", "", words.get(str(one.error_type), f"raise {one.error_type} on purpose"))


def _no_file(subject: Subject, path: str) -> Cause:
    """A file that is not there: one of the distribution's own, or one of whoever uses it."""
    root = os.path.join(real_path(str(subject.dist.locate_file(""))), "")
    place = real_path(os.path.normcase(os.path.abspath(path)))
    if not os.path.isabs(path) or not place.startswith(root):
        return Cause("choice", "", "need a file of whoever uses them")
    inside = place[len(root) :].replace(os.sep, "/")
    there = subject.project.data.get(inside)
    where = f"; in the checkout it is {there}" if there else ""
    return Cause("own", f"`{inside}` is not among the files of {subject.name}: the build left it out{where}")


def _not_in_python(module: str, name: str) -> Cause | None:
    """A module of Python's own that does not have `name` (any more), or does on another system or once imported."""
    if module.partition(".")[0] not in OF_PYTHON:
        return None
    if _is_module(f"{module}.{name}"):
        return Cause("own", f"`{name}` is a module in `{module}`: `import {module}.{name}` makes it known there")
    text, label = f"`{name}` is not in `{module}` of {RUNNING}", f"need `{module}.{name}`"
    spec = importlib.machinery.PathFinder.find_spec(module)
    origin = (spec and spec.origin) or ""
    if origin.endswith(".py") and name in conditional_names(parsed(read_bytes(origin))):
        return Cause("platform", f"{text} on {sys.platform}", label)
    return Cause("python", text, label)


def _is_module(name: str) -> bool:
    """Whether Python finds the module `name`; nothing is imported for it."""
    folders: list[str] | None = None
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        spec = importlib.machinery.PathFinder.find_spec(".".join(parts[:depth]), folders)
        folders = spec.submodule_search_locations if spec else None
        if folders is None:
            return spec is not None and depth == len(parts)
    return True


def _left_out(subject: Subject, one: Attempt, missing: str) -> Cause | None:
    """A module of the distribution's own, or one beside the one that needs it, which imports it as Python 2 would.

    One that imports a module of its own name is for a project of that name, and the others there may be too.
    """
    if lies_in(missing, subject.names.modules):
        text = f"The module `{missing}` is not among the files of {subject.name}: the build left it out"
        return Cause("own", text)
    places = [subject.own[real_path(frame[0])] for frame in one.frames if real_path(frame[0]) in subject.own]
    beside = ".".join([*places[-1].split("/")[:-1], missing]) if places else ""
    if "." not in beside or beside not in subject.code.readers or subject.code.wants(beside, missing):
        return None
    return Cause("own", f"`{missing}` is beside it: `from . import {missing}` finds it there")


def _undeclared(subject: Subject, one: Attempt, missing: str) -> Cause:
    """A module that the metadata knows nothing of: of the checkout, of a host, of a requirement declared elsewhere.

    The host is the program that an entry point is for: it is there wherever that is loaded.
    """
    top = missing.partition(".")[0]
    if top in subject.project.modules:
        there = f"is in the checkout ({subject.project.modules[top]}), and not among the files of {subject.name}"
        return Cause("own", f"`{missing}` {there}")
    module, host = one.name.partition(":")[0], normalised(top)
    for group, named in subject.points:
        is_inside = lies_in(module, [named]) or lies_in(named, [module])
        if group not in SCRIPTS and is_inside and host_of(group) == host:
            return Cause("host", f"It is a plug-in for `{host}` (entry point [{group}])", f"are plug-ins for `{host}`")
    for name, place in subject.project.elsewhere.items():
        if _supplies(name, missing):
            return Cause("elsewhere", f"`{name}` is declared in {place}, and not in the metadata")
    extras = sorted({extra for needed in subject.unmet for extra in needed.extras})
    where = f" ({', '.join(extras)}; {EXTRAS})" if extras else ""
    text = f"No installed dependency has the module `{missing}`: it is not declared, or only in an extra{where}"
    return Cause("undeclared", f"{text}; or it is part of the project, and the build left it out", f"need `{missing}`")


def host_of(group: str) -> str:
    """Return the program that loads the entry points of `group`, by how that begins: `pytest11`, `mkdocs.plugins`."""
    return normalised(re.split(r"[^A-Za-z_]", group, maxsplit=1)[0])


def _hidden(subject: Subject, missing: str) -> Cause | None:
    """A module that is there: another one stands before its namespace, or it is an extension for another Python."""
    top, stem = missing.partition(".")[0], missing.rpartition(".")[2]
    readable = {name + end for name in (stem, "__init__") for end in importlib.machinery.all_suffixes()}
    for metadata, own in subject.neighbours:
        for path in (path for real, path in own.items() if module_of(path) == missing and os.path.exists(real)):
            spec = importlib.machinery.PathFinder.find_spec(top) if top != missing else None
            if path.rpartition("/")[2] not in readable:
                text = f"but Python {platform.python_version()} on {sys.platform} cannot read `{path}`"
            elif spec is None or spec.origin is None:
                continue
            elif real_path(spec.origin) in own:
                text = f"and `{top}` does not lead to it"
            else:
                text = f"but hidden, because `{top}` is {whose(spec.origin)}"
            return Cause("own", f"`{missing}` is among the files of {metadata.get('Name')}, {text}")
    return None


def _of_python(subject: Subject, missing: str) -> Cause | None:
    """A module that Python has no longer, has not yet, or never had on this system; or the one of setuptools."""
    top = missing.partition(".")[0]
    since, until = subject.project.stdlib.get(top, (None, None))
    if since or until:
        when = f"since {since}" if since else f"until {until}"
        text = f"`{top}` is in the standard library only {when}, and this is {RUNNING}"
        return Cause("python", text, f"need `{top}`")
    if top in OF_PYTHON:
        text = f"`{top}` is in the standard library, but {RUNNING} does not have it on {sys.platform}"
        return Cause("platform", text, f"need `{top}`")
    setuptools = [metadata for metadata, _ in subject.neighbours if metadata.get("Name") == "setuptools"]
    if missing == "pkg_resources" and setuptools:
        has = f"`pkg_resources` left setuptools in {GONE}, and {setuptools[0].get('Version')} is installed"
        cure = "use importlib.resources and importlib.metadata, or require `setuptools<82`"
        return Cause("dependency", f"{has}: {cure}", "need `pkg_resources`")
    return None


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


def _lack(subject: Subject, one: Attempt) -> Cause | None:
    """A module was found, and has not the name that is imported from it; or a library of the system was not."""
    if NO_LIBRARY.search(one.error or ""):
        return Cause("platform", "It needs a system library that is not here", "need a system library")
    match = NO_ATTRIBUTE.search(one.error or "")
    if match and one.error_type == "AttributeError":
        return _not_in_python(match[1], match[2])
    match = NO_NAME.search(one.error or "")
    if not one.lacking or not match:
        return None
    wanted = f"{one.lacking}.{match[1]}"
    if lies_in(one.lacking, subject.names.modules):
        text = f"The module `{wanted}` is not among the files of {subject.name}: the build left it out"
        return _hidden(subject, wanted) or Cause("own", f"{text}, or it is a name that is imported in a circle")
    for metadata, files in subject.neighbours:
        if any(module_of(path) == one.lacking for path in files.values()):
            return Cause("dependency", f"`{one.lacking}` belongs to {metadata.get('Name')} {metadata.get('Version')}")
    return _not_in_python(one.lacking, match[1])
