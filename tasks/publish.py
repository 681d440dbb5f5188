"""`testpypi` and `pypi`: the same upload to two indexes, and the gate before the one that cannot be undone."""

from __future__ import annotations

import contextlib
import functools
import os
import time
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from . import attest, credentials, environment, identity, process, report, source
from .errors import (
    Dirty,
    NotAttested,
    NotConfirmed,
    NotVerified,
    PublisherRefused,
    RehearsedElsewhere,
    TagElsewhere,
    ToolStuck,
    UploadRefused,
)
from .indexes import read_project
from .record import now
from .stages import KINDS, Built, Checked, Rehearsed, Released
from .upload import Job, upload

if TYPE_CHECKING:
    from .credentials import Credential
    from .errors import ReleaseError
    from .indexes import Holdings, Index
    from .run import Run
    from .stages import Stage, Verified

KEYRING_LIMIT = 120.0  # seconds; a keyring may ask to be unlocked


def rehearse(run: Run) -> None:
    """Upload the checked files to the rehearsal index and record what it serves."""
    built = run.record.read(Built, session=run.names["build"])
    checked = run.record.read(Checked, session=run.names["check"])
    if built.dirty and not run.standin:
        raise Dirty(source.look(run.root).changed or ("(the tree was dirty when `build` ran)",))
    index = run.config.testpypi
    done = run.record.find(Rehearsed)
    if done is not None and done.index == index.simple:
        run.say(f"{done.project} {done.version} is on {index.name} already, since {done.at}.")
        return
    found, _ = _upload(run, checked, index, _credential(run, index, checked.project), attested=False)
    urls = tuple(found.url(dist) for dist in checked.dists)
    run.record.write(
        Rehearsed(
            project=checked.project,
            version=checked.version,
            dists=checked.dists,
            at=now(),
            index=index.simple,
            urls=urls,
        )
    )
    run.say(f"{index.name} serves exactly the files that were built: {index.page(checked.project, checked.version)}")


def release(run: Run) -> None:
    """Upload the rehearsed and verified files to PyPI; never builds, and refuses what was not proved."""
    built = run.record.read(Built, session=run.names["build"])
    rehearsed = run.record.read(Rehearsed, session=run.names["testpypi"])
    if rehearsed.index != run.config.testpypi.simple:
        raise RehearsedElsewhere(rehearsed.index, run.config.testpypi.simple)
    _stop_unless_verified(run, built, run.record.verified())
    _compare_source(run, built)
    index = run.config.pypi
    done = run.record.find(Released)
    if done is not None and done.index == index.simple:
        run.say(f"{done.project} {done.version} is on {index.name} already, since {done.at}.")
        return
    run.say(f"to {index.name}:")
    run.say(report.files(built.dists))
    credential = _credential(run, index, built.project)
    _confirm(run, built)
    attested = _can_attest(run, credential)
    found, holding = _upload(run, built, index, credential, attested=attested)
    urls = tuple(found.url(dist) for dist in built.dists)
    run.record.write(
        Released(
            project=built.project,
            version=built.version,
            dists=built.dists,
            at=now(),
            index=index.simple,
            urls=urls,
            attested=holding,
        )
    )
    run.say(f"{index.name} serves exactly the files that were rehearsed: {index.page(built.project, built.version)}")
    if attested and (lacking := tuple(dist.filename for dist in built.dists if dist.filename not in holding)):
        raise NotAttested(index.name, lacking)
    _say_what_is_left(run, built)


def _credential(run: Run, index: Index, project: str) -> Credential:
    """Return the one credential for `index`, read as far as it can be, and say which it is. Nothing was sent yet."""
    ask = functools.partial(credentials.ask_terminal, index) if run.interactive else None
    found = credentials.find(index, os.environ, keyring=functools.partial(_keyring, run, index), ask=ask)
    if aside := credentials.set_aside(index, os.environ):
        run.say(f"{aside}; it is set aside")
    credentials.stop_if_useless(found, index, canonicalize_name(project), time.time())
    token = found.token
    run.say(f"index: {index.upload}  credential: {found.source}{f', {credentials.describe(token)}' if token else ''}")
    if found.secret and not token and index.token_location:
        run.say(f"warning: the format of the token from {found.source} is not known, so it is handed on as it is")
    return found


def _keyring(run: Run, index: Index) -> str:
    """Return the token that twine would find in the keyring for `index`, empty for none."""
    argv = (str(run.tools("twine")), "-I", "-m", "keyring", "get", index.upload, credentials.TOKEN_USER)
    with run.scratch() as scratch, contextlib.suppress(ToolStuck):
        outcome = process.run(argv, env=environment.for_upload(os.environ, {}), cwd=scratch, time_limit=KEYRING_LIMIT)
        if outcome.code == 0 and outcome.output.strip():
            return outcome.output.splitlines()[-1]  # what stands before it are warnings
    return ""


def _can_attest(run: Run, credential: Credential) -> bool:
    """Whether the files are to be attested: where it is asked for, and a CI's identity is there to sign and upload."""
    able = not credential.secret and bool(attest.identity(os.environ))
    if run.config.attestations and not able:
        run.say("no attestations: only a CI's identity can make them, in an upload by trusted publishing")
    return run.config.attestations and able


def _upload(
    run: Run, stage: Stage, index: Index, credential: Credential, *, attested: bool
) -> tuple[Holdings, tuple[str, ...]]:
    """Upload the files of `stage`; return what `index` then serves, and the files with attestations that hold."""
    _say_what_a_publisher_needs(run, index, stage.project, credential)
    first = _is_first(run, index, stage.project, credential)
    python = run.tools("attest" if attested else "twine")
    with run.scratch() as scratch:
        signer = attest.Signer(python, scratch, os.environ)
        if attested:
            signer.sign(stage.dists, run.record.dist)
        job = Job(
            index=index,
            project=stage.project,
            version=stage.version,
            dists=stage.dists,
            folder=signer.folder if attested else run.record.dist,
            python=python,
            env=functools.partial(_twine_environment, run, index, stage.project, credential),
            scratch=scratch,
            limit=run.config.index_timeout,
            say=run.say,
            attested=attested,
        )
        try:
            found = upload(job)
        except UploadRefused as refused:
            raise _explained(index, stage.project, credential, refused) from None
        holding = signer.holding(index, stage) if attested else ()
    if first:
        run.say(credentials.advice(index, stage.project, "exists now"))
    return found, holding


def _say_what_a_publisher_needs(run: Run, index: Index, project: str, credential: Credential) -> None:
    if index.pages and not credential.secret and not read_project(index, project):
        page = f"{index.pages}/manage/account/publishing/"
        name = canonicalize_name(project)
        run.say(f"{index.name} does not show {name} yet: it needs a pending publisher for exactly this name ({page})")


def _explained(index: Index, project: str, credential: Credential, refused: UploadRefused) -> ReleaseError:
    """Return what `refused` means where the CI's identity was not accepted, field by field; else itself."""
    if credential.secret or not identity.is_refused(refused.words):
        return refused
    return PublisherRefused(
        index.name, refused.words, canonicalize_name(project), identity.publisher(os.environ), index.pages
    )


def _twine_environment(run: Run, index: Index, project: str, credential: Credential) -> dict[str, str]:
    """Return what twine sees: the token narrowed to this project and the next minutes, unless it is not to be."""
    if index.token_location and not run.options.no_narrow:
        narrowed = credentials.narrowed(credential, canonicalize_name(project), time.time())
        if narrowed != credential and os.environ.get("GITHUB_ACTIONS") == "true":
            run.say(f"::add-mask::{narrowed.secret}")  # GitHub hides it in every log, this line included
        credential = narrowed
    return environment.for_upload(os.environ, credential.variables)


def _is_first(run: Run, index: Index, project: str, credential: Credential) -> bool:
    """Whether `index` does not know the project yet; asked only where the token is for a whole account.

    It is warned about, but not before a first release, where there can be no other.
    """
    token = credential.token
    if not index.pages or not token or not token.scope.whole_account:
        return False
    first = not read_project(index, project)
    if not first:
        run.say(f"warning: {credentials.advice(index, project, 'is there')}")
    return first


def _stop_unless_verified(run: Run, built: Built, verified: tuple[Verified, ...]) -> None:
    """Raise NotVerified unless the announced matrix is proved.

    In CI every cell has to be there. Elsewhere an interpreter may be missing: those cells are named, and one of each
    kind that this release has is enough.
    """
    done = {one.cell for one in verified if one.index == run.config.testpypi.simple}
    kinds = [kind for kind in KINDS if any(dist.kind == kind for dist in built.dists)]
    missing = [cell for cell in built.matrix if cell not in done and cell.kind in kinds]
    lacking = [kind for kind in kinds if not any(cell.kind == kind for cell in done)]
    if lacking or (missing and run.in_ci):
        raise NotVerified(run.config.pypi.name, tuple(f"Python {c.python}, {c.kind}" for c in missing), run.in_ci)
    run.say("verified:")
    run.say(report.cells(verified, [cell for cell in built.matrix if cell.kind in kinds]))


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
