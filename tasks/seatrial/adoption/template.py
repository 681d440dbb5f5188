"""The template beside these sessions, and what Copier makes of it.

In the repository it is ``copier.yml`` and ``templates/`` beside ``tasks/``; in the installed package both lie in
``project-template/``. Copier gets the same three of both, in a plain folder, and what it writes there as origin is
replaced by the repository and the version: that is what a later ``copier update`` compares with.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.adoption.refusals import NoTemplate
from seatrial.building import git
from seatrial.cli.register import VERSION
from seatrial.machine import process, variables
from seatrial.machine.process import ToolFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = "https://github.com/seatrial/seatrial"
SESSIONS = Path(__file__).parents[1]
NOT_COPIED = ("__pycache__", "adoption", "project-template")  # adopting is not handed on: a copy may have been changed
RENDER_LIMIT = 300.0


def place() -> Path | None:
    """Return the folder with ``copier.yml`` that belongs to these sessions, None where there is none."""
    for folder in (SESSIONS / "project-template", SESSIONS.parent):
        if (folder / "copier.yml").is_file() and (folder / "templates").is_dir():
            return folder
    return None


def lock() -> Path:
    """Return the lock of the tools that adopting needs. Raises NoTemplate."""
    folder = place()
    if folder is None:
        raise NoTemplate(SESSIONS)
    return folder / "templates" / "requirements" / "copier.txt"


def assemble(target: Path) -> Path:
    """Put the template together in the new folder `target` and return it. Raises NoTemplate."""
    folder = place()
    if folder is None:
        raise NoTemplate(SESSIONS)
    target.mkdir()
    shutil.copyfile(folder / "copier.yml", target / "copier.yml")
    shutil.copytree(folder / "templates", target / "templates")
    shutil.copytree(SESSIONS, target / "tasks", ignore=shutil.ignore_patterns(*NOT_COPIED))
    return target


def render(python: Path, template: Path, target: Path, answers: Mapping[str, str]) -> dict[str, bytes]:
    """Run Copier with `answers` into the empty folder `target`; return its files by name. Raises ToolFailed."""
    data = [word for name, value in answers.items() for word in ("--data", f"{name}={value}")]
    argv = (str(python), "-I", "-m", "copier", "copy", "--defaults", "--quiet", *data, str(template), str(target))
    env = variables.for_install(os.environ) | {"COPIER_SETTINGS_PATH": os.devnull}
    outcome = process.run(argv, env=env, cwd=template, time_limit=RENDER_LIMIT)
    if outcome.code != 0:
        raise ToolFailed(
            "Copier",
            outcome.code,
            outcome.output,
            "an answer that makes no sense; its last line names the question.",
            "give another answer with --data NAME=VALUE; nothing was written.",
        )
    paths = sorted(path for path in target.rglob("*") if path.is_file())
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in paths}


def with_origin(answers: str, commit: str, **replaced: str) -> str:
    """Return the text of the answers file with the origin that an update needs, and with answers `replaced`."""
    for name, value in {"_src_path": REPOSITORY, **replaced}.items():
        answers = re.sub(rf"^{name}:.*$", lambda _: f"{name}: {value}", answers, flags=re.MULTILINE)  # noqa: B023 (used at once)
    return re.sub(r"^_src_path:", f"_commit: {commit}\n_src_path:", answers, flags=re.MULTILINE)


def commit() -> str:
    """Return what an update takes for the version that was copied: its tag, or the commit of an untagged checkout."""
    folder = place()
    tag = f"v{VERSION}"
    if folder is None or not (folder / ".git").exists():
        return tag
    found = git.look(folder)
    return tag if tag in found.tags else found.commit or tag
