"""The pure parts of the benchmark: where time went, medians and ratios with their spread, tables, and their page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Parts of a release, and what programs that run side by side are there for, in the order in which they are shown.
TOOLS, BUILD, TRIAL, UPLOAD = "environments of the tools", "building", "rules, trial on this disk", "uploads"
USE, REST = "fresh environment, installation, import", "everything else"
PARTS = {"build": BUILD, "check": TRIAL, "testpypi": UPLOAD, "verify": USE, "pypi": UPLOAD}  # by step
KINDS = (  # the first that is found in a command line says what a program is there for
    (re.compile(r"^git"), "git"),
    (re.compile(r" venv |virtualenv"), "virtual environments"),
    (re.compile(r"command\.py"), "probe"),
    (re.compile(r"uploader"), "uploading"),
    (re.compile(r" pip "), "installing"),
    (re.compile(r"build"), "building"),
    (re.compile(""), "other programs"),
)
TASK = re.compile(r" *\d+\.\d s +(\d+\.\d) s  (.+)$", re.MULTILINE)  # a line of the timeline: start, length, label

BEGIN, END = "<!-- written by nox -s bench: begin -->", "<!-- written by nox -s bench: end -->"


@dataclass(frozen=True)
class Timed:
    """One run: the seconds it took, in which parts and programs, and the bytes of its largest process, if known."""

    seconds: float
    parts: Mapping[str, float] = field(default_factory=dict)
    memory: int | None = None
    programs: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, output: str, seconds: float, memory: int | None) -> Timed:
        """Read the timeline in `output`, if there is one."""
        parts: dict[str, float] = {}
        programs: dict[str, float] = {}
        for length, label in TASK.findall(output):
            if label in PARTS:
                parts[PARTS[label]] = parts.get(PARTS[label], 0.0) + float(length)
            else:
                kind = next(kind for pattern, kind in KINDS if pattern.search(label))
                programs[kind] = programs.get(kind, 0.0) + float(length)
        rest = {REST: max(seconds - sum(parts.values()), 0.0)} if parts else {}
        return cls(seconds, parts | rest, memory, programs)


@dataclass(frozen=True)
class Aim:
    """What a way is hoped and required to cost at most: times another one, or seconds where there is no `base`."""

    way: str
    base: str | None
    hoped: float
    required: float


Results = dict[str, list[Timed]]  # by way, run by run


def seconds(runs: Sequence[Timed]) -> str:
    """Return the median of `runs` with the lowest and the highest."""
    return _with_spread([run.seconds for run in runs])


def ratios(runs: Sequence[Timed], base: Sequence[Timed]) -> list[float]:
    """Return how long each of `runs` took, compared with the run of `base` that was made beside it."""
    return [ours.seconds / theirs.seconds for ours, theirs in zip(runs, base, strict=True)]


def mebibytes(memory: int | None) -> str:
    """Return `memory` (bytes) as it stands in a table."""
    return f"{memory / 2**20:.0f}" if memory is not None else ""


def _with_spread(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{median(values):.2f} ({low:.2f} to {high:.2f})" if len(values) > 1 else f"{values[0]:.2f}"


def report(results: Results, aims: Sequence[Aim], bases: Sequence[str], facts: str) -> str:
    """Return all tables as Markdown; `bases` are the ways that the others are compared with."""
    parts = {way: [run.parts for run in runs] for way, runs in results.items()}
    programs = {way: [run.programs for run in runs] for way, runs in results.items()}
    tables = (
        comparison(results, [base for base in bases if base in results]),
        standing(results, aims),
        breakdown("part, in seconds", parts, (TOOLS, *dict.fromkeys(PARTS.values()), REST)),
        breakdown("programs, in seconds added up where they run side by side", programs, [kind for _, kind in KINDS]),
    )
    return "\n\n".join(filter(None, [facts, *tables])) + "\n"


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
        if aim.way in results and (aim.base is None or aim.base in results):
            runs = results[aim.way]
            values = ratios(runs, results[aim.base]) if aim.base else [run.seconds for run in runs]
            reached, passed = (median(values) <= limit for limit in (aim.hoped, aim.required))
            what, unit = (f" to `{aim.base}`", "") if aim.base else ("", " s")
            limits = f"{aim.hoped:g}{unit}" + (
                f" ({aim.required:g}{unit} required)" if aim.required != aim.hoped else ""
            )
            word = "reached" if reached else "passed" if passed else "missed"
            rows.append([f"`{aim.way}`{what}", f"at most {limits}", _with_spread(values), word])
    return table(["ratio, or seconds", "aim", "measured", ""], rows) if rows else ""


def breakdown(title: str, results: Mapping[str, Sequence[Mapping[str, float]]], names: Iterable[str]) -> str:
    """Return the table of where the time goes: medians of the seconds for each of `names`, one column a way."""
    shown = {way: runs for way, runs in results.items() if any(runs)}
    rows = []
    for name in names:
        times = [[run.get(name, 0.0) for run in runs] for runs in shown.values()]
        if any(map(any, times)):
            rows.append([name, *(f"{median(spent):.2f}" if any(spent) else "" for spent in times)])
    return table([title, *(f"`{way}`" for way in shown)], rows) if rows else ""


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
