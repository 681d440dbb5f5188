"""The session `dryrun`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .. import dryrun, process

if TYPE_CHECKING:
    from ..run import Run


def body(run: Run) -> None:
    """Run the sessions of a release in another nox, between two stand-ins."""
    run.say_what_is_kept_back()
    dryrun.dryrun(run, _nox_command(run))


def _nox_command(run: Run) -> tuple[str, ...]:
    """Return the command that starts nox again on the same noxfile, safe from modules in the current folder."""
    noxfile = str(sys.modules["user_nox_module"].__file__)
    start = "import sys; sys.path[:] = [p for p in sys.path if p]; from nox.__main__ import main; main()"
    flags = ("--noxfile", noxfile, "--envdir", str(run.venv.root.parent), "--no-error-on-missing-interpreters")
    return (sys.executable, "-c", start, *flags, *(("--verbose",) if process.is_verbose() else ()))
