"""Adopt real projects and write docs/explanation/adoptions.md: ``nox -s adoptions [-- --work FOLDER NAME...]``.

Each sdist that tests/real/adoptions.txt names is fetched by its hash and made a repository again. Its archives are
built and its own linters, type checker and tests are run before and after `adopt`, with the lines in place that `adopt`
offers; then the adopted project is committed and dry-run. No test runs this: it needs the network, and many minutes.
"""

from __future__ import annotations

import argparse
import configparser
import hashlib
import os
import platform
import re
import shutil
import sys
import tarfile
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit

from seatrial.adoption import target
from seatrial.adoption.offers import Offer, offers
from seatrial.index.holdings import read_project
from seatrial.index.http import download
from seatrial.index.indexes import PYPI
from seatrial.machine import process, toml
from seatrial.machine.process import ToolStuck
from seatrial.release.archives import Archive
from seatrial.steps import adopt
from tests.projects import commit, git

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

LIST = Path(__file__).with_name("real") / "adoptions.txt"
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "adoptions.md"
PIN = re.compile(r"^(\S+)==(\S+) --hash=sha256:([0-9a-f]{64})$", re.MULTILINE)
TOOLS = ("ruff", "mypy", "black", "flake8", "coverage", "pytest", "hypothesis")
TEST_EXTRAS = ("test", "tests", "testing")
LIMIT = 300  # seconds for one run of anything
SUITE_LIMIT = 60  # seconds; a test suite that takes longer is collected, not run
VARYING = re.compile(r"\b\d+(\.\d+)?m?s\b|0x[0-9a-f]+|\b[0-9a-f]{8}\b|\b\d+ (source )?files?\b|(?<=:)\d+(?=:)")
# A sum of findings that are told beside it, or what belongs to one of them.
SUMMED = re.compile(r"^(Found \d+ errors?\b|\[\*\] \d+ fixable|No fixes available)|: note: |tests? collected")


@dataclass(frozen=True)
class Pin:
    """One sdist on PyPI, by its bytes."""

    name: str
    version: str
    sha256: str

    def fetched(self, folder: Path) -> Path:
        """Return the file in `folder`, brought from PyPI where it is not there; its bytes are always compared."""
        (served,) = (file for file in read_project(PYPI, self.name).files if file.sha256 == self.sha256)
        path = folder / served.filename
        if not path.is_file():
            download(PYPI, served.url, path)
        if hashlib.sha256(path.read_bytes()).hexdigest() != self.sha256:
            raise SystemExit(f"{path} is not the file that was meant")
        return path


@dataclass(frozen=True)
class Checked:
    """What the project's own tools said, in a form that can be compared, and the tests that were run or collected."""

    said: Mapping[str, Counter[str]]
    tests: int
    ran: bool


@dataclass(frozen=True)
class Adopted:
    """One project, before and after."""

    pin: Pin
    traits: tuple[str, ...]
    offered: tuple[Offer, ...]
    before: Checked
    after: Checked
    members: tuple[str, ...]  # that one of the two states has alone
    dryrun: str

    @property
    def worse(self) -> tuple[str, ...]:
        """What the project's own tools say now and did not say before."""
        return tuple(
            f"{tool}: {line}"
            for tool, lines in self.after.said.items()
            for line in (lines - self.before.said.get(tool, Counter()))
        )

    @property
    def well(self) -> bool:
        return not self.worse and not self.members and self.dryrun == "passed"

    @property
    def row(self) -> str:
        """The line of the page's table."""
        tools = ", ".join(tool for tool in self.after.said if tool != "pytest")
        suite = f"{self.after.tests} {'run' if self.after.ran else 'collected'}" if self.after.tests else ""
        needed = ", ".join(dict.fromkeys(re.split(r"[ ,]", offer.reason)[0] for offer in self.offered))
        lints = "worse" if self.worse else "as before" if self.after.said else ""
        members = "differ" if self.members else "the same"
        cells = (self.pin.name, self.pin.version, ", ".join(self.traits), needed, tools, suite, lints, members)
        return f"| {' | '.join((*cells, self.dryrun))} |"


def main(argv: Sequence[str] | None = None) -> int:
    """Adopt the projects that `argv` names (default: all that this folder has no row of); return the exit code."""
    parser = argparse.ArgumentParser(prog="nox -s adoptions --", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="where sdists, projects and rows of the page are kept")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of the list (default: what is not done yet)")
    asked = parser.parse_args(argv)
    pins = [Pin(*found) for found in PIN.findall(LIST.read_text(encoding="utf-8"))]
    rows = {pin: asked.work / "rows" / f"{pin.sha256}.md" for pin in pins}
    for folder in ("sdists", "rows"):
        (asked.work / folder).mkdir(parents=True, exist_ok=True)
    well = True
    for pin in pins:
        if pin.name in asked.names if asked.names else not rows[pin].exists():
            done = adopted(pin, asked.work)
            well = well and done.well
            print(done.row, *done.worse, *done.members, sep="\n  ", flush=True)
            rows[pin].write_text(done.row + "\n", encoding="utf-8")
    PAGE.write_text(page([path.read_text("utf-8") for path in rows.values() if path.exists()]), "utf-8", newline="\n")
    return 0 if well else 1


def adopted(pin: Pin, work: Path) -> Adopted:
    """Take the project through all of it, in a folder of its own that is emptied first."""
    place = work.resolve() / pin.name
    shutil.rmtree(place, ignore_errors=True)
    root = repository(pin, place)
    found = target.look(root)
    python = environment(root, place / "venv")
    before, archives = checks(root, python, place), members(root, place / "before", compiled=found.compiled)
    said: list[str] = []
    adopt.adopt([str(root)], root, lambda _lock: Path(sys.executable), said.append)
    told = "\n".join(said)
    created = tuple(
        re.findall(r"^  (\S+)$", told.partition("to undo it before")[2].partition("next:")[0], re.MULTILINE)
    )
    folder = next(name for name in created if name in target.FOLDERS)
    lines = offers(found, folder, created)
    for offer in lines:
        take(offer, root)
    commit(root)
    git(root, "tag", "--force", pin.version)  # the release is of the adopted commit
    after = checks(root, python, place, before)
    dryrun = rehearsed(root, re.findall(r"nox -s (.+)$", told)[-1].split(), place)
    now = {name for path in sorted((place / "kept" / "dist").glob("*")) for name in names_in(path)}
    return Adopted(pin, tuple(traits(found, root)), lines, before, after, tuple(sorted(archives ^ now)), dryrun)


def repository(pin: Pin, place: Path) -> Path:
    """Unpack the sdist as its maintainer has it: committed, tagged, and without what a build wrote into it."""
    with tarfile.open(pin.fetched(place.parent / "sdists")) as archive:
        archive.extractall(place / "project", filter="data")
    (root,) = (place / "project").iterdir()
    for path in (root / "PKG-INFO", *root.rglob("*.egg-info")):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    commit(root, tag=pin.version)
    return root


def traits(found: target.Target, root: Path) -> Iterator[str]:
    """Yield what the project brings that adopting has to mind."""
    system = found.pyproject.get("build-system", {})
    yield str(system.get("build-backend", "setuptools")).partition(".")[0]
    names = {"noxfile.py": found.noxfile, "tasks.py": found.text("tasks.py")}
    yield from (f"its own {name}" for name, text in names.items() if text is not None and git_had(root, name))
    if git_had(root, "tasks"):
        yield "its own tasks/"
    if found.publishing:
        yield f"uploads from {found.publishing[0].name}"
    if not (root / "pyproject.toml").exists():
        yield "no pyproject.toml"
    if found.compiled:
        yield "compiled"


def git_had(root: Path, name: str) -> bool:
    """Whether the first commit, which is the project's own, has `name`."""
    return bool(git(root, "ls-tree", "--name-only", git(root, "rev-list", "--max-parents=0", "HEAD"), "--", name))


def environment(root: Path, place: Path) -> Path:
    """Install the project with what its tests ask for, and the tools; return the environment's Python."""
    run(("uv", "venv", "--quiet", "--python", sys.executable, str(place)), root)
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pyproject = root / "pyproject.toml"
    document = toml.parse(pyproject.read_text(encoding="utf-8")) if pyproject.exists() else {}
    groups = [name for name in TEST_EXTRAS if name in document.get("dependency-groups", {})]
    extras = [name for name in TEST_EXTRAS if name in document.get("project", {}).get("optional-dependencies", {})]
    install = ("uv", "pip", "install", "--quiet", "--no-cache-dir", "--python", str(python))
    run((*install[:-3], *install[-2:], *TOOLS), root)
    itself = f".[{','.join(extras)}]" if extras else "."
    run((*install, itself, *(word for name in groups for word in ("--group", name))), root)
    shutil.rmtree(root / "build", ignore_errors=True)
    git(root, "clean", "-fdxq")
    return python


def checks(root: Path, python: Path, place: Path, before: Checked | None = None) -> Checked:
    """Run the tools that the project has settings for, from its root as a person would, and its tests as `before`."""
    settings = target.read(root / "pyproject.toml") or ""
    inis = "".join(target.read(root / name) or "" for name in ("setup.cfg", "tox.ini", ".flake8", "mypy.ini"))
    commands = {
        "ruff": (
            re.search(r"^\[tool\.ruff", settings, re.MULTILINE),
            ("ruff", "check", "--no-cache", "--output-format=concise"),
        ),
        "mypy": (
            re.search(r"^\[(tool\.)?mypy", settings + inis, re.MULTILINE),
            ("mypy", "--no-pretty", "--no-error-summary", "--cache-dir", str(place / "mypy")),
        ),
        "black": (re.search(r"^\[tool\.black", settings, re.MULTILINE), ("black", "--check")),
        "flake8": (re.search(r"^\[flake8", inis, re.MULTILINE), ("flake8",)),
    }
    said = {}
    for tool, (configured, command) in commands.items():
        if configured:
            done = run((str(python), "-m", *command, "."), root)
            said[tool] = Counter([f"exit {done.code}", *lines_of(done.output)])
    limit = SUITE_LIMIT if before is None else LIMIT if before.ran else 0
    found = with_tests(root, python, place, said, limit)
    git(root, "clean", "-fdxq")
    return found


def with_tests(root: Path, python: Path, place: Path, said: dict[str, Counter[str]], limit: int) -> Checked:
    """Run the tests under coverage, or collect them where they take longer than `limit`; add what became of each."""
    if not any((root / name).is_dir() for name in ("tests", "test", "testing")):
        return Checked(said, 0, ran=False)
    report, data = place / "tests.xml", place / "coverage"
    pytest = ("pytest", "-q", "-p", "no:cacheprovider", "--continue-on-collection-errors", "--override-ini=addopts=")
    argv = (str(python), "-m", "coverage", "run", f"--data-file={data}", "-m", *pytest)
    report.unlink(missing_ok=True)
    ran = bool(limit) and run((*argv, f"--junit-xml={report}"), root, limit) is not STUCK and report.exists()
    if ran:
        cases = ET.parse(report).getroot().iter("testcase")  # noqa: S314 (written by pytest a moment ago)
        outcomes = [f"{case.get('classname')}::{case.get('name')}: {outcome(case)}" for case in cases]
        measured = run((str(python), "-m", "coverage", "report", f"--data-file={data}", "--format=markdown"), root)
        said["coverage"] = Counter(re.findall(r"^\| (\S+)", measured.output, re.MULTILINE))
    else:
        outcomes = lines_of(run((*argv, "--collect-only"), root).output)
    said["pytest"] = Counter(outcomes)
    return Checked(said, sum("::" in line for line in outcomes), ran=ran)


def outcome(case: ET.Element) -> str:
    return next((child.tag for child in case if child.tag in {"failure", "error", "skipped"}), "passed")


STUCK = process.Outcome(1, "(took too long)")


def run(argv: Sequence[str], root: Path, limit: int = LIMIT) -> process.Outcome:
    """Run `argv` in `root`; what takes too long is STUCK."""
    env = {name: value for name, value in os.environ.items() if name not in {"CI", "VIRTUAL_ENV", "PYTHONPATH"}}
    env |= {"PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1", "COLUMNS": "200"}
    try:
        return process.run(argv, env=env, cwd=root, time_limit=limit)
    except ToolStuck:
        return STUCK


def lines_of(output: str) -> list[str]:
    """Return the lines of what a tool said, without what differs from run to run."""
    lines = [line.strip() for line in output.splitlines()]
    return [VARYING.sub("N", line) for line in lines if line and not SUMMED.search(line)]


def members(root: Path, place: Path, *, compiled: bool) -> set[str]:
    """Build the archives as anybody would and return the names of all members, by kind of archive."""
    kinds = ("--sdist",) if compiled else ()
    done = run((sys.executable, "-m", "build", "--installer", "uv", "--outdir", str(place), *kinds), root)
    if done.code:
        raise SystemExit(f"{root.name} cannot be built as it is:\n{done.output}")
    git(root, "clean", "-fdxq")
    return {name for path in place.glob("*.*") for name in names_in(path)}


def names_in(path: Path) -> Iterable[str]:
    """Yield the members of an archive, without the folder that is named after the version."""
    kind = path.name.rpartition(".")[2]
    names = [member.name for member in Archive.open(path).members]
    return (f"{kind}: {re.sub(r'^[^/]+-[0-9][^/]*/', '', name) if kind == 'gz' else name}" for name in names)


def take(offer: Offer, root: Path) -> None:
    """Put the lines of `offer` where they belong; a list that is there gets one item more."""
    path = root / offer.file
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if path.suffix == ".toml":
        path.write_text(with_toml(text, offer), encoding="utf-8")
    elif offer.table:
        path.write_text(with_ini(text, offer), encoding="utf-8")
    elif offer.file.startswith(".pre-commit"):
        path.write_text("\n".join(offer.lines) + "\n" + text, encoding="utf-8")
    else:
        path.write_text(text + "".join(f"{line}\n" for line in offer.lines), encoding="utf-8")


def with_toml(text: str, offer: Offer) -> str:
    """Return `text` with the keys of `offer` set, or added to, in their table."""
    document = tomlkit.parse(text)
    place: Any = document
    for name in filter(None, offer.table.split(".")):
        if name not in place:
            return "\n".join([text.rstrip("\n"), "", f"[{offer.table}]", *offer.lines, ""])
        place = place[name]
    for line in offer.lines:
        key, _, value = line.partition(" = ")
        *outer, last = key.split(".")
        inner = place
        for name in outer:
            inner = inner.setdefault(name, tomlkit.table())
        new = tomlkit.parse(f"value = {value}")["value"]
        old = inner.get(last)
        inner[last] = new if old is None else joined(old, new)
    return tomlkit.dumps(document)


def joined(old: Any, new: Any) -> Any:
    """Return `old` with `new`: one list, or one regular expression."""
    if isinstance(old, str):
        return f"(?x)({old})|{new}" if isinstance(new, str) else [old, *new]
    return [*old, *([new] if isinstance(new, str) else new)]


def with_ini(text: str, offer: Offer) -> str:
    """Return `text` with the line of `offer` first in its section."""
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    key = offer.lines[0].partition(" = ")[0]
    if parser.has_option(offer.table, key):
        value = parser.get(offer.table, key).rstrip(",") + "," + offer.lines[0].partition(" = ")[2]
        start = re.search(rf"^{key}\s*=[^\n]*(\n[ \t]+[^\n]*)*", text, re.MULTILINE)
        assert start is not None
        return text[: start.start()] + f"{key} = " + ",".join(value.split()) + text[start.end() :]
    return text.replace(f"[{offer.table}]\n", f"[{offer.table}]\n" + "\n".join(offer.lines) + "\n", 1)


def rehearsed(root: Path, words: list[str], place: Path) -> str:
    """Run the dry run of the adopted project with nox, as it says itself; return how it ended."""
    name, *options = words
    argv = [shutil.which("nox") or "nox", "--envdir", str(place.parent / "nox"), "-s", name, "--", "--keep"]
    done = run([*argv, str(place / "kept"), *[word for word in options if word != "--"]], root)
    (place / "dryrun.log").write_text(done.output, encoding="utf-8")
    return "passed" if done.code == 0 else "took too long" if done is STUCK else "failed"


def page(rows: Sequence[str]) -> str:
    """Return the page, with the row of each project."""
    titles = ("project", "version", "what it brings", "lines taken", "its linters", "its tests", "they say")
    head = f"| {' | '.join((*titles, 'members of its archives', 'dry run'))} |"
    ruler = "|" + " --- |" * (len(titles) + 2)
    machine = f"Python {platform.python_version()} on {platform.system()}"
    return TEXT.format(count=len(rows), machine=machine, table=f"{head}\n{ruler}\n{''.join(rows)}".rstrip())


TEXT = """\
# Projects of others, adopted

What `adopt` may break is tried on {count} projects as they lie on PyPI, by hash (`tests/real/adoptions.txt`). Each is
unpacked, committed and tagged, as its maintainer has it. Its sdist and wheel are built, and the linters, the type
checker and the tests that it has settings for are run. Then `adopt` is run without a question, the lines that it offers
are put where they belong, and all of that is done again; the archives are those of a dry run of the adopted project.

"as before" means that no tool says anything that it did not say before, and that each test ended as it did before. A
test suite that takes longer than a minute is collected, not run. A compiled project is rehearsed with
`--sdist-only`: PyPI takes no wheel that an ordinary build makes on Linux. pre-commit is not run, since it fetches its
hooks from GitHub. {machine}.

{table}

`nox -s adoptions -- --work FOLDER` does it again and writes this page.
"""


if __name__ == "__main__":
    sys.exit(main())
