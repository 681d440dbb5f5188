"""The rules applied: to files by themselves, or to the files of one release.

What is wrong with a file is a finding, never an exception.
"""

import contextlib
import itertools
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

from seatrial.release.stages import Problem
from seatrial.rules import attestation, contents, filename, index, repository, sdist  # noqa: F401 (they declare rules)
from seatrial.rules import release as _release  # noqa: F401
from seatrial.rules.distribution import Distribution, Release
from seatrial.rules.limits import stdlib_names
from seatrial.rules.metadata import advice, description, fields, identity, twine  # noqa: F401
from seatrial.rules.rule import RULES, Rule, of
from seatrial.rules.wheel import dist_info, entry_points, record, tags  # noqa: F401
from seatrial.rules.wheel import zip as _zip  # noqa: F401

__all__ = ["NOT_APPLIED", "RULES", "for_index", "judge_file", "judge_files", "judge_release", "judge_together"]

MANY = 8  # files that are worth more than one process
MENTIONS = 20  # findings of one rule on one file
NOT_APPLIED = "rule-not-applied"


def prepare() -> None:
    """Begin with what would take a while when the first files are judged."""
    description.CHILD.start()
    stdlib_names()


def judge_files(paths: Sequence[Path]) -> list[tuple[Path, tuple[Problem, ...]]]:
    """Judge each of `paths` by itself, and return them in their order, each with what was found."""
    return [(path, problems) for path, (_, problems) in zip(paths, _examined(paths), strict=True)]


def judge_file(path: Path, only: str | None = None) -> tuple[Problem, ...]:
    """Apply the rules on files (or the one with the code `only`) to the distribution at `path`."""
    return _examine(path, only)[1]


def judge_release(paths: Sequence[Path], release: Release) -> tuple[tuple[str, ...], tuple[Problem, ...], str]:
    """Judge `paths` as the files of one `release`, whose `archives` are filled in.

    Return the codes of the rules that were applied (sorted), what was found, and the project's page as HTML: the
    description of the file that an index gets first, a wheel.
    """
    examined = _examined(paths)
    apart = (problem for _, problems in examined for problem in problems)
    dists = [dist for dist, _ in examined]
    first = min(dists, key=lambda dist: (dist.kind != "wheel", dist.path.name), default=None)
    html = description.rendered(first.metadata) if first and first.metadata else ""
    codes = tuple(sorted({rule.code for rule in RULES if rule.subject != "index"}))
    return codes, (*apart, *judge_together(dists, release)), html


def judge_together(dists: Iterable[Distribution], release: Release) -> tuple[Problem, ...]:
    """Apply the rules on the release as a whole to those of `dists` that could be read."""
    readable = (dist for dist in dists if dist.version is not None and dist.metadata is not None and not dist.trouble)
    whole = replace(release, archives=tuple(readable))
    return tuple(problem for rule in of("release") for problem in _applied(rule, "release", whole))


def for_index(problems: Iterable[Problem], other: str) -> list[Problem]:
    """Return `problems` as they count for the index `other`, which is not PyPI; empty for PyPI.

    What PyPI alone refuses is a warning there.
    """
    theirs = {rule.code for rule in RULES if rule.source.scope == "public"}
    note = f" (A warning: only PyPI refuses it, and these files are for {other}.)"
    return [
        replace(problem, severity="warning", message=problem.message + note)
        if other and problem.rule in theirs and problem.severity == "error"
        else problem
        for problem in problems
    ]


def _examined(paths: Sequence[Path]) -> list[tuple[Distribution, tuple[Problem, ...]]]:
    """Examine each of `paths`; many are shared out to one process a core."""
    workers = min(_cores(), -(-len(paths) // 2))
    if len(paths) >= MANY and workers > 1:
        spawn = multiprocessing.get_context("spawn")
        # Broken is the pool where one was killed, or cannot begin as the main module is no file.
        with contextlib.suppress(BrokenProcessPool), ProcessPoolExecutor(workers, spawn) as pool:
            return list(pool.map(_examine, paths, chunksize=max(1, len(paths) // (4 * workers))))
    return [_examine(path) for path in paths]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _examine(path: Path, only: str | None = None) -> tuple[Distribution, tuple[Problem, ...]]:
    """Return the distribution at `path`, without the structure of a zip, and what the rules on files find in it."""
    problems: list[Problem] = []
    counts: Counter[str] = Counter()
    rules = of("member", only=only)

    def visit(name: str, raw: bytes) -> None:
        """Apply the rules to the text member `name`; a warning is told once and counted."""
        for rule in rules:
            for problem in _applied(rule, path.name, name, raw):
                counts[rule.code] += 1
                if counts[rule.code] <= (1 if rule.severity == "warning" else MENTIONS):
                    problems.append(problem)

    dist = Distribution.open(path, visit)
    for number, problem in enumerate(problems):
        if problem.severity == "warning" and (count := counts[problem.rule]) > 1:
            problems[number] = replace(problem, message=f"{problem.message} ({count} of that kind in this file.)")
    listed = dist if (dist.zip if dist.kind == "wheel" else dist.tar) else None
    parts = {"file": dist, dist.kind: listed, "zip": dist.zip, "tar": dist.tar, "metadata": dist.metadata}
    for rule in of("file", "zip", "tar", "metadata", dist.kind, only=only):
        if (part := parts[rule.subject]) is not None:
            problems += _applied(rule, path.name, part)
    if not any(problem.severity == "error" for problem in problems):
        problems += [problem for rule in of("twine", only=only) for problem in _applied(rule, path.name, dist)]
    return replace(dist, zip=None), tuple(problems)


def _applied(rule: Rule, file: str, *subject: Any) -> Iterator[Problem]:
    """Yield what `rule` finds. Where it fails on input that nobody thought of, that is a finding as well."""
    try:
        for message in itertools.islice(rule.find(*subject), MENTIONS):
            yield rule.problem(file, message)
    except Exception as error:  # noqa: BLE001 (see above)
        text = f"the rule {rule.code} could not be applied ({type(error).__name__}: {error}); please report it."
        yield Problem(NOT_APPLIED, "error", file, text[:1000], silenceable=True)
