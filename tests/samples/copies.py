"""Projects with a copy of `tasks/release.py` and a small program in place of seatrial, and nox at work in them."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.projects import write_tree

RELEASE = Path(__file__).parents[2] / "tasks" / "release.py"
STEPS = ("build", "check", "testpypi", "verify", "pypi", "dryrun", "inspect", "status", "rebuild")
RUNNING = "{}.{}".format(*sys.version_info)
NOXFILE = 'import runpy\n\nrunpy.run_path("tasks/release.py")\n'
PYPROJECT = f'[project]\nname = "demo"\nversion = "1.0"\n[tool.seatrial]\npythons = ["{RUNNING}"]\n'
# What stands in for seatrial: it says how it was called, and can fail, wait or read its environment.
PROGRAM = """\
import json, os, sys

if sys.argv[1:] == ["--version"]:
    print("seatrial 0")
    raise SystemExit(0)
step, _, context, *words = sys.argv[1:]
call = dict(step=step, context=json.loads(context), words=words, env=dict(os.environ), prefix=sys.prefix)
with open("calls.jsonl", "a", encoding="utf-8") as file:
    file.write(json.dumps(call) + "\\n")
if "--preflight" in words and "TESTPYPI_TOKEN" not in os.environ:
    print("" if os.path.exists("release-record/rehearsed.json") else "upload")
if step == "check" and "--plant" in words:  # as what is tested could
    os.makedirs("release-record", exist_ok=True)
    for path in ("release-record/rehearsed.json", ".nox/testpypi/planted"):
        open(path, "w").close()
raise SystemExit("--fail" in words)
"""


@dataclass(frozen=True)
class Done:
    """What a nox said, what it ended with, and what the program was called with: for steps, and before the build."""

    code: int
    output: str
    calls: tuple[dict[str, Any], ...]
    preflights: tuple[dict[str, Any], ...]

    @property
    def steps(self) -> list[str]:
        return [call["step"] for call in self.calls]


def make(root: Path, files: dict[str, str] | None = None, *, wheel: bool = False) -> Path:
    """Write a project with the copy; the program is a checkout beside it, or a `wheel` that the lock names."""
    text = {"noxfile.py": NOXFILE, "pyproject.toml": PYPROJECT, "tasks/release.txt": "# nothing else\n"}
    if not wheel:
        text |= {"tasks/seatrial/__init__.py": "", "tasks/seatrial/__main__.py": PROGRAM}
    write_tree(root, text | {"tasks/release.py": RELEASE.read_text(encoding="utf-8")} | (files or {}))
    if wheel:
        lock(root, PROGRAM)
    return root


def lock(root: Path, program: str) -> None:
    """Write a wheel with `program` beside the lock, which names it."""
    wheel = root / "tasks" / "seatrial-0-py3-none-any.whl"
    metadata = "Metadata-Version: 2.1\nName: seatrial\nVersion: 0\n"
    files = {
        "seatrial/__init__.py": "",
        "seatrial/__main__.py": program,
        "seatrial-0.dist-info/METADATA": metadata,
        "seatrial-0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{name},sha256={digest(text)},{len(text.encode())}\n" for name, text in files.items()]
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, "seatrial-0.dist-info/RECORD": "".join(lines)}.items():
            archive.writestr(name, text)
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (root / "tasks" / "release.txt").write_text(f"./tasks/{wheel.name} --hash=sha256:{sha256}\n", encoding="utf-8")


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def argv(*words: str) -> list[str]:
    """Return the command that starts nox as its script does, which puts no current folder on the path."""
    return [sys.executable, "-c", "import sys; sys.path.remove(''); import nox; sys.exit(nox.main())", *words]


def environment(**variables: str | None) -> dict[str, str]:
    """Return the variables of this process without those that would change nox, and with `variables`."""
    kept = {name: value for name, value in os.environ.items() if not re.match(r"NOX|CI$|PYTHONSAFEPATH", name)}
    return {name: value for name, value in (kept | variables).items() if value is not None}


def nox(root: Path, *words: str, **variables: str | None) -> Done:
    """Run nox with `words` in the project `root`."""
    return nox_from(root, root, *words, **variables)


@functools.cache
def _knows(option: str) -> bool:
    """Whether the nox that is here has the `option`."""
    return option in subprocess.run(argv("--help"), capture_output=True, text=True, check=True).stdout


def nox_from(cwd: Path, root: Path, *words: str, **variables: str | None) -> Done:
    """Run nox with `words` in the project `root`, from the folder `cwd`; skip what the oldest nox cannot do."""
    if "--no-dependencies" in words and not _knows("--no-dependencies"):
        pytest.skip("this nox runs no session without those that it requires")
    calls = root / "calls.jsonl"
    calls.unlink(missing_ok=True)
    where = ("-f", str(root / "noxfile.py")) if cwd != root else ()
    done = subprocess.run(
        argv(*where, *words),
        cwd=cwd,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    lines = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
    found = [json.loads(line) for line in lines]
    steps = tuple(call for call in found if "--preflight" not in call["words"])
    return Done(done.returncode, done.stdout, steps, tuple(call for call in found if call not in steps))
