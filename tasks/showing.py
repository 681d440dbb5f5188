"""What a session shows of the whole release, and the report that it leaves; nothing of it decides anything."""

from __future__ import annotations

import os
import shutil
import sys
import webbrowser
from typing import TYPE_CHECKING

from . import ci
from .errors import ReleaseError
from .record import Record
from .reporting import files
from .reporting.steps import steps
from .reporting.table import table
from .stages import Built

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .run import Run
    from .stages import Problem

DRY_FOLDER = "seatrial-report"  # beside the sessions' environments: the folder of a dry run is gone when it ends


def undone(record: Record, run: Run) -> str:
    """Return the session that is next (as we call it), empty where all is done."""
    return next((step.name for step in steps(record, run.names) if step.state == "open"), "")


def following(run: Run) -> str:
    """Return the next command, empty where all is done."""
    name = undone(run.record, run)
    return run.command(name, *(run.once if name not in {"build", "check"} else ())) if name else ""


def status(run: Run) -> None:
    """Show where the release stands, and where the report on it is; it is written anew if it is out of date."""
    built = run.record.find(Built)
    if built is None:
        run.say("  nothing is built yet")
        return
    run.say(table(f"{built.project} {built.version}", steps(run.record, run.names), built.dists))
    _written(run)
    run.say(f"report: {run.record.folder / files.PAGE}")


def close(run: Run, following: str = "") -> None:
    """End a session: where it moved the release on, show where that stands, write the report, and name what is next.

    In a dry run that is done once, at its end.
    """
    if not run.standin and not files.is_current(run.record) and run.record.find(Built):
        status(run)
    if following:
        run.next(following, *run.once)


def stopped(run: Run, found: Sequence[Problem]) -> None:
    """Write a report with what stops the release, which no record holds."""
    _written(run, found)
    if not run.standin:
        run.say(f"report: {run.record.folder / files.PAGE}")


def _written(run: Run, found: Sequence[Problem] = ()) -> None:
    """Write the report where it is out of date or there is something to add. That it cannot be stops no session."""
    try:
        if found or not files.is_current(run.record):
            again = run.command("dryrun") if run.standin else following(run)
            files.write(run.record, run.names, again, found=found, dry=run.standin is not None)
    except (ReleaseError, OSError) as error:
        run.say(f"the report could not be written: {str(error).splitlines()[0]}")


def dry(run: Run, place: Path, next_session: str) -> None:
    """Write the report on the dry run in the folder `place`, leave a copy behind, and offer to open it."""
    record = Record.of(place)
    try:
        if not files.is_current(record):
            files.write(record, run.names, run.command(next_session), dry=True)
        page = _left_behind(record, run.venv.root.parent / DRY_FOLDER)
    except (ReleaseError, OSError) as error:
        run.say(f"the report could not be written: {str(error).splitlines()[0]}")
        return
    if page is not None:
        ci.summarise(os.environ, page.with_name(files.SUMMARY).read_text(encoding="utf-8"))
        run.say(f"report: {page}")
        offer(run, page)


def _left_behind(record: Record, folder: Path) -> Path | None:
    """Copy both files of the report to `folder`; return the page there, None where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (files.PAGE, files.SUMMARY):
        if not (record.folder / name).is_file():
            return None
        shutil.copyfile(record.folder / name, folder / name)
    return folder / files.PAGE


def offer(run: Run, page: Path) -> None:
    """Ask on a terminal whether to open `page`, and do so; elsewhere do nothing."""
    if run.interactive and sys.stdin.isatty() and sys.stdout.isatty():
        answer = input("open it in the browser? [y/N] ")
        if answer.strip().lower() in {"y", "yes"}:
            webbrowser.open(page.as_uri())
