"""What a user reads where something is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.conftest import Ended


def is_clear(ended: Ended, *texts: str, listed: bool = False) -> bool:
    """Whether a run ended with exit code 1 and one message of ours, which says `texts`.

    Where it is about errors that are `listed` above it, it names no cause of its own.
    """
    parts = ("What to do:",) if listed else ("Usual cause:", "What to do:")
    return ended.code == 1 and "Traceback" not in ended.output and ended.shows(*parts, *texts)
