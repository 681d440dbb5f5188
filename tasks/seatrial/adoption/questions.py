"""What a project can choose when it adopts the template: the answers, their defaults, and what is a valid one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.project.pythons import are_pythons

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Answers = dict[str, str]


class Question(Value):
    """A question with its `default`. An answer has to match `pattern` as a whole, which `expected` says in words."""

    text: str
    default: str
    pattern: str
    expected: str


ENVIRONMENT = (r"[A-Za-z0-9_][A-Za-z0-9_./ -]*", "letters, digits, blanks, dots, dashes, slashes and underscores")
WORKFLOW = (r"([A-Za-z0-9_][A-Za-z0-9_.-]*[.]ya?ml)?", "a file name that ends in .yml, or nothing for no such workflow")

QUESTIONS: Mapping[str, Question] = {
    "folder": Question(
        "The folder for release.py and its lock",
        "tasks",
        r"(?!\.{1,2}$|\.git$|\.github$|\.nox$|dist$|release-record$)[A-Za-z_.][A-Za-z0-9_.-]*",
        "the plain name of one folder: letters, digits, dots, dashes and underscores",
    ),
    "ci": Question("The CI system that releases", "github", "github|gitlab|none", "github, gitlab or none"),
    "credentials": Question(
        "How CI logs in: trusted publishing, or the secrets TESTPYPI_TOKEN and PYPI_TOKEN of the two environments",
        "trusted",
        "trusted|token",
        "trusted or token",
    ),
    "testpypi_environment": Question("The CI environment for the upload to TestPyPI", "testpypi", *ENVIRONMENT),
    "pypi_environment": Question("The CI environment for the upload to PyPI, the one to protect", "pypi", *ENVIRONMENT),
    "workflow": Question(
        "The release workflow's file name, to which the trusted publishers are bound", "release.yml", *WORKFLOW
    ),
    "check": Question("The file name of the workflow that rehearses each pull request", "check.yml", *WORKFLOW),
    "trigger": Question(
        "What starts a release: a pushed tag, or a release published on GitHub", "tag", "tag|release", "tag or release"
    ),
    "compiled": Question(
        "Whether there are compiled wheels for several systems (cibuildwheel)", "false", "true|false", "true or false"
    ),
    "pythons": Question(
        "The Pythons to verify on (GitLab; on GitHub the jobs take them from the project)",
        '["3.10", "3.14"]',
        r"\[.+\]",
        'a list like ["3.10", "3.14"]',
    ),
    "prefix": Question(
        "The prefix of the session names, where the noxfile has sessions of the same names",
        "",
        "[A-Za-z0-9_-]*",
        "letters, digits, dashes and underscores",
    ),
}


class BadAnswer(ReleaseError):
    """An answer that is not valid; `name` may be that of no question."""

    name: str
    answer: str

    what = "{e.problem}"
    cause = "a misspelt name, or an answer that the template cannot use."
    cure = "give another one with --data NAME=VALUE; nothing was written. The questions:{e.questions:listed}"

    @property
    def problem(self) -> str:
        question = QUESTIONS.get(self.name)
        if question is None:
            return f"`{self.name}` is not a question of the template."
        return f"`{self.answer}` is not a valid answer to `{self.name}`, which takes {question.expected}."

    @property
    def questions(self) -> list[str]:
        return [f"{name}: {question.text} (default: {question.default!r})" for name, question in QUESTIONS.items()]


def given(data: Sequence[str]) -> Answers:
    """Return the answers in `data`, each as NAME=VALUE. Raises BadAnswer."""
    pairs = dict(pair.partition("=")[::2] for pair in data)
    for name, answer in pairs.items():
        _check(name, answer)
    if bare := next((pair for pair in data if "=" not in pair), None):
        raise BadAnswer(bare, "")
    return pairs


def complete(answers: Mapping[str, str]) -> Answers:
    """Return `answers`, with the defaults where they are silent. Raises BadAnswer."""
    whole = {name: answers.get(name, question.default) for name, question in QUESTIONS.items()}
    for name, answer in whole.items():
        _check(name, answer)
    if whole["check"] and whole["check"] == whole["workflow"]:
        raise BadAnswer("check", whole["check"])
    return whole


def _check(name: str, answer: str) -> None:
    question = QUESTIONS.get(name)
    is_valid = question is not None and re.fullmatch(question.pattern, answer) is not None
    if is_valid and name == "pythons":
        try:
            is_valid = are_pythons(json.loads(answer))
        except ValueError:
            is_valid = False
    if not is_valid:
        raise BadAnswer(name, answer)
