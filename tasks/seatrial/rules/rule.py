"""How a rule is declared: one small function with a stable code, whose docstring explains it.

It yields one message for each finding, and nothing where all is well. What it is given depends on its subject; where it
was read (`Source`) also says whether it holds on every index.
"""

from collections.abc import Callable, Iterator
from typing import Literal

from seatrial.machine.values import Value
from seatrial.release.stages import Problem
from seatrial.rules.limits import SERVER_PACKAGING, SOURCE_COMMIT

Severity = Literal["refused", "broken", "warning"]
"""Refused: PyPI does not take it. Broken: it fails for whoever installs it. Warning: a maintainer may regret it."""

Scope = Literal["everywhere", "public"]
"""A rule that holds everywhere says what uploaders, installers or the standards refuse as well, so a private index
gains nothing by taking such a file. One that holds on PyPI and TestPyPI, which run the same code, is theirs alone."""

Subject = Literal["file", "wheel", "sdist", "zip", "tar", "metadata", "member", "twine", "release", "index"]
"""What a rule is given.

file: a Distribution; wheel, sdist: one whose members can be listed; zip, tar: the structure of the archive; metadata:
core metadata; member: name and bytes of each member that is text; twine: a Distribution in which no other rule found an
error; release: a Release; index: a Listing.
"""

Find = Callable[..., Iterator[str]]


class Source(Value):
    """Where a rule was read: `part` of a `file` of Warehouse at SOURCE_COMMIT, or of no file of the server."""

    scope: Scope
    part: str
    file: str = ""

    def __str__(self) -> str:
        return f"`{self.file}@{SOURCE_COMMIT[:12]}`, {self.part}" if self.file else self.part


def server(file: str, part: str, scope: Scope = "public") -> Source:
    """Return `part` of the server's `file` (below ``warehouse/``), at the commit that the limits were read at."""
    return Source(scope, f"`{part}`", f"warehouse/{file}")


def library(part: str, scope: Scope = "everywhere") -> Source:
    """Return a check of the library that the server and twine both ask for the values of core metadata."""
    where = f"`parse`, which asks `{part}` of packaging {SERVER_PACKAGING}"
    return Source(scope, where, "warehouse/forklift/metadata.py")


def standard(title: str, page: str) -> Source:
    """Return a page of the packaging specifications; `page` is the last part of its address."""
    return Source("everywhere", f"[{title}](https://packaging.python.org/en/latest/specifications/{page}/)")


def practice(text: str) -> Source:
    """Return what a tool refuses or a maintainer regrets, in words."""
    return Source("everywhere", text)


TYPING = Source("everywhere", "[PEP 561](https://peps.python.org/pep-0561/)")
METADATA = standard("core metadata", "core-metadata")
WHEEL = standard("binary distribution format", "binary-distribution-format")
SDIST = standard("source distribution format", "source-distribution-format")


class Rule(Value):
    """A rule: `find` yields messages on its subject."""

    code: str
    severity: Severity
    source: Source
    subject: Subject
    find: Find

    @property
    def explanation(self) -> str:
        return self.find.__doc__ or ""

    def problem(self, file: str, message: str, index: str = "") -> Problem:
        """Return a finding in `file`, or on `index`. What is refused cannot be silenced, what is broken can."""
        severity: Literal["error", "warning"] = "warning" if self.severity == "warning" else "error"
        return Problem(self.code, severity, file, message, silenceable=self.severity == "broken", index=index)


RULES: list[Rule] = []


def rule(subject: Subject, code: str, severity: Severity, source: Source) -> Callable[[Find], Rule]:
    """Declare a rule on `subject`."""

    def declare(find: Find) -> Rule:
        declared = Rule(code, severity, source, subject, find)
        RULES.append(declared)
        return declared

    return declare


def of(*subjects: Subject, only: str | None = None) -> list[Rule]:
    """Return the rules on `subjects` (or the one with the code `only`), in the order in which they were declared."""
    return [rule for rule in RULES if rule.subject in subjects and only in {None, rule.code}]
