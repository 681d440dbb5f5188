"""The copy of 129 files that projects had before there was a pinned program: recognised, and taken out again.

What is byte for byte ours goes; what somebody changed or added stays, and is named.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.adoption.changes import Change
from seatrial.adoption.template import QUESTIONS, Answers
from seatrial.machine import disk
from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWERS = ".seatrial.yml"
PIN = ".seatrial.txt"
MARK = 'PACKAGE = "seatrial_tasks"'  # in the register.py of every copy
MANIFEST = Path(__file__).with_name("former.txt")
CALL = re.compile(
    r'^runpy\.run_(?:path\("[^"\n]*/re(?:gister|lease)\.py"\)|module\("seatrial\.register".*\))$', re.MULTILINE
)
ATTRIBUTES = re.compile(rb"# seatrial: the copy is compared byte for byte\r?\n/[^\n]*/\*\* text eol=lf\r?\n")


class Former(Value):
    """The old copy in a project: its answers, the files that are `ours`, and those in its folder that are `theirs`."""

    answers: Answers
    ours: tuple[str, ...]
    theirs: tuple[str, ...]


def find(root: Path) -> Former | None:
    """Return the old copy in the project in `root`, None where there is none."""
    copies = [path.parent for path in sorted(root.glob("*/register.py")) if MARK in _text(path)]
    answers_file = root / ANSWERS
    if not copies and not answers_file.is_file():
        return None
    kept = _text(answers_file) if answers_file.is_file() else ""  # by Copier
    pairs = dict(re.findall(r"^(\w+): *['\"]?([^'\"\n]*)['\"]? *$", kept, re.MULTILINE))
    answers = {name: pairs[name] for name in QUESTIONS if name in pairs and name != "pythons"}  # which the settings say
    if copies:
        answers["folder"] = copies[0].name
    manifest = _manifest()
    ours: list[str] = []
    theirs: list[str] = []
    for path in (path for copy in copies for path in sorted(copy.rglob("*")) if path.is_file()):
        name = path.relative_to(root)
        if "__pycache__" not in name.parts:
            known = manifest.get("/".join(name.parts[1:]))
            (ours if known and known == _sha256(disk.read(path)) else theirs).append(name.as_posix())
    ours += [ANSWERS] if answers_file.is_file() else []
    if (root / PIN).is_file():
        (ours if re.search(r"^seatrial==", _text(root / PIN), re.MULTILINE) else theirs).append(PIN)
    return Former(answers, tuple(ours), tuple(theirs))


def removals(root: Path, former: Former) -> list[Change]:
    """Return what takes the old copy out of the project in `root`."""
    changes = [Change(name, disk.read(root / name), None) for name in former.ours]
    attributes = root / ".gitattributes"
    if attributes.is_file() and (kept := ATTRIBUTES.sub(b"", before := disk.read(attributes))) != before:
        changes.append(Change(".gitattributes", before, kept if kept.strip() else None))
    return changes


def is_our_workflow(text: str) -> bool:
    """Whether `text` is a workflow or pipeline of the old template for some set of answers."""
    return _sha256(skeleton(text).encode()) in _manifest().values()


def skeleton(text: str) -> str:
    """Return the workflow `text` without the answers that can be anything."""
    text = re.sub(r"(pip install(?: --require-hashes)? -r) \S+", r"\1 LOCK", text.replace("\r\n", "\n"))
    text = re.sub(r" -s \S*?(build|check|testpypi|verify|pypi|dryrun|status)\b", r" -s \1", text)
    return re.sub(r"PYTHON: \[.*\]", "PYTHON: []", re.sub(r'name: ".*?"', 'name: ""', text))


def _manifest() -> Mapping[str, str]:
    """Return the sha256 of each file of the old copy by name; workflows have their sha256 as name."""
    pairs = re.findall(r"^([0-9a-f]{64})  (\S+)$", MANIFEST.read_text(encoding="utf-8"), re.MULTILINE)
    return {sha256 if name == "workflow" else name: sha256 for sha256, name in pairs}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def _text(path: Path) -> str:
    return disk.read(path).decode("utf-8", "replace")
