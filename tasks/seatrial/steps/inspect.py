"""`inspect`: the rules on any wheels and sdists, each by itself. It needs no project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.machine.errors import ReleaseError, printable
from seatrial.report import text
from seatrial.rules.judge import judge_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class NoFile(ReleaseError):
    prog: str

    what = "{e.prog}: no FILE was given"
    cause = "only options, or a pattern that matches no file."
    cure = "name wheels and sdists, as in `{run[inspect dist/*]}`."


class FolderGiven(ReleaseError):
    folder: Path

    what = "{e.folder} is a folder, and `inspect` looks at files."
    cause = "the folder was named in place of what is in it."
    cure = "name its wheels and sdists, as in `{run[inspect dist/*]}`."


class FindingsInFiles(ReleaseError):
    count: int

    what = "{e.count} of these files cannot be uploaded to PyPI, or would fail their users."
    cure = (
        "fix each finding above. seatrial's reference lists the rules by their codes, with PyPI's answers and how to"
        " fix them with the usual build backends."
    )


def inspect(files: Sequence[Path], output: Path | None, say: Callable[[str], None], place: Path | None = None) -> None:
    """Say what is wrong with each of `files`, relative to the folder `place`; write it to `output` as JSON.

    Raises FolderGiven, and FindingsInFiles where one has an error.
    """
    paths = [place / file if place else file for file in files]
    if folder := next(filter(Path.is_dir, paths), None):
        raise FolderGiven(folder)
    judged = judge_files(paths)
    found = [(file, problems) for file, (_, problems) in zip(files, judged, strict=True)]
    for file, problems in found:
        say(text.problems(problems) if problems else f"  {printable(file.name)}: no problems found")
    if output:
        facts = ("rule", "severity", "message")
        shown = [[{fact: getattr(problem, fact) for fact in facts} for problem in problems] for _, problems in found]
        answer = [{"file": str(file), "problems": problems} for file, problems in zip(files, shown, strict=True)]
        output.write_text(json.dumps(answer, indent=2) + "\n", encoding="utf-8")
    if count := sum(any(problem.severity == "error" for problem in problems) for _, problems in found):
        raise FindingsInFiles(count)
