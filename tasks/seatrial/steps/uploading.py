"""One upload of a run: with which credential it goes up, whether it is attested, and what a refusal means."""

from __future__ import annotations

import functools
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.index import attestations, conflicts, credentials, keyring, publisher
from seatrial.index.indexes import OtherBytes, read_project
from seatrial.index.upload import Job, UploadRefused, upload
from seatrial.machine import temporary, variables
from seatrial.machine.errors import ReleaseError, listing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.index.credentials import Credential
    from seatrial.index.indexes import Holdings, Index
    from seatrial.machine.errors import ReleaseError
    from seatrial.project.context import Context
    from seatrial.release.stages import Stage


@dataclass(eq=False)
class PublisherRefused(ReleaseError):
    index: str
    words: str
    project: str
    fields: tuple[tuple[str, str], ...]
    pages: str

    what = "{e.index} knows no trusted publisher for {e.project} that is this CI job. Its own words:{e.words:quoted}"
    cause = "a field of the publisher's page that does not hold exactly what this job is:{e.shown_fields}"
    cure = (
        "correct it on {e.pages}/manage/project/{e.project}/settings/publishing/. A project that does not exist there"
        " yet needs a pending publisher for exactly the name {e.project}: {e.pages}/manage/account/publishing/"
    )

    @property
    def shown_fields(self) -> str:
        return listing(f"{name}: {value}" for name, value in self.fields)


def find_credential(context: Context, index: Index, project: str, outer: Mapping[str, str]) -> Credential:
    """Return the one credential for `index`, read as far as it can be, and say which it is. Nothing was sent yet."""
    ask = functools.partial(credentials.ask_terminal, index) if context.interactive else None
    found = credentials.find(index, outer, keyring=functools.partial(keyring.secret, index.upload), ask=ask)
    if aside := credentials.set_aside(index, outer):
        context.say(f"{aside}; it is set aside")
    credentials.stop_if_useless(found, index, canonicalize_name(project), time.time())
    token = found.token
    standing_in = index.is_loopback and index.token_location
    described = "a token of the stand-in" if standing_in else credentials.describe(token) if token else ""
    context.say(f"index: {index.upload}  credential: {', '.join(filter(None, [found.source, described]))}")
    if found.secret and not token and index.token_location:
        context.say(f"warning: the format of the token from {found.source} is not known, so it is handed on as it is")
    return found


@dataclass(frozen=True)
class Sending:
    """The files of `stage` on their way to `index`; `outer` are the variables in which a CI's identity is found."""

    context: Context
    step: str
    index: Index
    stage: Stage
    credential: Credential
    outer: Mapping[str, str] = field(repr=False)

    @property
    def project(self) -> str:
        return canonicalize_name(self.stage.project)

    def can_attest(self) -> bool:
        """Whether the files are to be attested: asked for, and a CI's identity is there to sign and upload."""
        able = not self.credential.secret and bool(attestations.identity(self.outer))
        if self.context.settings.attestations and not able:
            self.context.say("no attestations: only a CI's identity can make them, in an upload by trusted publishing")
        return self.context.settings.attestations and able

    def send(self, *, attested: bool = False) -> tuple[Holdings, tuple[str, ...]]:
        """Upload the files; return what the index then serves, and the files with attestations that hold.

        What an index refuses is explained, with the ways out.
        """
        self._say_what_a_publisher_needs()
        first = self._is_first()
        try:
            found, holding = self._upload(attested=attested)
        except UploadRefused as refused:
            raise self._explained(refused) from None
        except OtherBytes as met:
            raise conflicts.explained(self.context, self.step, met, self.stage.project, self.stage.version) from None
        if first:
            self.context.say(credentials.advice(self.index, self.stage.project, "exists now"))
        return found, holding

    def _upload(self, *, attested: bool) -> tuple[Holdings, tuple[str, ...]]:
        python = Path(sys.executable)
        with temporary.folder(self.step) as scratch:
            signer = attestations.Signer(python, scratch, self.outer)
            if attested:
                signer.sign(self.stage.dists, self.context.record.dist)
            found = upload(
                self._job(python, scratch, signer.folder if attested else self.context.record.dist, attested)
            )
            return found, signer.holding(self.index, self.stage) if attested else ()

    def _job(self, python: Path, scratch: Path, folder: Path, attested: bool) -> Job:  # noqa: FBT001 (Job's own fact)
        context, confirmed = self.context, self.context.options.yes
        return Job(
            index=self.index,
            project=self.stage.project,
            version=self.stage.version,
            dists=self.stage.dists,
            folder=folder,
            python=python,
            env=self._twine_environment,
            scratch=scratch,
            limit=context.settings.index_timeout,
            say=context.say,
            attested=attested,
            again=context.commands.command(
                self.step, *context.options.once, *(("--yes", confirmed) if confirmed else ())
            ),
        )

    def _twine_environment(self) -> dict[str, str]:
        """Return what twine sees: the token narrowed to this project and the next minutes, unless it is not to be."""
        credential = self.credential
        if self.index.token_location and self.context.options.narrow:
            credential = credentials.narrowed(credential, self.project, time.time())
            if credential != self.credential and os.environ.get("GITHUB_ACTIONS") == "true":
                self.context.say(f"::add-mask::{credential.secret}")  # GitHub hides it in every log, this line included
        return variables.for_upload(os.environ, credential.variables)

    def _say_what_a_publisher_needs(self) -> None:
        index = self.index
        if index.pages and not self.credential.secret and not read_project(index, self.stage.project):
            page = f"{index.pages}/manage/account/publishing/"
            lacking = f"it needs a pending publisher for exactly this name ({page})"
            self.context.say(f"{index.name} does not show {self.project} yet: {lacking}")

    def _is_first(self) -> bool:
        """Whether the index does not know the project yet; asked only where the token is for a whole account.

        It is warned about, but not before a first release, where there can be no other.
        """
        token = self.credential.token
        if not self.index.pages or not token or not token.scope.whole_account:
            return False
        first = not read_project(self.index, self.stage.project)
        if not first:
            self.context.say(f"warning: {credentials.advice(self.index, self.stage.project, 'is there')}")
        return first

    def _explained(self, refused: UploadRefused) -> ReleaseError:
        """Return what `refused` means: a CI's identity that was not accepted, field by field, or a way out."""
        if self.credential.secret or not publisher.is_refused(refused.words):
            return conflicts.explained(self.context, self.step, refused, self.stage.project, self.stage.version)
        return PublisherRefused(
            self.index.name, refused.words, self.project, publisher.publisher(self.outer), self.index.pages
        )
