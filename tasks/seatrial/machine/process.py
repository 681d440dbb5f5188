"""Run a program: output captured, time bounded, an environment of our making, and nothing of it left behind.

Programs may run side by side, each in a thread that waits for it. Only the main thread learns of an interrupt, so that
is where all of them are ended.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import signal
import subprocess
import threading
import time
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any

from seatrial.machine.errors import ReleaseError
from seatrial.machine.screen import SCREEN
from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    Child = subprocess.Popen[bytes]
    OnWait = Callable[[float], None]

TICK = 15.0  # seconds between two signs of life
GRACE = 10.0  # seconds a program has to clean up before it is killed
LABEL = 6  # words of a command line
KEPT = 1 << 20  # bytes of a program's output, the last of which are kept
REST = 1.0  # seconds to wait for output after the end of a program: another one may have its pipe

# Whether each that runs was asked to end: once, for a second time would disturb it at cleaning up.
_running: dict[Child, bool] = {}
_over = threading.Event()  # set by an interrupt: no thread is to start or to wait for anything more


class ToolMissing(ReleaseError):
    tool: str

    what = "The program {e.tool} was not found."
    cause = "it is not installed or not on PATH, or the virtual environment is incomplete."
    cure = "install it; if it is one that seatrial installs, delete the .nox folder and run the step again."


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


class ToolFailed(ReleaseError):
    subject: str
    code: int
    output: str
    cause_here: str
    cure_here: str

    what = "{e.subject} failed (exit code {e.code}). Its output:{e.output:quoted}"
    cause = "{e.cause_here}"
    cure = "{e.cure_here}"


class Outcome(Value):
    """How a program ended: its exit code, and what it wrote to standard output and error, in order."""

    code: int
    output: str


class Output(threading.Thread):
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

    def is_complete(self, before: int, end: bytes) -> bool:
        """Whether the last line of what was written after so many bytes is whole, and has `end` in it."""
        last, _ = self.since(before)
        return last.endswith(b"\n") and end in last[:-1].rpartition(b"\n")[2]

    def text(self, before: int = 0) -> str:
        """Return what was written after so many bytes, or that its beginning is left out, and the rest."""
        last, left_out = self.since(before)
        text = last.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
        return f"({left_out} bytes left out)\n{text}" if left_out else text


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
    started = time.monotonic()
    child, output = start(argv, env, cwd, stdin=subprocess.DEVNULL if given is None else subprocess.PIPE)
    try:
        wait = functools.partial(attend, argv, child, output, given, time_limit, meanwhile=meanwhile)
        wait(on_wait=on_wait, on_output=on_output, every=every)
    finally:
        finish(child, output)
    SCREEN.took(name or label(argv), started)
    if log:
        SCREEN.detail(f"{' '.join(map(str, argv))}\n{output.text()}")
    return Outcome(child.returncode, output.text())


def label(argv: Sequence[str | Path]) -> str:
    """Return the beginning of a command line, its program and files without their folders: the rest is long."""
    words = [word for word in map(str, argv) if word != "-I"][:LABEL]
    return " ".join(PurePath(word).name if "/" in word or "\\" in word else word for word in words)


def attend(
    argv: Sequence[str | Path],
    child: Child,
    output: Output,
    given: bytes | None,
    time_limit: float | None = None,
    *,
    on_wait: OnWait | None = None,
    on_output: Callable[[str], None] | None = None,
    every: float | None = None,
    meanwhile: Callable[[], None] | None = None,
    before: int = 0,
    end: bytes = b"",
) -> None:
    """Give `child` what it reads, and signs of life until it ends or has answered. Raises ToolStuck.

    The last line of an answer has `end` in it; `before` are the bytes of the output that are of another one. `given` is
    what a pipe holds without a reader.
    """
    stop_if_over()
    if given is not None and child.stdin is not None:
        with contextlib.suppress(BrokenPipeError), contextlib.nullcontext() if end else child.stdin:
            child.stdin.write(given)
    if meanwhile:
        meanwhile()
    waited, limit = 0.0, math.inf if time_limit is None else time_limit
    while not _is_over(child, output, pause := min(every or TICK, max(limit - waited, 0.01)), before, end):
        waited += pause
        if waited >= limit:
            raise ToolStuck(" ".join(map(str, argv)), limit, output.text(before))
        stop_if_over()
        if on_output and output.size > before:
            on_output(output.text(before))
        if on_wait:
            on_wait(waited)


def _is_over(child: Child, output: Output, seconds: float, before: int = 0, end: bytes = b"") -> bool:
    """Wait for `child` to end or to have answered, and return whether it did; its output tells without polling."""
    deadline = time.monotonic() + seconds
    while child.poll() is None and not (end and output.is_complete(before, end)):
        if (left := deadline - time.monotonic()) <= 0:
            return False
        if not output.is_alive():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(left)
        elif end:
            output.grew.wait(min(left, 0.25))
            output.grew.clear()
        else:
            output.join(min(left, 0.25))
    return True


def start(argv: Sequence[str | Path], env: Mapping[str, str], cwd: Path, stdin: int) -> tuple[Child, Output]:
    """Start `argv` in a process group of its own, and read its output; not after an interrupt. Raises ToolMissing."""
    stop_if_over()
    posix: dict[str, Any] = {"start_new_session": True, "umask": 0o022}
    windows: dict[str, Any] = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    settings: dict[str, Any] = {"stdin": stdin, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "cwd": cwd}
    settings |= windows if os.name == "nt" else posix
    words = [str(word) for word in argv]
    try:
        child = subprocess.Popen(words, bufsize=0, env=dict(env), **settings)
    except FileNotFoundError:
        raise ToolMissing(words[0]) from None
    _running[child] = False
    assert child.stdout is not None  # noqa: S101 (it is a pipe)
    output = Output(child.stdout)
    output.start()
    return child, output


def finish(child: Child, output: Output) -> None:
    """End `child` and what is left of its process group, politely, then for good; `output` has what it wrote then."""
    with child:  # whose pipes are closed afterwards
        if child.poll() is None:
            ask_to_end(child)
            _is_over(child, output, GRACE)
            _signal_group(child, getattr(signal, "SIGKILL", signal.SIGTERM))
        elif os.name != "nt":  # pragma: no branch (there its group is gone with it)
            _signal_group(child, signal.SIGKILL)  # what it left running
        # A thread that still reads could take what another program writes, into a pipe with the same number.
        output.join(REST)
    _running.pop(child, None)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Make SIGTERM end us as Ctrl-C does, and either of them end what all threads run, as long as the context lasts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:  # the main thread may be waiting for the thread that waits
        _over.set()
        for child in tuple(_running):
            ask_to_end(child)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        _over.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


def stop_if_over() -> None:
    if _over.is_set():
        raise KeyboardInterrupt


def ask_to_end(child: Child) -> None:
    """Have `child` and everything it started end, unless that was asked for before."""
    if not _running.get(child, True):
        _running[child] = True
        _signal_group(child, signal.SIGTERM)


def _signal_group(child: Child, number: int) -> None:
    if os.name == "nt":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(child.pid)], capture_output=True, check=False)
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)
