"""What adopting changes in files that are there already: lines are added, and nothing is taken away."""

from __future__ import annotations

import ast
import io
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

IMPORT = "import runpy"


def line_end(text: str) -> str:
    """Return the line end that `text` uses."""
    return "\r\n" if "\r\n" in text else "\n"


def with_lines(text: str, lines: Sequence[str], heading: str) -> str:
    """Return `text` with those of `lines` that it lacks at its end, under `heading`, in its own line ends."""
    there = {line.strip().strip("/") for line in text.splitlines()}
    missing = [line for line in lines if line.strip("/") not in there]
    if not missing:
        return text
    end = line_end(text)
    gap = "" if not text or text.endswith("\n") else end
    return text + gap + "".join(line + end for line in (*([""] if text else []), heading, *missing))


def with_sessions(noxfile: str, call: str) -> str:
    """Return `noxfile` with the two lines that load the release sessions: the import in its place, `call` last."""
    end = line_end(noxfile)
    whole = noxfile if not noxfile or noxfile.endswith("\n") else noxfile + end
    text = _with_import(whole, end)
    text = text.rstrip("\r\n") + end * 3
    return f"{text}# The release sessions, last, so that the others keep their names.{end}{call}{end}"


def _with_import(noxfile: str, end: str) -> str:
    """Return `noxfile` with ``import runpy`` where a formatter would put it, unless it is there."""
    lines = io.StringIO(noxfile, newline="").readlines()  # as Python counts lines: a form feed ends none
    tree = ast.parse(noxfile)
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom)) and not _is_future(node)]
    if any(isinstance(node, ast.Import) and "runpy" in _names(node) for node in imports):
        return noxfile
    if not imports:
        place, extra = _after_docstring(tree), [end]
    elif _is_standard(imports[0]):
        place, extra = _among(imports), []
    else:
        place, extra = imports[0].lineno - 1, [end]
    gap = [end] if not imports and place else []
    return "".join([*lines[:place], *gap, IMPORT + end, *extra, *lines[place:]])


def _among(imports: list[ast.Import | ast.ImportFrom]) -> int:
    """Return the line before which the import goes: plain imports first and in order, as isort has it."""
    block = imports[:1]
    for node in imports[1:]:
        if node.lineno > (block[-1].end_lineno or block[-1].lineno) + 1:
            break
        block.append(node)
    for node in block:
        if isinstance(node, ast.ImportFrom) or _names(node)[0] > "runpy":
            return node.lineno - 1
    return block[-1].end_lineno or block[-1].lineno


def _after_docstring(tree: ast.Module) -> int:
    """Return the line after the docstring and the ``__future__`` imports."""
    head = 0
    for node in tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (is_docstring or _is_future(node)):
            break
        head = node.end_lineno or node.lineno
    return head


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _is_standard(node: ast.Import | ast.ImportFrom) -> bool:
    return _names(node)[0].partition(".")[0] in sys.stdlib_module_names


def _names(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
