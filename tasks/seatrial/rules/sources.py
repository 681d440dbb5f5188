"""Where each rule comes from, and whether what it asks holds on every index or only on the public ones.

A rule that holds everywhere tells what uploaders, installers or the standards refuse as well, so a private index gains
nothing by taking such a file. One that holds on PyPI and TestPyPI, which run the same code, is theirs alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seatrial.rules.limits import SERVER_PACKAGING, SOURCE_COMMIT

Scope = Literal["everywhere", "public"]

SPECIFICATIONS = "https://packaging.python.org/en/latest/specifications"


@dataclass(frozen=True)
class Source:
    """Where a rule was read: `file` at `commit` of Warehouse, empty where it is no rule of the server; `part` in it."""

    scope: Scope
    part: str
    file: str = ""
    commit: str = ""

    def __str__(self) -> str:
        where = "@".join([self.file, self.commit[:12]])  # apart: the template takes @ and { for its own
        return f"`{where}`, {self.part}" if self.file else self.part


def server(file: str, part: str, scope: Scope = "public") -> Source:
    """Return `part` of the server's `file` (below ``warehouse/``), at the commit that the limits were read at."""
    return Source(scope, f"`{part}`", f"warehouse/{file}", SOURCE_COMMIT)


def library(part: str, scope: Scope = "everywhere") -> Source:
    """Return a check of the library that the server and twine both ask for the values of core metadata."""
    where = f"`parse`, which asks `{part}` of packaging {SERVER_PACKAGING}"
    return Source(scope, where, "warehouse/forklift/metadata.py", SOURCE_COMMIT)


def standard(title: str, page: str) -> Source:
    """Return a page of the packaging specifications; `page` is the last part of its address."""
    return Source("everywhere", f"[{title}]({SPECIFICATIONS}/{page}/)")


def practice(text: str) -> Source:
    """Return what a tool refuses or a maintainer regrets, in words."""
    return Source("everywhere", text)


TYPING = Source("everywhere", "[PEP 561](https://peps.python.org/pep-0561/)")
