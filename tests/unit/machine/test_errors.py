from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Any

import pytest

from seatrial.machine.errors import ReleaseError, indented, listing, shortened

TASKS = Path(__file__).parents[2] / "tasks"
KINDS = sorted(
    (kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, ReleaseError)),
    key=lambda kind: kind.__name__,
)
CONCRETE = [kind for kind in KINDS if kind is not ReleaseError]

# One value of each type that a fact has, and that can be found again in a message.
FACTS: dict[str, Any] = {
    "str": "a-fact",
    "int": 4711,
    "float": 4711.0,
    "bool": True,
    "object": "a-fact",
    "Path": Path("a-fact"),
    "str | None": "a-fact",
    "tuple[str, ...]": ("a-fact", "another-fact"),
    "tuple[tuple[str, str], ...]": (("a-fact", "another-fact"),),
    "tuple[tuple[str, str, str], ...]": (("a-fact", "ours", "theirs"),),
}

each_kind = pytest.mark.parametrize("kind", CONCRETE, ids=lambda kind: kind.__name__)


def sample(kind: type[ReleaseError], **facts: Any) -> ReleaseError:
    return kind(**({name: FACTS[hint] for name, hint in kind.facts().items()} | facts))


@each_kind
def test_a_message_says_what_happened_the_usual_cause_and_what_to_do(kind: type[ReleaseError]) -> None:
    error = sample(kind)
    text = str(error)
    expected = [("", kind.what), ("Usual cause: ", kind.cause), ("What to do: ", kind.cure)]
    assert kind.what
    assert kind.cure
    assert text == "\n".join(label + part.format(e=error) for label, part in expected if part)
    assert text.count("Usual cause: ") == bool(kind.cause)
    assert text.count("What to do: ") == 1


WITHOUT_CAUSE = {"FindingsInFiles"}  # what happened is the cause


@each_kind
def test_a_message_has_all_three_parts(kind: type[ReleaseError]) -> None:
    assert bool(kind.cause) is (kind.__name__ not in WITHOUT_CAUSE)


@each_kind
def test_a_message_is_plain_sentences(kind: type[ReleaseError]) -> None:
    for part in (kind.what, kind.cause, kind.cure):
        assert "!" not in part
        assert not part.endswith(" ")
        assert "  " not in part.replace("\n  ", "")


@each_kind
def test_every_fact_is_told(kind: type[ReleaseError]) -> None:
    """A fact that changes nothing of the message is none."""
    changes = {"str": "other", "int": 42, "float": 42.0, "bool": False, "object": "other", "Path": Path("other")}
    for name, hint in kind.facts().items():
        other = changes.get(hint, () if "tuple" in hint else "other")
        assert str(sample(kind)) != str(sample(kind, **{name: other})), name


@each_kind
def test_an_error_is_used(kind: type[ReleaseError]) -> None:
    """Every kind of error is made somewhere in tasks/: a message that nobody can get is not kept."""
    assert kind.__name__ in _made_in_tasks()


@functools.cache
def _made_in_tasks() -> frozenset[str]:
    texts = (path.read_text(encoding="utf-8") for path in TASKS.rglob("*.py") if path.name != "errors.py")
    return frozenset(name for text in texts for name in _made(ast.parse(text)))


def _made(tree: ast.Module) -> set[str]:
    """Return the names that are called or raised in `tree`."""
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    raised = {node.exc.id for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name)}
    return calls | raised


def test_what_is_only_imported_is_not_made() -> None:
    text = "from .errors import A\ndef f() -> A: ...\nraise B\nraise C(1)\nx = x or D(2)"
    assert _made(ast.parse(text)) == {"B", "C", "D"}


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ((), {}),
        (("a",), {}),
        (("a", "b", "c"), {}),
        (("a", "b"), {"complaint": "b"}),
        (("a",), {"prog": "a"}),
        (("a",), {"complain": "b"}),
        (("a", "b"), {"cure": "c"}),
    ],
)
def test_facts_that_do_not_fit_are_a_fault_of_ours(facts: tuple[str, ...], named: dict[str, str]) -> None:
    with pytest.raises(TypeError, match="BadOption takes prog, complaint"):
        module.BadOption(*facts, **named)


def test_a_fact_is_given_in_its_place_or_by_its_name_and_may_have_a_default() -> None:
    error = module.NotReady(2, index="an index")
    assert (error.count, error.trial, error.index) == (2, False, "an index")
    assert str(module.BadOption("p", "c")) == str(module.BadOption(complaint="c", prog="p"))


def test_a_kind_takes_the_facts_of_the_kind_it_refines_first() -> None:
    assert list(module.LoginRefused.facts()) == [*module.IndexRefused.facts(), "source", "variable"]


# Where one fact decides between two sentences.

LINKS = "unset the others. Account: https://pypi.org/account/register/  Token: https://pypi.org/manage/account/token/"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (module.BadConfig("tag", "text", None), "`tag` of [tool.seatrial] is not known, and should be text."),
        (module.BadConfig("tag", "text", 7), "`tag` of [tool.seatrial] is 7, and should be text."),
        (module.NotReady(1), "PyPI would refuse these files, or they would fail their users: 1 error."),
        (module.NotReady(2), "PyPI would refuse these files, or they would fail their users: 2 errors."),
        (module.NotReady(2, trial=True), "The files do not work once installed: 2 errors."),
        (module.NotVerified("PyPI", ("Python 3.14, wheel",), in_ci=True), "in CI every cell must be there"),
        (module.NotVerified("PyPI", ("Python 3.14, wheel",), in_ci=False), "run `nox -s verify`; at least one cell"),
        (module.NotConfirmed("demo", "1.0", None, "nox -s pypi"), "demo 1.0 was not confirmed.\n"),
        (module.NotConfirmed("demo", "1.0", "2", "nox -s pypi"), "was not confirmed (the answer was '2').\n"),
        (module.BadCredential("PyPI", "it is empty.", "PYPI_TOKEN", ""), "unset the others."),
        (module.BadCredential("PyPI", "it is empty.", "PYPI_TOKEN", "https://pypi.org"), LINKS),
        (module.ShadowedTools(Path("here"), ("email", "packaging")), "own `email`, `packaging` in here hide"),
    ],
)
def test_a_fact_chooses_the_sentence(error: ReleaseError, said: str) -> None:
    assert said in str(error)


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
    assert "{e.index} {0}" in str(module.IndexNotJson("an index", "https://index.example/{e.index} {0}"))
