"""How far each step of a release is, and what the terminal shows of it in plain text. Nothing here decides anything."""

from __future__ import annotations

import re
from dataclasses import replace
from textwrap import dedent
from typing import TYPE_CHECKING, Literal

from seatrial.index.indexes import is_loopback
from seatrial.machine.errors import indented, printable
from seatrial.machine.terminal import size, visible
from seatrial.machine.values import Value
from seatrial.project.pythons import by_version
from seatrial.release import failures
from seatrial.release.stages import KINDS, Built, Checked, Problem, Rehearsed, Released, Stage, Verified
from seatrial.release.verdicts import Verdict
from seatrial.release.verdicts import verdicts as of_release

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from seatrial.release.archives import Archive
    from seatrial.release.record import Record
    from seatrial.release.stages import Again, Cell, Changes, Dist, Installed, Rebuilt

LICENCE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)
BESIDE = {"tests": frozenset({"test", "tests", "testing"}), "documentation": frozenset({"doc", "docs"})}
IN_A_LINE = 4  # names of modules
SHORT = 12  # characters of a commit
State = Literal["done", "part", "open", "failed"]
PAGE, SUMMARY = "report.html", "report.md"  # in the folder of the record
WORDS: Mapping[State, str] = {"done": "done", "part": "in part", "open": "not yet", "failed": "failed"}


class Failure(Value):
    """Why the step `name` failed, which no record holds: an error's text, the problems that `check` stops for."""

    name: str
    message: str = ""
    problems: tuple[Problem, ...] = ()


class Step(Value):
    """One of the five steps of a release: how far it is, when that was (UTC, ISO 8601), and its result in a line."""

    name: str
    state: State
    at: str = ""
    summary: str = ""


def steps(record: Record, failure: Failure | None = None, *, dry: bool = False) -> tuple[Step, ...]:
    """Return how far each of the five steps is, as recorded, and that one of them failed."""
    built, verified = record.find(Built), record.verified()
    if failure is None and (failed := failures.last(record)):
        failure = Failure(failed.step, failed.message, failed.problems)
    announced = {cell for cell in built.matrix if cell.kind in {dist.kind for dist in built.dists}} if built else set()
    done = {proof.cell for proof in verified}
    verify = _step("verify", max(verified, key=lambda proof: proof.at, default=None), dry=dry)
    if verified:
        state: State = "done" if announced <= done else "part"
        verify = Step("verify", state, verify.at, f"{len(done)} of {len(announced | done)} cells")
    if broken := [f"{one.python} {one.kind}" for one in failures.cells(record)]:
        verify = Step("verify", "failed", verify.at, f"{', '.join(broken)}{f'; {verify.summary}' if verified else ''}")
    recorded = (
        _step("build", built, dry=dry),
        _step("check", record.find(Checked), dry=dry),
        _step("testpypi", record.find(Rehearsed), dry=dry),
        verify,
        _step("pypi", record.find(Released), dry=dry),
    )
    if failure is None:
        return recorded
    said = failure.message.partition("\n")[0].removesuffix(":")  # of a list that is not shown here
    result = counted(failure.problems) or said
    return tuple(
        Step(step.name, "failed", "", result or step.summary) if step.name == failure.name else step
        for step in recorded
    )


def _step(name: str, stage: Stage | None, *, dry: bool) -> Step:
    return Step(name, "done", stage.at, summary(stage, dry=dry)) if stage else Step(name, "open")


def plural(count: int, noun: str, many: str = "") -> str:
    """Return `count` with its noun: "1 file", "2 files"."""
    return f"{count} {noun if count == 1 else many or f'{noun}s'}"


def summary(stage: Stage, *, dry: bool = False) -> str:
    """Return in a line what the step proved that made `stage`; in a `dry` run it was made with stand-ins."""
    match stage:
        case Built():
            dirty = " (not a clean tree)" if stage.dirty else ""
            commit = stage.commit[:SHORT] if stage.commit else "no commit"
            return f"from {commit}{dirty}: {', '.join(_sizes(stage.dists))}"
        case Checked():
            return _checked(stage)
        case Rehearsed() if stage.reason:
            return f"a stand-in on this machine ({stage.reason})"
        case Rehearsed() | Released() if dry:
            return "a stand-in on this machine"
        case Rehearsed() | Released():
            return f"{stage.index} (on this machine)" if is_loopback(stage.index) else stage.index
        case Verified():
            return _verified(stage)
    raise TypeError(stage)


def _sizes(dists: Sequence[Dist]) -> Iterator[str]:
    for kind in KINDS:
        if sizes := [dist.size for dist in dists if dist.kind == kind]:
            yield f"{kind if len(sizes) == 1 else plural(len(sizes), kind)} {size(sum(sizes))}"


def _checked(checked: Checked) -> str:
    files = {trial.filename for trial in checked.trials if not trial.through}
    pythons = sorted({trial.python for trial in checked.trials}, key=by_version)
    modules = {module for trial in checked.trials for module in trial.imported}
    tried = f"{plural(len(files), 'file')} tried on {' and '.join(pythons)}" if files else "no file tried"
    found = counted(checked.problems)
    rules = plural(len(checked.rules), "rule")
    return f"{rules}, {tried}, {plural(len(modules), 'module')}{f'; {found}' if found else ''}"


def counted(problems: Sequence[Problem]) -> str:
    """Return how many errors and warnings there are, each counted once however many files it is about."""
    severities = [problem.severity for problem, _ in together(problems)]
    counts = ((severities.count(severity), severity) for severity in ("error", "warning"))
    return ", ".join(plural(count, severity) for count, severity in counts if count)


def together(problems: Sequence[Problem]) -> list[tuple[Problem, tuple[str, ...]]]:
    """Return each problem once, errors first, with all the files it is about."""
    found: dict[tuple[str, str, str], tuple[Problem, set[str]]] = {}
    for one in problems:
        found.setdefault((one.severity, one.rule, one.message), (one, set()))[1].add(one.file)
    ordered = sorted(found.values(), key=lambda pair: pair[0].severity != "error")
    return [(first, tuple(sorted(files))) for first, files in ordered]


def on_pythons(found: Problem, pythons: Sequence[str]) -> Problem:
    """Return the problem as one that shows on `pythons`, which are not the one that runs us."""
    return replace(found, message=f"On Python {' and '.join(pythons)}: {found.message}")


def problem(found: Problem, files: Sequence[str]) -> str:
    """Return a problem in `files` as a line that begins with the code of its rule; a program's output hangs below."""
    first, _, rest = found.message.strip().partition("\n")
    return f"{found.rule}: {first} ({printable(', '.join(files))}){indented(dedent(rest)) if rest else ''}"


def problems(found: Sequence[Problem]) -> str:
    """Return all problems, errors first, each with the code of its rule and the files that it is about."""
    return "\n".join(f"  {one.severity}: {problem(one, files)}" for one, files in together(found))


def files(dists: Iterable[Dist]) -> str:
    """Return two lines a file: name and size, sha256."""
    return "\n".join(f"  {printable(dist.filename)}  {size(dist.size)}\n    sha256 {dist.sha256}" for dist in dists)


def cells(verified: Sequence[Verified], announced: Sequence[Cell]) -> str:
    """Return one line a cell of the matrix: what was verified on what, and what was not."""
    done = {proof.cell: proof for proof in verified}
    lines = []
    for cell in sorted({*announced, *done}, key=lambda cell: (by_version(cell.python), cell.kind)):
        result = _verified(done[cell]) if cell in done else "not verified (no such interpreter here, or not run yet)"
        lines.append(f"  Python {cell.python:8} {cell.kind:6} {result}")
    return "\n".join(lines)


def _verified(proof: Verified) -> str:
    ran = f", {plural(len(proof.ran), 'smoke command')} run" if proof.ran else ""
    place = f"Python {proof.python_version} on {proof.sys_platform}"
    return f"{imported(proof.imported)}; {place}, with {dependencies(proof.installed)}{ran}"


def imported(names: Sequence[str]) -> str:
    """Say in part of a line what was imported."""
    if not names:
        return "no importable modules"
    more = f" and {len(names) - IN_A_LINE} more" if len(names) > IN_A_LINE else ""
    return f"imported {', '.join(names[:IN_A_LINE])}{more}"


def dependencies(installed: Sequence[Installed]) -> str:
    """Say how many distributions came along; what a fresh environment has anyway (pip) came from nowhere."""
    return plural(sum(dist.origin is not None for dist in installed) - 1, "dependency", "dependencies")


def verdicts(found: Iterable[Verdict]) -> str:
    """Return one line a file: where it was verified, or why nowhere here."""
    lines = []
    for verdict in found:
        places = [f"Python {proof.python} on {proof.sys_platform} {proof.machine}" for proof in verdict.proofs]
        result = f"verified on {', '.join(places)}" if places else f"not verified here, {verdict.reason}"
        lines.append(f"  {verdict.dist.filename}: {result}")
    return "\n".join(lines)


def unverified(found: Iterable[Verdict]) -> str:
    """Return one line for each file that was verified nowhere here, with the reason."""
    return verdicts(verdict for verdict in found if not verdict.proofs)


def rehearsed_as(built: Built) -> str:
    """Say as which release a dry run rehearsed the commit."""
    why = f"as if this commit were tagged {built.supposed_tag}" if built.supposed_tag else "as its files call it"
    return f"rehearsed as {built.version}, {why}"


def of_files(record: Record) -> str:
    """Return the verdict on each file, where cells were verified and some of several wheels may be in none."""
    built, verified = record.find(Built), record.verified()
    if built is None or not verified or sum(dist.kind == "wheel" for dist in built.dists) <= 1:
        return ""
    return "files:\n" + verdicts(of_release(built, verified))


def changes(found: Changes) -> str:
    """Say in a line what a release changes, or why that is not known."""
    if found.since is None:
        return f"not compared with an earlier version: {found.reason}"
    moved = [member for file in found.files for member in file.members]
    added = sum(member.before is None for member in moved)
    removed = sum(member.after is None for member in moved)
    counts = [f"{plural(added, 'member')} added", f"{removed} removed", f"{len(moved) - added - removed} resized"]
    if more := sum(file.more for file in found.files):
        counts.append(f"{more} more")
    fields = f"; metadata: {visible(', '.join(one.field for one in found.fields))}" if found.fields else ""
    return f"since {found.since} on {found.index}: {', '.join(counts)}{fields}"


def for_packagers(sdist: Archive) -> str:
    """Say what an sdist holds of that which packagers look for beside the code. None of it is judged."""
    names = [member.name.partition("/")[2] for member in sdist.members]
    licences = sorted({name.rpartition("/")[2] for name in names if LICENCE.match(name.rpartition("/")[2])})
    said = f"{sdist.path.name} for packagers: licence files: {', '.join(licences) or 'none'}"
    for label, folders in BESIDE.items():
        count = sum(not folders.isdisjoint(name.split("/")[:-1]) for name in names)
        said += f"; {label}: {plural(count, 'file') if count else 'none'}"
    return said


def rebuilt(found: Rebuilt) -> str:
    """Return in one sentence what was built again, with what, and what came of it."""
    made_by = f"{found.made_by} and " if found.made_by and found.made_by not in found.requirements else ""
    return (
        f"The tag {found.tag}, built again {found.at} with {made_by}{found.requirements}, on Python {found.python}:"
        f" {found.verdict}, compared with {found.index}."
    )


def told_again(file: Again) -> str:
    """Return the verdict on `file` in a few words."""
    way = f" ({file.way})" if file.way else ""
    but = f" but for {' and '.join(file.packing)}" if file.packing and not file.differences else ""
    return f"{file.verdict}{way}{but}"
