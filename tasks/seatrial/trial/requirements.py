"""Requirements (PEP 508): which of them hold in an environment, and their lowest versions.

With `resolution = "lowest-direct"` the lowest versions of the direct dependencies that the metadata allows are looked
up on the index of the dependencies and pinned, the same for uv and pip. What has no lower bound says nothing that could
be tried, and is left to the installer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from seatrial.machine.values import Value
from seatrial.release.filenames import parsed_requirement, tags_of, version_of
from seatrial.trial.interpreters import admitted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from seatrial.index.simple import Served

LOWER = frozenset({">=", ">", "~=", "=="})  # what bounds a version from below


def holding(requires: Iterable[str], project: str, extras: Sequence[str], surroundings: Mapping[str, str]) -> list[str]:
    """Return those of `requires` whose markers hold in `surroundings` with one of `extras` or none.

    A requirement on the project itself (``demo[all]`` asking for ``demo[test]``) stands for its extras. A line that
    is not PEP 508 is handed on as it is, for the installer to refuse in its own words.
    """
    wanted, known, lines = {"", *extras}, set[str](), list[str]()
    while wanted - known:
        fresh, known = wanted - known, set(wanted)
        for line in requires:
            requirement = parsed_requirement(line)
            if requirement is None:
                lines.append(line)
                continue
            marker, requirement.marker = requirement.marker, None
            if marker is not None and not any(marker.evaluate({**surroundings, "extra": extra}) for extra in fresh):
                continue
            if canonicalize_name(requirement.name) == canonicalize_name(project):
                wanted |= requirement.extras
            else:
                lines.append(str(requirement))
    return list(dict.fromkeys(lines))


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
    requirements on one project hold together. One that is a URL stays as it is. A pre-release counts as it does for
    installers: where the bound names one, or there is nothing else.
    """
    wanted: dict[str, SpecifierSet] = {}
    for requirement in filter(None, map(parsed_requirement, requirements)):
        if not requirement.url:
            key = canonicalize_name(requirement.name)
            wanted[key] = wanted.get(key, SpecifierSet()) & requirement.specifier
    bounded = {name: one for name, one in wanted.items() if any(part.operator in LOWER for part in one)}
    found = {}
    for name, one in bounded.items():
        versions = {version_of(file.filename) for file in read(name) if _is_for(file, python, tags)}
        found[name] = min(one.filter(filter(None, versions)), default=None)
    pins = tuple(f"{name}=={version}" for name, version in sorted(found.items()) if version is not None)
    return Lowest((*requirements, *pins), pins, tuple(sorted(set(wanted) - set(bounded))))


def _is_for(file: Served, python: str, tags: Collection[str]) -> bool:
    """Whether `file` can be installed: an sdist, or a wheel with one of `tags`, that is neither yanked nor too new."""
    if file.yanked or (file.filename.endswith(".whl") and not any(str(tag) in tags for tag in tags_of(file.filename))):
        return False
    required = admitted(file.requires_python)
    return required is None or required.contains(python, prereleases=True)  # an invalid one counts for none
