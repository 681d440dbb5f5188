"""Rules on what lies in the archives, and on secrets in them or in tracked files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..tokens import find_tokens
from .registry import file_rule, release_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..archives import Archive
    from .registry import Release

OURS = frozenset({"register.py", "stages.py", "record.py", "probe.py"})
PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
TRACKED_LIMIT = 10 << 20  # bytes


@file_rule("wheel-release-tooling", "error")
def release_tooling(archive: Archive) -> Iterator[str]:
    """The wheel holds the project's release tooling: noxfile.py, or the vendored copy of seatrial.

    It would be installed into the site-packages of every user, beside other projects' files of the same name. Leave it
    out: setuptools `[tool.setuptools.packages.find] include`, pdm-backend `[tool.pdm.build] excludes = ["tasks"]`,
    hatchling `[tool.hatch.build.targets.wheel] packages`.
    """
    if archive.kind != "wheel":
        return
    names = {member.name for member in archive.members}
    if "noxfile.py" in names:
        yield "noxfile.py would be installed into every user's site-packages: exclude it from the wheel."
    for folder in sorted({name.partition("/")[0] for name in names} - {"seatrial"}):
        if all(f"{folder}/{module}" in names for module in OURS):
            yield f"the release tooling in {folder}/ would be installed by every user: exclude it from the wheel."


@file_rule("wheel-pth", "warning")
def pth(archive: Archive) -> Iterator[str]:
    """The wheel installs a `.pth` file, whose lines run at every start of Python.

    A few projects need one (import hooks, editable installs, namespace packages of old). Stolen releases used them too.
    If it is meant, say so: `[tool.seatrial.ignore] wheel-pth = "why"`.
    """
    if archive.kind == "wheel":
        for member in archive.members:
            parts = member.name.split("/")
            library = len(parts) == 1 or (parts[0].endswith(".data") and len(parts) == 3)  # noqa: PLR2004
            if library and parts[-1].endswith(".pth"):
                yield f"{member.name} runs at every start of Python wherever this is installed; is it meant?"


@file_rule("wheel-platform-linux", "error")
def platform_linux(archive: Archive) -> Iterator[str]:
    """The wheel is for `linux_...`, as compilers on Linux make it, and PyPI answers "unsupported platform tag".

    Such a wheel may need libraries of the machine that built it. Build manylinux and musllinux wheels with cibuildwheel
    (or mend this one with auditwheel) and bring them with `--from FOLDER`; or release the sdist alone with
    `archives = ["sdist"]` in `[tool.seatrial]`. `linux_armv6l` and `linux_armv7l` are taken.
    """
    platforms = {tag.platform for tag in archive.tags}
    for platform in sorted(platforms - {"linux_armv6l", "linux_armv7l"}):
        if platform.startswith("linux_"):
            yield (
                f"PyPI refuses wheels for `{platform}`: make manylinux wheels (cibuildwheel, auditwheel) and bring them"
                ' with `--from FOLDER`, or set `archives = ["sdist"]` in [tool.seatrial].'
            )


@file_rule("secret-api-token", "error")
def token_in_archive(archive: Archive) -> Iterator[str]:
    """A whole API token of PyPI or TestPyPI stands in a file: whoever downloads it can publish in your name.

    Revoke the token on the index's token page at once, since it may be in git's history too, and remove it.
    """
    for name, text in archive.texts():
        for line, token in find_tokens(text):
            yield _leak(f"{name}:{line}", token.location)


@release_rule("secret-api-token", "error")
def token_in_tree(release: Release) -> Iterator[str]:
    """A whole API token of PyPI or TestPyPI stands in a file that git tracks.

    Revoke the token on the index's token page at once, since it is in git's history, and remove it.
    """
    for name in release.tracked if release.root else ():
        path = release.root / name if release.root else None
        if path is None or path.is_symlink() or not path.is_file() or path.stat().st_size > TRACKED_LIMIT:
            continue
        for line, token in find_tokens(path.read_text(encoding="utf-8", errors="replace")):
            yield _leak(f"{name}:{line} (tracked by git)", token.location)


def _leak(place: str, location: str) -> str:
    host = location if location in {"pypi.org", "test.pypi.org"} else "pypi.org"
    page = f"https://{host}/manage/account/token/"
    return f"{place}: a whole API token of {location or 'an index'}. Revoke it now ({page}) and remove it."


@file_rule("secret-private-key", "warning")
def private_key(archive: Archive) -> Iterator[str]:
    """A private key stands in a file. Test suites carry some on purpose; make sure that this is one of those.

    If it is meant, say so: `[tool.seatrial.ignore] secret-private-key = "why"`.
    """
    for name, text in archive.texts():
        if found := PRIVATE_KEY.search(text):
            yield f"{name}:{text.count(chr(10), 0, found.start()) + 1}: a private key; is it meant to be published?"
