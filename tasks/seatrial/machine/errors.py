"""What all errors of a release have in common: each takes facts and writes its own sentences from them.

Each kind stands beside the code that raises it. `cli.main` is the one place that shows an error and ends the program.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from seatrial.machine.values import PENDING, complete, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from typing_extensions import Self

SHOWN = 10  # items of a long list
LAST = 40  # lines of a program's output
# What a terminal acts on instead of showing it: controls, other line ends, marks of direction, and half characters.
CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")
# What a CI system takes for a command in the middle of a line: `##[set-output` on GitHub, `##vso[` on Azure.
COMMAND = re.compile(r"##(?=(?:vso)?\[)", re.IGNORECASE)


class Commands(Protocol):
    """What a person types for a step and its options, such as ``build --rebuild`` (`project.options`)."""

    def __getitem__(self, words: str, /) -> str: ...


class _Plain:
    """Commands for where nobody says how they are typed."""

    def __getitem__(self, words: str, /) -> str:
        return f"seatrial {words}"


@dataclass_transform(eq_default=False)
class ReleaseError(Exception):
    """Something a user can cause or meet. Subclasses are dataclasses that declare their facts and fill three templates.

    In a template ``{e.name}`` is the fact (or property) `name`, and ``{run[verify]}`` the command for that step. The
    format specifications ``listed``, ``shortened``, ``joined`` and ``quoted`` show lists and the output of programs,
    ``command`` turns a step into its command. Facts may come from strangers, so their control characters are escaped,
    line ends included; ``lines`` keeps the line ends of a fact of our own making. A property keeps them as well: it
    uses `printable` or `listing` for what it shows.
    """

    what: ClassVar[str] = ""
    cause: ClassVar[str] = ""
    cure: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        PENDING[cls] = {"eq": False}

    def __new__(cls, *facts: object, **_: object) -> Self:
        complete(cls)
        return super().__new__(cls, *facts)

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

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, Any]:
        value, first = super().get_field(field_name, args, kwargs)
        is_fact = field_name.removeprefix("e.") in vars(kwargs["e"])
        return (_Composed(value) if isinstance(value, str) and first == "e" and not is_fact else value), first

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "command":
            return self.commands[value]
        if written := _WRITTEN.get(format_spec):
            return written(value)
        return printable(str(super().format_field(value, format_spec)), lines=isinstance(value, _Composed))


class _Composed(str):
    """A text that a property of an error put together, line ends and all."""

    __slots__ = ()


def printable(text: str, *, lines: bool = False) -> str:
    """Return `text`, which may be a stranger's, with its control characters escaped; `lines` keeps line ends and tabs.

    Nothing in it can then clear a screen, set a title, begin a line of its own, turn the direction of writing or, with
    a space in it, be a command to a CI system.
    """
    kept = "\n\t" if lines else ""
    shown = CONTROL.sub(
        lambda match: match[0] if match[0] in kept else match[0].encode("unicode_escape").decode(), text
    )
    return COMMAND.sub("# #", shown)


def listing(items: Iterable[object]) -> str:
    """Return `items` one a line, indented, for the inside of a message; further lines of an item stay below it."""
    texts = (printable(str(item), lines=True) for item in items)
    return "".join("\n  " + re.sub(r"\n(?! {4})", "\n    ", text) for text in texts)


def shortened(items: Sequence[object]) -> str:
    """Return the first of `items` as `listing` does, and how many more there are."""
    more = [f"... and {len(items) - SHOWN} more"] if len(items) > SHOWN else []
    return listing([*items[:SHOWN], *more])


def indented(text: str, *, last: int = LAST) -> str:
    """Return the last lines of a program's output, set apart from our own sentences."""
    lines = [printable(line) for line in text.strip().splitlines()]
    left_out = [f"({len(lines) - last} lines left out)"] if len(lines) > last else []
    return listing(f"| {line}" for line in left_out + lines[-last:])


_WRITTEN: dict[str, Callable[[Any], str]] = {  # by format specification
    "lines": lambda text: printable(text, lines=True),
    "joined": lambda items: printable(", ".join(map(str, items))),
    "listed": listing,
    "shortened": shortened,
    "quoted": indented,
}
