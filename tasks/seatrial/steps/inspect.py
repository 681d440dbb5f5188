"""`inspect`: the rules on files anywhere, without a project; and without nox where their libraries are installed.

``pip install seatrial[inspect]`` installs them beside the command, which then needs no network either.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.machine.errors import ReleaseError
from seatrial.project import options
from seatrial.project.options import BadOption
from seatrial.release.stages import Problem
from seatrial.report import text
from seatrial.rules import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from seatrial.project.options import Options

LIBRARIES = ("packaging.licenses", "readme_renderer", "rfc3986", "trove_classifiers", "twine")


@dataclass(eq=False)
class FindingsInFiles(ReleaseError):
    count: int

    what = "{e.count} of these files cannot be uploaded to PyPI, or would fail their users."
    cure = (
        "see each finding above; docs/reference/rules.md explains the code in its brackets, with PyPI's answer and how"
        " to mend it with the usual build backends."
    )


def is_equipped() -> bool:
    """Whether the libraries that the rules ask are installed beside us."""
    try:
        return all(importlib.util.find_spec(name) for name in LIBRARIES)
    except ImportError:  # the package that one of them would be in
        return False


def main(words: Sequence[str], place: Path) -> int:
    """Inspect the files that `words` name, relative to `place`, in this process; return the exit code."""
    try:
        asked = options.parse("inspect", words, place)
        if not asked.files:
            raise BadOption("seatrial inspect", "no FILE was given")
        show(judge.judged([str(place / path) for path in asked.files]), asked, text.say)
    except (ReleaseError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def show(answer: list[dict[str, Any]], asked: Options, say: Callable[[str], None]) -> None:
    """Say what was found in each file, and write it down if that is asked for. Raises FindingsInFiles for errors."""
    for entry, given in zip(answer, asked.files, strict=True):
        entry["file"] = str(given)
        found = [Problem(file=given.name, **problem) for problem in entry["problems"]]
        say(text.problems(found) if found else f"  {given.name}: nothing found")
    if asked.json:
        asked.json.write_text(json.dumps(answer, indent=2) + "\n", encoding="utf-8")
    if bad := sum(any(p["severity"] == "error" for p in entry["problems"]) for entry in answer):
        raise FindingsInFiles(bad)
