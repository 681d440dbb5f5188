"""The release that is on record when `build` runs: whether it is kept, makes way for the next one, or stops the build.

What was verified in some cells, failed in none and was not released is never replaced unasked. Only `build` sets files
and record aside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.machine.errors import ReleaseError, listing
from seatrial.release import failures
from seatrial.release.stages import Built, Rehearsed, Released

if TYPE_CHECKING:
    from seatrial.project.context import Context

SHORT = 12  # characters of a commit


class VerifiedNotReleased(ReleaseError):
    index: str
    rehearsal: str  # empty for one on this machine
    project: str
    version: str
    commit: str
    head: str

    what = (
        "{e.project} {e.version}, built from {e.commit}, is verified and not released, and HEAD has moved on to"
        " {e.head}. Nothing was built."
    )
    cause = "commits after the rehearsal. A build of them would replace files that are known to work."
    cure = (
        "one of these.\n"
        "  1. `{run[pypi]}` releases {e.version} on {e.index} as verified. Cost: the commits since wait for the next"
        " version.\n"
        "  2. `{run[build --rebuild]}` sets these files aside and builds HEAD. Cost: rehearsal and verification start"
        " again{e.spent}.\n"
        "  3. `{run[verify --keep-sealed]}` goes on with the verified files, to verify more of them. Cost: none; the"
        " commits since are not in them."
    )

    @property
    def spent(self) -> str:
        if not self.rehearsal:
            return ""
        return (
            f"; if HEAD is still {self.version}, raise the version first: {self.rehearsal} accepts no other files of it"
        )


def parting(context: Context, built: Built, head: str | None, fingerprint: str) -> str | None:
    """Return what is to be said of `built`, which makes way for the next release; None where it is kept.

    Why it is kept is said here. Raises VerifiedNotReleased.
    """
    rehearsed = context.record.find(Rehearsed)
    if not context.options.rebuild:
        if reason := _reason_to_keep(context, built, head, fingerprint, rehearsed):
            context.say(reason)
            return None
        if rehearsed and _is_released(context, built):
            return f"{built.version} is on {context.settings.pypi.name}"
        if rehearsed and failures.is_verified(context.record):
            where = context.settings.testpypi.name if rehearsed.reason is None else ""
            commits = short(built.commit), short(head)
            raise VerifiedNotReleased(context.settings.pypi.name, where, built.project, built.version, *commits)
    if rehearsed is None:
        return ""
    if rehearsed.reason is not None:
        return f"{built.version} was rehearsed on this machine and not released"
    return f"{built.version} is on {context.settings.testpypi.name} and was not released"


def _reason_to_keep(
    context: Context, built: Built, head: str | None, fingerprint: str, rehearsed: Rehearsed | None
) -> str:
    """Return why the files of `built` stay, in a sentence; empty where nothing keeps them."""
    release = f"{built.project} {built.version}"
    # What is not committed is not built, so it changes nothing in files that were rehearsed.
    if built.fingerprint in {fingerprint, rehearsed and fingerprint.replace("+dirty;", ";")}:
        return f"{release} is already built from this source ({len(built.dists)} files)."
    if rehearsed and _tree(built.fingerprint) == _tree(fingerprint):
        return (
            f"{release} was rehearsed and is sealed; what is asked for now would build it differently from the same"
            f" commit. Going on with the sealed files; to start over: {context.commands['build --rebuild']}"
        )
    if rehearsed and context.options.keep_sealed:
        commits = f"built from {short(built.commit)}, although HEAD is {short(head)}"
        return f"going on with the sealed files of {release}, {commits}"
    return ""


def short(commit: str | None) -> str:
    """Return `commit` as it is shown."""
    return commit[:SHORT] if commit else "a tree without git"


def _tree(fingerprint: str) -> str:
    """Return the part of a fingerprint that names the source; changes that are not committed are not built."""
    return fingerprint.partition(";")[0].removesuffix("+dirty")


def _is_released(context: Context, built: Built) -> bool:
    """Whether `built` is out: the index serves every file of it, or does not answer and the record says so."""
    index, released = context.settings.pypi, context.record.find(Released)
    recorded = released is not None and released.index == index.simple
    if context.options.offline:
        return recorded
    from seatrial.index.holdings import holdings  # noqa: PLC0415 (only where HEAD has moved on)

    try:
        held = holdings(index, built.project, built.version, built.dists, patient=False)
    except ReleaseError:
        known = "released, as the record says" if recorded else "not released"
        context.say(f"{index.name} does not answer, so whether {built.version} is there is unknown; taken as {known}")
        return recorded
    return len(held.identical) == len(built.dists)


def ways_out(context: Context, before: Built | None, built: Built) -> str:
    """Return what to do where an index holds other files of the version that was built; else nothing."""
    rehearsed = context.record.find(Rehearsed)
    if rehearsed is None or before is None or before.version != built.version or before.dists == built.dists:
        return ""
    index, real = context.settings.testpypi.name, context.settings.pypi.name
    if _is_released(context, before):
        return f"{real} has {built.version} already, and never takes other files for it. Raise the version and commit."
    if rehearsed.reason is not None:
        return ""
    command = context.commands.command("verify", "--rehearse-on", "dryrun", '"REASON"')
    ways = (
        f"Raise the version and commit. Cost: {real} never shows {built.version}.",
        "Rehearse on a private index: [tool.seatrial.indexes.testpypi]. Cost: an index to run.",
        f"Rehearse on this machine: `{command}`. Cost: no other index serves the files before {real} does.",
    )
    numbered = (f"{number}. {way}" for number, way in enumerate(ways, 1))
    reason = f"{index} already has different files for {built.version}, and rejects these."
    return f"{reason} Three ways out:{listing(numbered)}"
