"""What the rules cost: ``nox -s bench_check [-- --runs N --out FILE]``.

A wheel of 1 GiB against sha256sum of the same file, a hundred wheels on one core and on all, and archives made to hurt.
Each run is a process of its own, whose time and peak memory the system tells; runs that are compared take turns. What
other programs do at the same time shows in the seconds on the clock, so the aims are about those of computing, but for
what is shared out to all cores.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from tests import hostile
from tests.archives import metadata, wheel, wheel_members, zip_info
from tests.bench.figures import placed, table

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
JUDGE = """\
import json, pathlib, sys
from seatrial.rules import judge

if __name__ == "__main__":
    out, alone, *names = sys.argv[1:]
    judge.MANY = len(names) + 1 if alone == "alone" else judge.MANY
    judged = judge.judge_files([pathlib.Path(name) for name in names])
    found = [[str(path), [problem.rule for problem in problems]] for path, problems in judged]
    pathlib.Path(out).write_text(json.dumps(found), encoding="utf-8")
"""
BEGIN, END = "<!-- written by nox -s bench_check: begin -->", "<!-- written by nox -s bench_check: end -->"
MIB = 1 << 20
BIG = 1 << 30  # bytes of the large wheel: text and binary members
TIMES, MEMORY, SOON = 4.0, 200, 10.0  # the aims: times of sha256sum, MiB of a process, seconds for what is hostile
MANY = 100
MODULE = "def work(value: int) -> int:\n    return value + 1\n\n\n" * 400
MODULES, LUMP = 2_000, 60 * MIB  # of the large wheel: its modules, and the size of each of its binary members
STARTER = """\
import os, sys, time
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
started = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
print([time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss])
sys.exit(os.waitstatus_to_exitcode(status))
"""
SHA256 = "import hashlib, sys\nhashlib.sha256(open(sys.argv[1], 'rb').read())"


@dataclass(frozen=True)
class Cost:
    """What one process took: seconds on the clock, seconds of computing, and MiB of memory at its peak."""

    seconds: float
    computing: float
    memory: float


@dataclass(frozen=True)
class Line:
    """A line of the table: what was measured, its costs, what is hoped for, and whether that was reached."""

    what: str
    costs: Sequence[Cost]
    aim: str
    reached: bool

    @property
    def cells(self) -> list[str]:
        computing, memory = (max(getattr(cost, name) for cost in self.costs) for name in ("computing", "memory"))
        seconds = f"{median(cost.seconds for cost in self.costs):.2f}"
        return [self.what, seconds, f"{computing:.2f}", f"{memory:.0f}", self.aim, self.said]

    @property
    def said(self) -> str:
        return "" if not self.aim else "reached" if self.reached else "missed"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write it where `argv` says; it does not judge."""
    parser = argparse.ArgumentParser(prog="nox -s bench_check --", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="rounds (default: 3)")
    parser.add_argument("--out", type=Path, help="write the table there, between its marks")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="seatrial-bench-") as folder:
        lines = measure(Path(folder), options.runs)
    text = report(lines, options.runs)
    print(text)
    if options.out:
        page = options.out.read_text(encoding="utf-8")
        options.out.write_bytes(placed(page, text, BEGIN, END).encode())
    return 0


def measure(folder: Path, rounds: int) -> list[Line]:
    """Return all lines, measured on files that are written into `folder`."""
    return [*of_large(folder, rounds), *of_many(folder, rounds), *of_hostile(folder)]


def of_large(folder: Path, rounds: int) -> list[Line]:
    """Compare the rules on one large wheel with sha256sum of it."""
    path = large_wheel(folder / "large", BIG)
    turns = [(watched(sha256sum(path)), watched(rules(path))) for _ in range(rounds)]
    base, ours = ([turn[place] for turn in turns] for place in (0, 1))
    times = median(judged.computing / hashed.computing for hashed, judged in turns)
    small = max(cost.memory for cost in ours) < MEMORY
    aim = f"at most {TIMES:g} times sha256sum ({times:.2f}), under {MEMORY} MiB"
    path.unlink()
    return [
        Line("`sha256sum` of a wheel of 1 GiB", base, "", reached=True),
        Line("the rules on that wheel", ours, aim, reached=times <= TIMES and small),
    ]


def of_many(folder: Path, rounds: int) -> list[Line]:
    """Compare the rules on a hundred wheels in one process with those on all cores."""
    modules = {f"demo/m{number}.py": MODULE for number in range(40)}
    names = (f"demo-1.0-{number}-py3-none-any.whl" for number in range(MANY))
    paths = [wheel(folder / "many", filename=name, files=modules) for name in names]
    turns = [(watched(rules(*paths, alone=True)), watched(rules(*paths, alone=False))) for _ in range(rounds)]
    one, shared = ([turn[place] for turn in turns] for place in (0, 1))
    times = median(ours.seconds / alone.seconds for alone, ours in turns)
    cores = os.cpu_count() or 1
    aim = f"at most {_hoped(cores):.2f} of one process on {cores} cores ({times:.2f})"
    return [
        Line(f"the rules on {MANY} wheels in one process", one, "", reached=True),
        Line(f"the rules on {MANY} wheels on all cores", shared, aim, reached=times <= _hoped(cores)),
    ]


def _hoped(cores: int) -> float:
    """Return the share of the time of one process that so many should need, with something for their start."""
    return min(1.0, 1 / cores + 0.2)


def of_hostile(folder: Path) -> list[Line]:
    """Measure the rules on archives that are made to hurt, each once."""
    lines = []
    for what, (name, make) in hostile.FULL_SIZE.items():
        path = make(folder / "hostile" / name)
        cost = watched(rules(path))
        reached = cost.computing <= SOON and cost.memory < MEMORY
        lines.append(Line(what, [cost], f"at most {SOON:g} s, under {MEMORY} MiB", reached=reached))
        path.unlink()
    return lines


def report(lines: Sequence[Line], rounds: int) -> str:
    """Return what was measured, as Markdown."""
    load = f" Load average: {os.getloadavg()[0]:.1f}." if sys.platform != "win32" else ""
    facts = (
        f"{rounds} rounds, {platform.system()} on {os.cpu_count()} {platform.machine()} cores, Python"
        f" {platform.python_version()}.{load}"
    )
    head = ["what", "seconds on the clock", "seconds of computing", "MiB at the peak", "aim", ""]
    return f"{facts}\n\n{table(head, [line.cells for line in lines])}\n"


def rules(*paths: Path, alone: bool = True) -> list[str]:
    """Return the command line of the rules on `paths`, in one process or on all cores."""
    out = str(paths[0].parent / "findings.json")
    return [sys.executable, "-I", "-c", JUDGE, out, "alone" if alone else "shared", *map(str, paths)]


def sha256sum(path: Path) -> list[str]:
    """Return the command line of sha256sum, or of the same in Python where that is not there."""
    program = shutil.which("sha256sum")
    return [program, str(path)] if program else [sys.executable, "-c", SHA256, str(path)]


def watched(argv: Sequence[str]) -> Cost:
    """Run `argv` and return what it took. Raises CalledProcessError. Needs a system that tells (no Windows).

    A process begins with the memory of the one that starts it, as systems count it, so a small one does.
    """
    words = [sys.executable, "-I", "-S", "-c", STARTER, *argv]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    seconds, computing, memory = json.loads(done.stdout)
    return Cost(seconds, computing, memory * (1 if sys.platform == "darwin" else 1024) / MIB)


def large_wheel(folder: Path, size: int) -> Path:
    """Write a wheel of about `size` bytes, of modules and of binary members that do not compress."""
    folder.mkdir(parents=True)
    path = folder / "demo-1.0-py3-none-any.whl"
    modules = {f"demo/m{number}.py": f"{MODULE}# {number}\n" for number in range(MODULES)}
    lumps = [f"demo/data{number}.bin" for number in range(max(1, size // LUMP))]
    members = wheel_members(path.name, metadata(), modules)
    record = next(name for name in members if name.endswith("/RECORD"))
    members[record] += "".join(f"{name},,\n" for name in lumps).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, raw in members.items():
            archive.writestr(zip_info(name), raw)
        for name in lumps:
            _put_lump(archive, name, min(size, LUMP))
    return path


def _put_lump(archive: zipfile.ZipFile, name: str, size: int) -> None:
    noise = os.urandom(min(size, MIB))
    with archive.open(zip_info(name, zipfile.ZIP_STORED), "w") as member:
        for _ in range(size // len(noise)):
            member.write(noise)


def findings(out: Path) -> Any:
    """Return what the rules found last."""
    return json.loads(out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
