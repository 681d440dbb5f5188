"""Rules on what lies in the archives, and on secrets in them or in tracked files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from seatrial.index.tokens import find_tokens
from seatrial.rules import limits
from seatrial.rules.rule import file_rule, member_rule, release_rule, wheel_rule
from seatrial.rules.sources import practice, server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.rules.distribution import Look
    from seatrial.rules.rule import Release

OURS = frozenset({"register.py", "stages.py", "record.py", "probe.py"})
PRIVATE_KEY = re.compile(  # the marks, and the beginning of a key behind them: code that reads keys has the marks too
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[\\rn\s]+(?:[A-Za-z-]+: [^\r\n]*[\r\n]+)*[A-Za-z0-9+/]{16}"
)
TRACKED_LIMIT = 10 << 20  # bytes
NEWLINE = b"\n"


@file_rule("archive-readable", "error", server("forklift/legacy.py", "_is_valid_dist_file", "everywhere"))
def readable(look: Look) -> Iterator[str]:
    """The file cannot be read to its end as what its name says it is.

    It was cut short, damaged, or made by something else than a build backend. PyPI answers "Invalid distribution file",
    "File is not a zipfile" or "File is not a tarfile", or fails. Build it again; `python -m zipfile -l` or `tar tzf`
    show what is in it.
    """
    if look.trouble:
        cure = " It was cut short or damaged: build it again." if look.size else ""
        yield f"it cannot be read: {look.trouble.rstrip('.')}.{cure}"


@wheel_rule("wheel-release-tooling", "error", practice("our own sessions, which no user is meant to install"))
def release_tooling(look: Look) -> Iterator[str]:
    """The wheel holds the project's release tooling: noxfile.py, or the vendored copy of seatrial.

    It would be installed into the site-packages of every user, beside other projects' files of the same name. Leave it
    out: setuptools `[tool.setuptools.packages.find] include`, pdm-backend `[tool.pdm.build] excludes = ["tasks"]`,
    hatchling `[tool.hatch.build.targets.wheel] packages`.
    """
    names = look.names
    if "noxfile.py" in names:
        yield "noxfile.py would be installed into every user's site-packages: exclude it from the wheel."
    for folder in sorted({name.partition("/")[0] for name in names} - {"seatrial"}):
        if all(f"{folder}/{module}" in names for module in OURS):
            yield f"the release tooling in {folder}/ would be installed by every user: exclude it from the wheel."


@wheel_rule("wheel-pth", "warning", practice("Python's `site`, which runs such files"))
def pth(look: Look) -> Iterator[str]:
    """The wheel installs a `.pth` file, whose lines run at every start of Python.

    A few projects need one (import hooks, editable installs, namespace packages of old). Stolen releases used them too.
    If it is meant, say so: `[tool.seatrial.ignore] wheel-pth = "why"`.
    """
    for member in look.members:
        parts = member.name.split("/")
        library = len(parts) == 1 or (parts[0].endswith(".data") and len(parts) == 3)  # noqa: PLR2004
        if library and parts[-1].endswith(".pth"):
            yield f"{member.name} runs at every start of Python wherever this is installed; is it meant?"


@member_rule("secret-api-token", "error", practice("PyPI's API tokens: whoever has one can use it"))
def token_in_archive(name: str, raw: bytes) -> Iterator[str]:
    """A whole API token of PyPI or TestPyPI stands in a file: whoever downloads it can publish in your name.

    Revoke the token on the index's token page at once, since it may be in git's history too, and remove it.
    """
    if b"pypi-" in raw:
        for line, token in find_tokens(raw.decode("utf-8", "replace")):
            yield _leak(f"{name}:{line}", token.location)


@release_rule("secret-api-token", "error", practice("PyPI's API tokens: whoever has one can use it"))
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


@member_rule("secret-private-key", "warning", practice("what secret scanners look for"))
def private_key(name: str, raw: bytes) -> Iterator[str]:
    """A private key stands in a file. Test suites carry some on purpose; make sure that this is one of those.

    If it is meant, say so: `[tool.seatrial.ignore] secret-private-key = "why"`.
    """
    if b"PRIVATE KEY" in raw and (found := PRIVATE_KEY.search(raw)):
        yield f"{name}:{raw.count(NEWLINE, 0, found.start()) + 1}: a private key; is it meant to be published?"


@member_rule("contents-pyarmor", "error", server("utils/scanner_rules/pyarmor.yar", "pyarmor_encrypted"))
def pyarmor(name: str, raw: bytes) -> Iterator[str]:
    """A module is encrypted with PyArmor. PyPI answers: "PyArmor-encrypted content is not allowed".

    Its acceptable use policy forbids code that nobody can read. Publish the source, or a compiled extension (Cython,
    mypyc, nuitka), which is allowed.
    """
    if _is_scanned(name, raw) and limits.PYARMOR_STEM in raw and any(mark in raw for mark in limits.PYARMOR):
        yield f"{name} is encrypted with PyArmor, which PyPI does not allow."


@member_rule(
    "contents-sourcedefender", "error", server("utils/scanner_rules/sourcedefender.yar", "sourcedefender_encrypted")
)
def sourcedefender(name: str, raw: bytes) -> Iterator[str]:
    """A module is encrypted with SourceDefender. PyPI answers: "SourceDefender-encrypted content is not allowed".

    Its acceptable use policy forbids code that nobody can read. Publish the source.
    """
    if _is_scanned(name, raw) and all(mark in raw for mark in limits.SOURCEDEFENDER):
        yield f"{name} is encrypted with SourceDefender, which PyPI does not allow."


def _is_scanned(name: str, raw: bytes) -> bool:
    return name.lower().endswith(limits.SCANNED) and len(raw) <= limits.SCANNED_SIZE
