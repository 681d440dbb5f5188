"""Rules on the files of a release together, and on the tag they are released under."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from seatrial.machine.errors import shortened
from seatrial.rules.rule import release_rule
from seatrial.rules.sources import practice, server, standard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.rules.rule import Release

COMPARED = ("name", "version", "summary", "requires-python", "requires-dist", "provides-extra", "license-expression")
MODULES = (".py", ".pyi", ".so", ".pyd")
SHOWN = 80


@release_rule("release-one-project", "error", practice("one release, one project"))
def one_project(release: Release) -> Iterator[str]:
    """The files are of more than one project. Each upload goes to the project in its own metadata."""
    if len(names := sorted({archive.name for archive in release.archives})) > 1:
        yield f"these files are of more than one project: {', '.join(names)}."


@release_rule("release-one-version", "error", practice("one release, one version"))
def one_version(release: Release) -> Iterator[str]:
    """The files are of more than one version.

    A build of an older commit lies among them, or the version is computed anew for each file.
    """
    if len(versions := sorted({archive.version for archive in release.archives if archive.version})) > 1:
        yield f"these files are of more than one version: {', '.join(map(str, versions))}."


@release_rule("release-one-sdist", "error", server("forklift/legacy.py", "file_upload"))
def one_sdist(release: Release) -> Iterator[str]:
    """There is more than one sdist. PyPI answers: "Only one sdist may be uploaded per release"."""
    if len(sdists := [archive.path.name for archive in release.archives if archive.kind == "sdist"]) > 1:
        yield f"PyPI takes one sdist per release; these are {len(sdists)}: {', '.join(sorted(sdists))}."


@release_rule("release-no-sdist", "warning", practice("Linux distributions and conda-forge, which build from it"))
def no_sdist(release: Release) -> Iterator[str]:
    """There is no sdist: Linux distributions, conda-forge and platforms without a wheel cannot build it."""
    if not any(archive.kind == "sdist" for archive in release.archives):
        yield "there is no sdist, so packagers and platforms without a wheel have nothing to build from."


@release_rule("release-no-wheel", "warning", practice("installers, which build what has no wheel"))
def no_wheel(release: Release) -> Iterator[str]:
    """There is no wheel: every user builds it, and runs the build backend to learn the metadata."""
    if not any(archive.kind == "wheel" for archive in release.archives):
        yield "there is no wheel, so every installation has to build the sdist first."


@release_rule("release-lost-modules", "error", practice("a wheel of the checkout, compared with that of the sdist"))
def lost_modules(release: Release) -> Iterator[str]:
    """A module is in a wheel of the checkout and not in the wheel, which is built from the sdist.

    The sdist does not hold it, so nobody who installs this release has it. Name it in the settings of the build backend
    (MANIFEST.in, `include`; release-left-out has them for each), or keep it out of the wheel.
    """
    if lost := [name for name in release.lacking if name.endswith(MODULES) and not _is_test(name)]:
        yield f"these modules are lost on the way through the sdist:{shortened(lost)}"


@release_rule("release-lost-files", "warning", practice("a wheel of the checkout, compared with that of the sdist"))
def lost_files(release: Release) -> Iterator[str]:
    """A file beside the modules, or a test, is in a wheel of the checkout and not in the one built from the sdist.

    Data that the code reads at run time is missed by whoever installs this release; tests mostly are not.
    """
    if lost := [name for name in release.lacking if not name.endswith(MODULES) or _is_test(name)]:
        yield f"these files are lost on the way through the sdist:{shortened(lost)}"


@release_rule("release-build-reaches", "warning", practice("Linux distributions and conda-forge, which build offline"))
def build_reaches(release: Release) -> Iterator[str]:
    """The wheel could be built from the sdist only with the program git or the network in reach.

    Linux distributions and conda-forge build without both once the requirements in `[build-system]` are there. Put what
    is fetched into the sdist, or into those requirements, and have the sdist carry what git would say. What a Rust
    project asks of crates.io, packagers know how to bring.
    """
    if release.reached:
        yield f"the build of the wheel from the sdist asked for more than its requirements:{shortened(release.reached)}"


def _is_test(name: str) -> bool:
    return any(part.startswith("test") for part in name.split("/"))


@release_rule("release-metadata-agree", "warning", standard("core metadata", "core-metadata"))
def metadata_agree(release: Release) -> Iterator[str]:
    """The sdist's PKG-INFO and a wheel's METADATA differ in a field that the sdist does not call Dynamic.

    Installers may trust either (core metadata 2.2, "Dynamic"). Usually the build computes the field from its
    surroundings; declare it in `dynamic`, or make it static.
    """
    sdist = next((archive for archive in release.archives if archive.kind == "sdist"), None)
    if sdist is None or sdist.metadata is None:
        return
    dynamic = {field.strip().lower() for field in sdist.metadata.all("dynamic")}
    for wheel in (archive for archive in release.archives if archive.kind == "wheel" and archive.metadata):
        for field in COMPARED:
            ours, theirs = (sorted(archive.metadata.all(field)) for archive in (sdist, wheel) if archive.metadata)
            if field not in dynamic and ours != theirs:
                yield f"{field} differs: {_short(ours)} in the sdist, {_short(theirs)} in {wheel.path.name}."


def _short(values: list[str]) -> str:
    text = ", ".join(values) or "nothing"
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 3] + "...")


@release_rule("release-tag", "error", practice("the version tag at HEAD"))
def tag(release: Release) -> Iterator[str]:
    """HEAD has a version tag, and it is of another version than the files.

    The version in the project was not raised, or the tag stands on another commit than was meant. Raise the version or
    move the tag. How tags are called is the setting `tag`. (A version with a local part has a finding of its own.)
    """
    versions = {version for name in release.tags if (version := _version_in(name, release.tag_patterns))}
    built = {archive.version for archive in release.archives if archive.version and not archive.version.local}
    if versions and built and not versions & built:
        yield (
            f"HEAD is tagged {', '.join(release.tags)}, and the files are of version"
            f" {', '.join(sorted(map(str, built)))}: raise the version, or move the tag."
        )


def _version_in(name: str, patterns: tuple[str, ...]) -> Version | None:
    """Return the version that the tag `name` stands for by one of `patterns`, None where it is no version tag."""
    for pattern in patterns:
        before, _, after = pattern.partition("{version}")
        shape = f"{_literal(before)}(?P<version>.+){_literal(after)}"
        if match := re.fullmatch(shape, name):
            try:
                return Version(match["version"])
            except InvalidVersion:
                continue
    return None


def _literal(text: str) -> str:
    return ".+".join(re.escape(part) for part in text.split("{name}"))
