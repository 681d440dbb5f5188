"""`testpypi` and `pypi`: the same upload to two indexes, and the gate before the one that cannot be undone."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from . import credentials, report, siblings, source, standins
from .errors import Dirty, FilesNotVerified, NotAttested, NotConfirmed, NotVerified, TagElsewhere
from .indexes import is_loopback
from .record import now
from .sending import Sending, find_credential
from .stages import KINDS, Built, Checked, Rehearsed, Released
from .standins import elsewhere, place
from .verdicts import lacking, verdicts

if TYPE_CHECKING:
    from .credentials import Credential
    from .indexes import Index
    from .run import Run
    from .stages import Verified
    from .verdicts import Verdict


def rehearse(run: Run) -> None:
    """Upload the checked files to the rehearsal index and record what it serves."""
    built = run.record.recorded(Built, session=run.names["build"])
    checked = run.record.read(Checked, session=run.names["check"])
    if built.dirty and not run.standin:
        raise Dirty(source.look(run.root).changed or ("(the tree was dirty when `build` ran)",))
    done = run.record.find(Rehearsed)
    if done is not None and run.counts(done.index):
        run.say(f"{done.project} {done.version} is on {place(run, done)} already, since {done.at}.")
        return
    with standins.rehearsal(run) as (place_of_it, outer):
        credential = find_credential(run, place_of_it, checked.project, outer)
        index = credentials.readable(place_of_it, credential)
        found, _ = Sending(run, index, checked, credential, outer).send()
    urls = tuple(found.url(dist) for dist in checked.dists)
    run.record.write(
        Rehearsed(
            project=checked.project,
            version=checked.version,
            dists=checked.dists,
            at=now(),
            index=index.simple,
            urls=urls,
            reason=run.rehearsed_here,
        )
    )
    run.say(f"{index.name} serves exactly the files that were built: {index.page(checked.project, checked.version)}")


def release(run: Run) -> None:
    """Upload the rehearsed and verified files to PyPI; never builds, and refuses what was not proved."""
    built = proved(run)
    index, done = run.config.pypi, run.record.find(Released)
    if done is not None and done.index == index.simple:
        run.say(f"{done.project} {done.version} is on {index.name} already, since {done.at}.")
        return
    rehearsed = run.record.recorded(Rehearsed, session=run.names["testpypi"])
    siblings.stop_unless_released(run, built, _counting(rehearsed, run.record.verified()))
    run.say(f"to {index.name}:")
    run.say(report.files(built.dists))
    credential = find_credential(run, index, built.project, os.environ)
    _confirm(run, built)
    _send(run, built, credentials.readable(index, credential), credential)
    _say_what_is_left(run, built)


def proved(run: Run) -> Built:
    """Return what is to be released. Raises what stops it: not rehearsed, not verified, or of another commit."""
    built = run.record.recorded(Built, session=run.names["build"])
    rehearsed = run.record.read(Rehearsed, session=run.names["testpypi"])
    if rehearsed.index != run.config.testpypi.simple and not run.counts(rehearsed.index):
        raise elsewhere(run, rehearsed)
    if rehearsed.reason is not None:
        run.say(f"note: rehearsed on {place(run, rehearsed)}")
    verified = run.record.verified()
    _stop_unless_verified(run, built, rehearsed, verified)
    _stop_unless_files_are(run, verdicts(built, _counting(rehearsed, verified)))
    _compare_source(run, built)
    return built


def _send(run: Run, built: Built, index: Index, credential: Credential) -> None:
    """Upload `built` to `index` and record what that serves. Raises NotAttested where files lack what was asked for."""
    sending = Sending(run, index, built, credential, os.environ)
    attested = sending.can_attest()
    found, holding = sending.send(attested=attested)
    run.record.write(
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
    run.say(f"{index.name} serves exactly the files that were rehearsed: {index.page(built.project, built.version)}")
    if attested and (lacking := tuple(dist.filename for dist in built.dists if dist.filename not in holding)):
        raise NotAttested(index.name, lacking)


def _stop_unless_verified(run: Run, built: Built, rehearsed: Rehearsed, verified: tuple[Verified, ...]) -> None:
    """Raise NotVerified unless the announced matrix is proved where `rehearsed` was.

    In CI every cell has to be there. Elsewhere an interpreter may be missing: those cells are named, and one of each
    kind that this release has is enough.
    """
    done = {one.cell for one in _counting(rehearsed, verified)}
    kinds = [kind for kind in KINDS if any(dist.kind == kind for dist in built.dists)]
    missing = [cell for cell in built.matrix if cell not in done and cell.kind in kinds]
    lacking = [kind for kind in kinds if not any(cell.kind == kind for cell in done)]
    if lacking or (missing and run.in_ci):
        raise NotVerified(run.config.pypi.name, tuple(f"Python {c.python}, {c.kind}" for c in missing), run.in_ci)
    if run.config.resolution == "lowest-direct" and not any(one.lowest for one in verified):
        run.say(
            "note: not verified with the lowest direct dependencies; `verify` tries them on the lowest of `pythons`"
        )
    run.say("verified:")
    run.say(report.cells(verified, [cell for cell in built.matrix if cell.kind in kinds]))


def _counting(rehearsed: Rehearsed, verified: tuple[Verified, ...]) -> tuple[Verified, ...]:
    """Return the cells that were verified where `rehearsed` was; on this machine each session has its own stand-in."""
    here = rehearsed.reason is not None
    return tuple(one for one in verified if one.index == rehearsed.index or (here and is_loopback(one.index)))


def _stop_unless_files_are(run: Run, found: tuple[Verdict, ...]) -> None:
    """Name the files that no cell installed. Raises FilesNotVerified where the settings ask for one of them."""
    if any(not verdict.proofs for verdict in found):
        run.say("not verified here:")
        run.say(report.unverified(found))
    required = run.config.require_verified
    if missing := lacking(found, required):
        raise FilesNotVerified(run.config.pypi.name, json.dumps(required), missing)


def _compare_source(run: Run, built: Built) -> None:
    """Say where HEAD has moved on; raise TagElsewhere where this version's tag is on another commit."""
    if built.commit is None:
        return
    for pattern in run.config.tag:
        tag = pattern.format(version=built.version, name=built.project)
        commit = source.commit_of_tag(run.root, tag)
        if commit is not None and commit != built.commit:
            raise TagElsewhere(tag, commit[:12], built.commit[:12])
    head = source.look(run.root).commit
    if head != built.commit:
        run.say(f"note: HEAD is now {(head or 'gone')[:12]}; these files were built from {built.commit[:12]}")


def _confirm(run: Run, built: Built) -> None:
    """Have the version typed, or take ``--yes VERSION``. Raises NotConfirmed."""
    typed = run.options.yes
    if typed is None and run.interactive:
        run.say(f"This cannot be undone: {built.version} of {built.project} can never be uploaded again.")
        typed = input("Type the version to release it: ").strip()
    if typed != built.version:
        raise NotConfirmed(built.project, built.version, typed, run.command("pypi", "--yes", built.version))


def _say_what_is_left(run: Run, built: Built) -> None:
    """Name what a release still needs and no session does."""
    tag = run.config.tag[0].format(version=built.version, name=built.project)
    if built.commit and not run.standin and source.commit_of_tag(run.root, tag) is None:
        run.say(f"next: git tag {tag} {built.commit[:12]} && git push origin {tag}")
