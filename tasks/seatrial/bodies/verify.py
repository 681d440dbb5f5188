"""The session `verify`, in one cell of its matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import showing, verify
from ..stages import Cell

if TYPE_CHECKING:
    from ..run import Run
    from ..stages import Kind


def body(run: Run, kind: Kind) -> None:
    """Install and use the archive of this `kind`, in an environment that nothing was put into before."""
    run.claim()
    run.say_what_is_kept_back()
    cell = Cell(str(run.session.python), kind)
    with run.record.locked(f"verify-{cell.python}-{cell.kind}"):
        verify.verify(run, cell)
    showing.close(run, "pypi")
