"""What the name of a distribution says: project and version, the tags of a wheel (binary distribution format, PEP 625).

Names come from indexes and folders of others; one that is none says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion

if TYPE_CHECKING:
    from packaging.tags import Tag
    from packaging.version import Version


def version_of(filename: str) -> Version | None:
    """Return the version of the wheel or sdist `filename`, None where it is the name of neither."""
    try:
        parse = parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename
        return parse(filename)[1]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None


def project_of(filename: str) -> str:
    """Return the normalised name of the project of the wheel or sdist `filename`, empty where it is neither."""
    try:
        parse = parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename
        return parse(filename)[0]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return ""


def tags_of(filename: str) -> frozenset[Tag]:
    """Return the tags in the name of a wheel, a compressed set spelled out; none where it is no name of one."""
    try:
        return parse_wheel_filename(filename)[3]
    except (InvalidWheelFilename, InvalidVersion):
        return frozenset()
