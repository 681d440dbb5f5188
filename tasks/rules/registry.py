"""How rules are declared and applied. A rule is one small function with a stable code, whose docstring explains it.

It yields one message a finding, and nothing where all is well. Two scopes: a file by itself, or the release as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from ..archives import Archive, BadArchive
from ..stages import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

Severity = Literal["error", "warning"]
T = TypeVar("T")
READABLE = "archive-readable"


@dataclass(frozen=True)
class Release:
    """What a release rule looks at: all files, the version tags at HEAD, and the files that git tracks below root."""

    archives: tuple[Archive, ...]
    tags: tuple[str, ...] = ()
    tag_patterns: tuple[str, ...] = ("v{version}", "{version}")
    root: Path | None = None
    tracked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule(Generic[T]):
    """A rule: `find` yields messages; in a release rule a message may be preceded by the file it is about."""

    code: str
    severity: Severity
    find: Callable[[T], Iterator[str]]

    @property
    def explanation(self) -> str:
        return self.find.__doc__ or ""


FILE_RULES: list[Rule[Archive]] = []
RELEASE_RULES: list[Rule[Release]] = []


def file_rule(code: str, severity: Severity) -> Callable[[Callable[[Archive], Iterator[str]]], Rule[Archive]]:
    """Declare a rule on one file."""

    def declare(find: Callable[[Archive], Iterator[str]]) -> Rule[Archive]:
        rule = Rule(code, severity, find)
        FILE_RULES.append(rule)
        return rule

    return declare


def release_rule(code: str, severity: Severity) -> Callable[[Callable[[Release], Iterator[str]]], Rule[Release]]:
    """Declare a rule on the release as a whole."""

    def declare(find: Callable[[Release], Iterator[str]]) -> Rule[Release]:
        rule = Rule(code, severity, find)
        RELEASE_RULES.append(rule)
        return rule

    return declare


def codes() -> tuple[str, ...]:
    """Return the codes of all rules, sorted."""
    return tuple(sorted({READABLE, *(rule.code for rule in FILE_RULES), *(rule.code for rule in RELEASE_RULES)}))


def judge_file(path: Path) -> tuple[Problem, ...]:
    """Apply the file rules to the distribution at `path`. What is wrong with it is a finding, never an exception."""
    try:
        archive = Archive.open(path)
    except BadArchive as bad:
        return (_unreadable(bad),)
    return tuple(_apply(FILE_RULES, archive, path.name))


def judge_release(paths: Iterable[Path], release: Release) -> tuple[Problem, ...]:
    """Apply the file rules to each of `paths`, and the release rules to those that can be read."""
    found: list[Problem] = []
    archives = []
    for path in paths:
        found += judge_file(path)
        if not any(problem.rule == READABLE and problem.file == path.name for problem in found):
            archives.append(Archive.open(path))
    whole = Release(tuple(archives), release.tags, release.tag_patterns, release.root, release.tracked)
    return (*found, *_apply(RELEASE_RULES, whole, "release"))


def _apply(rules: list[Rule[T]], subject: T, file: str) -> Iterator[Problem]:
    for rule in rules:
        yield from _found(rule, subject, file)


def _found(rule: Rule[T], subject: T, file: str) -> Iterator[Problem]:
    try:
        for message in rule.find(subject):
            yield Problem(rule.code, rule.severity, file, message)
    except BadArchive as bad:  # a member that cannot be read, of an archive that could be opened
        yield _unreadable(bad)


def _unreadable(bad: BadArchive) -> Problem:
    return Problem(READABLE, "error", bad.path.name, str(bad))
