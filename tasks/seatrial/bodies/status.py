"""The session `status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ci, remote, report, showing

if TYPE_CHECKING:
    from ..run import Run


def body(run: Run) -> None:
    """Say what the record knows, and what the indexes do if that is asked for."""
    run.say(f"{run.root.name}: {run.record.folder}")
    showing.status(run)
    if of_files := report.of_files(run.record):
        run.say(of_files)
    ci.stands(run)
    if run.options.remote:
        remote.compare(run)
    if following := showing.following(run):
        run.say(f"next: {following}")
