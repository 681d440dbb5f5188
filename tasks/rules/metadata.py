"""Rules on core metadata (packaging.python.org, "Core metadata specifications")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import file_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..archives import Archive


@file_rule("metadata-summary", "warning")
def summary(archive: Archive) -> Iterator[str]:
    """The release has no summary, the one line that PyPI shows under the name and in search results.

    Set `description` in `[project]` (setuptools without `[project]`: `description` in setup.cfg or setup.py; poetry
    before 2: `description` in `[tool.poetry]`).
    """
    if not archive.metadata.first("summary"):
        yield "there is no Summary, the line that PyPI shows under the name: set `description` in [project]."


@file_rule("metadata-readme", "warning")
def readme(archive: Archive) -> Iterator[str]:
    """The release has no description, so its page on PyPI is empty.

    Set `readme = "README.md"` in `[project]` (setup.cfg: `long_description = file: README.md`).
    """
    if not archive.metadata.description.strip():
        yield "there is no description, so the project's page will be empty: set `readme` in [project]."


@file_rule("metadata-license", "warning")
def license_(archive: Archive) -> Iterator[str]:
    """The metadata names no licence in any form: no License-Expression, License, License-File or classifier.

    Set `license = "MIT"` (an SPDX expression) and `license-files` in `[project]`.
    """
    metadata = archive.metadata
    named = any(metadata.first(field) for field in ("license-expression", "license", "license-file"))
    if not named and not any(line.startswith("License ::") for line in metadata.all("classifier")):
        yield "no licence is named, so nobody may use it: set `license` in [project] to an SPDX expression."


@file_rule("metadata-requires-python", "warning")
def requires_python(archive: Archive) -> Iterator[str]:
    """Requires-Python is missing, so installers offer this release to every Python, however old.

    Set `requires-python = ">=3.10"` in `[project]` (setup.cfg: `python_requires`).
    """
    if not archive.metadata.first("requires-python"):
        yield "there is no Requires-Python, so every old Python will be offered this release: set `requires-python`."


@file_rule("metadata-author", "warning")
def author(archive: Archive) -> Iterator[str]:
    """Neither an author nor a maintainer is named.

    Set `authors = [{ name = "...", email = "..." }]` in `[project]`.
    """
    fields = ("author", "author-email", "maintainer", "maintainer-email")
    if not any(archive.metadata.first(field) for field in fields):
        yield "neither author nor maintainer is named: set `authors` in [project]."


@file_rule("metadata-source-url", "warning")
def source_url(archive: Archive) -> Iterator[str]:
    """There is no link to the source or a home page, so users cannot find where to report a bug.

    Set `[project.urls]`, for instance `Source = "https://..."`.
    """
    if not any(archive.metadata.first(field) for field in ("project-url", "home-page", "download-url")):
        yield "there is no link to the source or a home page: set [project.urls]."


@file_rule("metadata-local-version", "error")
def local_version(archive: Archive) -> Iterator[str]:
    """The version has a local part (`+...`), which PyPI refuses: "The use of local versions is not allowed".

    Versions read from git (setuptools-scm, hatch-vcs, ...) get one when HEAD is not tagged or the tree is dirty: commit
    and tag, or set the scheme that leaves it out (setuptools-scm, hatch-vcs: `local_scheme = "no-local-version"`).
    A tree that is clean becomes dirty while it is built where git tracks a file that the build writes anew, such as
    `_version.py` or `*.egg-info`: `git rm --cached` it, and ignore it.
    """
    if archive.version.local:
        yield (
            f"PyPI refuses the local part of version {archive.version}. Versions read from git have one when HEAD is"
            " not tagged or the tree is dirty: commit and tag, and let git ignore what the build writes (`_version.py`,"
            " `*.egg-info`)."
        )
