"""Compare what a project has adopted with what this seatrial would write, and check that all of it is pinned."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from seatrial.adoption import former, lock, template
from seatrial.machine.errors import ReleaseError

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.adoption.origin import Origin

WHEEL = re.compile(r"^\./(\S+\.whl)(?: |$)")
HASHED = re.compile(r"(?:\./\S+\.whl|[\w.-]+==\S+)(?: *;.*?)?(?: --hash=sha256:[0-9a-f]{64})+")


class NotAdopted(ReleaseError):
    folder: Path

    what = "{e.folder} has no release.txt from seatrial, so there is nothing to compare or update."
    cause = "the project has not adopted seatrial, or the file was deleted."
    cure = "put the release sessions into it: seatrial adopt {e.folder}"


class OtherVersion(ReleaseError):
    lock: Path
    theirs: str
    ours: str

    what = "{e.lock} was written for seatrial {e.theirs}; this is seatrial {e.ours}."
    cause = "one of the two was updated and the other was not."
    cure = "bring the project to this version: seatrial adopt --update; or compare with the version that the lock pins."


class CopyDiffers(ReleaseError):
    folder: Path
    version: str
    differences: tuple[str, ...]

    what = "{e.folder} differs from what seatrial {e.version} writes:{e.differences:listed}"
    cause = "somebody changed it. Code that runs during a release is where an attacker would put theirs."
    cure = "look at each (git log -p -- {e.folder}). `seatrial adopt --update` writes it again and shows what changes."


def compare(root: Path, source: Origin) -> list[str]:
    """Return sentences that confirm that the project in `root` has the copy and the lock of the seatrial of `source`.

    Raises NotAdopted, OtherVersion and CopyDiffers.
    """
    locks = lock.find(root)
    if not locks:
        raise NotAdopted(root)
    path, head = locks[0]
    if head.version != source.version:
        raise OtherVersion(path, head.version, source.version)
    text = path.read_bytes().decode("utf-8", "replace")
    copy, differences = path.parent / "release.py", []
    if not copy.is_file():
        differences.append("release.py: missing")
    elif copy.read_bytes().replace(b"\r\n", b"\n") != template.files()[template.COPY]:
        differences.append("release.py: changed")
    differences += _of_lock(root, text, source)
    old = former.find(root)
    others = [other.parent.name for other, _ in locks[1:]]
    others += [old.answers.get("folder", former.ANSWERS)] if old else []
    differences += [f"{name}: another copy" for name in others]  # the noxfile could load sessions from it
    if differences:
        raise CopyDiffers(path.parent, source.version, tuple(differences))
    confirmed = [f"{copy} matches seatrial {source.version}, and {path.name} pins everything by hash"]
    theirs, ours = lock.requirements(text), lock.requirements(lock.tools())
    if moved := sorted({name for name, _ in theirs.items() ^ ours.items() if "seatrial" not in name}):
        confirmed.append(f"versions other than those seatrial was locked with: {', '.join(moved)}")  # by a bot
    return confirmed


def _of_lock(root: Path, text: str, source: Origin) -> list[str]:
    """Return what is wrong with the lock: what has no hash, and a seatrial that is not this one."""
    lines = lock.requirements(text).values()
    problems = [f"release.txt: no hash: {line}" for line in lines if not HASHED.fullmatch(line)]
    if not any(line.startswith("seatrial==") or WHEEL.match(line) for line in lines):
        problems.append("release.txt: seatrial itself is missing")
    wheels = [(wheel[1], line) for line in lines if (wheel := WHEEL.match(line))]
    problems += [f"{name}: {problem}" for name, line in wheels if (problem := _of_wheel(root / name, line, source))]
    return problems


def _of_wheel(path: Path, line: str, source: Origin) -> str:
    if not path.is_file():
        return "missing"
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if f"sha256:{sha256}" not in line:
        return "does not match its hash in the lock"
    if sha256 != hashlib.sha256(source.wheel).hexdigest():
        return "contains a different seatrial from the one that compares"
    return ""
