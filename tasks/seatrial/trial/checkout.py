"""What the checkout of a project tells of its wheel: modules and data that it has, requirements declared elsewhere.

The metadata of a wheel alone says what an installer brings; what stands here explains what is missing there.
"""

from __future__ import annotations

import configparser
import contextlib
import re
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from seatrial.machine import toml
from seatrial.machine.values import Value
from seatrial.release.filenames import parsed_requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

ROOTS = ("", "src/", "lib/", "python/")  # where packages lie in a checkout
SKIPPED = frozenset({"build", "dist", "node_modules", "site-packages", "venv", "release-record", "__pycache__"})
LIMIT = 20_000  # files
# Files of requirements that people install to use a project, rather than to work on it.
REQUIREMENTS = re.compile(
    r"requirements([-_/](base|common|core|default|install|main|prod|production|runtime))?\.(txt|in)"
)
# What nobody needs who uses a project: a file that lists one of them is for those who work on it.
DEVELOPING = frozenset(
    "black build bumpversion coverage flake8 isort mypy nox pre-commit pylint pytest pytest-cov ruff sphinx"
    " tox twine wheel".split()
)


class Checkout(Value):
    """The files of a checkout: names from its root, with slashes."""

    root: Path
    files: tuple[str, ...]

    @classmethod
    def of(cls, root: Path, tracked: Iterable[str] = ()) -> Checkout:
        """Return what is `tracked` in `root`, or what is there where that is not known."""
        return cls(root, tuple(sorted(tracked)) or tuple(sorted(_walk(root))))

    def modules(self) -> dict[str, str]:
        """Return what could be imported in the checkout: top-level names, and the first file of each."""
        found: dict[str, str] = {}
        for file, place in self._placed():
            top, _, rest = place.partition("/")
            name = top if rest else top.removesuffix(".py")
            if file.endswith(".py") and name.isidentifier() and name not in {"setup", "noxfile"}:
                found.setdefault(name, file)
        return found

    def data(self) -> dict[str, str]:
        """Return the files that are no modules, each by the path that it would have in site-packages."""
        return {place: file for file, place in self._placed() if not file.endswith(".py")}

    def _placed(self) -> Iterator[tuple[str, str]]:
        """Yield each file with the places that it would have in site-packages, by where packages may lie."""
        for file in self.files:
            for root in ROOTS:
                if file.startswith(root):
                    yield file, file[len(root) :]

    def elsewhere(self) -> dict[str, str]:
        """Return requirements that are declared for users and are none of the metadata: normalised name and place."""
        found: dict[str, str] = {}
        for place, lines in self._declarations():
            bare = (re.split(r"\s#|\s--", line.strip(), maxsplit=1)[0] for line in lines)  # no comments, no options
            names = [canonicalize_name(requirement.name) for line in bare if (requirement := parsed_requirement(line))]
            if not (REQUIREMENTS.fullmatch(place) and DEVELOPING.intersection(names)):
                found = dict.fromkeys(names, place) | found
        return found

    def _declarations(self) -> Iterator[tuple[str, Iterable[str]]]:
        for file in self.files:
            if REQUIREMENTS.fullmatch(file):
                yield file, self._text(file).splitlines()
        tool = self._toml("pyproject.toml").get("tool", {})
        tables = {
            "[tool.poetry.dependencies]": _at(tool, "poetry", "dependencies"),
            "[tool.pixi.dependencies]": _at(tool, "pixi", "dependencies"),
            "[tool.pixi.pypi-dependencies]": _at(tool, "pixi", "pypi-dependencies"),
            "[tool.flit.metadata]": _at(tool, "flit", "metadata", "requires"),
            "[packages] of Pipfile": _at(self._toml("Pipfile"), "packages"),
        }
        for place, names in tables.items():
            yield place, [name for name in names or () if isinstance(name, str) and name != "python"]
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        with contextlib.suppress(configparser.Error):
            parser.read_string(self._text("setup.cfg"))
            yield "setup.cfg", parser.get("options", "install_requires", fallback="").splitlines()

    def _toml(self, name: str) -> Mapping[str, Any]:
        try:
            return toml.parse(self._text(name))
        except ValueError:
            return {}

    def _text(self, name: str) -> str:
        try:
            return (self.root / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


def _at(table: Any, *keys: str) -> Any:
    """Return what `table` has at the end of `keys`, None where it is no such table."""
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def _walk(root: Path) -> Iterator[str]:
    """Yield the files below `root`, but for what builds, environments and tools put there."""
    waiting, count = [root], 0
    while waiting and count < LIMIT:
        with contextlib.suppress(OSError):
            for path in sorted(waiting.pop().iterdir()):
                if path.is_file():
                    count += 1
                    yield path.relative_to(root).as_posix()
                elif path.name in SKIPPED or path.name.startswith(".") or path.name.endswith(".egg-info"):
                    continue
                elif path.is_dir() and not path.is_symlink() and not (path / "pyvenv.cfg").exists():
                    waiting.append(path)
