"""The answers that the template takes, and what it makes of them."""

from __future__ import annotations

import pytest

from seatrial.adoption import template
from seatrial.adoption.template import QUESTIONS, BadAnswer


def test_the_defaults_are_valid_answers() -> None:
    assert template.complete({}) == {name: question.default for name, question in QUESTIONS.items()}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("folder", "../elsewhere"),
        ("folder", ".git"),
        ("folder", "dist"),
        ("folder", "a b"),
        ("folder", ""),
        ("ci", "jenkins"),
        ("credentials", "none"),
        ("pypi_environment", "pypi: evil"),
        ("testpypi_environment", ""),
        ("workflow", "release.txt"),
        ("check", "release.yml"),
        ("trigger", "branch"),
        ("compiled", "yes"),
        ("prefix", "release "),
        ("pythons", "3.10"),
        ("pythons", "[3"),
        ("pythons", "[,]"),
        ("pythons", "[]"),
        ("pythons", '["2.7"]'),
        ("pythons", "[3.10]"),
        ("copy", "full"),
    ],
)
def test_an_answer_that_is_not_valid_is_refused_with_all_questions(question: str, answer: str) -> None:
    with pytest.raises(BadAnswer, match=question) as refused:
        template.complete(template.given([f"{question}={answer}"]))
    assert "credentials: How CI logs in" in str(refused.value)


def test_an_answer_without_a_value_is_refused() -> None:
    with pytest.raises(BadAnswer):
        template.given(["ci"])


def test_lines_stand_for_the_answers_that_they_name() -> None:
    blocks = "  #? compiled=true\nc\n  #? end\n#? compiled=false\nd\n#? end\n"
    text = f"a @@prefix@@\nb # why #? ci=github\n{blocks}e @@options@@\n"
    answers = template.complete({"prefix": "x-"})
    assert template.fill(text, answers) == "a x-\nb # why\nd\ne \n"
    answers = template.complete({"compiled": "true", "ci": "none"})
    assert template.fill(text, answers) == "a \nc\ne  -- --sdist-only\n"
