"""Which Pythons are on this machine, without downloading any."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from python_discovery import get_interpreter  # what virtualenv finds interpreters with

from seatrial.machine import variables

if TYPE_CHECKING:
    from collections.abc import Iterable

LIMIT = 60.0  # seconds


@functools.cache
def find(python: str, uv: str | None) -> str:
    """Return the path of the interpreter `python` (``3.13``, ``3.14t``, ``pypy3.11``), empty where there is none here.

    It is the one that environments are made with: by the program `uv`, else by virtualenv. A shim of pyenv or asdf
    that leads to nothing is none.
    """
    if python == "{}.{}".format(*sys.version_info):
        return sys.executable
    if uv is None:
        found = get_interpreter(python)
        return str(found.executable) if found and found.executable else ""
    argv = [uv, "python", "find", "--quiet", "--no-python-downloads", "--no-project", "--no-config", python]
    env = variables.for_install(os.environ)
    try:
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def here(pythons: Iterable[str], uv: str | None) -> tuple[str, ...]:
    """Return those of `pythons` that are on this machine."""
    return tuple(python for python in pythons if find(python, uv))
