"""Rules on what users miss in core metadata; PyPI takes a release without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import metadata_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..archives import Metadata


@metadata_rule("metadata-summary", "warning")
def summary(metadata: Metadata) -> Iterator[str]:
    """The release has no summary, the one line that PyPI shows under the name and in search results.

    Set `description` in `[project]` (setuptools without `[project]`: `description` in setup.cfg or setup.py; poetry
    before 2: `description` in `[tool.poetry]`).
    """
    if not metadata.first("summary"):
        yield "there is no Summary, the line that PyPI shows under the name: set `description` in [project]."


@metadata_rule("metadata-readme", "warning")
def readme(metadata: Metadata) -> Iterator[str]:
    """The release has no description, so its page on PyPI is empty.

    Set `readme = "README.md"` in `[project]` (setup.cfg: `long_description = file: README.md`).
    """
    if not metadata.description.strip():
        yield "there is no description, so the project's page will be empty: set `readme` in [project]."


@metadata_rule("metadata-license", "warning")
def license_(metadata: Metadata) -> Iterator[str]:
    """The metadata names no licence in any form: no License-Expression, License, License-File or classifier.

    Set `license = "MIT"` (an SPDX expression) and `license-files` in `[project]`.
    """
    named = any(metadata.first(field) for field in ("license-expression", "license", "license-file"))
    if not named and not any(line.startswith("License ::") for line in metadata.all("classifier")):
        yield "no licence is named, so nobody may use it: set `license` in [project] to an SPDX expression."


@metadata_rule("metadata-requires-python", "warning")
def requires_python(metadata: Metadata) -> Iterator[str]:
    """Requires-Python is missing, so installers offer this release to every Python, however old.

    Set `requires-python = ">=3.10"` in `[project]` (setup.cfg: `python_requires`).
    """
    if not metadata.first("requires-python"):
        yield "there is no Requires-Python, so every old Python will be offered this release: set `requires-python`."


@metadata_rule("metadata-author", "warning")
def author(metadata: Metadata) -> Iterator[str]:
    """Neither an author nor a maintainer is named.

    Set `authors = [{ name = "...", email = "..." }]` in `[project]`.
    """
    fields = ("author", "author-email", "maintainer", "maintainer-email")
    if not any(metadata.first(field) for field in fields):
        yield "neither author nor maintainer is named: set `authors` in [project]."


@metadata_rule("metadata-source-url", "warning")
def source_url(metadata: Metadata) -> Iterator[str]:
    """There is no link to the source or a home page, so users cannot find where to report a bug.

    Set `[project.urls]`, for instance `Source = "https://..."`.
    """
    if not any(metadata.first(field) for field in ("project-url", "home-page", "download-url")):
        yield "there is no link to the source or a home page: set [project.urls]."
