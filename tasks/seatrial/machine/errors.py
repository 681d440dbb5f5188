"""What every error of a release has in common: it takes facts and writes its own sentences from them.

Each kind stands beside the code that raises it. `cli.main` is the one place that shows an error and ends the program.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHOWN = 10  # items of a long list
LAST = 40  # lines of a program's output


class Commands(Protocol):
    """What a person types for a step and its options, such as ``build --rebuild`` (`project.commands`)."""

    def __getitem__(self, words: str, /) -> str: ...


class _Plain:
    """Commands for where nobody says how they are typed."""

    def __getitem__(self, words: str, /) -> str:
        return f"seatrial {words}"


class ReleaseError(Exception):
    """Something a user can cause or meet. Subclasses are dataclasses that declare their facts and fill three templates.

    In a template ``{e.name}`` is the fact (or property) `name`, and ``{run[verify]}`` the command for that step. The
    format specifications ``listed``, ``shortened``, ``joined`` and ``quoted`` show lists and the output of programs,
    ``command`` turns a step into its command.
    """

    what: ClassVar[str] = ""
    cause: ClassVar[str] = ""
    cure: ClassVar[str] = ""

    def __str__(self) -> str:
        return self.text(_Plain())

    def text(self, commands: Commands) -> str:
        """Return what happened, the usual cause, and what to do now, with `commands` as they are typed here."""
        parts = (("", self.what), ("Usual cause: ", self.cause), ("What to do: ", self.cure))
        write = _Formatter(commands)
        return "\n".join(label + write.format(template, e=self, run=commands) for label, template in parts if template)


class _Formatter(string.Formatter):
    """Writes templates, with format specifications for lists, the output of programs, and commands."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands

    def format_field(self, value: Any, format_spec: str) -> str:
        match format_spec:
            case "listed":
                return listing(value)
            case "shortened":
                return shortened(value)
            case "joined":
                return ", ".join(map(str, value))
            case "quoted":
                return indented(value)
            case "command":
                return self.commands[value]
        return str(super().format_field(value, format_spec))


def listing(items: Iterable[object]) -> str:
    """Return `items` one a line, indented, for the inside of a message."""
    return "".join(f"\n  {item}" for item in items)


def shortened(items: Sequence[object]) -> str:
    """Return the first of `items` as `listing` does, and how many more there are."""
    more = [f"... and {len(items) - SHOWN} more"] if len(items) > SHOWN else []
    return listing([*items[:SHOWN], *more])


def indented(text: str, *, last: int = LAST) -> str:
    """Return the last lines of a program's output, set apart from our own sentences."""
    lines = text.strip().splitlines()
    left_out = [f"({len(lines) - last} lines left out)"] if len(lines) > last else []
    return listing(f"| {line}" for line in left_out + lines[-last:])
