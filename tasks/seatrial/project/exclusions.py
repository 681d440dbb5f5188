"""Which line of a project's configuration keeps a file out of an archive, so that a message can name it."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from seatrial.machine import toml
from seatrial.project.settings import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import Any

# Where build backends have patterns of what they leave out: the tables in pyproject.toml, and the key.
KEYS = (
    ("tool.hatch.build", "exclude"),
    ("tool.hatch.build.targets.sdist", "exclude"),
    ("tool.hatch.build.targets.wheel", "exclude"),
    ("tool.setuptools.packages.find", "exclude"),
    ("tool.flit.sdist", "exclude"),
    ("tool.poetry", "exclude"),
    ("tool.pdm.build", "excludes"),
    ("tool.uv.build-backend", "source-exclude"),
    ("tool.uv.build-backend", "wheel-exclude"),
    ("tool.maturin", "exclude"),
    ("tool.scikit-build.sdist", "exclude"),
    ("tool.scikit-build.wheel", "exclude"),
)
OF_WHEELS = (  # of these, the ones for wheels alone
    ("tool.hatch.build.targets.wheel", "exclude"),
    ("tool.uv.build-backend", "wheel-exclude"),
    ("tool.scikit-build.wheel", "exclude"),
)
WILD = re.compile(r"[*?[]")  # in a pattern
READ_GITIGNORE = ("hatchling", "poetry", "maturin", "scikit_build_core")  # backends that leave out what it names


def dropped(root: Path | None, names: Iterable[str]) -> str:
    """Return, for a message, what in the configuration of the project in `root` drops any of `names`; or nothing."""
    rules = list(_rules(root)) if root else []
    found = [place for name in names for place, pattern in rules if _fits(pattern, name)]
    return f" (dropped by {', '.join(dict.fromkeys(found))})" if found else ""


def meant(root: Path, names: Iterable[str]) -> set[str]:
    """Return those of `names` that are kept out of wheels by their own name, or by that of a folder they lie in."""
    document = _document(root)
    patterns = [one for where, key in OF_WHEELS for one in _strings(table(document, *where.split(".")).get(key))]
    literal = [pattern for pattern in patterns if not WILD.search(pattern.strip("/*"))]
    return {name for name in names if any(_fits(pattern, name) for pattern in literal)}


def _document(root: Path) -> Mapping[str, Any]:
    try:
        return toml.parse(_text(root / "pyproject.toml"))
    except ValueError:
        return {}


def _rules(root: Path) -> Iterator[tuple[str, str]]:
    """Yield each rule as a message names it, with the pattern in it."""
    document = _document(root)
    for where, key in KEYS:
        for pattern in _strings(table(document, *where.split(".")).get(key)):
            is_package = where.startswith("tool.setuptools")
            yield f"`{pattern}` in [{where}] {key}", pattern.replace(".", "/") if is_package else pattern
    for patterns in table(document, "tool", "setuptools", "exclude-package-data").values():
        yield from ((f"`{one}` in [tool.setuptools.exclude-package-data]", one) for one in _strings(patterns))
    for line in _text(root / "MANIFEST.in").splitlines():
        yield from ((f"`{line.strip()}` in MANIFEST.in", pattern) for pattern in _of_manifest(line.split()))
    if str(table(document, "build-system").get("build-backend", "")).startswith(READ_GITIGNORE):
        lines = (line.strip() for line in _text(root / ".gitignore").splitlines())
        yield from ((f"`{line}` in .gitignore", line) for line in lines if line and line[0] not in "#!")


def _strings(value: Any) -> Iterator[str]:
    listed = value if isinstance(value, list) else [value]
    yield from (one for one in listed if isinstance(one, str))


def _of_manifest(words: list[str]) -> list[str]:
    """Return the patterns of one line of MANIFEST.in that excludes something."""
    match words:
        case ["exclude" | "global-exclude" | "prune", *patterns]:
            return patterns
        case ["recursive-exclude", folder, *patterns]:
            return [f"{folder}/*{pattern}" for pattern in patterns]
    return []


def _fits(pattern: str, name: str) -> bool:
    """Whether `pattern`, of whatever kind, is about the file `name`, a folder it lies in, or the end of its path."""
    shape = pattern.strip("/").replace("**/", "").removesuffix("/**")
    parts = f"src/{name}".split("/")  # which a wheel's member has lost
    ways = ("/".join(parts[first:last]) for first in range(len(parts)) for last in range(first + 1, len(parts) + 1))
    return bool(shape) and any(fnmatchcase(way, shape) for way in ways)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
