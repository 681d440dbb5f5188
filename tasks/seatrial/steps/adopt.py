"""`adopt`: put the release sessions into another project, keep them up to date, and break nothing there.

What will change is worked out first and shown. It is then written as a whole; whatever goes wrong, all of it is taken
back.
"""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from seatrial.adoption import changes, lock, origin, target, template
from seatrial.adoption.offers import for_archives, for_tools
from seatrial.adoption.plan import plan
from seatrial.index.indexes import PYPI
from seatrial.machine.errors import ReleaseError, indented, listing
from seatrial.machine.terminal import line as say
from seatrial.project.options import ALL
from seatrial.report.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.adoption.plan import Plan
    from seatrial.adoption.target import Target

FEW = 10  # files are named one by one
FOR_PACKAGES = """\
the workflows are for one package, and this is the root of several: add `-- --all` or `-- --package NAME` to each
session in them, and the folder of the package to the paths of `dist/` and `release-record/`"""


class WrongUse(ReleaseError):
    reason: str
    usage: str

    what = "seatrial adopt: {e.reason}\n{e.usage:lines}"
    cause = "a misspelt option."
    cure = "`seatrial adopt --help` explains the options; nothing was written."


def adopt(argv: Sequence[str], start: Path) -> None:
    """Adopt, update or compare, as `argv` asks; relative paths are meant from `start`.

    Raises ReleaseError, and OSError where a file cannot be written: then nothing of it was.
    """
    chosen = _parser().parse_args(list(argv))
    root = (start / chosen.path).resolve()
    source = origin.read()
    if chosen.check:
        found, today = [*lock.compare(root, source)], dt.datetime.now(tz=dt.timezone.utc).date()
        found += [warning for _, head in lock.find(root) if (warning := head.age_warning(today))]
        for sentence in found:
            say(sentence)
        return
    project = target.look(root)
    if not chosen.dry_run:
        target.stop_if_dirty(project)
    planned = plan(project, template.given(chosen.data), source, PYPI, update=chosen.update)
    changes.stop_if_a_link_leads_out(root, planned.changes)
    target.stop_if_ignored(project, [change.name for change in planned.changes if change.before is None])
    _show(planned)
    restored, created = changes.undoing(root, planned.changes)
    if lines := list(for_tools(project, planned.folder, created)):
        say(f"to leave the copy out of other tools (not done for you; add to a list that is there):{listing(lines)}")
    if chosen.dry_run or not planned.changes:
        say("nothing was written (--dry-run)" if planned.changes else "nothing to change: all of it is up to date")
        return
    changes.make(root, planned.changes)
    _tell(project, planned, restored, created, update=chosen.update)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise WrongUse(message, self.format_usage().strip())


def _parser() -> argparse.ArgumentParser:
    description = "Put the release sessions into a project, or bring them up to date."
    parser = _Parser(prog="seatrial adopt", allow_abbrev=False, description=description)
    add = parser.add_argument
    add("path", nargs="?", type=Path, default=Path(), metavar="PATH", help="the project (default: here)")
    add("--dry-run", action="store_true", help="show what would change, and write nothing")
    wrong = "answer a question; a wrong answer lists all"
    add("--data", action="append", default=[], metavar="NAME=VALUE", help=wrong)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="compare the project with this seatrial, and write nothing")
    mode.add_argument("--update", action="store_true", help="bring copy, lock and workflows to this seatrial")
    return parser


def _show(planned: Plan) -> None:
    say(f"adopting into {planned.root}")
    created = [f"{one.name} ({_amount(one.after or b'')})" for one in planned.changes if one.before is None]
    if created:
        say(f"new:{listing(created)}")
    for change in planned.changes:
        if change.before is not None and change.after is not None:
            say(f"changed in {change.name}:{indented(_shown(change, change.before, change.after), last=400)}")
    removed = [change.name for change in planned.changes if change.after is None]
    tops = [name.partition("/")[0] for name in removed if "/" in name]
    folders = [f"{top}/ ({plural(tops.count(top), 'file')})" for top in dict.fromkeys(tops)]
    if removed:
        say(f"removed:{listing([*folders, *(name for name in removed if '/' not in name)])}")
    if planned.left:
        say(f"changed since seatrial wrote it, so left where it is:{listing(planned.left)}")
    for note in planned.notes:
        say(f"note: {note}")


def _amount(content: bytes) -> str:
    return f"{len(content) // 1024 + 1} KiB" if b"\0" in content else plural(len(content.splitlines()), "line")


def _shown(change: changes.Change, before: bytes, after: bytes) -> str:
    """Return how the content of a file changes: of a lock what moves, without hashes; of a wheel how large it is."""
    if not change.name.endswith(f"/{lock.FILE}"):
        return f"{_amount(before)} -> {_amount(after)}" if b"\0" in after else change.diff
    old, new = (lock.requirements(content.decode("utf-8", "replace")) for content in (before, after))
    moved = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    pairs = ([one.get(name, "(none)").partition(" --hash")[0] for one in (old, new)] for name in moved)
    return "\n".join(f"{was} -> {becomes}" for was, becomes in pairs)


def _tell(project: Target, planned: Plan, restored: Sequence[str], created: Sequence[str], *, update: bool) -> None:
    """Say how to undo all of it, and how to go on."""
    undo = [f"git restore {' '.join(restored if len(restored) <= FEW else ['.'])}"] if restored else []
    if created:
        undo.append(f"delete{listing(created)}")
    say(f"to undo it before you commit: {'; '.join(undo)}")
    steps = [f"keep it out of the sdist: {offer}" for offer in ([] if update else for_archives(project, created))]
    steps += ["git add . && git commit"] if project.git else []
    say(f"next:{listing([*steps, f'nox -s {planned.dryrun}'])}")
    if ALL[0] in planned.dryrun and any(change.name.startswith((".github/", ".gitlab")) for change in planned.changes):
        say(FOR_PACKAGES)
