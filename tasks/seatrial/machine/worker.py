"""Programs that answer several times: started before they are needed, they import what they need once.

Such a program reads a line of standard input, and answers by lines, of which the last has in it what says so. Where the
program runs foreign code, which may print anything, that is a word that is made up for each answer.
"""

from __future__ import annotations

import contextlib
import functools
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

from seatrial.machine import process
from seatrial.machine.process import Outcome, Output
from seatrial.machine.screen import SCREEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

END = b'{"event": "done"'  # of a JSON document


class Worker:
    """One such program, which several threads may ask, one after the other.

    It ends with its standard input; where it has ended, the next question starts it anew.
    """

    def __init__(self, argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> None:
        self._argv = argv
        self._new = functools.partial(process.start, argv, env, cwd, subprocess.PIPE)
        self._running: tuple[subprocess.Popen[bytes], Output] | None = None
        self._lock = threading.RLock()

    def start(self) -> None:
        """Start the program, if it does not run."""
        self._running = self._running or self._new()

    def ask(self, given: bytes, *, end: bytes = END, name: str = "", **settings: Any) -> Outcome:
        """Give it the line `given`; return its answer, or how it ended without one. The `settings` are those of `run`.

        The last line of the answer has `end` in it. Raises ToolStuck.
        """
        with self._lock:
            child, output = self._running = self._running or self._new()
            started, before = time.monotonic(), output.size
            try:
                process.stop_if_over()
                process.give(child, given + b"\n", close=False)
                ends = functools.partial(_answers_within, child, output, before, end)
                process.attend(self._argv, output, ends, before=before, **settings)
            except BaseException:
                self.end()
                raise
            code = child.poll()
            if code is not None:
                self.end()
            SCREEN.took(name or process.label(self._argv), started)
            return Outcome(code or 0, output.text(before))

    def leave(self) -> None:
        """Ask the program to end, and do not wait for it."""
        if self._running:
            process.ask_to_end(self._running[0])

    def end(self) -> None:
        """End the program, and whatever it left running."""
        running, self._running = self._running, None
        if running:
            process.finish(*running)

    @contextlib.contextmanager
    def kept(self) -> Iterator[Worker]:
        """Yield this, and end it after the context."""
        try:
            yield self
        finally:
            self.end()


def _answers_within(child: subprocess.Popen[bytes], output: Output, before: int, end: bytes, seconds: float) -> bool:
    """Wait for the `end` of an answer, or of `child`, and return whether it came; `before` were so many bytes."""
    deadline = time.monotonic() + seconds
    while True:
        last, _ = output.since(before)
        is_complete = last.endswith(b"\n") and end in last[:-1].rpartition(b"\n")[2]
        if is_complete or child.poll() is not None:
            return True
        if (left := deadline - time.monotonic()) <= 0:
            return False
        output.grew.wait(min(left, 0.25))
        output.grew.clear()
