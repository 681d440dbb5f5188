"""What a command shows: one line a step, with its warnings below, and everything else in a log.

    ok     check     107 rules, 2 files tried on 3.11 and 3.10; 1 warning               1.9 s
           warning   metadata-author: no author is named (pyproject.toml)

The line is written when the step ends; until then a terminal shows what it is doing. Several threads may speak at once.
"""

from __future__ import annotations

import contextlib
import re
import sys
import textwrap
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from seatrial.machine import terminal
from seatrial.machine.terminal import styled, visible
from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

OK, FAILED = "ok", "FAILED"
SYMBOLS = {OK: "✓", FAILED: "✗"}
STYLES = {OK: "good", FAILED: "bad", "error": "bad", "warning": "warn"}
WORD, SYMBOL, NAME = 7, 3, 10  # columns of the first column, if it has words or symbols, and of the second
COLUMNS = 96  # where the duration ends, if the terminal is that wide
LEAST = 24  # columns for a summary, however narrow the terminal is
OUR_STYLES = re.compile(rf"\x1b\[(?:0|{'|'.join(terminal.STYLES.values())})m")
FEW = 20  # seconds that are shown with tenths
LARGEST = 1 << 20  # bytes of a log that the next command adds to


@dataclass
class Log:
    """The file at `path` gets all lines, once its folder exists; without a path they are dropped.

    A log that cannot be written (the disk is full) stops no release.
    """

    path: Path | None = None
    waiting: list[str] = field(default_factory=list)
    begun: bool = False

    def write(self, text: str) -> None:
        """Add `text` as lines of its own."""
        if self.path is None:
            return
        self.waiting.append(f"{text}\n")
        if self.path.parent.is_dir():
            lines, self.waiting = self.waiting, []
            with contextlib.suppress(OSError):
                is_large = not self.begun and self.path.is_file() and self.path.stat().st_size > LARGEST
                mode = "w" if is_large else "a"
                with self.path.open(mode, encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                    file.writelines(lines)
                self.begun = True

    @property
    def is_written(self) -> bool:
        """Whether there is a file to look at."""
        return self.path is not None and not self.waiting and self.path.is_file()


@dataclass
class Step:
    """A step that is running. Whoever runs it sets `summary` before it ends."""

    name: str
    meter: terminal.Meter
    started: float = field(default_factory=time.monotonic)
    summary: str = ""
    lines: list[str] = field(default_factory=list)


class Task(Value, order=True):
    """Something that took time: seconds from the start of the command to its own, and how many it took."""

    start: float
    length: float
    label: str


@dataclass(eq=False)
class Screen:
    """Where a command shows what it does. `verbose` shows what otherwise only the `log` gets.

    `write` takes whole lines. `tasks` are those that ended, the steps and the programs that they ran.
    """

    verbose: bool = False
    log: Log = field(default_factory=Log)
    write: Callable[[str], None] = terminal.line
    running: Step | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    begun: float = field(default_factory=time.monotonic)
    tasks: list[Task] = field(default_factory=list)

    def took(self, label: str, started: float) -> None:
        """Keep how long a task took that began at `started`, by the clock `time.monotonic`."""
        with self.lock:
            self.tasks.append(Task(started - self.begun, time.monotonic() - started, label))

    def timeline(self) -> str:
        """Return one line a task, in the order in which they began: start, length and label."""
        rows = (f"{task.start:8.1f} s  {task.length:6.1f} s  {task.label}" for task in sorted(self.tasks))
        return "\n".join(["   start    length  task", *rows])

    def line(self, text: str = "") -> None:
        """Show `text` at once, whatever step is running: a table, or what a person has to read before an answer."""
        with self.lock:
            self.log.write(OUR_STYLES.sub("", text))
            parts = OUR_STYLES.split(text)
            styles = OUR_STYLES.findall(text)
            self.write("".join(map("".join, zip(map(visible, parts), [*styles, ""], strict=True))))

    def say(self, text: str, label: str = "") -> None:
        """Show `text` below the line of the running step; `label` is a word such as ``warning`` or ``error``.

        Without a step it is shown at once.
        """
        with self.lock:
            self.log.write(f"{label}: {text}" if label else text)
            if self.running:
                self.running.lines.append(below(label, text))
            else:
                self.write(f"{styled(label, STYLES.get(label, ''))}: {visible(text)}" if label else visible(text))

    def detail(self, text: str) -> None:
        """Show `text`, such as the output of a program, with ``-v`` alone; the log always gets it."""
        with self.lock:
            self.log.write(text)
            if self.verbose and text.strip():
                # The bar keeps a line of a foreign program from being a command to the CI system that reads it.
                self.write(textwrap.indent(visible(text.rstrip()), f"{' ' * margin()}| ", lambda _: True))

    def summarise(self, text: str) -> None:
        """Set what stands in the line of the running step."""
        self.log.write(text)
        if self.running:
            self.running.summary = text

    def doing(self, text: str) -> None:
        """Name what the running step is doing, such as ``installing twine``: shown where it takes long, and logged."""
        self.detail(text)
        if self.running:
            self.running.meter.label = f"{self.running.name}: {text}"

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Run a step called `name`, and show how it ended: that it failed where an exception leaves the context."""
        word, outer = FAILED, self.running
        self.log.write(f"{datetime.now(tz=timezone.utc):%Y-%m-%dT%H:%M:%SZ} {name}")
        try:
            with self.progress(name) as meter:
                self.running = step = Step(name, meter)
                yield step
            word = OK
        finally:
            with self.lock:
                self.running = outer
                line = headline(word, name, step.summary, time.monotonic() - step.started)
                self.log.write(f"{word}: {name}: {step.summary}")
                self.took(name, step.started)
                self.write("\n".join([line, *step.lines]))

    def ask(self, prompt: str) -> str:
        """Show what the running step has to say so far, and return what a person types at `prompt`."""
        with self.lock:
            if self.running:
                for line in self.running.lines:
                    self.write(line)
                self.running.lines.clear()
        with terminal.undisturbed():
            return input(prompt)

    def progress(self, label: str, *, total: float = 0, unit: str = "") -> AbstractContextManager[terminal.Meter]:
        """Show what takes longer than a second for as long as the context lasts: see `terminal.meter`."""
        return terminal.meter(label, self.write, total=total, unit=unit)

    @contextlib.contextmanager
    def apart(self) -> Iterator[Screen]:
        """Yield a screen for work beside other work: what it shows is written in one piece when the context ends."""
        lines: list[str] = []
        try:
            yield Screen(self.verbose, self.log, lines.append)
        finally:
            if lines:
                self.write("\n".join(lines))

    def failure(self, text: str) -> None:
        """Show an error as the last thing of a command, with where the log is."""
        with self.lock:
            self.log.write(text)
            where = f"\nLog: {self.log.path}" if self.log.is_written else ""
            terminal.line(visible(text) + where, sys.stderr)


SCREEN = Screen()  # of this process, as there is one terminal


def margin() -> int:
    """Return the columns before the name of a step."""
    return SYMBOL if terminal.takes_symbols() else WORD


def headline(word: str, name: str, summary: str, seconds: float) -> str:
    """Return the line of a step that ended: as one line, or with the rest of its summary hanging below."""
    columns = min(terminal.width() or COLUMNS, COLUMNS)
    took = f"{seconds:.1f} s" if seconds < FEW else terminal.duration(seconds)
    room = max(columns - margin() - NAME - len(took) - 2, LEAST)
    first, *rest = _wrapped(visible(summary), room if terminal.width() else 0) or [""]
    shown = SYMBOLS[word] if terminal.takes_symbols() else word
    head = f"{styled(shown, STYLES[word])}{' ' * (margin() - len(shown))}{visible(name):{NAME}}{first:{room}}"
    return "\n".join([f"{head}  {styled(took, 'quiet')}", *(" " * (margin() + NAME) + line for line in rest)])


def below(label: str, text: str) -> str:
    """Return `text` as it stands below the line of its step, behind its `label`."""
    room = max(terminal.width() - margin() - NAME - 1, LEAST) if terminal.width() else 0
    lines = [part for line in visible(text).splitlines() for part in _wrapped(line, room)] or [""]
    head = f"{' ' * margin()}{styled(label, STYLES.get(label, ''))}{' ' * (NAME - len(label))}"
    return "\n".join([f"{head}{lines[0]}", *(" " * (margin() + NAME) + line for line in lines[1:])]).rstrip()


def _wrapped(line: str, room: int) -> list[str]:
    if not room or len(line) <= room:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line, room, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
