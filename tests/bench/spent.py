"""What a warm dry run spends its time on, by kind: the programs that it starts, and what our own code does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figures import table
from tests.bench.watching import KINDS, VARIABLE
from tests.bench.ways import stop_unless_proved
from tests.bench.workshop import NOXFILE, watched
from tests.projects import commit, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.workshop import Workshop

WATCHING = Path(__file__).with_name("watching.py")


@dataclass(frozen=True)
class Spent:
    """Seconds of each kind in the run `name`, added up where things ran side by side, and those on the clock."""

    name: str
    kinds: dict[str, float]
    clock: float


def all_of(shop: Workshop) -> dict[str, Callable[[], Spent]]:
    """Return what makes each run that is looked into, by its name."""
    return {f"spent, {name}": partial(look_into, shop, uv=uv) for name, uv in (("uv", True), ("pip", False))}


def look_into(shop: Workshop, *, uv: bool) -> Spent:
    """Make a dry run of a new commit whose tools are there, with every nox of it watched from within."""
    name = f"spent-{'uv' if uv else 'pip'}"
    root = shop.project(name)
    write_tree(root, {"noxfile.py": f"{NOXFILE}runpy.run_path({str(WATCHING)!r})\n"})
    notes = shop.fresh(f"{name}-notes") / "notes"
    env = shop.env(uv=uv) | {VARIABLE: str(notes)}
    commit(root)
    watched((shop.nox, "-s", "dryrun"), root, env)  # makes the environments of the tools
    commit(root)
    notes.unlink()
    kept = shop.fresh(f"{name}-kept")
    timed = watched((shop.nox, "-s", "dryrun", "--", "--keep", kept), root, env)
    stop_unless_proved(kept)
    return Spent(f"dryrun, {'uv' if uv else 'pip'}, warm", added_up(notes.read_text(encoding="utf-8")), timed.seconds)


def added_up(notes: str) -> dict[str, float]:
    """Return the seconds of each kind in the lines that `watching` wrote."""
    kinds: dict[str, float] = {}
    for line in notes.splitlines():
        kind, seconds = json.loads(line)
        kinds[kind] = kinds.get(kind, 0.0) + seconds
    return kinds


def report(runs: Sequence[Spent]) -> str:
    """Return the table of `runs`, as Markdown; nothing without any."""
    if not runs:
        return ""
    rows = [
        [kind, *(f"{run.kinds[kind]:.2f}" if kind in run.kinds else "" for run in runs)]
        for kind in KINDS
        if any(kind in run.kinds for run in runs)
    ]
    rows.append(["on the clock", *(f"{run.clock:.2f}" for run in runs)])
    head = ["seconds, added up where things run side by side", *(f"`{run.name}`" for run in runs)]
    return table(head, rows)
