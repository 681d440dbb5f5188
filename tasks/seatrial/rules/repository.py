"""Rules on what is beside the code in the repository: changelog, other workflows, settings that nothing reads.

Those on changelog and workflows are for a release, so a dry run leaves them out: it is run on any commit.
"""

import configparser
import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from seatrial.machine import toml
from seatrial.machine.errors import shortened
from seatrial.project.settings import table
from seatrial.release.filenames import parsed_requirement, parsed_version
from seatrial.rules.distribution import Release
from seatrial.rules.rule import practice, rule
from seatrial.rules.wheel.entry_points import scripts_of

CHANGELOG = re.compile(
    r"(docs?/(source/)?)?(change-?log|changes|history|news|releases?|release[-_]?notes|what-?s[-_]?new)"
    r"(\.(md|markdown|rst|txt))?",
    re.IGNORECASE,
)
UNDERLINE = re.compile(r"([=\-~^\"'`*+#])\1{2,}\s*")  # of a title in reStructuredText, also in Markdown
TITLE = re.compile(r"#{1,6}\s|=+\s|(version|release)?\s*\[?v?\d+\.\d", re.IGNORECASE)  # a line that is one by itself
VERSION = re.compile(r"(?<![\w.])v?(\d+(?:\.\d+)+[\w.+-]*)", re.IGNORECASE)
# Such as 12.bugfix.rst and +note.feature.
FRAGMENT = re.compile(r"[^._].*\.(?!(md|rst|txt)$)[a-z_-]+(\.\d+)?(\.(md|rst|txt))?", re.IGNORECASE)
NO_FRAGMENTS = re.compile(r"(readme|template|towncrier_template|\.git).*|.*\.(jinja2?|j2|toml|py)", re.IGNORECASE)
UPLOADERS = re.compile(
    r"pypa/gh-action-pypi-publish|\btwine\s+upload|\b(?:uv|poetry|pdm|hatch|flit|maturin)\s+publish|\bmaturin\s+upload"
    r"|\bsetup\.py\b.*\bupload\b"
)
LIMIT = 1 << 20  # bytes that are read of a file


@rule("release", "release-changelog", "warning", practice("[Keep a Changelog](https://keepachangelog.com/)"))
def changelog(release: Release) -> Iterator[str]:
    """The changelog has a title for each of other versions, and none for this one.

    Rename its "Unreleased" section to the version, or write one, and commit before the release. Files that are looked
    at are those with the usual names (CHANGELOG, CHANGES, HISTORY, NEWS, release notes) at the top of the project or in
    `docs/`. A pre-release is looked for only where others are named.
    """
    version = _version(release)
    names = [name for name in release.tracked if CHANGELOG.fullmatch(name)]
    named = {version for name in names for version in _titles(_text(release, name))}
    older = [other for other in named if version and other < version]
    if not release.is_due or version is None or not older or not _is_of_a_kind(version, named):
        return
    is_series = all(len(other.release) < len(version.release) for other in named)
    found = [other for other in named if is_series and version.release[: len(other.release)] == other.release]
    if version not in named and not found:
        who = f"{' and '.join(names)} {'names' if len(names) == 1 else 'name'}"
        yield f"{who} versions up to {max(older)}, but not {version}, which is to be released."


def _version(release: Release) -> Version | None:
    return next((archive.version for archive in release.archives if archive.version), None)


def _is_of_a_kind(version: Version, named: set[Version]) -> bool:
    """Whether versions such as `version` are named at all: development versions never are, pre-releases seldom."""
    if version.is_devrelease or version.local:
        return False
    if version.is_prerelease:
        return any(other.is_prerelease for other in named)
    return not version.is_postrelease or any(other.is_postrelease for other in named)


def _titles(text: str) -> Iterator[Version]:
    """Yield the versions that the titles of a changelog name."""
    lines = text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if TITLE.match(line) or UNDERLINE.fullmatch(following):
            yield from filter(None, (parsed_version(match[1].rstrip(".-")) for match in VERSION.finditer(line)))


@rule("release", "release-news-fragments", "warning", practice("[towncrier](https://towncrier.readthedocs.io/)"))
def news_fragments(release: Release) -> Iterator[str]:
    """News fragments of towncrier are left: the changelog was not made of them for this release.

    Run `towncrier build`, commit what it changes, and tag that commit. A pre-release may leave them.
    """
    version, folder = _version(release), _fragments_in(release)
    if not release.is_due or version is None or version.is_prerelease or not folder:
        return
    lasts = {name: name.rpartition("/")[2] for name in release.tracked if name.startswith(f"{folder}/")}
    left = [name for name, last in lasts.items() if FRAGMENT.fullmatch(last) and not NO_FRAGMENTS.fullmatch(last)]
    if left:
        yield f"news fragments are left in {folder}/, for a changelog that `towncrier build` makes:{shortened(left)}"


def _fragments_in(release: Release) -> str:
    """Return the folder that the settings of towncrier name, with its default; empty where there are none."""
    for name, keys in (("towncrier.toml", ()), ("pyproject.toml", ("tool",))):
        document: Mapping[str, Any] = {}
        with contextlib.suppress(ValueError):
            document = toml.parse(_text(release, name))
        if "towncrier" in table(document, *keys):
            settings = table(document, *keys, "towncrier")
            package = settings.get("package", "")
            source = PurePosixPath(str(settings.get("package_dir", ".")), str(package).replace(".", "/"))
            folder = settings.get("directory") or (source / "newsfragments" if package else "newsfragments")
            return PurePosixPath(str(folder)).as_posix()
    return ""


@rule("release", "release-other-workflow", "warning", practice("one way to release, which builds once"))
def other_workflow(release: Release) -> Iterator[str]:
    """A workflow of GitHub or GitLab builds this project again and uploads what it built.

    Those are not the files that were rehearsed, and whichever comes second is refused: a file name is taken once. Take
    the upload out of that workflow, or have it run `testpypi`, `verify` and `pypi` instead (docs/how-to/ci.md).
    """
    for name, text in release.workflows.items() if release.is_due else ():
        lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
        if found := next((match[0] for line in lines if (match := UPLOADERS.search(line))), ""):
            yield f"{name} uploads too (`{' '.join(found.split())}`): files other than those rehearsed here."


@rule("release", "release-unread-settings", "warning", practice("build backends, which take these from `[project]`"))
def unread_settings(release: Release) -> Iterator[str]:
    """Scripts or requirements are declared beside the table `[project]`, and the wheel has none of that name.

    Where there is `[project]`, build backends take scripts and requirements from it. Move what stands in
    `[tool.poetry.scripts]`, or in setup.cfg under `[options.entry_points]` and `install_requires`, into
    `[project.scripts]` and `dependencies`.
    """
    document: Mapping[str, Any] = {}
    with contextlib.suppress(ValueError):
        document = toml.parse(_text(release, "pyproject.toml"))
    wheel = next((archive for archive in release.archives if archive.kind == "wheel" and archive.metadata), None)
    if "project" not in document or wheel is None or wheel.metadata is None:
        return
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    with contextlib.suppress(configparser.Error):
        parser.read_string(_text(release, "setup.cfg"))
    commands = parser.get("options.entry_points", "console_scripts", fallback="").splitlines()
    required = parser.get("options", "install_requires", fallback="").splitlines()
    made, _ = scripts_of(wheel)
    brought = _projects(wheel.metadata.all("requires-dist"))
    poetry = table(document, "tool", "poetry", "scripts").items()
    ignored = {
        "the scripts in [tool.poetry.scripts]": {name for name, value in poetry if isinstance(value, str)} - {*made},
        "the scripts in setup.cfg": {line.partition("=")[0].strip() for line in commands if "=" in line} - {*made},
        "the requirements in setup.cfg": _projects(required) - brought,
    }
    for what, names in ignored.items():
        if names:
            yield f"{what} are not in the wheel ({', '.join(sorted(names))}): move them into [project]."


def _projects(lines: Iterable[str]) -> set[str]:
    """Return the projects that requirements name, normalised; no line such as ``file: requirements.txt``."""
    return {canonicalize_name(one.name) for one in map(parsed_requirement, lines) if one}


def _text(release: Release, name: str) -> str:
    """Return the beginning of the tracked file `name`, empty where there is none."""
    if release.root is None or name not in release.tracked or not (release.root / name).is_file():
        return ""
    with (release.root / name).open("rb") as file:
        return file.read(LIMIT).decode("utf-8", "replace")
