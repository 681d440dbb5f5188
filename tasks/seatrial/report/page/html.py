"""``report.html``: a release on one page that loads nothing, runs nothing, and can be read on a phone."""

from __future__ import annotations

import base64
import hashlib
import inspect
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial import __version__
from seatrial.machine.terminal import size
from seatrial.project.pythons import by_version
from seatrial.release.comparison import is_code
from seatrial.release.stages import KINDS, Changes, Kind, Problem, Verified, kind_of
from seatrial.report.page import project_page
from seatrial.report.page.markup import Safe, join, link, prose, tag, terms
from seatrial.report.page.trees import difference, listed, tree
from seatrial.report.text import WORDS, Step, counted, dependencies, plural, rebuilt, rehearsed_as, together, told_again
from seatrial.rules import judge  # noqa: F401 (loads the modules that declare the rules)
from seatrial.rules.rule import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.release.stages import Rebuilt
    from seatrial.report.facts import Facts, File

STYLE = Path(__file__).with_name("page.css")
LONGEST = 8000  # characters of an error
FINDINGS, QUOTED = 200, 4000  # that are shown, and characters of each, which may quote a program
INSTALLED = 300  # distributions or modules of a cell
MEMBERS = 100  # of a file that was built again
DRY = "A dry run: the indexes were two stand-ins on this machine, and nothing left it."


def page(facts: Facts, digest: str) -> str:
    """Return the page on the release of `facts`, with the `digest` of the record that it was made from."""
    sections = [(name, title, part) for name, title, part in _sections(facts) if part]
    shown = [
        tag("section", tag("h2", title, id=f"{name}-title"), part, id=name, aria_labelledby=f"{name}-title")
        for name, title, part in sections
    ]
    contents = tag("nav", *[tag("a", title, href=f"#{name}") for name, title, _ in sections], aria_label="On this page")
    made = tag("p", f"Written by seatrial {__version__} from the record of this release. It loads nothing.")
    source = tag("p", "Source: commit ", tag("code", facts.built.commit)) if facts.built.commit else ""
    body = tag("body", _header(facts), contents, tag("main", *shown), tag("footer", made, source))
    return f"<!doctype html>\n{tag('html', _head(facts, digest), body, lang='en')}\n"


def _head(facts: Facts, digest: str) -> Safe:
    style = STYLE.read_text(encoding="utf-8")
    known = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{known}'; img-src data:; base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="seatrial-record", content=digest),
        tag("title", f"{facts.title}: release report"),
        tag("style", Safe(style)),
    )


def _header(facts: Facts) -> Safe:
    parts = [
        tag("p", "Release report", class_="kicker"),
        tag("h1", facts.built.project, " ", tag("span", facts.built.version, class_="version")),
    ]
    if facts.metadata and (summary := facts.metadata.first("summary")):
        parts.append(tag("p", summary, class_="lead"))
    if facts.dry:
        parts.append(tag("p", f"{DRY} It was {rehearsed_as(facts.built)}.", class_="notice"))
    if failure := facts.failure:
        counts = counted(failure.problems)
        head = tag("p", tag("strong", failure.name, " failed"), f": {counts}" if counts else "")
        message = tag("pre", failure.message[:LONGEST]) if failure.message else ""
        parts.append(tag("div", head, message, class_="notice failed"))
    if facts.following:
        parts.append(tag("p", "Next: ", tag("code", facts.following), class_="next"))
    return tag("header", *parts)


def _sections(facts: Facts) -> Iterator[tuple[str, str, Safe]]:
    """Yield name, title and content of each section; one without content is left out."""
    yield "stages", "Where it stands", tag("ol", *map(_step, facts.steps), class_="steps")
    yield "findings", "Findings", _findings(facts)
    yield "files", "Files", join(_file(facts, number, file) for number, file in enumerate(facts.files))
    yield "changes", "What changes", _changes(facts.changes) if facts.changes else Safe("")
    yield "matrix", "Verified on", matrix(facts)
    yield "again", "Built again", _again(facts.rebuilt) if facts.rebuilt else Safe("")
    yield "project-page", "The page on PyPI", project_page.section(facts)


def _step(step: Step) -> Safe:
    return tag(
        "li",
        tag("span", WORDS[step.state], class_="state"),
        tag("span", tag("strong", step.name), tag("span", step.summary, class_="quiet"), class_="what"),
        tag("time", step.at.replace("T", " ").replace("Z", " UTC"), datetime=step.at) if step.at else "",
        class_=step.state,
    )


def _findings(facts: Facts) -> Safe:
    """Return the findings, errors first; what to say where there are none."""
    if facts.problems:
        explained = {rule.code: rule.explanation for rule in reversed(RULES)}
        grouped = together(facts.problems)
        shown = [_finding(problem, files, explained.get(problem.rule, "")) for problem, files in grouped[:FINDINGS]]
        more = f"{len(grouped) - FINDINGS} more are not shown." if len(grouped) > FINDINGS else ""
        return join([tag("ul", *shown, class_="findings"), tag("p", more, class_="note") if more else ""])
    if not facts.checked:
        return tag("p", "These files are not checked yet.", class_="note")
    if flawed := project_page.counted(facts):
        anchor = tag("a", flawed, href="#project-page")
        return tag("p", "No rule is broken. On the project's page, ", anchor, " should be fixed.", class_="note")
    return tag("p", "No problems.", class_="note")


def _finding(problem: Problem, files: Sequence[str], explanation: str) -> Safe:
    first, *rest = problem.message[:QUOTED].strip().splitlines() or [""]
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


def _file(facts: Facts, number: int, file: File) -> Safe:
    url = facts.urls[number] if number < len(facts.urls) else ""
    compared = facts.changes.files if facts.changes else ()
    changes = next((one for one in compared if one.filename == file.dist.filename), None)
    grown = f" ({difference(changes.before, file.dist.size)})" if changes else ""
    parts = [
        tag("h3", link(url, file.dist.filename)),
        tag("p", file.dist.kind, " · ", size(file.dist.size), grown, class_="quiet"),
        tag("p", tag("span", "sha256 ", class_="label"), tag("code", file.dist.sha256), class_="hash"),
    ]
    if file.trouble:
        parts.append(tag("p", file.trouble, class_="notice"))
    if file.archive:
        total = size(sum(member.size for member in file.archive.members))
        head = tag("summary", f"{plural(len(file.archive.members), 'member')}, {total} unpacked")
        parts.append(tag("details", head, tree(file.archive, changes, len(facts.files))))
    return tag("article", *parts, class_="card")


def _changes(changes: Changes) -> Safe:
    """Return what differs from the version before, or why that is not known: never nothing."""
    if changes.since is None:
        return tag("p", "Not compared with an earlier version: ", prose(changes.reason), class_="note")
    parts = [tag("p", f"Compared with {changes.since}, as {changes.index} serves it.", class_="quiet")]
    if changes.fields:
        rows = [
            tag("div", tag("dt", one.field), *_values("removed", "-", one.removed), *_values("added", "+", one.added))
            for one in changes.fields
        ]
        parts += [tag("h3", "Metadata"), tag("dl", *rows, class_="fields")]
    else:
        parts.append(tag("p", "The metadata is the same.", class_="note"))
    for file in changes.files:
        parts += [tag("h3", f"Members of the {kind_of(file.filename)}"), listed(file)]
    return join(parts)


def _values(look: str, sign: str, values: tuple[str, ...]) -> list[Safe]:
    return [tag("dd", tag("span", f"{sign} ", class_="sign", aria_label=look), value, class_=look) for value in values]


def matrix(facts: Facts) -> Safe:
    """Return the matrix; nothing where no cell was announced."""
    kinds = [kind for kind in KINDS if any(file.dist.kind == kind for file in facts.files)]
    done = {(proof.python, f"{proof.sys_platform} {proof.machine}", proof.kind): proof for proof in facts.verified}
    ran = {(python, platform) for python, platform, _ in done}
    idle = {(cell.python, "") for cell in facts.cells} - {(python, "") for python, _ in ran}
    if not ran | idle:
        return Safe("")
    body = []
    for python, platform in sorted(ran | idle, key=lambda row: (by_version(row[0]), row)):
        cells = [
            tag("th", python, scope="row", data_label="Python"),
            tag("td", platform or "not run", class_=None if platform else "open", data_label="Platform"),
            *[_cell(kind, done.get((python, platform, kind))) for kind in kinds],
        ]
        body.append(tag("tr", *cells))
    head = [tag("th", title, scope="col") for title in ("Python", "Platform", *kinds)]
    table = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *body))
    return tag("div", table, class_="wide", role="region", aria_label="The matrix of verify", tabindex=0)


def _cell(kind: Kind, proof: Verified | None) -> Safe:
    if proof is None:
        return tag("td", "not verified", class_="open", data_label=kind)
    head = tag("summary", tag("span", "works", class_="state"), f" {proof.python_version}")
    installed = []
    for dist in proof.installed[:INSTALLED]:
        origin = join([tag("br"), tag("span", dist.origin, class_="quiet")]) if dist.origin else ""
        installed.append(tag("li", f"{dist.name} {dist.version}", origin))
    details: dict[str, list[object]] = {
        "File": [proof.filename],
        "From": [proof.index],
        "At": [tag("time", proof.at, datetime=proof.at)],
        "Imported": [", ".join(proof.imported[:INSTALLED]) or "no importable modules"],
        "Commands": [tag("code", command) for command in proof.ran],
        f"Installed, with {dependencies(proof.installed)}": [tag("ul", *installed, class_="plain")],
    }
    return tag("td", tag("details", head, terms(details.items())), class_="done", data_label=kind)


def _again(found: Rebuilt) -> Safe:
    """Return what `rebuild` found out: the verdict on each file, and the members that differ, code first."""
    parts = [tag("p", rebuilt(found), class_="quiet")]
    for file in found.files:
        members = []
        for one in file.differences[:MEMBERS]:
            word = one.kind if one.matters else f"{one.kind}, means the same"
            name = tag("strong", one.member) if one.matters and is_code(one) else one.member
            lines = tag("pre", "\n".join(one.lines)) if one.matters and one.lines else ""
            members.append(tag("li", tag("code", name), f" {word}", lines))
        verdict = tag("p", told_again(file), class_="notice failed" if file.verdict == "different" else "note")
        differing = tag("ul", *members, class_="plain") if members else ""
        parts.append(tag("article", tag("h3", file.filename), verdict, differing, class_="card"))
    return join([*parts, *[tag("p", f"Not judged: {name}", class_="quiet") for name in found.not_judged]])
