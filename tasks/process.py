"""Run a program: output captured, time bounded, an environment of our making, and nothing of it left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import ToolMissing, ToolStuck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    OnWait = Callable[[float], None]

TICK = 15.0  # seconds between two signs of life
GRACE = 10.0  # seconds a program has to clean up before it is killed

Argv = tuple[str, ...]


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
    every: float | None = None,
) -> Outcome:
    """Run `argv` in `cwd` with exactly `env`, and return how it ended.

    `on_wait` is called now and then (`every` so many seconds) with the seconds gone by; what it raises ends the program
    too. A program that takes longer than `time_limit` seconds
    is ended with all that it started. Raises ToolMissing and ToolStuck.
    """
    with _started(argv, env, cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        waited = 0.0
        while True:
            tick = every or TICK
            if time_limit is not None:
                tick = min(tick, max(time_limit - waited, 0.01))
            try:
                output, _ = child.communicate(timeout=tick)
            except subprocess.TimeoutExpired as late:
                waited += tick
                if time_limit is not None and waited >= time_limit:
                    raise ToolStuck(_shown(argv), time_limit, _text(late.output)) from None
                if on_wait:
                    on_wait(waited)
            else:
                return Outcome(child.returncode, _text(output))


def run_shown(argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> int:
    """Run `argv` with its output going where ours goes, and return its exit code."""
    sys.stdout.flush()
    with _started(argv, env, cwd) as child:
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
        try:
            yield child
        finally:
            if child.poll() is None:
                _end(child)
            elif os.name != "nt":  # pragma: no branch
                _signal_group(child, signal.SIGKILL)  # what it left running in the background


def _end(child: subprocess.Popen[bytes]) -> None:
    """End `child` and everything it started: politely, then for good."""
    _signal_group(child, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(GRACE)
    _signal_group(child, getattr(signal, "SIGKILL", signal.SIGTERM))


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
