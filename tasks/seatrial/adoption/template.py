"""The template beside the program, and what it makes of a set of answers.

In a checkout it is beside the program (``tasks/release.py`` with its locks, and ``templates/``), in the installed
package below ``project-template/``. A template is YAML or Python as it stands: ``@@name@@`` is an answer, a line that
ends in ``#? name=value`` is there for that answer alone, and so are the lines between such a line and ``#? end``.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.machine.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = Path(__file__).parents[1]
PACKAGED = "project-template"
COPY, PINS, NOX = "tasks/release.py", "tasks/release.txt", "tasks/nox.txt"
TEMPLATES = "templates"


class NoTemplate(ReleaseError):
    program: Path

    what = "seatrial's template is missing beside {e.program}."
    cause = "an incomplete installation, or a copy of the program made by hand."
    cure = "install seatrial again."


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
    compiled = answers["compiled"] == "true"
    values = {
        **answers,
        "options": " -- --sdist-only" if compiled else "",
        "event": "push" if answers["trigger"] == "tag" else "release",
    }
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
