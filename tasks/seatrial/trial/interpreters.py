"""Which Pythons are on this machine, without downloading any, and on which of them a file of this disk is tried."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import sys_tags

from seatrial.machine import variables
from seatrial.project.pythons import KNOWN_PYTHONS
from seatrial.release.stages import KINDS
from seatrial.trial.tags import EVERYWHERE, fitting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from seatrial.release.archives import Archive

LIMIT = 60.0  # seconds
NUMBERS = re.compile(r"\d+\.\d+")  # in the name of a Python: `3.14t`, `pypy3.11`
RUNNING = "{}.{}".format(*sys.version_info)  # the Python that runs us


@functools.cache
def find(python: str, uv: str | None) -> str:
    """Return the path of the interpreter `python` (``3.13``, ``3.14t``, ``pypy3.11``), empty where there is none here.

    It is the one that environments are made with: by the program `uv`, else by virtualenv. A shim of pyenv or asdf
    that leads to nothing is none.
    """
    if python == RUNNING:
        return sys.executable
    if uv is None:
        from python_discovery import get_interpreter  # noqa: PLC0415 (what virtualenv finds them with; uv does not)

        found = get_interpreter(python)
        return str(found.executable) if found and found.executable else ""
    argv = [uv, "python", "find", "--no-python-downloads", "--no-project", "--no-config", python]
    env = variables.for_install(os.environ)
    try:
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def here(pythons: Iterable[str], uv: str | None) -> tuple[str, ...]:
    """Return those of `pythons` that are on this machine."""
    return tuple(python for python in pythons if find(python, uv))


def trials(archives: Sequence[Archive], pythons: Sequence[str], uv: str | None) -> Iterator[tuple[Archive, str | None]]:
    """Yield what to try of `archives`, one of each kind, and the Python to try it on: None for the one that runs us.

    Of several wheels it is the one that this Python would install. Wheel and sdist, whose build may not work there, are
    tried on the lowest Python as well: what a newer one hides shows there. Not where the wheel is compiled: it is for
    one Python, or says little of the others.
    """
    chosen = []
    for kind in KINDS:
        of_kind = {archive.path.name: archive for archive in archives if archive.kind == kind}
        best = fitting(of_kind, tuple(map(str, sys_tags()))) if kind == "wheel" else next(iter(of_kind), None)
        chosen += [of_kind[best]] if best else []
    yield from ((archive, python_for(archive, pythons, uv)) for archive in chosen)
    if any(archive.kind == "wheel" and EVERYWHERE in map(str, archive.tags) for archive in chosen):
        yield from ((archive, lowest) for archive in chosen if (lowest := lowest_for(archive, pythons, uv)))


def python_for(archive: Archive, pythons: Sequence[str], uv: str | None) -> str | None:
    """Return the Python to try `archive` on: the one that runs us, unless only others of the project are supported.

    Of these it is the highest of `pythons` that is here, else the highest that is here at all.
    """
    supported = admitted(archive.metadata.first("requires-python"))
    if supported is None or supported.contains(f"{RUNNING}.99"):
        return None
    versions = {python: found[0] for python in pythons if (found := NUMBERS.search(python))}
    able = [python for python, version in versions.items() if supported.contains(f"{version}.99")]
    others = (python for python in reversed(KNOWN_PYTHONS) if supported.contains(f"{python}.99"))
    present = (python for python in (*reversed(able), *others) if find(python, uv))
    return next(present, able[-1] if able else None)


def lowest_for(archive: Archive, pythons: Sequence[str], uv: str | None) -> str | None:
    """Return the lowest Python here that `archive` is for, not below the project's, if it is not tried on it anyway."""
    supported = admitted(archive.metadata.first("requires-python"))
    named = [KNOWN_PYTHONS.index(python) for python in pythons if python in KNOWN_PYTHONS]
    if supported is None or not named:
        return None
    able = (python for python in KNOWN_PYTHONS[min(named) :] if supported.contains(f"{python}.99"))
    lowest = next((python for python in able if find(python, uv)), None)
    return None if lowest in {RUNNING, python_for(archive, pythons, uv)} else lowest


def admitted(requires_python: str | None) -> SpecifierSet | None:
    """Return what Requires-Python admits, None where it is no specifier."""
    try:
        return SpecifierSet(requires_python or "")
    except InvalidSpecifier:
        return None
