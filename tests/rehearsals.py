"""Rehearse real repositories between their releases: ``python -m tests.rehearsals FOLDER [NAME...] [--from MIRRORS]``.

The repositories that tests/real/repositories.txt names are cloned into FOLDER, from GitHub or from a folder of clones
(MIRRORS/OWNER+NAME/repo), each at its last release tag and at an ordinary commit: the third one after that tag, or
where there are not as many, the third one before it. `seatrial dryrun` runs on each. No test runs this, since it needs
the network.
What came of it is written to docs/explanation/rehearsals.md; the whole output of each run stays in FOLDER.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parents[1]
LIST = HERE / "tests" / "real" / "repositories.txt"
PAGE = HERE / "docs" / "explanation" / "rehearsals.md"
LIMIT = 600  # seconds for one dry run
APART = 3  # commits between the tag and the ordinary commit
VERSION = re.compile(r"^(?:✓|ok) +build +(?P<release>\S+ \S+) from", re.MULTILINE)
AS = re.compile(r"rehearsed as (?P<version>[^\s,]+)")
HEAD = """\
# Real repositories, rehearsed between their releases

`seatrial dryrun`, nothing adopted and nothing configured, on {count} public repositories with history and tags, each
at its last release tag and at an ordinary commit: the third after that tag, or the third before it. The list was
committed before the first run over all of it, and what failed stays in. {passed} of {runs} runs passed.

| repository | backend | version | at | rehearsed as | outcome |
| --- | --- | --- | --- | --- | --- |
"""
FOOT = """
Python {python} on {platform}. This page is written by `nox -s rehearsals -- FOLDER`.
"""


@dataclass(frozen=True)
class Repository:
    """A repository on GitHub, its build backend, and what reads its version from git."""

    name: str
    backend: str
    version: str

    def clone(self, folder: Path, mirrors: Path | None) -> Path:
        """Clone it with its tags into `folder`, and return where it is."""
        place = folder / self.name.replace("/", "+")
        if not place.exists():
            source = mirrors / place.name / "repo" if mirrors else f"https://github.com/{self.name}"
            git(folder, "clone", "--quiet", str(source), str(place))
        return place


@dataclass(frozen=True)
class Run:
    """One dry run: of which commit, as which release, and what stopped it (empty for nothing)."""

    repository: Repository
    at: str
    release: str
    trouble: str


def git(folder: Path, *words: str) -> str:
    """Run git in `folder` and return what it prints. Raises CalledProcessError."""
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def repositories(names: Sequence[str]) -> list[Repository]:
    """Return the listed repositories, or those of them called `names`."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    listed = [Repository(*line.split()) for line in lines if line and not line.startswith("#")]
    return [repository for repository in listed if not names or repository.name in names]


def commits(clone: Path) -> Iterator[tuple[str, str]]:
    """Yield the last release tag, and an ordinary commit near it, each with what `git describe` calls it."""
    tag = git(clone, "describe", "--tags", "--abbrev=0", "HEAD")
    yield tag, tag
    after = git(clone, "rev-list", "--reverse", "--first-parent", f"{tag}..HEAD").split()
    ordinary = after[APART - 1] if len(after) >= APART else git(clone, "rev-parse", f"{tag}~{APART}")
    yield ordinary, git(clone, "describe", "--tags", ordinary)


def rehearse(repository: Repository, clone: Path, commit: str, name: str, log: Path) -> Run:
    """Run `seatrial dryrun` at `commit` and return what came of it; its output goes to `log`."""
    git(clone, "checkout", "--quiet", "--force", "--detach", commit)
    git(clone, "clean", "-ffdxq")
    argv = [sys.executable, "-I", "-m", "seatrial", "dryrun"]
    started = time.monotonic()
    try:
        done = subprocess.run(argv, cwd=clone, check=False, capture_output=True, text=True, timeout=LIMIT)
        output, errors, code = done.stdout, done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        output, errors, code = "", f"not ended within {LIMIT} seconds", 1
    log.write_text(f"{output}\n{errors}", encoding="utf-8")
    print(f"{repository.name} {name}: {code} ({time.monotonic() - started:.0f} s)", flush=True)
    release = VERSION.search(output)
    as_if = AS.search(output)
    version = release["release"].rpartition(" ")[2] if release else ""
    return Run(repository, name, as_if["version"] if as_if else version, "" if code == 0 else _trouble(output, errors))


def _trouble(output: str, errors: str) -> str:
    """Return the first line that says why a run failed, and if it ends in a colon what tells most of those below it."""
    lines = [line.strip() for line in errors.strip().splitlines()] or ["no output"]
    found = [line.strip() for line in output.splitlines() if line.strip().startswith("error ")]
    line = (found or lines)[0]
    if line.endswith(":"):
        told = [one for one in lines if re.match(r"\| \S*Error\b", one)] or lines[1:2]
        line += f" {told[-1].lstrip('| ')}"
    return re.sub(r"/\S*/", "", line).replace("|", "\\|")


def page(runs: Sequence[Run]) -> str:
    """Return the page on `runs`."""
    names = {run.repository.name for run in runs}
    passed = sum(not run.trouble for run in runs)
    rows = "".join(
        f"| {run.repository.name} | {run.repository.backend} | {run.repository.version} | `{run.at}`"
        f" | {run.release or '-'} | {run.trouble or 'passed'} |\n"
        for run in runs
    )
    python = "{}.{}.{}".format(*sys.version_info)
    return (
        HEAD.format(count=len(names), passed=passed, runs=len(runs))
        + rows
        + FOOT.format(python=python, platform=sys.platform)
    )


def main() -> None:
    """Rehearse what the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.rehearsals", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("folder", type=Path, help="where the clones and the outputs go")
    parser.add_argument("names", nargs="*", metavar="NAME", help="owner/name of some; the page is not written then")
    parser.add_argument("--from", dest="mirrors", type=Path, help="a folder of clones, asked in place of GitHub")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    runs = []
    for repository in repositories(args.names):
        clone = repository.clone(args.folder.resolve(), args.mirrors)
        for place, (commit, name) in enumerate(commits(clone)):
            log = args.folder / f"{clone.name}-{'tag' if place == 0 else 'between'}.log"
            runs.append(rehearse(repository, clone, commit, name, log))
        shutil.rmtree(clone)
    if not args.names:
        PAGE.write_text(page(runs), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
