"""How the modules of a distribution import each other, by their source: which of them is reached from which."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .names import module_of
from .source import Import, imports, parsed, raises_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclass(frozen=True)
class Code:
    """The modules of a distribution that have source: what reads each, and which of them are packages.

    They are parsed when they are asked for; `known` has what that gave.
    """

    readers: Mapping[str, Callable[[], bytes]]
    packages: frozenset[str]
    known: dict[str, list[Import]] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Iterable[tuple[str, Callable[[], bytes]]]) -> Code:
        """Return the code in `sources`, each a path relative to site-packages and what reads the file there."""
        listed = [(path, module_of(path), read) for path, read in sources if path.endswith(".py")]
        readers = {name: read for _, name, read in listed if name}
        return cls(readers, frozenset(name for path, name, _ in listed if name and path.endswith("/__init__.py")))

    def text(self, module: str) -> bytes:
        """Return the source of `module`, empty where it cannot be read."""
        try:
            return self.readers[module]()
        except (OSError, KeyError):
            return b""

    def imports(self, module: str) -> list[Import]:
        """Return what `module` imports; nothing where its source is no Python."""
        if module not in self.known:
            try:
                self.known[module] = imports(parsed(self.text(module)), module, package=module in self.packages)
            except SyntaxError:
                self.known[module] = []
        return self.known[module]

    def importers(self, module: str) -> list[Import]:
        """Return the imports of `module` by other modules."""
        last = module.rpartition(".")[2].encode()
        others = (name for name in self.readers if name != module and last in self.text(name))
        return [one for name in others for one in self.imports(name) if module in one.candidates]

    def reached(self, roots: Iterable[str]) -> frozenset[str]:
        """Return the modules that are imported for certain, sooner or later, when `roots` are."""
        seen: set[str] = set()
        waiting = [root for root in roots if root in self.readers]
        while waiting:
            module = waiting.pop()
            if module in seen:
                continue
            seen.add(module)
            if "." in module:
                waiting.append(module.rpartition(".")[0])
            certain = (one for one in self.imports(module) if one.place.certain)
            waiting += [name for one in certain for name in one.candidates if name in self.readers]
        return frozenset(seen)

    def is_optional(self, module: str) -> bool:
        """Whether all that import `module` do so under a condition, or go on without it; and somebody does."""
        who = [one.place for one in self.importers(module) if not one.place.typing]
        return bool(who) and all(place.guarded or place.conditional for place in who)

    def wants(self, module: str, other: str) -> bool:
        """Whether `module` imports the top-level module `other` anywhere."""
        return any(one.module.partition(".")[0] == other for one in self.imports(module))


def raises_on_purpose(place: str, line: int) -> bool:
    """Whether there is a ``raise`` at that line of the file `place`."""
    try:
        return raises_at(parsed(read_bytes(place)), line)
    except (OSError, SyntaxError):
        return False


def read_bytes(place: str) -> bytes:
    with open(place, "rb") as file:
        return file.read()
