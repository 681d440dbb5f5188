"""Run a program: output captured, time bounded, an environment of our making, and nothing of it left behind.

Programs may run side by side, each in a thread that waits for it. Only the main thread learns of an interrupt, so that
is where all of them are ended.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.machine.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

    OnWait = Callable[[float], None]

TICK = 15.0  # seconds between two signs of life
OUTPUT = logging.DEBUG - 1  # nox's level for what programs write: shown with `nox -v` alone
GRACE = 10.0  # seconds a program has to clean up before it is killed

Argv = tuple[str, ...]

_running: set[subprocess.Popen[bytes]] = set()
_asked: set[subprocess.Popen[bytes]] = set()  # to end: once, for a second time would disturb it at cleaning up
_over = threading.Event()  # set by an interrupt: no thread is to start or to wait for anything more


@dataclass(eq=False)
class ToolMissing(ReleaseError):
    tool: str

    what = "The program {e.tool} was not found."
    cause = "it is not installed, or the session's virtual environment was made with --no-install or cut short."
    cure = "install it; for a tool of the session's own, delete the .nox folder and run the session again."


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

    what = "{e.subject} failed (exit code {e.code}). Its own words:{e.output:quoted}"
    cause = "{e.cause_here}"
    cure = "{e.cure_here}"


@dataclass(frozen=True)
class Outcome:
    """How a program ended: its exit code, and what it wrote to standard output and error, in order."""

    code: int
    output: str


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
) -> Outcome:
    """Run `argv` in `cwd` with exactly `env`, and return how it ended.

    `on_wait` is called now and then (`every` so many seconds) with the seconds gone by; what it raises ends the program
    too; `on_output` with what was written so far, where the system tells. A program that takes longer than `time_limit`
    seconds is ended with all that it started. With `log` its output is shown under `nox -v`; a program whose output can
    be a secret is never logged. It reads `given` on its standard input. Raises ToolMissing and ToolStuck.
    """
    stdin = subprocess.DEVNULL if given is None else subprocess.PIPE
    with _started(argv, env, cwd, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        waited = 0.0
        while True:
            tick = _tick(every or TICK, time_limit, waited)
            try:
                output, _ = child.communicate(given, timeout=tick)
            except subprocess.TimeoutExpired as late:
                given = None  # what was not read yet goes on being written
                waited += tick
                if time_limit is not None and waited >= time_limit:
                    raise ToolStuck(_shown(argv), time_limit, _text(late.output)) from None
                _stop_if_over()
                _tell(on_wait, waited, on_output, late.output)
            else:
                return _ended(argv, child.returncode, _text(output), log=log)


def _tick(tick: float, time_limit: float | None, waited: float) -> float:
    """Return how many seconds to wait before the next sign of life, or the end of the time."""
    return tick if time_limit is None else min(tick, max(time_limit - waited, 0.01))


def _tell(on_wait: OnWait | None, waited: float, on_output: Callable[[str], None] | None, output: bytes | None) -> None:
    if on_output and output:
        on_output(_text(output))
    if on_wait:
        on_wait(waited)


def _ended(argv: Sequence[str | Path], code: int, output: str, *, log: bool) -> Outcome:
    if log:
        logging.getLogger("seatrial").log(OUTPUT, "%s\n%s", _shown(argv), output)
    return Outcome(code, output)


def is_verbose() -> bool:
    """Whether the output of programs is shown also where nothing fails (`nox -v`)."""
    return logging.getLogger().isEnabledFor(OUTPUT)


def run_shown(argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, asking: bool = False) -> int:
    """Run `argv` with its output going where ours goes, and return its exit code; `asking` it reads what ours reads."""
    sys.stdout.flush()
    with _started(argv, env, cwd, stdin=None if asking else subprocess.DEVNULL) as child:
        return child.wait()


@contextlib.contextmanager
def serving(argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> Iterator[str]:
    """Start a server that announces itself in one line and ends when its standard input closes; yield that line."""
    with _started(argv, env, cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None  # noqa: S101 (both are pipes)
        assert child.stdout is not None  # noqa: S101
        try:
            yield _text(child.stdout.readline())
        finally:
            child.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(GRACE)


@contextlib.contextmanager
def _started(
    argv: Sequence[str | Path], env: Mapping[str, str], cwd: Path, **pipes: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Start `argv` as the head of its own process group, and leave nothing of that group alive."""
    pipes.setdefault("stdin", subprocess.DEVNULL)
    posix: dict[str, Any] = {"start_new_session": True, "umask": 0o022}
    windows: dict[str, Any] = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    own_group = windows if os.name == "nt" else posix
    try:
        child = subprocess.Popen([str(word) for word in argv], env=dict(env), cwd=cwd, **pipes, **own_group)
    except FileNotFoundError:
        raise ToolMissing(str(argv[0])) from None
    with child:
        _running.add(child)
        try:
            _stop_if_over()
            yield child
        finally:
            _running.discard(child)
            if child.poll() is None:
                _end(child)
            elif os.name != "nt":  # pragma: no branch
                _signal_group(child, signal.SIGKILL)  # what it left running in the background
            _asked.discard(child)


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
