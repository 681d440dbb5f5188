"""What the sessions say of a release, in plain text. Nothing here decides anything."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from .errors import indented
from .stages import Built, Checked, Rehearsed, Released

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .archives import Archive
    from .record import Record
    from .stages import Cell, Dist, Installed, Problem, Verified

UNITS = ("B", "KiB", "MiB", "GiB")
STEP = 1024
LICENCE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)
TESTS, DOCS = frozenset({"test", "tests", "testing"}), frozenset({"doc", "docs"})
IN_A_LINE = 4  # names of modules


def say(text: str = "") -> None:
    """Print `text`; a terminal that cannot show a character gets its escape instead of an error."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()


def size(count: int) -> str:
    """Return a number of bytes for a person, in powers of 1024."""
    amount = float(count)
    for unit in UNITS[:-1]:
        if amount < STEP:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= STEP
    return f"{amount:.1f} {UNITS[-1]}"


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


def progress(record: Record, session: Mapping[str, str]) -> tuple[str, str]:
    """Return where the release stands, as a table, and the session that is next (empty: none)."""
    built = record.find(Built)
    if built is None:
        return "  nothing is built yet", "build"
    checked, rehearsed, released = record.find(Checked), record.find(Rehearsed), record.find(Released)
    verified = record.verified()
    rows = [
        ("build", f"{built.project} {built.version}, {len(built.dists)} files, {built.at}"),
        ("check", f"{_count(checked)}, {checked.at}" if checked else ""),
        ("testpypi", _where(rehearsed) if rehearsed else ""),
        ("verify", f"{len(verified)} of {len(built.matrix)} cells" if verified else ""),
        ("pypi", f"{released.index}, {released.at}" if released else ""),
    ]
    width = max(len(session[name]) for name, _ in rows)
    lines = (f"  {'done' if state else '  - '}  {session[name]:{width}}  {state}".rstrip() for name, state in rows)
    table = "\n".join(lines)
    return table, next((name for name, state in rows if not state), "")


def _where(rehearsed: Rehearsed) -> str:
    if rehearsed.reason is None:
        return f"{rehearsed.index}, {rehearsed.at}"
    return f"on a stand-in on this machine ({rehearsed.reason}), {rehearsed.at}"


def _count(checked: Checked) -> str:
    warnings = sum(problem.severity == "warning" for problem in checked.problems)
    return f"{len(checked.rules)} rules, {warnings} warnings"


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
