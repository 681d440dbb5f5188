"""What the sessions hand to the jobs that follow, in the way of the CI system they run under.

GitHub reads ``name=value`` lines from the file GITHUB_OUTPUT names, and Markdown from GITHUB_STEP_SUMMARY. GitLab reads
a dotenv file that a job declares as a report, and sets its lines as variables in later jobs.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.cli.register import OLDEST_PYTHON
from seatrial.release.stages import Built
from seatrial.report.files import SUMMARY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.index.indexes import Index
    from seatrial.project.context import Context

DOTENV = "ci.env"  # in the folder of the record
PREFIX = "SEATRIAL_"  # SEATRIAL_RECORD is what the sessions compare (record.DIGEST_VARIABLE)
RUNNERS = ("ubuntu-latest", "windows-latest", "macos-latest")
SYSTEMS = {
    "ubuntu-latest": ("linux", "any"),
    "windows-latest": ("win", "any"),
    "macos-latest": ("macosx", "any"),
}


def built(context: Context) -> None:
    """Hand on what the later jobs need of the files: the digest of ``built.json``, the version, the verify jobs."""
    found = context.record.find(Built)
    if found and not context.standin:
        values = {"record": context.record.digest(), "version": found.version, "matrix": matrix(found)}
        hand_on(os.environ, context.record.folder, **values)


def uploaded(context: Context, index: Index) -> None:
    """Hand on the page of the release on `index`, which a deployment links to."""
    found = context.record.find(Built)
    if found and not context.standin:
        hand_on(os.environ, context.record.folder, url=index.page(found.project, found.version))


def hand_on(outer: Mapping[str, str], folder: Path, **values: str) -> None:
    """Write `values` where the CI system that the variables `outer` tell of looks for them; else do nothing."""
    if outer.get("GITHUB_OUTPUT"):
        _append(Path(outer["GITHUB_OUTPUT"]), [f"{name}={value}" for name, value in values.items()])
    elif outer.get("GITLAB_CI"):
        _append(folder / DOTENV, [f"{PREFIX}{name.upper()}={value}" for name, value in values.items()])


def stands(context: Context) -> None:
    """Put the report on the page of this CI run, with the digest that a later run has to be told."""
    report = context.record.folder / SUMMARY
    if context.standin:
        return  # the dry run around it has a report of its own
    if context.record.find(Built) is None:
        summarise(os.environ, "Nothing is built yet.")
    elif report.is_file():
        told = f"sha256 of built.json: `{context.record.digest()}`"
        summarise(os.environ, f"{report.read_text(encoding='utf-8')}\n{told}")


def summarise(outer: Mapping[str, str], text: str) -> None:
    """Put `text`, Markdown, on the page of this run, where the CI system has such a page."""
    if outer.get("GITHUB_STEP_SUMMARY"):
        _append(Path(outer["GITHUB_STEP_SUMMARY"]), [text, ""])


def matrix(built: Built) -> str:
    """Return the verify jobs as GitHub's ``strategy.matrix``, in JSON: each Python, on each system that has a file.

    A Python on which nox cannot run the sessions themselves is verified beside one that can, on Linux alone: the last
    of `setup` is the one that runs nox there.
    """
    pythons = list(dict.fromkeys(cell.python for cell in built.matrix))
    jobs = []
    for python in pythons:
        able = runs_nox(python)
        runners = _runners([dist.filename for dist in built.dists]) if able else RUNNERS[:1]
        setup = python if able else f"{python}\n{'{}.{}'.format(*OLDEST_PYTHON)}"
        jobs += [{"os": runner, "python": python, "setup": setup} for runner in runners]
    return json.dumps({"include": jobs}, separators=(",", ":"))


def runs_nox(python: str) -> bool:
    """Whether the sessions themselves run on `python`, as nox names it."""
    major, _, minor = python.partition(".")
    return major.isdecimal() and minor.isdecimal() and (int(major), int(minor)) >= OLDEST_PYTHON


def _runners(filenames: Sequence[str]) -> tuple[str, ...]:
    """Return the systems that one of the wheels is for; with no wheel, the one that can be counted on to compile."""
    platforms = {name.removesuffix(".whl").rpartition("-")[2] for name in filenames if name.endswith(".whl")}
    found = tuple(runner for runner in RUNNERS if any(_fits(platform, runner) for platform in platforms))
    return found or RUNNERS[:1]


def _fits(platform: str, runner: str) -> bool:
    """Whether a wheel's platform tag (`any`, `win_amd64`, `manylinux_2_28_x86_64.manylinux2014_x86_64`) is its."""
    names = [part.removeprefix("many").removeprefix("musl") for part in platform.split(".")]
    return any(name.startswith(SYSTEMS[runner]) for name in names)


def _append(path: Path, lines: Sequence[str]) -> None:
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
