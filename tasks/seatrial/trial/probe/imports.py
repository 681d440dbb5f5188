"""Importing names in other interpreters: a module can end that, or hang, or be at odds with another one.

Many names share an interpreter. Where one ends it, that one is tried alone and the others go on in a fresh one; and
what fails beside others is tried alone before it counts.
"""

from __future__ import annotations

import ast
import contextlib
import linecache
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from . import importer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

FEW = 8  # names, each of which is imported in an interpreter of its own; more share one
PATIENCE = 3  # imports that may hang before the rest is left untried
KEPT = 1 << 16  # bytes of what a child prints
LINES = 20  # of those, in a message
ENDINGS = frozenset(("hang", "crash", "untried"))  # tried alone already


@dataclass(frozen=True)
class Attempt:
    """How the import of `name` went: ``module``, or ``module:attribute`` as in entry points.

    `origin` is the file that Python found for the module, or the folders of a namespace; `version` its
    ``__version__``; `misfit` what keeps a function from working as a script's; `absent` are names of its ``__all__``
    that it does not have, and why. `error_type` is the exception's class,
    which `defined_in` a module, or ``hang``, ``crash``, ``untried``, ``no-attribute``, or ``above``: the package that
    is the `error` cannot be imported. `missing` is the module that was not found, `because_of` one whose absence led to
    an error of the module's own, `lacking` the module that has not what is imported from it, or the distribution that
    has no metadata, `path` the file of an OSError; `frames` the places of the traceback (file, line, code); `output`
    what was printed on the way to a failure.
    """

    name: str
    ok: bool
    origin: str | list[str] | None = None
    callable: bool = False
    misfit: str | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    error_type: str | None = None
    defined_in: str | None = None
    error: str | None = None
    missing: str | None = None
    because_of: str | None = None
    lacking: str | None = None
    path: str | None = None
    frames: Sequence[Sequence[Any]] = ()
    output: str = ""

    @property
    def symptom(self) -> tuple[object, ...]:
        """What several failures of one cause have in common."""
        return (self.error_type, self.missing or self.error, self.frames[-1:] and tuple(self.frames[-1][:2]))


def attempts(names: Sequence[str], time_limit: float) -> list[Attempt]:
    """Import `names`, a package before what is inside it; `time_limit` is in seconds, for each.

    A few get an interpreter each, many share one.
    """
    if len(names) <= FEW:
        return list(_each_alone(names, time_limit))
    tried = {one.name: one for one in _together(names, time_limit)}
    alike: dict[object, list[str]] = {}  # what failed beside others: of each symptom one is tried alone ...
    for one in tried.values():
        if not one.ok and one.error_type not in {"above", *ENDINGS}:
            alike.setdefault(one.symptom, []).append(one.name)
    recovered = set()
    for group in alike.values():
        for name in group:
            tried[name] = _alone(name, time_limit)
            if not tried[name].ok:
                break
            recovered.add(name)  # ... and if that is well now, all
    below = [one.name for one in tried.values() if one.error_type == "above" and one.error in recovered]
    if below:
        tried.update((one.name, one) for one in attempts(below, time_limit))
    return [tried[name] for name in names]


def _each_alone(names: Sequence[str], time_limit: float) -> Iterator[Attempt]:
    """Import each of `names` in an interpreter of its own, but for what is inside a package that failed."""
    failed: list[str] = []
    hanging = 0
    for name in names:
        above = next((package for package in failed if name.startswith((f"{package}.", f"{package}:"))), None)
        if above is not None:
            yield Attempt(name, ok=False, error_type="above", error=above)
            continue
        one = _alone(name, time_limit) if hanging < PATIENCE else _untried(name)
        hanging += one.error_type == "hang"
        if not one.ok and ":" not in name:
            failed.append(name)
        yield one


def _together(names: Sequence[str], time_limit: float) -> Iterator[Attempt]:
    """Import `names` in one interpreter, and in another what is left when a module has ended it."""
    left, hanging = list(names), 0
    while left and hanging < PATIENCE:
        _, _, answers = _in_child(left, time_limit)
        yield from answers
        left = left[len(answers) :]
        if left:
            one = _alone(left.pop(0), time_limit)
            hanging += one.error_type == "hang"
            yield one
            below = [] if one.ok else [name for name in left if name.startswith(f"{one.name}.")]
            yield from (Attempt(name, ok=False, error_type="above", error=one.name) for name in below)
            left = [name for name in left if name not in below]
    yield from map(_untried, left)


def _alone(name: str, time_limit: float) -> Attempt:
    """Import `name` in an interpreter of its own; one that does not answer hung or ended itself."""
    code, output, answers = _in_child([name], time_limit)
    if answers:
        return answers[0] if answers[0].ok else replace(answers[0], output=output)
    if code is None:
        words = f"was still being imported after {time_limit:g} seconds, and was ended"
    elif code >= 0:
        words = f"ends the interpreter when it is imported (exit code {code}), as os._exit does"
    else:
        names = {number.value: number.name for number in signal.Signals}
        words = f"crashes the interpreter when it is imported ({names.get(-code, f'signal {-code}')})"
    return Attempt(name, ok=False, error_type="hang" if code is None else "crash", error=words, output=output)


def _untried(name: str) -> Attempt:
    words = f"was not imported, because {PATIENCE} imports before it did not come to an end"
    return Attempt(name, ok=False, error_type="untried", error=words)


def _in_child(names: Sequence[str], time_limit: float) -> tuple[int | None, str, list[Attempt]]:
    """Import `names` in a fresh interpreter; return its exit code (None: it hung), its last output and its answers."""
    folder = tempfile.mkdtemp(prefix="seatrial-probe-")
    listed, answers = os.path.join(folder, "names"), os.path.join(folder, "answers")
    with open(listed, "w", encoding="utf-8") as file:
        file.write("".join(f"{name}\n" for name in names))
    # -u: what was printed before a crash is not lost; faulthandler: a crash in C says which line of Python led to it.
    flags = ("-I", "-u", "-X", "faulthandler")
    argv = [sys.executable, *flags, os.path.abspath(importer.__file__), listed, answers]
    try:
        code, output = run_bounded(argv, time_limit, lambda: os.path.getsize(answers) if os.path.exists(answers) else 0)
        tried: list[Attempt] = []
        linecache.checkcache()
        with contextlib.suppress(OSError, ValueError, SyntaxError), open(answers, encoding="utf-8") as file:
            for line in file:
                answer = ast.literal_eval(line)
                if isinstance(answer, tuple):
                    tried[answer[0]] = replace(tried[answer[0]], absent=answer[1])
                    continue
                places = answer.pop("frames", ())
                frames = [(name, at, code or linecache.getline(name, at).strip()) for name, at, code in places]
                tried.append(Attempt(**answer, frames=frames))
        return code, output, tried
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_bounded(
    argv: Sequence[str], time_limit: float, progress: Callable[[], int] = lambda: 0
) -> tuple[int | None, str]:
    """Run `argv` without input; return its exit code (None: it had to be ended) and the last of its output.

    It is ended when `time_limit` seconds have passed in which `progress` told no other number.
    """
    tail = _Tail()
    own_group: dict[str, Any] = {"start_new_session": True}
    if os.name == "nt":  # pragma: no cover
        own_group = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=tail.end, stderr=tail.end, **own_group)
    tail.start()
    waiting = threading.Thread(target=child.wait, daemon=True)  # with a limit of its own it would look now and then
    waiting.start()
    code, before = None, -1
    try:
        while code is None and before != (now := progress()):
            before = now
            waiting.join(time_limit)
            code = child.returncode
    finally:
        if os.name == "nt":
            _end_tree(child)
        else:  # the child if it hung, and what a module started
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of zombies
                os.killpg(child.pid, signal.SIGKILL)
        waiting.join()
    return code, tail.text()


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
