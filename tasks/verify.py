"""`verify`: what the index serves, installed as a stranger would, in an environment that was never used."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from . import report, siblings, standins, terminal, ways
from .errors import InstallFailed, LowestFailed, NotVerifiable, OtherBytes, ToolFailed
from .fitting import chosen, fits_everywhere, taken_by
from .indexes import download, read_project, wait_until_served
from .installer import Origin
from .lowest import lowest
from .record import now
from .stages import Built, Dist, Rehearsed, Verified
from .standins import elsewhere
from .stranger import Guest, live

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .indexes import Holdings, Index
    from .installer import Installer, Venv
    from .run import Run
    from .siblings import Sibling
    from .stages import Cell, Installed
    from .stranger import Life

RETRY_AFTER = (2.0, 10.0)  # seconds; an installer may meet an edge of the index that lags
# What pip and uv write of bytes that are not those of the record; uv unpacks a wheel before it has hashed all of it.
OTHER = re.compile("hash|zip file|extract archive", re.IGNORECASE)


def verify(run: Run, cell: Cell) -> None:
    """Verify one cell of the matrix and record it; say so and go on where that is done already."""
    built = run.record.recorded(Built, session=run.names["build"])
    rehearsed = run.record.read(Rehearsed, session=run.names["testpypi"])
    if not run.counts(rehearsed.index):
        raise elsewhere(run, rehearsed)
    label = f"{rehearsed.project} {rehearsed.version} ({cell.kind}, Python {cell.python})"
    beside = siblings.of(run, built)
    if _is_done(run, beside, cell):
        run.say(f"{label} is verified already.")
        return
    dists = tuple(dist for dist in rehearsed.dists if dist.kind == cell.kind)
    if not dists:
        run.say(f"{label}: this release has no {cell.kind}.")
        return
    run.renew()
    with standins.rehearsal(run, _held(run, built, beside)) as (index, _):
        try:
            life = _live(run, rehearsed, dists, index)
            low = _live_with_lowest(run, rehearsed, dists, index, life) if run.config.tries_lowest(cell) else ()
        except OtherBytes as met:
            raise ways.explained(run, met, met.project, met.version) from None
    run.record.write(replace(_record_of(rehearsed, index, cell, dists, life), lowest=low))
    came = _came_from(run, beside, life)
    run.say(f"verified {label} from {index.name}, {came}; {report.imported(life.imported)}")


def _came_from(run: Run, beside: Sequence[Sibling], life: Life) -> str:
    """Say where what was installed with the release came from; what is `beside` it came from the same index."""
    together = {canonicalize_name(one.built.project): one.label for one in beside}
    names = [canonicalize_name(one.name) for one in life.installed]
    others = [one for one, name in zip(life.installed, names, strict=True) if name not in together]
    too = ", ".join(together[name] for name in names if name in together)
    came = f"{report.dependencies(others)} from {run.config.dependencies.name}"
    return f"with {too} from there too, {came}" if too else came


def _is_done(run: Run, beside: Sequence[Sibling], cell: Cell) -> bool:
    """Whether `cell` was verified on this rehearsal index, with what is `beside` the release still."""
    tries_lowest = run.config.tries_lowest(cell)
    return any(
        one.cell == cell
        and run.counts(one.index)
        and (one.lowest or not tries_lowest)
        and not any(siblings.others_than(sibling, one) for sibling in beside)
        for one in run.record.verified()
    )


def _held(run: Run, built: Built, beside: Sequence[Sibling]) -> tuple[Path, ...]:
    """Return the files that a stand-in on this machine has to serve: the release's, and those of its siblings."""
    records = [(run.record, built), *((sibling.record, sibling.built) for sibling in beside)]
    return tuple(record.dist / dist.filename for record, of_it in records for dist in of_it.dists)


def _live(run: Run, rehearsed: Rehearsed, dists: tuple[Dist, ...], index: Index) -> Life:
    """Wait until `index` serves the release, install one of `dists` from it, and live with that."""
    served = _served(run, rehearsed, index)
    with run.scratch() as scratch, terminal.meter(f"installing and using the {dists[0].kind}", run.say):
        installer = run.installer(scratch)
        local = _to_fetch(run, installer, index, dists)
        if local is None:
            install_wheel(run, installer, index, rehearsed, dists, pauses=RETRY_AFTER)
        else:
            installer.from_file(run.venv, fetched(index, rehearsed, local, served, scratch), rehearsed.project)
        installer = _with_siblings(run, installer, run.venv, index)
        life = live(installer, run.venv, _guest(rehearsed, dists, served), run.config, run.root)
    _stop_on_errors(run, life, index)
    return life


def _with_siblings(run: Run, installer: Installer, venv: Venv, index: Index) -> Installer:
    """Return `installer` with the files of what is released together with the guest, as `index` serves them."""
    built = run.record.find(Built)
    place = installer.scratch / "beside"
    place.mkdir(exist_ok=True)

    def fetch(theirs: Rehearsed, dist: Dist) -> tuple[Path, str]:
        served = _served(run, theirs, index)
        return fetched(index, theirs, dist, served, place), served.url(dist)

    return replace(installer, beside=siblings.served(run, built, venv, installer, fetch) if built else ())


def _guest(rehearsed: Rehearsed, dists: tuple[Dist, ...], served: Holdings) -> Guest:
    """Return the release as what moves into an environment: one of `dists`, as it is `served`."""
    origins = tuple(Origin(served.url(dist), dist.sha256) for dist in dists)
    label = f"{rehearsed.project} {rehearsed.version} ({dists[0].kind})"
    return Guest(label, rehearsed.project, rehearsed.version, origins)


def _served(run: Run, rehearsed: Rehearsed, index: Index) -> Holdings:
    """Wait until `index` serves the release, and return what it serves."""
    limit, again = run.config.index_timeout, run.command("verify", *run.once)
    release = (rehearsed.project, rehearsed.version, rehearsed.dists)
    return wait_until_served(index, *release, limit=limit, say=run.say, again=again)


def _live_with_lowest(
    run: Run, rehearsed: Rehearsed, dists: tuple[Dist, ...], index: Index, life: Life
) -> tuple[Installed, ...]:
    """Live once more with the file of `life`, with the lowest direct dependencies; return what was installed.

    Raises LowestFailed.
    """
    served = _served(run, rehearsed, index)
    dist = next(dist for dist in dists if dist.sha256 == life.guest.sha256)
    pins: list[str] = []

    def narrowed(requirements: Sequence[str]) -> Sequence[str]:
        tags = taken_by(venv, installer.env, scratch)
        fixed = {canonicalize_name(one.project) for one in installer.beside}
        read = partial(read_project, run.config.dependencies)
        found = lowest(requirements, life.python_version, tags, lambda name: () if name in fixed else read(name))
        pins.extend(found.pins)
        if found.unbounded:
            run.say(f"no lower bound, so not tried with their lowest version: {', '.join(found.unbounded)}")
        return found.requirements

    with run.scratch() as scratch:
        installer = run.installer(scratch)
        venv = installer.create(scratch / "lowest", str(run.session.python))
        installer.from_file(venv, fetched(index, rehearsed, dist, served, scratch), rehearsed.project)
        installer = _with_siblings(run, installer, venv, index)
        try:
            guest = _guest(rehearsed, (dist,), served)
            second = live(installer, venv, guest, run.config, run.root, narrowed=narrowed)
            _stop_on_errors(run, second, index)
        except (InstallFailed, NotVerifiable) as failed:
            raise LowestFailed(tuple(pins), str(failed)) from None
    run.say(f"works with the lowest direct dependencies too: {', '.join(pins) or 'it has none with a lower bound'}")
    return second.installed


def _to_fetch(run: Run, installer: Installer, index: Index, dists: tuple[Dist, ...]) -> Dist | None:
    """Return the file that we fetch for the installer, None where it takes a wheel from `index` itself.

    An sdist always is (see `fetched`); a wheel where the index wants a login, which no installer gets. Raises
    NoFittingWheel where no wheel fits.
    """
    if dists[0].kind == "sdist":
        return dists[0]
    if fits_everywhere(dists) and index.login is None:
        return None
    try:
        taken = taken_by(run.venv, installer.env, installer.scratch)
    except ToolFailed:
        if index.login:
            raise
        return None  # the installer knows it anyway; it is its message alone that is less clear
    wheel = chosen(dists, taken, str(run.session.python))
    return wheel if index.login else None


def install_wheel(
    run: Run,
    installer: Installer,
    index: Index,
    rehearsed: Rehearsed,
    dists: tuple[Dist, ...],
    *,
    pauses: tuple[float, ...],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Install the wheel of `dists` that fits from `index`, more than once where that fails.

    Raises OtherBytes where the index serves other bytes than its own page says, and InstallFailed.
    """
    try:
        installer.from_index(run.venv, rehearsed.project, rehearsed.version, dists, index.simple)
    except InstallFailed as failed:
        if OTHER.search(failed.output):
            served = wait_until_served(
                index, rehearsed.project, rehearsed.version, rehearsed.dists, limit=0, say=run.say
            )
            for dist in dists:
                fetched(index, rehearsed, dist, served, installer.scratch)
        if not pauses:
            raise
        run.say(f"{index.name} shows the wheel, and it could not be installed; trying again in {pauses[0]:.0f} s")
        sleep(pauses[0])
        install_wheel(run, installer, index, rehearsed, dists, pauses=pauses[1:], sleep=sleep)


def fetched(index: Index, rehearsed: Rehearsed, dist: Dist, served: Holdings, scratch: Path) -> Path:
    """Return `dist` as `index` serves it, its bytes proved. Raises OtherBytes.

    An sdist is fetched by its URL: an installer that builds one asks *its* index for the build requirements, and that
    must never be the rehearsal index.
    """
    path = scratch / dist.filename
    download(index, served.url(dist), path)
    found = Dist.from_file(path)
    if found != dist:
        pair = (dist.filename, dist.sha256, found.sha256)
        page = index.page(rehearsed.project, rehearsed.version)
        raise OtherBytes(index.name, rehearsed.project, rehearsed.version, (pair,), page)
    return path


def _stop_on_errors(run: Run, life: Life, index: Index) -> None:
    if life.problems:
        run.say(report.problems(life.problems))
    if errors := sum(problem.severity == "error" for problem in life.problems):
        raise NotVerifiable(errors, index.name)


def _record_of(rehearsed: Rehearsed, index: Index, cell: Cell, dists: tuple[Dist, ...], life: Life) -> Verified:
    return Verified(
        project=rehearsed.project,
        version=rehearsed.version,
        dists=rehearsed.dists,
        at=now(),
        index=index.simple,
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
