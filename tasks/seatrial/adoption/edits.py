"""What adopting changes in files that are there already: lines are added, and nothing is taken away.

The workflows of a project that has adopted are brought up to date, with the owner's own edits kept.
"""

from __future__ import annotations

import ast
import hashlib
import io
import itertools
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.building import git
from seatrial.machine.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Sequence

IMPORT = "import runpy"
HISTORY = 100  # commits that are searched for the workflow as it was written


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
    text = _with_import(whole, end).rstrip("\r\n") + end * 3
    return f"{text}# The release sessions, last, so that the others keep their names.{end}{call}{end}"


def _with_import(noxfile: str, end: str) -> str:
    """Return `noxfile` with ``import runpy`` where a formatter would put it, unless it is there."""
    lines = io.StringIO(noxfile, newline="").readlines()  # as Python counts lines: a form feed ends none
    tree = ast.parse(noxfile)
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom)) and not _is_head(node)]
    if any(isinstance(node, ast.Import) and "runpy" in _names(node) for node in imports):
        return noxfile
    if not imports:
        head = list(itertools.takewhile(_is_head, tree.body))
        place, extra = (head[-1].end_lineno or head[-1].lineno) if head else 0, [end]
    elif _names(imports[0])[0].partition(".")[0] in sys.stdlib_module_names:
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


def _is_head(node: ast.stmt) -> bool:
    """Whether it is a docstring or a ``__future__`` import."""
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def _names(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]


def digest(text: str) -> str:
    """Return the sha256 of a workflow, line ends evened out."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode("utf-8", "surrogateescape")).hexdigest()


def merged(root: Path, name: str, text: str, written: str, new: str) -> str | None:
    """Return the workflow `name`, which is `text` now, brought from what was written (by sha256) to `new`.

    Edits are carried over as git does it, from the project's history, with its marks where both changed the same lines.
    None where what was written is not found there.
    """
    if digest(text) == written:
        return new
    base = _in_history(root, name, written)
    if base is None:
        return None
    with tempfile.TemporaryDirectory(prefix="seatrial-adopt-", ignore_cleanup_errors=True) as scratch:
        paths = {label: Path(scratch) / label for label in ("yours", "before", "seatrial")}
        for path, content in zip(paths.values(), (text.replace("\r\n", "\n"), base, new), strict=True):
            path.write_bytes(content.encode("utf-8", "surrogateescape"))
        labels = [word for label in paths for word in ("-L", label)]
        git.run(Path(scratch), "merge-file", *labels, *map(str, paths.values()), missing="")  # fails by conflicts
        return paths["yours"].read_bytes().decode("utf-8", "surrogateescape")


def _in_history(root: Path, name: str, written: str) -> str | None:
    """Return the file `name` as the project's history has it with this sha256, None where it does not."""
    try:
        commits = git.run(root, "log", f"--max-count={HISTORY}", "--format=%H", "--", name, missing="").split()
        texts = (git.run(root, "show", f"{commit}:./{name}", missing="").replace("\r\n", "\n") for commit in commits)
        return next((text for text in texts if digest(text) == written), None)
    except (ReleaseError, OSError):  # no git, or a repository that cannot be read
        return None
