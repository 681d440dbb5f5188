"""What can be refused before anything is built: a build would only delay it."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.building import git, tags
from seatrial.index import credentials, logins
from seatrial.machine.errors import ReleaseError, printable
from seatrial.project.pythons import KNOWN_PYTHONS, PythonMissing, is_admitted
from seatrial.project.settings import document, table
from seatrial.release import failures
from seatrial.release.stages import Built, Rehearsed, Released
from seatrial.report import text
from seatrial.trial import interpreters

if TYPE_CHECKING:
    from collections.abc import Collection

    from seatrial.project.context import Context


MINORS = 100  # of Python 3, more than there will be


class NoPythonAdmitted(ReleaseError):
    required: str
    pythons: tuple[str, ...]

    what = (
        "`requires-python` ({e.required}) leaves out each Python that the release is to be tried on: {e.pythons:joined}"
    )
    cause = "a bound above every Python that is here, or `pythons` in [tool.seatrial] that does not follow it."
    cure = "{e.advice}"

    @property
    def advice(self) -> str:
        if not any(is_admitted(f"3.{minor}", self.required) for minor in range(MINORS)):
            return "correct `requires-python`: no Python 3 can match it."
        required = printable(self.required)
        return f'install one (`uv python install "{required}"`), or change `requires-python` or `pythons`.'


class Dirty(ReleaseError):
    files: tuple[str, ...]

    what = "{e.count} would not be in the release, so nothing is uploaded:{e.files:shortened}"
    cause = "work in progress, or a file that is neither committed nor ignored."
    cure = "commit or stash them and run the same command again. `{run[dryrun]}` works anyway."

    @property
    def count(self) -> str:
        return text.plural(len(self.files), "uncommitted change")


class TagElsewhere(ReleaseError):
    tag: str
    commit: str
    built: str

    what = "The tag {e.tag} points to commit {e.commit}, but this release is from commit {e.built}."
    cause = "the version was not raised since that tag; or the tag was set or moved after the build."
    cure = (
        "raise the version and commit; or, if nobody has {e.tag} yet, move it: `git tag -f {e.tag} {e.built}`. To"
        " release what is tagged, check that out and run `{run[build --rebuild]}`. If it is not a version tag: `tag` in"
        " [tool.seatrial] says how yours are spelt."
    )


def stop_early(context: Context, steps: Collection[str], *, withheld: bool = False) -> bool:
    """Raise what would stop one of `steps` later, as far as it can be known now; return whether an upload lies ahead.

    With `withheld` there are credentials that only the process of the upload gets to see. Raises PythonMissing and
    NoPythonAdmitted; where files are to be uploaded also Dirty, TagElsewhere, BadCredential and NoCredential.
    """
    project = table(document(context.root / "pyproject.toml"), "project")
    said = {key: value for key, value in project.items() if isinstance(value, str)}  # else it is dynamic
    if {"check", "verify", "dryrun"} & {*steps}:
        admitted, required = context.settings.pythons, said.get("requires-python", "")
        if not any(is_admitted(python, required) for python in admitted):
            raise NoPythonAdmitted(required, admitted)
        # The one that runs us costs nothing to find, so it is looked for first.
        if not any(interpreters.find(one, context.uv) for one in sorted(admitted, key=interpreters.RUNNING.__ne__)):
            raise PythonMissing(admitted, interpreters.here(KNOWN_PYTHONS, context.uv))
    if "testpypi" not in steps or context.rehearsed_here is not None or context.dry:
        return False
    source = git.look(context.root)
    if _is_sealed(context, source):
        return False
    if source.dirty and not context.options.taken_from:
        raise Dirty(source.changed)
    name = said.get("name")
    if source.commit and name is not None and "version" in said:
        stop_if_tagged_elsewhere(context, name, said["version"], source.commit)
    if not withheld:
        _stop_without_credential(context, name)
    return True


def _is_sealed(context: Context, source: git.Source) -> bool:
    """Whether nothing new is going to be uploaded: `build` keeps the files that were rehearsed, or stops."""
    record, options = context.record, context.options
    built, rehearsed = record.find(Built), record.find(Rehearsed)
    if built is None or rehearsed is None or options.rebuild:
        return False
    is_released = record.find(Released) is not None
    if built.commit == source.commit or options.keep_sealed:
        return is_released or context.counts(rehearsed.index)
    return failures.is_verified(record) and not is_released


def stop_if_tagged_elsewhere(context: Context, project: str, version: str, commit: str) -> None:
    """Raise TagElsewhere where `version` of `project` is tagged on another commit than `commit`."""
    for pattern in context.settings.tag:
        tag = tags.spelt(pattern, project, version)
        tagged = git.commit_of_tag(context.root, tag)
        if tagged is not None and tagged != commit:
            raise TagElsewhere(tag, tagged[:12], commit[:12])


def _stop_without_credential(context: Context, project: str | None) -> None:
    """Raise BadCredential or NoCredential where the upload to the rehearsal index would; a token is read, not sent."""
    index = context.settings.testpypi
    found = credentials.choose(index, context.variables)
    if found is None and not context.interactive:
        keyring = functools.partial(logins.secret, index.upload)
        found = credentials.find(index, context.variables, keyring=keyring, ask=None)
    if found and project:
        credentials.stop_if_useless(found, index, canonicalize_name(project), time.time())
