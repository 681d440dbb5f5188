"""What `check` found, each with why that matters and how to fix it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from seatrial.report.page import project_page
from seatrial.report.page.markup import Safe, join, prose, tag
from seatrial.report.text import together
from seatrial.rules import judge  # noqa: F401 (loads the modules that declare the rules)
from seatrial.rules.rule import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.release.stages import Problem
    from seatrial.report.facts import Facts

SHOWN = 200  # findings
LONGEST = 4000  # characters of a message, which may quote a program


def section(facts: Facts) -> Safe:
    """Return the findings, errors first; what to say where there are none."""
    if facts.problems:
        explained = {rule.code: rule.explanation for rule in reversed(RULES)}
        grouped = together(facts.problems)
        shown = [_finding(problem, files, explained.get(problem.rule, "")) for problem, files in grouped[:SHOWN]]
        more = f"{len(grouped) - SHOWN} more are not shown."
        note = tag("p", more, class_="note") if len(grouped) > SHOWN else ""
        return join([tag("ul", *shown, class_="findings"), note])
    if not facts.checked:
        return tag("p", "These files are not checked yet.", class_="note")
    if flawed := project_page.counted(facts):
        link = tag("a", flawed, href="#project-page")
        return tag("p", "No rule is broken. On the project's page, ", link, " should be fixed.", class_="note")
    return tag("p", "No problems.", class_="note")


def _finding(problem: Problem, files: Sequence[str], explanation: str) -> Safe:
    first, *rest = problem.message[:LONGEST].strip().splitlines() or [""]
    message = [prose(first), *[join([tag("br"), prose(line)]) for line in rest]]
    names = [part for file in files for part in (", ", tag("span", file, class_="name"))][1:]
    why = [tag("p", prose(" ".join(part.split()))) for part in inspect.cleandoc(explanation).split("\n\n")]
    if not explanation:
        why = [tag("p", "It happened when the file was installed and used on this machine.")]
    return tag(
        "li",
        tag("span", problem.severity, class_="state"),
        tag("div", tag("p", *message), tag("p", *names, class_="quiet"), class_="what"),
        tag("details", tag("summary", tag("code", problem.rule)), *why),
        class_=problem.severity,
    )
