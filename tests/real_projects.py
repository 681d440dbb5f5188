"""Rehearse real projects: ``python -m tests.real_projects FOLDER [NAME...]``. No test runs this; it needs the network.

The sdists that tests/real/projects.txt names are fetched from PyPI (by hash), unpacked into FOLDER, and made into git
repositories, with the version as a tag. `seatrial dryrun` is run on each, one after the other, by the command installed
from this working tree. What came of it is written to docs/explanation/real-projects.md, unless only some are named; the
whole output of each stays in FOLDER, and `--read` writes the page from that alone. uv takes part where it is on PATH.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name, parse_sdist_filename

from seatrial.index.holdings import read_project
from seatrial.index.http import download
from seatrial.index.indexes import PYPI
from seatrial.machine import process, toml
from seatrial.machine.process import ToolStuck
from tests.projects import commit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parents[1]
LIST = HERE / "tests" / "real" / "projects.txt"
PAGE = HERE / "docs" / "explanation" / "real-projects.md"
PINNED = re.compile(r"(?P<name>[\w.-]+)==(?P<version>\S+) --hash=sha256:(?P<sha256>\w+)")
LIMIT = 180.0  # seconds for one dry run, unless an option says more
BACKENDS = {  # by the module that `build-backend` names
    "flit_core": "flit-core",
    "hatchling": "hatchling",
    "maturin": "maturin",
    "mesonpy": "meson-python",
    "pbr": "pbr",
    "pdm": "pdm-backend",
    "poetry": "poetry-core",
    "scikit_build_core": "scikit-build-core",
    "setuptools": "setuptools",
    "uv_build": "uv_build",
}
# The line of an error below its step, with the files that have it at the end.
ERROR = re.compile(r"^ +error +(?P<code>[a-z-]+): (?P<message>.+?)(?: \([^()]*\.(?:whl|gz)\))?$", re.MULTILINE)
FOLDERS = re.compile(r"(?<![\w:/])/\S+/")  # of this machine
PLUGINS = re.compile(r"(hatch-vcs|setuptools[-_]scm|versioneer)", re.IGNORECASE)


@dataclass(frozen=True)
class Real:
    """A project on PyPI, in the version and the bytes that are meant."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Outcome:
    """What came of a dry run; `said` is what stopped it."""

    real: Real
    backend: str
    passed: bool
    said: str = ""


def listed() -> list[Real]:
    """Return the projects of the list."""
    return [Real(**found.groupdict()) for found in PINNED.finditer(LIST.read_text(encoding="utf-8"))]


def fetched(real: Real, folder: Path) -> Path:
    """Return the sdist of `real` in `folder`, brought from PyPI if it is not there.

    Raises ValueError for other bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (found,) = (file for file in read_project(PYPI, real.name).files if file.sha256 == real.sha256)
    path = folder / found.filename
    if not path.is_file():
        download(PYPI, found.url, path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != real.sha256:
        path.unlink()
        raise ValueError(path.name)
    return path


def repository(sdist: Path, folder: Path, tag: str | None = None) -> Path:
    """Unpack `sdist` into the new `folder` and commit it, as its maintainer has it; return its root."""
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    (root / "PKG-INFO").unlink(missing_ok=True)  # the one file that the build has put there
    commit(root, tag)
    return root


def backend_of(root: Path) -> str:
    """Return the name of the build backend, and of the plugin that reads the version from git."""
    path = root / "pyproject.toml"
    document = toml.parse(path.read_text(encoding="utf-8")) if path.exists() else {}
    if "build-system" not in document:
        return "setuptools (no `[build-system]`)"
    system = document["build-system"]
    module = re.split("[.:]", system.get("build-backend", "setuptools"))[0]
    plugin = PLUGINS.search(" ".join(system.get("requires", ())))
    name = BACKENDS.get(module, module.replace("_", "-"))
    own = " (its own)" if system.get("backend-path") else ""
    return f"{name}{own}" + (f", {plugin[1].replace('_', '-').lower()}" if plugin else "")


def rehearse(real: Real, command: Path, folder: Path, limit: float) -> None:
    """Run the dry run of `real`, and keep what it says in `folder`."""
    sdist = fetched(real, folder / "sdists")
    root = repository(sdist, folder / "unpacked" / real.name, f"v{parse_sdist_filename(sdist.name)[1]}")
    argv = ("nice", str(command), "dryrun") if os.name != "nt" else (str(command), "dryrun")
    try:
        ended = process.run(argv, env=dict(os.environ), cwd=root, time_limit=limit)
        output = f"{ended.output}\nexit code {ended.code}\n"
    except ToolStuck as stuck:
        output = f"{stuck.output}\nended after {limit:.0f} seconds\n"
    (folder / f"{real.name}.log").write_text(output, encoding="utf-8")


def outcome(real: Real, folder: Path) -> Outcome:
    """Return what came of the dry run of `real`, by what is kept of it in `folder`."""
    (root,) = (folder / "unpacked" / real.name).iterdir()
    output = (folder / f"{real.name}.log").read_text(encoding="utf-8")
    passed = output.endswith("\nexit code 0\n")
    return Outcome(real, backend_of(root), passed, "" if passed else said(output))


def said(output: str) -> str:
    """Return the first sentence of what stopped a dry run, with the code of the rule or the words of the program."""
    output = output.rpartition("\nexit code ")[0] or output
    if found := ERROR.search(output):
        return f"{found['message']} (`{found['code']}`)"
    stopped = re.search(r"^(.+)\n(?:.*\n)*?Usual cause: ", output, re.MULTILINE)
    if stopped is None:
        return output.strip().splitlines()[-1]
    words = re.search(r"^  \| (.*(?:error: |ERROR: |No module named ).*)$", output[stopped.start() :], re.MULTILINE)
    return f"{stopped[1]} {FOLDERS.sub('', words[1])}" if words else stopped[1]


def installed(folder: Path) -> Path:
    """Install this working tree into an environment below `folder`, as anyone would, and return its command."""
    place = folder / "command"
    scripts = place / ("Scripts" if os.name == "nt" else "bin")
    venv.create(place, with_pip=True, clear=True)
    pip = (scripts / "python", "-I", "-m", "pip", "--quiet", "--disable-pip-version-check", "install", str(HERE))
    subprocess.run(pip, check=True)
    return scripts / ("seatrial.exe" if os.name == "nt" else "seatrial")


TEXT = """\
# Real projects, rehearsed

The sdists of {count} projects as they lay on PyPI on the day that `tests/real/projects.txt` names, unpacked, committed,
tagged with their version and rehearsed with `seatrial dryrun`: nothing was copied into them, and nothing taken out but
PKG-INFO, which a build writes. {passed} passed. What stopped the others is what the table says; it is the first of the
messages, each of which goes on with the cause and what to do.

An sdist is not quite a repository: what its maintainers left out of it was not there, and what their own build had put
into it was committed unless its `.gitignore` names it. The machine reached neither
GitHub nor crates.io, and on its way to PyPI not every newest release.

{table}

Python {python} on {platform}. This page is written by `python -m tests.real_projects FOLDER`.
"""


def page(outcomes: Sequence[Outcome]) -> str:
    """Return the text of the page."""
    lines = ["| project | version | build backend | outcome |", "| --- | --- | --- | --- |"]
    for one in outcomes:
        words = "passed" if one.passed else f"stopped: {one.said}".replace("|", "\\|")
        lines.append(f"| {one.real.name} | {one.real.version} | {one.backend} | {words} |")
    facts: Mapping[str, object] = {
        "count": len(outcomes),
        "passed": sum(one.passed for one in outcomes),
        "table": "\n".join(lines),
        "python": "{}.{}.{}".format(*sys.version_info),
        "platform": sys.platform,
    }
    return TEXT.format(**facts)


def main(argv: Sequence[str] | None = None) -> int:
    """Rehearse them and write the page; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.real_projects", description="Rehearse real projects.")
    parser.add_argument("folder", type=Path, help="where everything goes")
    parser.add_argument("names", nargs="*", help="only these")
    parser.add_argument("--limit", type=float, default=LIMIT, metavar="SECONDS", help="for each dry run")
    parser.add_argument("--read", action="store_true", help="run nothing, read what is there")
    args = parser.parse_args(argv)
    folder = args.folder.resolve()
    names = {canonicalize_name(name) for name in args.names}
    command = None if args.read else installed(folder)
    outcomes = []
    for real in listed():
        if not names or real.name in names:
            if command:
                rehearse(real, command, folder, args.limit)
            outcomes.append(outcome(real, folder))
            print(f"{real.name} {real.version} ({outcomes[-1].backend}): {outcomes[-1].said or 'passed'}", flush=True)
    if not names:
        PAGE.write_text(page(outcomes), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
