"""The session `check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import check, showing

if TYPE_CHECKING:
    from ..run import Run


def body(run: Run) -> None:
    """Check the files that were built, if that is not done yet."""
    run.say_what_is_kept_back()
    with run.record.locked("release"):
        check.check(run)
    showing.close(run, "testpypi")
