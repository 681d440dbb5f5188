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
    from collections.abc import Callable, Iterator, Mapping
    from typing import TextIO

STYLES = {"strong": "1", "quiet": "2", "bad": "31", "good": "32", "warn": "33"}
OFF = frozenset({"", "0", "false", "no", "off"})
FIRST = 1.0  # seconds until something is drawn
REDRAW = 0.2  # seconds, on a terminal
NOW_AND_THEN = 15.0  # seconds between two lines elsewhere
BAR = 12  # characters
CLEAR = "\r\x1b[K"
MINUTE, HOUR = 60, 3600
FEW = 20  # seconds
UNITS = ("B", "KiB", "MiB", "GiB")
STEP = 1024

_lock = threading.RLock()
_drawn = False  # whether a line stands on the terminal that the next one has to take away
_meters: list[Meter] = []  # the last one is drawn


def is_terminal() -> bool:
    """Whether standard output is a terminal on which a line can be drawn over."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def takes_colour(outer: Mapping[str, str] | None = None) -> bool:
    """Whether to write colours: by NO_COLOR (https://no-color.org), FORCE_COLOR, and whether this is a terminal."""
    env = os.environ if outer is None else outer
    if env.get("NO_COLOR"):
        return False
    return env.get("FORCE_COLOR", "").lower() not in OFF or is_terminal()


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


def _draw(text: str) -> None:
    global _drawn  # noqa: PLW0603 (as above)
    with _lock:
        _put(f"{CLEAR}{text}", sys.stdout)
        _drawn = True


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
        if self.total:
            done = size(round(self.done)) if self.unit == "B" else f"{self.done:.0f}"
            told = [f"{done} of {amount(self.total, self.unit)}", *self._left(seconds)]
        else:
            more = [f"at most {duration(max(self.limit - seconds, 0))} more"] if self.limit else []
            told = [duration(seconds), *more]
        return ", ".join([self.label, *told])

    def _left(self, seconds: float) -> list[str]:
        """Return how fast it is and how long that takes yet; how long it took, where that is not known."""
        if not (seconds and 0 < self.done < self.total):
            return [duration(seconds)]
        rate = self.done / seconds
        speed = [f"{amount(rate, self.unit)}/s"] if self.unit == "B" else []
        return [*speed, f"{duration((self.total - self.done) / rate)} left"]

    def bar(self, seconds: float) -> str:
        """Return the bar after so many seconds; empty where nobody knows how much there is to do."""
        whole = self.total or self.limit
        if not whole:
            return ""
        part = min((self.done if self.total else seconds) / whole, 1.0)
        full = int(part * BAR)
        return f"[{'#' * full}{'.' * (BAR - full)}] "


def size(count: int) -> str:
    """Return a number of bytes for a person, in powers of 1024."""
    amount = float(count)
    for unit in UNITS[:-1]:
        if amount < STEP:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= STEP
    return f"{amount:.1f} {UNITS[-1]}"


def amount(value: float, unit: str) -> str:
    """Return bytes (unit `B`) or a count for a person."""
    return size(round(value)) if unit == "B" else " ".join(filter(None, [f"{value:.0f}", unit]))


def precise(seconds: float) -> str:
    """Return a number of seconds for a person, with tenths where there are few."""
    return f"{seconds:.1f} s" if seconds < FEW else duration(seconds)


def duration(seconds: float) -> str:
    """Return a number of seconds for a person."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    return (
        f"{whole // MINUTE} min {whole % MINUTE:02} s"
        if whole < HOUR
        else f"{whole // HOUR} h {whole % HOUR // 60} min"
    )


@contextlib.contextmanager
def meter(
    label: str,
    say: Callable[[str], None] | None,
    *,
    total: float = 0,
    limit: float = 0,
    unit: str = "",
    every: float | None = None,
) -> Iterator[Meter]:
    """Show how far something is for as long as the context lasts; of several at once, the last that began.

    On a terminal that is one line which is drawn over, from the first second on; elsewhere a line for `say` now and
    then, none where it is quick or there is nobody to say it.
    """
    shown = Meter(label, total, limit, unit)
    show = _draw_meter if is_terminal() else (say and _sayer(say))
    first, pause = (FIRST, REDRAW) if is_terminal() else (NOW_AND_THEN, NOW_AND_THEN)
    thread = threading.Thread(target=_show, args=(shown, show, every or first, every or pause), daemon=True)
    with _lock:
        _meters.append(shown)
    if show:
        thread.start()
    try:
        yield shown
    finally:
        shown.stopped.set()
        if show:
            thread.join()
        with _lock:
            _meters.remove(shown)
            _erase()


def _show(shown: Meter, show: Callable[[Meter, float], None], first: float, pause: float) -> None:
    started = time.monotonic()
    while not shown.stopped.wait(pause if time.monotonic() - started >= first else first):
        with _lock:
            if _meters[-1] is shown and not shown.stopped.is_set():
                show(shown, time.monotonic() - started)


def _sayer(say: Callable[[str], None]) -> Callable[[Meter, float], None]:
    return lambda shown, seconds: say(shown.shown(seconds))


def _draw_meter(shown: Meter, seconds: float) -> None:
    _draw(fitting(shown.bar(seconds), shown.shown(seconds), width() - 1))


def fitting(bar: str, text: str, room: int) -> str:
    """Return `text` with its bar, where there is room for both, and in any case what there is room for."""
    return f"{bar}{text}" if len(bar) + len(text) <= room else text[:room]
