"""The options after ``--``: one set for all sessions, parsed in one place.

nox hands them to every session of a chain, so each session takes what concerns it and none has a meaning of its own.
"""

from __future__ import annotations

import argparse
import functools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from packaging.version import InvalidVersion, Version

from .errors import BadOption, SecretInArguments

if TYPE_CHECKING:
    from collections.abc import Sequence


WORDS = {"inspect": sys.maxsize, "rebuild": 1}  # how many words beside the options a session takes


@dataclass(frozen=True)
class Options:
    """What was asked for; paths are absolute. `rehearse_on` is the reason why this machine is the rehearsal index."""

    explain: bool
    rebuild: bool
    sdist_only: bool
    offline: bool
    taken_from: Path | None
    yes: str | None
    no_narrow: bool
    rehearse_on: str | None
    remote: bool
    package: str | None
    all: bool
    keep: Path | None
    json: Path | None
    files: tuple[Path, ...]
    version: str | None = None
    since: str | None = None

    @property
    def once(self) -> tuple[str, ...]:
        """The options that the next session needs again."""
        return ("--rehearse-on", "dryrun", f'"{self.rehearse_on}"') if self.rehearse_on else ()


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one of ours, instead of a second way to leave."""

    def error(self, message: str) -> NoReturn:
        raise BadOption(self.prog, message)


def parse(session: str, posargs: Sequence[str], invoked_from: Path, *, prog: str = "") -> Options:
    """Return the options in `posargs` for `session`, typed as `prog`; relative paths are meant from `invoked_from`.

    Raises BadOption, and SecretInArguments (without showing it) where an API token was typed.
    """
    if any("pypi-Ag" in word for word in posargs):
        raise SecretInArguments
    parser = _parser(prog or f"nox -s {session} --")
    found = parser.parse_intermixed_args(list(posargs))
    if len(found.words) > WORDS.get(session, 0):
        parser.error(f"unrecognized arguments: {' '.join(found.words)}")

    absolute = functools.partial(_absolute, invoked_from)
    return Options(
        explain=found.explain,
        rebuild=found.rebuild,
        sdist_only=found.sdist_only,
        offline=found.offline,
        taken_from=absolute(found.taken_from),
        yes=found.yes,
        no_narrow=found.no_narrow,
        rehearse_on=_reason(parser.prog, found.rehearse_on),
        remote=found.remote,
        package=found.package,
        all=found.all,
        keep=absolute(found.keep),
        json=absolute(found.json),
        files=tuple(map(Path, found.words)) if session == "inspect" else (),
        version=next(iter(found.words), None) if session == "rebuild" else None,
        since=_version(parser.prog, found.since),
    )


def without_package(posargs: Sequence[str]) -> list[str]:
    """Return `posargs` without what chooses packages, for the session that works for one of them."""
    words, left = list(posargs), []
    while words:
        word = words.pop(0)
        if word == "--package":
            words = words[1:]
        elif word != "--all" and not word.startswith("--package="):
            left.append(word)
    return left


def _absolute(start: Path, path: Path | None) -> Path | None:
    return None if path is None else start / path


def _version(prog: str, given: str | None) -> str | None:
    try:
        return None if given is None else str(Version(given))
    except InvalidVersion:
        raise BadOption(prog, f"--since takes a version, and {given!r} is none") from None


def _reason(prog: str, given: list[str] | None) -> str | None:
    if given is None:
        return None
    place, reason = given
    if place != "dryrun" or not reason.strip():
        raise BadOption(prog, 'it is `--rehearse-on dryrun "REASON"`, and a reason has to be given')
    return reason.strip()


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = _Parser(prog=prog, allow_abbrev=False, description="Options of the release sessions.")
    add = parser.add_argument
    add("--explain", action="store_true", help="print the commands a person would type instead; do nothing")
    add("--rebuild", action="store_true", help="build: start anew; the old record is moved aside")
    add("--sdist-only", action="store_true", help="build: no wheel")
    add("--offline", action="store_true", help="check: no look-ups on the indexes")
    add("--since", metavar="VERSION", help="check, dryrun: compare with this version, not with the last one")
    add("--from", dest="taken_from", type=Path, metavar="FOLDER", help="build: take these distributions as they are")
    add(
        "--rehearse-on",
        nargs=2,
        metavar=("dryrun", "REASON"),
        help="testpypi, verify, pypi: this once, the stand-in on this machine is the rehearsal",
    )
    add("--remote", action="store_true", help="status: compare the record with both indexes and the tag")
    add("--yes", metavar="VERSION", help="pypi: the confirmation, where there is no terminal")
    add("--no-narrow", action="store_true", help="testpypi, pypi: hand the token on as it is")
    add("--package", metavar="NAME", help="all: for this package of a repository with several (its name or folder)")
    add(
        "--all", action="store_true", help="all: for every package of the repository, in the order they need each other"
    )
    add("--keep", type=Path, metavar="FOLDER", help="dryrun: leave dist, record and both indexes there")
    add("--json", type=Path, metavar="OUT", help="inspect: write the findings to OUT as JSON")
    add("words", nargs="*", metavar="FILE", help="inspect: the wheels and sdists to look at; rebuild: a VERSION")
    return parser
