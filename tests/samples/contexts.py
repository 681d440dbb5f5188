"""What a step works with, in unit tests: a project in a folder, with settings and options as given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.machine.screen import Screen
from seatrial.project.context import Context
from seatrial.project.options import Commands, Options
from seatrial.project.settings import Settings
from seatrial.release.record import Record

if TYPE_CHECKING:
    from pathlib import Path


def make_context(root: Path, **changes: Any) -> Context:
    """Return the context of the project in `root`, started through nox; `changes` are to its fields."""
    settings = Settings(pythons=("3.13",))
    fields: dict[str, Any] = {
        "settings": settings,
        "options": Options(),
        "record": Record.of(root),
        "commands": Commands(nox=True),
        "variables": {},
        "published": settings.pypi,
        "screen": Screen(),
    }
    return Context(root=root, **(fields | changes))
