"""`pypi`: the very same files go to PyPI. It builds nothing, and refuses what was not rehearsed and verified."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seatrial.building import git, tags
from seatrial.index import logins
from seatrial.index.holdings import NotVisible, holdings, wait_until_served
from seatrial.index.http import IndexRefused, IndexUnreachable
from seatrial.index.indexes import is_loopback
from seatrial.machine.errors import ReleaseError, listing
from seatrial.machine.values import Value
from seatrial.release import failures
from seatrial.release.record import now
from seatrial.release.stages import KINDS, Built, Rehearsed, Released, Verified
from seatrial.release.verdicts import lacking, verdicts
from seatrial.report import ci, status, text
from seatrial.steps.preflight import stop_if_tagged_elsewhere
from seatrial.steps.testpypi import describe, elsewhere, stop_if_unfit
from seatrial.steps.uploading import Sending, find_credential
from seatrial.workspace import siblings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.project.context import Context


class NotAttested(ReleaseError):
    index: str
    files: tuple[str, ...]

    what = "{e.index} has the release, but serves no valid attestation for:{e.files:listed}"
    cause = "an earlier attempt that uploaded these files without; an attestation is accepted only with its file."
    cure = (
        "nothing for this version, whose files cannot be uploaded again. released.json lists those that are attested."
    )


class NotRecorded(ReleaseError):
    index: str
    project: str
    version: str
    reason: str
    again: str

    what = "{e.project} {e.version} is on {e.index}, but that could not be recorded here: {e.reason}"
    cause = "a full disk, or a folder without write permission."
    cure = "free space or fix the permissions, and run `{e.again}` once more: it uploads nothing twice."


class NotVerified(ReleaseError):
    index: str
    missing: tuple[str, ...]
    in_ci: bool

    what = (
        "These files are not verified as the matrix demands, so nothing goes to {e.index}. Missing:{e.missing:listed}"
    )
    cause = "nox skips an interpreter that is not on this machine; a failed or unfinished verify leaves no record."
    cure = "run `{run[verify]}`{e.advice}"

    @property
    def advice(self) -> str:
        if self.in_ci:
            return " in its jobs, and bring their records here: in CI every cell must be there."
        return "; at least one cell of each kind must be green. `pythons` in [tool.seatrial] sets them."


class CellsFailed(ReleaseError):
    index: str
    cells: tuple[str, ...]

    what = "These files failed in `verify`, so nothing goes to {e.index}:{e.cells:listed}"
    cause = "they do not work on a Python that the project supports; or this machine or a dependency was at fault."
    cure = (
        "if the project is at fault, fix it, raise the version, commit, and run `{run[verify]}`; if not, run"
        " `{run[verify]}` again, which tries these cells once more."
    )


class FilesNotVerified(ReleaseError):
    index: str
    required: str
    files: tuple[str, ...]

    what = "`require-verified = {e.required}` asks for these files to be verified, and they are not:{e.files:listed}"
    cause = "no verify job ran on a platform and a Python that install this file, or its record was not brought here."
    cure = (
        "run `verify` where they fit and bring the records together, or ask for less in"
        " [tool.seatrial]. Nothing went to {e.index}."
    )


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


class VersionsDiffer(ReleaseError):
    commands: tuple[str, ...]

    what = "Not uploaded: these packages have different versions, so one --yes cannot confirm them all."
    cause = "each package has a version of its own. On a terminal each is typed in its turn."
    cure = "confirm each by itself, in this order:{e.commands:listed}"


class OtherVersion(ReleaseError):
    project: str
    sealed: str
    typed: str

    what = "--yes {e.typed} was given, but the sealed files are {e.project} {e.sealed}. Nothing was uploaded."
    cause = "the version was raised, and the new release is not built, rehearsed and verified yet."
    cure = "`{run[verify]}` takes HEAD through the rehearsal; `{run[status]}` says where this release stands."


class NothingVerified(ReleaseError):
    index: str

    what = "Nothing is verified here, so there is nothing to upload to {e.index}."
    cause = (
        "`verify` has not been run for this release, did not succeed, or its record was not brought to this machine."
    )
    cure = "run `{run[verify]}` first: it builds, checks, rehearses and verifies the release."


class RehearsalMissing(ReleaseError):
    path: Path

    what = "Files are verified here, but the record of their rehearsal is missing: {e.path}"
    cause = "it was not brought here together with the records of `verify`."
    cure = "bring it from where `testpypi` ran; or run `{run[testpypi]}` again, which uploads nothing twice."


class RehearsalUnknown(ReleaseError):
    index: str
    reason: str

    what = "{e.index} does not say whether it still serves the rehearsed files: {e.reason}"
    cause = "an outage, no network, or a login that may not read it any more. Nothing was uploaded."
    cure = (
        "run `{run[pypi]}` again when it answers; or go on with what the record says, with the reason in the record:"
        ' `{run[pypi --without-rehearsal-index "REASON"]}`.'
    )


class Proof(Value):
    """A release that was rehearsed and verified, with what proves it: the cells that count for its rehearsal."""

    built: Built
    rehearsed: Rehearsed
    verified: tuple[Verified, ...]


def run(context: Context) -> None:
    """Upload the rehearsed and verified files to PyPI.

    Raises what stops a release (see `proved`), NotConfirmed, and what uploading raises.
    """
    with context.record.locked("release"), context.screen.step("pypi") as step:
        step.summary = release(context, proved(context))
        ci.uploaded(context, context.settings.pypi)
    status.close(context)
    built = context.record.recorded(Built)
    tag = tags.spelt(context.settings.tag[0], built.project, built.version)
    if built.commit and not context.dry and git.commit_of_tag(context.root, tag) is None:
        context.screen.line(f"next: git tag {tag} {built.commit[:12]} && git push origin {tag}")
    ci.stands(context)


def apart(contexts: Sequence[Context]) -> tuple[str, ...]:
    """Return the command that releases each package that is not released, empty where one version is that of all."""
    pairs = [(context, built) for context in contexts if (built := context.record.find(Built))]
    if len({built.version for _, built in pairs}) <= 1:
        return ()
    waiting = [pair for pair in pairs if pair[0].record.find(Released) is None]
    return tuple(context.commands.command("pypi", "--yes", built.version) for context, built in waiting)


def release(context: Context, proof: Proof) -> str:
    """Upload the files of `proof` unless that is done, and return where they are."""
    index, built, done = context.settings.pypi, proof.built, context.record.find(Released)
    if done is not None and done.index == index.simple:
        with context.screen.progress(f"pypi: asking {index.name}"):
            held = holdings(index, built.project, built.version, built.dists)
        missing = [dist.filename for dist in built.dists if dist not in held.identical]
        if not missing:
            return f"{done.project} {done.version} has been on {index.name} since {done.at}"
        context.say(f"recorded as released, but {index.name} does not serve:{listing(missing)}", "warning")
    siblings.stop_unless_released(context, built, proof.verified)
    _ask_rehearsal_index(context, proof)
    context.detail(f"to {index.name}:\n{text.files(built.dists)}")
    credential = find_credential(context, index, built.project, context.variables)
    typed = context.options.yes
    if typed is None and context.interactive:
        host = urlsplit(index.upload).netloc
        context.screen.line(f"This cannot be undone: {built.project} {built.version} goes to {host} for good.")
        typed = context.screen.ask("Type the version to release it: ").strip()
    if typed != built.version:
        command = context.commands.command("pypi", "--yes", built.version)
        raise NotConfirmed(built.project, built.version, typed, command)
    readable = logins.readable(index, credential)
    return _upload(Sending(context, "pypi", readable, built, credential, context.variables))


def proved(context: Context) -> Proof:
    """Return what is to be released.

    Raises NothingVerified, RehearsalMissing, OtherVersion, RehearsedElsewhere, FilesChanged, CellsFailed, NotVerified,
    FilesNotVerified, TagElsewhere.
    """
    record = context.record
    built = record.find(Built)
    if built and record.find(Rehearsed) is None and record.verified():
        raise RehearsalMissing(record.path(Rehearsed))
    if built is None or record.find(Rehearsed) is None:
        raise NothingVerified(context.settings.pypi.name)
    if context.options.yes is not None and context.options.yes != built.version:
        raise OtherVersion(built.project, built.version, context.options.yes)
    rehearsed = record.read(Rehearsed)
    if rehearsed.index != context.settings.testpypi.simple and not context.counts(rehearsed.index):
        raise elsewhere(context, "pypi", rehearsed)
    here = rehearsed.reason is not None  # on this machine, where each step has its own stand-in
    if here:
        context.say(f"rehearsed on {describe(context, rehearsed)}", "note")
    counting = (one for one in record.verified() if one.index == rehearsed.index or (here and is_loopback(one.index)))
    proof = Proof(built, rehearsed, tuple(counting))
    _stop_unless_verified(context, proof)
    if built.commit is None:
        return proof
    if not context.dry:
        stop_if_tagged_elsewhere(context, built.project, built.version, built.commit)
    if (head := git.of(context).commit) != built.commit:
        context.say(f"HEAD is now {(head or 'gone')[:12]}; these files were built from {built.commit[:12]}", "note")
    return proof


def _stop_unless_verified(context: Context, proof: Proof) -> None:
    """Raise NotVerified unless the announced matrix is proved, CellsFailed where a cell was tried and does not work.

    In CI every cell has to be there. Elsewhere an interpreter may be missing: those cells are named, and one of each
    kind that this release has is enough. Raises FilesNotVerified where the settings ask for a file that none installed,
    and PatternUnfit where they ask for one that is not there.
    """
    built, done = proof.built, {verified.cell for verified in proof.verified}
    kinds = [kind for kind in KINDS if any(dist.kind == kind for dist in built.dists)]
    cells = [cell for cell in built.matrix if cell.kind in kinds]
    missing = [cell for cell in cells if cell not in done]
    unproved = [kind for kind in kinds if not any(cell.kind == kind for cell in done)]
    if failed := tuple(f"Python {one.python}, {one.kind}, at {one.at}" for one in failures.cells(context.record)):
        raise CellsFailed(context.settings.pypi.name, failed)
    if unproved or (missing and context.in_ci):
        names = tuple(f"Python {cell.python}, {cell.kind}" for cell in missing)
        raise NotVerified(context.settings.pypi.name, names, context.in_ci)
    if context.settings.resolution == "lowest-direct" and not any(cell.lowest for cell in proof.verified):
        lowest = "not verified with the lowest direct dependencies; `verify` tries them on the lowest Python"
        context.say(lowest, "note")
    context.detail(f"verified:\n{text.cells(proof.verified, cells)}")
    if missing:
        context.say(f"not verified: {', '.join(f'{cell.python} {cell.kind}' for cell in missing)}", "note")
    stop_if_unfit(context, built.dists)
    found, required = verdicts(built, proof.verified), context.settings.require_verified
    if any(not verdict.proofs for verdict in found):
        context.say(f"not verified here:\n{text.unverified(found)}", "note")
    if files := lacking(found, required):
        raise FilesNotVerified(context.settings.pypi.name, json.dumps(required), files)


def _ask_rehearsal_index(context: Context, proof: Proof) -> None:
    """Have the rehearsal index say once more that it serves the files. Raises OtherBytes and RehearsalUnknown."""
    rehearsed, index = proof.rehearsed, context.settings.testpypi
    if rehearsed.reason is not None or context.options.without_rehearsal_index:
        return
    release = (rehearsed.project, rehearsed.version, rehearsed.dists)
    try:
        with context.screen.progress(f"pypi: asking {index.name}"):
            wait_until_served(index, *release, limit=context.settings.index_timeout, say=context.detail)
    except (IndexUnreachable, IndexRefused, NotVisible) as error:
        raise RehearsalUnknown(index.name, error.text(context.commands).splitlines()[0]) from None


def _upload(sending: Sending) -> str:
    """Upload the files and record what the index serves.

    Raises NotRecorded, and NotAttested where files lack what was asked for.
    """
    context, index, built = sending.context, sending.index, sending.stage
    attested = sending.can_attest()
    found, holding = sending.send(attested=attested)
    released = Released(
        project=built.project,
        version=built.version,
        dists=built.dists,
        at=now(),
        index=index.simple,
        urls=tuple(found.url(dist) for dist in built.dists),
        attested=holding,
        without_rehearsal_index=context.options.without_rehearsal_index,
    )
    try:
        context.record.write(released)
    except OSError as error:
        again = context.commands.command("pypi", *context.options.once, "--yes", built.version)
        raise NotRecorded(index.name, built.project, built.version, str(error), again) from None
    if attested and (missing := tuple(dist.filename for dist in built.dists if dist.filename not in holding)):
        raise NotAttested(index.name, missing)
    page = index.page(built.project, built.version)
    return f"{text.plural(len(built.dists), 'file')} on {index.name}, the same bytes as rehearsed: {page}"
