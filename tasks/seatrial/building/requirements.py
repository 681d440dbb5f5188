"""Which build requirements a rebuild takes: those of a day, those of a record, or the backend that WHEEL names.

The variables here take the place of this machine's index settings, but for its main index: files from elsewhere
(find-links, further indexes) have no upload time, and would be taken whatever the day.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from seatrial.machine import variables
from seatrial.machine.errors import ReleaseError

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


@dataclass(eq=False)
class InvalidDate(ReleaseError):
    date: str

    what = "--as-of {e.date}: not a date."
    cause = "a date in a form other than ISO 8601, or a version in its place."
    cure = "write it as 2025-06-02 or 2025-06-02T11:00:00Z; `--today` takes today's build requirements."


@dataclass(frozen=True)
class Choice:
    """Variables that choose build requirements, and words on what they choose; without variables it is today's."""

    variables: Mapping[str, str]
    words: str


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


def generated_by(generator: str, folder: Path, outer: Mapping[str, str]) -> Choice | None:
    """Return the choice of the backend that the field Generator of a WHEEL names, None where it names none.

    `folder` takes the file that says so to the installer.
    """
    found = GENERATOR.search(generator)
    if found is None:
        return None
    name = canonicalize_name(found[1])
    try:
        version = Version(found[2])
    except InvalidVersion:
        return None
    pinned = f"{DISTRIBUTIONS.get(name, name)}=={version}"
    return Choice(_indexes(outer) | _constraint(folder, [pinned]), f"{generator} as the wheel names it, else today's")


def recorded(environments: Iterable[BuildEnvironment], folder: Path, outer: Mapping[str, str]) -> Choice | None:
    """Return the choice of exactly what a record lists, None where it lists nothing."""
    pins = {dist.name: dist.version for environment in environments for dist in environment.distributions}
    if not pins:
        return None
    lines = [f"{name}=={version}" for name, version in sorted(pins.items())]
    return Choice(_indexes(outer) | _constraint(folder, lines), "the build requirements that the record lists")


def installer_knows_dates(uv: str | None) -> bool:
    """Whether the installer of the build requirements can leave out what is newer than a day."""
    return uv is not None or _pip() >= PIP_KNOWS_DATES


def _pip() -> Version:
    """Return the version of the pip that `build` uses: ours, else the one that virtualenv brings."""
    if importlib.util.find_spec("pip"):
        return Version(importlib.metadata.version("pip"))
    from virtualenv.seed.wheels.embed import get_embed_wheel  # noqa: PLC0415 (slow, and seldom needed)

    wheel = get_embed_wheel("pip", "{}.{}".format(*sys.version_info))
    return Version(wheel.version) if wheel else Version("0")


def _constraint(folder: Path, lines: Iterable[str]) -> dict[str, str]:
    path = folder / "build-constraints.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return {"PIP_CONSTRAINT": str(path), "UV_CONSTRAINT": str(path)}


def _indexes(outer: Mapping[str, str]) -> dict[str, str]:
    """Return all index settings of this machine that a build may see."""
    return {name: value for name, value in variables.for_build(outer).items() if name in variables.INDEXES}


def _main_index(outer: Mapping[str, str]) -> dict[str, str]:
    settings = variables.pip_settings(outer, (*variables.NETWORK_SETTINGS, "index-url")) | _indexes(outer)
    kept = {name: value for name, value in settings.items() if name in MAIN_INDEX or name not in variables.INDEXES}
    return {n: v for n, v in kept.items() if not variables.LOGIN_IN_URL.search(v)} | {"PIP_CONFIG_FILE": os.devnull}
