"""The matrix of `verify` as a table: a row a Python on a platform, a column a kind of archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.release.stages import KINDS
from seatrial.report.page.markup import Safe, tag
from seatrial.report.text import by_version, dependencies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.release.stages import Installed, Kind, Verified
    from seatrial.report.facts import Facts

Row = tuple[str, str]  # a Python as nox names it, and a platform; empty where nothing ran
SHOWN = 300  # distributions or modules of a cell


def section(facts: Facts) -> Safe:
    """Return the matrix; nothing where no cell was announced."""
    kinds = [kind for kind in KINDS if any(file.dist.kind == kind for file in facts.files)]
    done = {(proof.python, platform(proof), proof.kind): proof for proof in facts.verified}
    rows = _rows(facts)
    if not rows:
        return Safe("")
    head = [tag("th", title, scope="col") for title in ("Python", "Platform", *kinds)]
    body = [tag("tr", *_row(row, [(kind, done.get((*row, kind))) for kind in kinds])) for row in rows]
    table = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *body))
    return tag("div", table, class_="wide", role="region", aria_label="The matrix of verify", tabindex=0)


def platform(proof: Verified) -> str:
    """Return the platform of a cell, as Python names it."""
    return f"{proof.sys_platform} {proof.machine}"


def _rows(facts: Facts) -> list[Row]:
    """Return the rows in order of versions: where something was verified, and the Pythons on which nothing was."""
    ran = {(proof.python, platform(proof)) for proof in facts.verified}
    idle = {(cell.python, "") for cell in facts.cells} - {(python, "") for python, _ in ran}
    return sorted(ran | idle, key=lambda row: (by_version(row[0]), row))


def _row(row: Row, cells: Sequence[tuple[Kind, Verified | None]]) -> list[Safe]:
    python, where = row
    head = [
        tag("th", python, scope="row", data_label="Python"),
        tag("td", where or "not run", class_=None if where else "open", data_label="Platform"),
    ]
    return [*head, *[_cell(kind, proof) for kind, proof in cells]]


def _cell(kind: Kind, proof: Verified | None) -> Safe:
    if proof is None:
        return tag("td", "not verified", class_="open", data_label=kind)
    head = tag("summary", tag("span", "works", class_="state"), f" {proof.python_version}")
    ran = [tag("dt", "Commands"), *[tag("dd", tag("code", command)) for command in proof.ran]] if proof.ran else []
    details = tag(
        "dl",
        tag("dt", "File"),
        tag("dd", proof.filename),
        tag("dt", "From"),
        tag("dd", proof.index),
        tag("dt", "At"),
        tag("dd", tag("time", proof.at, datetime=proof.at)),
        tag("dt", "Imported"),
        tag("dd", ", ".join(proof.imported[:SHOWN]) or "no importable modules"),
        *ran,
        tag("dt", f"Installed, with {dependencies(proof.installed)}"),
        tag("dd", _installed(proof.installed)),
    )
    return tag("td", tag("details", head, details), class_="done", data_label=kind)


def _installed(installed: Sequence[Installed]) -> Safe:
    return tag("ul", *[tag("li", *_origin(dist)) for dist in installed[:SHOWN]], class_="plain")


def _origin(dist: Installed) -> list[object]:
    name = f"{dist.name} {dist.version}"
    return [name, tag("br"), tag("span", dist.origin, class_="quiet")] if dist.origin else [name]
