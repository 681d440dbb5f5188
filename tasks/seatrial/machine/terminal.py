"""The terminal: colours where it takes them, and one line for what takes long, drawn over and over.

Elsewhere (a pipe, CI) there are no colours, and what takes long says so in a line now and then.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.machine.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

STYLES = {"strong": "1", "quiet": "2", "bad": "31", "good": "32", "warn": "33"}
OFF = frozenset({"", "0", "false", "no", "off"})
FIRST = 1.0  # seconds until something is drawn
REDRAW = 0.2  # seconds, on a terminal
NOW_AND_THEN = 15.0  # seconds between two lines elsewhere
BAR = 12  # characters
CLEAR = "\r\x1b[K"
MINUTE, HOUR = 60, 3600
UNITS = ("B", "KiB", "MiB", "GiB")

_lock = threading.RLock()
_drawn = False  # whether a line stands on the terminal that the next one has to take away
_meters: list[Meter] = []  # the last one is drawn


def is_terminal() -> bool:
    """Whether standard output is a terminal on which a line can be drawn over."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def takes_colour() -> bool:
    """Whether to write colours: by NO_COLOR (https://no-color.org), FORCE_COLOR, and whether this is a terminal."""
    is_wanted = os.environ.get("FORCE_COLOR", "").lower() not in OFF or is_terminal()
    return is_wanted and not os.environ.get("NO_COLOR")


def styled(text: str, style: str) -> str:
    """Return `text` in one of STYLES, or as it is where no colours are taken."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if style and takes_colour() else text


def visible(value: object) -> str:
    """Return `value` as text that shows all of its characters."""
    return printable(str(value), lines=True)


def takes_symbols() -> bool:
    """Whether to write symbols such as a tick in place of words."""
    try:
        "✓✗".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return takes_colour()


def width() -> int:
    """Return the columns of the terminal; 0 where lines may be as long as they like."""
    return shutil.get_terminal_size().columns if is_terminal() or os.environ.get("COLUMNS") else 0


def line(text: str, stream: TextIO | None = None) -> None:
    """Write `text` as a line, to standard output by default; what the encoding lacks is written as its escape."""
    with _lock:
        _erase()
        _put(f"{text}\n", stream or sys.stdout)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Draw and write nothing as long as the context lasts: somebody is typing an answer."""
    with _lock:
        _erase()
        yield


def _put(text: str, stream: TextIO) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _erase() -> None:
    global _drawn  # noqa: PLW0603 (there is one terminal)
    if _drawn:
        _put(CLEAR, sys.stdout)
    _drawn = False


@dataclass(eq=False)
class Meter:
    """How far something is: `done` of `total` (0: not known), in bytes or in steps; or at most `limit` seconds."""

    label: str
    total: float = 0
    limit: float = 0
    unit: str = ""
    done: float = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def shown(self, seconds: float) -> str:
        """Return the line after so many seconds, without a bar."""
        told = [self.label]
        if self.total and self.unit == "B":
            told.append(f"{size(round(self.done))} of {size(round(self.total))}")
        elif self.total:
            told.append(f"{self.done:.0f} of {self.total:.0f} {self.unit}".rstrip())
        if seconds and 0 < self.done < self.total:
            rate = self.done / seconds
            told += [f"{size(round(rate))}/s"] if self.unit == "B" else []
            told.append(f"{duration((self.total - self.done) / rate)} left")
        else:
            told.append(duration(seconds))
            told += [f"at most {duration(max(self.limit - seconds, 0))} more"] if self.limit and not self.total else []
        return ", ".join(told)

    def bar(self, seconds: float) -> str:
        """Return the bar after so many seconds; empty where nobody knows how much there is to do."""
        whole = self.total or self.limit
        if not whole:
            return ""
        full = int(min((self.done if self.total else seconds) / whole, 1.0) * BAR)
        return f"[{'#' * full:.<{BAR}}] "


def size(count: int) -> str:
    """Return a number of bytes for a person, in powers of 1024."""
    power = min(max(count.bit_length() - 1, 0) // 10, len(UNITS) - 1)
    return f"{count / 1024**power:.1f} {UNITS[power]}" if power else f"{count} B"


def duration(seconds: float) -> str:
    """Return a number of seconds for a person."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"


@contextlib.contextmanager
def meter(
    label: str, say: Callable[[str], None] | None, *, total: float = 0, limit: float = 0, unit: str = ""
) -> Iterator[Meter]:
    """Show how far something is for as long as the context lasts; of several at once, the last that began.

    On a terminal that is one line which is drawn over, from the first second on; elsewhere a line for `say` now and
    then, none where it is quick or there is nobody to say it.
    """
    shown = Meter(label, total, limit, unit)
    thread = threading.Thread(target=_show, args=(shown, None if is_terminal() else say), daemon=True)
    if not (say or is_terminal()):
        yield shown  # and what began before goes on
        return
    with _lock:
        _meters.append(shown)
    thread.start()
    try:
        yield shown
    finally:
        shown.stopped.set()
        thread.join()
        with _lock:
            _meters.remove(shown)
            _erase()


def _show(shown: Meter, say: Callable[[str], None] | None) -> None:
    """Draw the meter over and over, or `say` it now and then."""
    global _drawn  # noqa: PLW0603 (as above)
    started = time.monotonic()
    first, pause = (NOW_AND_THEN, NOW_AND_THEN) if say else (FIRST, REDRAW)
    while not shown.stopped.wait(pause if time.monotonic() - started >= first else first):
        with _lock:
            seconds = time.monotonic() - started
            if _meters[-1] is not shown or shown.stopped.is_set():
                continue
            if say:
                say(shown.shown(seconds))
            else:
                _put(f"{CLEAR}{fitting(shown.bar(seconds), shown.shown(seconds), width() - 1)}", sys.stdout)
                _drawn = True


def fitting(bar: str, text: str, room: int) -> str:
    """Return `text` with its bar, where there is room for both, and in any case what there is room for."""
    return f"{bar}{text}" if len(bar) + len(text) <= room else text[:room]
