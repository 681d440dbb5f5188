"""Steps one after the other, as nox runs them, with indexes of a test in the place of the real ones.

``python -I tests/program.py STEP... -- OPTIONS`` does in one process what ``nox -s STEP... -- OPTIONS`` does in
several. With ``--installed STEP OPTIONS`` it does what ``seatrial STEP OPTIONS`` does.
The variable SEATRIAL_TEST_INDEXES names the indexes, as JSON: the URLs of both.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.cli import chain, main
from seatrial.cli.options import INTERFACE
from seatrial.standin.indexes import Standins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.project.context import Context

VARIABLE = "SEATRIAL_TEST_INDEXES"


def at_indexes_of_test(context: Context, outer: Mapping[str, str]) -> Context:
    """Return `context` with the indexes that the variables `outer` name, if they name any."""
    if VARIABLE not in outer:
        return context
    urls = json.loads(outer[VARIABLE])
    standins = Standins(Path(), urls["testpypi"], urls["pypi"], {}, {})
    settings = context.settings.with_indexes(standins.replacing(context.settings.indexes))
    return replace(context, settings=settings, published=settings.pypi)


def run(words: Sequence[str], outer: Mapping[str, str]) -> int:
    """Run the steps in `words` up to ``--`` with the options behind it; return 1 where one fails, else 0."""
    if words[:1] == ["--installed"]:
        return main.run(words[1:], outer, lambda context: at_indexes_of_test(context, outer))
    place = words.index("--") if "--" in words else len(words)
    flags, names, options = list[str](), list[str](), words[place + 1 :]
    for word in words[:place]:
        (flags if word.startswith("-") else names).append(word)
    required = {name: () if "--alone" in flags else chain.through(name)[:-1] for name in main.STEPS}
    failed: set[str] = set()
    for step in dict.fromkeys(step for name in names for step in (*required[name], name)):
        if failed & {*required[step]}:
            continue
        print(f"Running session {step}", flush=True)
        nox = {
            "interface": INTERFACE,
            "prefix": "",
            "uv": None if "--without-uv" in flags else main_uv(),
            "interactive": "--typing" in flags,
            "asked": names,
            "withheld": [],
            "root": str(Path.cwd()),
            "start": str(Path.cwd()),
        }
        arguments = [step, "--nox", json.dumps(nox), *options]
        if main.run(arguments, outer, lambda context: at_indexes_of_test(context, outer)) != 0:
            failed.add(step)
    return int(bool(failed))


def main_uv() -> str | None:
    """Return the program uv, as the command line finds it."""
    from seatrial.cli.release import find_uv  # noqa: PLC0415 (with all that a step needs)

    return find_uv()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], dict(os.environ)))
