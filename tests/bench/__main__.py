"""Time the dry run against recipes typed by hand: ``nox -s bench [-- --runs N --only NAMES --out FILE]``.

All ways run in turn, round after round, on a small pure-Python package with one dependency; a first round that is not
counted fills the caches of pip and uv. How the cost grows is measured after that, once. It reports and does not judge:
only a run that fails is an error.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench import growth, picture
from tests.bench.figures import Results, placed, report
from tests.bench.growth import Growth
from tests.bench.ways import AIMS, BASES, Ways
from tests.bench.workshop import BenchError, Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.bench.figures import Timed
    from tests.bench.growth import Curve


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark that `argv` asks for (default: the command line's) and return the exit code."""
    options = _parser().parse_args(argv)
    try:
        with tempfile.TemporaryDirectory(prefix="seatrial-bench-", ignore_cleanup_errors=True) as folder:
            shop, before = Workshop.in_folder(Path(folder).resolve()), _load()
            with contextlib.closing(Ways(shop)) as all_ways:
                ways, curves = _chosen(all_ways.all(), Growth(shop).all(), only=options.only)
                results = measure(ways, options.runs)
                text = report(results, AIMS, BASES, facts(options.runs, before))
                if results:
                    _put((text,), (), results, options.out)  # a curve that cannot be measured does not lose these
                grown = [grow(name, curve) for name, curve in curves.items()]
    except BenchError as error:
        print(f"the benchmark stopped: {error}", file=sys.stderr)
        return 1
    _put((text, growth.report(grown)), grown, results, options.out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="rounds that are counted (default: 3)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="ways whose name begins so")
    parser.add_argument("--out", type=Path, help="write the tables there; between the marks where the page has them")
    return parser


def _chosen(*offered: Mapping[str, Callable[[], Any]], only: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    """Yield of each of `offered` what has a name that begins with one of `only`.

    Raises BenchError where that is nothing at all.
    """
    wanted = tuple(only) if only is not None else ("",)
    names = [name for one in offered for name in one]
    if not any(name.startswith(wanted) for name in names):
        raise BenchError(f"no way is called so; there are: {'; '.join(names)}")
    for one in offered:
        yield {name: make for name, make in one.items() if name.startswith(wanted)}


def grow(name: str, curve: Callable[[], Curve]) -> Curve:
    """Measure one curve, and show that something happens."""
    made = curve()
    print(f"{name}: {', '.join(f'{size}: {timed.seconds:.2f} s' for size, timed in made.points)}", flush=True)
    return made


def measure(ways: dict[str, Callable[[], Timed]], rounds: int) -> Results:
    """Run all `ways` in turn, one round for the caches and then `rounds`; each round begins with another way."""
    results: Results = {name: [] for name in ways}
    names = list(ways)
    for number in range(rounds + 1 if names else 0):
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


def _put(parts: Sequence[str], curves: Sequence[Curve], results: Results, out: Path | None) -> None:
    """Print the tables, and write them to `out` with the picture beside it."""
    text = "\n\n".join(part.rstrip("\n") for part in parts if part) + "\n"
    print(text)
    if out is not None:
        picture.draw(results, curves, out.with_suffix(".svg"))
        page = out.read_text(encoding="utf-8") if out.exists() else ""
        out.write_bytes(placed(page, text).encode())


if __name__ == "__main__":
    sys.exit(main())
