"""The session `inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import check
from ..errors import BadOption

if TYPE_CHECKING:
    from ..run import Run


def body(run: Run) -> None:
    """Apply the rules to the files that are named."""
    if not run.options.files:
        raise BadOption(f"nox -s {run.names['inspect']} --", "no FILE was given")
    check.inspect(run)
