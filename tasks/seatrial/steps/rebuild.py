"""`rebuild`: a released tag built again, as of then, and whether that gives the files which the index serves."""

from __future__ import annotations

import contextlib
import json
import platform
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from seatrial.building import git, tags
from seatrial.building.again import requirements
from seatrial.building.again.rebuild import Rebuild
from seatrial.building.checkout import check_out
from seatrial.index.holdings import read_release
from seatrial.index.simple import Served
from seatrial.machine import temporary
from seatrial.machine.disk import write_whole
from seatrial.machine.errors import ReleaseError, listing, printable
from seatrial.project.settings import load
from seatrial.release import record
from seatrial.release.comparison import generator, is_code
from seatrial.release.filenames import buildable
from seatrial.release.stages import Again, Built, Rebuilt
from seatrial.report import status
from seatrial.workspace import packages

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.project.context import Context

NAMED = 8  # files that were not judged
MEMBERS = 40  # that differ in a file, of which the lines are shown


class NoVersion(ReleaseError):
    version: str

    what = "`rebuild` takes the version of a release, and got {e.version!r}."
    cause = "the word was left out, or it is a tag or a file in place of a version."
    cure = "name it: `{run[rebuild 1.0]}`."


class NoSuchRecord(ReleaseError):
    path: Path

    what = "--record {e.path}: there is no such file."
    cause = "the record is elsewhere, or a folder was meant."
    cure = "name the `built.json` of the release-record folder of the build that is to be repeated."


class DayNotKept(ReleaseError):
    date: str

    what = "--as-of {e.date} cannot be kept: nothing here can leave out what was uploaded after that day."
    cause = "a pip before version 26, which does not look at upload times, and no uv."
    cure = (
        "install uv, or pip 26 or later, where seatrial runs, and run it again. Without `--as-of`, what the wheel names"
        " is taken, and the rest as of today. Nothing was built."
    )


class TagMissing(ReleaseError):
    version: str
    tried: tuple[str, ...]

    what = "There is no tag of version {e.version} in this repository. Tried: {e.tried:joined}"
    cause = "the tags were not fetched, or are spelt differently here."
    cure = "git fetch --tags; `tag` in [tool.seatrial] says how tags are spelt."


class NothingServed(ReleaseError):
    index: str
    project: str
    version: str

    what = "{e.index} serves no file of {e.project} {e.version}, so there is nothing to compare with."
    cause = "this version was never released there, or it was deleted."
    cure = "name a version that is on {e.index}; a release that is not out yet is compared with its `--record FILE`."


class NotRebuilt(ReleaseError):
    """`files` are those that differ; without any, nothing of what is served could be built here."""

    index: str
    project: str
    version: str
    files: tuple[str, ...]

    what = "{e.shown}"
    cause = (
        "versions of Python, the build backend or a compiler other than at the release, a backend that is not"
        " reproducible, or files that were not built from this tag."
    )
    cure = "look at the members named above: code that differs needs an explanation."

    @property
    def shown(self) -> str:
        what = f"{self.project} {self.version}, built again from its tag"
        if self.files:
            return f"{what}, differs from what {self.index} serves:{listing(self.files)}"
        return f"{what}, produces none of the files that {self.index} serves."


def run(context: Context) -> None:
    """Run the step: say in its line what came of it, also where that is no success."""
    with context.screen.step("rebuild"):
        rebuild(context)


def rebuild(context: Context) -> None:
    """Build the tag of a version again, and compare each file with the index's, member by member.

    The result is left as ``rebuilt.json``, and where ``--json`` says. Raises NoVersion, NoSuchRecord, TagMissing,
    NothingServed, InvalidDate, DayNotKept, what building raises, and NotRebuilt where a file is different.
    """
    options, index = context.options, context.settings.pypi
    if options.record and not options.record.is_file():
        raise NoSuchRecord(options.record)
    source, version = _tagged(context), str(Version(options.version or ""))
    with temporary.folder("rebuild") as scratch:
        tree = check_out(source, scratch / "settings" / context.root.name, in_place=False)
        settings, project = context.settings, packages.name_of(tree)
        with contextlib.suppress(ReleaseError):  # settings that this version does not know, or the table was broken
            then = load(tree)
            settings = replace(settings, archives=then.archives, normalise=then.normalise, build_env=then.build_env)
        if options.record:
            built: Built | None = record.load(options.record, Built)
        else:
            found = None if options.as_of else context.record.find(Built)
            built = found if found and found.commit == source.commit else None
        served, local = read_release(index, project, version), None
        if not served and built and options.record:
            beside = f"it is compared with the files of {options.record}"
            context.say(f"{index.name} does not have {built.version}: {beside}")
            served = tuple(Served(file.filename, file.sha256, "", yanked=False) for file in built.dists)
            local = options.record.resolve().parent.parent / "dist"
        if not served:
            raise NothingServed(index.name, project, version)
        epoch = built.epoch if built else source.epoch
        work = Rebuild(context, source, settings, version, served, requirements.today(), scratch, epoch, local=local)
        work.choice = _choice(work, built)
        context.detail(f"building {source.tags[0]} again, with {work.choice.words}")
        work.run()
        came = _result(work, project)
    written = json.dumps({"schema": record.SCHEMA, "stage": "rebuilt"} | asdict(came), indent=2) + "\n"
    context.record.prepare()
    write_whole(context.record.folder / record.REBUILT, written)
    if options.json:
        options.json.write_text(written, encoding="utf-8")
    status.renew(context)
    _show(context, work, came)
    different = tuple(file.filename for file in came.files if file.verdict == "different")
    if different or not came.files:
        raise NotRebuilt(index.name, project, version, different)


def _tagged(context: Context) -> git.Source:
    """Return the tree of the tag that the version was released under. Raises NoVersion and TagMissing."""
    version = context.options.version or ""
    try:
        Version(version)
    except InvalidVersion:
        raise NoVersion(version) from None
    source = git.look(context.root)
    patterns, project = context.settings.tag, packages.name_of(context.root)
    tag = tags.tag_of(source, patterns, project, version)
    if tag is None:
        tried = dict.fromkeys(tags.spelt(pattern, project, version) for pattern in (*patterns, *tags.USUAL))
        raise TagMissing(version, tuple(tried))
    return tags.at_tag(source, tag)


def _choice(work: Rebuild, built: Built | None) -> requirements.Choice:
    """Return which build requirements are taken. Raises InvalidDate and DayNotKept."""
    context, outer = work.context, work.context.variables
    if built and (choice := requirements.recorded(built.environments, work.scratch, outer, context.uv)):
        return choice
    if context.options.as_of == requirements.TODAY:
        return requirements.today()
    if context.options.as_of:
        choice = requirements.as_of(context.options.as_of, outer)
    else:
        choice = requirements.uploaded((file.uploaded for file in work.served), outer) or requirements.today()
    if choice.variables and requirements.knows_dates(context.uv):
        return choice
    if context.options.as_of:
        raise DayNotKept(context.options.as_of)
    wheel = next((file for file in work.served if file.filename.endswith(".whl")), None)
    named = generator(work.downloaded(wheel)) if wheel else ""
    chosen = requirements.generated_by(named, work.scratch, outer) or choice
    if not choice.variables:
        context.say(f"{context.settings.pypi.name} states no upload time: with {chosen.words}")
    return chosen


def _result(work: Rebuild, project: str) -> Rebuilt:
    wheels = [judged.made_by for judged in work.judged.values() if judged.made_by]
    found = [(judged.way, judged.comparison) for _, judged in sorted(work.judged.items())]
    return Rebuilt(
        project=project,
        version=work.version,
        at=record.now(),
        index=work.context.settings.pypi.simple,
        tag=work.source.tags[0],
        commit=work.source.commit,
        requirements=work.choice.words,
        made_by=wheels[0] if wheels else work.made_by,
        python=work.choice.python or platform.python_version(),
        installer="uv" if work.context.uv else "pip",
        seconds=round(work.seconds),
        tried=tuple(words or "as usual" for words in work.search.tried.values()),
        verdict=work.verdict,
        files=tuple(Again(it.filename, it.verdict, way, it.packing, it.clocked, it.differences) for way, it in found),
        not_judged=tuple(sorted(file.filename for file in work.served if file.filename not in work.judged)),
    )


def _show(context: Context, work: Rebuild, came: Rebuilt) -> None:
    """Say of each file what came of it: what differs, code first."""
    for file in came.files:
        words = f"{file.verdict:10}  {file.filename}{f' ({file.way})' if file.way else ''}"
        if file.packing and not file.differences:
            clock = ", which are those of a clock" if file.clocked else ""
            words += f": the same but for {' and '.join(file.packing)}{clock}"
        context.say(words, "error" if file.verdict == "different" else "")
        for difference in file.differences[:MEMBERS]:
            word = f"{difference.kind}{'' if difference.matters else ', means the same'}"
            lines = "".join(f"\n      {printable(line)}" for line in difference.lines) if difference.matters else ""
            red = "error" if difference.matters and is_code(difference) else ""
            context.say(f"    {printable(difference.member)}: {word}{lines}", red)
        if len(file.differences) > MEMBERS:
            context.say("    and more: see rebuilt.json")
    if len(came.not_judged) > NAMED:
        context.say(f"not judged  {len(came.not_judged)} files, such as wheels for other systems: see {record.REBUILT}")
    for name in came.not_judged if len(came.not_judged) <= NAMED else ():
        why = "nothing of this name was built here" if buildable(name) else "this machine builds no such file"
        context.say(f"not judged  {printable(name)}: {why}")
    for served in work.served:
        if served.yanked:
            context.say(f"{printable(served.filename)} is yanked", "warning")
    made_by = f"{came.made_by} and " if came.made_by and came.made_by not in came.requirements else ""
    context.screen.summarise(f"{came.tag}: {came.verdict}, with {made_by}{came.requirements}")
