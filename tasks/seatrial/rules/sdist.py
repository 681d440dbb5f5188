"""Rules on what an sdist contains (the source distribution format)."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from seatrial.rules.distribution import some
from seatrial.rules.rule import SDIST, rule, server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.rules.distribution import Distribution, Tar


@rule("tar", "tar-sparse", "refused", server("forklift/legacy.py", "_is_valid_dist_file", "everywhere"))
def sparse(found: Tar) -> Iterator[str]:
    """A member is stored as a sparse file. PyPI answers: "Sparse members are not allowed".

    GNU tar does so with `--sparse`, and bsdtar on its own where a file has holes. Build the sdist with the backend.
    """
    if found.sparse:
        yield f"PyPI takes no sparse members, and these are: {some(found.sparse)}."


@rule("tar", "sdist-top-folder", "refused", server("forklift/legacy.py", "_is_valid_dist_file", "everywhere"))
def top_folder(found: Tar) -> Iterator[str]:
    """The members are not all in one folder. PyPI answers: "Incorrect number of top-level directories in sdist".

    An sdist is one folder NAME-VERSION. Files that macOS' tar puts beside it (`._NAME-VERSION`) are the usual
    strangers: set COPYFILE_DISABLE=1, or build with the backend instead of tar.
    """
    if found.top is None:
        shown = some(sorted(top or "(the archive's root)" for top in found.tops)) if found.tops else "nothing"
        root = ", and some of them by absolute names" if found.absolute else ""
        yield f"everything in an sdist has to be in one folder NAME-VERSION, but here it is in {shown}{root}."


@rule("sdist", "sdist-pkg-info", "refused", server("forklift/legacy.py", "_is_valid_dist_file", "everywhere"))
def pkg_info(dist: Distribution) -> Iterator[str]:
    """There is no PKG-INFO in the top folder, spelled just so. PyPI answers: "PKG-INFO not found at ...".

    Backends write it. `git archive` and the downloads of a code host are no sdists, and `tar` on `./NAME-VERSION`
    writes names that PyPI does not find.
    """
    top = dist.tar.top if dist.tar else None
    if top is not None and f"{top}/PKG-INFO" not in dist.names:
        yield f"there is no {top}/PKG-INFO in it, which has name and version: build it with `python -m build --sdist`."


@rule("sdist", "sdist-license-file", "refused", server("forklift/legacy.py", "file_upload", "everywhere"))
def license_file(dist: Distribution) -> Iterator[str]:
    """A licence file that PKG-INFO names is not in the sdist. PyPI answers: "License-File LICENSE does not exist".

    The file is left out by MANIFEST.in or an `exclude`, or is not where `license-files` says.
    """
    top = dist.tar.top if dist.tar else None
    if top is None or dist.metadata is None or not dist.metadata.has_license_files:
        return
    missing = [name for name in dist.metadata.all("license-file") if f"{top}/{name}" not in dist.names]
    if missing:
        yield f"its metadata names a licence file, {some(missing)}, and there is no such file in {top}/."


@rule("tar", "sdist-link", "broken", SDIST)
def link(found: Tar) -> Iterator[str]:
    """A link in the sdist leads out of it. pip and uv refuse to unpack it (PEP 706).

    A licence that is a link to one above the project is the usual case. Replace the link with a copy, or exclude it.
    """
    outside = [f"{name} -> {target}" for name, target, kind in found.links if _leads_out(name, target, kind)]
    if outside:
        yield f"these links lead out of the sdist, so installers refuse it: {some(outside)}. Replace them with copies."


def _leads_out(name: str, target: str, kind: str) -> bool:
    """Whether a link called `name` leads out: a symbolic link is relative to its folder, a hard link to the root."""
    start = posixpath.dirname(name) if kind == "symbolic link" else ""
    whole = posixpath.normpath(posixpath.join(start, target))
    top = posixpath.normpath(name).split("/")[0]
    return target.startswith("/") or whole.split("/")[0] != top


@rule("sdist", "sdist-path", "broken", SDIST)
def path(dist: Distribution) -> Iterator[str]:
    """A member's name climbs out of the folder that it is unpacked to (`..`). Installers refuse the file.

    Nothing that a backend writes: build the sdist again, and find out what made this one.
    """
    if names := [name for name in dist.names if ".." in name.split("/")]:
        yield f"these members climb out of the folder they are unpacked to: {some(sorted(names))}."


@rule("sdist", "sdist-no-build-system", "warning", SDIST)
def no_build_system(dist: Distribution) -> Iterator[str]:
    """The sdist has neither pyproject.toml nor setup.py, so no installer can build it.

    MANIFEST.in or an `exclude` leaves it out.
    """
    top = dist.tar.top if dist.tar else None
    if top is not None and not dist.names & {f"{top}/pyproject.toml", f"{top}/setup.py"}:
        yield "it has neither pyproject.toml nor setup.py, so nobody can build it."
