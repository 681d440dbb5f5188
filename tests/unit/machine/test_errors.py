"""What all errors have in common: each kind, wherever it stands, is written from its facts and says what to do."""

from __future__ import annotations

import ast
import functools
import importlib
import pkgutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import seatrial
from seatrial.cli.options import BadOption
from seatrial.machine.errors import ReleaseError, indented, listing, printable, shortened
from seatrial.project.options import Commands
from seatrial.release.record import FilesChanged, StageMissing
from seatrial.release.stages import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

TASKS = Path(__file__).parents[3] / "tasks"

PROBLEM = Problem("a-rule", "error", "a-file", "a fact")
# One value of each type that a fact has, and that can be found again in a message; and another one.
FACTS: dict[str, tuple[Any, Any]] = {
    "str": ("a-fact", "other"),
    "int": (4711, 42),
    "float": (4711.0, 42.0),
    "bool": (True, False),
    "object": ("a-fact", "other"),
    "Kind": ("wheel", "sdist"),
    "Path": (Path("a-fact"), Path("other")),
    "str | None": ("a-fact", "other"),
    "tuple[Problem, ...]": ((PROBLEM,), (PROBLEM, replace(PROBLEM, message="another fact"))),
    "tuple[str, ...]": (("a-fact", "another-fact"), ("other",)),
    "tuple[tuple[str, str], ...]": ((("a-fact", "another-fact"),), (("other", "fact"),)),
    "tuple[tuple[str, str, str], ...]": ((("a-fact", "ours", "theirs"),), (("other", "ours", "theirs"),)),
}


def kinds() -> Iterator[type[ReleaseError]]:
    """Yield every kind of error of the package; one that others refine is no kind of its own."""
    for module in pkgutil.walk_packages(seatrial.__path__, "seatrial."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting = list(ReleaseError.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("seatrial.") and kind.what:
            yield kind


CONCRETE = sorted(dict.fromkeys(kinds()), key=lambda kind: kind.__name__)
each_kind = pytest.mark.parametrize("kind", CONCRETE, ids=lambda kind: kind.__name__)


def facts(kind: type[ReleaseError]) -> dict[str, str]:
    declared = [vars(base).get("__annotations__", {}) for base in kind.__mro__[: kind.__mro__.index(ReleaseError)]]
    return {name: str(hint) for annotations in reversed(declared) for name, hint in annotations.items()}


def sample(kind: type[ReleaseError], /, **changes: Any) -> ReleaseError:
    return kind(**({name: FACTS[hint][0] for name, hint in facts(kind).items()} | changes))


@each_kind
def test_a_message_says_what_happened_the_usual_cause_and_what_to_do(kind: type[ReleaseError]) -> None:
    text = str(sample(kind))
    assert kind.what
    assert kind.cure
    assert text.count("\nUsual cause: ") == bool(kind.cause)
    assert text.count("\nWhat to do: ") == 1
    assert "{" not in text.replace("{version}", "").replace("{name}", "").replace("{project}", "")


WITHOUT_CAUSE = {"FindingsInFiles", "NotReady", "PackagesFailed"}  # each has its own, which stands above


@each_kind
def test_a_message_has_all_three_parts(kind: type[ReleaseError]) -> None:
    assert bool(kind.cause) is (kind.__name__ not in WITHOUT_CAUSE)


@each_kind
def test_a_message_is_plain_sentences(kind: type[ReleaseError]) -> None:
    for part in (kind.what, kind.cause, kind.cure):
        assert "!" not in part.replace("!r}", "}").replace("`!", "`")
        assert not part.endswith(" ")
        assert "  " not in part.replace("\n  ", "")


# Facts with which another one is told.
TELLING: dict[tuple[str, str], dict[str, Any]] = {
    ("BadAnswer", "answer"): {"name": "pythons"},
    ("NotReady", "index"): {"trial": False},
}
# Facts that code decides by, and nobody reads.
DATA = {("UploadRefused", "kind"), ("UploadRefused", "claims")}


@each_kind
def test_every_fact_is_told(kind: type[ReleaseError]) -> None:
    """A fact that changes nothing of the message is none."""
    for name, hint in facts(kind).items():
        if (kind.__name__, name) in DATA:
            continue
        others = TELLING.get((kind.__name__, name), {})
        assert str(sample(kind, **others)) != str(sample(kind, **others | {name: FACTS[hint][1]})), name


@each_kind
def test_commands_in_a_message_are_those_that_are_typed_here(kind: type[ReleaseError]) -> None:
    """No command is written out as it is typed with nox, or with the program, in a template."""
    for part in (kind.what, kind.cause, kind.cure):
        assert "nox -s" not in part
        assert not [step for step in ("build", "check", "testpypi", "verify", "pypi") if f"`seatrial {step}" in part]


@each_kind
def test_an_error_is_used(kind: type[ReleaseError]) -> None:
    """Every kind of error is made somewhere in tasks/: a message that nobody can get is not kept."""
    assert kind.__name__ in _made_in_tasks() or kind.__subclasses__()


@functools.cache
def _made_in_tasks() -> frozenset[str]:
    texts = (path.read_text(encoding="utf-8") for path in TASKS.rglob("*.py"))
    return frozenset(name for text in texts for name in _made(ast.parse(text)))


def _made(tree: ast.Module) -> set[str]:
    """Return the names that are called or raised in `tree`, behind the name of their module or by themselves."""
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    names = {node.id for node in (*called, *raised) if isinstance(node, ast.Name)}
    return names | {node.attr for node in (*called, *raised) if isinstance(node, ast.Attribute)}


def test_what_is_only_imported_is_not_made() -> None:
    text = "from .errors import A\ndef f() -> A: ...\nraise B\nraise C(1)\nx = x or D(2)\nraise m.E(3)"
    assert _made(ast.parse(text)) == {"B", "C", "D", "E"}


def test_a_fact_is_given_in_its_place_or_by_its_name() -> None:
    assert str(BadOption("p", "c")) == str(BadOption(complaint="c", prog="p"))
    with pytest.raises(TypeError):
        BadOption("p")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("commands", "build", "check"),
    [
        (Commands(), "`seatrial build --rebuild`", "run `seatrial check` first"),
        (Commands(nox=True), "`nox -s build -- --rebuild`", "run `nox -s check` first"),
        (
            Commands(nox=True, prefix="r-", option=("--package", "core")),
            "`nox -s r-build -- --package core --rebuild`",
            "run `nox -s r-check -- --package core` first",
        ),
    ],
)
def test_a_message_has_commands_as_they_are_typed_here(commands: Commands, build: str, check: str) -> None:
    assert build in FilesChanged(Path("dist"), ("a",)).text(commands)
    assert check in StageMissing("checked", "check").text(commands)


# Lists and a program's words in a message.


def test_a_listing_has_one_item_a_line() -> None:
    assert listing(["a", 2]) == "\n  a\n  2"
    assert listing([]) == ""


def test_a_long_list_is_shortened() -> None:
    assert shortened(range(10)) == listing(range(10))
    assert shortened(range(12)) == listing([*range(10), "... and 2 more"])


def test_a_long_output_keeps_its_end() -> None:
    assert indented("a\nb\n") == "\n  | a\n  | b"
    assert indented("a\nb\nc", last=2) == "\n  | (1 lines left out)\n  | b\n  | c"
    assert indented("") == ""


def test_braces_in_a_fact_are_left_alone() -> None:
    assert "{e.prog} {0} {run[build]}" in str(BadOption("p", "{e.prog} {0} {run[build]}"))


class Sample(ReleaseError):
    names: tuple[str, ...]
    output: str

    what = "It has {e.names:joined}.{e.names:listed}{e.output:quoted}"
    cure = "see {e.output!r:>9}."


def test_formats_show_lists_and_output() -> None:
    text = "It has a, b.\n  a\n  b\n  | one\n  | two\nWhat to do: see 'one\\ntwo'."
    assert str(Sample(("a", "b"), "one\ntwo")) == text


# What strangers write.

EVIL = "a\x1b[2J\x07\r\nWhat to do: nothing\x9b\u202e\u2028\ud800"
SHOWN = r"a\x1b[2J\x07\r\nWhat to do: nothing\x9b\u202e\u2028\ud800"


class Foreign(ReleaseError):
    name: str
    files: tuple[str, ...]
    ways: str = "\n  1. one\n  2. two\x1b"

    what = "{e.name}|{e.files:joined}|{e.files:listed}|{e.files:shortened}|{e.composed}|{e.ways:lines}"

    @property
    def composed(self) -> str:
        return f"{listing([self.name])}\x1b"


def test_no_fact_reaches_the_terminal_with_control_characters() -> None:
    text = str(Foreign(EVIL, (EVIL,)))
    assert text.startswith(f"{SHOWN}|{SHOWN}|\n  a\\x1b[2J\\x07\\r\n    What to do: nothing\\x9b")
    assert text.endswith("\\x1b|\n  1. one\n  2. two\\x1b")
    assert not [line for line in text.splitlines() if line.startswith("What to do")]
    assert not [character for character in text if ord(character) < 32 and character != "\n"]
    text.encode()  # no half of a pair is left


def test_the_output_of_a_program_is_quoted_without_control_characters() -> None:
    assert indented("one\x1b[31m\ntwo\r\n\x07") == "\n  | one\\x1b[31m\n  | two\n  | \\x07"


@pytest.mark.parametrize(
    ("text", "lines", "expected"),
    [
        ("größe \U0001f600\ttab\n", False, "größe \U0001f600\\ttab\\n"),
        ("größe \U0001f600\ttab\n", True, "größe \U0001f600\ttab\n"),
        ("\x00\x7f\x85\u200e\u2066", True, r"\x00\x7f\x85\u200e\u2066"),
        ("## [1] ##a", True, "## [1] ##a"),
        ("a ##[add-mask]b", True, "a # #[add-mask]b"),
        ("####[error]", False, "### #[error]"),
        ("##VSO[task.setvariable]", False, "# #VSO[task.setvariable]"),
    ],
)
def test_what_a_terminal_acts_on_is_shown_instead(text: str, expected: str, *, lines: bool) -> None:
    assert printable(text, lines=lines) == expected
