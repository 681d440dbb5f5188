"""The session `build`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import build, ci, showing

if TYPE_CHECKING:
    from ..run import Run


def body(run: Run) -> None:
    """Build the files, if that is not done yet, and tell CI what is next."""
    run.say_what_is_kept_back()
    with run.record.locked("release"):
        build.build(run)
        ci.built(run)
    showing.close(run, "check")
