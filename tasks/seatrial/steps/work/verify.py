"""What `verify` does in a cell: install what the index serves into a fresh environment, and use it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.index import conflicts
from seatrial.index.holdings import OtherBytes, read_project
from seatrial.machine import temporary
from seatrial.machine.errors import ReleaseError
from seatrial.release import failures
from seatrial.release.record import now
from seatrial.release.stages import Built, Cell, Rehearsed, Verified
from seatrial.report import text
from seatrial.trial import interpreters
from seatrial.trial.installer import Installer, InstallFailed, Venv
from seatrial.trial.requirements import lowest
from seatrial.trial.tags import taken_by
from seatrial.trial.trial import use
from seatrial.workspace import siblings
from seatrial.workspace.candidate import Candidate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.index.indexes import Index
    from seatrial.project.context import Context, Locks
    from seatrial.release.stages import Installed, Problem
    from seatrial.trial.trial import Use

USED = ".seatrial-used"  # marks an environment that was handed over, and is not empty any more


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
        return f"{text.plural(self.count, 'error')}, see above"


class LowestFailed(ReleaseError):
    pins: tuple[str, ...]
    reason: str

    what = (
        "With the lowest direct dependencies that the metadata allows, this release does not work:"
        "{e.pins:listed}{e.reason:quoted}"
    )
    cause = "a lower bound that was never tried; or lowest versions that exclude each other, or are older than Python."
    cure = (
        "raise the bound to what does work (`dryrun` tries it before a version is spent), and take the next version."
        ' `resolution = "highest"` in [tool.seatrial] leaves this run out.'
    )


class ReusedEnvironment(ReleaseError):
    folder: Path

    what = "verify was given an environment that was used before: {e.folder}"
    cause = "nox was run with -R or --reuse-venv=always; `verify` installs as a stranger does, into a fresh one."
    cure = "run nox without that flag, or with --reuse-venv=no."


def verify(context: Context, built: Built, rehearsed: Rehearsed, index: Index, cells: Sequence[Cell]) -> None:
    """Verify `cells` with what `index` serves, side by side. Raises what makes a file fail in the first that does."""
    try:
        candidate = Candidate.served(context, built, rehearsed, index)
        progress = context.screen.progress("verify: installing and using", total=len(cells), unit="cells")
        resolved: Locks = context.locks
        found: list[Problem] = []
        with ThreadPoolExecutor(os.cpu_count()) as pool, progress as meter:
            futures = [pool.submit(_verify_cell, context, candidate, cell, resolved, found) for cell in cells]
            for future in futures:
                future.exception()
                meter.done += 1
        for problem, where in text.together(found):
            context.say(text.problem(problem, where), problem.severity)
        for future in futures:
            context.detail(future.result())
    except OtherBytes as met:
        release, indexes = (met.project, met.version), context.settings.indexes
        explained = conflicts.explained(met, *release, indexes=indexes, step="verify", commands=context.commands)
        raise explained from None


def _verify_cell(context: Context, candidate: Candidate, cell: Cell, resolved: Locks, found: list[Problem]) -> str:
    """Verify one cell, record it, and return what to say of it; add the problems that are to be shown to `found`."""
    with (
        context.record.locked(f"verify-{cell.python}-{cell.kind}"),
        temporary.folder(f"verify-{cell.python}-{cell.kind}") as scratch,
        failures.trying(context.record, cell, context.commands, InstallFailed, NotVerifiable, LowestFailed),
        siblings.hinted(context),
    ):
        installer = Installer.of(context.uv, scratch, context.settings.dependencies, resolved)
        used = _used(context, candidate, cell, installer, found)
        low: tuple[Installed, ...] = ()
        if context.settings.tries_lowest(cell):
            with temporary.folder("lowest") as place:
                low = _used_with_lowest(context, candidate, cell, replace(installer, scratch=place), used, found)
    rehearsed, dists = candidate.rehearsed, candidate.dists(cell.kind)
    verified = Verified(
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
        lowest=low,
    )
    context.record.write(verified)
    label = f"{rehearsed.project} {rehearsed.version} ({cell.kind}, Python {cell.python})"
    came = candidate.origins(used, context.settings.dependencies)
    return f"verified {label} from {candidate.index.name}, {came}; {used.summary}"


def _used(context: Context, candidate: Candidate, cell: Cell, installer: Installer, found: list[Problem]) -> Use:
    """Install and use a file for `cell` as the index serves it. Raises ReusedEnvironment and NotVerifiable."""
    if context.options.environment is None:
        place = installer.scratch / "environment"
        venv = installer.create(place, cell.python, interpreters.find(cell.python, context.uv))
    else:
        venv = Venv(context.options.environment)
        if (venv.root / USED).exists():
            raise ReusedEnvironment(venv.root)
        (venv.root / USED).touch()
    candidate.install(cell, installer, venv, context.detail)
    installer = candidate.with_siblings(installer, venv)
    subject = candidate.subject(candidate.dists(cell.kind))
    used = use(installer, venv, subject, context.settings, context.root)
    _stop_on_errors(context, used.problems, candidate.index, cell, found)
    return used


def _used_with_lowest(  # noqa: PLR0917 (the first four are those of `_used`)
    context: Context, candidate: Candidate, cell: Cell, installer: Installer, used: Use, shown: list[Problem]
) -> tuple[Installed, ...]:
    """Return what was installed for the file of `used` with the lowest direct dependencies. Raises LowestFailed."""
    dist = next(dist for dist in candidate.dists(cell.kind) if dist.sha256 == used.subject.sha256)
    pins: list[str] = []
    venv = installer.create(installer.scratch / "lowest", cell.python, interpreters.find(cell.python, context.uv))
    installer.from_file(venv, candidate.fetched(dist, installer.scratch), candidate.rehearsed.project)
    installer = candidate.with_siblings(installer, venv)
    fixed = {canonicalize_name(beside.project) for beside in installer.beside}

    def narrowed(wanted: Sequence[str]) -> Sequence[str]:
        tags = taken_by(venv, installer.env, installer.scratch)
        index, python = context.settings.dependencies, used.python_version
        found = lowest(wanted, python, tags, lambda name: () if name in fixed else read_project(index, name).files)
        pins.extend(found.pins)
        if found.unbounded:
            context.detail(f"no lower bound, so not tried with their lowest version: {', '.join(found.unbounded)}")
        return found.requirements

    try:
        subject = candidate.subject((dist,))
        second = use(installer, venv, subject, context.settings, context.root, narrowed=narrowed)
        more = [problem for problem in second.problems if problem not in used.problems]
        _stop_on_errors(context, more, candidate.index, cell, shown, " with the lowest dependencies")
    except (InstallFailed, NotVerifiable) as failed:
        raise LowestFailed(tuple(pins) or ("(none has a lower bound)",), failed.text(context.commands)) from None
    pinned = ", ".join(pins) or "it has none with a lower bound"
    context.detail(f"works with the lowest direct dependencies too: {pinned}")
    return second.installed


def _stop_on_errors(  # noqa: PLR0917 (what it is, where, and where to)
    context: Context, problems: Sequence[Problem], index: Index, cell: Cell, found: list[Problem], how: str = ""
) -> None:
    """Add to `found` what is to be shown, with the cell in place of the file. Raises NotVerifiable for an error."""
    problems = [problem for problem in problems if not context.settings.ignores(problem)]
    found += (
        replace(problem, file=f"{cell.python} {cell.kind}{how}")
        for problem in problems
        if not (context.is_told(problem) or context.is_told(text.on_pythons(problem, (cell.python,))))
    )
    if errors := sum(problem.severity == "error" for problem in problems):
        raise NotVerifiable(errors, index.name)
