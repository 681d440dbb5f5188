"""Look for false alarms: the rules on files of real projects, which PyPI took. No test runs this; it needs the network.

``python -m tests.real_files FOLDER`` fetches the files that tests/real/*.txt name (by hash, with pip, which asks the
backends of the sdists for their metadata) into FOLDER, unless they are there, and judges them. Every error is a false
alarm to be understood; it exits 1 then.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tasks import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

LISTS = Path(__file__).with_name("real")
PLATFORMS = ("any", "manylinux2014_x86_64", "manylinux_2_28_x86_64", "manylinux_2_34_x86_64")
FLAGS = {
    "wheels": ("--only-binary", ":all:", "--python-version", "3.11", "--implementation", "cp"),
    "sdists": ("--no-binary", ":all:"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Fetch and judge the files; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.real_files", description="Look for false alarms.")
    parser.add_argument("folder", type=Path, help="where the files are, or go")
    folder = parser.parse_args(argv).folder
    for kind in FLAGS:
        fetch(kind, folder / kind)
    answer = judge.judged([str(path) for path in sorted(folder.glob("*/*")) if path.is_file()])
    alarms = [(entry["file"], found) for entry in answer for found in entry["problems"] if found["severity"] == "error"]
    for file, found in alarms:
        print(f"{file}: {found['message']} [{found['rule']}]")
    warnings = Counter(found["rule"] for entry in answer for found in entry["problems"])
    print(f"{len(answer)} files, {len(alarms)} errors; of all findings: {dict(warnings)}")
    return int(bool(alarms))


def fetch(kind: str, folder: Path) -> None:
    """Download the files of one list, unless something is there."""
    if folder.is_dir():
        return
    platforms = [word for name in PLATFORMS for word in ("--platform", name)] if kind == "wheels" else []
    flags = (*FLAGS[kind], *platforms, "--no-deps", "--require-hashes", "-r", str(LISTS / f"{kind}.txt"))
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "-d", str(folder), *flags], check=True)


if __name__ == "__main__":
    sys.exit(main())
