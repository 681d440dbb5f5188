"""Files that a module reads beside itself, by their literal names: ``__file__``, importlib.resources, pkgutil.

Read from the syntax tree alone. What is only perhaps a path, or only perhaps read, is not told.
"""

from __future__ import annotations

import ast
import posixpath
import re
from typing import TYPE_CHECKING

from seatrial.machine.values import Value
from seatrial.trial.probe.source import statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

READING = frozenset({"read_text", "read_bytes", "open"})  # methods of a path
FOLDERS = frozenset({"dirname", "abspath", "realpath", "normpath", "str", "fspath", "Path", "PurePath", "resolve"})
SAME = frozenset({"resolve", "absolute", "as_posix", "__str__"})  # methods of a path that lead to the same file
OF_PACKAGES = frozenset(  # importlib.resources, pkgutil, pkg_resources
    ("read_text", "read_binary", "open_text", "open_binary", "get_data", "resource_string", "resource_stream")
)
HANDLING = frozenset({"OSError", "IOError", "FileNotFoundError", "EnvironmentError", "Exception", "BaseException"})
ASKING = frozenset({"exists", "is_file", "isfile", "is_dir", "isdir", "glob", "iterdir", "listdir"})
WRITING = frozenset("wax+")
STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)
SIGNS = re.compile(rb"__file__|resource|get_data")  # of code that reads files beside itself


class Read(Value):
    """A file that is read at `line`: `path` is relative to site-packages."""

    path: str
    line: int


def reads(tree: ast.Module, module: str, *, package: bool) -> list[Read]:
    """Return the files that the code in `tree` of `module` reads beside itself, where it must find them.

    Left out is what stands in a ``try`` or behind a condition, and a file whose absence the module asks about, or that
    it writes.
    """
    paths = _Paths(tree, module, package=package)
    careful = {paths.value(node) for node in ast.walk(tree) for node in _asked_about(node)}
    handled = {id(inner) for node in ast.walk(tree) if _handles(node) for inner in ast.walk(node)}
    found: dict[str, Read] = {}
    for statement, place in statements(tree):
        if not place.conditional and not place.guarded:
            for call in _calls(statement):
                path = None if id(call) in handled else paths.read_by(call)
                if path and path not in careful:
                    found.setdefault(path, Read(path, call.lineno))
    return list(found.values())


def _calls(statement: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls in the expressions of `statement`, but for those of statements inside it."""
    inside = (child for child in ast.iter_child_nodes(statement) if not isinstance(child, STATEMENTS))
    yield from (node for child in inside for node in ast.walk(child) if isinstance(node, ast.Call))


def _handles(node: ast.AST) -> bool:
    """Whether `node` is a ``try`` that goes on without a file."""
    if not isinstance(node, ast.Try):
        return False
    kinds = [kind for handler in node.handlers for kind in _kinds(handler)]
    return any(kind in HANDLING for kind in kinds) or any(handler.type is None for handler in node.handlers)


def _kinds(handler: ast.ExceptHandler) -> list[str]:
    listed = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [_last(kind) for kind in listed if kind is not None]


def _asked_about(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the paths whose presence `node` asks about, or that it writes."""
    if not isinstance(node, ast.Call):
        return
    name = _last(node.func)
    if name in ASKING or name.startswith("write_") or name in {"touch", "mkdir", "unlink", "remove"}:
        yield from [node.func.value] if isinstance(node.func, ast.Attribute) else []
        yield from node.args[:1]
    elif name == "open" and _writes(node):
        yield from [node.func.value] if isinstance(node.func, ast.Attribute) else node.args[:1]


def _writes(call: ast.Call) -> bool:
    """Whether the mode of an ``open`` is one that makes the file, or is not known."""
    at = 0 if isinstance(call.func, ast.Attribute) else 1
    modes = [*call.args[at : at + 1], *(word.value for word in call.keywords if word.arg == "mode")]
    return any(not isinstance(mode, ast.Constant) or WRITING.intersection(str(mode.value)) for mode in modes)


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


class _Paths:
    """What expressions of a module stand for, as paths relative to site-packages; None for what is not known."""

    def __init__(self, tree: ast.Module, module: str, *, package: bool) -> None:
        self.module = module
        self.folder = module.replace(".", "/") if package else posixpath.dirname(module.replace(".", "/"))
        self.file = f"{self.folder}/__init__.py" if package else f"{module.replace('.', '/')}.py"
        self.names: Mapping[str, ast.expr] = self._assigned(tree)

    @staticmethod
    def _assigned(tree: ast.Module) -> dict[str, ast.expr]:
        """Return the names that are assigned once, and what each stands for."""
        values: dict[str, list[ast.expr]] = {}
        for node in ast.walk(tree):
            targets = node.targets if isinstance(node, ast.Assign) else []
            if isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
                targets = [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    values.setdefault(target.id, []).append(node.value)  # type: ignore[attr-defined]
        return {name: given[0] for name, given in values.items() if len(given) == 1}

    def value(self, node: ast.expr | None, depth: int = 0) -> str | None:
        """Return the path that `node` stands for."""
        if node is None or depth > 20:  # noqa: PLR2004 (nobody's path is that deep, and names may go in a circle)
            return None
        if isinstance(node, ast.Name):
            return self.file if node.id == "__file__" else self.value(self.names.get(node.id), depth + 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            return self._joined(self.value(node.left, depth + 1), [node.right])
        if isinstance(node, ast.Attribute) and node.attr == "parent":
            return self._above(self.value(node.value, depth + 1))
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "parents":
            return self._ancestor(node, depth)
        return self._called(node, depth + 1) if isinstance(node, ast.Call) else None

    def _ancestor(self, node: ast.Subscript, depth: int) -> str | None:
        """Return what ``path.parents[N]`` stands for."""
        path = self.value(node.value.value, depth + 1)  # type: ignore[attr-defined]
        number = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if not isinstance(number, int) or number < 0:
            return None
        for _ in range(number + 1):
            path = self._above(path)
        return path

    def _called(self, node: ast.Call, depth: int) -> str | None:
        name = _last(node.func)
        on = node.func.value if isinstance(node.func, ast.Attribute) else None
        first = node.args[0] if node.args else None
        if name == "files" and (first is None or self._package(first)):
            return (self._package(first) or self.folder) if first is not None else self.folder
        if name == "dirname":
            return self._above(self.value(first, depth))
        if name == "join" and _last(on) == "path" if on is not None else False:
            return self._joined(self.value(first, depth), node.args[1:])
        if on is not None and name in {"joinpath", "with_name"} and self.value(on, depth) is not None:
            base = self.value(on, depth)
            return self._joined(self._above(base) if name == "with_name" else base, node.args)
        if on is not None and name in SAME and self.value(on, depth) is not None:
            return self.value(on, depth)
        return self.value(first, depth) if name in FOLDERS and first is not None else None

    @staticmethod
    def _above(path: str | None) -> str | None:
        """Return the folder of `path`; one above site-packages is of nobody."""
        return None if path in {None, ""} else posixpath.dirname(str(path))

    @staticmethod
    def _joined(base: str | None, parts: list[ast.expr]) -> str | None:
        words = [part.value if isinstance(part, ast.Constant) else None for part in parts]
        if base is None or not words or not all(isinstance(word, str) and word for word in words):
            return None
        path = posixpath.normpath(posixpath.join(base, *map(str, words)))
        return None if path.startswith(("..", "/")) else path

    def _package(self, node: ast.expr | None) -> str | None:
        """Return the folder of what `node` names: a package by a literal, or this module's own."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value.replace(".", "/")
        if isinstance(node, ast.Name) and node.id in {"__package__", "__name__"}:
            return self.folder
        return None

    def read_by(self, call: ast.Call) -> str | None:
        """Return the file that `call` reads, if it is one beside the module."""
        name, args = _last(call.func), call.args
        on = call.func.value if isinstance(call.func, ast.Attribute) else None
        if args and (name == "as_file" or (name == "open" and on is None and not _writes(call))):
            return self._file(self.value(args[0]))
        if name in READING and on is not None and not (name == "open" and _writes(call)):
            direct = self._file(self.value(on))
            if direct is not None:
                return direct
        return self._joined(self._package(args[0]), args[1:2]) if name in OF_PACKAGES and len(args) > 1 else None

    def _file(self, path: str | None) -> str | None:
        """Return `path` if it is that of a file which is not the module itself."""
        return path if path not in {None, "", self.file, self.folder} else None
