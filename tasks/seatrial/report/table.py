"""The release as a table for the terminal: coloured where that is taken, and as narrow as it has to be."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from seatrial.machine.terminal import size, styled, width
from seatrial.report.markup import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.release.stages import Dist
    from seatrial.report.progress import Step

WORDS = {"done": "done", "part": "part", "open": "  - "}
STYLES = {"done": "good", "part": "warn", "open": "quiet"}
ROOM = 72  # columns from which on there is room for the time
LEAST = 20  # columns of what came of a stage
FILES = 8  # that are listed


def table(title: str, steps: Sequence[Step], dists: Sequence[Dist]) -> str:
    """Return the five stages of the release called `title`, and its files."""
    lines = [styled(visible(title), "strong"), *(line for step in steps for line in _step(step, _widest(steps)))]
    return "\n".join([*lines, *_files(dists)])


def _widest(steps: Sequence[Step]) -> int:
    return max(len(step.session) for step in steps)


def _step(step: Step, widest: int) -> Iterator[str]:
    """Yield the lines of one stage: what came of it hangs below where it is too long."""
    head = f"  {styled(WORDS[step.state], STYLES[step.state])}  {step.session:{widest}}  "
    taken = 2 + len(WORDS[step.state]) + 2 + widest + 2
    if step.at and not 0 < width() < ROOM:
        when = step.at[:16].replace("T", " ")
        head, taken = f"{head}{styled(when, 'quiet')}  ", taken + len(when) + 2
    room = max(width() - taken - 1, LEAST) if width() else len(step.told) + 1
    first, *rest = textwrap.wrap(visible(step.told), room) or [""]
    yield (head + first).rstrip()
    yield from (" " * taken + line for line in rest)


def _files(dists: Sequence[Dist]) -> Iterator[str]:
    for dist in dists[:FILES]:
        yield f"  {visible(dist.filename)}  {styled(size(dist.size), 'quiet')}"
    if len(dists) > FILES:
        yield f"  and {len(dists) - FILES} more files"
