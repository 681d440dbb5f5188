"""Whether a stage that was read can be one of ours: its version and time, and files that are of its release.

A record travels between jobs and machines. One that names a file of another release would have it uploaded as well.
"""

from __future__ import annotations

import contextlib
import re
from datetime import datetime
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.release.filenames import parsed_version, parts
from seatrial.release.stages import Built

if TYPE_CHECKING:
    from seatrial.release.stages import Stage

PROJECT = re.compile("[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
SHA256 = re.compile("[0-9a-f]{64}")
MOMENT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")  # as `record.now` writes it


def stop_unless_plausible(stage: Stage) -> None:
    """Raise ValueError, naming what is wrong, where no step of ours writes such a `stage`."""
    version, names = parsed_version(stage.version), {dist.filename for dist in stage.dists}
    if version is None or str(version) != stage.version:
        raise ValueError(f"version is {stage.version!r}, which is not a normalised version (PEP 440)")
    if not _is_moment(stage.at):
        raise ValueError(f"at is {stage.at!r}, which is not a time in UTC such as 2024-05-06T07:08:09Z")
    if isinstance(stage, Built):  # `check` says what is wrong with a name in metadata, and leaves no record then
        projects = {parts(dist.filename).project for dist in stage.dists[:1]}
    elif PROJECT.fullmatch(stage.project):
        projects = {canonicalize_name(stage.project)}
    else:
        raise ValueError(f"project is {stage.project!r}, which is not a valid name (PEP 508)")
    if len(names) < len(stage.dists):
        raise ValueError("dists has a file name twice")
    for number, dist in enumerate(stage.dists):
        found = parts(dist.filename)
        if found.version != version or found.project not in projects:
            raise ValueError(f"dists[{number}] is {dist.filename!r}, not a file of {stage.project} {stage.version}")
        if not SHA256.fullmatch(dist.sha256):
            raise ValueError(f"dists[{number}].sha256 is {dist.sha256!r}, not 64 lower-case hexadecimal digits")


def _is_moment(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(MOMENT.fullmatch(text) and datetime.fromisoformat(text[:-1]))
    return False
