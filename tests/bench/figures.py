"""The pure parts of the benchmark: where time went, medians and ratios with their spread, tables, and their page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Steps, in the order in which they are shown.
REST, ENVIRONMENTS, TOOLS, BUILD = "everything else", "environments of the tools", "installing tools", "building"
RULES, TRIAL, UPLOAD, USE = "rules", "trial on this disk", "uploads", "fresh environment, installation, import"
STEPS = (ENVIRONMENTS, TOOLS, BUILD, RULES, TRIAL, UPLOAD, USE, REST)

# Lines with which a dry run enters another step. What `verify` makes an environment for belongs to its own step.
MARKS = tuple(
    (re.compile(pattern), step)
    for pattern, step in (
        (r"nox > Creating virtual environment .*[\\/](?!verify)[^\\/]*$", ENVIRONMENTS),
        (r"nox > .*pip install --require-hashes", TOOLS),
        (r"building (sdist|wheel)", BUILD),
        (r"nox > Running session check", RULES),
        (r"\d+ rules applied", TRIAL),
        (r"index: http", UPLOAD),
        (r"nox > (\* testpypi: success|Running session verify)", USE),  # a cell is shown when it has ended
        (r"nox > (Running session|Session)|stand-in for TestPyPI", REST),
    )
)

BEGIN, END = "<!-- written by nox -s bench: begin -->", "<!-- written by nox -s bench: end -->"


@dataclass(frozen=True)
class Timed:
    """One run: how many seconds it took, in which steps, and the memory in bytes of its largest process, if known."""

    seconds: float
    steps: Mapping[str, float]
    memory: int | None = None


@dataclass(frozen=True)
class Aim:
    """What a way is hoped to cost at most: so many times another one, or with `added` so many seconds more."""

    way: str
    base: str
    limit: float
    added: bool = False


Results = dict[str, list[Timed]]  # by way, run by run


def steps_of(started: float, lines: Iterable[tuple[float, str]], ended: float) -> dict[str, float]:
    """Return the seconds in each step, from the moments at which the lines of a dry run were printed."""
    spent: dict[str, float] = {}
    step, since = REST, started
    for moment, line in lines:
        entered = next((name for pattern, name in MARKS if pattern.match(line)), None)
        if entered is not None:
            spent[step] = spent.get(step, 0.0) + moment - since
            step, since = entered, moment
    spent[step] = spent.get(step, 0.0) + ended - since
    return spent


def seconds(runs: Sequence[Timed]) -> str:
    """Return the median of `runs` with the lowest and the highest."""
    return _with_spread([run.seconds for run in runs])


def ratios(runs: Sequence[Timed], base: Sequence[Timed]) -> list[float]:
    """Return how long each of `runs` took, compared with the run of `base` that was made beside it."""
    return [ours.seconds / theirs.seconds for ours, theirs in zip(runs, base, strict=True)]


def additions(runs: Sequence[Timed], base: Sequence[Timed]) -> list[float]:
    """Return how many seconds more each of `runs` took than the run of `base` that was made beside it."""
    return [ours.seconds - theirs.seconds for ours, theirs in zip(runs, base, strict=True)]


def mebibytes(memory: int | None) -> str:
    """Return `memory` (bytes) as it stands in a table."""
    return f"{memory / 2**20:.0f}" if memory is not None else ""


def _with_spread(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{median(values):.2f} ({low:.2f} to {high:.2f})" if len(values) > 1 else f"{values[0]:.2f}"


def report(results: Results, aims: Sequence[Aim], bases: Sequence[str], facts: str) -> str:
    """Return all tables as Markdown; `bases` are the ways that the others are compared with."""
    parts = [facts, comparison(results, [base for base in bases if base in results])]
    if reached := standing(results, aims):
        parts.append(reached)
    if shown := breakdown({way: runs for way, runs in results.items() if any(run.steps for run in runs)}):
        parts.append(shown)
    return "\n\n".join(parts) + "\n"


def comparison(results: Results, bases: Sequence[str]) -> str:
    """Return the table of all ways: seconds, the ratio to each base, and the memory of the largest process."""
    rows = [
        [f"`{way}`", seconds(runs), *(_with_spread(ratios(runs, results[base])) for base in bases), peak(runs)]
        for way, runs in results.items()
    ]
    columns = (*(f"ratio to `{base}`" for base in bases), "largest process, MiB")
    return table(["way", "seconds: median (lowest to highest)", *columns], rows)


def peak(runs: Sequence[Timed]) -> str:
    """Return the highest memory of `runs` in MiB, empty where it is not known."""
    return mebibytes(max((run.memory for run in runs if run.memory is not None), default=None))


def standing(results: Results, aims: Sequence[Aim]) -> str:
    """Return the table of the aims that can be judged from `results`, empty where there is none."""
    rows = []
    for aim in aims:
        if aim.way in results and aim.base in results:
            found = (additions if aim.added else ratios)(results[aim.way], results[aim.base])
            said = "reached" if median(found) <= aim.limit else "missed"
            what, unit = ("more than", " s") if aim.added else ("to", "")
            rows.append([f"`{aim.way}` {what} `{aim.base}`", f"at most {aim.limit:g}{unit}", _with_spread(found), said])
    return table(["ratio, or seconds more", "aim", "measured", ""], rows) if rows else ""


def breakdown(results: Results) -> str:
    """Return the table of where the time goes: seconds in each step, medians, one column a way."""
    rows = []
    for step in STEPS:
        times = [[run.steps.get(step, 0.0) for run in runs] for runs in results.values()]
        if any(map(any, times)):
            rows.append([step, *(f"{median(spent):.2f}" if any(spent) else "" for spent in times)])
    return table(["step, in seconds", *(f"`{way}`" for way in results)], rows) if rows else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def placed(page: str, text: str, begins: str = BEGIN, ends: str = END) -> str:
    """Return `page` with `text` between its two marks; a page without them is `text` alone."""
    before, begin, rest = page.partition(begins)
    _, end, after = rest.partition(ends)
    if not (begin and end):
        return text
    return f"{before}{begins}\n\n{text}\n{ends}{after}"
