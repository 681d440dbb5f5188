"""The session `dryrun`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .. import dryrun, together

if TYPE_CHECKING:
    from ..run import Run


def body(run: Run) -> None:
    """Run the sessions of a release in another nox, between two stand-ins."""
    run.say_what_is_kept_back()
    dryrun.dryrun(run, _nox_command(run))


def _nox_command(run: Run) -> tuple[str, ...]:
    """Return the command that starts nox again on the same noxfile."""
    noxfile = Path(str(sys.modules["user_nox_module"].__file__))
    return (*together.nox(noxfile, run.venv.root.parent), "--no-error-on-missing-interpreters")
