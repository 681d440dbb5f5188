"""Secrets leave the environment of this process before anything foreign starts below it.

``os.environ.pop`` is not enough: what a process was started with stays readable in ``/proc/PID/environ`` for every
process of the same user. So the program starts itself again without them, and gets them on a pipe.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from seatrial.machine import variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OPTION = "--secrets-on="  # private: the file descriptor that the secrets are read from
PIPE = 65_536  # bytes that a pipe takes without a reader
MODULE = ("-m", "seatrial")


def shed(words: Sequence[str]) -> None:
    """Start this program again with `words` and without the secrets in its environment, if there are any.

    Returns where there are none, and on Windows, where a process cannot be replaced and no other process reads its
    environment that way.
    """
    names = variables.kept_back(os.environ)
    if os.name == "nt" or not names:
        return
    kept = sorted(names, key=lambda name: len(os.environ[name]))
    while len(document := json.dumps({name: os.environ[name] for name in kept}).encode()) > PIPE:
        kept.pop()  # what a pipe has no room for is lost, the longest first
    reading, writing = os.pipe()
    os.write(writing, document)
    os.close(writing)
    os.set_inheritable(reading, True)  # noqa: FBT003 (the function's own way)
    env = {name: value for name, value in os.environ.items() if name not in names}
    os.execve(sys.executable, [sys.executable, "-I", *MODULE, f"{OPTION}{reading}", *words], env)  # noqa: S606


def received(words: Sequence[str]) -> tuple[Mapping[str, str], list[str]]:
    """Return the secrets that `words` say are on a pipe, none where they say nothing, and the words without that."""
    if not words or not words[0].startswith(OPTION):
        return {}, list(words)
    with os.fdopen(int(words[0].removeprefix(OPTION)), "rb") as pipe:
        secrets: dict[str, str] = json.load(pipe)
    return secrets, list(words[1:])
