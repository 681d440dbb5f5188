"""What the sessions say of a release, in plain text. Nothing here decides anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from seatrial.machine import terminal
from seatrial.machine.errors import indented
from seatrial.machine.terminal import size as size  # noqa: PLC0414 (part of what is said)
from seatrial.release.stages import Built
from seatrial.release.verdicts import verdicts as of_release
from seatrial.report.markup import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from seatrial.release.archives import Archive
    from seatrial.release.record import Record
    from seatrial.release.stages import Cell, Changes, Dist, Installed, Problem, Verified
    from seatrial.release.verdicts import Verdict

LICENCE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)
TESTS, DOCS = frozenset({"test", "tests", "testing"}), frozenset({"doc", "docs"})
IN_A_LINE = 4  # names of modules


def say(text: str = "") -> None:
    """Print `text`; a terminal that cannot show a character gets its escape instead of an error."""
    terminal.line(text)


def files(dists: Iterable[Dist]) -> str:
    """Return one line a file: name, size, sha256."""
    return "\n".join(f"  {dist.filename}  {size(dist.size)}\n    sha256 {dist.sha256}" for dist in dists)


def problems(found: Sequence[Problem]) -> str:
    """Return the findings, errors first, each with its rule's code and the files that it was found in."""
    files: dict[tuple[str, str, str], list[str]] = {}
    for one in found:
        files.setdefault((one.severity, one.rule, one.message), []).append(one.file)
    lines = [
        f"  {severity}: {', '.join(sorted(set(names)))}: {_hanging(message)} [{rule}]"
        for (severity, rule, message), names in sorted(files.items(), key=lambda item: item[0][0] != "error")
    ]
    return "\n".join(lines)


def _hanging(message: str) -> str:
    first, *rest = message.strip().splitlines()
    return first + indented("\n".join(rest)) if rest else first


def cells(verified: Sequence[Verified], announced: Sequence[Cell]) -> str:
    """Return one line a cell of the matrix: what was verified on what, and what was not."""
    done = {one.cell: one for one in verified}
    lines = []
    for cell in sorted({*announced, *done}, key=_by_version):
        head = f"  Python {cell.python:8} {cell.kind:6}"
        one = done.get(cell)
        lines.append(
            f"{head} {_how(one)}" if one else f"{head} not verified (no such interpreter here, or not run yet)"
        )
    return "\n".join(lines)


def verdicts(found: Iterable[Verdict]) -> str:
    """Return one line a file: where it was verified, or why nowhere here."""
    return "\n".join(f"  {one.dist.filename}: {_verdict(one)}" for one in found)


def unverified(found: Iterable[Verdict]) -> str:
    """Return one line for each file that was verified nowhere here, with the reason."""
    return verdicts(one for one in found if not one.proofs)


def _verdict(one: Verdict) -> str:
    places = [f"Python {cell.python} on {cell.sys_platform} {cell.machine}" for cell in one.proofs]
    return f"verified on {', '.join(places)}" if places else f"not verified here, {one.reason}"


def _by_version(cell: Cell) -> tuple[list[int], str, str]:
    return [int(number) for number in re.findall(r"\d+", cell.python)], cell.python, cell.kind


def imported(names: Sequence[str]) -> str:
    """Say in part of a line what was imported."""
    if not names:
        return "nothing in it can be imported"
    more = f" and {len(names) - IN_A_LINE} more" if len(names) > IN_A_LINE else ""
    return f"imported {', '.join(names[:IN_A_LINE])}{more}"


def dependencies(installed: Sequence[Installed]) -> str:
    """Say how many distributions came along; what a fresh environment has anyway (pip) came from nowhere."""
    count = sum(one.origin is not None for one in installed) - 1
    return f"{count} {'dependency' if count == 1 else 'dependencies'}"


def _how(one: Verified) -> str:
    ran = f", {len(one.ran)} smoke commands run" if one.ran else ""
    place = f"Python {one.python_version} on {one.sys_platform}"
    return f"{imported(one.imported)}; {place}, with {dependencies(one.installed)}{ran}"


def changes(found: Changes) -> str:
    """Say in a line what a release changes, or why that is not known."""
    if found.since is None:
        return f"not compared with an earlier version: {found.reason}"
    moved = [member for file in found.files for member in file.members]
    added = sum(member.before is None for member in moved)
    removed = sum(member.after is None for member in moved)
    more = sum(file.more for file in found.files)
    told = f"{added} members added, {removed} removed, {len(moved) - added - removed} of another size"
    fields = f"; metadata: {visible(', '.join(one.field for one in found.fields))}" if found.fields else ""
    return f"since {found.since} on {found.index}: {told}{f', {more} more' if more else ''}{fields}"


def of_files(record: Record) -> str:
    """Return the verdict on each file, where cells were verified and some of several wheels may be in none."""
    built, verified = record.find(Built), record.verified()
    if built is None or not verified or sum(dist.kind == "wheel" for dist in built.dists) <= 1:
        return ""
    return "files:\n" + verdicts(of_release(built, verified))


def for_packagers(sdist: Archive) -> str:
    """Say what an sdist holds of that which packagers look for beside the code. None of it is judged."""
    names = [member.name.partition("/")[2] for member in sdist.members]
    licences = sorted({name.rpartition("/")[2] for name in names if LICENCE.match(name.rpartition("/")[2])})
    told = (
        f"licence files: {', '.join(licences) or 'none'}",
        f"tests: {_files_below(names, TESTS)}",
        f"documentation: {_files_below(names, DOCS)}",
    )
    return f"  {sdist.path.name} for packagers: {'; '.join(told)}"


def _files_below(names: Sequence[str], folders: frozenset[str]) -> str:
    count = sum(not folders.isdisjoint(name.split("/")[:-1]) for name in names)
    return f"{count} file{'' if count == 1 else 's'}" if count else "none"
