"""How the modules of a distribution import each other, by their source: which of them is reached from which."""

from __future__ import annotations

import contextlib
import functools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .names import module_of
from .source import Import, imports, parsed, raises_at

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Mapping

LIMIT = 1 << 25  # bytes of source that are read


@dataclass(frozen=True)
class Code:
    """The modules of a distribution: `places` has the file of each that has source."""

    places: Mapping[str, str]
    packages: frozenset[str]

    @classmethod
    def of(cls, own: Mapping[str, str]) -> Code:
        """Return the modules among `own`: real path, and the path in RECORD."""
        places: dict[str, str] = {}
        packages: set[str] = set()
        for real, path in own.items():
            name = module_of(path)
            if name and path.endswith(".py"):
                places.setdefault(name, real)
                packages.update([name] if path.endswith("/__init__.py") else [])
        return cls(places, frozenset(packages))

    @functools.cached_property
    def trees(self) -> Mapping[str, ast.Module]:
        """The syntax trees of the modules that can be read, as long as they are not too many."""
        trees, left = {}, LIMIT
        for module, place in sorted(self.places.items()):
            with contextlib.suppress(OSError, SyntaxError):
                left -= os.path.getsize(place)
                if left > 0:
                    trees[module] = tree_of(place)
        return trees

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
                    if module in self.places and module != name:
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
            waiting += [name for one in certain for name in one.candidates if name in self.places]
        return frozenset(seen)

    def is_optional(self, module: str) -> bool:
        """Whether all that import `module` do so under a condition, or go on without it; and somebody does."""
        who = [one.place for one in self.importers.get(module, ()) if not one.place.typing]
        return bool(who) and all(place.guarded or place.conditional for place in who)

    def wants(self, module: str, other: str) -> bool:
        """Whether `module` imports the top-level module `other` anywhere."""
        return any(one.module.partition(".")[0] == other for one in self.imports.get(module, ()))

    def raises_at(self, place: str, line: int) -> bool:
        """Whether an exception is raised on purpose at that line of the file `place`, one of ours or another."""
        try:
            return raises_at(tree_of(place), line)
        except (OSError, SyntaxError):
            return False


def tree_of(place: str) -> ast.Module:
    """Return the syntax tree of the file at `place`. Raises OSError and SyntaxError."""
    with open(place, "rb") as file:
        return parsed(file.read())
