"""``release.txt``: what the release sessions of a project install, each with its hashes.

Its head says for which seatrial it was written and what was chosen, for the next update. seatrial itself is pinned by
the hash of the wheel on an index, or by path, as a wheel beside the lock; everything else is as seatrial was
locked and tested. What a project has adopted can be compared with what this seatrial would write.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.adoption import former, origin, template
from seatrial.index import http
from seatrial.index.holdings import read_project
from seatrial.machine import disk
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.release import archives

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.adoption.origin import Origin
    from seatrial.index.indexes import Index

FILE = "release.txt"
VERSION = re.compile(r"^# seatrial (\S+?)(?: from (\S+))?, locked on (\d{4}-\d\d-\d\d)$", re.MULTILINE)
WHEEL = re.compile(r"^\./(\S+\.whl)(?: |$)")
HASHED = re.compile(r"(?:\./\S+\.whl|[\w.-]+==\S+)(?: *;.*?)?(?: --hash=sha256:[0-9a-f]{64})+")
LIMIT = 50 * 1024 * 1024  # bytes of a wheel of seatrial on an index
OLD = 90  # days


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


class Head(Value):
    """What the head of a lock says. `made` are the workflows that were written, by sha256."""

    version: str
    address: str
    locked_on: dt.date
    answers: Mapping[str, str]
    made: Mapping[str, str]

    def __str__(self) -> str:
        address = f" from {self.address}" if self.address else ""
        return (
            "# What the release sessions install, by hash. `seatrial adopt --update` writes this file again.\n"
            f"# seatrial {self.version}{address}, locked on {self.locked_on}\n"
            f"# answers: {json.dumps(dict(self.answers))}\n# made: {json.dumps(dict(self.made))}\n"
        )

    def age_warning(self, today: dt.date) -> str:
        """Return a warning where the lock is old, empty where it is not."""
        days = (today - self.locked_on).days
        if days <= OLD:
            return ""
        return f"warning: the lock is from {self.locked_on}, {days} days ago, and lacks what the tools have fixed since"


class Pin(Value):
    """How a lock names seatrial: a requirement, the hash of its wheel, and that wheel where it is beside the lock."""

    requirement: str
    sha256: str
    wheel: bytes | None = None

    def __str__(self) -> str:
        return f"{self.requirement} \\\n    --hash=sha256:{self.sha256}\n"


def read_head(text: str) -> Head | None:
    """Return what the head of the lock `text` says, None where it is not one of ours."""
    version = VERSION.search(text)
    if version is None:
        return None
    tables = dict(re.findall(r"^# (answers|made): (\{.*\})$", text, re.MULTILINE))
    try:
        answers, made = (
            {name: str(value) for name, value in json.loads(tables.get(table, "{}")).items()}
            for table in ("answers", "made")
        )
        return Head(version[1], version[2] or "", dt.date.fromisoformat(version[3]), answers, made)
    except ValueError:
        return None


def find(root: Path) -> list[tuple[Path, Head]]:
    """Return the locks in the folders of the project in `root`, with their heads."""
    paths = [path for path in sorted(root.glob(f"*/{FILE}")) if path.is_file()]
    heads = [read_head(_start(path)) for path in paths]
    return [(path, head) for path, head in zip(paths, heads, strict=True) if head]


def _start(path: Path) -> str:
    with path.open("rb") as file:  # of another kind it may be large
        return file.read(disk.TEXT_BYTES).decode("utf-8", "replace")


def pin(source: Origin, folder: str, index: Index) -> Pin:
    """Return how the lock in `folder` names the seatrial of `source`, which may be the one that `index` serves."""
    if not source.from_elsewhere and (sha256 := _served(source, index)):
        return Pin(f"{origin.NAME}=={source.version}", sha256)
    wheel = source.wheel
    return Pin(f"./{folder}/{source.filename}", hashlib.sha256(wheel).hexdigest(), wheel)


def _served(source: Origin, index: Index) -> str:
    """Return the hash of the wheel that `index` serves, empty unless it has the files that run here, and no others.

    Whoever owns the name there chooses the files, so nothing else of theirs is pinned: what an sdist builds is unknown.
    """
    try:
        files = read_project(index, origin.NAME, patient=False).files
        wheel = next((file for file in files if file.filename == source.filename and file.sha256), None)
        if wheel is None:
            return ""
        with tempfile.TemporaryDirectory(prefix="seatrial-adopt-", ignore_cleanup_errors=True) as scratch:
            path = Path(scratch) / source.filename
            http.download(index, wheel.url, path, limit=LIMIT, patient=False)
            is_ours = hashlib.sha256(path.read_bytes()).hexdigest() == wheel.sha256 and source.is_in(path)
    except (ReleaseError, ValueError, *archives.BROKEN):  # nobody answers, or not as an index does
        return ""
    return wheel.sha256 if is_ours else ""


def tools() -> str:
    """Return the pins of everything but seatrial, as seatrial was locked, without comments."""
    return template.without_comments(template.files()[template.PINS].decode())


def requirements(text: str) -> dict[str, str]:
    """Return the lines of a lock by what they name, that is without version and hashes: ``twine``, ``./x.whl``.

    One name with several markers has a line for each.
    """
    lines = re.sub(r" *\\\n *", " ", template.without_comments(text)).splitlines()
    return {re.sub(r"==\S+| *--hash=\S+", "", line).strip(): line for line in lines}


def compare(root: Path, source: Origin) -> list[str]:
    """Return sentences that confirm that the project in `root` has the copy and the lock of the seatrial of `source`.

    Raises NotAdopted, OtherVersion and CopyDiffers.
    """
    locks = find(root)
    if not locks:
        raise NotAdopted(root)
    path, head = locks[0]
    if head.version != source.version:
        raise OtherVersion(path, head.version, source.version)
    text = disk.read(path).decode("utf-8", "replace")
    copy, differences = path.parent / "release.py", []
    if not copy.is_file():
        differences.append("release.py: missing")
    elif disk.read(copy).replace(b"\r\n", b"\n") != template.files()[template.COPY]:
        differences.append("release.py: changed")
    differences += _of_lock(root, text, source)
    old = former.find(root)
    others = [other.parent.name for other, _ in locks[1:]]
    others += [old.answers.get("folder", former.ANSWERS)] if old else []
    differences += [f"{name}: another copy" for name in others]  # the noxfile could load sessions from it
    if differences:
        raise CopyDiffers(path.parent, source.version, tuple(differences))
    confirmed = [f"{copy} matches seatrial {source.version}, and {path.name} pins everything by hash"]
    theirs, ours = requirements(text), requirements(tools())
    if moved := sorted({name for name, _ in theirs.items() ^ ours.items() if "seatrial" not in name}):
        confirmed.append(f"versions other than those seatrial was locked with: {', '.join(moved)}")  # by a bot
    return confirmed


def _of_lock(root: Path, text: str, source: Origin) -> list[str]:
    """Return what is wrong with the lock: what has no hash, and a seatrial that is not this one."""
    lines = requirements(text).values()
    problems = [f"release.txt: no hash: {line}" for line in lines if not HASHED.fullmatch(line)]
    if not any(line.startswith("seatrial==") or WHEEL.match(line) for line in lines):
        problems.append("release.txt: seatrial itself is missing")
    for name, line in ((wheel[1], line) for line in lines if (wheel := WHEEL.match(line))):
        content = disk.read(root / name) if (root / name).is_file() else None
        if content is None:
            problems.append(f"{name}: missing")
        elif f"sha256:{hashlib.sha256(content).hexdigest()}" not in line:
            problems.append(f"{name}: does not match its hash in the lock")
        elif content != source.wheel:
            problems.append(f"{name}: contains a different seatrial from the one that compares")
    return problems
