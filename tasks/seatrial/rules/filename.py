"""Rules on file names: the binary distribution format, PEP 625, and the platforms that PyPI serves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from seatrial.rules import limits
from seatrial.rules.distribution import canonical, some
from seatrial.rules.rule import file_rule
from seatrial.rules.sources import server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.rules.distribution import Look

LINUX = (
    ": make manylinux wheels (cibuildwheel, auditwheel) and bring them with `--from FOLDER`, or set"
    ' `archives = ["sdist"]` in [tool.seatrial]'
)
MACOS = ": from macOS 11 on a tag ends in `_0`, which MACOSX_DEPLOYMENT_TARGET=11.0 sets while it is built"
ADVICE = {"linux_": LINUX, "macosx_": MACOS}
CONTROLS = frozenset([*map(chr, range(32)), chr(127)])


@file_rule("filename-characters", "error", server("forklift/legacy.py", "_validate_filename", "everywhere"))
def characters(look: Look) -> Iterator[str]:
    r"""The file's name holds a control character or a backslash.

    PyPI answers: "Cannot upload a file with non-printable characters", or "with '/' or '\\' in the name". No build
    backend makes such a name: something renamed the file, or the version has a stray line end in it.
    """
    if CONTROLS & set(look.path.name) or "\\" in look.path.name:
        yield f"PyPI takes no control characters and no backslashes in a file's name: {look.path.name!r}."


@file_rule("filename-extension", "error", server("forklift/forms.py", "_filetype_extension_mapping", "everywhere"))
def extension(look: Look) -> Iterator[str]:
    """The file is neither a wheel (`.whl`) nor an sdist (`.tar.gz`), spelled just so.

    PyPI answers: "Invalid file extension". Eggs, installers and `.tar.bz2` were given up; an sdist as `.zip` fails by
    its name (PEP 625). setuptools: `python setup.py sdist` with `formats=zip` in setup.cfg makes one; use `build`.
    """
    if not look.path.name.endswith((".whl", ".tar.gz")):
        yield "PyPI takes wheels (.whl) and sdists (.tar.gz), and no other files."


@file_rule("filename-wheel", "error", server("forklift/legacy.py", "file_upload", "everywhere"))
def wheel(look: Look) -> Iterator[str]:
    """A wheel's name is not NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl.

    PyPI answers "Invalid wheel filename", "Invalid build number" (it begins with a digit) or "Invalid project name".
    Every backend writes right names: the file was renamed, or put together by hand.
    """
    if look.kind == "wheel":
        try:
            parse_wheel_filename(look.path.name)
        except InvalidWheelFilename as error:
            yield f"{str(error).rstrip('.')}. A wheel is called NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl."
        except ValueError as error:
            yield f"its tags cannot be read: {error}."


@file_rule("filename-sdist", "error", server("forklift/legacy.py", "file_upload", "everywhere"))
def sdist(look: Look) -> Iterator[str]:
    """An sdist's name is not NAME-VERSION.tar.gz with the normalised name and version of its own metadata (PEP 625).

    PyPI answers: "Filename 'Demo-1.0.tar.gz' is invalid, should be 'demo-1.0.tar.gz'". Old backends keep upper case,
    dots and hyphens, or write the version as it was typed: setuptools 69.3, hatchling, flit-core 3.8, poetry-core 1.4
    and pdm-backend write it right.
    """
    if look.kind != "sdist" or not look.path.name.endswith(".tar.gz") or not look.metadata:
        return
    name, version = look.metadata.name, _version(look.metadata.version)
    if name is None or version is None:
        return
    wanted = f"{canonical(name)}-{version}.tar.gz"
    if look.path.name != wanted:
        yield f"PyPI takes this sdist only as {wanted}, by the name and version in its PKG-INFO (PEP 625)."


@file_rule("filename-project", "error", server("forklift/legacy.py", "file_upload", "everywhere"))
def project(look: Look) -> Iterator[str]:
    """A wheel's name does not begin with the normalised name of the project: lower case, underscores for `-` and `.`.

    PyPI answers: "Filename 'Demo-1.0-py3-none-any.whl' should contain the normalized project name 'demo'". Old
    backends keep upper case and dots; setuptools 70.1, hatchling, flit-core 3.8 and poetry-core 1.4 write it right.
    """
    if look.kind == "wheel" and look.metadata and look.metadata.name and look.name:
        wanted, given = canonical(look.metadata.name), look.path.name.partition("-")[0]
        if given != wanted:
            yield f"its name has to begin with {wanted!r} (the normalised Name in METADATA), not with {given!r}."


@file_rule("filename-version", "error", server("forklift/legacy.py", "file_upload", "everywhere"))
def version(look: Look) -> Iterator[str]:
    """The version in a wheel's name is another than that in its metadata.

    PyPI answers: "Version in filename should be '1.1' not '1.0'". The file was renamed, or its metadata changed after
    it was built: build it again.
    """
    if look.kind == "wheel" and look.metadata and look.version is not None:
        inside = _version(look.metadata.version)
        if inside is not None and inside != look.version:
            yield f"its name says version {look.version}, its METADATA says {inside}."


@file_rule("filename-platform", "error", server("forklift/legacy.py", "_valid_platform_tag"))
def platform(look: Look) -> Iterator[str]:
    """The wheel is for a platform that PyPI does not serve wheels for.

    PyPI answers: "Binary wheel '...' has an unsupported platform tag 'linux_x86_64'". Linux wheels have to be repaired
    to a manylinux or musllinux tag (auditwheel, or cibuildwheel, which runs it, for setuptools, scikit-build-core and
    meson-python; maturin does it by itself) and brought with `--from FOLDER`; or the sdist is released alone, with
    `archives = ["sdist"]` in `[tool.seatrial]`. macOS tags from 11 on end in `_0` (MACOSX_DEPLOYMENT_TARGET=11.0).
    """
    tags = sorted({tag.platform for tag in look.tags})
    if wrong := [tag for tag in tags if not is_platform(tag)]:
        advice = next((text for system, text in ADVICE.items() if any(tag.startswith(system) for tag in wrong)), "")
        yield f"PyPI takes no wheels for {some(wrong)} (its list as of {limits.SOURCE_DATE}){advice}."


def is_platform(tag: str) -> bool:
    """Whether PyPI takes wheels with the platform `tag`."""
    return tag in limits.PLATFORMS or any(pattern.fullmatch(tag) for pattern in limits.PLATFORM_PATTERNS)


@file_rule("filename-length", "error", server("forklift/legacy.py", "file_upload", "everywhere"))
def length(look: Look) -> Iterator[str]:
    """The wheel's name is too long for the server to write `NAME.metadata` beside it: "Filename is too long".

    Mostly a very long local version or build tag, or a compressed set of many tags: shorten it.
    """
    count = len(os.fsencode(look.path.name))
    if look.kind == "wheel" and count > limits.FILENAME_LENGTH:
        yield f"its name has {count} bytes, and PyPI takes at most {limits.FILENAME_LENGTH}."


@file_rule("file-size", "error", server("constants.py", "UPLOAD_LIMIT_CAP"))
def size(look: Look) -> Iterator[str]:
    """The file is larger than any project may upload: "File too large", and the highest raised limit is 1 GiB.

    Leave out what users do not need, or download it at run time.
    """
    if look.size > limits.FILE_SIZE_HIGHEST:
        yield f"it has {look.size:,} bytes; PyPI takes at most {limits.FILE_SIZE_HIGHEST:,}, and that only on request."


@file_rule("file-size-default", "warning", server("constants.py", "MAX_FILESIZE"))
def size_default(look: Look) -> Iterator[str]:
    """The file is larger than the 100 MiB that a project may upload unless PyPI raised its limit.

    PyPI answers: "File too large. Limit for project 'demo' is 100 MB". Ask for more well before the release
    (docs.pypi.org, "Storage limits"), on TestPyPI too, or leave something out. If the limit is raised, say so:
    `[tool.seatrial.ignore] file-size-default = "our limit is 300 MB"`.
    """
    if limits.FILE_SIZE < look.size <= limits.FILE_SIZE_HIGHEST:
        yield f"it has {look.size:,} bytes; PyPI takes {limits.FILE_SIZE:,} unless it raised the project's limit."


def _version(text: str | None) -> Version | None:
    try:
        return Version(text or "")
    except InvalidVersion:
        return None
