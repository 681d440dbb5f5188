"""Rules on what an sdist contains (the source distribution format)."""

import posixpath
from collections.abc import Iterator

from seatrial.rules.distribution import Distribution, Tar, some
from seatrial.rules.rule import SDIST, rule, server


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
    if (top := dist.top) is not None and f"{top}/PKG-INFO" not in dist.names:
        yield f"there is no {top}/PKG-INFO in it, which has name and version: build it with `python -m build --sdist`."


@rule("sdist", "sdist-license-file", "refused", server("forklift/legacy.py", "file_upload", "everywhere"))
def license_file(dist: Distribution) -> Iterator[str]:
    """A licence file that PKG-INFO names is not in the sdist. PyPI answers: "License-File LICENSE does not exist".

    The file is left out by MANIFEST.in or an `exclude`, or is not where `license-files` says.
    """
    if dist.top is not None and (missing := dist.lacking_licenses(dist.top)):
        yield f"its metadata names a licence file, {some(missing)}, and there is no such file in {dist.top}/."


@rule("tar", "sdist-link", "broken", SDIST)
def link(found: Tar) -> Iterator[str]:
    """A link in the sdist leads out of it. pip and uv refuse to unpack it (PEP 706).

    A licence that is a link to one above the project is the usual case. Replace the link with a copy, or exclude it.
    """
    outside = []
    for name, target, kind in found.links:
        start = posixpath.dirname(name) if kind == "symbolic link" else ""  # a hard link is relative to the root
        whole = posixpath.normpath(posixpath.join(start, target))
        if target.startswith("/") or whole.split("/")[0] != posixpath.normpath(name).split("/")[0]:
            outside.append(f"{name} -> {target}")
    if outside:
        yield f"these links lead out of the sdist, so installers refuse it: {some(outside)}. Replace them with copies."


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
    if dist.top is not None and not dist.names & {f"{dist.top}/pyproject.toml", f"{dist.top}/setup.py"}:
        yield "it has neither pyproject.toml nor setup.py, so nobody can build it."
