"""`testpypi`: the checked files go to the rehearsal index, and what it serves is compared with them.

A stand-in on this machine may take the place of that index: see `rehearsal`.
"""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from seatrial.building import git
from seatrial.index import logins
from seatrial.machine import temporary
from seatrial.machine.errors import ReleaseError
from seatrial.release.record import now
from seatrial.release.stages import Built, Checked, Rehearsed, Released
from seatrial.release.verdicts import unfit
from seatrial.report import ci, status, text
from seatrial.steps.preflight import Dirty

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from seatrial.index.indexes import Index
    from seatrial.project.context import Context
    from seatrial.release.stages import Dist


class RehearsedElsewhere(ReleaseError):
    index: str
    expected: str
    again: str = ""  # the command that lets the rehearsal on this machine count, where it was one

    what = "These files were rehearsed on {e.index}, but the rehearsal index of this release is {e.expected}."
    cause = "the record was made against another index (a stand-in of `dryrun` proves nothing about {e.expected})."
    cure = "`{run[verify]}` rehearses there.{e.otherwise}"

    @property
    def otherwise(self) -> str:
        return f" To let the rehearsal on this machine count: `{self.again}`." if self.again else ""


class PatternUnfit(ReleaseError):
    patterns: tuple[str, ...]
    files: tuple[str, ...]

    what = "`require-verified` in [tool.seatrial] has a pattern that matches no file of the release:{e.patterns:listed}"
    cause = "a misspelt pattern, or a file that was not built. The files are:{e.files:shortened}"
    cure = "correct the pattern, commit, and run the same command again; or build that file. Nothing was uploaded."


def run(context: Context) -> None:
    """Upload the checked files to the rehearsal index, or to the stand-in that takes its place; record what it serves.

    Raises Dirty, PatternUnfit, and what looking for a credential, uploading and reading an index raise.
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
        return f"{done.project} {done.version} has been on {describe(context, done)} since {done.at}"
    if done is not None and (finished := kept(context, done)):
        return finished
    if not context.dry:
        stop_if_unfit(context, checked.dists)
    from seatrial.steps.uploading import Sending, find_credential  # noqa: PLC0415 (only where there is something to do)

    with rehearsal(context) as (target, variables):
        credential = find_credential(context, target, checked.project, variables)
        index = logins.readable(target, credential)
        holdings, _ = Sending(context, "testpypi", index, checked, credential, variables).send()
    rehearsed = Rehearsed(
        project=checked.project,
        version=checked.version,
        dists=checked.dists,
        at=now(),
        index=index.simple,
        urls=tuple(holdings.url(dist) for dist in checked.dists),
        reason=context.rehearsed_here,
    )
    record.write(rehearsed)
    page = index.page(checked.project, checked.version)
    return f"{text.plural(len(checked.dists), 'file')} on {index.name}, hashes as built: {page}"


def stop_if_unfit(context: Context, dists: Sequence[Dist]) -> None:
    """Raise PatternUnfit where a pattern of `require-verified` fits none of `dists`."""
    if patterns := unfit(dists, context.settings.require_verified):
        raise PatternUnfit(patterns, tuple(dist.filename for dist in dists))


@contextlib.contextmanager
def rehearsal(context: Context, held: tuple[Path, ...] = ()) -> Iterator[tuple[Index, Mapping[str, str]]]:
    """Yield the index on which `context` rehearses, and the variables to look up its credential in.

    Where that is this machine, a stand-in serves as long as this context manager lasts; it holds copies of the files
    `held`.
    """
    index = context.settings.testpypi
    if context.rehearsed_here is None:
        yield index, context.variables
        return
    from seatrial.standin import launch  # noqa: PLC0415 (likewise)

    context.say(f"rehearsal: a stand-in on this machine, not {index.name} ({context.rehearsed_here})")
    with temporary.folder("rehearsal") as folder, launch.serve(folder) as standins:
        for path in held:
            shutil.copyfile(path, folder / "testpypi" / path.name)
        yield standins.rehearsal(index), standins.tokens


def describe(context: Context, rehearsed: Rehearsed) -> str:
    """Say where the files were rehearsed."""
    name = context.settings.testpypi.name
    return name if rehearsed.reason is None else f"a stand-in on this machine, not {name} ({rehearsed.reason})"


def kept(context: Context, rehearsed: Rehearsed) -> str:
    """Say that a release is finished and its rehearsal is not replaced by another; empty where it is not finished."""
    if context.record.find(Released) is None:
        return ""
    place = describe(context, rehearsed)
    return f"{rehearsed.project} {rehearsed.version} is released; its rehearsal on {place} stays on record"


def elsewhere(context: Context, step: str, rehearsed: Rehearsed) -> RehearsedElsewhere:
    """Return the error for a rehearsal that is not the one `step` asks for."""
    again = ""
    if rehearsed.reason is not None:
        again = context.commands.command(step, "--rehearse-on", "dryrun", f'"{rehearsed.reason}"')
    expected = "a stand-in on this machine" if context.rehearsed_here else context.settings.testpypi.simple
    return RehearsedElsewhere(rehearsed.index, expected, again)
