"""`testpypi`: the checked files go to the rehearsal index, and what it serves is compared with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.building import git
from seatrial.index import logins
from seatrial.machine.errors import ReleaseError
from seatrial.release.record import now
from seatrial.release.stages import Built, Checked, Rehearsed
from seatrial.report import ci, status, text
from seatrial.steps.rehearsal import describe, rehearsal
from seatrial.steps.uploading import Sending, find_credential

if TYPE_CHECKING:
    from seatrial.project.context import Context


@dataclass(eq=False)
class Dirty(ReleaseError):
    files: tuple[str, ...]

    what = "The tree has {e.count}, which no release has, so nothing is uploaded from it:{e.files:shortened}"
    cause = "work in progress, or a file that is neither committed nor ignored."
    cure = "commit or stash them and run `{run[verify]}` again. `{run[dryrun]}` rehearses on this machine all the same."

    @property
    def count(self) -> str:
        return text.plural(len(self.files), "uncommitted change")


def run(context: Context) -> None:
    """Upload the checked files to the rehearsal index, or to the stand-in that takes its place; record what it serves.

    Raises Dirty, and what looking for a credential, uploading and reading an index raise.
    """
    with context.record.locked("release"), context.screen.step("testpypi") as step:
        step.summary = _rehearse(context)
        if context.rehearsed_here is None:
            ci.uploaded(context, context.settings.testpypi)
    status.close(context)


def _rehearse(context: Context) -> str:
    """Return where the files are rehearsed, after they were uploaded unless that is done."""
    record = context.record
    built, checked = record.recorded(Built), record.read(Checked)
    if built.dirty and not context.dry:
        raise Dirty(git.look(context.root).changed or ("(the tree was dirty when `build` ran)",))
    done = record.find(Rehearsed)
    if done is not None and context.counts(done.index):
        return f"{done.project} {done.version} is on {describe(context, done)} already, since {done.at}"
    with rehearsal(context) as (target, variables):
        credential = find_credential(context, target, checked.project, variables)
        index = logins.readable(target, credential)
        holdings, _ = Sending(context, "testpypi", index, checked, credential, variables).send()
    record.write(
        Rehearsed(
            project=checked.project,
            version=checked.version,
            dists=checked.dists,
            at=now(),
            index=index.simple,
            urls=tuple(holdings.url(dist) for dist in checked.dists),
            reason=context.rehearsed_here,
        )
    )
    page = index.page(checked.project, checked.version)
    return f"{text.plural(len(checked.dists), 'file')} on {index.name}, hashes as built: {page}"
