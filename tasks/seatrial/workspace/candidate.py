"""A release as the rehearsal index serves it, with what is released together with it, and how it is installed."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.index.holdings import Holdings, OtherBytes, wait_until_served
from seatrial.index.http import download
from seatrial.machine.process import ToolFailed
from seatrial.machine.values import Value
from seatrial.release.stages import Dist
from seatrial.report import text
from seatrial.trial.installer import Beside, Installer, InstallFailed, Origin, Venv
from seatrial.trial.tags import chosen, fits_everywhere, taken_by
from seatrial.trial.trial import Subject, Use
from seatrial.workspace import siblings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seatrial.index.indexes import Index
    from seatrial.project.context import Context
    from seatrial.release.stages import Built, Cell, Rehearsed
    from seatrial.workspace.siblings import Sibling

RETRY_AFTER = (2.0, 10.0)  # seconds; an installer may meet an edge of the index that lags
# What pip and uv write of bytes that are not those of the record; uv unpacks a wheel before it has hashed all of it.
OTHER = re.compile("hash|zip file|extract archive", re.IGNORECASE)


class Candidate(Value):
    """The release as the rehearsal index serves it, with what is released together with it."""

    rehearsed: Rehearsed
    index: Index
    holdings: Holdings
    siblings: tuple[tuple[Sibling, Rehearsed, Holdings], ...]

    @classmethod
    def served(cls, context: Context, built: Built, rehearsed: Rehearsed, index: Index) -> Candidate:
        """Wait until `index` serves the release and its siblings, and return them.

        Raises NotVisible, OtherBytes, what keeps a sibling from being used, and what reading an index raises.
        """
        again = context.commands.command("verify", *context.options.once)

        def holdings(stage: Rehearsed) -> Holdings:
            release = (stage.project, stage.version, stage.dists)
            limit = context.settings.index_timeout
            return wait_until_served(index, *release, limit=limit, say=context.detail, again=again)

        own = holdings(rehearsed)
        beside = siblings.rehearsed(context, built)
        return cls(rehearsed, index, own, tuple((sibling, theirs, holdings(theirs)) for sibling, theirs in beside))

    def dists(self, kind: str) -> tuple[Dist, ...]:
        """Return the files of `kind`."""
        return tuple(dist for dist in self.rehearsed.dists if dist.kind == kind)

    def subject(self, dists: tuple[Dist, ...]) -> Subject:
        """Return the release as what is installed: one of `dists`, as it is served."""
        release = self.rehearsed
        origins = tuple(Origin(self.holdings.url(dist), dist.sha256) for dist in dists)
        label = f"{release.project} {release.version} ({dists[0].kind})"
        return Subject(label, release.project, release.version, origins)

    def fetched(self, dist: Dist, folder: Path, of: tuple[Rehearsed, Holdings] | None = None) -> Path:
        """Return `dist`, `of` a sibling where given, as the index serves it, its bytes proved. Raises OtherBytes.

        An sdist is fetched by its URL: an installer that builds one asks *its* index for the build requirements, and
        that must never be the rehearsal index.
        """
        release, held = of or (self.rehearsed, self.holdings)
        path = folder / dist.filename
        download(self.index, held.url(dist), path, limit=dist.size)
        found = Dist.from_file(path)
        if found != dist:
            files = ((dist.filename, dist.sha256, found.sha256),)
            page = self.index.page(release.project, release.version)
            raise OtherBytes(self.index.name, release.project, release.version, files, page)
        return path

    def with_siblings(self, installer: Installer, venv: Venv) -> Installer:
        """Return `installer` with the file of each sibling that `venv` takes. Raises OtherBytes, and NoFittingWheel."""
        place = installer.scratch / "beside"
        place.mkdir(exist_ok=True)
        beside = []
        for sibling, theirs, held in self.siblings:
            dist = sibling.taken(venv, installer)
            path = self.fetched(dist, place, (theirs, held))
            beside.append(Beside(sibling.built.project, sibling.built.version, path, dist.sha256, held.url(dist)))
        return replace(installer, beside=tuple(beside))

    def install(self, cell: Cell, installer: Installer, venv: Venv, say: Callable[[str], None]) -> None:
        """Install the file for `cell` from the index into `venv`, without dependencies.

        Raises InstallFailed, NoFittingWheel and OtherBytes. An sdist is fetched for the installer (see `fetched`), and
        so is a wheel where the index wants a login, which no installer gets.
        """
        dists, login = self.dists(cell.kind), self.index.login
        file = dists[0] if cell.kind == "sdist" else None
        if file is None and (login or not fits_everywhere(dists)):
            try:
                wheel = chosen(dists, taken_by(venv, installer.env, installer.scratch), cell.python)
                file = wheel if login else None
            except ToolFailed:
                if login:
                    raise  # else the installer knows it anyway; it is its message alone that is less clear
        if file is None:
            self.install_wheel(dists, installer, venv, say)
        else:
            installer.from_file(venv, self.fetched(file, installer.scratch), self.rehearsed.project)

    def install_wheel(
        self,
        dists: tuple[Dist, ...],
        installer: Installer,
        venv: Venv,
        say: Callable[[str], None],
        *,
        pauses: tuple[float, ...] = RETRY_AFTER,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Install the wheel of `dists` that fits from the index, more than once where that fails.

        Raises OtherBytes where the index serves other bytes than its own page says, and InstallFailed.
        """
        release = self.rehearsed
        for pause in (*pauses, None):
            try:
                installer.from_index(venv, release.project, release.version, dists, self.index.simple)
            except InstallFailed as failed:
                if OTHER.search(failed.output):
                    known = (release.project, release.version, release.dists)
                    held = wait_until_served(self.index, *known, limit=0, say=say)
                    for dist in dists:
                        self.fetched(dist, installer.scratch, (release, held))
                if pause is None:
                    raise
            else:
                return
            say(f"{self.index.name} shows the wheel, and it could not be installed; trying again in {pause:.0f} s")
            sleep(pause)

    def origins(self, used: Use, dependencies: Index) -> str:
        """Say where what was installed with the release came from; its siblings came from the same index."""
        together = {canonicalize_name(sibling.built.project): sibling.label for sibling, _, _ in self.siblings}
        names = [canonicalize_name(installed.name) for installed in used.installed]
        others = [installed for installed, name in zip(used.installed, names, strict=True) if name not in together]
        too = ", ".join(together[name] for name in names if name in together)
        came = f"{text.dependencies(others)} from {dependencies.name}"
        return f"with {too} from there too, {came}" if too else came
