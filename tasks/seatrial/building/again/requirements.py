"""Which build requirements a rebuild takes: those of a day, those of a record, or the backend that WHEEL names.

The variables here take the place of this machine's index settings, but for its main index: files from elsewhere
(find-links, further indexes) have no upload time, and would be taken whatever the day.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import re
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from seatrial.machine import variables
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.release.filenames import parsed_version
from seatrial.trial.interpreters import RUNNING, find

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from seatrial.release.stages import BuildEnvironment

TODAY = "today"
MAIN_INDEX = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
PIP_KNOWS_DATES = Version("26")
# Generators that are called otherwise than the distribution that they are part of.
DISTRIBUTIONS = {"flit": "flit-core", "uv": "uv-build", "bdist-wheel": "wheel", "poetry": "poetry-core"}
GENERATOR = re.compile(r"([A-Za-z][\w.-]*) \(?v?(\d[\w.!+]*)\)?")


class InvalidDate(ReleaseError):
    date: str

    what = "--as-of {e.date}: not a date."
    cause = "a date in a form other than ISO 8601, or a version in its place."
    cure = "write it as 2025-06-02 or 2025-06-02T11:00:00Z; `--today` takes today's build requirements."


class Choice(Value):
    """Variables that choose build requirements (none for today's), words on that, and a `python` other than ours."""

    variables: Mapping[str, str]
    words: str
    python: str = ""


def today() -> Choice:
    """Return the choice of whatever this machine would take now."""
    return Choice({}, "today's build requirements")


def as_of(text: str, outer: Mapping[str, str]) -> Choice:
    """Return the choice of the build requirements of the moment `text` (ISO 8601). Raises InvalidDate."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise InvalidDate(text) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    stated = moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    dates = {"UV_EXCLUDE_NEWER": stated, "PIP_UPLOADED_PRIOR_TO": stated}
    return Choice(_main_index(outer) | dates, f"requirements as of {moment:%Y-%m-%d}")


def uploaded(times: Iterable[str], outer: Mapping[str, str]) -> Choice | None:
    """Return the choice of the earliest of the `times` that an index states, None where it states none."""
    for time in sorted(filter(None, times)):
        with contextlib.suppress(InvalidDate):
            return as_of(time, outer)
    return None


def generated_by(generator: str, folder: Path, outer: Mapping[str, str], rest: Choice | None = None) -> Choice | None:
    """Return the choice of the backend that the field Generator of a WHEEL names, None where it names none.

    What else is required is taken by the choice `rest`, by default from the main index as it is today. `folder` takes
    the file that says so to the installer.
    """
    found = GENERATOR.search(generator)
    version = parsed_version(found[2]) if found else None
    if found is None or version is None:
        return None
    name = canonicalize_name(found[1])
    rest = rest or Choice(_main_index(outer), "the rest as of today")
    pinned = _constraint(folder, "backend", [f"{DISTRIBUTIONS.get(name, name)}=={version}"])
    return replace(rest, variables={**rest.variables, **pinned}, words=f"{generator} as its wheel says, {rest.words}")


def recorded(
    environments: Iterable[BuildEnvironment], folder: Path, outer: Mapping[str, str], uv: str | None
) -> Choice | None:
    """Return the choice of exactly what a record lists, None where it lists nothing.

    That is each build requirement, the variables of compilers, and the Python where the program `uv`, else virtualenv,
    finds it here.
    """
    kept = tuple(environments)
    pins = {dist.name: dist.version for environment in kept for dist in environment.distributions}
    if not pins:
        return None
    lines = [f"{name}=={version}" for name, version in sorted(pins.items())]
    flags = dict(flag.split("=", 1) for environment in kept for flag in environment.flags if "=" in flag)
    python, words = ".".join(kept[0].python.split(".")[:2]), "the build requirements that the record lists"
    if python != RUNNING and not find(python, uv):
        words, python = f"{words}, but not its Python {python}, which is not here", RUNNING
    variables = _indexes(outer) | flags | _constraint(folder, "recorded", lines)
    return Choice(variables, words, "" if python == RUNNING else python)


def knows_dates(uv: str | None, python: str = RUNNING) -> bool:
    """Whether the installer of the build requirements of `python` can leave out what is newer than a day."""
    if uv is not None:
        return True
    # The pip that `build` uses: ours for our Python, else the one that virtualenv brings.
    if python == RUNNING and importlib.util.find_spec("pip"):
        return Version(importlib.metadata.version("pip")) >= PIP_KNOWS_DATES
    from virtualenv.seed.wheels.embed import get_embed_wheel  # noqa: PLC0415 (slow, and seldom needed)

    wheel = get_embed_wheel("pip", python)
    return wheel is not None and Version(wheel.version) >= PIP_KNOWS_DATES


def _constraint(folder: Path, name: str, lines: Iterable[str]) -> dict[str, str]:
    path = folder / f"{name}-constraints.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return {"PIP_CONSTRAINT": str(path), "UV_CONSTRAINT": str(path)}


def _indexes(outer: Mapping[str, str]) -> dict[str, str]:
    """Return all index settings of this machine that a build may see."""
    return {name: value for name, value in variables.for_build(outer).items() if name in variables.INDEXES}


def _main_index(outer: Mapping[str, str]) -> dict[str, str]:
    settings = variables.pip_settings(outer, (*variables.NETWORK_SETTINGS, "index-url")) | _indexes(outer)
    kept = {name: value for name, value in settings.items() if name in MAIN_INDEX or name not in variables.INDEXES}
    return {n: v for n, v in kept.items() if variables.without_logins(v) == v} | {"PIP_CONFIG_FILE": os.devnull}
