"""What a session shows of the whole release, and the report that it leaves; nothing of it decides anything."""

from __future__ import annotations

import os
import shutil
import sys
import webbrowser
from typing import TYPE_CHECKING

from seatrial.machine.errors import ReleaseError
from seatrial.release.record import Record
from seatrial.release.stages import Built
from seatrial.report import ci, files
from seatrial.report.progress import steps
from seatrial.report.table import table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.project.context import Context
    from seatrial.release.stages import Problem

DRY_FOLDER = "seatrial-report"  # beside the sessions' environments: the folder of a dry run is gone when it ends


def undone(record: Record, context: Context) -> str:
    """Return the session that is next (as we call it), empty where all is done."""
    return next((step.name for step in steps(record, context.names) if step.state == "open"), "")


def following(context: Context) -> str:
    """Return the next command, empty where all is done."""
    name = undone(context.record, context)
    return context.command(name, *(context.once if name not in {"build", "check"} else ())) if name else ""


def status(context: Context) -> None:
    """Show where the release stands, and where the report on it is; it is written anew if it is out of date."""
    built = context.record.find(Built)
    if built is None:
        context.say("  nothing is built yet")
        return
    context.say(table(f"{built.project} {built.version}", steps(context.record, context.names), built.dists))
    _written(context)
    context.say(f"report: {context.record.folder / files.PAGE}")


def close(context: Context, following: str = "") -> None:
    """End a session: where it moved the release on, show where that stands, write the report, and name what is next.

    In a dry run that is done once, at its end.
    """
    if not context.standin and not files.is_current(context.record) and context.record.find(Built):
        status(context)
    if following:
        context.next(following, *context.once)


def stopped(context: Context, found: Sequence[Problem]) -> None:
    """Write a report with what stops the release, which no record holds."""
    _written(context, found)
    if not context.standin:
        context.say(f"report: {context.record.folder / files.PAGE}")


def _written(context: Context, found: Sequence[Problem] = ()) -> None:
    """Write the report where it is out of date or there is something to add. That it cannot be stops no session."""
    try:
        if found or not files.is_current(context.record):
            again = context.command("dryrun") if context.standin else following(context)
            files.write(context.record, context.names, again, found=found, dry=context.standin is not None)
    except (ReleaseError, OSError) as error:
        context.say(f"the report could not be written: {str(error).splitlines()[0]}")


def dry(context: Context, place: Path, next_session: str) -> None:
    """Write the report on the dry run in the folder `place`, leave a copy behind, and offer to open it."""
    record = Record.of(place)
    try:
        if not files.is_current(record):
            files.write(record, context.names, context.command(next_session), dry=True)
        page = _left_behind(record, context.venv.root.parent / DRY_FOLDER)
    except (ReleaseError, OSError) as error:
        context.say(f"the report could not be written: {str(error).splitlines()[0]}")
        return
    if page is not None:
        ci.summarise(os.environ, page.with_name(files.SUMMARY).read_text(encoding="utf-8"))
        context.say(f"report: {page}")
        offer(context, page)


def _left_behind(record: Record, folder: Path) -> Path | None:
    """Copy both files of the report to `folder`; return the page there, None where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (files.PAGE, files.SUMMARY):
        if not (record.folder / name).is_file():
            return None
        shutil.copyfile(record.folder / name, folder / name)
    return folder / files.PAGE


def offer(context: Context, page: Path) -> None:
    """Ask on a terminal whether to open `page`, and do so; elsewhere do nothing."""
    if context.interactive and sys.stdin.isatty() and sys.stdout.isatty():
        answer = input("open it in the browser? [y/N] ")
        if answer.strip().lower() in {"y", "yes"}:
            webbrowser.open(page.as_uri())
