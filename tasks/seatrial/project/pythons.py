"""Which Pythons a release is verified on where `pythons` does not say.

`tasks/release.py` follows the same rule, since nox lists a session for each; a test keeps the two in agreement.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from seatrial.machine.errors import ReleaseError

# No setuptools in the environments that files are tried in: what needs it and does not say so fails on every Python,
# not only from 3.12 on or with uv, which never puts it there. And a link to the pip that virtualenv keeps: a copy
# compiles itself at its first start. Where there cannot be links, virtualenv copies.
BARE = ("--no-setuptools", "--symlink-app-data")

# CPython versions to choose from where a project says no more than `>=3.9`. The probe needs 3.8.
KNOWN_PYTHONS = tuple(f"3.{minor}" for minor in range(8, 15))
OLDEST = 8
CLASSIFIER = re.compile(r"Programming Language :: Python :: 3\.(\d+)")
PYTHON = re.compile(r"(pypy)?3\.\d+t?")  # as nox names them


class PythonMissing(ReleaseError):
    wanted: tuple[str, ...]
    here: tuple[str, ...]

    what = "Not on this machine: Python {e.wanted:joined}, on which this release is to be tried. Here: {e.found}."
    cause = "`pythons` in [tool.seatrial], `requires-python` or the classifiers name Pythons that are not installed."
    cure = (
        "install one (`uv python install {e.wanted[0]}`), or set `pythons` in [tool.seatrial] to those here that the"
        " project supports."
    )

    @property
    def found(self) -> str:
        return ", ".join(self.here) or "none"


def are_pythons(value: Any) -> bool:
    """Whether `value` is a list of Pythons, at least one, as nox names them."""
    return isinstance(value, list) and bool(value) and all(isinstance(p, str) and PYTHON.fullmatch(p) for p in value)


def by_version(python: str) -> tuple[list[int], str]:
    """Return the key by which Pythons, as nox names them, are sorted: 3.9, 3.10, pypy3.11, 3.14, 3.14t."""
    return [int(number) for number in re.findall(r"\d+", python)], python


def is_admitted(python: str, required: str) -> bool:
    """Whether `required` (Requires-Python) admits some patch release of `python`; an invalid one admits all."""
    try:
        allowed, minor = SpecifierSet(required), python.removeprefix("pypy").removesuffix("t")
    except InvalidSpecifier:
        return True
    return any(allowed.contains(f"{minor}.{patch}") for patch in range(100))


def running() -> str:
    """Return the Python that runs this, as nox names it."""
    return "{}.{}".format(*sys.version_info)


def supported_pythons(project: Any) -> tuple[str, ...]:
    """Return the lowest and the highest Python that the static `project` table supports.

    They are of its classifiers, else of KNOWN_PYTHONS, as far as `requires-python` allows. Where neither is found on
    this machine, the running Python is added, or if it is not supported the highest one here that is, so that something
    can be verified here. The running one is all there is where the table says nothing, or what cannot be read: what is
    wrong with it, its build backend says.
    """
    here = running()
    try:
        named = [CLASSIFIER.fullmatch(line) for line in project.get("classifiers", [])]
        allowed = SpecifierSet(project.get("requires-python", ""))
    except (TypeError, AttributeError, InvalidSpecifier):
        return (here,)
    versions = [f"3.{minor}" for minor in sorted({int(match[1]) for match in named if match}) if minor >= OLDEST]
    if allowed and not any(named):
        versions = list(KNOWN_PYTHONS)
    able = [version for version in versions if allowed.contains(f"{version}.99")]
    chosen = list(dict.fromkeys(able[:1] + able[-1:]))
    if not any(python == here or is_here(python) for python in chosen):
        others = [python for python in able if is_here(python)] + [here]
        chosen += [python for python in others if allowed.contains(f"{python}.99")][-1:]
    return tuple(chosen) or (here,)


def is_here(python: str) -> bool:
    """Whether an interpreter for `python` is on PATH. pyenv's shims exist for versions that are switched off."""
    found = shutil.which(f"python{python}")
    return found is not None and "shims" not in Path(found).parts
