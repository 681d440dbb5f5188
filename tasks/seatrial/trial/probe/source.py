"""What the source of modules says they import, under which conditions, and what that reaches: read, never run.

Standard library only and Python 3.8, as all that runs beside the probe; `trial.static` reads archives with it as well.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .names import module_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

# Exceptions whose handler makes an import optional.
CATCHING = frozenset(("ImportError", "ModuleNotFoundError", "Exception", "BaseException"))
TYPING = frozenset(("TYPE_CHECKING", "MYPY", "MYPY_CHECK_RUNNING"))
SURROUNDINGS = frozenset(
    "find_spec find_loader version_info hexversion platform system implementation python_implementation modules".split()
)
TRIES = tuple(kind for kind in (ast.Try, getattr(ast, "TryStar", None)) if kind)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
PARTS = ("body", "orelse", "cases")  # of what holds statements, but for `if` and `try`


@dataclass(frozen=True)
class Place:
    """Where a statement stands: in a function, in a `try` that catches what it raises, behind a condition.

    One that is in none of these is executed whenever the module is imported, and its failure is that of the module.
    """

    lazy: bool = False
    guarded: bool = False
    conditional: bool = False
    typing: bool = False


@dataclass(frozen=True)
class Import:
    """An import of the module `module`, or of `name` from it (empty for none); `place` says when it is executed."""

    module: str
    name: str
    line: int
    place: Place

    @property
    def candidates(self) -> tuple[str, ...]:
        """The modules that may be meant: `name` may be a module or something in one."""
        return (f"{self.module}.{self.name}", self.module) if self.name not in {"", "*"} else (self.module,)


def parsed(source: bytes | str, *, feature_version: tuple[int, int] | None = None) -> ast.Module:
    """Return the syntax tree of `source`. Raises SyntaxError, also for what no decoder reads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source, feature_version=feature_version)
        except (ValueError, MemoryError, RecursionError) as error:
            raise SyntaxError(str(error)) from None


def imports(tree: ast.Module, module: str, *, package: bool) -> list[Import]:
    """Return the imports in `tree`, the source of `module`, their names absolute; `package` says that it is one.

    A relative import that leaves the top is not among them.
    """
    base = module.split(".") if package else module.split(".")[:-1]
    found: list[Import] = []
    for node, place in statements(tree):
        if isinstance(node, ast.Import):
            found += [Import(_spelt(alias.name), "", node.lineno, place) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level <= len(base):
            above = base[: len(base) - node.level + 1] if node.level else []
            target = ".".join([*above, node.module] if node.module else above)
            found += [Import(_spelt(target), alias.name, node.lineno, place) for alias in node.names]
    return found


def _spelt(module: str) -> str:
    """Return the name of `module` itself where its file is imported: ``demo.__init__``."""
    return re.sub(r"\.__init__$", "", module)


def statements(tree: ast.AST) -> Iterator[tuple[ast.AST, Place]]:
    """Yield each statement in `tree` with the place that it stands in, and what groups statements, in order."""
    waiting: list[tuple[ast.AST, Place]] = [(tree, Place())]
    while waiting:
        node, place = waiting.pop()
        yield node, place
        if isinstance(node, TRIES):
            conditional = replace(place, conditional=True)
            body = replace(place, guarded=place.guarded or any(CATCHING & caught(one) for one in node.handlers))
            waiting += _placed(node.finalbody, place)
            waiting += _placed((*node.handlers, *node.orelse), conditional)
            waiting += _placed(node.body, body)
        elif isinstance(node, ast.If):
            typing, conditional = last_name(node.test) in TYPING, replace(place, conditional=True)
            branch = replace(conditional, typing=place.typing or typing)
            waiting += _placed(node.orelse, place if typing else conditional)
            waiting += _placed(node.body, branch)
        else:
            if isinstance(node, (ast.With, ast.AsyncWith)) and any(suppresses(one, CATCHING) for one in node.items):
                place = replace(place, guarded=True)
            elif isinstance(node, FUNCTIONS):
                place = replace(place, lazy=True)
            waiting += _placed([child for part in PARTS for child in getattr(node, part, ())], place)


def _placed(body: Iterable[ast.AST], place: Place) -> list[tuple[ast.AST, Place]]:
    """Return the statements of `body` with their places, the last first.

    In a function, what follows an ``if`` that leaves stands behind its condition too.
    """
    found: list[tuple[ast.AST, Place]] = []
    for node in body:
        found.append((node, place))
        if place.lazy and isinstance(node, ast.If) and _guards(node):
            place = replace(place, conditional=True)
    return found[::-1]


def _guards(node: ast.If) -> bool:
    """Whether `node` leaves where Python, the system or a module is not as it has to be; most ask about arguments."""
    is_about = any(last_name(one) in SURROUNDINGS for one in ast.walk(node.test))
    return is_about and (_leaves(node.body) or _leaves(node.orelse))


def _leaves(body: Sequence[ast.stmt]) -> bool:
    """Whether what follows `body` is not executed after it."""
    last = body[-1] if body else None
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        return last_name(last.value.func) in {"exit", "_exit", "abort"}
    return isinstance(last, (ast.Return, ast.Raise, ast.Continue, ast.Break))


def caught(handler: ast.ExceptHandler) -> set[str]:
    """Return the names of the exceptions that `handler` takes: all of them, where it names none."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {last_name(kind) if kind else "BaseException" for kind in kinds}


def suppresses(item: ast.withitem, kinds: Collection[str]) -> bool:
    """Whether `item` is ``contextlib.suppress`` of one of `kinds`, or a helper of a test that skips where it is met."""
    call = item.context_expr
    named = isinstance(call, ast.Call) and last_name(call.func) in {"suppress", "raises"}
    return named and any(last_name(kind) in kinds for kind in getattr(call, "args", ()))


def last_name(node: ast.AST) -> str:
    """Return the name that `node` ends in, or an empty string."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def conditional_names(tree: ast.Module) -> Iterator[str]:
    """Yield the names that `tree` defines under a condition at the top: a module may have them on other systems."""
    for node, place in statements(tree):
        if place.conditional and not place.lazy:
            for one in (node, *getattr(node, "targets", ()), *getattr(node, "names", ())):
                yield str(getattr(one, "asname", None) or getattr(one, "name", None) or getattr(one, "id", ""))


def raises_on_purpose(place: str, line: int) -> bool:
    """Whether the statement at `line` of the file `place` raises an exception: ``raise``, or an assertion."""
    try:
        nodes = ast.walk(parsed(read_bytes(place)))
    except (OSError, SyntaxError):
        return False
    raising = (node for node in nodes if isinstance(node, (ast.Raise, ast.Assert)))
    return any(node.lineno <= line <= (node.end_lineno or node.lineno) for node in raising)


def read_bytes(place: str) -> bytes:
    with open(place, "rb") as file:
        return file.read()


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
            certain = (one for one in self.imports(module) if one.place == Place())
            waiting += [name for one in certain for name in one.candidates if name in self.readers]
        return frozenset(seen)

    def is_optional(self, module: str) -> bool:
        """Whether all that import `module` do so under a condition, or go on without it; and somebody does."""
        last = module.rpartition(".")[2].encode()
        others = (name for name in self.readers if name != module and last in self.text(name))
        places = [one.place for name in others for one in self.imports(name) if module in one.candidates]
        who = [place for place in places if not place.typing]
        return bool(who) and all(place.guarded or place.conditional for place in who)

    def wants(self, module: str, other: str) -> bool:
        """Whether `module` imports the top-level module `other` anywhere."""
        return any(one.module.partition(".")[0] == other for one in self.imports(module))
