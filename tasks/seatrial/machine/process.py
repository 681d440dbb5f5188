"""Run a program: output captured, time bounded, an environment of our making, and nothing of it left behind.

Programs may run side by side, each in a thread that waits for it. Only the main thread learns of an interrupt, so that
is where all of them are ended.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any

from seatrial.machine.errors import ReleaseError
from seatrial.machine.screen import SCREEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

    OnWait = Callable[[float], None]

TICK = 15.0  # seconds between two signs of life
GRACE = 10.0  # seconds a program has to clean up before it is killed
LABEL = 6  # words of a command line
END = b'{"event": "done"'  # begins the last line of a worker's answer
KEPT = 1 << 20  # bytes of a program's output, the last of which are kept
CAPTURED: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
REST = 1.0  # seconds to wait for output after the end of a program: another one may have its pipe

_running: set[subprocess.Popen[bytes]] = set()
_asked: set[subprocess.Popen[bytes]] = set()  # to end: once, for a second time would disturb it at cleaning up
_over = threading.Event()  # set by an interrupt: no thread is to start or to wait for anything more


@dataclass(eq=False)
class ToolMissing(ReleaseError):
    tool: str

    what = "The program {e.tool} was not found."
    cause = "it is not installed or not on PATH, or the virtual environment is incomplete."
    cure = "install it; if it is one that seatrial installs, delete the .nox folder and run the step again."


@dataclass(eq=False)
class ToolStuck(ReleaseError):
    command: str
    limit: float
    output: str

    what = "This command did not end within {e.limit:.0f} seconds, and was ended:\n  {e.command}{e.output:quoted}"
    cause = "it waits for something: a prompt, a network that does not answer, a lock of another process."
    cure = (
        "run the command by hand to see what it waits for. If it only needs longer,"
        " raise `build-timeout` in [tool.seatrial] (seconds)."
    )


@dataclass(eq=False)
class ToolFailed(ReleaseError):
    subject: str
    code: int
    output: str
    cause_here: str
    cure_here: str

    what = "{e.subject} failed (exit code {e.code}). Its output:{e.output:quoted}"
    cause = "{e.cause_here}"
    cure = "{e.cure_here}"


@dataclass(frozen=True)
class Outcome:
    """How a program ended: its exit code, and what it wrote to standard output and error, in order."""

    code: int
    output: str


class _Output(threading.Thread):
    """Reads a pipe until it ends, so that its writer never waits, and keeps the last KEPT bytes."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.pipe = pipe
        self.size = 0
        self.last = bytearray()
        self.grew = threading.Event()
        self._lock = threading.Lock()

    def run(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # closed: nobody waits for more
            while chunk := self.pipe.read(1 << 16):
                with self._lock:
                    self.size += len(chunk)
                    self.last += chunk
                    if len(self.last) > 2 * KEPT:
                        del self.last[:-KEPT]
                self.grew.set()
        self.grew.set()

    def since(self, before: int) -> tuple[bytes, int]:
        """Return the last of what was written after so many bytes, at most KEPT, and how many more that were."""
        with self._lock:
            written = self.size - before
            last = bytes(self.last[-min(written, KEPT) :]) if written else b""
            return last, written - len(last)

    def is_complete(self, before: int) -> bool:
        """Whether the last line that was written after so many bytes is the end of an answer."""
        last, _ = self.since(before)
        return last.endswith(b"\n") and last[:-1].rpartition(b"\n")[2].startswith(END)

    def text(self, before: int = 0) -> str:
        """Return what was written after so many bytes, or that its beginning is left out, and the rest."""
        last, left_out = self.since(before)
        return (f"({left_out} bytes left out)\n" if left_out else "") + _text(last)


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    time_limit: float | None = None,
    on_wait: OnWait | None = None,
    on_output: Callable[[str], None] | None = None,
    every: float | None = None,
    log: bool = False,
    given: bytes | None = None,
    meanwhile: Callable[[], None] | None = None,
    name: str = "",
) -> Outcome:
    """Run `argv` in `cwd` with exactly `env`, and return how it ended, with the last KEPT bytes that it wrote.

    `on_wait` is called now and then (`every` so many seconds) with the seconds gone by; what it raises ends the program
    too; `on_output` with what was written so far. A program that takes longer than `time_limit` seconds is ended with
    all that it started. With `log` its output is shown under ``-v`` and logged; a program whose output can be a secret
    is never logged. It reads `given` on its standard input. `meanwhile` is called once while it works. The timeline has
    it under its `name`. Raises ToolMissing and ToolStuck.
    """
    stdin, started = subprocess.DEVNULL if given is None else subprocess.PIPE, time.monotonic()
    with _ended(_start(argv, env, cwd, stdin=stdin, **CAPTURED)) as child:
        assert child.stdout is not None  # noqa: S101 (it is a pipe)
        _give(child, given)
        output = _Output(child.stdout)
        output.start()
        ends = functools.partial(_ends_within, child, output)
        _attend(argv, output, ends, time_limit, on_wait, on_output, every, meanwhile)
        _end_background(child)
        output.join(REST)
    SCREEN.took(name or _label(argv), started)
    if log:
        SCREEN.detail(f"{_shown(argv)}\n{output.text()}")
    return Outcome(child.returncode, output.text())


def _label(argv: Sequence[str | Path]) -> str:
    """Return the beginning of a command line, its program and files without their folders: the rest is long."""
    words = [str(word) for word in argv]
    short = [PurePath(word).name if "/" in word or "\\" in word else word for word in words if word != "-I"]
    return " ".join(short[:LABEL])


def _attend(  # noqa: PLR0917 (as of `run`, which says what they are)
    argv: Sequence[str | Path],
    output: _Output,
    ends: Callable[[float], bool],
    time_limit: float | None = None,
    on_wait: OnWait | None = None,
    on_output: Callable[[str], None] | None = None,
    every: float | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> None:
    """Give signs of life until `ends`, which waits so many seconds, says that it is over. Raises ToolStuck."""
    if meanwhile:
        meanwhile()
    waited, tick = 0.0, every or TICK
    while not ends(pause := _pause(tick, time_limit, waited)):
        waited += pause
        if time_limit is not None and waited >= time_limit:
            raise ToolStuck(_shown(argv), time_limit, output.text())
        _stop_if_over()
        if on_output and output.size:
            on_output(output.text())
        if on_wait:
            on_wait(waited)


def _give(child: subprocess.Popen[bytes], given: bytes | None, *, close: bool = True) -> None:
    """Write `given`, which a pipe holds without a reader, to the standard input of `child`."""
    if given is not None and child.stdin is not None:
        with contextlib.suppress(BrokenPipeError), child.stdin if close else contextlib.nullcontext():
            child.stdin.write(given)


def _pause(tick: float, time_limit: float | None, waited: float) -> float:
    """Return how many seconds to wait before the next sign of life, or the end of the time."""
    return tick if time_limit is None else min(tick, max(time_limit - waited, 0.01))


def _ends_within(child: subprocess.Popen[bytes], output: _Output, seconds: float) -> bool:
    """Wait for `child` to end, and return whether it did; the end of its output tells without polling."""
    deadline = time.monotonic() + seconds
    while child.poll() is None and (left := deadline - time.monotonic()) > 0:
        if output.is_alive():
            output.join(min(left, 0.25))
        else:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(left)
    return child.returncode is not None


def _start(argv: Sequence[str | Path], env: Mapping[str, str], cwd: Path, **pipes: Any) -> subprocess.Popen[bytes]:
    """Start `argv` as the head of its own process group. Raises ToolMissing."""
    pipes.setdefault("stdin", subprocess.DEVNULL)
    posix: dict[str, Any] = {"start_new_session": True, "umask": 0o022}
    windows: dict[str, Any] = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    own_group = windows if os.name == "nt" else posix
    try:
        words = [str(word) for word in argv]
        child = subprocess.Popen(words, bufsize=0, env=dict(env), cwd=cwd, **pipes, **own_group)
    except FileNotFoundError:
        raise ToolMissing(str(argv[0])) from None
    _running.add(child)
    return child


def _answers_within(child: subprocess.Popen[bytes], output: _Output, before: int, seconds: float) -> bool:
    """Wait for the end of an answer, or of `child`, and return whether it came; `before` were so many bytes."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if output.is_complete(before) or child.poll() is not None:
            return True
        output.grew.wait(min(left, 0.25))
        output.grew.clear()
    return output.is_complete(before)


@contextlib.contextmanager
def _ended(child: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Leave nothing of the process group of `child` alive after the context."""
    with child:
        try:
            _stop_if_over()
            yield child
        finally:
            _finish(child)


def _finish(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        _end(child)
    else:
        _end_background(child)
    _running.discard(child)
    _asked.discard(child)


class Worker:
    """A program that is started before it is needed: it imports what it needs, and answers a line of input by lines.

    The last line of an answer begins with END. It ends with its standard input, and is started anew where it ended.
    """

    def __init__(self, argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> None:
        self._argv = argv
        self._new = functools.partial(_start, argv, env, cwd, stdin=subprocess.PIPE, **CAPTURED)
        self._child: subprocess.Popen[bytes] | None = None
        self._output: _Output | None = None

    def start(self) -> None:
        """Start the program, if it does not run."""
        if self._child is None:
            self._child = self._new()
            assert self._child.stdout is not None  # noqa: S101 (it is a pipe)
            self._output = _Output(self._child.stdout)
            self._output.start()

    def ask(self, given: bytes, *, log: bool = False, name: str = "", **settings: Any) -> Outcome:
        """Give it the line `given`; return its answer, or how it ended without one. The `settings` are those of `run`.

        Raises ToolStuck.
        """
        self.start()
        child, output = self._child, self._output
        assert child is not None  # noqa: S101 (it was started)
        assert output is not None  # noqa: S101
        started, before = time.monotonic(), output.size
        try:
            _stop_if_over()
            _give(child, given + b"\n", close=False)
            _attend(self._argv, output, functools.partial(_answers_within, child, output, before), **settings)
        except BaseException:
            self.end()
            raise
        code = child.poll()
        if code is not None:
            self.end()
            output.join(REST)
        text = output.text(before)
        SCREEN.took(name or _label(self._argv), started)
        if log:
            SCREEN.detail(f"{_shown(self._argv)}\n{text}")
        return Outcome(code or 0, text)

    def end(self) -> None:
        """End the program, and whatever it left running."""
        child, self._child = self._child, None
        if child:
            with child:
                _finish(child)

    @contextlib.contextmanager
    def kept(self) -> Iterator[Worker]:
        """Yield this, and end it after the context."""
        try:
            yield self
        finally:
            self.end()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Make SIGTERM end us as Ctrl-C does, and either of them end what all threads run, as long as the context lasts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        _over.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Tell whatever runs to end, then interrupt the main thread, which may be waiting for the thread that waits."""
    _over.set()
    for child in tuple(_running):
        _ask_to_end(child)
    raise KeyboardInterrupt


def _stop_if_over() -> None:
    if _over.is_set():
        raise KeyboardInterrupt


def _end(child: subprocess.Popen[bytes]) -> None:
    """End `child` and everything it started: politely, then for good."""
    _ask_to_end(child)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(GRACE)
    _signal_group(child, getattr(signal, "SIGKILL", signal.SIGTERM))


def _end_background(child: subprocess.Popen[bytes]) -> None:
    """End what a program that has ended left running; on Windows its group is gone with it."""
    if os.name != "nt":  # pragma: no branch
        _signal_group(child, signal.SIGKILL)


def _ask_to_end(child: subprocess.Popen[bytes]) -> None:
    if child not in _asked:
        _asked.add(child)
        _signal_group(child, signal.SIGTERM)


def _signal_group(child: subprocess.Popen[bytes], number: int) -> None:
    if os.name == "nt":
        taskkill = ["taskkill", "/F", "/T", "/PID", str(child.pid)]
        subprocess.run(taskkill, capture_output=True, check=False)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def _text(output: bytes | None) -> str:
    return (output or b"").decode("utf-8", "backslashreplace").replace("\r\n", "\n")


def _shown(argv: Sequence[str | Path]) -> str:
    return " ".join(str(word) for word in argv)
