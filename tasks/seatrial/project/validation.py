"""What each setting of ``[tool.seatrial]`` takes: a value of the wrong type is an error that names it."""

from __future__ import annotations

import difflib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from seatrial.index.indexes import PYPI, TESTPYPI, Index
from seatrial.machine import variables
from seatrial.machine.errors import ReleaseError
from seatrial.project import pythons
from seatrial.release.stages import KINDS, Kind
from seatrial.release.verdicts import ALL, MATRIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DEPENDENCIES = Index(
    "PyPI",
    simple=PYPI.simple,
    token_variable="DEPENDENCIES_TOKEN",  # noqa: S106 (a variable's name)
    token_location=PYPI.token_location,
)

REHEARSALS = ("testpypi", "dryrun")

RESOLUTIONS = ("highest", "lowest-direct")


class BadConfig(ReleaseError):
    key: str
    expected: str
    found: object
    folder: str = ""  # of one of several packages

    what = "The setting `{e.key}` in [tool.seatrial]{e.place} is {e.found!r}, but must be {e.expected}."
    cause = "a value of the wrong type, or one that is not allowed."
    cure = "correct it in pyproject.toml (or seatrial.toml)."

    @property
    def place(self) -> str:
        return f" in {self.folder}" if self.folder else ""


class UnknownSetting(ReleaseError):
    key: str
    known: tuple[str, ...]
    folder: str = ""  # of one of several packages

    what = "Unknown setting `{e.key}` in [tool.seatrial]{e.place}.{e.likely} Known settings: {e.known:joined}."
    cause = "a misspelt name, or a setting of another version of seatrial."
    cure = "correct or remove it in pyproject.toml (or seatrial.toml)."

    @property
    def likely(self) -> str:
        return "".join(f" Did you mean `{name}`?" for name in difflib.get_close_matches(self.key, self.known, 1, 0.82))

    @property
    def place(self) -> str:
        return f" in {self.folder}" if self.folder else ""


def fields(table: Any) -> dict[str, Any]:
    """Return the fields of `Settings` that the table [tool.seatrial] sets. Raises UnknownSetting and BadConfig."""
    if not isinstance(table, dict):
        raise BadConfig("tool.seatrial", "a table", table)
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key == "indexes":
            found |= _indexes(value)
        elif key in READERS:
            found[key.replace("-", "_")] = READERS[key](key, value)
        else:
            raise UnknownSetting(key, tuple(sorted([*READERS, "indexes"])))
    return found


def stop_unless_some(key: str, chosen: Sequence[str], pythons: Sequence[str]) -> None:
    """Raise BadConfig where the Pythons that are `chosen` are not some of those of the project."""
    if not set(chosen) <= set(pythons):
        raise BadConfig(key, f"some of `pythons`: {', '.join(pythons)}", list(chosen))


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
    names = _texts(key, value)
    if not pythons.are_pythons(value):
        raise BadConfig(key, 'a list like ["3.10", "3.14", "3.14t", "pypy3.11"]', value)
    return names


def _folders(key: str, value: Any) -> tuple[str, ...]:
    folders = _texts(key, value)
    if odd := [folder for folder in folders if not folder.strip() or Path(folder).is_absolute()]:
        raise BadConfig(key, 'folders of this repository, relative to this one, like ["../core"]', odd[0])
    return folders


def _tags(key: str, value: Any) -> tuple[str, ...]:
    if "{version}" not in _text(key, value):
        raise BadConfig(key, 'a pattern with {version} in it, like "v{version}"', value)
    return (value,)


READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "pythons": _pythons,
    "sdist-pythons": _pythons,
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
        raise UnknownSetting(key, tuple(f"indexes.{name}" for name in DEFAULT_INDEXES))
    needed = {"simple"} if role == "dependencies" else {"simple", "upload"}
    if not isinstance(urls, dict) or set(urls) != needed:
        shown = sorted(urls) if isinstance(urls, dict) else _without_login(urls)
        raise BadConfig(key, f"a table with exactly: {', '.join(sorted(needed))}", shown)
    for name, url in urls.items():
        _checked_url(f"{key}.{name}", url)
    default, simple, upload = DEFAULT_INDEXES[role], urls["simple"].rstrip("/") + "/", urls.get("upload", "")
    if (simple, upload) == (default.simple, default.upload):
        return default
    return Index(urlsplit(simple).netloc, simple=simple, upload=upload, token_variable=default.token_variable)


def _checked_url(key: str, url: Any) -> None:
    parts = urlsplit(_text(key, url))
    if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.netloc:
        raise BadConfig(key, "an http(s) URL without a login in it", _without_login(url))


def _without_login(value: Any) -> object:
    return "(not shown)" if "@" in str(value) else value
