"""How the modules of a distribution import each other, by their source: which of them is reached from which."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .names import module_of
from .source import Import, imports, parsed, raises_at

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterable, Mapping

LIMIT = 1 << 25  # bytes of source that are read


@dataclass(frozen=True)
class Code:
    """The modules of a distribution whose source could be read, and which of them are packages."""

    trees: Mapping[str, ast.Module]
    packages: frozenset[str]

    @classmethod
    def of(cls, sources: Iterable[tuple[str, Callable[[], bytes | str]]]) -> Code:
        """Return the code in `sources`, each a path relative to site-packages and what reads the file there."""
        trees: dict[str, ast.Module] = {}
        packages: set[str] = set()
        left = LIMIT
        for path, read in sources:
            name = module_of(path) if path.endswith(".py") else ""
            if not name:
                continue
            packages.update([name] if path.endswith("/__init__.py") else [])
            with contextlib.suppress(OSError, SyntaxError):
                source = read()
                left -= len(source)
                if left > 0:
                    trees[name] = parsed(source)
        return cls(trees, frozenset(packages))

    @functools.cached_property
    def imports(self) -> Mapping[str, list[Import]]:
        """What each module imports."""
        return {name: imports(tree, name, package=name in self.packages) for name, tree in self.trees.items()}

    @functools.cached_property
    def importers(self) -> Mapping[str, list[Import]]:
        """By whom each module of ours is imported, itself left out."""
        found: dict[str, list[Import]] = {}
        for name, listed in self.imports.items():
            for one in listed:
                for module in one.candidates:
                    if module in self.trees and module != name:
                        found.setdefault(module, []).append(one)
        return found

    def reached(self, roots: Iterable[str]) -> frozenset[str]:
        """Return the modules that are imported for certain, sooner or later, when `roots` are."""
        seen: set[str] = set()
        waiting = list(roots)
        while waiting:
            module = waiting.pop()
            if module in seen:
                continue
            seen.add(module)
            if "." in module:
                waiting.append(module.rpartition(".")[0])
            certain = (one for one in self.imports.get(module, ()) if one.place.certain)
            waiting += [name for one in certain for name in one.candidates if name in self.trees]
        return frozenset(seen)

    def is_optional(self, module: str) -> bool:
        """Whether all that import `module` do so under a condition, or go on without it; and somebody does."""
        who = [one.place for one in self.importers.get(module, ()) if not one.place.typing]
        return bool(who) and all(place.guarded or place.conditional for place in who)

    def wants(self, module: str, other: str) -> bool:
        """Whether `module` imports the top-level module `other` anywhere."""
        return any(one.module.partition(".")[0] == other for one in self.imports.get(module, ()))


def raises_on_purpose(place: str, line: int) -> bool:
    """Whether there is a ``raise`` at that line of the file `place`."""
    try:
        return raises_at(parsed(read_bytes(place)), line)
    except (OSError, SyntaxError):
        return False


def read_bytes(place: str) -> bytes:
    with open(place, "rb") as file:
        return file.read()
