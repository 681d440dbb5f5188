"""What `verify` is made of: Pythons and archive kinds, as far as the project's static settings say.

`nox -l` needs to know it, in every project and whatever nox is started for, so this reads with as little as that takes:
it imports nothing that nox has not imported, and judges nothing. `config` reads all settings, and says what is wrong.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from seatrial.machine import toml

# No setuptools in the environments that files are tried in: what needs it and does not say so fails on every Python,
# not only from 3.12 on or with uv, which takes this flag and never puts it there.
BARE = ("--no-setuptools",)

# CPython versions to choose from where a project says no more than `>=3.9`. The probe needs 3.8.
KNOWN_PYTHONS = tuple(f"3.{minor}" for minor in range(8, 15))
CLASSIFIER = re.compile(r"Programming Language :: Python :: (3\.\d+)$")
PYTHON = re.compile(r"(pypy)?3\.\d+t?")  # as nox names them


def glance(root: Path) -> tuple[tuple[str, ...], str]:
    """Return the Pythons of the project in `root` and the prefix of its session names, as `config.load` would.

    What is wrong counts as not set: the sessions say so when they are run, and until then must not be in the way.
    """
    try:
        document, own = toml.read(root / "pyproject.toml"), toml.read(root / "seatrial.toml")
        table = own or document.get("tool", {}).get("seatrial", {})
        pythons: Any = table.get("pythons")
        prefix: Any = table.get("session-prefix", "")
        chosen = tuple(pythons) if are_pythons(pythons) else supported_pythons(document.get("project", {}))
    except (OSError, ValueError, TypeError, AttributeError):
        return (running(),), ""
    return chosen, prefix if isinstance(prefix, str) else ""


def are_pythons(value: Any) -> bool:
    """Whether `value` is a list of Pythons, at least one, as nox names them."""
    return isinstance(value, list) and bool(value) and all(isinstance(p, str) and PYTHON.fullmatch(p) for p in value)


def running() -> str:
    """Return the Python that runs nox, as nox names it."""
    return "{}.{}".format(*sys.version_info)


def supported_pythons(project: Any) -> tuple[str, ...]:
    """Return the lowest and the highest Python that the static `project` table supports.

    The Python that runs nox is added where neither is found on this machine, so that something can be verified here;
    it is all there is where the table says nothing, or is none: what is wrong with it, its build backend says.
    """
    here = running()
    if not isinstance(project, dict):
        return (here,)
    lines = project.get("classifiers")
    named = [match[1] for line in lines if (match := CLASSIFIER.match(str(line)))] if isinstance(lines, list) else []
    requires = project.get("requires-python")
    if not (named or requires):
        return (here,)
    try:
        specifier = SpecifierSet(str(requires or ""))
    except InvalidSpecifier:
        specifier = SpecifierSet()
    able = [v for v in named or KNOWN_PYTHONS if v in KNOWN_PYTHONS and specifier.contains(f"{v}.99")]
    able.sort(key=KNOWN_PYTHONS.index)
    chosen = list(dict.fromkeys(able[:1] + able[-1:]))
    if here not in chosen and specifier.contains(here + ".99") and not any(map(is_here, chosen)):
        chosen.append(here)
    return tuple(chosen) or (here,)


def is_here(python: str) -> bool:
    """Whether an interpreter for `python` is on PATH. pyenv's shims exist for versions that are switched off."""
    found = shutil.which(f"python{python}")
    return found is not None and "shims" not in Path(found).parts
