"""The session `pypi`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ci, publish, showing

if TYPE_CHECKING:
    from ..run import Run


def body(run: Run) -> None:
    """Upload the files that were rehearsed and verified."""
    with run.record.locked("release"):
        publish.release(run)
        ci.uploaded(run, run.config.pypi)
    showing.close(run)
    ci.stands(run)
