"""`verify`: what the index serves, installed as a stranger would, in an environment that was never used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import report
from .errors import NotVerifiable, OtherBytes, RehearsedElsewhere
from .indexes import download, wait_until_served
from .installer import Origin
from .record import now
from .stages import Built, Dist, Rehearsed, Verified
from .stranger import Guest, live

if TYPE_CHECKING:
    from pathlib import Path

    from .indexes import Holdings, Index
    from .run import Run
    from .stages import Cell
    from .stranger import Life


def verify(run: Run, cell: Cell) -> None:
    """Verify one cell of the matrix and record it; say so and go on where that is done already."""
    run.record.read(Built, session=run.names["build"])
    rehearsed = run.record.read(Rehearsed, session=run.names["testpypi"])
    index = run.config.testpypi
    if rehearsed.index != index.simple:
        raise RehearsedElsewhere(rehearsed.index, index.simple)
    label = f"{rehearsed.project} {rehearsed.version} ({cell.kind}, Python {cell.python})"
    if any(one.cell == cell and one.index == index.simple for one in run.record.verified()):
        run.say(f"{label} is verified already.")
        return
    dists = tuple(dist for dist in rehearsed.dists if dist.kind == cell.kind)
    if not dists:
        run.say(f"{label}: this release has no {cell.kind}.")
        return
    limit = run.config.index_timeout
    served = wait_until_served(index, rehearsed.project, rehearsed.version, rehearsed.dists, limit=limit, say=run.say)
    with run.scratch() as scratch:
        life = _move_in(run, rehearsed, dists, served, scratch)
    _stop_on_errors(run, life, index)
    run.record.write(_record_of(rehearsed, cell, dists, life))
    came = f"{report.dependencies(life.installed)} from {run.config.dependencies.name}"
    run.say(f"verified {label} from {index.name}, {came}; {report.imported(life.imported)}")


def _move_in(run: Run, rehearsed: Rehearsed, dists: tuple[Dist, ...], served: Holdings, scratch: Path) -> Life:
    """Install the wheel that fits, or the sdist, from the rehearsal index, and live with it."""
    installer = run.installer(scratch)
    if dists[0].kind == "wheel":
        installer.from_index(run.venv, rehearsed.project, rehearsed.version, dists, rehearsed.index)
    else:
        sdist = _fetched(run, rehearsed, dists[0], served, scratch)
        installer.from_file(run.venv, sdist, rehearsed.project)
    origins = tuple(Origin(served.url(dist), dist.sha256) for dist in dists)
    label = f"{rehearsed.project} {rehearsed.version} ({dists[0].kind})"
    guest = Guest(label, rehearsed.project, rehearsed.version, origins)
    return live(installer, run.venv, guest, run.config, run.root)


def _fetched(run: Run, rehearsed: Rehearsed, dist: Dist, served: Holdings, scratch: Path) -> Path:
    """Return the sdist as the index serves it, its bytes proved.

    It is fetched by its URL: an installer that builds an sdist asks *its* index for the build requirements, and that
    must never be the rehearsal index.
    """
    path = scratch / dist.filename
    download(run.config.testpypi, served.url(dist), path)
    fetched = Dist.from_file(path)
    if fetched != dist:
        pair = (dist.filename, dist.sha256, fetched.sha256)
        index = run.config.testpypi
        page = index.page(rehearsed.project, rehearsed.version)
        raise OtherBytes(index.name, rehearsed.project, rehearsed.version, (pair,), page)
    return path


def _stop_on_errors(run: Run, life: Life, index: Index) -> None:
    if life.problems:
        run.say(report.problems(life.problems))
    if errors := sum(problem.severity == "error" for problem in life.problems):
        raise NotVerifiable(errors, index.name)


def _record_of(rehearsed: Rehearsed, cell: Cell, dists: tuple[Dist, ...], life: Life) -> Verified:
    return Verified(
        project=rehearsed.project,
        version=rehearsed.version,
        dists=rehearsed.dists,
        at=now(),
        index=rehearsed.index,
        python=cell.python,
        python_version=life.python_version,
        sys_platform=life.sys_platform,
        machine=life.machine,
        kind=cell.kind,
        filename=next(dist.filename for dist in dists if dist.sha256 == life.guest.sha256),
        installed=life.installed,
        imported=life.imported,
        ran=life.ran,
    )
