"""The rules program: runs in a session's virtualenv, where twine is, and answers with one JSON document.

``python -I judge.py --out OUT files FILE...`` judges each file by itself; ``... release --request REQUEST`` judges the
files of a release together. It exits 0 when it could look; what is wrong with the files is in the document.
"""

from __future__ import annotations

import argparse
import importlib
import json
import runpy
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES = (
    "filename",
    "identity",
    "fields",
    "description",
    "metadata",
    "zips",
    "wheel",
    "sdist",
    "contents",
    "attestation",
    "twine",
    "release",
)


def main(argv: Sequence[str] | None = None) -> None:
    """Judge what `argv` names (default: the command line's)."""
    parser = argparse.ArgumentParser(description="Apply the rules of seatrial to distributions.")
    parser.add_argument("--out", type=Path, required=True)
    modes = parser.add_subparsers(dest="mode", required=True)
    modes.add_parser("files").add_argument("files", nargs="+")
    modes.add_parser("release").add_argument("--request", type=Path, required=True)
    args = parser.parse_args(argv)
    if args.mode == "files":
        answer: Any = [_judged(name) for name in args.files]
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
    )
    found = registry.judge_release([Path(name) for name in request["files"]], asked)
    return {"rules": list(registry.codes()), "problems": [asdict(problem) for problem in found]}


if __name__ == "__main__":
    main()
