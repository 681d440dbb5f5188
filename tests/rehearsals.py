"""Rehearse real projects at a release and beside it: ``python -m tests.rehearsals FOLDER [NAME...] [--from MIRRORS]``.

The repositories that tests/real/repositories.txt names are cloned into FOLDER, from GitHub or from a folder of clones
(MIRRORS/OWNER+NAME/repo), each at its last release tag and at an ordinary commit: the third one after that tag, or
where there are not as many, the third one before it. An sdist comes from PyPI and is made a repository, with a tag and
a commit after it. `seatrial dryrun` runs on each. No test runs this, since it needs the network.

The whole output of each run stays in FOLDER, and while it is there that run is not done again. What came of all is
written to docs/explanation/rehearsals.md, unless only some are named.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import re
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.index.holdings import read_project
from seatrial.index.http import download
from seatrial.index.indexes import PYPI
from tests.projects import commit, git

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parents[1]
LIST = HERE / "tests" / "real" / "repositories.txt"
PAGE = HERE / "docs" / "explanation" / "rehearsals.md"
SDIST = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[^@]+)@(?P<sha256>\w+)")
LIMIT = 600  # seconds for one dry run
APART = 3  # commits between the tag and the ordinary commit
VERSION = re.compile(r"^(?:✓|ok|FAILED) +build +\S+ (?P<version>\S+) from", re.MULTILINE)
AS = re.compile(r"rehearsed as (?P<version>[^\s,]+)")
TELLING = (  # of the lines of a build: those that speak of the network, and other errors
    re.compile(r"^\|.*(Could not resolve|Name or service not known)"),
    re.compile(r"^\|(?! ERROR Backend).*(Error\b|ERROR\b|No module named)"),
)
ERRORS = "\nerrors:\n"  # stands in a log before what went to standard error
UNTRACKED = "don't track in version control"  # what setuptools-scm writes into its files
ENDED = "exit code {}"
HEAD = """\
# Real projects, rehearsed at their releases and between them

`seatrial dryrun`, nothing adopted and nothing configured, on {count} public projects, each at its last release tag and
at an ordinary commit: the third after that tag, or the third before it. They come from their repositories with history
and tags; one of which no repository could be had is the sdist on PyPI, committed and tagged, with a commit after the
tag. The list was committed before the first run over all of it, and what failed stays in. {passed} of {runs} runs
passed. What stopped the others is the first of the messages, each of which goes on with the cause and what to do.
One about a host or a submodule is about this machine, and where a wheel for linux_x86_64 cannot go up, the sdist was
rehearsed to the end. The rest is wrong with the content.

| project | backend | version | at | rehearsed as | outcome |
| --- | --- | --- | --- | --- | --- |
"""
FOOT = """
Python {python} on {platform}, a machine that reaches PyPI and no other host. This page is written by
`nox -s rehearsals -- FOLDER`.
"""


@dataclass(frozen=True)
class Project:
    """A repository on GitHub or an sdist on PyPI, its build backend, and what reads its version from git."""

    name: str
    backend: str
    version: str

    def clone(self, folder: Path, settings: Sequence[str]) -> Path:
        """Clone it with its tags into `folder`, unless it is there, and return where it is."""
        place = folder / self.name.partition("==")[0].replace("/", "+")
        if not place.exists():
            git(folder, *settings, "clone", "--quiet", self._source(folder), str(place))
        return place

    def _source(self, folder: Path) -> str:
        if not (pinned := SDIST.fullmatch(self.name)):
            return f"https://github.com/{self.name}"
        sdist = fetched(pinned["name"], pinned["sha256"], folder)
        root = repository(sdist, folder / "sdist", pinned["version"])
        for _ in range(APART):
            commit(root)
        return str(root)


@dataclass(frozen=True)
class Run:
    """One dry run: of which commit, as which release, and what stopped it (empty for nothing)."""

    project: Project
    at: str
    release: str
    trouble: str


def fetched(project: str, sha256: str, folder: Path) -> Path:
    """Return the sdist of `project` in `folder`, brought from PyPI if it is not there.

    Raises ValueError for other bytes.
    """
    (found,) = (file for file in read_project(PYPI, project).files if file.sha256 == sha256)
    path = folder / found.filename
    if not path.is_file():
        download(PYPI, found.url, path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        path.unlink()
        raise ValueError(path.name)
    return path


def repository(sdist: Path, folder: Path, tag: str) -> Path:
    """Unpack `sdist` into the new `folder` and commit it, as its maintainer has it; return its root."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    for path in (root / "PKG-INFO", *root.rglob("*.egg-info/*"), *root.rglob("*version*.py")):
        if path.is_file() and (path.suffix != ".py" or UNTRACKED in path.read_text(encoding="utf-8")):
            path.unlink()  # what a build has put there
    commit(root, tag)
    return root


def projects(names: Sequence[str]) -> list[Project]:
    """Return the listed projects, or those of them called `names`."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    listed = [Project(*line.split()) for line in lines if line and not line.startswith("#")]
    return [project for project in listed if not names or project.name in names]


def commits(clone: Path) -> Iterator[tuple[str, str]]:
    """Yield the last release tag, and an ordinary commit near it, each with what `git describe` calls it."""
    tag = git(clone, "describe", "--tags", "--abbrev=0", "origin/HEAD")
    yield tag, tag
    after = git(clone, "rev-list", "--reverse", "--first-parent", f"{tag}..origin/HEAD").split()
    ordinary = after[APART - 1] if len(after) >= APART else git(clone, "rev-parse", f"{tag}~{APART}")
    yield ordinary, git(clone, "describe", "--tags", ordinary)


def mirrored(mirrors: Path | None) -> list[str]:
    """Return the settings of git with which it clones from a folder of `mirrors` what is on GitHub."""
    places = sorted(mirrors.glob("*+*/repo")) if mirrors else []
    urls = [(place, f"https://github.com/{place.parent.name.replace('+', '/')}") for place in places]
    return [word for place, url in urls for end in ("", ".git") for word in ("-c", f"url.{place}.insteadOf={url}{end}")]


def rehearse(clone: Path, settings: Sequence[str], at: str, log: Path) -> None:
    """Run `seatrial dryrun` at the commit `at`, and keep what it says in `log`."""
    git(clone, "checkout", "--quiet", "--force", "--detach", at)
    git(clone, "clean", "-ffdxq")
    with contextlib.suppress(subprocess.CalledProcessError):  # the dry run says which are not to be had
        git(clone, *settings, "submodule", "--quiet", "update", "--init", "--recursive")
    argv = [sys.executable, "-I", "-m", "seatrial", "dryrun"]
    started = time.monotonic()
    try:
        done = subprocess.run(argv, cwd=clone, check=False, capture_output=True, text=True, timeout=LIMIT)
        output, errors, code = done.stdout, done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        output, errors, code = "", f"not ended within {LIMIT} seconds", 1
    log.write_text(f"{output}{ERRORS}{errors}\n{ENDED.format(code)}\n", encoding="utf-8")
    print(f"{log.stem}: {code} ({time.monotonic() - started:.0f} s)", flush=True)


def outcome(project: Project, at: str, output: str) -> Run:
    """Return what came of a run at the commit that is called `at`, by its output."""
    release = AS.search(output) or VERSION.search(output)
    passed = output.endswith(f"{ENDED.format(0)}\n")
    return Run(project, at, release["version"] if release else "-", "" if passed else trouble(output))


def trouble(output: str) -> str:
    """Return the line that says why a run failed, and where it ends in a colon what tells most of those below it."""
    outside, _, errors = output.partition(ERRORS)
    found = [line.strip() for line in outside.splitlines() if line.strip().startswith("error ")]
    first, *below = [line.strip() for line in errors.partition("\nUsual cause: ")[0].splitlines() if line.strip()]
    line = found[0].removeprefix("error ").strip().rpartition(" (")[0] if found else first
    if line.endswith(":"):
        told = next((told for sign in TELLING if (told := [one for one in below if sign.search(one)])), below)
        line += f" {told[-1].lstrip('| ')}"
    return re.sub(r"(?<![\w:/])/\S*/", "", line).replace("|", "\\|")


def page(runs: Sequence[Run]) -> str:
    """Return the page on `runs`."""
    passed = sum(not run.trouble for run in runs)
    rows = "".join(
        f"| {run.project.name.partition('@')[0]} | {run.project.backend} | {run.project.version} | `{run.at}`"
        f" | {run.release} | {run.trouble or 'passed'} |\n"
        for run in runs
    )
    python = "{}.{}.{}".format(*sys.version_info)
    head = HEAD.format(count=len({run.project.name for run in runs}), passed=passed, runs=len(runs))
    return head + rows + FOOT.format(python=python, platform=sys.platform)


def main() -> None:
    """Rehearse what the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.rehearsals", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("folder", type=Path, help="where the clones and the outputs go")
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of the list; the page is not written then")
    parser.add_argument("--from", dest="mirrors", type=Path, help="a folder of clones, asked in place of GitHub")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    runs, settings = [], mirrored(args.mirrors)
    for project in projects(args.names):
        clone = project.clone(args.folder.resolve(), settings)
        for place, (at, name) in enumerate(commits(clone)):
            log = args.folder / f"{clone.name}-{'tag' if place == 0 else 'between'}.log"
            if not log.exists():
                rehearse(clone, settings, at, log)
            runs.append(outcome(project, name, log.read_text(encoding="utf-8")))
    if not args.names:
        PAGE.write_text(page(runs), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
