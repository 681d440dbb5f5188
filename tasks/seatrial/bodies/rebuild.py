"""The session `rebuild`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import rebuild
from ..errors import BadOption

if TYPE_CHECKING:
    from ..run import Run


def body(run: Run) -> None:
    """Build the tag of the version that is named again."""
    if run.options.version is None:
        raise BadOption(f"nox -s {run.names['rebuild']} --", "no VERSION was given")
    rebuild.rebuild(run, run.options.version)
