"""Is the copy in a project what it says it is? Compared file by file with these sessions, of the same version."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from seatrial.adoption.refusals import CopyDiffers, NotAdopted, OtherVersion
from seatrial.adoption.target import ANSWERS, copies_in, read
from seatrial.adoption.template import NOT_COPIED, SESSIONS
from seatrial.building import git
from seatrial.cli.register import VERSION
from seatrial.machine.errors import ReleaseError

if TYPE_CHECKING:
    from pathlib import Path

LOCKED_ON = "requirements/locked-on"
OLD = dt.timedelta(days=90)


def compare(root: Path) -> str:
    """Return the sentence that says that the copy in `root` is genuine.

    Raises NotAdopted, OtherVersion and CopyDiffers.
    """
    answers = read(root / ANSWERS)
    if answers is None:
        raise NotAdopted(root)
    thin = _answer(answers, "copy") == "thin"
    folder = root / _answer(answers, "folder")
    if others := tuple(f"{one}/: is another copy" for one in copies_in(root) if thin or one != folder.name):
        raise CopyDiffers(root, VERSION, others)
    if thin:
        return "nothing is copied into this project: the package is pinned in .seatrial.txt"
    version = re.search(r'^VERSION = "([^"]+)"', read(folder / "register.py") or "", re.MULTILINE)
    if version and version[1] != VERSION:
        raise OtherVersion(folder, version[1], VERSION)
    ours, theirs = _files(SESSIONS), _files(folder) | _committed_caches(folder)
    if differences := tuple(_differences(ours, theirs)):
        raise CopyDiffers(folder, VERSION, differences)
    return f"{folder}: {len(ours)} files, all of them those of seatrial {VERSION}"


def age_warning(today: dt.date) -> str:
    """Return a warning where the rules and locks of these sessions are old, empty where they are not."""
    locked = dt.date.fromisoformat((SESSIONS / LOCKED_ON).read_text(encoding="utf-8").strip())
    if today - locked <= OLD:
        return ""
    return (
        f"warning: the rules and locks are of {locked}, {(today - locked).days} days ago."
        f" The indexes have moved on since: uvx copier update --answers-file {ANSWERS}"
    )


def _answer(answers: str, name: str) -> str:
    found = re.search(rf"^{name}: *['\"]?([^'\"\n]*)", answers, re.MULTILINE)
    return found[1].strip() if found else ""


def _files(folder: Path) -> dict[str, bytes]:
    """Return the files of a copy by name, line ends evened out; what Python and adopting put beside them left out."""
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        name.as_posix(): path.read_bytes().replace(b"\r\n", b"\n")
        for name, path in found.items()
        if "__pycache__" not in name.parts and (folder != SESSIONS or name.parts[0] not in NOT_COPIED)
    }


def _committed_caches(folder: Path) -> dict[str, bytes]:
    """Return the compiled files that git tracks: Python would run them in place of what is read here."""
    try:
        names = git.tracked(git.look(folder))
    except (ReleaseError, FileNotFoundError):
        return {}
    return {name: b"" for name in names if "__pycache__" in name}


def _differences(ours: dict[str, bytes], theirs: dict[str, bytes]) -> list[str]:
    found = [f"{name}: is missing" for name in sorted(ours.keys() - theirs.keys())]
    found += [f"{name}: does not belong here" for name in sorted(theirs.keys() - ours.keys())]
    found += [f"{name}: was changed" for name in sorted(ours.keys() & theirs.keys()) if ours[name] != theirs[name]]
    return found
