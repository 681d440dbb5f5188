"""What the steps hand to the CI jobs that follow, in the way of the CI system they run under.

GitHub reads ``name=value`` lines from the file GITHUB_OUTPUT names, and Markdown from GITHUB_STEP_SUMMARY. GitLab reads
a dotenv file that a job declares as a report, and sets its lines as variables in later jobs: any variable, so the job
must run no foreign code, which could add lines of its own.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.machine.disk import write_whole
from seatrial.machine.errors import ReleaseError
from seatrial.release.stages import Built
from seatrial.report.text import SUMMARY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.index.indexes import Index
    from seatrial.project.context import Context

DOTENV = "ci.env"  # in the folder of the record
PREFIX = "SEATRIAL_"  # SEATRIAL_RECORD is what the steps compare (record.DIGEST_VARIABLE)
OLDEST_PYTHON = (3, 10)  # that runs the sessions themselves
SYSTEMS = {"ubuntu-latest": ("linux", "any"), "windows-latest": ("win", "any"), "macos-latest": ("macosx", "any")}
RUNNERS = tuple(SYSTEMS)
# What each value may be: nothing that ends a line, or that a shell would expand.
SHAPES = {
    "record": re.compile(r"[0-9a-f]{64}"),
    "version": re.compile(r"[0-9A-Za-z.!+_-]+"),
    "matrix": re.compile(r"""\{"include":\[[0-9A-Za-z_",:{}.\\-]*\]\}"""),
    "url": re.compile(r"https?://[0-9A-Za-z_.:/?#\[\]@!&()*+,;=%~-]+"),
}


class NotHandedOn(ReleaseError):
    name: str
    value: str

    what = "Invalid {e.name}, so nothing was passed on to later CI jobs: {e.value}"
    cause = "built.json was changed, or a URL in [tool.seatrial.indexes] has characters that URLs do not have."
    cure = (
        "correct the settings; if they are right, find out who changed built.json, and start again from `{run[build]}`."
    )


def built(context: Context) -> None:
    """Hand on what the later jobs need of the files: the digest of ``built.json``, the version, the verify jobs."""
    if not context.dry and (stage := context.record.find(Built)):
        hand_on(context.variables, context.record.folder, _of_files(context, stage))


def uploaded(context: Context, index: Index) -> None:
    """Hand on the page of the release on `index`, which a deployment links to."""
    if not context.dry and (stage := context.record.find(Built)):
        url = {"url": index.page(stage.project, stage.version)}
        hand_on(context.variables, context.record.folder, url, _of_files(context, stage))


def _of_files(context: Context, stage: Built) -> dict[str, str]:
    return {"record": context.record.digest(), "version": stage.version, "matrix": matrix(stage)}


def hand_on(
    outer: Mapping[str, str], folder: Path, values: Mapping[str, str], known: Mapping[str, str] | None = None
) -> None:
    """Write `values` where the CI system looks for them, which the variables `outer` name; else do nothing.

    GitLab's file is written whole, with what is `known` from before. Raises NotHandedOn where a value is none of its
    kind: what a record says may come from another job, and a line end in it would begin a line of its own.
    """
    if outer.get("GITHUB_OUTPUT"):
        _append(outer["GITHUB_OUTPUT"], _lines(values))
    elif outer.get("GITLAB_CI"):
        everything = _lines({**(known or {}), **values}, lambda name: PREFIX + name.upper())
        write_whole(folder / DOTENV, everything)


def _lines(values: Mapping[str, str], spelt: Callable[[str], str] = str) -> str:
    for name, value in values.items():
        if not SHAPES[name].fullmatch(value):
            raise NotHandedOn(name, value)
    return "".join(f"{spelt(name)}={value}\n" for name, value in values.items())


def stands(context: Context) -> None:
    """Put the report on the page of this CI run, with the digest that a later run needs; a dry run has its own."""
    report = context.record.folder / SUMMARY
    if context.dry:
        return
    if context.record.find(Built) is None:
        summarise(context.variables, "Nothing is built yet.")
    elif report.is_file():
        digest = f"sha256 of built.json: `{context.record.digest()}`"
        summarise(context.variables, f"{report.read_text(encoding='utf-8')}\n{digest}")


def summarise(outer: Mapping[str, str], text: str) -> None:
    """Put `text`, Markdown, on the page of this run, where the CI system has such a page."""
    if outer.get("GITHUB_STEP_SUMMARY"):
        _append(outer["GITHUB_STEP_SUMMARY"], f"{text}\n\n")


def matrix(built: Built) -> str:
    """Return the verify jobs as GitHub's ``strategy.matrix``, in JSON: each Python, on each system that has a file.

    A Python on which nox cannot run the sessions themselves is verified beside one that can, on Linux alone: the last
    of `setup` is the one that runs nox there.
    """
    platforms = {dist.filename.removesuffix(".whl").rpartition("-")[2] for dist in built.dists if dist.kind == "wheel"}
    # A tag is such as `any`, `win_amd64`, `manylinux_2_28_x86_64.manylinux2014_x86_64`.
    tags = [tag.removeprefix("many").removeprefix("musl") for platform in platforms for tag in platform.split(".")]
    fitting = [runner for runner, names in SYSTEMS.items() if any(tag.startswith(names) for tag in tags)]
    jobs = []
    for python in dict.fromkeys(cell.python for cell in built.matrix):
        able = runs_nox(python)
        setup = python if able else f"{python}\n{'{}.{}'.format(*OLDEST_PYTHON)}"
        # With no wheel, the one system that can be counted on to compile.
        runners = fitting if fitting and able else RUNNERS[:1]
        jobs += [{"os": runner, "python": python, "setup": setup} for runner in runners]
    return json.dumps({"include": jobs}, separators=(",", ":"))


def runs_nox(python: str) -> bool:
    """Whether the sessions themselves run on `python`, as nox names it."""
    major, _, minor = python.partition(".")
    return major.isdecimal() and minor.isdecimal() and (int(major), int(minor)) >= OLDEST_PYTHON


def _append(path: str, text: str) -> None:
    with Path(path).open("a", encoding="utf-8", newline="\n") as file:
        file.write(text)
