"""Rules on the files of a release beside those that git has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from seatrial.machine.errors import shortened
from seatrial.rules.layout import LICENSE_WORDS
from seatrial.rules.rule import release_rule
from seatrial.rules.sources import practice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.rules.distribution import Look
    from seatrial.rules.rule import Release

LAYOUT = frozenset({"src", "lib", "python"})  # folders that hold packages and are none
ASIDE = frozenset("test tests testing doc docs example examples benchmark benchmarks script scripts tool tools".split())
GENERATED = re.compile(  # what builds write into packages: versions, protocol buffers, what is compiled or translated
    r"_?_?version\w*\.\w+|\w+_pb2(_grpc)?\.pyi?|.+\.(so|pyd|dll|dylib|lib|a|mo|qm|c|cpp|pth)(\.\d+)*", re.IGNORECASE
)


@release_rule("release-left-out", "warning", practice("what git tracks, compared with what is in the sdist"))
def left_out(release: Release) -> Iterator[str]:
    """A file that git tracks is missing in the sdist, which holds others beside it; or a licence's text is.

    Whoever builds from the sdist, or packages it for a Linux distribution, misses it. Data beside modules is the usual
    case. setuptools: MANIFEST.in, or `package-data`; hatchling: `include` in `[tool.hatch.build.targets.sdist]`; flit:
    `[tool.flit.sdist] include`; poetry: `include`; pdm-backend: `[tool.pdm.build] source-includes`; uv_build:
    `[tool.uv.build-backend] source-include`; maturin: `[tool.maturin] include`; scikit-build-core:
    `[tool.scikit-build] sdist.include`; meson-python packs what is committed, but for `export-ignore`.

    Not told are folders that are left out as a whole, tests, documentation, examples, scripts, names that begin with a
    dot, what stands beside pyproject.toml and is no licence, and what is `export-ignore` in .gitattributes.
    """
    for sdist in (archive for archive in release.archives if archive.kind == "sdist" and archive.tar):
        held = _held(sdist)
        folders = {name[: place.start()] for name in held for place in re.finditer("/", name)}
        missing = [name for name in release.committed if name not in held | folders and _is_missed(name, folders)]
        if missed := [name for name in missing if not _is_told_already(name, release.lacking)]:
            yield f"git tracks files that the sdist lacks, beside others that it holds:{shortened(missed)}"


def _held(sdist: Look) -> set[str]:
    """Return the names of files and links in `sdist`, without its top folder."""
    links = (name for name, _ in sdist.tar.links) if sdist.tar else ()
    return {name.partition("/")[2] for name in (*sdist.names, *links)}


def _is_missed(name: str, folders: set[str]) -> bool:
    """Whether the absence of the tracked file `name` is no choice, as far as its name and neighbours tell."""
    *above, last = name.split("/")
    if any(part.startswith(".") or part.lower() in ASIDE for part in (*above, last)) or last.startswith("test_"):
        return False
    if not above:
        return last.upper().startswith(LICENSE_WORDS)
    ways = ("/".join(above[: depth + 1]) for depth in range(len(above)))
    return any(folder in folders for folder in ways if folder not in LAYOUT)


def _is_told_already(name: str, lacking: tuple[str, ...]) -> bool:
    return any(name == lost or name.endswith(f"/{lost}") for lost in lacking)


@release_rule("release-untracked", "warning", practice("what git tracks, compared with what is in the wheels"))
def untracked(release: Release) -> Iterator[str]:
    """A wheel holds a file that git does not have, and that a build does not make by its name.

    A module that was deleted long ago and is still in `build/`, or a file that was never committed. Nothing of the kind
    can be in a wheel that was built here out of a clean checkout, so this is asked of files that were brought
    (`--from`) or built `in-place`. Build from a clean checkout; where the build does make it, say so:
    `[tool.seatrial.ignore] release-untracked = "why"`.
    """
    if release.clean or not release.committed:
        return
    known = {name.rpartition("/")[2] for name in release.committed}
    for wheel in (archive for archive in release.archives if archive.kind == "wheel"):
        if strange := sorted(name for name in wheel.names if _is_from_the_tree(name) and _last(name) not in known):
            yield f"{wheel.path.name} holds files that git does not have:{shortened(strange)}"


def _is_from_the_tree(name: str) -> bool:
    """Whether a wheel's member can have been packed as it lay in the tree."""
    top = name.partition("/")[0]
    return not top.endswith((".dist-info", ".data", ".libs")) and not GENERATED.fullmatch(_last(name))


def _last(name: str) -> str:
    return name.rpartition("/")[2]
