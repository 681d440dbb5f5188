"""Which names a distribution offers for import. Paths in, names out."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Parts = tuple[str, ...]
    ReadText = Callable[[str], str | None]

SHORT = 12  # lines of code in the __init__.py of a namespace
# `x.py`, `x.pyc`, `x.so`, `x.cpython-313-darwin.so`, `x.pyd`; a bare `libx.so` is a library that an extension links to.
MODULE_FILE = re.compile(r"(?!lib[^.]*\.so$)(?P<name>[^.]+)(\.pyc?|(\..+)?\.(so|pyd))")
# Top-level folders and files that are for the project's own people, and get into wheels by mistake.
ASIDE = frozenset("test tests conftest setup doc docs example examples benchmark benchmarks".split())
# Modules and folders inside a package that are for its own people: their import may start whatever they are for.
INTERNAL = re.compile(r"tests?|conftest|setup|examples?|benchmarks?|test_\w+|\w+_tests?")


@dataclass(frozen=True)
class Names:
    """What the files of a distribution offer to Python.

    `modules` are the names at the top, `stubs` the top-level folders and files that hold types only (PEP 561), `pth`
    the files that the module `site` reads when Python starts. `inner` are the public modules inside the packages,
    of which those that are `loose` lie in a folder without an ``__init__``; `aside` are tests, examples and programs.
    """

    modules: tuple[str, ...]
    stubs: tuple[str, ...]
    pth: tuple[str, ...]
    inner: tuple[str, ...] = ()
    loose: frozenset[str] = frozenset()
    aside: tuple[str, ...] = ()

    @property
    def why_none(self) -> str | None:
        """Why there is nothing to import, or None if there is."""
        if self.modules:
            return None
        return "stubs" if self.stubs else "metapackage"


def import_names(paths: Iterable[str], read_text: ReadText) -> Names:
    """Return what the files at `paths` offer for import; private names, and tests, only if there are no others.

    `paths` are relative to site-packages, or the members of a wheel. `read_text` is called with a path as it was given
    and returns the text of that file, or None. A namespace (PEP 420, or the two older kinds) has no code of its own and
    is shared with other distributions, so the packages and modules inside it are named.
    """
    files, content = _library(paths)
    names = set(_walk(files, content, read_text))
    names = {name for name in names if name.partition(".")[0] not in ASIDE} or names
    public = {name for name in names if not any(part.startswith("_") for part in name.split("."))}
    covered = {name.partition(".")[0] for name in names}
    stubs = {parts[0].partition(".")[0] for parts in files if parts[-1].endswith(".pyi")} - covered
    pth = (parts[0] for parts in files if len(parts) == 1 and parts[0].endswith(".pth"))
    modules = tuple(sorted(public or names))
    folders = [tuple(module.split(".")) for module in modules]
    packages = [folder for folder in folders if _has_init(folder, content)]
    inside = {name: kind for package in packages for name, kind in _inside(package, content)}
    inner = tuple(sorted(name for name, kind in inside.items() if kind != "aside"))
    loose = frozenset(name for name, kind in inside.items() if kind == "loose")
    aside = tuple(sorted(name for name, kind in inside.items() if kind == "aside"))
    return Names(modules, tuple(sorted(stubs)), tuple(sorted(pth)), inner, loose, aside)


def _library(paths: Iterable[str]) -> tuple[dict[Parts, str], dict[Parts, set[str]]]:
    """Return the files of site-packages by their place, and what each folder holds: folders with a slash at the end."""
    files: dict[Parts, str] = {}
    content: dict[Parts, set[str]] = {(): set()}
    for path in sorted(set(paths)):
        parts = _unwrapped(tuple(part for part in path.split("/") if part != "."))
        if parts and not {"", "..", "__pycache__"}.intersection(parts):
            files[parts] = path
            content.setdefault(parts[:-1], set()).add(parts[-1])
            for depth in range(len(parts) - 1):
                content.setdefault(parts[:depth], set()).add(parts[depth] + "/")
    return files, content


def _unwrapped(parts: Parts) -> Parts:
    """Return where an installer puts a member of a wheel in site-packages; nothing if it goes elsewhere (PEP 427)."""
    if parts and parts[0].endswith(".data"):
        return parts[2:] if parts[1:2] in {("purelib",), ("platlib",)} else ()
    return parts


def _inside(package: Parts, content: Mapping[Parts, set[str]], kind: str = "") -> Iterator[tuple[str, str]]:
    """Yield the public modules inside `package`, and of each whether it is "loose", "aside" or neither ("")."""
    entries = content.get(package, set())
    modules = {module_name(entry) for entry in entries if not entry.endswith("/")}
    for entry in sorted(entries):
        name = entry[:-1] if entry.endswith("/") else module_name(entry)
        inside = (*package, name)
        if name == "__main__":
            yield ".".join(inside), "aside"
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            continue
        theirs = "aside" if kind == "aside" or INTERNAL.fullmatch(name) else kind
        if not entry.endswith("/"):
            yield ".".join(inside), theirs
        elif name not in modules:
            regular = _has_init(inside, content)
            if regular:
                yield ".".join(inside), theirs
            yield from _inside(inside, content, theirs if regular else theirs or "loose")


def _walk(files: Mapping[Parts, str], content: Mapping[Parts, set[str]], read_text: ReadText) -> Iterator[str]:
    """Yield the names of the modules and packages in `files`: a package as one name, a namespace by what it holds."""
    waiting: list[Parts] = [()]
    while waiting:
        folder = waiting.pop()
        modules = {module_name(entry) for entry in content[folder]}
        left_out = {"__init__", "__main__"}.union(("conftest", "setup", "test", "tests") if folder else ())
        for entry in content[folder]:
            name = entry[:-1] if entry.endswith("/") else module_name(entry)
            if not name.isidentifier() or keyword.iskeyword(name) or name in left_out:
                continue
            inside, regular = (*folder, name), True
            if entry.endswith("/"):
                init = files.get((*inside, "__init__.py"))
                regular = not makes_namespace(read_text(init) or "") if init else _has_init(inside, content)
            if regular:
                yield ".".join(inside)
            elif name not in modules:  # a module hides a namespace of the same name
                waiting.append(inside)


def module_name(filename: str) -> str:
    """Return the last part of the name that a file is imported under, or an empty string."""
    match = MODULE_FILE.fullmatch(filename)
    return match["name"] if match else ""


def place_of(path: str) -> str:
    """Return where the member `path` of a wheel is in site-packages, or an empty string."""
    return "/".join(_unwrapped(tuple(path.split("/"))))


def module_of(path: str) -> str:
    """Return the name that the file at `path`, relative to site-packages, is imported under, or an empty string."""
    *folders, filename = _unwrapped(tuple(path.split("/"))) or ("",)
    name = module_name(filename)
    parts = folders if name == "__init__" else [*folders, name]
    return ".".join(parts) if parts and all(map(str.isidentifier, parts)) else ""


def _has_init(folder: Parts, content: Mapping[Parts, set[str]]) -> bool:
    return any(module_name(entry) == "__init__" for entry in content.get(folder, ()))


def makes_namespace(text: str) -> bool:
    """Whether the ``__init__.py`` with this `text` does nothing but declare a namespace, as before PEP 420."""
    code = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
    return len(code) <= SHORT and any("extend_path(" in line or "declare_namespace(" in line for line in code)


def is_import_name(text: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in text.split("."))
