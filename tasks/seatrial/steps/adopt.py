"""`adopt`: put the release sessions into another project, and break nothing there.

Copier renders into a folder of its own. What it made is then written into the project, where it is new; files that
are there get lines added, which are shown; and whatever goes wrong, all of it is taken back.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from seatrial.adoption import copies, lock, template
from seatrial.adoption.edits import Edit, difference, with_lines, with_sessions
from seatrial.adoption.offers import offers
from seatrial.adoption.refusals import Taken
from seatrial.adoption.target import ANSWERS, Target, Workflow, look, stop_if_dirty
from seatrial.cli.door import SESSIONS
from seatrial.cli.register import VERSION
from seatrial.index.indexes import PYPI
from seatrial.machine.errors import indented, listing
from seatrial.project import settings
from seatrial.project.options import BadOption
from seatrial.report import ci

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Say = Callable[[str], None]

MERGED = ("noxfile.py", ".gitignore", ".gitattributes", ".github/dependabot.yml", ".gitlab-ci.yml")
PREFIX = "release-"
WORKFLOWS = {
    "workflow": ("release.yml", "pypi.yml", "seatrial.yml"),
    "check": ("check.yml", "check-release.yml", "seatrial-check.yml"),
}


@dataclass(frozen=True)
class Plan:
    """What will be written: new files, lines in files that are there, and what is only said.

    `new` are the files and folders that adopting brings, each folder once: deleting them undoes it.
    """

    root: Path
    folder: str
    created: Mapping[str, bytes]
    edits: tuple[Edit, ...]
    notes: tuple[str, ...]
    dryrun: str
    new: tuple[str, ...]


def adopt(posargs: Sequence[str], here: Path, tools: Callable[[Path], Path], say: Say) -> None:
    """Adopt or compare, as `posargs` ask; relative paths are meant from `here`, and `tools` installs a lock."""
    asked = _parser().parse_args(list(posargs))
    root = (here / asked.path).resolve()
    if asked.check:
        say(copies.compare(root))
        today = dt.datetime.now(tz=dt.timezone.utc).date()
        say(copies.age_warning(today) or "its rules and locks are recent")
        return
    if asked.lock:
        lock.write(root, PYPI)
        say(f"{root / lock.FILE} holds seatrial {VERSION} and what it needs, with hashes")
        return
    target = look(root)
    if not asked.dry_run:
        stop_if_dirty(target)
    with tempfile.TemporaryDirectory(prefix="seatrial-adopt-", ignore_cleanup_errors=True) as scratch:
        plan = _planned(target, _given(asked.data), tools(template.lock()), Path(scratch))
    _show(plan, say)
    if asked.dry_run:
        _offer(plan, target, say)
        say("nothing was written (--dry-run)")
        return
    _write(plan)
    _offer(plan, target, say)
    _tell(plan, target, say)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadOption(self.prog, message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="adopt", allow_abbrev=False, description="Put the release sessions into another project.")
    add = parser.add_argument
    add("path", nargs="?", type=Path, default=Path(), metavar="PATH", help="the project (default: this folder)")
    add("--dry-run", action="store_true", help="show what would be written, and write nothing")
    add("--check", action="store_true", help="compare the copy in PATH with these sessions, and write nothing")
    add("--lock", action="store_true", help="lock the package that a thin project pins, by its hashes on PyPI")
    add("--data", action="append", default=[], metavar="NAME=VALUE", help="an answer; copier.yml has the questions")
    return parser


def _given(data: Sequence[str]) -> dict[str, str]:
    for one in data:
        if "=" not in one:
            raise BadOption("adopt", f"--data {one}: NAME=VALUE was expected")
    return dict(one.split("=", 1) for one in data)


def answers(target: Target) -> dict[str, str]:
    """Return the answers that the project itself gives; everything else keeps the template's defaults."""
    found = {"folder": target.folder, "ci": _ci(target)}
    if target.sessions & set(SESSIONS):
        found["prefix"] = PREFIX
    workflows = target.root / ".github" / "workflows"
    for question, names in WORKFLOWS.items():
        found[question] = next((name for name in names if not (workflows / name).exists()), "")
    if found["ci"] == "gitlab":
        found["pythons"] = str(list(settings.load(target.root).pythons))
    if target.compiled:
        found["compiled"] = "true"
    return found | (_like(target.publishing[0]) if target.publishing else {})


def _ci(target: Target) -> str:
    """Return the CI system that the project seems to use. Workflows stand in the top folder of a repository."""
    if target.nested or not target.git:
        return "none"
    is_gitlab = (target.root / ".gitlab-ci.yml").exists() and not (target.root / ".github").exists()
    return "gitlab" if is_gitlab else "github"


def _like(workflow: Workflow) -> dict[str, str]:
    """Return the names that a trusted publisher is bound to, and the trigger, of the `workflow` that uploads now."""
    test = [name for name in workflow.environments if "test" in name.lower()]
    real = [name for name in workflow.environments if name not in test]
    found = {"workflow": workflow.name, "trigger": workflow.trigger}
    return found | ({"testpypi_environment": test[0]} if test else {}) | ({"pypi_environment": real[0]} if real else {})


def _planned(target: Target, given: Mapping[str, str], python: Path, scratch: Path) -> Plan:
    """Render with the project's answers and those `given`, and return what to do with each file."""
    chosen = answers(target) | dict(given)
    made = template.render(python, template.assemble(scratch / "template"), scratch / "project", chosen)
    if not target.git:
        made = {name: text for name, text in made.items() if name not in {".gitignore", ".gitattributes"}}
    if chosen.get("copy") == "thin":
        made[lock.FILE] = lock.locked(PYPI).encode()
    existing = {name: target.text(name) for name in made if (target.root / name).exists()}
    theirs = f".github/workflows/{chosen.get('workflow', '')}"
    if unmergeable := tuple(sorted(existing.keys() - {*MERGED, theirs})):
        raise Taken(unmergeable)
    replaced = {"workflow": "''"} if theirs in existing else {}
    made[ANSWERS] = template.with_origin(made[ANSWERS].decode(), template.commit(), **replaced).encode()
    edits = [_edit(name, text or "", made[name].decode()) for name, text in existing.items() if name in MERGED]
    created = {name: text for name, text in made.items() if name not in existing}
    notes = [*_notes(target, made, existing, theirs), *_prefix_note(target, chosen), *_gitlab_note(chosen)]
    return Plan(
        root=target.root,
        folder=chosen["folder"],
        created=created,
        edits=tuple(edit for edit in edits if edit and edit.before != edit.after),
        notes=tuple(notes),
        dryrun=chosen.get("prefix", "") + "dryrun" + (" -- --sdist-only" if chosen.get("compiled") == "true" else ""),
        new=tuple(sorted({_highest_new(target.root, name) for name in created})),
    )


def _highest_new(root: Path, name: str) -> str:
    """Return the part of `name` that is not there yet, as far up as it goes."""
    parts = name.split("/")
    heads = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    return next((head for head in heads if not (root / head).exists()), name)


def _edit(name: str, text: str, made: str) -> Edit | None:
    """Return what to add to a file that is there; None for one that only its owner can change."""
    lines = made.splitlines()
    if name == "noxfile.py":
        return Edit(name, text, with_sessions(text, lines[-1]))
    if name in {".gitignore", ".gitattributes"}:
        return Edit(name, text, with_lines(text, lines[1:], lines[0]))
    return None


def _notes(target: Target, made: Mapping[str, bytes], existing: Mapping[str, str | None], theirs: str) -> Iterator[str]:
    """Yield what the owner should know, and what only the owner can change."""
    if target.nested:
        yield "this is a part of a larger repository, so no workflows are written: docs/how-to has them"
    if theirs in existing:
        yield _kept(theirs, existing[theirs] or "", made[theirs].decode())
    ours = theirs.rpartition("/")[2] if theirs in made and theirs not in existing else ""
    uploading = [*(one.name for one in target.publishing), *([ours] if ours else [])]
    if len(uploading) > 1:
        yield f"several workflows upload to an index: {', '.join(uploading)}. One tag must start one of them."
    for name in (".github/dependabot.yml", ".gitlab-ci.yml"):
        text = existing.get(name)
        wanted = "github-actions" if name.startswith(".github") else "release.yml"
        if text is not None and wanted not in text:
            yield f"{name} is yours; what it lacks:{indented(made[name].decode())}"


def _kept(name: str, text: str, ours: str) -> str:
    return (
        f"{name} uploads already, and is kept as it is: the trusted publisher is bound to its name. What would change"
        f" (theirs -, ours +):{indented(difference(text, ours, name, name), last=400)}\n"
        f"  To take it: git rm {name}, commit, and uvx copier update --answers-file {ANSWERS} --data"
        f" workflow={name.rpartition('/')[2]}. Never keep both: two workflows on one tag upload twice."
    )


def _prefix_note(target: Target, chosen: Mapping[str, str]) -> Iterator[str]:
    if prefix := chosen.get("prefix"):
        yield f"the noxfile has sessions of the same names, so these are called {prefix}build, {prefix}check, ..."
    elif None in target.sessions:
        yield (
            "the noxfile makes names of sessions when it runs. Where `nox -l` then lists these as release-build,"
            " release-check, ..., take it back and adopt with --data prefix=release-, so that the workflows say so too."
        )


def _gitlab_note(chosen: Mapping[str, str]) -> Iterator[str]:
    """Yield what has to change where the project's Pythons have no job on GitLab, whose image has one Python alone."""
    names = re.findall(r"[\w.]+", chosen.get("pythons", "") if chosen["ci"] == "gitlab" else "")
    if without := [name for name in names if not ci.runs_nox(name)]:
        yield (
            f"no job on GitLab verifies on Python {', '.join(without)}, which cannot run nox: take it back, name others"
            " in [tool.seatrial] (pythons = [...]), and adopt then"
        )


def _show(plan: Plan, say: Say) -> None:
    say(f"adopting into {plan.root}")
    folder = [name for name in plan.created if name.startswith(f"{plan.folder}/")]
    single = [name for name in plan.created if name not in folder]
    say(f"new:{listing([*([f'{plan.folder}/ ({len(folder)} files)'] if folder else []), *single])}")
    for edit in plan.edits:
        say(f"added to {edit.name}:{indented(edit.diff, last=400)}")
    for note in plan.notes:
        say(f"note: {note}")


def _write(plan: Plan) -> None:
    """Write all of `plan`, or nothing: what was written is taken back when anything goes wrong."""
    with contextlib.ExitStack() as undo:
        for name, content in plan.created.items():
            _create(plan.root, plan.root / name, content, undo)
        for edit in plan.edits:
            path = plan.root / edit.name
            undo.callback(_put, path, edit.before)
            _put(path, edit.after)
        undo.pop_all()


def _create(root: Path, path: Path, content: bytes, undo: contextlib.ExitStack) -> None:
    for folder in reversed([folder for folder in path.parents if folder.is_relative_to(root)]):
        if not folder.exists():
            folder.mkdir()
            undo.callback(_remove_folder, folder)
    undo.callback(path.unlink, missing_ok=True)
    with path.open("xb") as file:
        file.write(content)


def _remove_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _put(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "surrogateescape"))


def _offer(plan: Plan, target: Target, say: Say) -> None:
    """Say what the owner may want to add for tools that would otherwise take the new files in."""
    if lines := offers(target, plan.folder, plan.new):
        say(f"where you want the copy left out (not done for you; a list that is there gets an item):{listing(lines)}")


def _tell(plan: Plan, target: Target, say: Say) -> None:
    """Say how to undo all of it, and how to go on."""
    restore = f"git restore {' '.join(edit.name for edit in plan.edits)}; " if plan.edits else ""
    say(f"to undo it before you commit: {restore}delete{listing(plan.new)}")
    say(f"next: {'git add . && git commit, then ' if target.git else ''}nox -s {plan.dryrun}")
