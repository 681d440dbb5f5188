"""The changes to a project: shown first, then made all or not at all."""

from __future__ import annotations

import contextlib
import difflib
from typing import TYPE_CHECKING

from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


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
    for folder in dict.fromkeys(parent for change in gone for parent in _below(root, change)):
        _remove_folder(folder)


def _make(root: Path, change: Change, undo: contextlib.ExitStack) -> None:
    path = root / change.name
    for folder in reversed(_below(root, change)):
        if not folder.exists():
            folder.mkdir()
            undo.callback(_remove_folder, folder)
    if change.before is not None:
        undo.callback(path.write_bytes, change.before)
    if change.before is None:
        with path.open("xb") as file:  # what is there after all is not ours to undo
            undo.callback(path.unlink)
            file.write(change.after or b"")
    elif change.after is None:
        path.unlink()
    else:
        path.write_bytes(change.after)


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
