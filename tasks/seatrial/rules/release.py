"""Rules on the files of a release together: beside each other, beside what git has, and beside the tag at HEAD."""

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name
from packaging.version import Version

from seatrial.machine.errors import shortened
from seatrial.project.exclusions import dropped
from seatrial.release.filenames import parsed_version
from seatrial.rules.distribution import LICENSE_WORDS, Release
from seatrial.rules.rule import METADATA, practice, rule, server

COMPARED = ("name", "version", "summary", "requires-python", "requires-dist", "provides-extra", "license-expression")
MODULES = (".py", ".so", ".pyd")
SHOWN = 80
LAYOUT = frozenset({"src", "lib", "python"})  # folders that hold packages and are none
ASIDE = frozenset("test tests testing doc docs example examples benchmark benchmarks script scripts tool tools".split())
SPELT = "(The setting `tag` says how tags are spelt.)"
OFFLINE = practice("Linux distributions and conda-forge, which build offline")
GENERATED = re.compile(  # what builds write into packages: versions, protocol buffers, what is compiled or translated
    r"_?_?version\w*\.\w+|\w+_pb2(_grpc)?\.pyi?|.+\.(so|pyd|dll|dylib|lib|a|mo|qm|c|cpp|pth)(\.\d+)*", re.IGNORECASE
)


@rule("release", "release-one-project", "refused", practice("one release, one project"))
def one_project(release: Release) -> Iterator[str]:
    """The files belong to more than one project. Each upload goes to the project in its own metadata."""
    if len(names := sorted({archive.name for archive in release.archives})) > 1:
        yield f"these files belong to more than one project: {', '.join(names)}."


@rule("release", "release-one-version", "refused", practice("one release, one version"))
def one_version(release: Release) -> Iterator[str]:
    """The files have more than one version.

    Files of an older build are among them, or the version is computed again for each file.
    """
    if len(versions := sorted({archive.version for archive in release.archives if archive.version})) > 1:
        yield f"these files have more than one version: {', '.join(map(str, versions))}."


@rule("release", "release-one-sdist", "refused", server("forklift/legacy.py", "file_upload"))
def one_sdist(release: Release) -> Iterator[str]:
    """There is more than one sdist. PyPI answers: "Only one sdist may be uploaded per release"."""
    if len(sdists := [archive.path.name for archive in release.archives if archive.kind == "sdist"]) > 1:
        yield f"PyPI takes one sdist per release; these are {len(sdists)}: {', '.join(sorted(sdists))}."


@rule("release", "release-no-sdist", "warning", practice("Linux distributions and conda-forge, which build from it"))
def no_sdist(release: Release) -> Iterator[str]:
    """There is no sdist: Linux distributions, conda-forge and platforms without a wheel cannot build it."""
    if not any(archive.kind == "sdist" for archive in release.archives):
        yield "there is no sdist, so packagers and platforms without a wheel have nothing to build from."


@rule("release", "release-no-wheel", "warning", practice("installers, which build what has no wheel"))
def no_wheel(release: Release) -> Iterator[str]:
    """There is no wheel: every user builds it, and runs the build backend to learn the metadata."""
    if not any(archive.kind == "wheel" for archive in release.archives):
        yield "there is no wheel, so every installation has to build the sdist first."


@rule("release", "release-lost-modules", "broken", practice("a wheel of the checkout, compared with that of the sdist"))
def lost_modules(release: Release) -> Iterator[str]:
    """A module is in a wheel of the checkout and not in the wheel, which is built from the sdist.

    The sdist does not contain it, so nobody who installs this release has it. Name it in the build backend's settings
    (MANIFEST.in, `include`; release-left-out has them for each), or keep it out of the wheel.
    """
    if lost := [name for name in release.lacking if name.endswith(MODULES) and not _is_test(name)]:
        yield f"these modules are lost on the way through the sdist{dropped(release.root, lost)}:{shortened(lost)}"


@rule("release", "release-lost-files", "warning", practice("a wheel of the checkout, compared with that of the sdist"))
def lost_files(release: Release) -> Iterator[str]:
    """A data file, a stub or a test is in a wheel of the checkout and not in the wheel, built from the sdist.

    Data that the code reads at run time is missed by whoever installs this release; tests mostly are not.
    """
    if lost := [name for name in release.lacking if not name.endswith(MODULES) or _is_test(name)]:
        yield f"these files are lost on the way through the sdist{dropped(release.root, lost)}:{shortened(lost)}"


@rule("release", "release-build-reaches", "warning", OFFLINE)
def build_reaches(release: Release) -> Iterator[str]:
    """The wheel could be built from the sdist only with the program git or the network in reach.

    Linux distributions and conda-forge build without both once the requirements in `[build-system]` are there. Put what
    is fetched into the sdist, or into those requirements, and have the sdist carry what git would say. What a Rust
    project asks of crates.io, packagers know how to bring.
    """
    if release.reached:
        yield f"the build of the wheel from the sdist asked for more than its requirements:{shortened(release.reached)}"


def _is_test(name: str) -> bool:
    return any(part.startswith("test") for part in name.split("/"))


@rule("release", "release-metadata-agree", "warning", METADATA)
def metadata_agree(release: Release) -> Iterator[str]:
    """The sdist's PKG-INFO and a wheel's METADATA differ in a field that the sdist does not call Dynamic.

    Installers may trust either (core metadata 2.2, "Dynamic"). Usually the build computes the field from its
    surroundings; declare it in `dynamic`, or make it static.
    """
    said = [(archive.kind, archive.path.name, archive.metadata) for archive in release.archives if archive.metadata]
    if sdist := next((metadata for kind, _, metadata in said if kind == "sdist"), None):
        dynamic = {field.strip().lower() for field in sdist.all("dynamic")}
        for file, wheel in [(file, metadata) for kind, file, metadata in said if kind == "wheel"]:
            for name in COMPARED:
                ours, theirs = sorted(sdist.all(name)), sorted(wheel.all(name))
                if name not in dynamic and ours != theirs:
                    yield f"{name} differs: {_short(ours)} in the sdist, {_short(theirs)} in {file}."


def _short(values: list[str]) -> str:
    text = ", ".join(values) or "nothing"
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 3] + "...")


@rule("release", "release-tag", "refused", practice("the version tag at HEAD"))
def tag(release: Release) -> Iterator[str]:
    """HEAD has a version tag, but of a version other than the files'.

    The version in the project was not raised, or the tag is on a commit other than intended. Raise the version or
    move the tag. The setting `tag` says how tags are spelt, with `{name}` for this project's name: tags of other
    projects in the repository do not count. (A version with a local part has a finding of its own.)
    """
    built = _built(release)
    if (versions := _tagged(release)) and built and built.isdisjoint(versions):
        files, cure = ", ".join(sorted(map(str, built))), f"raise the version, or move the tag. {SPELT}"
        yield f"HEAD is tagged {', '.join(release.tags)}, but the files have version {files}: {cure}"


@rule("release", "release-tag-higher", "warning", practice("the version tags at HEAD"))
def tag_higher(release: Release) -> Iterator[str]:
    """HEAD has the tag of this version, and one of a higher version as well.

    Where the version is read from git, the build has chosen one of the two, and it may not be the one that is meant.
    Delete the tag that is not. The setting `tag` says how tags are spelt; tags of other projects do not count.
    """
    built, tagged = _built(release), _tagged(release)
    higher = [tag for version, tag in tagged.items() if built and version > max(built)]
    if higher and not built.isdisjoint(tagged):
        others, cure = ", ".join(higher), f"delete the tag that is not meant. {SPELT}"
        yield f"HEAD is tagged {others} as well, which is higher than {max(built)}, the version of the files: {cure}"


def _tagged(release: Release) -> dict[Version, str]:
    """Return the versions of this project that HEAD is tagged with, each with its tag."""
    names = {archive.name for archive in release.archives}
    return {version: tag for tag in release.tags for name in names if (version := _version_in(tag, name, release))}


def _built(release: Release) -> set[Version]:
    return {archive.version for archive in release.archives if archive.version and not archive.version.local}


def _version_in(tag: str, project: str, release: Release) -> Version | None:
    """Return the version of `project` that `tag` stands for by one of the patterns, None where it is no such tag."""
    for pattern in release.tag_patterns:
        shape = re.escape(pattern).replace(r"\{version\}", r"(?P<version>[vV]?\d.*)", 1).replace(r"\{name\}", "(.+?)")
        if match := re.fullmatch(shape, tag):
            version, place = parsed_version(match["version"]), match.re.groupindex["version"]
            names = [name for number, name in enumerate(match.groups(), 1) if number != place]
            if version and all(canonicalize_name(name) == project for name in names):
                return version
    return None


@rule("release", "release-left-out", "warning", practice("what git tracks, compared with what is in the sdist"))
def left_out(release: Release) -> Iterator[str]:
    """A file that git tracks is missing from the sdist, which contains others next to it; or a licence's text is.

    Whoever builds from the sdist, or packages it for a Linux distribution, misses it. Data beside modules is the usual
    case. setuptools: MANIFEST.in, or `package-data`; hatchling: `include` in `[tool.hatch.build.targets.sdist]`; flit:
    `[tool.flit.sdist] include`; poetry: `include`; pdm-backend: `[tool.pdm.build] source-includes`; uv_build:
    `[tool.uv.build-backend] source-include`; maturin: `[tool.maturin] include`; scikit-build-core:
    `[tool.scikit-build] sdist.include`; meson-python packs what is committed, but for `export-ignore`.

    Not reported are folders that are left out as a whole, tests, documentation, examples, scripts, names that begin
    with a dot, what is beside pyproject.toml and not a licence, and what is `export-ignore` in .gitattributes.
    """
    told = tuple(f"/{name}" for name in release.lacking)
    for sdist, tar in [(archive, archive.tar) for archive in release.archives if archive.tar]:
        held = {name.partition("/")[2] for name in (*sdist.names, *(name for name, _, _ in tar.links))}
        folders = {name[: place.start()] for name in held for place in re.finditer("/", name)}
        missing = [name for name in release.committed if name not in held | folders and _is_missed(name, folders)]
        if missed := [name for name in missing if not f"/{name}".endswith(told)]:
            why = dropped(release.root, missed)
            yield f"git tracks files that the sdist lacks, next to others that it contains{why}:{shortened(missed)}"


def _is_missed(name: str, folders: set[str]) -> bool:
    """Whether the absence of the tracked file `name` is no choice, as far as its name and neighbours tell."""
    *above, last = name.split("/")
    if any(part.startswith(".") or part.lower() in ASIDE for part in (*above, last)) or last.startswith("test_"):
        return False
    if not above:
        return last.upper().startswith(LICENSE_WORDS)
    ways = ("/".join(above[: depth + 1]) for depth in range(len(above)))
    return any(folder in folders for folder in ways if folder not in LAYOUT)


@rule("release", "release-untracked", "warning", practice("what git tracks, compared with what is in the wheels"))
def untracked(release: Release) -> Iterator[str]:
    """A wheel contains a file that git does not have, and that a build does not make by its name.

    A module that was deleted long ago and is still in `build/`, or a file that was never committed. Nothing of the kind
    can be in a wheel that was built here out of a clean checkout, so this is asked of files that were brought
    (`--from`) or built `in-place`. Build from a clean checkout; where the build does make it, say so:
    `[tool.seatrial.ignore] release-untracked = "why"`.
    """
    if release.clean or not release.committed:
        return
    known = {name.rpartition("/")[2] for name in release.committed}
    for wheel in (archive for archive in release.archives if archive.kind == "wheel"):
        strange = []
        for name in sorted(wheel.names):
            *folders, last = name.split("/")
            repaired = any(folder.endswith((".libs", ".dylibs")) for folder in folders)  # auditwheel and the like
            made = bool(folders) and folders[0].endswith((".dist-info", ".data"))
            if not repaired and not made and last not in known and not GENERATED.fullmatch(last):
                strange.append(name)
        if strange:
            yield f"{wheel.path.name} contains files that git does not have:{shortened(strange)}"
