"""What adopting or updating changes in a project, worked out before anything is written."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.adoption import changes, former, lock, template
from seatrial.adoption.changes import Change, difference
from seatrial.adoption.lock import Head, NotAdopted, Pin
from seatrial.adoption.target import Target, outputs
from seatrial.machine import disk
from seatrial.machine.errors import ReleaseError, indented
from seatrial.machine.values import Value
from seatrial.project import settings
from seatrial.project.options import ALL
from seatrial.report import ci
from seatrial.workspace import packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from seatrial.adoption.former import Former
    from seatrial.adoption.origin import Origin
    from seatrial.adoption.template import Answers
    from seatrial.index.indexes import Index

SESSIONS = frozenset({"build", "check", "testpypi", "verify", "pypi", "dryrun", "inspect", "status", "rebuild"})
PREFIX = "release-"
NAMES = {
    "workflow": ("release.yml", "pypi.yml", "seatrial.yml"),
    "check": ("check.yml", "check-release.yml", "seatrial-check.yml"),
}
DEPENDABOT = 'ignore: [{dependency-name: "seatrial"}], under the package ecosystem pip'
RENOVATE = '{"packageRules": [{"matchPackageNames": ["seatrial"], "enabled": false}]}'
BOTS = dict.fromkeys((".github/dependabot.yml", ".github/dependabot.yaml"), DEPENDABOT)
BOTS |= dict.fromkeys(("renovate.json", ".github/renovate.json"), RENOVATE)


class AdoptedAlready(ReleaseError):
    lock: Path
    version: str

    what = "The project already has the release sessions: {e.lock} is for seatrial {e.version}."
    cause = "it was adopted before."
    cure = "to bring it to the running version: seatrial adopt --update"


class Taken(ReleaseError):
    paths: tuple[str, ...]

    what = "The project already has files with these names, and none is overwritten:{e.paths:listed}"
    cause = "another tool's files with the same names."
    cure = "rename them, or choose other names, as with --data folder=release-tasks; nothing was written."


class Plan(Value):
    """What will change, what its owner should know, what of an old copy is `left`, and the session to run next."""

    root: Path
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    left: tuple[str, ...]
    dryrun: str
    folder: str


def plan(project: Target, given: Answers, source: Origin, index: Index, *, update: bool) -> Plan:
    """Return what to change in `project`, which gets the seatrial of `source`; `given` answers come first.

    Raises AdoptedAlready, NotAdopted, BadAnswer, Taken and NotOrdinary.
    """
    locks, old = lock.find(project.root), former.find(project.root)
    head = locks[0][1] if locks else None
    if head and not update:
        raise AdoptedAlready(locks[0][0], head.version)
    if update and not (head or old):
        raise NotAdopted(project.root)
    found = detected(project, old) | (old.answers if old else {})
    kept = {**head.answers, "folder": locks[0][0].parent.name} if head else found
    answers = template.complete(kept | given)
    work = _Work(project, answers, given, head, old)
    work.take_in(template.render(answers))
    work.lock(source, lock.pin(source, answers["folder"], index), locks[0][0].parent.name if locks else "")
    if work.taken:
        raise Taken(tuple(sorted(work.taken)))
    made = tuple(change for change in work.changes if change.before != change.after)
    left = old.theirs if old else ()
    words = [*ALL] if packages.below(project.root) else []
    words += ["--sdist-only"] if answers["compiled"] == "true" else []
    dryrun = answers["prefix"] + "dryrun" + (f" -- {' '.join(words)}" if words else "")
    return Plan(project.root, made, tuple(work.notes), left, dryrun, answers["folder"])


def detected(project: Target, old: Former | None = None) -> Answers:
    """Return the answers that the project itself gives."""
    answers = {"folder": project.folder, "ci": "github"}
    if project.nested or not project.git:  # workflows stand in the top folder of a repository
        answers["ci"] = "none"
    elif (project.root / ".gitlab-ci.yml").exists() and not (project.root / ".github").exists():
        answers["ci"] = "gitlab"
    if project.sessions & SESSIONS:
        answers["prefix"] = PREFIX
    folder = project.root / ".github" / "workflows"
    for question, names in NAMES.items():
        answers[question] = next((name for name in names if old or not (folder / name).exists()), "")
    if answers["ci"] == "gitlab":
        answers["pythons"] = json.dumps(list(settings.load(project.root).pythons))
    if project.compiled:
        answers["compiled"] = "true"
    if project.publishing and not old:  # a trusted publisher is bound to the names of the one that uploads now
        workflow = project.publishing[0]
        answers |= {"workflow": workflow.name, "trigger": workflow.trigger}
        for name in reversed(workflow.environments):  # the first of a kind counts
            answers["testpypi_environment" if "test" in name.lower() else "pypi_environment"] = name
    return answers


@dataclass
class _Work:
    """The changes as they are collected. `made` are the workflows that an update may touch, by sha256."""

    project: Target
    answers: Answers
    given: Answers
    head: Head | None
    old: Former | None
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    made: dict[str, str] = field(default_factory=dict)

    def take_in(self, rendered: Mapping[str, str]) -> None:
        """Collect what the `rendered` files of the template change."""
        if self.old:
            self.changes += former.removals(self.project.root, self.old)
        for name, text in rendered.items():
            if name == "noxfile.py":
                own = self.project.noxfile
                self._change(name, text if own is None else _with_call(own, text.splitlines()[-1]))
            elif name == ".gitignore":
                heading, *lines = text.splitlines()
                if self.project.git:
                    own = self.project.text(name) or ""
                    self._change(name, changes.with_lines(own, [*lines, *outputs(self.project)], heading))
            elif name == ".gitlab-ci.yml":
                if (own := self.project.text(name)) is None:
                    self._change(name, text)
                elif "release.yml" not in own:
                    self.notes.append(f"{name} is yours; what it lacks:{indented(text)}")
            elif name.startswith(".") and not name.startswith(f"{self.answers['folder']}/"):
                self._workflow(name, text)
            else:
                self._own(name, text.encode())
        self.notes += _notes(self.project, self.answers, self.made)

    def lock(self, source: Origin, pin: Pin, folder: str) -> None:
        """Collect the lock and the wheel beside it, and what of the lock in `folder` (empty for none) goes."""
        ours = self.answers["folder"]
        head = Head(source.version, source.address, template.locked_on(), self.answers, self.made)
        self._own(f"{ours}/{lock.FILE}", f"{head}{pin}{lock.tools()}".encode())
        if pin.wheel is not None:
            self._own(f"{ours}/{source.filename}", pin.wheel)
            self.notes += [
                f"{bot} is yours; so that it leaves seatrial alone while its wheel is beside the lock: {line}"
                for bot, line in BOTS.items()
                if (self.project.root / bot).is_file()
            ]
        stale = ("release.py", "nox.txt", lock.FILE) if folder not in {"", ours} else ()
        wheels = self.project.root.glob(f"{folder}/seatrial-*-py3-none-any.whl") if folder else ()
        written = {change.name for change in self.changes}
        for name in (f"{folder}/{name}" for name in (*stale, *(path.name for path in wheels))):
            if name not in written and (self.project.root / name).is_file():
                self._change(name, None)

    def _change(self, name: str, after: str | bytes | None) -> None:
        """Collect what the file `name` is to hold, None where it goes."""
        path = self.project.root / name
        after = after.encode("utf-8", "surrogateescape") if isinstance(after, str) else after
        self.changes.append(Change(name, disk.read(path) if path.is_file() else None, after))

    def _own(self, name: str, content: bytes) -> None:
        """Collect a file that is ours alone: rewritten by an update, and in nobody's way before."""
        if (self.project.root / name).exists() and not self.head:
            self.taken.add(name)
        else:
            self._change(name, content)

    def _workflow(self, name: str, text: str) -> None:
        own, written = self.project.text(name), (self.head.made.get(name) if self.head else None)
        question = next((key for key in NAMES if name == f".github/workflows/{self.answers[key]}"), "")
        if own is None and written is not None and question not in self.given:
            self.notes.append(f"{name} was deleted and stays so; --data {question}=FILE.yml brings it back")
        elif own is None or (self.old and former.is_our_workflow(own)):
            self._change(name, text)
            self.made[name] = changes.digest(text)
        elif written is not None:
            self._merged_workflow(name, own, written, text)
        elif self.old or any(name == f".github/workflows/{workflow.name}" for workflow in self.project.publishing):
            self.notes.append(_kept(name, own, text, question, of_old_copy=self.old is not None))
            self.answers |= {question: ""} if question else {}
        else:
            self.taken.add(name)

    def _merged_workflow(self, name: str, own: str, written: str, text: str) -> None:
        merged = changes.merged(self.project.root, name, own, written, text)
        self.made[name] = written if merged != text else changes.digest(text)
        if merged is None:
            self.notes.append(
                f"{name} was edited, and the version that seatrial wrote is not in this history; the new one:"
                f"{indented(difference(own, text, name), last=400)}"
            )
            return
        self._change(name, merged)
        if "\n<<<<<<< " in merged:
            self.notes.append(f"{name} has conflict markers: you and the template changed the same lines")


def _with_call(noxfile: str, call: str) -> str:
    """Return the project's own noxfile with the `call`, in place of an old one if there is any."""
    exchanged, count = former.CALL.subn(lambda _: call, noxfile)
    return exchanged if count else changes.with_sessions(noxfile, call)


def _kept(name: str, own: str, text: str, question: str, *, of_old_copy: bool) -> str:
    """Return why a workflow is left as it is, how the template's differs, and how to take that one."""
    old = "belongs to the old copy and was edited"
    why = old if of_old_copy else "already uploads, and a trusted publisher is bound to its name"
    way = f" --data {question}={name.rpartition('/')[2]}" if question else ""
    return (
        f"{name} {why}, so it is kept as it is. What would change (theirs -, ours +):"
        f"{indented(difference(own, text, name), last=400)}\n"
        f"  To take it: git rm {name}, commit, and seatrial adopt --update{way}."
        " Never keep both: two workflows on one tag upload twice."
    )


def _notes(project: Target, answers: Answers, made: Mapping[str, str]) -> Iterator[str]:
    """Yield what the owner should know of what was found."""
    if project.nested:
        yield "this is part of a larger repository, so no workflows are written; seatrial's how-to pages have them"
    written = [name.rpartition("/")[2] for name in made if name == f".github/workflows/{answers['workflow']}"]
    uploading = list(dict.fromkeys([*(workflow.name for workflow in project.publishing), *written]))
    if len(uploading) > 1:
        yield f"several workflows upload to an index: {', '.join(uploading)}. One tag must start one of them."
    if prefix := answers["prefix"]:
        yield f"the noxfile has sessions with the same names, so these are called {prefix}build, {prefix}check, ..."
    elif None in project.sessions:
        yield (
            "the noxfile computes session names when it runs. Where `nox -l` then lists these as release-build,"
            " release-check, ..., take it back and adopt with --data prefix=release-, so that the workflows say so too."
        )
    pythons = re.findall(r"[\w.]+", answers["pythons"]) if answers["ci"] == "gitlab" else []
    if without := [name for name in pythons if not ci.runs_nox(name)]:
        yield (
            f"no job on GitLab verifies on Python {', '.join(without)}, which cannot run nox: take it back, name others"
            " in [tool.seatrial] (pythons = [...]), and adopt then"
        )
