"""The matrix of `verify` as a table: a row a Python on a platform, a column a kind of archive."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from seatrial.release.stages import KINDS
from seatrial.report.markup import Safe, join, tag
from seatrial.report.text import dependencies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.release.stages import Installed, Kind, Verified
    from seatrial.report.facts import Facts

Row = tuple[str, str]  # a Python as nox names it, and a platform; empty where nothing ran
SHOWN = 300  # distributions or modules of a cell


def section(facts: Facts) -> Safe:
    """Return the matrix; nothing where no cell was announced."""
    kinds = [kind for kind in KINDS if any(file.dist.kind == kind for file in facts.files)]
    done = {(one.python, platform(one), one.kind): one for one in facts.verified}
    rows = _rows(facts)
    if not rows:
        return Safe("")
    head = [tag("th", title, scope="col") for title in ("Python", "Platform", *kinds)]
    body = [tag("tr", *_row(row, [(kind, done.get((*row, kind))) for kind in kinds])) for row in rows]
    table = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *body))
    return tag("div", table, class_="wide", role="region", aria_label="The matrix of verify", tabindex=0)


def platform(one: Verified) -> str:
    """Return the platform of a cell, as Python names it."""
    return f"{one.sys_platform} {one.machine}"


def _rows(facts: Facts) -> list[Row]:
    """Return the rows in order of versions: where something was verified, and the Pythons on which nothing was."""
    ran = {(one.python, platform(one)) for one in facts.verified}
    idle = {(cell.python, "") for cell in facts.cells} - {(python, "") for python, _ in ran}
    return sorted(ran | idle, key=lambda row: ([int(part) for part in re.findall(r"\d+", row[0])], row))


def _row(row: Row, cells: Sequence[tuple[Kind, Verified | None]]) -> list[Safe]:
    python, where = row
    head = [tag("th", python, scope="row"), tag("td", where or "not run", class_=None if where else "open")]
    return [*head, *[_cell(one) if one else tag("td", "not verified", class_="open") for _, one in cells]]


def _cell(one: Verified) -> Safe:
    head = tag("summary", tag("span", "works", class_="state"), f" {one.python_version}")
    ran = [tag("dt", "Commands"), *[tag("dd", tag("code", command)) for command in one.ran]] if one.ran else []
    imported = ", ".join(one.imported[:SHOWN]) or "nothing in it can be imported"
    details = tag(
        "dl",
        tag("dt", "File"),
        tag("dd", one.filename),
        tag("dt", "From"),
        tag("dd", one.index),
        tag("dt", "At"),
        tag("dd", tag("time", one.at, datetime=one.at)),
        tag("dt", "Imported"),
        tag("dd", imported),
        *ran,
        tag("dt", f"Installed, with {dependencies(one.installed)}"),
        tag("dd", _installed(one.installed)),
    )
    return tag("td", tag("details", head, details), class_="done")


def _installed(installed: Sequence[Installed]) -> Safe:
    return tag("ul", *[tag("li", *_origin(one)) for one in installed[:SHOWN]], class_="plain")


def _origin(one: Installed) -> list[object]:
    name = f"{one.name} {one.version}"
    return [name, tag("br"), tag("span", join([one.origin]), class_="told")] if one.origin else [name]
