"""Time the dry run against the recipe typed by hand: ``nox -s bench [-- --runs N --only NAMES --out FILE]``.

All ways run in turn, round after round, on a small pure-Python package with one dependency; a first round that is not
counted fills the caches of pip and uv. It reports and does not judge: only a run that fails is an error.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figures import Results, placed, report
from tests.bench.ways import AIMS, BASES, Ways
from tests.bench.workshop import BenchError, Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.figures import Timed


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark that `argv` asks for (default: the command line's) and return the exit code."""
    options = _parser().parse_args(argv)
    try:
        with tempfile.TemporaryDirectory(prefix="seatrial-bench-", ignore_cleanup_errors=True) as folder:
            ways = Ways(Workshop.in_folder(Path(folder).resolve()))
            try:
                before = _load()
                results = measure(_chosen(ways.all(), options.only), options.runs)
            finally:
                ways.close()
    except BenchError as error:
        print(f"the benchmark stopped: {error}", file=sys.stderr)
        return 1
    _put(report(results, AIMS, BASES, facts(options.runs, before)), options.out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="rounds that are counted (default: 3)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="ways whose name begins so")
    parser.add_argument("--out", type=Path, help="write the tables there; between the marks where the page has them")
    return parser


def _chosen(ways: dict[str, Callable[[], Timed]], only: Sequence[str] | None) -> dict[str, Callable[[], Timed]]:
    """Return those of `ways` whose names begin with one of `only`. Raises BenchError where that is none."""
    chosen = {name: way for name, way in ways.items() if only is None or name.startswith(tuple(only))}
    if not chosen:
        raise BenchError(f"no way is called so; there are: {'; '.join(ways)}")
    return chosen


def measure(ways: dict[str, Callable[[], Timed]], rounds: int) -> Results:
    """Run all `ways` in turn, one round for the caches and then `rounds`; each round begins with another way."""
    results: Results = {name: [] for name in ways}
    names = list(ways)
    for number in range(rounds + 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            timed = ways[name]()
            print(f"{'warm-up' if number == 0 else f'run {number}'}: {name}: {timed.seconds:.2f} s", flush=True)
            if number:
                results[name].append(timed)
    return results


def facts(rounds: int, before: str) -> str:
    """Return what the figures depend on, in one paragraph."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("nox", "uv", "build", "twine"))
    machine = f"{platform.system()} on {os.cpu_count()} {platform.machine()} cores"
    return (
        f"{rounds} rounds, on {machine}, Python {platform.python_version()}, {versions}."
        f" Load average before: {before}; after: {_load()}."
    )


def _load() -> str:
    """Return how much else was going on."""
    return f"{os.getloadavg()[0]:.1f}" if sys.platform != "win32" else "(not known)"


def _put(text: str, out: Path | None) -> None:
    print(text)
    if out is not None:
        page = out.read_text(encoding="utf-8") if out.exists() else ""
        out.write_bytes(placed(page, text).encode())


if __name__ == "__main__":
    sys.exit(main())
