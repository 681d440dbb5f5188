"""Rules on file names: the binary distribution format, PEP 625, and the platforms that PyPI serves."""

import os
from collections.abc import Iterator

from packaging.utils import InvalidWheelFilename

from seatrial.release import filenames
from seatrial.release.filenames import escaped, parsed_version
from seatrial.rules import limits
from seatrial.rules.distribution import Distribution, some
from seatrial.rules.rule import rule, server

ADVICE = {
    "linux_": ": make manylinux wheels (cibuildwheel, auditwheel) and bring them with `--from FOLDER`, or set"
    ' `archives = ["sdist"]` in [tool.seatrial]',
    "macosx_": ": from macOS 11 on a tag ends in `_0`, which MACOSX_DEPLOYMENT_TARGET=11.0 sets while it is built",
}
CONTROLS = frozenset([*map(chr, range(32)), chr(127)])


@rule("file", "filename-characters", "refused", server("forklift/legacy.py", "_validate_filename", "everywhere"))
def characters(dist: Distribution) -> Iterator[str]:
    r"""The file's name contains a control character or a backslash.

    PyPI answers: "Cannot upload a file with non-printable characters", or "with '/' or '\\' in the name". No build
    backend makes such a name: something renamed the file, or the version has a stray line end in it.
    """
    if CONTROLS & set(dist.path.name) or "\\" in dist.path.name:
        yield f"PyPI accepts no control characters or backslashes in a file's name: {dist.path.name!r}."


@rule("file", "filename-extension", "refused", server("forklift/forms.py", "_filetype_extension_mapping", "everywhere"))
def extension(dist: Distribution) -> Iterator[str]:
    """The file is neither a wheel (`.whl`) nor an sdist (`.tar.gz`), spelled just so.

    PyPI answers: "Invalid file extension". Eggs, installers and `.tar.bz2` were given up; an sdist as `.zip` fails by
    its name (PEP 625). setuptools: `python setup.py sdist` with `formats=zip` in setup.cfg makes one; use `build`.
    """
    if not dist.path.name.endswith((".whl", ".tar.gz")):
        yield "PyPI takes wheels (.whl) and sdists (.tar.gz), and no other files."


@rule("file", "filename-wheel", "refused", server("forklift/legacy.py", "file_upload", "everywhere"))
def wheel(dist: Distribution) -> Iterator[str]:
    """A wheel's name is not NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl.

    PyPI answers "Invalid wheel filename", "Invalid build number" (it begins with a digit) or "Invalid project name".
    Every backend writes right names: the file was renamed, or put together by hand.
    """
    if dist.kind == "wheel":
        try:
            filenames.parse(dist.path.name)
        except InvalidWheelFilename as error:
            yield f"{str(error).rstrip('.')}. A wheel is called NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl."
        except ValueError as error:
            yield f"its name cannot be read: {error}."


@rule("file", "filename-sdist", "refused", server("forklift/legacy.py", "file_upload", "everywhere"))
def sdist(dist: Distribution) -> Iterator[str]:
    """An sdist's name is not NAME-VERSION.tar.gz with the normalised name and version of its own metadata (PEP 625).

    PyPI answers: "Filename 'Demo-1.0.tar.gz' is invalid, should be 'demo-1.0.tar.gz'". Old backends keep upper case,
    dots and hyphens, or write the version as it was typed: setuptools 69.3, hatchling, flit-core 3.8, poetry-core 1.4
    and pdm-backend write it right.
    """
    version = parsed_version(dist.metadata.version) if dist.metadata else None
    if dist.path.name.endswith(".tar.gz") and dist.metadata and dist.metadata.name and version is not None:
        expected = f"{escaped(dist.metadata.name)}-{version}.tar.gz"
        if dist.path.name != expected:
            yield f"PyPI takes this sdist only as {expected}, by the name and version in its PKG-INFO (PEP 625)."


@rule("file", "filename-project", "refused", server("forklift/legacy.py", "file_upload", "everywhere"))
def project(dist: Distribution) -> Iterator[str]:
    """A wheel's name does not begin with the normalised name of the project: lower case, underscores for `-` and `.`.

    PyPI answers: "Filename 'Demo-1.0-py3-none-any.whl' should contain the normalized project name 'demo'". Old
    backends keep upper case and dots; setuptools 70.1, hatchling, flit-core 3.8 and poetry-core 1.4 write it right.
    """
    if dist.kind == "wheel" and dist.metadata and dist.metadata.name and dist.name:
        expected, given = escaped(dist.metadata.name), dist.path.name.partition("-")[0]
        if given != expected:
            yield f"its name has to begin with {expected!r} (the normalised Name in METADATA), not with {given!r}."


@rule("file", "filename-version", "refused", server("forklift/legacy.py", "file_upload", "everywhere"))
def version(dist: Distribution) -> Iterator[str]:
    """The version in a wheel's name is not the one in its metadata.

    PyPI answers: "Version in filename should be '1.1' not '1.0'". The file was renamed, or its metadata changed after
    it was built: build it again.
    """
    inside = parsed_version(dist.metadata.version) if dist.metadata else None
    if dist.kind == "wheel" and inside is not None and dist.version is not None and inside != dist.version:
        yield f"its name says version {dist.version}, but its METADATA says {inside}."


@rule("file", "filename-platform", "refused", server("forklift/legacy.py", "_valid_platform_tag"))
def platform(dist: Distribution) -> Iterator[str]:
    """The wheel is for a platform that PyPI does not serve wheels for.

    PyPI answers: "Binary wheel '...' has an unsupported platform tag 'linux_x86_64'". Linux wheels have to be repaired
    to a manylinux or musllinux tag (auditwheel, or cibuildwheel, which runs it, for setuptools, scikit-build-core and
    meson-python; maturin does it by itself) and brought with `--from FOLDER`; or the sdist is released alone, with
    `archives = ["sdist"]` in `[tool.seatrial]`. macOS tags from 11 on end in `_0` (MACOSX_DEPLOYMENT_TARGET=11.0).
    """
    if wrong := sorted({tag.platform for tag in dist.tags if not is_platform(tag.platform)}):
        advice = next((text for system, text in ADVICE.items() if any(tag.startswith(system) for tag in wrong)), "")
        yield f"PyPI takes no wheels for {some(wrong)} (its list as of {limits.SOURCE_DATE}){advice}."


def is_platform(tag: str) -> bool:
    """Whether PyPI takes wheels with the platform `tag`."""
    return tag in limits.PLATFORMS or limits.PLATFORM_PATTERN.fullmatch(tag) is not None


@rule("file", "filename-length", "refused", server("forklift/legacy.py", "file_upload", "everywhere"))
def length(dist: Distribution) -> Iterator[str]:
    """The wheel's name is too long for the server to write `NAME.metadata` beside it: "Filename is too long".

    Mostly a very long local version or build tag, or a compressed set of many tags: shorten it.
    """
    count = len(os.fsencode(dist.path.name))
    if dist.kind == "wheel" and count > limits.FILENAME_LENGTH:
        yield f"its name has {count} bytes, and PyPI takes at most {limits.FILENAME_LENGTH}."


@rule("file", "file-size", "refused", server("constants.py", "UPLOAD_LIMIT_CAP"))
def size(dist: Distribution) -> Iterator[str]:
    """The file is larger than any project may upload: "File too large", and the highest raised limit is 1 GiB.

    Leave out what users do not need, or download it at run time.
    """
    if dist.size > limits.FILE_SIZE_HIGHEST:
        yield f"it has {dist.size:,} bytes; PyPI takes at most {limits.FILE_SIZE_HIGHEST:,}, and that only on request."


@rule("file", "file-size-default", "warning", server("constants.py", "MAX_FILESIZE"))
def size_default(dist: Distribution) -> Iterator[str]:
    """The file is larger than the 100 MiB that a project may upload unless PyPI raised its limit.

    PyPI answers: "File too large. Limit for project 'demo' is 100 MB". Ask for more well before the release
    (docs.pypi.org, "Storage limits"), on TestPyPI too, or leave something out. If the limit is raised, say so:
    `[tool.seatrial.ignore] file-size-default = "our limit is 300 MB"`.
    """
    if limits.FILE_SIZE < dist.size <= limits.FILE_SIZE_HIGHEST:
        yield f"it has {dist.size:,} bytes; PyPI takes {limits.FILE_SIZE:,} unless it raised the project's limit."
