"""The workflows of a project that has adopted: brought up to date, with the owner's own edits kept."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from seatrial.building import git
from seatrial.machine.errors import ReleaseError

HISTORY = 100  # commits that are searched for the workflow as it was written


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
