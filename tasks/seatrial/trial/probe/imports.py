"""Importing, each name in an interpreter of its own: a module can end that, or hang."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from . import importer

if TYPE_CHECKING:
    from collections.abc import Sequence


FEW = 8  # names, each of which is imported in an interpreter of its own; more share one
PATIENCE = 3  # imports that may hang before the rest is left untried
KEPT = 1 << 16  # bytes of what a child prints
LINES = 20  # of those, in a message


@dataclass(frozen=True)
class Attempt:
    """How the import of `name` went: ``module``, or ``module:attribute`` as in entry points.

    `origin` is the file that Python found for the module, or the folders of a namespace; `version` its
    ``__version__``. `error_type` is the exception's class, or ``hang``, ``crash``, ``untried``, ``no-attribute``;
    `missing` the module that was not found, `lacking` the module that has not what is imported from it, or the
    distribution that has no metadata; `frames` the places of the traceback (file, line, code); `output` what was
    printed on the way to a failure.
    """

    name: str
    ok: bool
    origin: str | list[str] | None = None
    callable: bool = False
    version: str | None = None
    error_type: str | None = None
    error: str | None = None
    missing: str | None = None
    lacking: str | None = None
    frames: Sequence[Sequence[Any]] = ()
    output: str = ""


def attempts(names: Sequence[str], time_limit: float) -> list[Attempt]:
    """Import `names`, each in an interpreter of its own; many share one, as long as that goes well."""
    if len(names) > FEW:
        _, _, answers = _in_child(names, time_limit)
        if answers:
            return answers
    tried: list[Attempt] = []
    for name in names:
        patient = sum(one.error_type == "hang" for one in tried) < PATIENCE
        tried.append(_alone(name, time_limit) if patient else _untried(name))
    return tried


def _alone(name: str, time_limit: float) -> Attempt:
    """Import `name` in an interpreter of its own; one that does not answer hung or ended itself."""
    code, output, answers = _in_child([name], time_limit)
    if answers:
        return answers[0] if answers[0].ok else replace(answers[0], output=output)
    if code is None:
        words = f"was still being imported after {time_limit:g} seconds, and was ended"
        return Attempt(name, ok=False, error_type="hang", error=words, output=output)
    return Attempt(name, ok=False, error_type="crash", error=_how_it_ended(code), output=output)


def _untried(name: str) -> Attempt:
    words = f"was not imported, because {PATIENCE} imports before it did not come to an end"
    return Attempt(name, ok=False, error_type="untried", error=words)


def _how_it_ended(code: int) -> str:
    """Say what an exit code means that came without an answer; a negative one is a signal."""
    if code >= 0:
        return f"ends the interpreter when it is imported (exit code {code}), as os._exit does"
    names = {number.value: number.name for number in signal.Signals}
    return f"crashes the interpreter when it is imported ({names.get(-code, f'signal {-code}')})"


def _in_child(names: Sequence[str], time_limit: float) -> tuple[int | None, str, list[Attempt]]:
    """Import `names` in a fresh interpreter; return its exit code (None: it hung), its last output and its answers."""
    folder = tempfile.mkdtemp(prefix="seatrial-probe-")
    answer = os.path.join(folder, "answer.json")
    # -u: what was printed before a crash is not lost; faulthandler: a crash in C says which line of Python led to it.
    flags = ("-I", "-u", "-X", "faulthandler")
    argv = [sys.executable, *flags, os.path.abspath(importer.__file__), answer, *names]
    try:
        code, output = run_bounded(argv, time_limit)
        return code, output, _answers(answer)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(path: str) -> list[Attempt]:
    """Return what a child wrote, or nothing if it did not get that far."""
    try:
        with open(path, encoding="utf-8") as file:
            return [Attempt(**item) for item in json.load(file)]
    except (OSError, ValueError):
        return []


def run_bounded(argv: Sequence[str], time_limit: float) -> tuple[int | None, str]:
    """Run `argv` without input; return its exit code (None: it had to be ended) and the last of its output."""
    tail = _Tail()
    own_group: dict[str, Any] = {"start_new_session": True}
    if os.name == "nt":  # pragma: no cover
        own_group = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=tail.end, stderr=tail.end, **own_group)
    tail.start()
    code = None
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = child.wait(time_limit)
    finally:
        end = _end_tree if os.name == "nt" else _end_group
        end(child)
        child.wait()
    return code, tail.text()


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the process group of `child`: itself if it hung, and what a module started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        os.killpg(child.pid, signal.SIGKILL)


def _end_tree(child: subprocess.Popen[bytes]) -> None:
    """Kill `child` and its children on Windows, where the python.exe of an environment starts another one."""
    if child.poll() is None:
        with contextlib.suppress(OSError):
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(child.pid)], capture_output=True, check=False)
        child.kill()


class _Tail(threading.Thread):
    """The last of what is written to `end`, read as it comes: a module may print without end."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._start, self.end = os.pipe()
        self._kept = b""

    def start(self) -> None:
        """Begin to read; `end` must have been handed on."""
        os.close(self.end)
        super().start()

    def run(self) -> None:
        while chunk := os.read(self._start, KEPT):
            self._kept = (self._kept + chunk)[-KEPT:]
        os.close(self._start)

    def text(self) -> str:
        """Return the last lines."""
        self.join(timeout=1)
        lines = self._kept.decode("utf-8", "backslashreplace").strip().splitlines()
        return "\n".join(lines[-LINES:])
