"""Why a module cannot be imported, as far as files and metadata tell."""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import os
import platform
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .names import module_name
from .subject import Subject, metadata_of, normalised, own_files, real_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .imports import Attempt


NO_NAME = re.compile(r"cannot import name '(\w+)'")  # what Python says where a module lacks something

# Ends of the names of modules for one platform, and how `sys.platform` begins there.
PLATFORMS = {
    **dict.fromkeys(("win", "win32", "windows", "nt"), "win32"),
    **dict.fromkeys(("darwin", "mac", "macos", "osx"), "darwin"),
    **dict.fromkeys(("linux", "linux2"), "linux"),
}

# Modules of Python's that some of the versions which are in use do not have.
SINCE = {"graphlib": "3.9", "zoneinfo": "3.9", "tomllib": "3.11", "annotationlib": "3.14", "compression": "3.14"}

UNTIL = {
    **dict.fromkeys("formatter parser symbol".split(), "3.9"),
    **dict.fromkeys("asynchat asyncore binhex distutils imp smtpd".split(), "3.11"),
    **dict.fromkeys(
        "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev pipes sndhdr spwd"
        " sunau telnetlib uu xdrlib".split(),
        "3.12",
    ),
}

FOREIGN = frozenset(  # of those that are of some systems only; `sys.stdlib_module_names` came in Python 3.10
    "_winapi crypt curses fcntl grp msvcrt nt ossaudiodev posix pty pwd readline resource spwd syslog termios tkinter"
    " tty winreg winsound _curses _scproxy _tkinter".split()
)

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
    "pythoncom": "pywin32",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "win32api": "pywin32",
    "win32com": "pywin32",
    "win32con": "pywin32",
    "zmq": "pyzmq",
}

EXCUSED = frozenset({"extra", "platform"})


@dataclass(frozen=True)
class Cause:
    """Why something cannot be imported: a sentence without its full stop, or nothing.

    The `kind` is ``own`` for what the project itself lacks, ``extra`` for what an extra would bring, ``platform`` for
    what is of another system.
    """

    kind: str = ""
    text: str = ""


def cause_of(subject: Subject, one: Attempt) -> Cause:
    """Return why `one` failed."""
    if one.error_type == "no-attribute":
        return Cause("own")
    if one.missing:
        cause = _absence(subject, one.missing)
    elif one.error_type == "PackageNotFoundError":
        name = f"this one is called `{subject.name}`"
        cause = Cause("own", f"It asks for the metadata of `{one.lacking}`, which is not installed; {name}")
    else:
        cause = _named_extra(subject, one) or _lack(subject, one)
    system = _system_of(one.name.partition(":")[0])
    if system and cause.kind not in EXCUSED:
        return Cause("platform", f"By its name it is for {system}, and this is {sys.platform}")
    return cause


def _absence(subject: Subject, missing: str) -> Cause:
    """Say how a module can be absent: one of the distribution's own, of Python's, or of a dependency."""
    return (
        _hidden(subject, missing)
        or _left_out(subject, missing)
        or _of_python(missing)
        or _of_a_requirement(subject, missing)
        or _undeclared(subject, missing)
    )


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
    return f"but `{path}` is nothing that Python {platform.python_version()} reads on {sys.platform}"


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


def _of_python(missing: str) -> Cause | None:
    """A module of the standard library that this Python has no longer, has not yet, or never had on this system."""
    top = missing.partition(".")[0]
    running = "Python {}.{}".format(*sys.version_info)
    if top in SINCE or top in UNTIL:
        when = f"since {SINCE[top]}" if top in SINCE else f"until {UNTIL[top]}"
        return Cause("python", f"`{top}` is a module of Python's own {when}, and this is {running}")
    if top in getattr(sys, "stdlib_module_names", FOREIGN):
        return Cause("platform", f"`{top}` is a module of Python's own that {running} does not have on {sys.platform}")
    return None


def _of_a_requirement(subject: Subject, missing: str) -> Cause | None:
    """A requirement that was not installed, because it is of an extra, or its marker does not hold here."""
    for needed in subject.unmet:
        if not _supplies(needed.name, missing):
            continue
        if needed.extras:
            extras = " and ".join(f"`{extra}`" for extra in needed.extras)
            text = f"`{needed.name}` is declared only in the extra {extras}, so that {subject.name} alone lacks it"
            return Cause("extra", f"{text} (`extras` in [tool.seatrial] has the extras to install)")
        return Cause("platform", f"`{needed.name}` is declared only where `{needed.marker}`, which is not so here")
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
    where = f" ({', '.join(extras)}; `extras` in [tool.seatrial] has those to install)" if extras else ""
    text = f"The module `{missing}` is of no dependency that was installed: not declared, or declared only in an extra"
    return Cause("undeclared", f"{text}{where}; or a part of the project that the build left out")


def _named_extra(subject: Subject, one: Attempt) -> Cause | None:
    """An error whose words say which extra to install."""
    for needed in subject.unmet:
        for extra in needed.extras:
            if re.search(rf"\[[^]]*\b{re.escape(extra)}\b[^]]*\]", one.error or ""):
                return Cause(
                    "extra", f"It wants the extra `{extra}` (`extras` in [tool.seatrial] has those to install)"
                )
    return None


def _lack(subject: Subject, one: Attempt) -> Cause:
    """A module was found, and has not the name that is imported from it."""
    match = NO_NAME.search(one.error or "")
    if not one.lacking or not match:
        return Cause()
    wanted = f"{one.lacking}.{match[1]}"
    if lies_in(one.lacking, subject.names.modules):
        text = f"The module `{wanted}` is not among the files of {subject.name}: the build left it out"
        return _hidden(subject, wanted) or Cause("own", f"{text}, or it is a name that is imported in a circle")
    for metadata, files in subject.neighbours:
        if any(_is_at(path, one.lacking) for path in files.values()):
            return Cause("dependency", f"`{one.lacking}` is of {metadata.get('Name')} {metadata.get('Version')}")
    return Cause()


def _system_of(module: str) -> str | None:
    """Return the system that `module` is for by its name, if that is another one than ours."""
    for part in module.split("."):
        system = PLATFORMS.get(part.rpartition("_")[2].lower())
        if system and not sys.platform.startswith(system):
            return system
    return None


def lies_in(name: str, modules: Iterable[str]) -> bool:
    """Whether `name` is one of `modules`, or inside one."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def whose(origin: str | None) -> str:
    """Say whose file a module came from."""
    if origin is None:
        return "no file at all"
    if not os.path.isabs(origin) or real_path(origin).startswith(_standard_library()):
        return f"Python's standard library ({origin})"
    for dist in importlib.metadata.distributions():
        if real_path(origin) in own_files(dist):
            return f"{origin}, which belongs to {metadata_of(dist).get('Name')}"
    return f"{origin}, which belongs to no distribution"


def _standard_library() -> str:
    return os.path.join(real_path(os.path.dirname(os.__file__)), "")
