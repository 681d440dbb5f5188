"""Run by a noxfile of the benchmark: note what this nox spends its time on, in the file that VARIABLE names.

It runs in nox's own interpreter, so it takes the standard library alone. Programs are known by their command lines,
and what our own code does in this process by the functions that do it.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "SEATRIAL_BENCH_SPENT"
PACKAGE = "seatrial_tasks"
STARTING, HASHING, NETWORK, WAITING = "nox and our imports", "hashing", "asking indexes", "waiting"
VIRTUALENV, TOOLS, BUILDING, RULES = "virtual environments", "installing tools", "building", "rules"
INSTALLING, PROBE, UPLOADING, GIT, OTHER = "installing what is tried", "probe", "uploading", "git", "other programs"
KINDS = (
    STARTING,
    VIRTUALENV,
    TOOLS,
    BUILDING,
    RULES,
    INSTALLING,
    PROBE,
    UPLOADING,
    GIT,
    HASHING,
    NETWORK,
    WAITING,
    OTHER,
)
NOT_OURS = ""  # what notes its own time, and the stand-ins, which run all the time
# The first that is found in a command line says what it is; sdists are built by what installs them.
PROGRAMS = (
    (r"nox\.__main__|[\\/]standin\.py", NOT_OURS),
    (r"^\S*git(\.exe)? ", GIT),
    (r" -m build |[\\/]hooks\.py ", BUILDING),
    (r"[\\/]judge\.py ", RULES),
    (r"-m seatrial\.index\.uploads\.uploader|-m twine", UPLOADING),
    (r"[\\/]probe\.py ", PROBE),
    (r" venv | -m virtualenv ", VIRTUALENV),
    (r"--require-hashes --no-compile -r ", TOOLS),
    (r" pip ", INSTALLING),
)


def kind_of(command: str) -> str:
    """Return what the program with this command line does, one of KINDS or NOT_OURS."""
    return next((kind for pattern, kind in PROGRAMS if re.search(pattern, command)), OTHER)


def note(kind: str, seconds: float) -> None:
    """Add a line to the file; what other threads and processes add at the same time stays whole."""
    if kind != NOT_OURS:
        with Path(os.environ[VARIABLE]).open("a", encoding="utf-8") as file:
            file.write(json.dumps([kind, round(seconds, 4)]) + "\n")


def timed(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` so that each call of it is noted."""

    @functools.wraps(function)
    def call(*args: Any, **settings: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*args, **settings)
        finally:
            note(kind, time.perf_counter() - started)

    return call


class Watched(subprocess.Popen):  # type: ignore[type-arg]
    """A program whose time is noted when its end is seen."""

    noted = False

    def __init__(self, args: Any, *others: Any, **settings: Any) -> None:
        self.began = time.perf_counter()
        self.command = args if isinstance(args, str) else " ".join(map(str, args))
        super().__init__(args, *others, **settings)

    def wait(self, timeout: float | None = None) -> int:
        code = super().wait(timeout)
        self._note()
        return code

    def poll(self) -> int | None:
        code = super().poll()
        if code is not None:
            self._note()
        return code

    def _note(self) -> None:
        if not self.noted:
            self.noted = True
            note(kind_of(self.command), time.perf_counter() - self.began)


def watch() -> None:
    """Note from now on what this nox does, and what it has cost to get here."""
    note(STARTING, time.process_time())
    subprocess.Popen = Watched  # type: ignore[misc]
    time.sleep = timed(WAITING, time.sleep)
    stages: Any = importlib.import_module(f"{PACKAGE}.stages")
    indexes: Any = importlib.import_module(f"{PACKAGE}.indexes")
    stages.Dist.from_file = timed(HASHING, stages.Dist.from_file)
    indexes._read = timed(NETWORK, indexes._read)


if __name__ == "<run_path>":
    watch()
