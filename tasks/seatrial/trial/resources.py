"""Files that a module reads beside itself, by their literal names: ``__file__``, importlib.resources, pkgutil.

Read from the syntax tree alone. What is only perhaps a path, or only perhaps read, is not told.
"""

from __future__ import annotations

import ast
import posixpath
import re

from seatrial.trial.probe.source import FUNCTIONS, TRIES, caught, last_name, statements, suppresses

READING = frozenset({"read_text", "read_bytes", "open"})  # methods of a path
FOLDERS = frozenset({"dirname", "abspath", "realpath", "normpath", "str", "fspath", "Path", "PurePath", "resolve"})
SAME = frozenset({"resolve", "absolute", "as_posix", "__str__"})  # methods of a path that lead to the same file
# Functions of importlib.resources, pkgutil, pkg_resources.
OF_PACKAGES = frozenset("read_text read_binary open_text open_binary get_data resource_string resource_stream".split())
# Those, and what makes a path of another one.
SHAPING = frozenset({"dirname", "join", "joinpath", "with_name", "files", "as_file", *FOLDERS, *OF_PACKAGES})
HANDLING = frozenset({"OSError", "IOError", "FileNotFoundError", "EnvironmentError", "Exception", "BaseException"})
CAREFUL = frozenset(  # methods that ask whether a file is there, or make or remove it
    "exists is_file is_dir stat glob iterdir touch mkdir unlink rename replace".split()
)
SAYING = frozenset("print debug info warning error exception format".split())  # what only shows a path
WRITING = frozenset("wax+")
STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)
SIGNS = re.compile(rb"__file__|resource|get_data")  # of code that reads files beside itself


def reads(tree: ast.Module, module: str, *, package: bool) -> tuple[dict[str, int], frozenset[str]]:
    """Return the files that the code in `tree` of `module` reads beside itself, where it must find them.

    They are paths relative to site-packages, each with the line that reads it. Left out is what stands in a ``try`` or
    behind a condition. With them come the files that the module knows otherwise: it asks about them, or hands them to
    something that may make them.
    """
    paths = _Paths(tree, module, package=package)
    careful = {paths.value(one) for node in ast.walk(tree) if isinstance(node, ast.Call) for one in _handed_on(node)}
    handled = _handled(tree)
    found: dict[str, int] = {}
    for statement, place in statements(tree):
        if not place.conditional and not place.guarded:
            inside = (child for child in ast.iter_child_nodes(statement) if not isinstance(child, STATEMENTS))
            calls = (node for child in inside for node in ast.walk(child) if isinstance(node, ast.Call))
            for call in calls:
                path = None if id(call) in handled else paths.read_by(call)
                if path and path not in careful:
                    found.setdefault(path, call.lineno)
    return found, frozenset(filter(None, careful))


def _handled(tree: ast.Module) -> set[int]:
    """Return the ids of the nodes that go on without a file: under a net, or in a function that is called under one."""
    nets: list[ast.AST] = []
    functions: dict[str, list[ast.AST]] = {}
    for node in ast.walk(tree):
        is_try = isinstance(node, TRIES) and any(HANDLING & caught(handler) for handler in node.handlers)
        if is_try or (
            isinstance(node, (ast.With, ast.AsyncWith)) and any(suppresses(one, HANDLING) for one in node.items)
        ):
            nets.append(node)
        elif isinstance(node, FUNCTIONS):
            functions.setdefault(node.name, []).append(node)
    handled: set[int] = set()
    while nets:
        for inner in ast.walk(nets.pop()):
            handled.add(id(inner))
            if isinstance(inner, ast.Call):
                on = last_name(inner.func.value) if isinstance(inner.func, ast.Attribute) else "self"
                nets += functions.pop(last_name(inner.func), ()) if on in {"self", "cls"} else ()
    return handled


def _handed_on(call: ast.Call) -> list[ast.expr]:
    """Return the paths whose presence `call` asks about, or that it hands to something else than a reader."""
    name, on = last_name(call.func), [call.func.value] if isinstance(call.func, ast.Attribute) else []
    given = [*call.args, *(word.value for word in call.keywords)]
    if name == "open":
        return (on or call.args[:1]) if _writes(call) else []
    if name in CAREFUL or name.startswith("write_"):
        return [*on, *given]
    return [] if name in SHAPING or name in SAYING else given


def _writes(call: ast.Call) -> bool:
    """Whether the mode of an ``open`` is one that makes the file, or is not known."""
    at = 0 if isinstance(call.func, ast.Attribute) else 1
    modes = [*call.args[at : at + 1], *(word.value for word in call.keywords if word.arg == "mode")]
    return any(not isinstance(mode, ast.Constant) or WRITING.intersection(str(mode.value)) for mode in modes)


class _Paths:
    """What expressions of a module stand for, as paths relative to site-packages; None for what is not known."""

    def __init__(self, tree: ast.Module, module: str, *, package: bool) -> None:
        place = module.replace(".", "/")
        self.folder = place if package else posixpath.dirname(place)
        self.file = f"{place}/__init__.py" if package else f"{place}.py"
        values: dict[str, list[ast.expr]] = {}
        for node in ast.walk(tree):
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        values.setdefault(target.id, []).append(node.value)
        self.names = {name: given[0] for name, given in values.items() if len(given) == 1}  # which are assigned once

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
            number = node.slice.value if isinstance(node.slice, ast.Constant) else None
            path = self.value(node.value.value, depth + 1)
            return self._above(path, number + 1) if isinstance(number, int) and number >= 0 else None
        return self._called(node, depth + 1) if isinstance(node, ast.Call) else None

    def _called(self, node: ast.Call, depth: int) -> str | None:
        name = last_name(node.func)
        on = node.func.value if isinstance(node.func, ast.Attribute) else None
        first = node.args[0] if node.args else None
        if name == "files":
            return self.folder if first is None else self._package(first) or None
        if name == "dirname":
            return self._above(self.value(first, depth))
        if name == "join" and on is not None and last_name(on) == "path":
            return self._joined(self.value(first, depth), node.args[1:])
        if on is not None and name in {"joinpath", "with_name"}:
            base = self.value(on, depth)
            return self._joined(self._above(base) if name == "with_name" else base, node.args)
        same = self.value(on if name in SAME else None, depth)
        return same if same is not None or name not in FOLDERS else self.value(first, depth)

    @staticmethod
    def _above(path: str | None, levels: int = 1) -> str | None:
        """Return the folder so many `levels` above `path`; one above site-packages is of nobody."""
        for _ in range(levels):
            path = posixpath.dirname(path) if path else None
        return path

    @staticmethod
    def _joined(base: str | None, parts: list[ast.expr]) -> str | None:
        words = [part.value if isinstance(part, ast.Constant) else None for part in parts]
        if base is None or not words or not all(isinstance(word, str) and word for word in words):
            return None
        path = posixpath.normpath(posixpath.join(base, *map(str, words)))
        return None if path.startswith(("..", "/")) else path

    def _package(self, node: ast.expr) -> str | None:
        """Return the folder of what `node` names: a package by a literal, or this module's own."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value.replace(".", "/")
        return self.folder if isinstance(node, ast.Name) and node.id in {"__package__", "__name__"} else None

    def read_by(self, call: ast.Call) -> str | None:
        """Return the file that `call` reads, if it is one beside the module, and not that itself."""
        name, args, path = last_name(call.func), call.args, None
        on = call.func.value if isinstance(call.func, ast.Attribute) else None
        if args and (name == "as_file" or (name == "open" and on is None and not _writes(call))):
            path = self.value(args[0])
        elif name in READING and on is not None and not (name == "open" and _writes(call)):
            path = self.value(on)
        if path not in {None, "", self.file, self.folder}:
            return path
        return self._joined(self._package(args[0]), args[1:2]) if name in OF_PACKAGES and len(args) > 1 else None
