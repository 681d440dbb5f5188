"""The matrix of `verify` as a table: a row a Python on a platform, a column a kind of archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.release.stages import KINDS
from seatrial.report.page.markup import Safe, join, tag, terms
from seatrial.report.text import by_version, dependencies

if TYPE_CHECKING:
    from seatrial.release.stages import Kind, Verified
    from seatrial.report.facts import Facts

SHOWN = 300  # distributions or modules of a cell


def section(facts: Facts) -> Safe:
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
    for dist in proof.installed[:SHOWN]:
        origin = join([tag("br"), tag("span", dist.origin, class_="quiet")]) if dist.origin else ""
        installed.append(tag("li", f"{dist.name} {dist.version}", origin))
    details: dict[str, list[object]] = {
        "File": [proof.filename],
        "From": [proof.index],
        "At": [tag("time", proof.at, datetime=proof.at)],
        "Imported": [", ".join(proof.imported[:SHOWN]) or "no importable modules"],
        "Commands": [tag("code", command) for command in proof.ran],
        f"Installed, with {dependencies(proof.installed)}": [tag("ul", *installed, class_="plain")],
    }
    return tag("td", tag("details", head, terms(details.items())), class_="done", data_label=kind)
