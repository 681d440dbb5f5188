"""How rules are declared and applied. A rule is one small function with a stable code, whose docstring explains it.

It cites where it comes from (`sources`), which also says whether it holds on every index.

It yields one message a finding, and nothing where all is well. It is given the part of a file that it is about (the
whole look, the metadata, the zip or tar structure), one text member at a time, or the release as a whole.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from seatrial.release.stages import Problem
from seatrial.rules.distribution import Look, Tar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from seatrial.release.archives import Metadata
    from seatrial.release.zips import Zip
    from seatrial.rules.index import Listing
    from seatrial.rules.sources import Source

Severity = Literal["error", "warning"]
T = TypeVar("T")
MENTIONS = 20  # findings of one rule on one file


@dataclass(frozen=True)
class Release:
    """What a release rule looks at: all files, the version tags at HEAD, and the files that git tracks below root.

    `committed` are those of HEAD that belong into an archive; `lacking` those that a wheel of the checkout has and the
    one that is built from the sdist has not; `reached` is what the build of that one needed beside its requirements.
    `clean` says that all was built out of a clean checkout.
    """

    archives: tuple[Look, ...]
    tags: tuple[str, ...] = ()
    tag_patterns: tuple[str, ...] = ("v{version}", "{version}")
    root: Path | None = None
    tracked: tuple[str, ...] = ()
    committed: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    clean: bool = True


@dataclass(frozen=True)
class Rule(Generic[T]):
    """A rule: `find` yields messages on that part of a look which `part` returns; None leaves the rule out."""

    code: str
    severity: Severity
    source: Source
    find: Callable[[T], Iterator[str]]
    part: Callable[[Look], T | None]

    @property
    def explanation(self) -> str:
        return self.find.__doc__ or ""


@dataclass(frozen=True)
class MemberRule:
    """A rule on the members that are text: `find` is given name and bytes of one."""

    code: str
    severity: Severity
    source: Source
    find: Callable[[str, bytes], Iterator[str]]

    @property
    def explanation(self) -> str:
        return self.find.__doc__ or ""


@dataclass(frozen=True)
class ReleaseRule:
    """A rule on the release as a whole."""

    code: str
    severity: Severity
    source: Source
    find: Callable[[Release], Iterator[str]]

    @property
    def explanation(self) -> str:
        return self.find.__doc__ or ""


@dataclass(frozen=True)
class IndexRule:
    """A rule on what an index lists for the project."""

    code: str
    severity: Severity
    source: Source
    find: Callable[[Listing], Iterator[str]]

    @property
    def explanation(self) -> str:
        return self.find.__doc__ or ""


if TYPE_CHECKING:
    AnyRule = Rule[Any] | MemberRule | ReleaseRule | IndexRule

FILE_RULES: list[Rule[Any]] = []
NET_RULES: list[Rule[Any]] = []  # the net below the others: applied to a file in which no other rule found an error
MEMBER_RULES: list[MemberRule] = []
RELEASE_RULES: list[ReleaseRule] = []
INDEX_RULES: list[IndexRule] = []


def _declare(
    code: str, severity: Severity, source: Source, part: Callable[[Look], T | None], rules: list[Rule[Any]]
) -> Callable[[Callable[[T], Iterator[str]]], Rule[T]]:
    def declare(find: Callable[[T], Iterator[str]]) -> Rule[T]:
        rule = Rule(code, severity, source, find, part)
        rules.append(rule)
        return rule

    return declare


def file_rule(code: str, severity: Severity, source: Source) -> Callable[[Callable[[Look], Iterator[str]]], Rule[Look]]:
    """Declare a rule on one file."""
    return _declare(code, severity, source, lambda look: look, FILE_RULES)


def wheel_rule(
    code: str, severity: Severity, source: Source
) -> Callable[[Callable[[Look], Iterator[str]]], Rule[Look]]:
    """Declare a rule on a wheel whose members can be listed."""
    return _declare(
        code, severity, source, lambda look: look if look.kind == "wheel" and look.zip else None, FILE_RULES
    )


def sdist_rule(
    code: str, severity: Severity, source: Source
) -> Callable[[Callable[[Look], Iterator[str]]], Rule[Look]]:
    """Declare a rule on an sdist whose members can be listed."""
    return _declare(
        code, severity, source, lambda look: look if look.kind == "sdist" and look.tar else None, FILE_RULES
    )


def zip_rule(code: str, severity: Severity, source: Source) -> Callable[[Callable[[Zip], Iterator[str]]], Rule[Zip]]:
    """Declare a rule on the structure of a zip file."""
    return _declare(code, severity, source, lambda look: look.zip, FILE_RULES)


def tar_rule(code: str, severity: Severity, source: Source) -> Callable[[Callable[[Tar], Iterator[str]]], Rule[Tar]]:
    """Declare a rule on the members of a tar file."""
    return _declare(code, severity, source, lambda look: look.tar, FILE_RULES)


def metadata_rule(
    code: str, severity: Severity, source: Source
) -> Callable[[Callable[[Metadata], Iterator[str]]], Rule[Metadata]]:
    """Declare a rule on core metadata, wherever some was found."""
    return _declare(code, severity, source, lambda look: look.metadata, FILE_RULES)


def net_rule(code: str, severity: Severity, source: Source) -> Callable[[Callable[[Look], Iterator[str]]], Rule[Look]]:
    """Declare a rule that is asked only where no other found an error."""
    return _declare(code, severity, source, lambda look: look, NET_RULES)


def member_rule(
    code: str, severity: Severity, source: Source
) -> Callable[[Callable[[str, bytes], Iterator[str]]], MemberRule]:
    """Declare a rule on each member that is text."""

    def declare(find: Callable[[str, bytes], Iterator[str]]) -> MemberRule:
        rule = MemberRule(code, severity, source, find)
        MEMBER_RULES.append(rule)
        return rule

    return declare


def release_rule(
    code: str, severity: Severity, source: Source
) -> Callable[[Callable[[Release], Iterator[str]]], ReleaseRule]:
    """Declare a rule on the release as a whole."""

    def declare(find: Callable[[Release], Iterator[str]]) -> ReleaseRule:
        rule = ReleaseRule(code, severity, source, find)
        RELEASE_RULES.append(rule)
        return rule

    return declare


def index_rule(
    code: str, severity: Severity, source: Source
) -> Callable[[Callable[[Listing], Iterator[str]]], IndexRule]:
    """Declare a rule on what an index lists."""

    def declare(find: Callable[[Listing], Iterator[str]]) -> IndexRule:
        rule = IndexRule(code, severity, source, find)
        INDEX_RULES.append(rule)
        return rule

    return declare


def all_rules() -> Sequence[AnyRule]:
    """Return all rules, in the order in which they were declared."""
    return (*FILE_RULES, *MEMBER_RULES, *NET_RULES, *RELEASE_RULES, *INDEX_RULES)


def codes() -> tuple[str, ...]:
    """Return the codes of all rules on files and releases, sorted."""
    return tuple(sorted({rule.code for rule in all_rules()} - {rule.code for rule in INDEX_RULES}))


def judge_file(path: Path, only: str | None = None) -> tuple[Problem, ...]:
    """Apply the file rules (or the one with the code `only`) to the distribution at `path`.

    What is wrong with it is a finding, never an exception.
    """
    return tuple(_judged(path, only)[1])


def _judged(path: Path, only: str | None = None) -> tuple[Look, list[Problem]]:
    found: list[Problem] = []
    rules = [rule for rule in MEMBER_RULES if only in {None, rule.code}]
    look = Look.open(path, functools.partial(_visit, found, rules, path.name))
    found += _applied(FILE_RULES, look, only)
    if not any(problem.severity == "error" for problem in found):
        found += _applied(NET_RULES, look, only)
    return look, found


def _visit(found: list[Problem], rules: Sequence[MemberRule], file: str, name: str, raw: bytes) -> None:
    for rule in rules:
        left = MENTIONS - sum(problem.rule == rule.code for problem in found)
        messages = itertools.islice(rule.find(name, raw), left) if left else ()
        found += [Problem(rule.code, rule.severity, file, message) for message in messages]


def _applied(rules: Sequence[Rule[Any]], look: Look, only: str | None) -> Iterator[Problem]:
    for rule in rules:
        part = rule.part(look) if only in {None, rule.code} else None
        if part is not None:
            for message in itertools.islice(rule.find(part), MENTIONS):
                yield Problem(rule.code, rule.severity, look.path.name, message)


def judge_release(paths: Iterable[Path], release: Release) -> tuple[Problem, ...]:
    """Apply the file rules to each of `paths`, and the release rules to those that can be read: in one look at each."""
    judged = [_judged(path) for path in paths]
    apart = (problem for _, found in judged for problem in found)
    return (*apart, *_together((look for look, _ in judged), release))


def judge_together(paths: Iterable[Path], release: Release) -> tuple[Problem, ...]:
    """Apply the release rules alone."""
    return tuple(_together(map(Look.open, paths), release))


def for_index(found: Iterable[Problem], other: str) -> list[Problem]:
    """Return `found` as it counts for the index `other`, which is not PyPI; empty for PyPI.

    What PyPI alone refuses is a warning there.
    """
    theirs = {rule.code for rule in all_rules() if rule.source.scope == "public"}
    note = f" (A warning: only PyPI refuses it, and these files are for {other}.)"
    return [
        replace(one, severity="warning", message=one.message + note)
        if other and one.rule in theirs and one.severity == "error"
        else one
        for one in found
    ]


def judge_listing(listing: Listing) -> tuple[Problem, ...]:
    """Apply the rules on what an index lists."""
    found = ((rule, message) for rule in INDEX_RULES for message in rule.find(listing))
    return tuple(Problem(rule.code, rule.severity, "release", message, index=listing.name) for rule, message in found)


def _together(looks: Iterable[Look], release: Release) -> Iterator[Problem]:
    """Apply the release rules to those of `looks` that could be read, without what no such rule looks at."""
    readable = (look for look in looks if look.version is not None and look.metadata is not None and not look.trouble)
    whole = replace(release, archives=tuple(replace(look, zip=None) for look in readable))
    for rule in RELEASE_RULES:
        for message in rule.find(whole):
            yield Problem(rule.code, rule.severity, "release", message)
