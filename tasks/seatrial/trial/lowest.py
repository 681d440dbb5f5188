"""`resolution = "lowest-direct"`: the lowest versions of the direct dependencies that the metadata allows.

They are looked up on the index of the dependencies and pinned, the same for uv and pip. What has no lower bound says
nothing that could be tried, and is left to the installer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from seatrial.machine.values import Value
from seatrial.release.filenames import tags_of, version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from packaging.version import Version

    from seatrial.index.simple import Served

LOWER = frozenset({">=", ">", "~=", "=="})  # what bounds a version from below


class Lowest(Value):
    """Requirements with the lowest versions pinned, those pins as lines, and the names without a lower bound."""

    requirements: tuple[str, ...]
    pins: tuple[str, ...] = ()
    unbounded: tuple[str, ...] = ()


def lowest(
    requirements: Sequence[str], python: str, tags: Collection[str], read: Callable[[str], Iterable[Served]]
) -> Lowest:
    """Return `requirements` (PEP 508, without markers) with the lowest versions pinned that an interpreter can install.

    It has the version `python` (3.12.1) and takes wheels with `tags`; `read` lists the files of a project. Several
    requirements on one project hold together. One that is a URL stays as it is.
    """
    wanted: dict[str, SpecifierSet] = {}
    for line in requirements:
        parsed = _parsed(line)
        if parsed and not parsed.url:
            name = canonicalize_name(parsed.name)
            wanted[name] = wanted.get(name, SpecifierSet()) & parsed.specifier
    bounded = {name: one for name, one in wanted.items() if any(part.operator in LOWER for part in one)}
    found = {
        name: _lowest_of((file for file in read(name) if _is_for(file, python, tags)), one)
        for name, one in bounded.items()
    }
    pins = tuple(f"{name}=={version}" for name, version in sorted(found.items()) if version is not None)
    return Lowest((*requirements, *pins), pins, tuple(sorted(set(wanted) - set(bounded))))


def _parsed(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _lowest_of(files: Iterable[Served], wanted: SpecifierSet) -> Version | None:
    """Return the lowest version among `files` that `wanted` admits, None where there is none.

    A pre-release counts as it does for installers: where the bound names one, or there is nothing else.
    """
    versions = {version for file in files if (version := version_of(file.filename)) is not None}
    return min(wanted.filter(versions), default=None)


def _is_for(file: Served, python: str, tags: Collection[str]) -> bool:
    """Whether `file` can be installed: an sdist, or a wheel with one of `tags`, that is neither yanked nor too new."""
    if file.yanked or (file.filename.endswith(".whl") and not any(str(tag) in tags for tag in tags_of(file.filename))):
        return False
    try:
        return SpecifierSet(file.requires_python).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True  # as installers do
