"""Of each file of a release: on which Python and platform it was verified, or why nowhere here.

The facts are those of the record: `Built` names the files, each `Verified` the one that was installed.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from seatrial.machine.values import Value
from seatrial.release.filenames import tags_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.tags import Tag

    from seatrial.release.stages import Built, Dist, Verified

MATRIX, ALL = "matrix", "all"
PYTHON = re.compile(r"(pypy)?3\.(\d+)(t?)")  # as nox names them
INTERPRETER = re.compile(r"(cp|pp|py)3?(\d*)")  # of a wheel's tag; every Python here is a 3
WINDOWS = {"win_amd64": "AMD64", "win_arm64": "ARM64", "win32": "x86"}
LINUX = re.compile(r"(manylinux|linux_)\w*")  # what is made for musl is on no platform that the record tells apart


class Verdict(Value):
    """A file, the cells in which exactly it was installed and used, and why there are none (else empty)."""

    dist: Dist
    proofs: tuple[Verified, ...]
    reason: str = ""


def verdicts(built: Built, verified: Sequence[Verified]) -> tuple[Verdict, ...]:
    """Return the verdict on each file of `built`, in its order, from the cells that were `verified`."""
    proofs = {dist: tuple(one for one in verified if one.filename == dist.filename) for dist in built.dists}
    return tuple(Verdict(dist, found, "" if found else _why_not(dist, verified)) for dist, found in proofs.items())


def _why_not(dist: Dist, verified: Sequence[Verified]) -> str:
    """Say what was lacking for `dist` to be verified."""
    cells = [one for one in verified if one.kind == dist.kind]
    if dist.kind == "sdist" or not cells:
        return f"no {dist.kind} was verified"
    tags = tags_of(dist.filename)
    platforms = " or ".join(sorted({tag.platform for tag in tags}))
    here = [one for one in cells if any(runs_on(tag.platform, one.sys_platform, one.machine) for tag in tags)]
    if not here:
        return f"no platform that fits: it is for {platforms}"
    if not any(takes(one.python, tag) for one in here for tag in tags):
        pairs = {(tag.interpreter, tag.abi) for tag in tags}
        named = {one if abi in {one, "none"} else f"{one}-{abi}" for one, abi in pairs}
        return f"no interpreter that fits: it is for {' or '.join(sorted(named))}"
    return "another wheel of this release is preferred wherever this one fits"


def runs_on(platform: str, sys_platform: str, machine: str) -> bool:
    """Whether a wheel for `platform` is one for the system `sys_platform` on `machine`, as Python names them."""
    if platform == "any":
        return True
    if sys_platform == "win32":
        return WINDOWS.get(platform) == machine
    if sys_platform == "darwin":
        return platform.startswith("macosx_") and platform.endswith((f"_{machine}", "_universal2"))
    return sys_platform == "linux" and bool(LINUX.fullmatch(platform)) and platform.endswith(f"_{machine}")


def takes(python: str, tag: Tag) -> bool:
    """Whether `python`, as nox names it, takes wheels with `tag`, its platform left aside."""
    wanted, asked = PYTHON.fullmatch(python), INTERPRETER.fullmatch(tag.interpreter)
    if not wanted or not asked:
        return False
    minor, least = int(wanted[2]), int(asked[2] or 0)
    if asked[1] == "py":
        return least <= minor
    if asked[1] == "pp" or wanted[1]:
        return asked[1] == "pp" and bool(wanted[1]) and least == minor
    if tag.abi in {"abi3", "abi3t"}:
        return (tag.abi == "abi3t") == bool(wanted[3]) and least <= minor
    return least == minor and tag.abi in {"none", f"cp3{minor}{wanted[3]}"}


def lacking(found: Iterable[Verdict], required: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the files that have to be verified by the setting `require-verified` and are not, with the reason.

    "matrix" asks for cells, not for files (see `pypi`).
    """
    if required == MATRIX:
        return ()
    patterns = ("*",) if isinstance(required, str) else required
    wanted = (v for v in found if not v.proofs and any(fits(v.dist, one) for one in patterns))
    return tuple(f"{verdict.dist.filename}: {verdict.reason}" for verdict in wanted)


def unfit(dists: Iterable[Dist], required: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the patterns of the setting `require-verified` that fit none of `dists`."""
    files, patterns = tuple(dists), () if isinstance(required, str) else required
    return tuple(one for one in patterns if not any(fits(dist, one) for dist in files))


def fits(dist: Dist, pattern: str) -> bool:
    """Whether `pattern` (of shells) fits the name of `dist` or one of its tags, such as `cp312-*-manylinux*`."""
    names = [dist.filename, "-".join(dist.filename.removesuffix(".whl").split("-")[-3:])]
    return any(fnmatchcase(name, pattern) for name in [*names, *map(str, tags_of(dist.filename))])
