"""`testpypi` and `pypi`: the same upload to two indexes, and the gate before the one that cannot be undone."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.building import git
from seatrial.index import credentials
from seatrial.index.indexes import is_loopback
from seatrial.machine.errors import ReleaseError
from seatrial.release.record import now
from seatrial.release.stages import KINDS, Built, Checked, Rehearsed, Released
from seatrial.release.verdicts import lacking, verdicts
from seatrial.report import text
from seatrial.standin import standins
from seatrial.standin.standins import elsewhere, place
from seatrial.steps.uploading import Sending, find_credential
from seatrial.workspace import siblings

if TYPE_CHECKING:
    from seatrial.index.credentials import Credential
    from seatrial.index.indexes import Index
    from seatrial.project.context import Context
    from seatrial.release.stages import Verified
    from seatrial.release.verdicts import Verdict


@dataclass(eq=False)
class NotAttested(ReleaseError):
    index: str
    files: tuple[str, ...]

    what = "{e.index} has the release, and serves no attestation that holds for:{e.files:listed}"
    cause = "an earlier try that uploaded these files without; attestations are taken together with the file alone."
    cure = "nothing can be repeated for this version. released.json lists the files that are attested."


@dataclass(eq=False)
class Dirty(ReleaseError):
    files: tuple[str, ...]

    what = "These files were built from a tree with changes that are not committed, and cannot be uploaded:{e.files:shortened}"
    cause = "work in progress, or a file that is neither committed nor ignored."
    cure = "commit or stash them and run `{run[build]}`. `{run[dryrun]}` rehearses a dirty tree on this machine."


@dataclass(eq=False)
class NotVerified(ReleaseError):
    index: str
    missing: tuple[str, ...]
    in_ci: bool

    what = (
        "These files are not verified as the matrix demands, so nothing goes to {e.index}. Missing:{e.missing:listed}"
    )
    cause = (
        "an interpreter that is not on this machine is skipped by nox; a failed or unfinished verify leaves no record."
    )
    cure = "{e.advice}"

    @property
    def advice(self) -> str:
        if self.in_ci:
            return "in CI every cell must be there: run the verify jobs and bring their records here."
        return (
            "run `{run[verify]}`; at least one cell of each kind must be green. `pythons` in [tool.seatrial] sets them."
        )


@dataclass(eq=False)
class FilesNotVerified(ReleaseError):
    index: str
    required: str
    files: tuple[str, ...]

    what = "These files have to be verified by `require-verified = {e.required}`, and are not:{e.files:listed}"
    cause = "no verify job ran on a platform and a Python that install this file, or its record was not brought here."
    cure = (
        "run `verify` where they fit and bring the records together (docs/how-to/compiled-wheels.md), or ask for less"
        " in [tool.seatrial]. Nothing went to {e.index}."
    )


@dataclass(eq=False)
class TagElsewhere(ReleaseError):
    tag: str
    commit: str
    built: str

    what = "The tag {e.tag} points to commit {e.commit}, and these files were built from {e.built}."
    cause = "the tag was set or moved after the build, or the files are of an older commit."
    cure = "move the tag, or build the tagged commit with `{run[build --rebuild]}`."


@dataclass(eq=False)
class NotConfirmed(ReleaseError):
    project: str
    version: str
    typed: str | None
    command: str

    what = "Not uploaded: {e.project} {e.version} was not confirmed{e.shown}."
    cause = "an upload cannot be undone, so the version is typed, or given with --yes where nobody can type."
    cure = "{e.command}"

    @property
    def shown(self) -> str:
        return "" if self.typed is None else f" (the answer was {self.typed!r})"


def rehearse(context: Context) -> None:
    """Upload the checked files to the rehearsal index and record what it serves."""
    built = context.record.recorded(Built, session=context.names["build"])
    checked = context.record.read(Checked, session=context.names["check"])
    if built.dirty and not context.standin:
        raise Dirty(git.look(context.root).changed or ("(the tree was dirty when `build` ran)",))
    done = context.record.find(Rehearsed)
    if done is not None and context.counts(done.index):
        context.say(f"{done.project} {done.version} is on {place(context, done)} already, since {done.at}.")
        return
    with standins.rehearsal(context) as (place_of_it, outer):
        credential = find_credential(context, place_of_it, checked.project, outer)
        index = credentials.readable(place_of_it, credential)
        found, _ = Sending(context, index, checked, credential, outer).send()
    urls = tuple(found.url(dist) for dist in checked.dists)
    context.record.write(
        Rehearsed(
            project=checked.project,
            version=checked.version,
            dists=checked.dists,
            at=now(),
            index=index.simple,
            urls=urls,
            reason=context.rehearsed_here,
        )
    )
    context.say(f"{index.name} serves exactly the files that were built: {index.page(checked.project, checked.version)}")


def release(context: Context) -> None:
    """Upload the rehearsed and verified files to PyPI; never builds, and refuses what was not proved."""
    built = proved(context)
    index, done = context.settings.pypi, context.record.find(Released)
    if done is not None and done.index == index.simple:
        context.say(f"{done.project} {done.version} is on {index.name} already, since {done.at}.")
        return
    rehearsed = context.record.recorded(Rehearsed, session=context.names["testpypi"])
    siblings.stop_unless_released(context, built, _counting(rehearsed, context.record.verified()))
    context.say(f"to {index.name}:")
    context.say(text.files(built.dists))
    credential = find_credential(context, index, built.project, os.environ)
    _confirm(context, built)
    _send(context, built, credentials.readable(index, credential), credential)
    _say_what_is_left(context, built)


def proved(context: Context) -> Built:
    """Return what is to be released. Raises what stops it: not rehearsed, not verified, or of another commit."""
    built = context.record.recorded(Built, session=context.names["build"])
    rehearsed = context.record.read(Rehearsed, session=context.names["testpypi"])
    if rehearsed.index != context.settings.testpypi.simple and not context.counts(rehearsed.index):
        raise elsewhere(context, rehearsed)
    if rehearsed.reason is not None:
        context.say(f"note: rehearsed on {place(context, rehearsed)}")
    verified = context.record.verified()
    _stop_unless_verified(context, built, rehearsed, verified)
    _stop_unless_files_are(context, verdicts(built, _counting(rehearsed, verified)))
    _compare_source(context, built)
    return built


def _send(context: Context, built: Built, index: Index, credential: Credential) -> None:
    """Upload `built` to `index` and record what that serves. Raises NotAttested where files lack what was asked for."""
    sending = Sending(context, index, built, credential, os.environ)
    attested = sending.can_attest()
    found, holding = sending.send(attested=attested)
    context.record.write(
        Released(
            project=built.project,
            version=built.version,
            dists=built.dists,
            at=now(),
            index=index.simple,
            urls=tuple(found.url(dist) for dist in built.dists),
            attested=holding,
        )
    )
    context.say(f"{index.name} serves exactly the files that were rehearsed: {index.page(built.project, built.version)}")
    if attested and (lacking := tuple(dist.filename for dist in built.dists if dist.filename not in holding)):
        raise NotAttested(index.name, lacking)


def _stop_unless_verified(context: Context, built: Built, rehearsed: Rehearsed, verified: tuple[Verified, ...]) -> None:
    """Raise NotVerified unless the announced matrix is proved where `rehearsed` was.

    In CI every cell has to be there. Elsewhere an interpreter may be missing: those cells are named, and one of each
    kind that this release has is enough.
    """
    done = {one.cell for one in _counting(rehearsed, verified)}
    kinds = [kind for kind in KINDS if any(dist.kind == kind for dist in built.dists)]
    missing = [cell for cell in built.matrix if cell not in done and cell.kind in kinds]
    lacking = [kind for kind in kinds if not any(cell.kind == kind for cell in done)]
    if lacking or (missing and context.in_ci):
        raise NotVerified(context.settings.pypi.name, tuple(f"Python {c.python}, {c.kind}" for c in missing), context.in_ci)
    if context.settings.resolution == "lowest-direct" and not any(one.lowest for one in verified):
        context.say(
            "note: not verified with the lowest direct dependencies; `verify` tries them on the lowest of `pythons`"
        )
    context.say("verified:")
    context.say(text.cells(verified, [cell for cell in built.matrix if cell.kind in kinds]))


def _counting(rehearsed: Rehearsed, verified: tuple[Verified, ...]) -> tuple[Verified, ...]:
    """Return the cells that were verified where `rehearsed` was; on this machine each session has its own stand-in."""
    here = rehearsed.reason is not None
    return tuple(one for one in verified if one.index == rehearsed.index or (here and is_loopback(one.index)))


def _stop_unless_files_are(context: Context, found: tuple[Verdict, ...]) -> None:
    """Name the files that no cell installed. Raises FilesNotVerified where the settings ask for one of them."""
    if any(not verdict.proofs for verdict in found):
        context.say("not verified here:")
        context.say(text.unverified(found))
    required = context.settings.require_verified
    if missing := lacking(found, required):
        raise FilesNotVerified(context.settings.pypi.name, json.dumps(required), missing)


def _compare_source(context: Context, built: Built) -> None:
    """Say where HEAD has moved on; raise TagElsewhere where this version's tag is on another commit."""
    if built.commit is None:
        return
    for pattern in context.settings.tag:
        tag = pattern.format(version=built.version, name=built.project)
        commit = git.commit_of_tag(context.root, tag)
        if commit is not None and commit != built.commit:
            raise TagElsewhere(tag, commit[:12], built.commit[:12])
    head = git.look(context.root).commit
    if head != built.commit:
        context.say(f"note: HEAD is now {(head or 'gone')[:12]}; these files were built from {built.commit[:12]}")


def _confirm(context: Context, built: Built) -> None:
    """Have the version typed, or take ``--yes VERSION``. Raises NotConfirmed."""
    typed = context.options.yes
    if typed is None and context.interactive:
        context.say(f"This cannot be undone: {built.version} of {built.project} can never be uploaded again.")
        typed = input("Type the version to release it: ").strip()
    if typed != built.version:
        raise NotConfirmed(built.project, built.version, typed, context.command("pypi", "--yes", built.version))


def _say_what_is_left(context: Context, built: Built) -> None:
    """Name what a release still needs and no session does."""
    tag = context.settings.tag[0].format(version=built.version, name=built.project)
    if built.commit and not context.standin and git.commit_of_tag(context.root, tag) is None:
        context.say(f"next: git tag {tag} {built.commit[:12]} && git push origin {tag}")
