"""What each setting of ``[tool.seatrial]`` takes: a value of the wrong type is an error that names it."""

from __future__ import annotations

import difflib
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from seatrial.index.indexes import PYPI, TESTPYPI, Index
from seatrial.machine import variables
from seatrial.machine.errors import ReleaseError
from seatrial.project import pythons
from seatrial.release.stages import KINDS
from seatrial.release.verdicts import ALL, MATRIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Read = Callable[[str, Any], Any]

DEPENDENCIES = replace(PYPI, upload="", pages="", token_variable="DEPENDENCIES_TOKEN")  # noqa: S106 (a variable's name)


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
            if not isinstance(value, dict):
                raise BadConfig("indexes", "a table", value)
            found |= {role: _index(role, urls) for role, urls in value.items()}
        elif key in READERS:
            found[key.replace("-", "_")] = READERS[key](key, value)
        else:
            raise UnknownSetting(key, tuple(sorted([*READERS, "indexes"])))
    return found


def _reader(
    expected: str, fits: Callable[[Any], object], first: Read | None = None, made: Callable[[Any], Any] | None = None
) -> Read:
    """Return what reads a setting: it raises BadConfig unless the value passes `first` and `fits` what is `expected`.

    It returns what is `made` of the value; else the value, a list as a tuple.
    """

    def read(key: str, value: Any) -> Any:
        if first:
            first(key, value)
        if not fits(value):
            raise BadConfig(key, expected, value)
        if made:
            return made(value)
        return tuple(value) if isinstance(value, list) else value

    return read


def _each(expected: str, fits: Callable[[str], object]) -> Read:
    """Return what reads a list of strings that each fit what is `expected`; BadConfig shows one that does not."""

    def read(key: str, value: Any) -> tuple[str, ...]:
        for item in _texts(key, value):
            if not fits(item):
                raise BadConfig(key, expected, item)
        return tuple(value)

    return read


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_command(text: str) -> bool:
    try:
        return bool(shlex.split(text))
    except ValueError:
        return False


_texts = _reader("a list of strings", _are_texts)
_text = _reader("a string", lambda value: isinstance(value, str))
_flag = _reader("true or false", lambda value: isinstance(value, bool))
_seconds = _reader("a number of seconds above 0", lambda value: type(value) is int and value > 0)
_pythons = _reader('a list like ["3.10", "3.14", "3.14t", "pypy3.11"]', pythons.are_pythons, _texts)
_folders = _each(
    'folders of this repository, relative to this one, like ["../core"]',
    lambda folder: folder.strip() and not Path(folder).is_absolute(),
)

READERS: Mapping[str, Read] = {
    "pythons": _pythons,
    "sdist-pythons": _pythons,
    "extras": _texts,
    "import-names": _texts,
    "smoke": _each("a list of commands with their quotes closed", _is_command),
    "smoke-requires": _texts,
    "ignore": _reader(
        'a table of rule codes with a reason each, like wheel-pth = "on purpose"',
        lambda value: isinstance(value, dict) and all(isinstance(one, str) and one.strip() for one in value.values()),
    ),
    "in-place": _flag,
    "normalise": _flag,
    "build-env": _each("names of variables that hold no secret", lambda name: not variables.is_secret(name)),
    "archives": _reader(
        'some of "wheel" and "sdist"',
        lambda kinds: kinds and set(kinds) <= set(KINDS),
        first=_texts,
        made=lambda kinds: tuple(kind for kind in KINDS if kind in kinds),
    ),
    "tag": _reader(
        'a pattern with {version} in it, like "v{version}"',
        lambda pattern: "{version}" in pattern,
        first=_text,
        made=lambda pattern: (pattern,),
    ),
    "session-prefix": _text,
    "attestations": _flag,
    "require-verified": _reader(
        '"matrix", "all" or a list of patterns like ["cp312-*-manylinux*"]',
        lambda value: value in (MATRIX, ALL) or (value and _are_texts(value) and all(map(str.strip, value))),
    ),
    "resolution": _reader('"highest" or "lowest-direct"', ("highest", "lowest-direct").__contains__, _text),
    "rehearse-on": _reader('"testpypi" or "dryrun"', ("testpypi", "dryrun").__contains__, _text),
    "release-with": _folders,
    "packages": _folders,
    "build-timeout": _seconds,
    "index-timeout": _seconds,
}

DEFAULT_INDEXES = {"testpypi": TESTPYPI, "pypi": PYPI, "dependencies": DEPENDENCIES}


def _index(role: str, urls: Any) -> Index:
    """Return the index that ``[tool.seatrial.indexes]`` names for `role`: its `upload` and `simple` URLs."""
    key = f"indexes.{role}"
    if role not in DEFAULT_INDEXES:
        raise UnknownSetting(key, tuple(f"indexes.{name}" for name in DEFAULT_INDEXES))
    needed = {"simple"} if role == "dependencies" else {"simple", "upload"}
    if not isinstance(urls, dict) or set(urls) != needed:
        shown = sorted(urls) if isinstance(urls, dict) else _without_login(urls)
        raise BadConfig(key, f"a table with exactly: {', '.join(sorted(needed))}", shown)
    for name, url in urls.items():
        parts = urlsplit(_text(f"{key}.{name}", url))
        if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.netloc:
            raise BadConfig(f"{key}.{name}", "an http(s) URL without a login in it", _without_login(url))
    default, simple, upload = DEFAULT_INDEXES[role], urls["simple"].rstrip("/") + "/", urls.get("upload", "")
    if (simple, upload) == (default.simple, default.upload):
        return default
    return Index(urlsplit(simple).netloc, simple=simple, upload=upload, token_variable=default.token_variable)


def _without_login(value: Any) -> object:
    return "(not shown)" if "@" in str(value) else value
