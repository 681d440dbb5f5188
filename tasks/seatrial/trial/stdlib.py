"""Which Python has which module in its standard library, as `stdlib-list` keeps it from the documentation."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from stdlib_list import stdlib_list

from seatrial.project.pythons import KNOWN_PYTHONS

if TYPE_CHECKING:
    from collections.abc import Mapping

# Documented for some versions only, and there in all.
UNEVEN = frozenset({"lib", "nt", "test", "xxsubtype", "xxlimited"})


@functools.cache
def history() -> Mapping[str, tuple[str | None, str | None]]:
    """Return the modules that came or went within the known Pythons: the first that has it, and the last.

    None stands for one that had it from the beginning, or has it still.
    """
    versions: dict[str, list[str]] = {}
    for python in KNOWN_PYTHONS:
        for top in {name.partition(".")[0] for name in stdlib_list(python)}:
            versions.setdefault(top, []).append(python)
    return {
        top: (None if there[0] == KNOWN_PYTHONS[0] else there[0], None if there[-1] == KNOWN_PYTHONS[-1] else there[-1])
        for top, there in versions.items()
        if not top.startswith("_") and top not in UNEVEN and len(there) < len(KNOWN_PYTHONS)
    }
