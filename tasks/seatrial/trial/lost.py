"""What got lost on the way from the tree into a wheel: files of its packages that git tracks or the sdist holds."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.machine.errors import shortened
from seatrial.project.exclusions import dropped, meant
from seatrial.release.archives import Archive
from seatrial.trial.checkout import ROOTS
from seatrial.trial.probe.names import ASIDE, INTERNAL, module_of
from seatrial.trial.wheel import Wheel, problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from seatrial.release.stages import Problem
    from seatrial.trial.checkout import Checkout
    from seatrial.trial.wheel import Found, Severity

# What a build compiles or turns into something else, and what is written for those who work on the project.
SOURCE = re.compile(
    r".+\.(pyx|pxd|pxi|c|cc|cpp|cxx|h|hh|hpp|cu|f|f90|rs|go|swift|pyf|po|pot|in|jinja2?\.py|scss|sass|less|tsx?|jsx|vue"
    r"|proto|thrift|fbs|g4|ui|qrc|md|rst|adoc|orig|bak|ipynb|lock|log)|(readme|changes|changelog|todo|authors|notes)\b.*"
    r"|(make|cmakelists|build|meson|sconscript|dockerfile|justfile|package).*|.*\.(bazel|bzl|cmake|mk|sh|bat|ps1)",
    re.IGNORECASE,
)


def problems(paths: Sequence[Path], checkout: Checkout) -> list[Problem]:
    """Return what each wheel among `paths` lacks of its packages that is in the `checkout` or in the sdist.

    A module is an error. A data file is a warning, and so is what is excluded by name and imported by nothing: somebody
    means it. Raises BadArchive.
    """
    names = packed(paths)
    found: list[Problem] = []
    for path in paths:
        if path.name.endswith(".whl"):
            wheel = Wheel.open(path)
            lost = sorted({*_lost(wheel, checkout.files), *_lost(wheel, names)})
            found += [problem(path.name, *each) for each in _told(lost, wheel, names, checkout.root)]
    return found


def packed(paths: Sequence[Path]) -> set[str]:
    """Return the names of what the sdist among `paths` holds, as they are in a checkout. Raises BadArchive."""
    sdists = [Archive.open(path) for path in paths if not path.name.endswith(".whl")]
    return {member.name.partition("/")[2] for sdist in sdists for member in sdist.members}


def _told(lost: Sequence[tuple[str, str]], wheel: Wheel, packed: Collection[str], root: Path) -> Iterator[Found]:
    modules: list[str] = []
    private: list[str] = []
    unused: list[str] = []
    data: list[str] = []
    there = wheel.files.union(place for place, _ in lost)
    excluded = meant(root, (name for _, name in lost))
    for place, name in lost:
        module = module_of(place) if place.endswith(".py") else ""
        init, regular = (posixpath.join(posixpath.dirname(path), "__init__.py") for path in (place, name))
        # A module is in site-packages itself or in a regular package.
        if not module or (regular not in packed and "/" in place and init not in there):
            data.append(name)
        else:
            is_unused = name in excluded and not wheel.imports(module)
            is_private = any(part.startswith("_") for part in module.split("."))
            (unused if is_unused else private if is_private else modules).append(name)
    groups: list[tuple[list[str], str, Severity, str]] = [
        (modules, "lost-module", "error", "modules"),
        (private, "lost-module", "warning", "private modules"),
        (unused, "lost-module", "warning", "unused modules"),
        (data, "lost-data", "warning", "files"),
    ]
    for names, code, severity, noun in groups:
        if names:
            who = "The sdist" if all(name in packed for name in names) else "The project"
            why = dropped(root, names)
            yield code, severity, f"{who} has {noun} in its packages that this wheel lacks{why}:{shortened(names)}"


def _lost(wheel: Wheel, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield what `wheel` lacks of `names`: the place that it would have there, and its name."""
    packages = [name.replace(".", "/") for name in wheel.names.modules]
    packages = [package for package in packages if f"{package}/__init__.py" in wheel.files]
    roots = _roots(wheel, names)
    shipped = {name.partition(".")[0] for name in wheel.names.modules} | ASIDE
    for name in names:  # one that is called like the project is of it, where the wheel has none such
        place = next((name[len(root) :] for root in reversed(ROOTS) if name.startswith(root)), name)
        module = place.removesuffix("/__init__.py").removesuffix(".py")
        if place == module or module in shipped or canonicalize_name(module) != wheel.archive.name:
            continue
        if name.endswith("/__init__.py"):
            packages.append(module)
            roots[module] = name.removesuffix(f"{module}/__init__.py")
        else:
            yield f"{module}.py", name
    for name in names:
        for package in packages:
            root = roots.get(package.partition("/")[0])
            if root is not None and name.startswith(f"{root}{package}/"):
                place = name[len(root) :]
                if place not in wheel.files and _is_missed(place, wheel):
                    yield place, name


def _roots(wheel: Wheel, names: Iterable[str]) -> dict[str, str]:
    """Return in which folder each top-level package of `wheel` is, by where most of its files are."""
    counts: Counter[tuple[str, str]] = Counter()
    for name in names:
        parts = name.split("/")
        for depth in range(len(parts) - 1):
            if "/".join(parts[depth:]) in wheel.files:
                root = "".join(f"{part}/" for part in parts[:depth])
                counts[parts[depth], root] += 1
    ranked = sorted(counts, key=lambda place: (-counts[place], len(place[1])))
    return dict(ranked[::-1])  # of one top the first that is ranked


def _is_missed(place: str, wheel: Wheel) -> bool:
    """Whether a file that is not in `wheel` is likely to be one that users of the package need."""
    parts = place.split("/")
    stems = [*parts[1:-1], parts[-1].partition(".")[0]]
    if any(part.startswith(".") or part == "__pycache__" for part in parts) or any(map(INTERNAL.fullmatch, stems)):
        return False
    module = module_of(place)
    return not SOURCE.fullmatch(parts[-1]) and not (module and module in wheel.modules)
