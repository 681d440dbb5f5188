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
    from packaging.requirements import Requirement
    from packaging.tags import Tag
    from packaging.utils import BuildTag

# Archives, and installers and packages of systems, that PyPI took once or that a distutils command made.
OTHER_FORMS = re.compile(r"\.(?:tar(?:\.\w{1,3})?|t[bgx]z2?|zip|egg|exe|msi|rpm|deb|dmg)", re.IGNORECASE)
AFTER_VERSION = re.compile(r"-|\.(?=(?:win|linux|macosx|noarch|src|py[0-9])[\w-]*)", re.IGNORECASE)


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


def is_of(filename: str, project: str, version: str) -> bool:
    """Whether `filename` is one of the release, as versions compare (1.0 is 1.0.0, PEP 440), in an old form too.

    An old form is such as demo-1.0-py2.7.egg, demo-1.0.win32.exe or demo-1.0.tar.bz2.
    """
    wanted = parsed_version(version)
    if (known := version_of(filename)) is not None or wanted is None:
        return known is not None and known == wanted
    stem, dot, ending = filename.rpartition(".")
    if stem.lower().endswith(".tar"):
        stem, ending = stem[: -len(".tar")], f"tar.{ending}"
    if not OTHER_FORMS.fullmatch(f"{dot}{ending}"):
        return False
    name = "[-_.]+".join(map(re.escape, canonicalize_name(project).split("-")))
    found = re.match(f"{name}-", stem, re.IGNORECASE)
    return found is not None and parsed_version(AFTER_VERSION.split(stem[found.end() :], maxsplit=1)[0]) == wanted


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


def parsed_requirement(line: str) -> Requirement | None:
    """Return `line` as a requirement (PEP 508), None where it is invalid."""
    from packaging import requirements  # noqa: PLC0415 (it takes a while to load, and not every step needs it)

    try:
        return requirements.Requirement(line)
    except ValueError:
        return None


def escaped(name: str) -> str:
    """Return the project `name` as file names have it: normalised (PEP 503), with underscores."""
    return canonicalize_name(name).replace("-", "_")
