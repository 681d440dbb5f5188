"""What the name of a distribution says: project and version, the tags of a wheel (binary distribution format, PEP 625).

Names come from indexes and folders of others: an invalid name yields nothing, and no exception.
"""

from __future__ import annotations

import functools
import re
import sysconfig
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

if TYPE_CHECKING:
    from packaging.tags import Tag
    from packaging.utils import BuildTag


class Parts(NamedTuple):
    """The parts of a file name: the normalised project name, the version, and a wheel's build tag and tags."""

    project: str
    version: Version | None
    build: BuildTag = ()
    tags: frozenset[Tag] = frozenset()


def parse(filename: str) -> tuple[str, Version, BuildTag, frozenset[Tag]]:
    """Return project, version, build tag and tags of `filename`. Raises ValueError where the name is invalid."""
    if "/" in filename or "\\" in filename:  # which packaging takes in a project's name, and in a build tag
        raise ValueError(f"it names a file in another folder: {filename!r}")
    if filename.endswith(".whl"):
        return parse_wheel_filename(filename)
    return (*parse_sdist_filename(filename), (), frozenset())


@functools.lru_cache(maxsize=4096)  # an index lists the same names for each question
def parts(filename: str) -> Parts:
    """Return the parts of the wheel or sdist `filename`; an invalid name has an empty project and no version."""
    try:
        return Parts(*parse(filename))
    except ValueError:  # also what packaging raises, and a version of more digits than Python converts
        return Parts("", None)


def version_of(filename: str) -> Version | None:
    """Return the version of the wheel or sdist `filename`, None for an invalid name."""
    return parts(filename).version


def project_of(filename: str) -> str:
    """Return the normalised project name of the wheel or sdist `filename`, empty for an invalid name."""
    return parts(filename).project


def tags_of(filename: str) -> frozenset[Tag]:
    """Return the tags of the wheel `filename`, a compressed set spelled out; none for an sdist or an invalid name."""
    return parts(filename).tags


def buildable(filename: str) -> bool:
    """Whether a build on this machine gives files of this name: an sdist, or a wheel for any platform or this one.

    Wheels for manylinux are none: a build names them after this very system, and other tools make them of that.
    """
    here = {"any", re.sub(r"[-.]", "_", sysconfig.get_platform())}
    return filename.endswith(".tar.gz") or any(tag.platform in here for tag in tags_of(filename))


def parsed_version(text: str | None) -> Version | None:
    """Return `text` as a version (PEP 440), None where it is invalid or has more digits than Python converts."""
    try:
        return Version(text or "")
    except ValueError:
        return None


def escaped(name: str) -> str:
    """Return the project `name` as file names have it: normalised (PEP 503), with underscores."""
    return canonicalize_name(name).replace("-", "_")
