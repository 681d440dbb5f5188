"""``[tool.seatrial]``, and what is derived from the project where it is silent.

Reading is lenient about nothing: an unknown key or a value of the wrong type is an error that names it. The table
stands in ``pyproject.toml``, or its keys in ``seatrial.toml`` for a project that has no ``pyproject.toml``.
"""

from __future__ import annotations

import ast
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from seatrial.index.indexes import PYPI, TESTPYPI, Index, Indexes
from seatrial.machine import disk, toml
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.project import pythons as matrix
from seatrial.project.validation import DEPENDENCIES, BadConfig, fields
from seatrial.release.stages import KINDS, Cell, Kind
from seatrial.release.verdicts import MATRIX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seatrial.release.stages import Problem


class NoProject(ReleaseError):
    folder: Path

    what = "There is no Python project in {e.folder}: no pyproject.toml, setup.py or setup.cfg."
    cause = "the command was run in a folder other than the project's."
    cure = "change to the folder that holds the project's pyproject.toml, and run it again."


class BrokenToml(ReleaseError):
    path: Path
    reason: str

    what = "{e.path} is not valid TOML: {e.reason}"
    cause = "a quote or bracket that is not closed, or a duplicate key, at or above that line."
    cure = "fix that line. Nothing was built."


class NotUtf8(ReleaseError):
    path: Path
    reason: str

    what = "{e.path} cannot be read as TOML, which is UTF-8 without a byte order mark: {e.reason}."
    cause = "a Windows editor, or a redirection in PowerShell, saved it in that encoding."
    cure = "save it as UTF-8 without a byte order mark. Nothing was built."


class TwoConfigs(ReleaseError):
    root: Path

    what = "{e.root} has both a seatrial.toml and a pyproject.toml."
    cause = "seatrial.toml is for projects that have no pyproject.toml."
    cure = "move its keys to [tool.seatrial] in pyproject.toml, and delete seatrial.toml."


class Settings(Value):
    """The settings of one project. Times are in seconds."""

    pythons: tuple[str, ...] = ()
    sdist_pythons: tuple[str, ...] = ()  # none: all of them
    extras: tuple[str, ...] = ()
    import_names: tuple[str, ...] = ()
    smoke: tuple[str, ...] = ()
    smoke_requires: tuple[str, ...] = ()
    ignore: Mapping[str, str] = field(default_factory=dict)
    in_place: bool = False
    normalise: bool = True
    build_env: tuple[str, ...] = ()
    archives: tuple[Kind, ...] = ("wheel", "sdist")
    tag: tuple[str, ...] = ("v{version}", "{version}")
    session_prefix: str = ""
    attestations: bool = False
    require_verified: str | tuple[str, ...] = MATRIX
    resolution: str = "highest"
    rehearse_on: str = "testpypi"
    release_with: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    build_timeout: int = 3600
    index_timeout: int = 900
    testpypi: Index = TESTPYPI
    pypi: Index = PYPI
    dependencies: Index = DEPENDENCIES

    @property
    def indexes(self) -> Indexes:
        """The three indexes of a release."""
        return Indexes(self.testpypi, self.pypi, self.dependencies)

    def with_indexes(self, indexes: Indexes) -> Settings:
        """Return the same settings with other `indexes`."""
        return replace(self, testpypi=indexes.testpypi, pypi=indexes.pypi, dependencies=indexes.dependencies)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The verify matrix: every Python with every archive kind, the sdist where it is to be tried."""
        pythons = {"wheel": self.pythons, "sdist": self.sdist_pythons or self.pythons}
        return tuple(
            Cell(python, kind)
            for python in self.pythons
            for kind in KINDS
            if kind in self.archives and python in pythons[kind]
        )

    def ignores(self, problem: Problem) -> bool:
        """Whether `problem` is silenced: no error that PyPI refuses for can be."""
        return problem.rule in self.ignore and (problem.severity == "warning" or problem.silenceable)

    def tries_lowest(self, cell: Cell) -> bool:
        """Whether `cell` is the one in which the lowest dependencies are tried: the wheel, on the lowest Python."""
        if self.resolution != "lowest-direct":
            return False
        first = next(kind for kind in KINDS if kind in self.archives)
        lowest = min((cell.python for cell in self.cells if cell.kind == first), key=matrix.by_version)
        return cell == Cell(lowest, first)


def load(root: Path) -> Settings:
    """Return the configuration of the project in `root`, with `pythons` filled in.

    Raises BrokenToml, NotUtf8, UnknownSetting, BadConfig, TwoConfigs, and NoProject where no project is here.
    """
    said = document(root / "pyproject.toml")
    settings_table = table(said, "tool").get("seatrial", {})
    own = root / "seatrial.toml"
    if own.exists():
        if (root / "pyproject.toml").exists():
            raise TwoConfigs(root)
        settings_table = document(own)
    elif not is_project(root):
        raise NoProject(root)
    settings = fields(settings_table)
    settings.setdefault("pythons", matrix.supported_pythons(said.get("project")))
    found = Settings(**settings)
    if not set(found.sdist_pythons) <= set(found.pythons):
        expected = f"some of `pythons`: {', '.join(found.pythons)}"
        raise BadConfig("sdist-pythons", expected, list(found.sdist_pythons))
    return found


def is_project(root: Path) -> bool:
    """Whether `root` holds something that a build frontend can build (PEP 517, or setuptools' own files)."""
    return any((root / name).exists() for name in ("pyproject.toml", "setup.py", "setup.cfg"))


def document(path: Path) -> dict[str, Any]:
    """Return the TOML document at `path`, empty where there is none. Raises BrokenToml and NotUtf8."""
    try:
        return toml.read(path)
    except toml.OtherEncoding as error:
        raise NotUtf8(path, str(error)) from None
    except ValueError as error:
        raise BrokenToml(path, str(error)) from None


def table(said: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return the table at `keys` in a document of others, empty where there is none: the build says what is wrong."""
    for key in keys:
        inner = said.get(key)
        said = inner if isinstance(inner, dict) else {}
    return said


def listed(said: Mapping[str, Any], key: str) -> list[Any]:
    """Return the list at `key` in a table of others, empty where there is none."""
    inner = said.get(key)
    return inner if isinstance(inner, list) else []


def setup_py(folder: Path) -> dict[str, Any]:
    """Return what the calls of `setup` in setup.py spell out, such as the name of the project; nothing else is run."""
    try:
        tree = ast.parse(disk.read(folder / "setup.py"))
    except (disk.NotOrdinary, OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return {}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    setups = [call for call in calls if getattr(call.func, "attr", getattr(call.func, "id", "")) == "setup"]
    words = [(word.arg or "", word.value) for call in setups for word in call.keywords]
    return {name: value.value for name, value in words if isinstance(value, ast.Constant)}
