"""`verify`: what the index serves, installed as a stranger would, in environments that were never used."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.index import conflicts
from seatrial.index.holdings import OtherBytes, read_project
from seatrial.machine import temporary
from seatrial.machine.errors import ReleaseError, indented, listing
from seatrial.project.pythons import KNOWN_PYTHONS, PythonMissing
from seatrial.release.record import now
from seatrial.release.stages import Built, Cell, Rehearsed, Verified
from seatrial.report import status, text
from seatrial.steps.testpypi import elsewhere, kept, rehearsal
from seatrial.trial import interpreters
from seatrial.trial.installer import Installer, InstallFailed, Venv
from seatrial.trial.lowest import lowest
from seatrial.trial.tags import taken_by
from seatrial.trial.trial import use
from seatrial.workspace import siblings
from seatrial.workspace.candidate import Candidate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.index.indexes import Index
    from seatrial.project.context import Context
    from seatrial.release.stages import Installed
    from seatrial.trial.installer import Locks
    from seatrial.trial.trial import Use
    from seatrial.workspace.siblings import Sibling

USED = ".seatrial-used"  # marks an environment that was handed over, and is not empty any more


@dataclass(eq=False)
class NotVerifiable(ReleaseError):
    count: int
    index: str

    what = "The files that {e.index} serves do not work once installed: {e.shown}."
    cause = "this Python or platform, which `check` did not try; or a dependency that has since changed."
    cure = (
        "if the project is at fault, fix it and take the next version: this one is spent on {e.index}, and no other"
        " index has it. If it is this machine's or a dependency's fault, run `{run[verify]}` again: nothing is uploaded"
        " twice."
    )

    @property
    def shown(self) -> str:
        return f"{self.count} error{'s' if self.count != 1 else ''}, see above"


@dataclass(eq=False)
class LowestFailed(ReleaseError):
    pins: tuple[str, ...]
    reason: str

    what = "With the lowest direct dependencies that the metadata allows, this release does not work:{e.shown}"
    cause = "a lower bound that was never tried; or lowest versions that exclude each other, or are older than Python."
    cure = (
        "raise the bound to what does work (`dryrun` tries it before a version is spent), and take the next version."
        ' `resolution = "highest"` in [tool.seatrial] leaves this run out.'
    )

    @property
    def shown(self) -> str:
        return f"{listing(self.pins or ('(none has a lower bound)',))}{indented(self.reason)}"


@dataclass(eq=False)
class ReusedEnvironment(ReleaseError):
    folder: Path

    what = "verify was given an environment that was used before: {e.folder}"
    cause = "nox was run with -R or --reuse-venv=always; `verify` installs as a stranger does, into a fresh one."
    cure = "run nox without that flag, or with --reuse-venv=no."


@dataclass(eq=False)
class NoSuchCell(ReleaseError):
    python: str
    known: tuple[str, ...]

    what = "Python {e.python} is not in the matrix of this release."
    cause = "`pythons` in [tool.seatrial], or what the project says it supports, leaves it out."
    cure = "choose one of {e.known:joined}, or add it to `pythons`."


def run(context: Context) -> None:
    """Verify each cell of the matrix that is not verified yet, as many at once as there are processors.

    Raises StageMissing, RehearsedElsewhere, NoSuchCell, PythonMissing, and what makes a file fail in a cell.
    """
    context.record.prepare()
    with context.screen.step("verify") as step:
        step.summary = _summary(*_verified(context))
    status.close(replace(context, last=context.last and not _is_followed(context)))


def _is_followed(context: Context) -> bool:
    """Whether nox, which runs each cell by itself, has another cell to run after this one: it ends with the table."""
    if context.options.environment is None:
        return False
    kinds = {dist.kind for dist in context.record.recorded(Built).dists}
    done = {verified.cell for verified in context.record.verified()}
    left = {cell.python for cell in context.settings.cells if cell.kind in kinds and cell not in done}
    return any(interpreters.find(python, context.uv) for python in left)


def _verified(context: Context) -> tuple[list[Cell], list[Cell]]:
    """Verify what is not verified yet; return the cells that are verified now, and those whose Python is missing."""
    built, rehearsed = context.record.recorded(Built), context.record.read(Rehearsed)
    if not context.counts(rehearsed.index):
        if finished := kept(context, rehearsed):
            context.say(finished)
            return [], []
        raise elsewhere(context, "verify", rehearsed)
    beside = siblings.of(context, built)
    cells = _cells(context, rehearsed)
    left = [cell for cell in cells if not _is_done(context, beside, rehearsed, cell)]
    here = _here(context, left, some_are_done=len(left) < len(cells)) if left else []
    if here:
        with rehearsal(context, _held(context, built, beside)) as (index, _):
            _verify(context, built, rehearsed, index, here)
    return [cell for cell in cells if cell in here or cell not in left], [cell for cell in left if cell not in here]


def _summary(verified: Sequence[Cell], missing: Sequence[Cell]) -> str:
    cells = ", ".join(f"{cell.python} {cell.kind}" for cell in verified) or "nothing to verify"
    absent = list(dict.fromkeys(cell.python for cell in missing))
    if not absent:
        return cells
    return f"{cells}; {' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not on this machine"


def _cells(context: Context, rehearsed: Rehearsed) -> list[Cell]:
    """Return the cells that are asked for, those of a kind that the release lacks left out. Raises NoSuchCell."""
    options, settings = context.options, context.settings
    if options.python is not None and options.python not in settings.pythons:
        raise NoSuchCell(options.python, settings.pythons)
    cells = [
        cell for cell in settings.cells if options.python in {None, cell.python} and options.kind in {None, cell.kind}
    ]
    kinds = {dist.kind for dist in rehearsed.dists}
    for kind in sorted({cell.kind for cell in cells} - kinds):
        context.detail(f"{rehearsed.project} {rehearsed.version} has no {kind}")
    return [cell for cell in cells if cell.kind in kinds]


def _is_done(context: Context, beside: Sequence[Sibling], rehearsed: Rehearsed, cell: Cell) -> bool:
    """Say and return whether `cell` is verified already, with what is released together with it still."""
    label = f"{rehearsed.project} {rehearsed.version} ({cell.kind}, Python {cell.python})"
    needs_lowest = context.settings.tries_lowest(cell)
    done = any(
        verified.cell == cell
        and context.counts(verified.index)
        and (verified.lowest or not needs_lowest)
        and not any(siblings.others_than(sibling, verified) for sibling in beside)
        for verified in context.record.verified()
    )
    if done:
        context.detail(f"{label} is verified already")
    return done


def _held(context: Context, built: Built, beside: Sequence[Sibling]) -> tuple[Path, ...]:
    """Return the files that a stand-in on this machine has to serve: the release's, and those of its siblings."""
    records = [(context.record, built), *((sibling.record, sibling.built) for sibling in beside)]
    return tuple(record.dist / dist.filename for record, stage in records for dist in stage.dists)


def _verify(context: Context, built: Built, rehearsed: Rehearsed, index: Index, cells: Sequence[Cell]) -> None:
    """Verify `cells` with what `index` serves, side by side. Raises what makes a file fail in the first that does."""
    try:
        candidate = Candidate.served(context, built, rehearsed, index)
        progress = context.screen.progress("verify: installing and using", total=len(cells), unit="cells")
        with ThreadPoolExecutor(os.cpu_count()) as pool, progress as meter:
            resolved: Locks = {}
            futures = [pool.submit(_verify_cell, context, candidate, cell, resolved) for cell in cells]
            for future in futures:
                future.exception()
                meter.done += 1
        for future in futures:
            context.detail(future.result())
    except OtherBytes as met:
        raise conflicts.explained(
            met,
            met.project,
            met.version,
            indexes=context.settings.indexes,
            step="verify",
            commands=context.commands,
        ) from None


def _here(context: Context, cells: Sequence[Cell], *, some_are_done: bool) -> list[Cell]:
    """Return those of `cells` whose Python is on this machine.

    Raises PythonMissing where one is missing in CI, and elsewhere where all are and no other cell is done.
    """
    if context.options.environment:
        return list(cells)
    pythons = dict.fromkeys(cell.python for cell in cells)
    missing = tuple(python for python in pythons if not interpreters.find(python, context.uv))
    if missing and (context.in_ci or (len(missing) == len(pythons) and not some_are_done)):
        raise PythonMissing(missing, interpreters.here(KNOWN_PYTHONS, context.uv))
    return [cell for cell in cells if cell.python not in missing]


def _verify_cell(context: Context, candidate: Candidate, cell: Cell, resolved: Locks) -> str:
    """Verify one cell, record it, and return what to say of it."""
    with (
        context.record.locked(f"verify-{cell.python}-{cell.kind}"),
        temporary.folder(f"verify-{cell.python}-{cell.kind}") as scratch,
    ):
        installer = Installer.of(context.uv, scratch, context.settings.dependencies, resolved)
        venv = _environment(context, installer, cell)
        used = _used(context, candidate, cell, installer, venv)
        low: tuple[Installed, ...] = ()
        if context.settings.tries_lowest(cell):
            with temporary.folder("lowest") as place:
                low = _used_with_lowest(context, candidate, cell, replace(installer, scratch=place), used)
    verified = replace(_record_of(candidate, cell, used), lowest=low)
    context.record.write(verified)
    label = f"{verified.project} {verified.version} ({cell.kind}, Python {cell.python})"
    came = candidate.origins(used, context.settings.dependencies)
    return f"verified {label} from {candidate.index.name}, {came}; {used.summary}"


def _environment(context: Context, installer: Installer, cell: Cell) -> Venv:
    """Return the environment that was handed over, else a new one. Raises ReusedEnvironment."""
    if context.options.environment is None:
        return installer.create(
            installer.scratch / "environment", cell.python, interpreters.find(cell.python, context.uv)
        )
    venv = Venv(context.options.environment)
    if (venv.root / USED).exists():
        raise ReusedEnvironment(venv.root)
    (venv.root / USED).touch()
    return venv


def _used(context: Context, candidate: Candidate, cell: Cell, installer: Installer, venv: Venv) -> Use:
    """Install a file for `cell` from the index into `venv`, and use it. Raises NotVerifiable."""
    candidate.install(cell, installer, venv, context.detail)
    installer = candidate.with_siblings(installer, venv)
    subject = candidate.subject(candidate.dists(cell.kind))
    used = use(installer, venv, subject, context.settings, context.root)
    _stop_on_errors(context, used, candidate.index)
    return used


def _used_with_lowest(
    context: Context, candidate: Candidate, cell: Cell, installer: Installer, used: Use
) -> tuple[Installed, ...]:
    """Use the file of `used` once more, with the lowest direct dependencies; return what was installed.

    Raises LowestFailed.
    """
    dist = next(dist for dist in candidate.dists(cell.kind) if dist.sha256 == used.subject.sha256)
    pins: list[str] = []
    venv = installer.create(installer.scratch / "lowest", cell.python, interpreters.find(cell.python, context.uv))
    installer.from_file(venv, candidate.fetched(dist, installer.scratch), candidate.rehearsed.project)
    installer = candidate.with_siblings(installer, venv)
    fixed = {canonicalize_name(beside.project) for beside in installer.beside}

    def narrowed(requirements: Sequence[str]) -> Sequence[str]:
        tags = taken_by(venv, installer.env, installer.scratch)
        index = context.settings.dependencies
        found = lowest(
            requirements,
            used.python_version,
            tags,
            lambda name: () if name in fixed else read_project(index, name).files,
        )
        pins.extend(found.pins)
        if found.unbounded:
            context.detail(f"no lower bound, so not tried with their lowest version: {', '.join(found.unbounded)}")
        return found.requirements

    try:
        subject = candidate.subject((dist,))
        second = use(installer, venv, subject, context.settings, context.root, narrowed=narrowed)
        _stop_on_errors(context, second, candidate.index)
    except (InstallFailed, NotVerifiable) as failed:
        raise LowestFailed(tuple(pins), failed.text(context.commands)) from None
    context.detail(
        f"works with the lowest direct dependencies too: {', '.join(pins) or 'it has none with a lower bound'}"
    )
    return second.installed


def _stop_on_errors(context: Context, used: Use, index: Index) -> None:
    silenced = [one for one in used.problems if one.silenceable and one.rule in context.settings.ignore]
    problems = [problem for problem in used.problems if problem not in silenced]
    for problem, files in text.together(problems):
        context.say(text.problem(problem, files), problem.severity)
    if errors := sum(problem.severity == "error" for problem in problems):
        raise NotVerifiable(errors, index.name)


def _record_of(candidate: Candidate, cell: Cell, used: Use) -> Verified:
    rehearsed, dists = candidate.rehearsed, candidate.dists(cell.kind)
    return Verified(
        project=rehearsed.project,
        version=rehearsed.version,
        dists=rehearsed.dists,
        at=now(),
        index=candidate.index.simple,
        python=cell.python,
        python_version=used.python_version,
        sys_platform=used.sys_platform,
        machine=used.machine,
        kind=cell.kind,
        filename=next(dist.filename for dist in dists if dist.sha256 == used.subject.sha256),
        installed=used.installed,
        imported=used.imported,
        ran=used.ran,
    )
