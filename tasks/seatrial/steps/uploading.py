"""One upload of a release: which credential it uses, whether it is attested, and what a rejection means."""

from __future__ import annotations

import functools
import os
import time
from dataclasses import field
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.index import conflicts, credentials, logins
from seatrial.index.holdings import OtherBytes, read_project, stop_if_closed
from seatrial.index.uploads import attestations
from seatrial.index.uploads.upload import Job, UploadRefused, copied, upload
from seatrial.machine import temporary, terminal, variables
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.index.holdings import Holdings
    from seatrial.index.indexes import Index
    from seatrial.project.context import Context
    from seatrial.release.stages import Stage


class PublisherRefused(ReleaseError):
    index: str
    words: str
    project: str
    fields: tuple[str, ...]
    pages: str

    what = "{e.index} has no trusted publisher for {e.project} that matches this job. It answered:{e.words:quoted}"
    cause = "a field on the publisher's page that differs from this job:{e.fields:listed}"
    cure = (
        "correct it on {e.pages}/manage/project/{e.project}/settings/publishing/. A project that does not exist there"
        " yet needs a pending publisher for exactly the name {e.project}: {e.pages}/manage/account/publishing/"
    )


def find_credential(context: Context, index: Index, project: str, outer: Mapping[str, str]) -> credentials.Credential:
    """Return the one credential for `index`, read as far as it can be, and say which it is. Nothing was sent yet.

    Raises BadCredential and NoCredential.
    """
    ask = functools.partial(credentials.ask_terminal, index) if context.interactive else None
    found = credentials.find(index, outer, keyring=functools.partial(logins.secret, index.upload), ask=ask)
    if aside := credentials.set_aside(index, outer):
        context.say(f"{aside}, so it is ignored", "note")
    credentials.stop_if_useless(found, index, canonicalize_name(project), time.time())
    token = found.token
    standing_in = index.is_loopback and index.token_location
    described = "a token of the stand-in" if standing_in else credentials.describe(token) if token else ""
    # Which host gets a credential is no detail elsewhere, and of no use after it was sent. A dry run has none of yours.
    show = context.detail if index.is_public or context.dry else context.screen.line
    show(f"index: {index.upload}  credential: {', '.join(filter(None, [found.source, described]))}")
    if found.secret and not token and index.token_location:
        context.say(f"the token from {found.source} has an unknown format, so it is sent unchanged", "warning")
    return found


class Sending(Value):
    """The files of `stage` on their way to `index`; `outer` are the variables in which a CI's identity is found."""

    context: Context
    step: str
    index: Index
    stage: Stage
    credential: credentials.Credential
    outer: Mapping[str, str] = field(repr=False)

    @property
    def project(self) -> str:
        return canonicalize_name(self.stage.project)

    def can_attest(self) -> bool:
        """Whether the files are to be attested: asked for, and a CI's identity is there to sign and upload.

        Raises AttestMissing where what makes attestations is not installed.
        """
        able = not self.credential.secret and bool(attestations.identity(self.outer))
        if self.context.settings.attestations and not able:
            self.context.say("no attestations: only a CI's identity can make them, in an upload by trusted publishing")
        if self.context.settings.attestations and able:
            attestations.stop_if_missing(self.index)
        return self.context.settings.attestations and able

    def send(self, *, attested: bool = False) -> tuple[Holdings, tuple[str, ...]]:
        """Upload the files; return what the index then serves, and the files with attestations that hold.

        What an index refuses is explained, with the ways out.
        """
        first = self._look_at_project()
        try:
            found, holding = self._upload(attested=attested)
        except (UploadRefused, OtherBytes) as met:
            raise self._explained(met) from None
        if first:
            self.context.say(credentials.advice(self.index, self.stage.project, "exists now"))
        return found, holding

    def _upload(self, *, attested: bool) -> tuple[Holdings, tuple[str, ...]]:
        context, confirmed = self.context, self.context.options.yes
        confirming = ("--yes", confirmed) if confirmed else ()
        with temporary.folder(self.step) as scratch:
            folder = copied(self.stage.dists, self.context.record.dist, scratch / "files")
            signer = attestations.Signer(folder, scratch, self.outer)
            if attested:
                signer.sign(self.stage.dists)
            job = Job(
                index=self.index,
                project=self.stage.project,
                version=self.stage.version,
                dists=self.stage.dists,
                folder=folder,
                credential=self._narrowed,
                env=variables.for_upload(os.environ, {}),
                limit=context.settings.index_timeout,
                say=context.detail,
                warn=functools.partial(context.say, label="warning"),
                again=context.commands.command(self.step, *context.options.once, *confirming),
                attested=attested,
                rehearses=self.step == "testpypi",
                worker=context.dry.uploader if context.dry else None,
            )
            found = upload(job)
            return found, signer.holding(self.index, self.stage) if attested else ()

    def _narrowed(self) -> credentials.Credential:
        """Return the credential, its token narrowed to this project and the next minutes unless that is not wanted."""
        if not self.index.token_location or not self.context.options.narrow:
            return self.credential
        narrowed = credentials.narrowed(self.credential, self.project, time.time())
        if narrowed != self.credential and os.environ.get("GITHUB_ACTIONS") == "true":
            terminal.line(f"::add-mask::{narrowed.secret}")  # GitHub hides it in every log, this line included
        return narrowed

    def _look_at_project(self) -> bool:
        """Say what a first upload needs, or how a token for a whole account is narrowed for good; return the latter.

        Asked only where it matters: for a trusted publisher, and for a token that is for the whole account.
        """
        index, token = self.index, self.credential.token
        whole_account = token is not None and token.scope.whole_account
        if not index.pages or not (whole_account or not self.credential.secret):
            return False
        listing = read_project(index, self.stage.project)
        stop_if_closed(index, listing, self.project)
        if not self.credential.secret and not listing.exists:
            page = f"{index.pages}/manage/account/publishing/"
            lacking = f"it needs a pending publisher for exactly this name ({page})"
            self.context.say(f"{index.name} has no project {self.project} yet: {lacking}")
        if whole_account and listing.exists:
            self.context.say(credentials.advice(index, self.stage.project, "is there"), "warning")
        return whole_account and not listing.exists

    def _explained(self, met: OtherBytes | UploadRefused) -> ReleaseError:
        """Return what `met` means: a CI's identity that was not accepted, field by field, or a way out."""
        index, stage, settings = self.index, self.stage, self.context.settings
        if isinstance(met, UploadRefused) and met.kind == "publisher":
            fields = [f"{name}: {value}" for name, value in credentials.publisher(self.outer, dict(met.claims))]
            return PublisherRefused(index.name, met.words, self.project, tuple(fields), index.pages)
        release, commands = (stage.project, stage.version), self.context.commands
        return conflicts.explained(met, *release, indexes=settings.indexes, step=self.step, commands=commands)
