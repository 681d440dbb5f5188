"""What `check` found, each with why that matters and how to mend it."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

from seatrial.report.markup import Safe, join, prose, tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.release.stages import Problem
    from seatrial.report.facts import Facts

PACKAGE = (__package__ or "").rpartition(".")[0]
SHOWN = 200  # findings
LONGEST = 4000  # characters of a message, which may quote a program


def section(facts: Facts) -> Safe:
    """Return the findings, errors first; what to say where there are none."""
    if not facts.problems:
        nothing = "Nothing was found." if facts.checked else "These files are not checked yet."
        return tag("p", nothing, class_="note")
    explained = explanations()
    grouped = together(facts.problems)
    shown = [_finding(problem, files, explained) for problem, files in grouped[:SHOWN]]
    more = [tag("p", f"{len(grouped) - SHOWN} more are not shown.", class_="note")] if len(grouped) > SHOWN else []
    return join([tag("ul", *shown, class_="findings"), *more])


def together(problems: Sequence[Problem]) -> list[tuple[Problem, tuple[str, ...]]]:
    """Return each finding once, errors first, with all the files it is about."""
    files: dict[tuple[str, str, str], list[str]] = {}
    first: dict[tuple[str, str, str], Problem] = {}
    for one in problems:
        key = (one.severity, one.rule, one.message)
        first.setdefault(key, one)
        files.setdefault(key, []).append(one.file)
    ordered = sorted(first, key=lambda key: key[0] != "error")
    return [(first[key], tuple(sorted(set(files[key])))) for key in ordered]


def _finding(problem: Problem, files: Sequence[str], explained: Mapping[str, str]) -> Safe:
    return tag(
        "li",
        tag("span", problem.severity, class_="state"),
        tag("div", tag("p", _lines(problem.message[:LONGEST])), tag("p", *_files(files), class_="told"), class_="what"),
        tag("details", tag("summary", tag("code", problem.rule)), _why(explained.get(problem.rule, ""))),
        class_=problem.severity,
    )


def _files(files: Sequence[str]) -> Sequence[object]:
    return [part for file in files for part in (", ", tag("span", file, class_="name"))][1:]


def _lines(message: str) -> Safe:
    first, *rest = message.strip().splitlines() or [""]
    return join([prose(first), *[part for line in rest for part in (tag("br"), prose(line))]])


def _why(explanation: str) -> Safe:
    if not explanation:
        return tag("p", "It happened when the file was installed and used on this machine.")
    return join(tag("p", prose(" ".join(part.split()))) for part in inspect.cleandoc(explanation).split("\n\n"))


def explanations() -> dict[str, str]:
    """Return why each rule is one, by its code. The rules are loaded for this alone, where there are findings."""
    judge: Any = importlib.import_module(f"{PACKAGE}.judge")
    for name in judge.RULES:
        importlib.import_module(f"{PACKAGE}.rules.{name}")
    registry: Any = importlib.import_module(f"{PACKAGE}.rules.registry")
    found: dict[str, str] = {}
    for rule in registry.all_rules():
        found.setdefault(rule.code, rule.explanation)
    return found
