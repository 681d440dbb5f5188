"""Rules on the metadata that says what a file is: Metadata-Version, Name, Version, and which fields are allowed."""

import collections
import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from seatrial.release.archives import Metadata
from seatrial.release.filenames import parsed_version
from seatrial.rules import limits
from seatrial.rules.distribution import some
from seatrial.rules.rule import library, practice, rule, server

NAME = re.compile(r"[A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9]", re.IGNORECASE | re.ASCII)
SUPPORTED = server("forklift/metadata.py", "SUPPORTED_METADATA_VERSIONS", "everywhere")
TWINE = practice("`twine upload`, which sends no header that it does not know")


@rule("metadata", "metadata-version", "refused", SUPPORTED)
def metadata_version(metadata: Metadata) -> Iterator[str]:
    """Metadata-Version is missing, or unknown to PyPI. It answers: "'X' is not a valid metadata version".

    Backends write it. A newer one than PyPI takes means that the backend is ahead of PyPI: use an older release of it.
    Where it seems to be missing although it is there, something precedes it (a byte order mark, a blank line).
    """
    given = metadata.first("metadata-version")
    if given not in limits.METADATA_VERSIONS:
        known = f"{limits.METADATA_VERSIONS[0]} to {limits.METADATA_VERSIONS[-1]} (2.0 never was one)"
        said = f"Metadata-Version, which the build backend writes, is {given or 'missing'}"
        yield f"{said}; PyPI takes {known} as of {limits.SOURCE_DATE}."


@rule("metadata", "metadata-name", "refused", library("_process_name"))
def name(metadata: Metadata) -> Iterator[str]:
    """Name is missing (or `UNKNOWN`, which PyPI takes for missing), or is not a valid project name.

    PyPI answers: "Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'".
    `UNKNOWN` comes from setuptools older than 61 in a project whose name is in `[project]`: require `setuptools>=61`.
    """
    given = metadata.name
    if given is None:
        yield "there is no Name (PyPI takes UNKNOWN for none): set `name` in [project]."
    elif not NAME.fullmatch(given):
        rule_of_names = "ASCII letters, digits, `.`, `_`, `-`, a letter or digit at both ends"
        yield f"{some([repr(given)])} is not a valid project name: {rule_of_names}."


@rule("metadata", "metadata-release-version", "refused", library("_process_version"))
def release_version(metadata: Metadata) -> Iterator[str]:
    """Version is missing or invalid (PEP 440). PyPI answers: "'X' is invalid for 'version'".

    Write it as in `1.0`, `1.0rc1`, `1.0.post1`, `1.0.dev3`.
    """
    given = metadata.version
    if given is None:
        yield "there is no Version: set `version` in [project], or what computes it."
    elif parsed_version(given) is None:
        yield f"{some([repr(given)])} is not a valid version (PEP 440)."


@rule("metadata", "metadata-local-version", "refused", server("forklift/metadata.py", "_validate_metadata"))
def local_version(metadata: Metadata) -> Iterator[str]:
    """The version has a local part (`+...`), which PyPI refuses: "The use of local versions is not allowed".

    If the version is static, remove that part.
    Versions read from git (setuptools-scm, hatch-vcs, ...) get one when HEAD is not tagged or the tree is dirty: commit
    and tag, or set the scheme that leaves it out (setuptools-scm, hatch-vcs: `local_scheme = "no-local-version"`).
    A tree that is clean becomes dirty while it is built where git tracks a file that the build rewrites, such as
    `_version.py` or `*.egg-info`: `git rm --cached` it, and ignore it.
    """
    version = parsed_version(metadata.version)
    if version is not None and version.local:
        git = "one that is read from git has it when HEAD is not tagged or the tree is dirty"
        cure = "commit and tag, and let git ignore what the build writes (`_version.py`, `*.egg-info`)"
        yield (f"PyPI refuses the local part of version {version}. If the version is static, remove it; {git}: {cure}.")


@rule("metadata", "metadata-repeated", "refused", server("forklift/metadata.py", "parse_form_metadata", "everywhere"))
def repeated(metadata: Metadata) -> Iterator[str]:
    """A field that may appear once appears more than once, or two Project-URLs have one label.

    PyPI answers: "'FIELD' has invalid data". Backends write each once; a script that edits metadata repeats them.
    """
    if again := [field for field in sorted(limits.SINGLE_USE) if len(metadata.fields.get(field, ())) > 1]:
        yield f"these fields may appear once, but appear more than once: {some(again)}."
    labels = collections.Counter(value.partition(",")[0].strip() for value in metadata.all("project-url"))
    if twice := sorted(label for label, count in labels.items() if count > 1):
        yield f"two Project-URLs have the label {some(twice)}: PyPI accepts one each."


@rule("metadata", "metadata-field-version", "refused", library("Metadata.from_raw"))
def field_version(metadata: Metadata) -> Iterator[str]:
    """A field is set that came with a later Metadata-Version than the one declared.

    PyPI answers: "'FIELD' introduced in metadata version 2.4, not 2.1". A newer build backend writes a newer version; a
    script that adds a field has to raise it. (License-File is an exception: setuptools wrote it early, and uploaders
    leave it out there.)
    """
    declared = metadata.first("metadata-version")
    if declared not in limits.METADATA_VERSIONS:
        return
    place = limits.METADATA_VERSIONS.index
    early = [
        f"{field} (since {since})"
        for field, since in sorted(limits.INTRODUCED.items())
        if any(map(str.strip, metadata.all(field))) and place(since) > place(declared) and field != "license-file"
    ]
    if early:
        newer = "a newer build backend writes a newer Metadata-Version"
        yield f"its metadata has version {declared}, which does not have {some(early)}; {newer}."


@rule("metadata", "metadata-unknown-field", "refused", TWINE)
def unknown_field(metadata: Metadata) -> Iterator[str]:
    """A field is set that core metadata does not have, so `twine upload` refuses to send the file.

    A misspelt field, or a description line that slipped into the header: a blank line has to come before it.
    """
    if strange := [field for field in metadata.fields if field not in limits.FIELDS]:
        named = some([repr(field) for field in strange])
        yield f"its metadata has fields that do not exist: {named}; misspelt, or a line of the description among them?"


@rule("metadata", "metadata-name-stdlib", "warning", server("packaging/services.py", "STDLIB_PROHIBITED"))
def name_stdlib(metadata: Metadata) -> Iterator[str]:
    """The name is that of a module of the standard library, so PyPI allows no new project of that name.

    PyPI answers: "The name 'X' isn't allowed (conflict with Python Standard Library module name)". A project that has
    such a name already goes on working. `check` asks the index: where there is no such project, it is an error
    (index-name-stdlib).
    """
    if metadata.name and canonicalize_name(metadata.name) in limits.stdlib_names():
        yield f"{metadata.name!r} is a module of the standard library, and PyPI allows no new project of that name."
