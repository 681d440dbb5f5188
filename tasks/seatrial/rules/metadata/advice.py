"""Rules on what users miss in core metadata; PyPI takes a release without it."""

import re
from collections.abc import Iterator

from packaging.specifiers import SpecifierSet

from seatrial.release.archives import Metadata
from seatrial.release.filenames import parsed_requirement, parsed_version
from seatrial.rules.rule import METADATA, practice, rule, standard

PATCH = re.compile(r"(==(?!.*\.0$)|<=)\s*3\.(\d{1,3})(\.0)?")  # `==3.11.0` means that one
PYTHON = re.compile(r"Programming Language :: Python :: (3\.\d+)")
COMPARISON = re.compile(r"""(\w+) (==|~=) "([^"]*)"|"([^"]*)" (==) (\w+)""")  # in a marker as packaging writes it
INNERMOST = re.compile(r"\(([^()]*)\)")
# What is written for a system or an implementation by mistake, and what the variable of a marker says there.
WINDOWS = ("windows", "win", "win32", "win64")
MAC = ("mac", "macos", "macosx", "osx", "darwin")
MISTAKEN = {
    "sys_platform": {**dict.fromkeys(WINDOWS, "win32"), **dict.fromkeys(MAC, "darwin"), "linux": "linux"},
    "platform_system": {**dict.fromkeys(WINDOWS, "Windows"), **dict.fromkeys(MAC, "Darwin"), "linux": "Linux"},
    "os_name": {
        **dict.fromkeys((*WINDOWS, "nt"), "nt"),
        **dict.fromkeys((*MAC, "linux", "unix", "posix"), "posix"),
    },
    "platform_python_implementation": {"cpython": "CPython", "pypy": "PyPy"},
    "implementation_name": {"cpython": "cpython", "pypy": "pypy"},
}


@rule("metadata", "metadata-summary", "warning", METADATA)
def summary(metadata: Metadata) -> Iterator[str]:
    """The release has no summary, the one line that PyPI shows under the name and in search results.

    Set `description` in `[project]` (setuptools without `[project]`: `description` in setup.cfg or setup.py; poetry
    before 2: `description` in `[tool.poetry]`).
    """
    if not metadata.first("summary"):
        yield "there is no Summary, the line that PyPI shows under the name: set `description` in [project]."


@rule("metadata", "metadata-readme", "warning", METADATA)
def readme(metadata: Metadata) -> Iterator[str]:
    """The release has no description, so its page on PyPI is empty.

    Set `readme = "README.md"` in `[project]` (setup.cfg: `long_description = file: README.md`).
    """
    if not metadata.description.strip():
        yield "there is no description, so the project's page will be empty: set `readme` in [project]."


@rule("metadata", "metadata-license", "warning", METADATA)
def license_(metadata: Metadata) -> Iterator[str]:
    """The metadata names no licence in any form: no License-Expression, License, License-File or classifier.

    Set `license = "MIT"` (an SPDX expression) and `license-files` in `[project]`.
    """
    named = any(metadata.first(field) for field in ("license-expression", "license", "license-file"))
    if not named and not any(line.startswith("License ::") for line in metadata.all("classifier")):
        yield "no licence is named, so nobody may use it: set `license` in [project] to an SPDX expression."


@rule("metadata", "metadata-requires-python", "warning", METADATA)
def requires_python(metadata: Metadata) -> Iterator[str]:
    """Requires-Python is missing, so installers offer this release to every Python, however old.

    Set `requires-python = ">=3.10"` in `[project]` (setup.cfg: `python_requires`).
    """
    if not metadata.first("requires-python"):
        yield "there is no Requires-Python, so every old Python will be offered this release: set `requires-python`."


@rule("metadata", "metadata-author", "warning", METADATA)
def author(metadata: Metadata) -> Iterator[str]:
    """Neither an author nor a maintainer is named.

    Set `authors = [{ name = "...", email = "..." }]` in `[project]`.
    """
    if not any(metadata.first(field) for field in ("author", "author-email", "maintainer", "maintainer-email")):
        yield "neither author nor maintainer is named: set `authors` in [project]."


@rule("metadata", "metadata-source-url", "warning", standard("well-known project URLs", "well-known-project-urls"))
def source_url(metadata: Metadata) -> Iterator[str]:
    """There is no link to the source or a home page, so users cannot find where to report a bug.

    Set `[project.urls]`, for instance `Source = "https://..."`.
    """
    if not any(metadata.first(field) for field in ("project-url", "home-page", "download-url")):
        yield "there is no link to the source or a home page: set [project.urls]."


@rule("metadata", "metadata-python-classifiers", "warning", practice("the two fields, which have to agree"))
def python_classifiers(metadata: Metadata) -> Iterator[str]:
    """A classifier names a Python that Requires-Python leaves out, so one of the two is wrong.

    `requires-python` is what installers obey; the classifiers are for people.
    """
    try:
        supported = SpecifierSet(metadata.first("requires-python") or "")
    except ValueError:  # InvalidSpecifier, on which there is a rule of its own
        return
    named = [found[1] for line in metadata.all("classifier") if (found := PYTHON.fullmatch(line))]
    if left_out := [version for version in named if not supported.contains(f"{version}.99")]:
        yield f"the classifiers name Python {', '.join(left_out)}, which Requires-Python ({supported}) leaves out."


@rule("metadata", "metadata-requires-python-patch", "warning", METADATA)
def requires_python_patch(metadata: Metadata) -> Iterator[str]:
    """Requires-Python is `==3.X` or `<=3.X`, which leaves out 3.X.1 and all later ones: versions are compared whole.

    pip refuses the release on nearly every such Python. Write `==3.11.*`, or `<3.12`.
    """
    for clause in map(str.strip, (metadata.first("requires-python") or "").split(",")):
        if narrow := PATCH.fullmatch(clause):
            instead = f"==3.{narrow[2]}.*" if narrow[1] == "==" else f"<3.{int(narrow[2]) + 1}"
            yield f"Requires-Python {clause} leaves out Python 3.{narrow[2]}.1 and later: write {instead}."


@rule("metadata", "metadata-license-classifier", "warning", METADATA)
def license_classifier(metadata: Metadata) -> Iterator[str]:
    """A licence classifier accompanies License-Expression, which has replaced it (PEP 639).

    Remove the `License ::` classifiers; some backends refuse the pair already.
    """
    old = [line for line in metadata.all("classifier") if line.startswith("License ::")]
    if old and metadata.first("license-expression"):
        yield f"License-Expression has replaced the classifier {', '.join(map(repr, old))}: remove it."


@rule("metadata", "metadata-deprecated", "warning", METADATA)
def deprecated(metadata: Metadata) -> Iterator[str]:
    """A field is set that nothing reads any more: Requires, Provides, Obsoletes.

    Requires-Dist has replaced them: `dependencies` in `[project]`. In setup.py they come from `requires`, `provides`
    and `obsoletes`.
    """
    if old := [field for field in ("requires", "provides", "obsoletes") if metadata.all(field)]:
        yield f"nothing reads {', '.join(old)} any more: set `dependencies` in [project]."


@rule("metadata", "metadata-marker", "warning", standard("dependency specifiers", "dependency-specifiers"))
def marker(metadata: Metadata) -> Iterator[str]:
    """A requirement has a marker that holds nowhere, so it is never installed.

    Windows is `sys_platform == "win32"`, `platform_system == "Windows"` and `os_name == "nt"`; macOS is
    `sys_platform == "darwin"` and `platform_system == "Darwin"`. `python_version` has two parts, so that it is never
    equal to `3.12.1`: compare `python_full_version`. Values that may be those of a system that is not known here are
    not reported.
    """
    for line in metadata.all("requires-dist"):
        requirement = parsed_requirement(line)
        text = str((requirement and requirement.marker) or "")  # as packaging writes it
        cures = [cure for match in COMPARISON.finditer(text) if (cure := _mistake(match))]
        if cures and not _can_hold(COMPARISON.sub(lambda match: "never" if _mistake(match) else match[0], text)):
            yield f"{line!r} is installed nowhere, by its marker: {cures[0]}."


def _mistake(comparison: re.Match[str]) -> str:
    """Return why a `comparison` is never true, with what is to be written; nothing where it may be."""
    variable, operator = comparison[1] or comparison[6], comparison[2] or comparison[5]
    value = comparison[3] if comparison[1] else comparison[4]
    right = MISTAKEN.get(variable, {}).get(value.lower(), value)
    if operator == "==" and right != value:
        return f'{variable} is never "{value}", but "{right}"'
    version = parsed_version(value) if variable == "python_version" else None
    if version and any(version.release[2:]):
        return f"python_version has two parts, as in 3.12, and is never {value}; python_full_version has three"
    return ""


def _can_hold(text: str) -> bool:
    """Whether a marker can hold in which `never` stands for what is never true."""
    while inner := INNERMOST.search(text):
        text = f"{text[: inner.start()]}{'perhaps' if _can_hold(inner[1]) else 'never'}{text[inner.end() :]}"
    return any("never" not in chain.split(" and ") for chain in text.split(" or "))
