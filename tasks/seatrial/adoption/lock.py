"""The lock of a thin project: the package `seatrial` and what it needs, by hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.adoption.refusals import NotOnIndex
from seatrial.adoption.template import SESSIONS
from seatrial.cli.register import VERSION
from seatrial.index.indexes import read_project
from seatrial.release.record import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.index.indexes import Index

FILE = ".seatrial.txt"
NEEDS = "requirements/nox.txt"  # nox brings all that the package needs


def write(root: Path, index: Index) -> None:
    """Write the lock into the project in `root`. Raises NotOnIndex."""
    write_whole(root / FILE, locked(index))


def locked(index: Index) -> str:
    """Return the lock for this version, as `index` serves it. Raises NotOnIndex."""
    ours = (f"seatrial-{VERSION}-", f"seatrial-{VERSION}.tar.gz")
    hashes = [one.sha256 for one in read_project(index, "seatrial") if one.filename.startswith(ours) and one.sha256]
    if not hashes:
        raise NotOnIndex(VERSION, index.name)
    options = "".join(f" \\\n    --hash=sha256:{sha256}" for sha256 in hashes)
    needs = (SESSIONS / NEEDS).read_text(encoding="utf-8")
    return f"# Written by `seatrial adopt --lock`.\nseatrial=={VERSION}{options}\n{needs}"
