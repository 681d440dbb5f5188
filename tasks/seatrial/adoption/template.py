"""The template: its questions with their defaults, what is a valid answer, and what it makes of a set of answers.

In a checkout it is beside the program (``tasks/release.py`` with its locks, and ``templates/``), in the installed
package below ``project-template/``. A template is YAML or Python as it stands: ``@@name@@`` is an answer, a line that
ends in ``#? name=value`` is there for that answer alone, and so are the lines between such a line and ``#? end``.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.project.pythons import are_pythons

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Answers = dict[str, str]

PROGRAM = Path(__file__).parents[1]
PACKAGED = "project-template"
COPY, PINS, NOX = "tasks/release.py", "tasks/release.txt", "tasks/nox.txt"
TEMPLATES = "templates"


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


class NoTemplate(ReleaseError):
    program: Path

    what = "seatrial's template is missing beside {e.program}."
    cause = "an incomplete installation, or a copy of the program made by hand."
    cure = "install seatrial again."


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


def files() -> dict[str, bytes]:
    """Return the template's files, with the names that they have in the repository. Raises NoTemplate."""
    for place in (PROGRAM / PACKAGED, PROGRAM.parents[1]):
        if (place / TEMPLATES).is_dir() and (place / COPY).is_file():
            templates = [path for path in sorted((place / TEMPLATES).iterdir()) if path.is_file()]
            paths = [place / COPY, place / PINS, place / NOX, *templates]
            return {path.relative_to(place).as_posix(): path.read_bytes().replace(b"\r\n", b"\n") for path in paths}
    raise NoTemplate(PROGRAM)


def locked_on() -> dt.date:
    """Return the day on which the tools of the lock were chosen."""
    return dt.date.fromisoformat((PROGRAM / "requirements" / "locked-on").read_text(encoding="utf-8").strip())


def render(answers: Mapping[str, str]) -> dict[str, str]:
    """Return the files that a project gets for `answers`, but for the lock, by name. Raises NoTemplate."""
    texts = {name: content.decode() for name, content in files().items()}
    folder = answers["folder"]
    chosen = {"noxfile.py": "noxfile.py", ".gitignore": "gitignore"}
    if answers["ci"] == "gitlab":
        chosen |= {".gitlab-ci.yml": "gitlab-ci.yml", ".gitlab/release.yml": "gitlab.yml"}
    elif answers["ci"] == "github":
        workflows = {answers["workflow"]: "release.yml", answers["check"]: "check.yml"}
        chosen |= {f".github/workflows/{name}": template for name, template in workflows.items() if name}
    made = {name: fill(texts[f"{TEMPLATES}/{template}"], answers) for name, template in chosen.items()}
    return {f"{folder}/release.py": texts[COPY], f"{folder}/nox.txt": without_comments(texts[NOX]), **made}


def without_comments(lock: str) -> str:
    """Return the text of a lock without comments, as those that say what needs what."""
    return "".join(f"{line}\n" for line in lock.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def fill(text: str, answers: Mapping[str, str]) -> str:
    """Return the template `text` with `answers` in it."""
    options = " -- --sdist-only" if answers["compiled"] == "true" else ""
    values = {**answers, "options": options, "event": "push" if answers["trigger"] == "tag" else "release"}
    lines: list[str] = []
    shown = True
    for line in text.splitlines():
        content, mark, condition = line.partition("#?")
        name, _, value = condition.strip().partition("=")
        holds = name in {"", "end"} or values[name] == value
        if mark and not content.strip():
            shown = holds
        elif shown and holds:
            lines.append(content.rstrip() if mark else line)
    return re.sub(r"@@(\w+)@@", lambda match: values[match[1]], "".join(f"{line}\n" for line in lines))
