"""Programs that answer several times, and so are started and loaded once."""

from __future__ import annotations

import contextlib
import functools
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

from seatrial.machine import process
from seatrial.machine.screen import SCREEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

END = b'{"event": "done"'  # of a JSON document


class Worker:
    """A program that answers several times: started before it is needed, it imports what it needs once.

    It reads a line of standard input, and answers by lines, of which the last has in it what says so. Where it runs
    foreign code, which may print anything, that is a word that is made up for each answer. Several threads may ask, one
    after the other. It ends with its standard input; where it has ended, the next question starts it anew.
    """

    def __init__(self, argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> None:
        self._argv = argv
        self._new = functools.partial(process.start, argv, env, cwd, subprocess.PIPE)
        self._running: tuple[process.Child, process.Output] | None = None
        self._lock = threading.RLock()

    def start(self) -> None:
        """Start the program, if it does not run."""
        self._running = self._running or self._new()

    def ask(self, given: bytes, *, end: bytes = END, name: str = "", **settings: Any) -> process.Outcome:
        """Give it the line `given`; return its answer, or how it ended without one. The `settings` are those of `run`.

        The last line of the answer has `end` in it. Raises ToolStuck.
        """
        with self._lock:
            child, output = self._running = self._running or self._new()
            started, before = time.monotonic(), output.size
            try:
                process.attend(self._argv, child, output, given + b"\n", before=before, end=end, **settings)
            except BaseException:
                self.end()
                raise
            code = child.poll()
            if code is not None:
                self.end()
            SCREEN.took(name or process.label(self._argv), started)
            return process.Outcome(code or 0, output.text(before))

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


class Workers:
    """Workers of one kind, as `make` makes them: each is taken for one question, and is idle until the next.

    When nobody keeps them any more, they end, and all that they left running with them.
    """

    def __init__(self, make: Callable[[], Worker]) -> None:
        self._make = make
        self._idle: list[Worker] = []
        self._keepers = 0
        self._lock = threading.Lock()

    def start(self) -> None:
        """Have one that is idle and runs: a program takes a while to load."""
        with self._lock:
            self._idle = self._idle or [self._make()]
            self._idle[-1].start()

    def ask(self, given: bytes, **settings: Any) -> process.Outcome:
        """Ask one of them, as `Worker.ask` does; those who ask at the same time ask others."""
        with self.kept():
            with self._lock:
                worker = self._idle.pop() if self._idle else self._make()
            try:
                return worker.ask(given, **settings)
            finally:
                self._idle.append(worker)

    @contextlib.contextmanager
    def kept(self) -> Iterator[Workers]:
        """Keep those that run until this context has ended, and every other one that keeps them."""
        with self._lock:
            self._keepers += 1
        try:
            yield self
        finally:
            with self._lock:
                self._keepers -= 1
            if not self._keepers:
                self.end()

    def end(self) -> None:
        """End all that are idle, at the same time."""
        with self._lock:
            left, self._idle = self._idle, []
        for worker in left:
            worker.leave()
        for worker in left:
            worker.end()
