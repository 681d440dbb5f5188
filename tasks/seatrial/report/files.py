"""``report.html`` and ``report.md`` beside the record. They are written anew where the record has moved on since."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from seatrial.cli.register import VERSION
from seatrial.release.record import locked_file, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from seatrial.release.record import Record
    from seatrial.release.stages import Problem
    from seatrial.report.facts import Facts

PAGE, SUMMARY = "report.html", "report.md"
MARK = re.compile(rb'name="seatrial-record" content="([0-9a-f]{64})"')
HEAD = 4096  # bytes of the page in which its mark is


def digest(record: Record) -> str:
    """Return one sha256 over all files of the record, and the version of what shows them."""
    hashed = hashlib.sha256(VERSION.encode())
    for path in sorted(record.folder.glob("*.json")):
        hashed.update(f"\n{path.name}\n".encode())
        hashed.update(path.read_bytes())
    return hashed.hexdigest()


def is_current(record: Record) -> bool:
    """Whether the report is there, and was made from the record as it is now."""
    place = record.folder / PAGE
    if not place.is_file() or not (record.folder / SUMMARY).is_file():
        return False
    with place.open("rb") as file:
        found = MARK.search(file.read(HEAD))
    return found is not None and found[1].decode() == digest(record)


def write(
    record: Record, session: Mapping[str, str], following: str, *, found: Sequence[Problem] = (), dry: bool = False
) -> Path | None:
    """Write both files and return the page; None where nothing is built. See `facts.gather` for what they take.

    Cells of `verify` may end side by side: who writes looks again afterwards, and who finds another at it lets it.
    """
    from seatrial.report.facts import gather  # noqa: PLC0415 (where nothing is to be written, none of it is loaded)

    with locked_file(record.folder / ".report.lock") as free:
        while free:
            mark = digest(record)
            facts = gather(record, session, following, found=found, dry=dry)
            if facts is None:
                return None
            _write(record.folder, facts, mark)
            if mark == digest(record):
                break
    return record.folder / PAGE


def _write(folder: Path, facts: Facts, mark: str) -> None:
    from seatrial.report.html import page  # noqa: PLC0415
    from seatrial.report.markdown import markdown  # noqa: PLC0415 (as above)

    write_whole(folder / SUMMARY, markdown(facts))
    write_whole(folder / PAGE, page(facts, mark))
