"""`verify`: what the index serves, installed as a stranger would, in an environment that was never used."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.index import conflicts
from seatrial.index.indexes import OtherBytes, download, read_project, wait_until_served
from seatrial.machine import terminal
from seatrial.machine.errors import ReleaseError, indented, listing
from seatrial.machine.process import ToolFailed
from seatrial.release.record import now
from seatrial.release.stages import Built, Dist, Rehearsed, Verified
from seatrial.report import text
from seatrial.standin import standins
from seatrial.standin.standins import elsewhere
from seatrial.trial.installer import InstallFailed, Origin
from seatrial.trial.lowest import lowest
from seatrial.trial.tags import chosen, fits_everywhere, taken_by
from seatrial.trial.trial import Guest, live
from seatrial.workspace import siblings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from seatrial.index.indexes import Holdings, Index
    from seatrial.project.context import Context
    from seatrial.release.stages import Cell, Installed
    from seatrial.trial.installer import Installer, Venv
    from seatrial.trial.trial import Life
    from seatrial.workspace.siblings import Sibling

RETRY_AFTER = (2.0, 10.0)  # seconds; an installer may meet an edge of the index that lags
# What pip and uv write of bytes that are not those of the record; uv unpacks a wheel before it has hashed all of it.
OTHER = re.compile("hash|zip file|extract archive", re.IGNORECASE)


@dataclass(eq=False)
class NotVerifiable(ReleaseError):
    count: int
    index: str

    what = "The files that {e.index} serves do not work once installed: {e.shown}."
    cause = "this Python or platform, which `check` did not try; or a dependency that has changed since."
    cure = (
        "if the project is at fault, mend it and take the next version: this one is spent on {e.index}, and no other"
        " index has it. If it is this machine's or a dependency's fault, run `verify` again: nothing is uploaded twice."
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


def verify(context: Context, cell: Cell) -> None:
    """Verify one cell of the matrix and record it; say so and go on where that is done already."""
    built = context.record.recorded(Built, session=context.names["build"])
    rehearsed = context.record.read(Rehearsed, session=context.names["testpypi"])
    if not context.counts(rehearsed.index):
        raise elsewhere(context, rehearsed)
    label = f"{rehearsed.project} {rehearsed.version} ({cell.kind}, Python {cell.python})"
    beside = siblings.of(context, built)
    if _is_done(context, beside, cell):
        context.say(f"{label} is verified already.")
        return
    dists = tuple(dist for dist in rehearsed.dists if dist.kind == cell.kind)
    if not dists:
        context.say(f"{label}: this release has no {cell.kind}.")
        return
    context.renew()
    with standins.rehearsal(context, _held(context, built, beside)) as (index, _):
        try:
            life = _live(context, rehearsed, dists, index)
            low = _live_with_lowest(context, rehearsed, dists, index, life) if context.settings.tries_lowest(cell) else ()
        except OtherBytes as met:
            raise conflicts.explained(context, met, met.project, met.version) from None
    context.record.write(replace(_record_of(rehearsed, index, cell, dists, life), lowest=low))
    came = _came_from(context, beside, life)
    context.say(f"verified {label} from {index.name}, {came}; {text.imported(life.imported)}")


def _came_from(context: Context, beside: Sequence[Sibling], life: Life) -> str:
    """Say where what was installed with the release came from; what is `beside` it came from the same index."""
    together = {canonicalize_name(one.built.project): one.label for one in beside}
    names = [canonicalize_name(one.name) for one in life.installed]
    others = [one for one, name in zip(life.installed, names, strict=True) if name not in together]
    too = ", ".join(together[name] for name in names if name in together)
    came = f"{text.dependencies(others)} from {context.settings.dependencies.name}"
    return f"with {too} from there too, {came}" if too else came


def _is_done(context: Context, beside: Sequence[Sibling], cell: Cell) -> bool:
    """Whether `cell` was verified on this rehearsal index, with what is `beside` the release still."""
    tries_lowest = context.settings.tries_lowest(cell)
    return any(
        one.cell == cell
        and context.counts(one.index)
        and (one.lowest or not tries_lowest)
        and not any(siblings.others_than(sibling, one) for sibling in beside)
        for one in context.record.verified()
    )


def _held(context: Context, built: Built, beside: Sequence[Sibling]) -> tuple[Path, ...]:
    """Return the files that a stand-in on this machine has to serve: the release's, and those of its siblings."""
    records = [(context.record, built), *((sibling.record, sibling.built) for sibling in beside)]
    return tuple(record.dist / dist.filename for record, of_it in records for dist in of_it.dists)


def _live(context: Context, rehearsed: Rehearsed, dists: tuple[Dist, ...], index: Index) -> Life:
    """Wait until `index` serves the release, install one of `dists` from it, and live with that."""
    served = _served(context, rehearsed, index)
    with context.scratch() as scratch, terminal.meter(f"installing and using the {dists[0].kind}", context.say):
        installer = context.installer(scratch)
        local = _to_fetch(context, installer, index, dists)
        if local is None:
            install_wheel(context, installer, index, rehearsed, dists, pauses=RETRY_AFTER)
        else:
            installer.from_file(context.venv, fetched(index, rehearsed, local, served, scratch), rehearsed.project)
        installer = _with_siblings(context, installer, context.venv, index)
        life = live(installer, context.venv, _guest(rehearsed, dists, served), context.settings, context.root)
    _stop_on_errors(context, life, index)
    return life


def _with_siblings(context: Context, installer: Installer, venv: Venv, index: Index) -> Installer:
    """Return `installer` with the files of what is released together with the guest, as `index` serves them."""
    built = context.record.find(Built)
    place = installer.scratch / "beside"
    place.mkdir(exist_ok=True)

    def fetch(theirs: Rehearsed, dist: Dist) -> tuple[Path, str]:
        served = _served(context, theirs, index)
        return fetched(index, theirs, dist, served, place), served.url(dist)

    return replace(installer, beside=siblings.served(context, built, venv, installer, fetch) if built else ())


def _guest(rehearsed: Rehearsed, dists: tuple[Dist, ...], served: Holdings) -> Guest:
    """Return the release as what moves into an environment: one of `dists`, as it is `served`."""
    origins = tuple(Origin(served.url(dist), dist.sha256) for dist in dists)
    label = f"{rehearsed.project} {rehearsed.version} ({dists[0].kind})"
    return Guest(label, rehearsed.project, rehearsed.version, origins)


def _served(context: Context, rehearsed: Rehearsed, index: Index) -> Holdings:
    """Wait until `index` serves the release, and return what it serves."""
    limit, again = context.settings.index_timeout, context.command("verify", *context.once)
    release = (rehearsed.project, rehearsed.version, rehearsed.dists)
    return wait_until_served(index, *release, limit=limit, say=context.say, again=again)


def _live_with_lowest(
    context: Context, rehearsed: Rehearsed, dists: tuple[Dist, ...], index: Index, life: Life
) -> tuple[Installed, ...]:
    """Live once more with the file of `life`, with the lowest direct dependencies; return what was installed.

    Raises LowestFailed.
    """
    served = _served(context, rehearsed, index)
    dist = next(dist for dist in dists if dist.sha256 == life.guest.sha256)
    pins: list[str] = []

    def narrowed(requirements: Sequence[str]) -> Sequence[str]:
        tags = taken_by(venv, installer.env, scratch)
        fixed = {canonicalize_name(one.project) for one in installer.beside}
        read = partial(read_project, context.settings.dependencies)
        found = lowest(requirements, life.python_version, tags, lambda name: () if name in fixed else read(name))
        pins.extend(found.pins)
        if found.unbounded:
            context.say(f"no lower bound, so not tried with their lowest version: {', '.join(found.unbounded)}")
        return found.requirements

    with context.scratch() as scratch:
        installer = context.installer(scratch)
        venv = installer.create(scratch / "lowest", str(context.session.python))
        installer.from_file(venv, fetched(index, rehearsed, dist, served, scratch), rehearsed.project)
        installer = _with_siblings(context, installer, venv, index)
        try:
            guest = _guest(rehearsed, (dist,), served)
            second = live(installer, venv, guest, context.settings, context.root, narrowed=narrowed)
            _stop_on_errors(context, second, index)
        except (InstallFailed, NotVerifiable) as failed:
            raise LowestFailed(tuple(pins), str(failed)) from None
    context.say(f"works with the lowest direct dependencies too: {', '.join(pins) or 'it has none with a lower bound'}")
    return second.installed


def _to_fetch(context: Context, installer: Installer, index: Index, dists: tuple[Dist, ...]) -> Dist | None:
    """Return the file that we fetch for the installer, None where it takes a wheel from `index` itself.

    An sdist always is (see `fetched`); a wheel where the index wants a login, which no installer gets. Raises
    NoFittingWheel where no wheel fits.
    """
    if dists[0].kind == "sdist":
        return dists[0]
    if fits_everywhere(dists) and index.login is None:
        return None
    try:
        taken = taken_by(context.venv, installer.env, installer.scratch)
    except ToolFailed:
        if index.login:
            raise
        return None  # the installer knows it anyway; it is its message alone that is less clear
    wheel = chosen(dists, taken, str(context.session.python))
    return wheel if index.login else None


def install_wheel(
    context: Context,
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
        installer.from_index(context.venv, rehearsed.project, rehearsed.version, dists, index.simple)
    except InstallFailed as failed:
        if OTHER.search(failed.output):
            served = wait_until_served(
                index, rehearsed.project, rehearsed.version, rehearsed.dists, limit=0, say=context.say
            )
            for dist in dists:
                fetched(index, rehearsed, dist, served, installer.scratch)
        if not pauses:
            raise
        context.say(f"{index.name} shows the wheel, and it could not be installed; trying again in {pauses[0]:.0f} s")
        sleep(pauses[0])
        install_wheel(context, installer, index, rehearsed, dists, pauses=pauses[1:], sleep=sleep)


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


def _stop_on_errors(context: Context, life: Life, index: Index) -> None:
    if life.problems:
        context.say(text.problems(life.problems))
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
