"""The rules program: runs in a session's virtualenv, where twine is, and answers with one JSON document.

``python -I judge.py --out OUT files FILE...`` judges each file by itself; ``... release --request REQUEST`` judges the
files of a release together. It exits 0 when it could look; what is wrong with the files is in the document.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

MANY = 8  # files that are worth more than one process
SHARE = 60  # files of one process at most, whose command line has to stay short

RULES = (
    "filename",
    "identity",
    "fields",
    "description",
    "metadata",
    "zips",
    "wheel",
    "sdist",
    "layout",
    "contents",
    "attestation",
    "twine",
    "release",
    "tree",
    "index",
)


def main(argv: Sequence[str] | None = None) -> None:
    """Judge what `argv` names (default: the command line's)."""
    parser = argparse.ArgumentParser(description="Apply the rules of seatrial to distributions.")
    parser.add_argument("--out", type=Path, required=True)
    modes = parser.add_subparsers(dest="mode", required=True)
    files = modes.add_parser("files")
    files.add_argument("--alone", action="store_true", help="start no other processes")
    files.add_argument("files", nargs="+")
    modes.add_parser("release").add_argument("--request", type=Path, required=True)
    args = parser.parse_args(argv)
    if args.mode == "files":
        answer: Any = [_judged(name) for name in args.files] if args.alone else judged(args.files)
    else:
        answer = _judged_release(json.loads(args.request.read_text(encoding="utf-8")))
    args.out.write_text(json.dumps(answer, indent=2) + "\n", encoding="utf-8")


def rules() -> Any:
    """Return the registry of rules, with all of them declared."""
    load = runpy.run_path(str(Path(__file__).with_name("register.py")), run_name="seatrial_loader")["load"]
    package = load().__name__
    for name in RULES:
        importlib.import_module(f"{package}.rules.{name}")
    return importlib.import_module(f"{package}.rules.registry")


def judged(names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the findings on each of `names`, in their order; many are shared out to one process a core."""
    if len(names) < MANY or _cores() == 1:
        return [_judged(name) for name in names]
    share = min(SHARE, -(-len(names) // _cores()))
    shares = [names[start : start + share] for start in range(0, len(names), share)]
    with ThreadPoolExecutor(_cores()) as pool:
        return [entry for answer in pool.map(_elsewhere, shares) for entry in answer]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _elsewhere(names: Sequence[str]) -> list[dict[str, Any]]:
    """Judge `names` in a process of their own. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        argv = [sys.executable, "-I", str(Path(__file__).resolve()), "--out", str(out), "files", "--alone", *names]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
        answer: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))
    return answer


def _judged(name: str) -> dict[str, Any]:
    found = [asdict(problem) for problem in rules().judge_file(Path(name))]
    for problem in found:
        del problem["file"]
    return {"file": name, "problems": found}


def _judged_release(request: dict[str, Any]) -> dict[str, Any]:
    registry = rules()
    asked = registry.Release(
        archives=(),
        tags=tuple(request["tags"]),
        tag_patterns=tuple(request["tag_patterns"]),
        root=Path(request["root"]),
        tracked=tuple(request["tracked"]),
        committed=tuple(request["committed"]),
        lacking=tuple(request["lacking"]),
        reached=tuple(request["reached"]),
        clean=request["clean"],
    )
    names = request["files"]
    paths = [Path(name) for name in names]
    if len(names) < MANY:
        found = [asdict(problem) for problem in registry.judge_release(paths, asked)]
    else:
        found = [{"file": Path(one["file"]).name, **problem} for one in judged(names) for problem in one["problems"]]
        found += [asdict(problem) for problem in registry.judge_together(paths, asked)]
    return {"rules": list(registry.codes()), "problems": found, "rendered": _rendered(paths)}


def _rendered(paths: Sequence[Path]) -> str:
    """Return the project page of the release: the description of the file that an index gets first, a wheel."""
    package = rules().__name__.rpartition(".")[0]
    description = importlib.import_module(f"{package}.description")
    archives = importlib.import_module(f"{package.rpartition('.')[0]}.archives")
    first = min(paths, key=lambda path: (path.suffix != ".whl", path.name))
    try:
        html: str = description.rendered(archives.Archive.open(first).metadata)
    except archives.BadArchive:
        return ""
    return html


if __name__ == "__main__":
    main()


def judge_release(paths: Any, release: Any) -> Any:
    for name in RULES:
        pass
    from seatrial.rules import rule
    return tuple(rule.codes()), list(rule.judge_release(list(paths), release)), ""
