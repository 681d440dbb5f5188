"""Where a release stands: the table at the end of a command, and the report in files. None of it decides anything.

``report.html`` and ``report.md`` are beside the record, and are rewritten where the record has moved on since.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import textwrap
import webbrowser
from dataclasses import asdict
from typing import TYPE_CHECKING

from seatrial import __version__
from seatrial.machine.disk import locked_file, write_whole
from seatrial.machine.errors import ReleaseError
from seatrial.machine.terminal import size, styled, visible, width
from seatrial.machine.values import Value, fields_of
from seatrial.project.options import Options
from seatrial.release import failures
from seatrial.release.record import DistNotFolder, FilesChanged, Record, now
from seatrial.release.stages import Built, Dist, Rehearsed, Released
from seatrial.report import ci, text
from seatrial.report.text import PAGE, SUMMARY, WORDS, Failure, State, Step, steps

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.project.context import Context

LOG, LAST = "log.txt", "last.json"
MARK = re.compile(rb'name="seatrial-record" content="([0-9a-f]{64})"')
HEAD = 4096  # bytes of the page in which its mark is
STYLES: dict[State, str] = {"done": "good", "part": "warn", "open": "quiet", "failed": "bad"}
WORD, NAME = max(map(len, WORDS.values())), len("testpypi")  # columns
ROOM = 100  # columns from which on there is room for the time
LEAST = 16  # columns of a summary, however narrow the terminal is
FILES = 8  # that are listed


def close(context: Context) -> None:
    """End a step: write the report; at the end of the last step, show where the release stands and what is next."""
    built = context.record.find(Built)
    if context.dry or built is None:
        return
    written = _write_report(context)
    if context.last:
        _show(context, built, written=written)
        if name := undone(context.record):
            context.next(name, *_again(context, name))


class LastDryRun(Value):
    """When the last dry run ended, of which release, in which step it `failed` (empty for none), and what is next."""

    at: str
    release: str
    failed: str
    following: str

    def __str__(self) -> str:
        outcome = f"failed in `{self.failed}`" if self.failed else "passed"
        return f"last dry run {self.at}: {self.release} {outcome}"


def status(context: Context, *, moved_on: bool = False) -> None:
    """Show where the release stands with its files, where the report on it is, and what is next.

    That is the next release where this one is finished and HEAD has `moved_on`. What is wrong in dist/ is told as well.
    """
    built = context.record.find(Built)
    if built is None:
        context.screen.line("nothing is built yet")
        if context.options.open:
            _open_dry(context)
    else:
        _show(context, built, built.dists, written=_write_report(context))
    if spoilt := _spoilt(context, built):
        context.screen.line(spoilt.text(context.commands))
        if not (isinstance(spoilt, FilesChanged) and spoilt.extra):
            context.next("build", "--rebuild")
            return
    if (stopped := failures.last(context.record)) and stopped.spent and built:
        context.screen.line(f"{built.version} is spent: set the next version, and commit")
    name, last = undone(context.record) or ("build" if moved_on else ""), last_dry_run(context)
    if name in {"build", "check"} and last and not (last.failed or failures.last(context.record)):
        context.next(*last.following.split(), *context.options.once)  # as that dry run said
    elif name:
        context.next(name, *_again(context, name))


def _open_dry(context: Context) -> None:
    """Open the report of the last dry run, since there is no other."""
    page = dry_folder(context) / PAGE
    if page.is_file():
        _show_path(context, page)
    else:
        context.screen.line(f"there is no report to open yet: {context.commands['dryrun']} leaves one")


def _spoilt(context: Context, built: Built | None) -> FilesChanged | DistNotFolder | None:
    """Return what is wrong with the files of `built`, which nobody needs any more once they are released."""
    try:
        if built and context.record.find(Released) is None:
            context.record.rehash(built.dists)
    except (FilesChanged, DistNotFolder) as found:
        return found
    return None


def renew(context: Context) -> None:
    """Bring the report up to date, where there is one."""
    if (context.record.folder / PAGE).is_file():
        _write_report(context)


def failed(context: Context, failure: Failure) -> None:
    """Write a report with what stops the release, which no record holds; without files there is none."""
    if counts := text.counted(failure.problems):
        context.screen.summarise(counts)
    try:
        built = context.record.find(Built)
    except ReleaseError:  # a record that cannot be read is what stops it
        return
    if built and _write_report(context, failure) and not context.dry:
        context.say(f"report: {context.record.folder / PAGE}")


def dry(context: Context, record: Record, following: str, failure: Failure | None = None) -> Path | None:
    """Write the report on a dry run, whose `record` is gone when it ends; show where the release stood.

    `following` is the next step, with its options. Return the copy of the report that is left behind, None where
    nothing was built, or it cannot be written.
    """
    folder = dry_folder(context)
    if record.find(Built) is None:
        return None
    try:
        if failure or not is_current(record):
            write(record, context.commands[following], failure=failure, dry=True)
        if folder.is_relative_to(context.record.folder):
            context.record.prepare()
        folder.mkdir(parents=True, exist_ok=True)
        for name in (PAGE, SUMMARY):
            shutil.copyfile(record.folder / name, folder / name)
    except (ReleaseError, OSError) as error:
        _say_why_not(context, error)
        return None
    built = record.recorded(Built)
    left = LastDryRun(now(), f"{built.project} {built.version}", failure.name if failure else "", following)
    (folder / LAST).write_text(json.dumps(asdict(left)) + "\n", encoding="utf-8")
    ci.summarise(context.variables, (folder / SUMMARY).read_text(encoding="utf-8"))
    if failure is None:
        context.screen.line(table("", steps(record, dry=True)))
    _show_path(context, folder / PAGE)
    return folder / PAGE


def dry_folder(context: Context) -> Path:
    """Return where the report on a dry run is left: beside nox's environments, or where git ignores it as well."""
    nox = context.root / ".nox"
    return nox / "seatrial-report" if nox.is_dir() else context.record.folder / "dryrun"


def last_dry_run(context: Context) -> LastDryRun | None:
    """Return what the last dry run that left a report came to, None where there is none."""
    try:
        document = json.loads((dry_folder(context) / LAST).read_text(encoding="utf-8"))
        return LastDryRun(**{field.name: str(document[field.name]) for field in fields_of(LastDryRun)})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def log_of(context: Context, step: str) -> Path:
    """Return the file that gets everything that `step` does, also what is not shown."""
    return (dry_folder(context) if step == "dryrun" else context.record.folder) / LOG


def _show(context: Context, built: Built, dists: Sequence[Dist] = (), *, written: bool) -> None:
    context.screen.line(table(f"{built.project} {built.version}", steps(context.record), dists))
    if written:
        _show_path(context, context.record.folder / PAGE)


def _show_path(context: Context, page: Path) -> None:
    context.screen.line(f"report: {page}")
    if context.options.open:
        webbrowser.open(page.as_uri())


def undone(record: Record) -> str:
    """Return the step that is next, empty where all is done; a version that is spent needs another release."""
    failed = failures.last(record)
    if failed and failed.spent:
        return "verify"
    return next((step.name for step in steps(record) if step.state in {"open", "failed"}), "")


def following(context: Context) -> str:
    """Return the next command, empty where all is done."""
    name = undone(context.record)
    return context.commands.command(name, *_again(context, name)) if name else ""


def _again(context: Context, name: str) -> tuple[str, ...]:
    """Return the options that the step `name` needs again: those of now, else of the rehearsal that is on record."""
    if name in {"build", "check"}:
        return ()
    if (failed := failures.last(context.record)) and failed.spent and failed.step == "pypi":
        return ("--rebuild", *context.options.once)  # what is verified makes way for no other build
    rehearsed = context.record.find(Rehearsed)
    if context.rehearsed_here is None and rehearsed and rehearsed.reason:
        return Options(rehearse_on=rehearsed.reason).once
    return context.options.once


def _write_report(context: Context, failure: Failure | None = None) -> bool:
    """Write the report unless it is current; return whether it is there. That it cannot be written stops no step."""
    try:
        if failure or not is_current(context.record):
            again = context.commands.command("dryrun") if context.dry else following(context)
            write(context.record, again, failure=failure, dry=context.dry is not None)
    except (ReleaseError, OSError) as error:
        _say_why_not(context, error)
        return False
    return True


def _say_why_not(context: Context, error: Exception) -> None:
    context.say(f"the report could not be written: {str(error).splitlines()[0]}", "warning")


def table(title: str, rows: Sequence[Step], dists: Sequence[Dist] = ()) -> str:
    """Return the five steps of the release called `title`, and its files; no title leaves its line out."""
    lines = [styled(visible(title), "strong")] if title else []
    for step in rows:
        word = WORDS[step.state]
        head = f"  {styled(word, STYLES[step.state])}{' ' * (WORD - len(word))}  {step.name:{NAME}}  "
        taken = 2 + WORD + 2 + NAME + 2
        if step.at and not 0 < width() < ROOM:
            when = step.at[:16].replace("T", " ")
            head, taken = f"{head}{styled(when, 'quiet')}  ", taken + len(when) + 2
        room = max(width() - taken - 1, LEAST) if width() else len(step.summary) + 1
        first, *rest = textwrap.wrap(visible(step.summary), room) or [""]  # which hangs below where it is too long
        lines += [(head + first).rstrip(), *(" " * taken + line for line in rest)]
    lines += [f"  {visible(dist.filename)}  {styled(size(dist.size), 'quiet')}" for dist in dists[:FILES]]
    if len(dists) > FILES:
        lines.append(f"  and {text.plural(len(dists) - FILES, 'more file')}")
    return "\n".join(lines)


def digest(record: Record) -> str:
    """Return one sha256 over all files of the record, and the version of what shows them."""
    hashed = hashlib.sha256(__version__.encode())
    for path in sorted(record.folder.glob("*.json")):
        hashed.update(f"\n{path.name}\n".encode() + path.read_bytes())
    return hashed.hexdigest()


def is_current(record: Record) -> bool:
    """Whether the report is there, and was made from the record as it is now."""
    place = record.folder / PAGE
    if not place.is_file() or not (record.folder / SUMMARY).is_file():
        return False
    with place.open("rb") as file:
        mark = MARK.search(file.read(HEAD))
    return mark is not None and mark[1].decode() == digest(record)


def write(record: Record, following: str, *, failure: Failure | None = None, dry: bool = False) -> None:
    """Write both files, where something is built. See `facts.gather` for what they take.

    Cells of `verify` may end side by side: who writes looks again afterwards, and who finds another at it lets it.
    """
    from seatrial.report.facts import gather  # noqa: PLC0415 (it takes a while to load, and often nothing is new)
    from seatrial.report.markdown import markdown  # noqa: PLC0415 (as above)
    from seatrial.report.page.html import page  # noqa: PLC0415 (as above)

    with locked_file(record.folder / ".report.lock") as free:
        while free:
            mark = digest(record)
            facts = gather(record, following, failure=failure, dry=dry)
            if facts is None:
                return
            write_whole(record.folder / SUMMARY, markdown(facts))
            write_whole(record.folder / PAGE, page(facts, mark))
            if mark == digest(record):
                break
