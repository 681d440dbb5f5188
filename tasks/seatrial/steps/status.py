"""`status`: where a release stands; with ``--remote`` also whether the indexes and the tag are what the record says.

The tag is looked up in this repository and in the one that it is pushed to.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from seatrial.building import git, tags
from seatrial.index.conflicts import next_version, versions_on
from seatrial.index.holdings import holdings
from seatrial.machine import process, variables
from seatrial.machine.errors import ReleaseError, printable
from seatrial.machine.process import ToolStuck
from seatrial.machine.values import Value
from seatrial.project.settings import document, table
from seatrial.release.record import StageMissing
from seatrial.release.stages import Built, Rehearsed, Released
from seatrial.report import ci, text
from seatrial.report import status as report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from seatrial.index.holdings import Holdings
    from seatrial.index.indexes import Index
    from seatrial.project.context import Context

WEB = re.compile("https?://", re.IGNORECASE)  # over SSH there is a user name, and no secret
ANSWER_LIMIT = 30.0  # seconds for the remote repository
REF = re.compile(r"^([0-9a-f]{40,64})\trefs/tags/(\S+)$", re.MULTILINE)
YANK = """\
if something is wrong with it after all, yank it, and release the next version:
  page    {page}
  reason  {project} {version} should not be used; please take {free} or later.
  next    {free} is free on both indexes, as far as they show: a deleted version is spent and cannot be seen
what cannot be undone: whoever has installed it keeps it, `{project}=={version}` still installs it, and its version and
file names are spent forever. The yank itself can be taken back on that page."""


class NotAsRecorded(ReleaseError):
    project: str
    version: str
    findings: tuple[str, ...]

    what = "{e.project} {e.version} does not match the record:{e.findings:listed}"
    cause = "files or tags that somebody changed after the release, or the record of another build in this folder."
    cure = (
        "find out who did that and why. If the released files are not yours, yank the version as shown"
        " above, revoke the tokens that can upload to it, and release the next one."
    )


def run(context: Context) -> None:
    """Show what the record knows of this release, and what the indexes hold if that is asked for.

    Raises NotAsRecorded, and what reading an index raises.
    """
    context.screen.line(f"{context.root.name}: {context.record.folder}")
    built = context.record.find(Built)
    try:
        source = git.look(context.root)
    except (git.ShallowClone, git.GitMissing, git.ForeignOwner):  # as in a job of CI that reads the record alone
        source = git.unknown(context.root)
    moved_on = bool(built and built.commit and source.commit not in {built.commit, None})
    if moved_on and source.commit:
        version = table(document(context.root / "pyproject.toml"), "project").get("version")
        named = f"{version} ({source.commit[:7]})" if isinstance(version, str) else source.commit[:7]
        context.screen.line(f"HEAD is {named}, not built yet")
    if source.dirty:
        context.screen.line(source.uncommitted)
    if last := report.last_dry_run(context):
        context.screen.line(str(last))
    if of_files := text.of_files(context.record):
        context.screen.line(of_files)
    report.status(context, moved_on=moved_on)
    ci.stands(context)
    if context.options.remote:
        compare(context)


def compare(context: Context) -> None:
    """Say what both indexes and the tag hold of the recorded release, and how to yank it.

    The files of dist/ need not be there any more. Raises NotAsRecorded where something differs.
    """
    built = context.record.find(Built)
    if built is None:
        raise StageMissing(Built.name, Built.step)
    testpypi, pypi = context.settings.testpypi, context.settings.pypi
    rehearsed, released = context.record.find(Rehearsed), context.record.find(Released)
    whole = {testpypi: rehearsed is not None and rehearsed.index == testpypi.simple, pypi: released is not None}
    held: dict[Index, Holdings] = {}
    for index in whole:
        with context.screen.progress(f"status: asking {index.name}"):
            held[index] = holdings(index, built.project, built.version, built.dists)
    context.screen.line(f"{built.project} {built.version}, compared with the record:")
    for index, found in held.items():
        context.screen.line(f"  {index.name}: {summary(found)}")
    found_tags = _tags(context, built)
    for line in _described(found_tags, built):
        context.screen.line(f"  {line}")
    out = held[pypi]
    all_yanked = bool(out.served) and len(out.yanked) == len(out.served)
    if (out.served or out.extra) and out.listing.status != "quarantined" and not all_yanked:
        taken = versions_on(testpypi, built.project) | versions_on(pypi, built.project)
        manage = f"{pypi.pages}/manage/project/{built.project}/release/{built.version}/"
        page = manage if pypi.pages else f"of this release on {pypi.name}"
        facts = {"page": page, "project": built.project, "version": built.version}
        context.screen.line(YANK.format(**facts, free=next_version(built.version, taken)))
    wrong = [line for index, found in held.items() for line in differences(index, found, whole=whole[index])]
    for one in found_tags:
        where = f" at {one.place}" if one is not found_tags[0] else ""
        wrong += [f"tag {name} is on {commit}{where}" for name, commit in one.commits.items() if commit != built.commit]
    if wrong:
        raise NotAsRecorded(built.project, built.version, tuple(wrong))


def summary(found: Holdings) -> str:
    """Say in a line how much of a release an index holds."""
    count = len(found.identical) + len(found.absent) + len(found.different)
    if not (found.served or found.extra):
        return "no file of this version"
    yanked = f", {len(found.yanked)} yanked" if found.yanked else ""
    status = f"; the project is {printable(found.listing.status)}" if found.listing.status not in {"", "active"} else ""
    return f"{len(found.identical)} of {count} files, identical{yanked}{status}"


def differences(index: Index, found: Holdings, *, whole: bool) -> Iterator[str]:
    """Yield what `index` holds otherwise than was built; `whole` means that it held every file once."""
    for dist, file in found.different:
        theirs = file.sha256 or "(no hash)"
        yield f"{index.name}: {dist.filename}\n    expected {dist.sha256}\n    found    {theirs}"
    for file in found.extra:
        yield f"{index.name}: {printable(file.filename)} is not part of this build\n    found    {file.sha256}"
    for dist in found.absent if whole else ():
        yield f"{index.name}: {dist.filename} is gone"


class Tags(Value):
    """The tags of a version in one repository, and the commits they are on; `trouble` says why that is not known."""

    place: str
    commits: Mapping[str, str]
    trouble: str = ""

    def __str__(self) -> str:
        return ", ".join(f"{name} on {commit[:12]}" for name, commit in self.commits.items())


def _tags(context: Context, built: Built) -> tuple[Tags, ...]:
    """Return the tags of this version here and in the remote repository, which has the time of ANSWER_LIMIT."""
    if built.commit is None:
        return ()
    names = [tags.spelt(pattern, built.project, built.version) for pattern in context.settings.tag]
    found = {name: git.commit_of_tag(context.root, name) for name in names}
    here = Tags("tag", {name: commit for name, commit in found.items() if commit is not None})
    remote = git.remote_of(context.root)
    return (here, _tags_of_remote(context.root, remote, names)) if remote else (here,)


def _tags_of_remote(root: Path, remote: str, names: Iterable[str]) -> Tags:
    """Ask the repository `remote` for the commits of the tags `names`; nobody is asked for a login.

    One whose address holds a login is left alone: git hands it to a program of its own on the command line, where every
    process of this machine can read it.
    """
    address = git.address_of(root, remote)
    if WEB.match(address) and variables.without_logins(address) != address:
        return Tags(remote, {}, "its address contains a login, which git would show to other processes here")
    refs = [f"refs/tags/{name}{peeled}" for name in names for peeled in ("", "^{}")]  # the latter of annotated tags
    argv, env = ("git", "ls-remote", "--tags", remote, *refs), variables.for_remote_git(os.environ)
    try:
        outcome = process.run(argv, env=env, cwd=root, time_limit=ANSWER_LIMIT)
    except ToolStuck:
        return Tags(remote, {}, f"no answer within {ANSWER_LIMIT:.0f} seconds")
    if outcome.code != 0:
        said = variables.without_logins(outcome.output).strip().splitlines()
        return Tags(remote, {}, said[0] if said else f"exit code {outcome.code}")
    told = {match[2]: match[1] for match in REF.finditer(outcome.output)}
    commits = {name: told.get(f"{name}^{{}}") or told.get(name) for name in names}
    return Tags(remote, {name: commit for name, commit in commits.items() if commit})


def _described(found: tuple[Tags, ...], built: Built) -> Iterator[str]:
    """Yield a line for each repository: which tags of this version it has, and what is still to be pushed."""
    if built.commit is None:
        yield "tag: none, it was built without git"
        return
    here, *elsewhere = found
    yield f"tag: {str(here) or 'not set in this repository'}; built from {built.commit[:12]}"
    for there in elsewhere:
        missing = " ".join(name for name in here.commits if name not in there.commits)
        if there.trouble:
            yield f"{there.place}: not known ({there.trouble})"
        elif missing:
            yield f"{there.place}: {missing} is not pushed (git push {there.place} {missing})"
        else:
            yield f"{there.place}: {str(there) or 'no tag of this version'}"
