"""Rules on what the tags of a wheel promise: in its WHEEL file, in its name, and in its extension modules."""

import email.parser
import re
from collections.abc import Iterator

from packaging.tags import Tag, parse_tag

from seatrial.rules.distribution import Distribution, some
from seatrial.rules.rule import WHEEL, rule

# The systems of platform tags; none for `any`, and for systems whose modules have names of their own.
PREFIXES = {"manylinux": "linux", "musllinux": "linux", "linux": "linux", "macosx": "macosx", "win": "win"}
TAGS, TAG_LENGTH = 1_000, 200  # of WHEEL that are read
EXTENSION = re.compile(  # the end of an extension module's file name, behind the name of the module (PEP 3149)
    r"""(?:\.(?P<interpreter>cpython|pypy|graalpy)-?(?P<version>\d+\w*)(?:-(?P<platform>[\w-]+))?
         |\.cp(?P<windows>\d+\w*)-win\w+
         |\.(?P<stable>abi3)
        )?\.(?P<suffix>so|pyd)$""",
    re.VERBOSE,
)


@rule("wheel", "wheel-version", "broken", WHEEL)
def wheel_version(dist: Distribution) -> Iterator[str]:
    """WHEEL is not UTF-8, or its Wheel-Version is missing or not 1.x. Installers refuse the file.

    Backends write `Wheel-Version: 1.0`; a tool that rewrote the wheel left it out. Build it again.
    """
    if f"{dist.info}/WHEEL" not in dist.kept:
        return
    try:
        dist.kept[f"{dist.info}/WHEEL"].decode("utf-8")
    except UnicodeDecodeError:
        yield "its WHEEL file is not UTF-8, so installers refuse it."
        return
    version = _wheel_fields(dist).get("wheel-version", [""])[0]
    if not re.fullmatch(r"1\.\d{1,9}", version):
        yield f"its WHEEL file says Wheel-Version {some([repr(version)])}; installers accept only 1.x."


@rule("wheel", "wheel-fields", "warning", WHEEL)
def wheel_fields(dist: Distribution) -> Iterator[str]:
    """A field of WHEEL is missing or malformed: Root-Is-Purelib (`true` or `false`), Tag, or Build.

    Where Root-Is-Purelib is not `true`, the wheel is installed as one with machine code. Build is the number
    in the file's name; `wheel tags --build` changes both.
    """
    if f"{dist.info}/WHEEL" not in dist.kept:
        return
    fields = _wheel_fields(dist)
    pure, build = fields.get("root-is-purelib", [""])[0], fields.get("build", [""])[0]
    named = "".join(map(str, dist.build))
    if pure.lower() not in {"true", "false"}:
        yield f"its WHEEL file says Root-Is-Purelib {some([repr(pure)])}, which is neither true nor false."
    if _tags(fields) is None:
        yield f"its WHEEL file has a malformed Tag: {some(fields['tag'])}."
    if build != named:
        yield f"its WHEEL file says build {some([repr(build)])}, but its name says {named!r}."


@rule("wheel", "wheel-tags", "warning", WHEEL)
def tags(dist: Distribution) -> Iterator[str]:
    """The tags in the file's name are not those in WHEEL, so the file was renamed after it was built.

    `wheel tags` changes both at once.
    """
    inside = _tags(_wheel_fields(dist))
    if inside and dist.tags and inside != dist.tags:
        odd = sorted(map(str, inside ^ dist.tags))
        yield f"its name and its WHEEL file have different tags ({some(odd)}); `wheel tags` changes both."


def _tags(fields: dict[str, list[str]]) -> set[Tag] | None:
    """Return the tags among the `fields` of WHEEL, compressed sets spelled out; None where one is malformed."""
    try:
        return {tag for line in fields.get("tag", [])[:TAGS] for tag in parse_tag(line[:TAG_LENGTH])}
    except ValueError:
        return None


def _wheel_fields(dist: Distribution) -> dict[str, list[str]]:
    """Return the values in WHEEL by their lower-case name."""
    raw = dist.kept.get(f"{dist.info}/WHEEL", b"")
    fields: dict[str, list[str]] = {}
    for name, value in email.parser.BytesParser().parsebytes(raw, headersonly=True).items():
        fields.setdefault(name.lower(), []).append(str(value).strip())
    return fields


@rule("wheel", "wheel-extension-pure", "broken", WHEEL)
def extension_pure(dist: Distribution) -> Iterator[str]:
    """A wheel for every platform contains an extension module that one platform alone can load.

    It was built by a backend that does not know of the extension, or left in the tree by an earlier build. Declare the
    extension to the backend (hatchling: `pure_python = false` and `infer_tag = true` from a build hook), or exclude the
    file. Where the package works without it: `[tool.seatrial.ignore] wheel-extension-pure = "why"`.
    """
    names = [name for name in dist.names if (found := EXTENSION.search(name)) and _is_tagged(found)]
    if names and any(tag.platform == "any" for tag in dist.tags):
        yield f"its tags say that it is for every platform, and only one can load {some(sorted(names))}."


@rule("wheel", "wheel-library-pure", "warning", WHEEL)
def library_pure(dist: Distribution) -> Iterator[str]:
    """A wheel for every platform contains a library for one, or an extension module whose name does not say so.

    Where it has one for each platform, or works without: `[tool.seatrial.ignore] wheel-library-pure = "why"`.
    """
    named = {name: EXTENSION.search(name) for name in dist.compiled if name.endswith((".so", ".dylib", ".dll"))}
    names = sorted(name for name, found in named.items() if found is None or not _is_tagged(found))
    if names and any(tag.platform == "any" for tag in dist.tags):
        yield f"its tags say that it is for every platform, but {some(names)} is for one."


@rule("wheel", "wheel-platform-pure", "warning", WHEEL)
def platform_pure(dist: Distribution) -> Iterator[str]:
    """A wheel for one platform contains nothing specific to it: no extension module, library or program.

    The extension was not built (a compiler that is missing, a build that fails softly), or the wheel could be
    `none-any`, for all platforms. setuptools: `ext_modules` or a `Distribution` whose `has_ext_modules` is true.
    """
    platforms = sorted({tag.platform for tag in dist.tags} - {"any"})
    if platforms and not dist.compiled and dist.members and not dist.damaged:
        yield f"its tags say that it is for {some(platforms)} alone, but it contains no machine code: was it built?"


@rule("wheel", "wheel-extension-tag", "broken", WHEEL)
def extension_tag(dist: Distribution) -> Iterator[str]:
    """An extension module is for another Python or platform than those that the wheel's tags name, so none loads it.

    The file was left in the tree by an earlier build, or the wheel was renamed. Build it from a clean checkout, once
    for each Python (cibuildwheel), or against the limited API (`abi3`).
    """
    modules: dict[str, list[re.Match[str]]] = {}
    for name in dist.names:
        if found := EXTENSION.search(name):
            modules.setdefault(name[: found.start()], []).append(found)
    targets = [tag for tag in dist.tags if tag.interpreter.startswith("cp") and tag.abi.startswith(("cp", "abi3"))]
    for tag in sorted(targets, key=str):
        lost = [files[0].string for files in modules.values() if not any(_loads(tag, found) for found in files)]
        if lost:
            yield f"its tag {tag} promises too much: no such Python loads {some(sorted(lost))}."
            return


def _loads(tag: Tag, found: re.Match[str]) -> bool:
    """Whether a Python that `tag` is for can load the extension module whose file name is `found`."""
    if found["interpreter"] not in {None, "cpython"}:
        return False
    version = found["version"] or found["windows"]
    if version and version.rstrip("m") != tag.abi.removeprefix("cp").rstrip("m"):
        return False
    name = found["platform"] or ""
    ours = "win" if found["suffix"] == "pyd" else "macosx" if "darwin" in name else "linux" if "linux" in name else ""
    theirs = next((system for prefix, system in PREFIXES.items() if tag.platform.startswith(prefix)), "")
    return not theirs or ours in {"", theirs}


def _is_tagged(found: re.Match[str]) -> bool:
    """Whether the name of an extension module says what it is for: `.pyd` is for Windows."""
    return bool(found["interpreter"] or found["windows"] or found["stable"] or found["suffix"] == "pyd")
