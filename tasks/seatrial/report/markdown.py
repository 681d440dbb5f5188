"""``report.md``: the release in a few lines of Markdown, for the page of a CI run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from seatrial.machine.terminal import size, visible
from seatrial.project.pythons import by_version
from seatrial.report.page import project_page
from seatrial.report.text import WORDS, changes, rebuilt, rehearsed_as, together, told_again

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.report.facts import Facts

MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@$])")
SHOWN = 20  # lines of a kind
LONGEST = 300  # characters of a finding


def markdown(facts: Facts) -> str:
    """Return the release of `facts` as Markdown; what a package says of itself is text in it, and no markup."""
    files = [(plain(file.dist.filename), size(file.dist.size), plain(file.dist.sha256)) for file in facts.files[:SHOWN]]
    blocks = [f"## {plain(facts.title)}", *_stages(facts), *_findings(facts)]
    blocks += [table(("file", "size", "sha256"), files), *_more(len(facts.files))]
    if flaws := project_page.flaws(facts):
        lines = [f"- {flaw.what} {plain(flaw.target or '(empty)')} {flaw.why}" for flaw in flaws[:SHOWN]]
        blocks.append("\n".join(["To fix on the project's page:", "", *lines, *_more(len(flaws))]))
    if facts.changes:
        sentence = changes(facts.changes)
        blocks.append(plain(sentence[0].upper() + sentence[1:]))
    blocks += _matrix(facts)
    if found := facts.rebuilt:
        again = [(plain(file.filename), plain(told_again(file))) for file in found.files]
        blocks += [plain(rebuilt(found)), table(("file", "built again"), again)]
    if facts.following:
        blocks.append(f"Next: {code(facts.following)}")
    return "\n\n".join(blocks) + "\n"


def plain(value: object) -> str:
    """Return `value` as text in one line of Markdown, every sign that could mean something escaped."""
    return MARKUP.sub(r"\\\1", " ".join(visible(value).split()))


def code(value: object) -> str:
    """Return `value` as code in one line of Markdown, where nothing but a backtick has a meaning."""
    return "`" + " ".join(visible(value).replace("`", "'").split()) + "`"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; its cells are Markdown."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _stages(facts: Facts) -> Iterator[str]:
    if facts.dry:
        yield f"A dry run, on two stand-in indexes of this machine: {plain(rehearsed_as(facts.built))}."
    rows = [(step.name, WORDS[step.state], plain(step.summary), plain(step.at)) for step in facts.steps]
    yield table(("step", "", "", "at"), rows)
    if facts.failure and facts.failure.message:
        yield f"{code(facts.failure.name)} failed: {plain(facts.failure.message[:LONGEST])}"


def _findings(facts: Facts) -> Iterator[str]:
    if problems := together(facts.problems):
        lines = [
            f"- **{problem.severity}** {plain(', '.join(files))}:"
            f" {plain(problem.message[:LONGEST])} ({plain(problem.rule)})"
            for problem, files in problems[:SHOWN]
        ]
        yield "\n".join([*lines, *_more(len(problems))])


def _matrix(facts: Facts) -> Iterator[str]:
    done = [
        (proof.python, proof.kind, f"{proof.python_version} on {proof.sys_platform} {proof.machine}")
        for proof in facts.verified
    ]
    lacking = {(cell.python, cell.kind) for cell in facts.cells} - {row[:2] for row in done}
    rows = [*done, *((*cell, "not verified") for cell in lacking)]
    if rows:
        rows.sort(key=lambda row: (by_version(row[0]), row))
        yield table(("Python", "archive", "verified"), (map(plain, row) for row in rows))


def _more(count: int) -> list[str]:
    return [f"- and {count - SHOWN} more"] if count > SHOWN else []
