"""The session `testpypi`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ci, publish, showing

if TYPE_CHECKING:
    from ..run import Run


def body(run: Run) -> None:
    """Upload the checked files to the rehearsal index, or to the stand-in that takes its place."""
    with run.record.locked("release"):
        publish.rehearse(run)
        if run.rehearsed_here is None:
            ci.uploaded(run, run.config.testpypi)
    showing.close(run, "verify")
