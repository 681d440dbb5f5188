"""The changes to a project: shown first, then made all or not at all.

To a file that is there already lines are added, and nothing is taken away. The workflows of a project that has adopted
are brought up to date, with the owner's own edits kept.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import hashlib
import io
import itertools
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.building import git
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HISTORY = 100  # commits that are searched for the workflow as it was written


class LinkLeadsOut(ReleaseError):
    path: Path
    target: Path

    what = "{e.path} would be written through a symlink to {e.target}, which is outside the project."
    cause = "a symlink in the project that leads to a place other projects may share."
    cure = "replace the link with a folder or file of its own, commit, and run this again; nothing was written."


class Change(Value):
    """A file of the project, by name, before and after; None means that it does not exist."""

    name: str
    before: bytes | None
    after: bytes | None

    @property
    def diff(self) -> str:
        """The change as a person reads it."""
        before, after = ((content or b"").decode("utf-8", "replace") for content in (self.before, self.after))
        return difference(before, after, self.name)


def difference(before: str, after: str, name: str) -> str:
    """Return how two texts of the file `name` differ, line ends left out."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="", n=1)
    return "\n".join(lines)


def stop_if_a_link_leads_out(root: Path, changes: Iterable[Change]) -> None:
    """Raise LinkLeadsOut where one of `changes` would be made outside of the project in `root`."""
    for change in changes:
        target = (root / change.name).resolve()
        if not target.is_relative_to(root.resolve()):
            raise LinkLeadsOut(root / change.name, target)


def make(root: Path, changes: Sequence[Change]) -> None:
    """Make all of `changes` in the project in `root`, or none: what was done is undone when anything goes wrong.

    Raises LinkLeadsOut and OSError.
    """
    stop_if_a_link_leads_out(root, changes)
    with contextlib.ExitStack() as undo:
        for change in changes:
            _make(root, change, undo)
        undo.pop_all()
    gone = [change for change in changes if change.after is None]
    emptied = {parent for change in gone for parent in _below(root, change)}
    for folder in sorted(emptied, key=lambda folder: len(folder.parts), reverse=True):  # the innermost first
        _remove_folder(folder)


def _make(root: Path, change: Change, undo: contextlib.ExitStack) -> None:
    path = root / change.name
    for folder in reversed(_below(root, change)):
        if not folder.exists():
            folder.mkdir()
            undo.callback(_remove_folder, folder)
    if change.before is None:
        with path.open("xb") as file:  # what is there after all is not ours to undo
            undo.callback(path.unlink)
            file.write(change.after or b"")
        return
    place = path if change.after is None else path.resolve()  # a symlink within the project stays one
    mode = stat.S_IMODE(place.stat().st_mode)
    undo.callback(_replace, place, change.before, mode)
    if change.after is None:
        place.unlink()
    else:
        _replace(place, change.after, mode)


def _replace(path: Path, content: bytes, mode: int) -> None:
    """Put a new file at `path`: to write into the old one would change it wherever else it is hard-linked."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        new.chmod(mode)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _below(root: Path, change: Change) -> list[Path]:
    """Return the folders of the project that the file is in, innermost first."""
    return [folder for folder in (root / change.name).parents if folder.is_relative_to(root) and folder != root]


def _remove_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def undoing(root: Path, changes: Sequence[Change]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what undoes `changes` before they are made: the files for git to restore, and what is to be deleted.

    A folder that is new is named once, without what is in it.
    """
    restored = tuple(change.name for change in changes if change.before is not None)
    created = {
        [root / change.name, *(folder for folder in _below(root, change) if not folder.exists())][-1]
        for change in changes
        if change.before is None
    }
    return restored, tuple(sorted(path.relative_to(root).as_posix() for path in created))


def with_lines(text: str, lines: Sequence[str], heading: str) -> str:
    """Return `text` with those of `lines` that it lacks at its end, under `heading`, in its own line ends."""
    there = {line.strip().strip("/") for line in text.splitlines()}
    missing = [line for line in lines if line.strip("/") not in there]
    if not missing:
        return text
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text or text.endswith("\n") else end
    return text + gap + "".join(line + end for line in (*([""] if text else []), heading, *missing))


def with_sessions(noxfile: str, call: str) -> str:
    """Return `noxfile` with the two lines that load the release sessions: the import in its place, `call` last."""
    end = "\r\n" if "\r\n" in noxfile else "\n"
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
    statement = f"import runpy{end}"
    if not imports:
        head = list(itertools.takewhile(_is_head, tree.body))
        place = (head[-1].end_lineno or head[-1].lineno) if head else 0
        added = [*([end] if head else []), statement, end]
    elif _names(imports[0])[0].partition(".")[0] in sys.stdlib_module_names:
        place, added = _among(imports), [statement]
    else:
        place, added = imports[0].lineno - 1, [statement, end]
    return "".join([*lines[:place], *added, *lines[place:]])


def _among(imports: list[ast.Import | ast.ImportFrom]) -> int:
    """Return the line before which the import goes: plain imports first and in order, as isort has it."""
    place = imports[0].lineno - 1
    for node in imports:
        if node.lineno > place + 1:  # the next block
            break
        if isinstance(node, ast.ImportFrom) or _names(node)[0] > "runpy":
            return node.lineno - 1
        place = node.end_lineno or node.lineno
    return place


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
    try:
        commits = git.run(root, "log", f"--max-count={HISTORY}", "--format=%H", "--", name, missing="").split()
        texts = (git.run(root, "show", f"{commit}:./{name}", missing="").replace("\r\n", "\n") for commit in commits)
        base = next((text for text in texts if digest(text) == written), None)
    except (ReleaseError, OSError):  # no git, or a repository that cannot be read
        return None
    if base is None:
        return None
    with tempfile.TemporaryDirectory(prefix="seatrial-adopt-", ignore_cleanup_errors=True) as scratch:
        paths = {label: Path(scratch) / label for label in ("yours", "before", "seatrial")}
        for path, content in zip(paths.values(), (text.replace("\r\n", "\n"), base, new), strict=True):
            path.write_bytes(content.encode("utf-8", "surrogateescape"))
        labels = [word for label in paths for word in ("-L", label)]
        git.run(Path(scratch), "merge-file", *labels, *map(str, paths.values()), missing="")  # fails by conflicts
        return paths["yours"].read_bytes().decode("utf-8", "surrogateescape")
