"""Rules on RECORD, the list of a wheel's files (the binary distribution format)."""

import csv
from collections.abc import Iterator

from seatrial.rules.distribution import Distribution, some
from seatrial.rules.rule import WHEEL, rule, server

SIGNATURES = ("RECORD.jws", "RECORD.p7s")
REBUILD = "build it again, or repack it with `wheel unpack` and `wheel pack`"


@rule("wheel", "wheel-record", "refused", server("utils/wheel.py", "_validate_record", "everywhere"))
def record(dist: Distribution) -> Iterator[str]:
    """RECORD, the list of a wheel's files, is missing or cannot be read. PyPI answers that it is required.

    It has to be CSV in UTF-8, without blank lines (on one of which PyPI's server fails without a message).
    """
    _, fault = _rows(dist)
    if dist.info and fault:
        yield f"{dist.info}/RECORD, the list of a wheel's files, {fault}; {REBUILD}."


@rule("wheel", "wheel-record-mismatch", "warning", server("utils/wheel.py", "_validate_record", "everywhere"))
def record_mismatch(dist: Distribution) -> Iterator[str]:
    """RECORD does not list the files that the wheel contains. PyPI mails all owners of the project about it.

    Files that RECORD does not name are left behind when the package is uninstalled. Something was added to or taken
    from the wheel after it was built: `wheel unpack` and `wheel pack` rewrite RECORD.
    """
    rows, fault = _rows(dist)
    there = {name for name in dist.names if not name.endswith("\\")} - {f"{dist.info}/{name}" for name in SIGNATURES}
    if not fault and (unnamed := sorted(there - rows.keys())):
        yield f"RECORD, the list of a wheel's files, lacks {some(unnamed)}, which would never be removed; {REBUILD}."
    if absent := sorted(rows.keys() - there):
        yield f"RECORD, the list of a wheel's files, names {some(absent)}, and there is no such file; {REBUILD}."


@rule("wheel", "wheel-record-hash", "broken", WHEEL)
def record_hash(dist: Distribution) -> Iterator[str]:
    """RECORD has a wrong hash or size for a file. Installers that compare them refuse the wheel.

    A file was changed after RECORD was written: stripped, signed or repaired. `wheel unpack` and `wheel pack` rewrite
    RECORD; auditwheel, delocate and delvewheel do so by themselves.
    """
    sizes = {member.name: str(member.size) for member in dist.members}
    wrong = []
    for name, fields in _rows(dist)[0].items():
        algorithm, _, digest = fields[1].partition("=")
        hashed = dist.digests.get(name)
        if (hashed and algorithm == "sha256" and digest.rstrip("=") != hashed) or (
            fields[2] and name in sizes and fields[2] != sizes[name]
        ):
            wrong.append(name)
    if wrong:
        yield f"RECORD, the list of a wheel's files, has wrong hashes or sizes for {some(sorted(wrong))}; {REBUILD}."


def _rows(dist: Distribution) -> tuple[dict[str, list[str]], str]:
    """Return name, hash and size in RECORD, by name, and what is wrong with it, if anything: there are no rows then."""
    raw = dist.kept.get(f"{dist.info}/RECORD")
    if raw is None:
        return {}, "is missing"
    try:
        rows = list(csv.reader(raw.decode("utf-8").splitlines()))
    except UnicodeDecodeError:
        return {}, "is not UTF-8"
    except csv.Error as error:
        return {}, f"is not a CSV file ({error})"
    if not all(rows):
        return {}, "has a blank line in it"
    return {row[0].replace("\\", "/"): [*row, "", ""] for row in rows}, ""
