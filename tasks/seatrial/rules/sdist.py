"""Rules on what an sdist holds (the source distribution format)."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from seatrial.rules.distribution import some
from seatrial.rules.rule import sdist_rule, tar_rule
from seatrial.rules.sources import server, standard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.rules.distribution import Look, Tar


@tar_rule("tar-sparse", "error", server("forklift/legacy.py", "_is_valid_dist_file", "everywhere"))
def sparse(found: Tar) -> Iterator[str]:
    """A member is stored as a sparse file. PyPI answers: "Sparse members are not allowed".

    GNU tar does so with `--sparse`, and bsdtar on its own where a file has holes. Build the sdist with the backend.
    """
    if found.sparse:
        yield f"PyPI takes no sparse members, and these are: {some(found.sparse)}."


@tar_rule("sdist-top-folder", "error", server("forklift/legacy.py", "_is_valid_dist_file", "everywhere"))
def top_folder(found: Tar) -> Iterator[str]:
    """The members are not all in one folder. PyPI answers: "Incorrect number of top-level directories in sdist".

    An sdist is one folder NAME-VERSION. Files that macOS' tar puts beside it (`._NAME-VERSION`) are the usual
    strangers: set COPYFILE_DISABLE=1, or build with the backend instead of tar.
    """
    if found.top is None:
        shown = some(sorted(top or "(the archive's root)" for top in found.tops)) if found.tops else "nothing"
        root = ", and some of them by absolute names" if found.absolute else ""
        yield f"all that is in an sdist has to be in one folder NAME-VERSION, and here it is in {shown}{root}."


@sdist_rule("sdist-pkg-info", "error", server("forklift/legacy.py", "_is_valid_dist_file", "everywhere"))
def pkg_info(look: Look) -> Iterator[str]:
    """There is no PKG-INFO in the top folder, spelled just so. PyPI answers: "PKG-INFO not found at ...".

    Backends write it. `git archive` and the downloads of a code host are no sdists, and `tar` on `./NAME-VERSION`
    writes names that PyPI does not find.
    """
    top = look.tar.top if look.tar else None
    if top is not None and f"{top}/PKG-INFO" not in look.names:
        yield f"there is no {top}/PKG-INFO in it, which has name and version: build it with `python -m build --sdist`."


@sdist_rule("sdist-license-file", "error", server("forklift/legacy.py", "file_upload", "everywhere"))
def license_file(look: Look) -> Iterator[str]:
    """A licence file that PKG-INFO names is not in the sdist. PyPI answers: "License-File LICENSE does not exist".

    The file is left out by MANIFEST.in or an `exclude`, or it lies elsewhere than `license-files` says.
    """
    top = look.tar.top if look.tar else None
    if top is None or look.metadata is None or not look.metadata.has_license_files:
        return
    missing = [name for name in look.metadata.all("license-file") if f"{top}/{name}" not in look.names]
    if missing:
        yield f"its metadata names a licence file, {some(missing)}, and there is no such file in {top}/."


@tar_rule("sdist-link", "warning", standard("source distribution format", "source-distribution-format"))
def link(found: Tar) -> Iterator[str]:
    """A link in the sdist leads out of it. pip and uv refuse to unpack it (PEP 706).

    Replace the link by a copy, or exclude it.
    """
    outside = [name for name, target in found.links if _leads_out(name, target)]
    if outside:
        yield f"these links lead out of the sdist, so installers refuse it: {some(outside)}."


def _leads_out(name: str, target: str) -> bool:
    """Whether a symbolic link called `name` leads out; hard links are named from the root, so they seem to stay in."""
    whole = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    return target.startswith("/") or whole.split("/")[0] == ".."


@sdist_rule("sdist-path", "error", standard("source distribution format", "source-distribution-format"))
def path(look: Look) -> Iterator[str]:
    """A member's name climbs out of the folder that it is unpacked to (`..`). Installers refuse the file.

    Nothing that a backend writes: build the sdist again, and find out what made this one.
    """
    if names := [name for name in look.names if ".." in name.split("/")]:
        yield f"these members climb out of the folder they are unpacked to: {some(sorted(names))}."
