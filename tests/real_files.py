"""Look for false alarms: the rules on files of real projects, which PyPI took. No test runs this; it needs the network.

``python -m tests.real_files FOLDER`` fetches the files that tests/real/*.txt name (by hash, with pip, which asks the
backends of the sdists for their metadata) into FOLDER, unless they are there, and judges them. Every error is a false
alarm to be understood; it exits 1 then.

``... --newest FOLDER`` fetches the newest files of the same projects in place of those, and writes the lists anew.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.release.filenames import parts
from seatrial.release.stages import Dist
from seatrial.rules import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

LISTS = Path(__file__).with_name("real")
PLATFORMS = ("any", "manylinux2014_x86_64", "manylinux_2_28_x86_64", "manylinux_2_34_x86_64")
TARGET = ("--python-version", "3.11", "--implementation", "cp", *(f"--platform={name}" for name in PLATFORMS))
HEADS = {
    "sdists": "The newest sdists of well-known projects on {day}, of all kinds of build backends.",
    "wheels": "The newest wheels of well-known projects on {day}, for CPython 3.11 on Linux (x86_64) where compiled.",
}
ENTRY = re.compile(r"(?P<name>[\w.-]+)==\S+ --hash=sha256:[0-9a-f]{64}")
AT_ONCE = 4


def main(argv: Sequence[str] | None = None) -> int:
    """Fetch and judge the files; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.real_files", description="Look for false alarms.")
    parser.add_argument("--newest", action="store_true", help="take the newest files, and write the lists anew")
    parser.add_argument("folder", type=Path, help="where the files are, or go")
    args = parser.parse_args(argv)
    for kind in HEADS:
        fetch(kind, args.folder / kind, newest=args.newest)
        if args.newest:
            (LISTS / f"{kind}.txt").write_bytes(listed(kind, args.folder / kind).encode())
    judged = judge.judge_files([path for path in sorted(args.folder.glob("*/*")) if path.is_file()])
    found = [(path, problem) for path, problems in judged for problem in problems]
    alarms = [(path, problem) for path, problem in found if problem.severity == "error"]
    for path, problem in alarms:
        print(f"{path}: {problem.message} [{problem.rule}]")
    counts = Counter(problem.rule for _, problem in found)
    print(f"{len(judged)} files, {len(alarms)} errors; of all findings: {dict(counts)}")
    return int(bool(alarms))


def entries(kind: str) -> dict[str, str]:
    """Return the lines of one list, by project."""
    lines = (LISTS / f"{kind}.txt").read_text(encoding="utf-8").splitlines()
    return {found["name"]: line for line in lines if (found := ENTRY.fullmatch(line))}


def fetch(kind: str, folder: Path, *, newest: bool) -> None:
    """Download the files of one list, unless something is there. Raises CalledProcessError."""
    if folder.is_dir():
        return
    with ThreadPoolExecutor(AT_ONCE) as pool, tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch)
        for name, line in entries(kind).items():
            (wanted / name).write_text(name if newest else line, encoding="utf-8")
        list(pool.map(lambda path: fetch_one(kind, path, folder), sorted(wanted.iterdir())))


def fetch_one(kind: str, requirement: Path, folder: Path) -> None:
    """Download one file; what an sdist needs to tell its metadata may come as a wheel. Raises CalledProcessError."""
    form = ("--only-binary", ":all:", *TARGET) if kind == "wheels" else ("--no-binary", requirement.name)
    argv = (sys.executable, "-m", "pip", "download", "--quiet", "-d", str(folder), *form, "--no-deps")
    subprocess.run([*argv, "-r", str(requirement)], check=True)


def listed(kind: str, folder: Path) -> str:
    """Return the list of the files in `folder`: name, version and hash."""
    dists = sorted(Dist.from_file(path) for path in folder.iterdir())
    named = [(*parts(dist.filename)[:2], dist.sha256) for dist in dists]
    lines = [f"{name}=={version} --hash=sha256:{sha256}" for name, version, sha256 in named]
    day = dt.datetime.now(tz=dt.timezone.utc).date()
    return "\n".join([f"# {HEADS[kind].format(day=day)}", *lines, ""])


if __name__ == "__main__":
    sys.exit(main())
