"""``[tool.seatrial]``, and what is derived from the project where it is silent.

Reading is lenient about nothing: an unknown key or a value of the wrong type is an error that names it. The table
stands in ``pyproject.toml``, or its keys in ``seatrial.toml`` for a project that has no ``pyproject.toml``.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from seatrial.index.indexes import PYPI, TESTPYPI, Index, Indexes
from seatrial.machine import toml, variables
from seatrial.machine.errors import ReleaseError
from seatrial.project import pythons as matrix
from seatrial.release.stages import KINDS, Cell, Kind
from seatrial.release.verdicts import ALL, MATRIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEPENDENCIES = Index(
    "PyPI",
    simple=PYPI.simple,
    token_variable="DEPENDENCIES_TOKEN",  # noqa: S106 (a variable's name)
    token_location=PYPI.token_location,
)

REHEARSALS = ("testpypi", "dryrun")

RESOLUTIONS = ("highest", "lowest-direct")


@dataclass(eq=False)
class NoProject(ReleaseError):
    folder: Path

    what = "There is no Python project in {e.folder}: no pyproject.toml, setup.py or setup.cfg."
    cause = "the command was run in another folder than the project's."
    cure = "change to the folder that holds the project's pyproject.toml, and run it again."


@dataclass(eq=False)
class BrokenToml(ReleaseError):
    path: Path
    reason: str

    what = "{e.path} is not valid TOML: {e.reason}"
    cause = "a quote or bracket that is not closed, or a key that stands twice, at or above that line."
    cure = "mend that line; nothing was built."


@dataclass(eq=False)
class BadConfig(ReleaseError):
    key: str
    expected: str
    found: object
    folder: str = ""  # of one of several packages

    what = "The setting `{e.key}` of [tool.seatrial]{e.place} is {e.shown}, and should be {e.expected}."
    cause = "a misspelt name, or a value of another type."
    cure = "correct it in pyproject.toml (or seatrial.toml); docs/reference/configuration.md has them all."

    @property
    def shown(self) -> str:
        return "not known" if self.found is None else repr(self.found)

    @property
    def place(self) -> str:
        return f" in {self.folder}" if self.folder else ""


@dataclass(eq=False)
class TwoConfigs(ReleaseError):
    root: Path

    what = "{e.root} holds both a seatrial.toml and a pyproject.toml."
    cause = "seatrial.toml is for projects that have no pyproject.toml."
    cure = "move its keys to [tool.seatrial] in pyproject.toml, and delete seatrial.toml."


@dataclass(frozen=True)
class Settings:
    """The settings of one project. Times are in seconds."""

    pythons: tuple[str, ...] = ()
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
        """The verify matrix: every Python with every archive kind."""
        return tuple(Cell(python, kind) for python in self.pythons for kind in KINDS if kind in self.archives)

    def tries_lowest(self, cell: Cell) -> bool:
        """Whether `cell` is the one in which the lowest dependencies are tried: the wheel, on the lowest Python."""
        if self.resolution != "lowest-direct":
            return False
        lowest = min(self.pythons, key=lambda python: ([int(part) for part in re.findall(r"\d+", python)], python))
        return cell == Cell(lowest, next(kind for kind in KINDS if kind in self.archives))


def load(root: Path) -> Settings:
    """Return the configuration of the project in `root`, with `pythons` filled in.

    Raises BrokenToml, BadConfig, TwoConfigs, and NoProject where nothing says that a project is here.
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
    settings = _settings(settings_table)
    settings.setdefault("pythons", matrix.supported_pythons(said.get("project")))
    return Settings(**settings)


def is_project(root: Path) -> bool:
    """Whether `root` holds something that a build frontend can build (PEP 517, or setuptools' own files)."""
    return any((root / name).exists() for name in ("pyproject.toml", "setup.py", "setup.cfg"))


def document(path: Path) -> dict[str, Any]:
    """Return the TOML document at `path`, empty where there is none. Raises BrokenToml."""
    try:
        return toml.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
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


def _settings(table: Any) -> dict[str, Any]:
    """Return the fields of Settings that `table` sets, each validated."""
    if not isinstance(table, dict):
        raise BadConfig("tool.seatrial", "a table", table)
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key == "indexes":
            found |= _indexes(value)
        elif key in READERS:
            found[key.replace("-", "_")] = READERS[key](key, value)
        else:
            raise BadConfig(key, f"one of the known settings: {', '.join(sorted([*READERS, 'indexes']))}", None)
    return found


def _texts(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadConfig(key, "a list of strings", value)
    return tuple(value)


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadConfig(key, "a string", value)
    return value


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadConfig(key, "true or false", value)
    return value


def _seconds(key: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise BadConfig(key, "a number of seconds above 0", value)
    return value


def _reasons(key: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) and text.strip() for text in value.values()):
        raise BadConfig(key, 'a table of rule codes with a reason each, like wheel-pth = "on purpose"', value)
    return value


def _commands(key: str, value: Any) -> tuple[str, ...]:
    for command in _texts(key, value):
        try:
            words = shlex.split(command)
        except ValueError:
            words = []
        if not words:
            raise BadConfig(key, "a list of commands with their quotes closed", command)
    return tuple(value)


def _kinds(key: str, value: Any) -> tuple[Kind, ...]:
    kinds = _texts(key, value)
    if not kinds or set(kinds) - set(KINDS):
        raise BadConfig(key, 'some of "wheel" and "sdist"', value)
    return tuple(kind for kind in KINDS if kind in kinds)


def _rehearsal(key: str, value: Any) -> str:
    if _text(key, value) not in REHEARSALS:
        raise BadConfig(key, '"testpypi" or "dryrun"', value)
    return str(value)


def _required(key: str, value: Any) -> str | tuple[str, ...]:
    if value in {MATRIX, ALL} if isinstance(value, str) else False:
        return str(value)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item.strip() for item in value):
        raise BadConfig(key, '"matrix", "all" or a list of patterns like ["cp312-*-manylinux*"]', value)
    return tuple(value)


def _resolution(key: str, value: Any) -> str:
    if _text(key, value) not in RESOLUTIONS:
        raise BadConfig(key, '"highest" or "lowest-direct"', value)
    return str(value)


def _names(key: str, value: Any) -> tuple[str, ...]:
    names = _texts(key, value)
    if secrets := [name for name in names if variables.is_secret(name)]:
        raise BadConfig(key, "names of variables that hold no secret", secrets[0])
    return names


def _pythons(key: str, value: Any) -> tuple[str, ...]:
    pythons = _texts(key, value)
    if not matrix.are_pythons(value):
        raise BadConfig(key, 'a list like ["3.10", "3.14", "3.14t", "pypy3.11"]', value)
    return pythons


def _folders(key: str, value: Any) -> tuple[str, ...]:
    folders = _texts(key, value)
    if odd := [folder for folder in folders if not folder.strip() or Path(folder).is_absolute()]:
        raise BadConfig(key, 'folders of this repository, seen from here, like ["../core"]', odd[0])
    return folders


def _tags(key: str, value: Any) -> tuple[str, ...]:
    if "{version}" not in _text(key, value):
        raise BadConfig(key, 'a pattern with {version} in it, like "v{version}"', value)
    return (value,)


READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "pythons": _pythons,
    "extras": _texts,
    "import-names": _texts,
    "smoke": _commands,
    "smoke-requires": _texts,
    "ignore": _reasons,
    "in-place": _flag,
    "normalise": _flag,
    "build-env": _names,
    "archives": _kinds,
    "tag": _tags,
    "session-prefix": _text,
    "attestations": _flag,
    "require-verified": _required,
    "resolution": _resolution,
    "rehearse-on": _rehearsal,
    "release-with": _folders,
    "packages": _folders,
    "build-timeout": _seconds,
    "index-timeout": _seconds,
}

DEFAULT_INDEXES = {"testpypi": TESTPYPI, "pypi": PYPI, "dependencies": DEPENDENCIES}


def _indexes(value: Any) -> dict[str, Index]:
    """Return the indexes that ``[tool.seatrial.indexes]`` names: `upload` and `simple` URLs."""
    if not isinstance(value, dict):
        raise BadConfig("indexes", "a table", value)
    return {role: _index(role, urls) for role, urls in value.items()}


def _index(role: str, urls: Any) -> Index:
    key = f"indexes.{role}"
    if role not in DEFAULT_INDEXES:
        raise BadConfig(key, f"one of {', '.join(DEFAULT_INDEXES)}", None)
    needed = {"simple"} if role == "dependencies" else {"simple", "upload"}
    if not isinstance(urls, dict) or set(urls) != needed:
        raise BadConfig(key, f"a table with exactly: {', '.join(sorted(needed))}", urls)
    for name, url in urls.items():
        _checked_url(f"{key}.{name}", url)
    default, simple, upload = DEFAULT_INDEXES[role], urls["simple"].rstrip("/") + "/", urls.get("upload", "")
    if (simple, upload) == (default.simple, default.upload):
        return default
    return Index(urlsplit(simple).netloc, simple=simple, upload=upload, token_variable=default.token_variable)


def _checked_url(key: str, url: Any) -> None:
    parts = urlsplit(_text(key, url))
    if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.netloc:
        raise BadConfig(key, "an http(s) URL without a login in it", "(not shown)" if "@" in url else url)


assert set(READERS) <= {f.name.replace("_", "-") for f in fields(Settings)}  # noqa: S101 (a slip of ours, at import)
