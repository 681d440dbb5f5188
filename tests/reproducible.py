"""Write docs/explanation/reproducible.md: ``nox -s reproducible [-- BACKEND...]``.

Ten small projects, one for each kind of build backend, are built as `build` does it, then again with one thing changed
at a time. The page says what came out: the same bytes, or which members differ.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from seatrial.building import frontend
from seatrial.building import git as source
from seatrial.building.checkout import check_out
from seatrial.building.distributions import make
from seatrial.building.frontend import Job
from seatrial.building.isolation import NAME
from seatrial.cli.release import find_uv
from seatrial.machine import temporary as scratch_of
from seatrial.machine.errors import ReleaseError
from seatrial.machine.screen import Screen
from seatrial.project.settings import Settings
from seatrial.release.archives import Archive
from seatrial.release.comparison import compare, generator
from seatrial.release.stages import Dist
from tests.projects import commit, git, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MUCH = 1 << 28  # bytes of a member
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "reproducible.md"

PYPROJECT = """\
[build-system]
requires = [{requires}]
build-backend = "{backend}"

[project]
name = "demo"
version = "1.0"
description = "A project to build again"
requires-python = ">=3.9"

{settings}
"""
EXTENSION = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <assert.h>

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_c", __FILE__, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__c(void) { return PyModule_Create(&module); }
"""
CMAKE = """\
cmake_minimum_required(VERSION 3.15...3.30)
project(demo LANGUAGES C)
find_package(Python COMPONENTS Interpreter Development.Module REQUIRED)
Python_add_library(_c MODULE src/demo/_c.c WITH_SOABI)
install(TARGETS _c DESTINATION demo)
"""
MESON = """\
project('demo', 'c', version: '1.0')
py = import('python').find_installation(pure: false)
py.install_sources(['src/demo/__init__.py'], subdir: 'demo')
py.extension_module('_c', 'src/demo/_c.c', install: true, subdir: 'demo')
"""
CARGO = '[package]\nname = "demo"\nversion = "1.0.0"\nedition = "2021"\n'


@dataclass(frozen=True)
class Backend:
    """A build backend, and a project for it."""

    requires: str
    backend: str
    settings: str = ""
    files: tuple[tuple[str, str], ...] = ()

    def write(self, root: Path) -> Path:
        """Write the project into `root`, commit it and return `root`."""
        pyproject = PYPROJECT.format(requires=self.requires, backend=self.backend, settings=self.settings)
        files = {"pyproject.toml": pyproject, "README.md": "# demo\n", "src/demo/__init__.py": "x = 1\n"}
        write_tree(root, {**files, **dict(self.files)})
        commit(root)
        return root


C_FILE = ("src/demo/_c.c", EXTENSION)
EXT_MODULES = '[tool.setuptools]\next-modules = [{ name = "demo._c", sources = ["src/demo/_c.c"] }]\n'
BACKENDS: Mapping[str, Backend] = {
    "setuptools": Backend('"setuptools>=77"', "setuptools.build_meta"),
    "setuptools, C": Backend('"setuptools>=77"', "setuptools.build_meta", EXT_MODULES, (C_FILE,)),
    "hatchling": Backend('"hatchling"', "hatchling.build"),
    "flit-core": Backend('"flit_core>=3.12"', "flit_core.buildapi"),
    "poetry-core": Backend('"poetry-core>=2"', "poetry.core.masonry.api"),
    "pdm-backend": Backend('"pdm-backend"', "pdm.backend"),
    "uv_build": Backend('"uv_build"', "uv_build"),
    "scikit-build-core, C": Backend(
        '"scikit-build-core"', "scikit_build_core.build", files=(C_FILE, ("CMakeLists.txt", CMAKE))
    ),
    "meson-python, C": Backend('"meson-python"', "mesonpy", files=(C_FILE, ("meson.build", MESON))),
    "maturin, Rust": Backend(
        '"maturin>=1"',
        "maturin",
        '[tool.maturin]\nbindings = "bin"\n',
        (("Cargo.toml", CARGO), ("src/main.rs", "fn main() {}\n")),
    ),
}


@contextlib.contextmanager
def umask() -> Iterator[None]:
    """Let nobody else read what is written."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextlib.contextmanager
def zone() -> Iterator[None]:
    """Move to the other side of the world, with another hash seed."""
    before = dict(os.environ)
    os.environ.update({"TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7", "LC_ALL": "C"})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def temporary() -> Iterator[None]:
    """Keep temporary files elsewhere, as other machines do."""
    with tempfile.TemporaryDirectory(prefix="elsewhere-") as folder:
        before, tempfile.tempdir = tempfile.tempdir, folder
        try:
            yield
        finally:
            tempfile.tempdir = before


CHANGES: Mapping[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
    "later": contextlib.nullcontext,
    "other folder": contextlib.nullcontext,
    "umask 077": umask,
    "time zone, hash seed": zone,
    "other folder for temporary files": temporary,
}
RECORD = "lists the hashes of the others"
FOLDER = "contains the path of the folder that it was built in"
UNKNOWN = "differs for a reason that was not found"


@dataclass
class Row:
    """What came of one archive of one backend: what made it, a cell for each change, and why members differ."""

    made_by: str
    cells: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)

    def compare(self, first: Path, again: Path, place: Path) -> None:
        """Add the cell on a file that was built `again`, and what is seen of the reasons in the `first`."""
        found = reasons(first, again, place) if first.read_bytes() != again.read_bytes() else {}
        self.reasons |= found
        packed = "packed otherwise" if first.read_bytes() != again.read_bytes() else "same"
        self.cells.append(", ".join(f"`{name}`" for name in found) or packed)


def reasons(first: Path, again: Path, place: Path) -> dict[str, str]:
    """Return the members that differ, each with the reason as far as the `first` shows it; `place` it was built in."""
    found = sorted(difference.member for difference in compare(again, first).differences)
    archive = Archive.open(first)
    there = {member.name for member in archive.members}
    return {name: reason(name, archive.read(name, MUCH) if name in there else b"", place) for name in found}


def reason(name: str, content: bytes, place: Path) -> str:
    """Return why the member `name` differs from one build to the next."""
    if name.endswith(".dist-info/RECORD"):
        return RECORD
    spelt = {str(place), place.as_posix(), quote(place.as_posix())}
    return FOLDER if any(path.encode() in content for path in spelt) else UNKNOWN


def build(root: Path, out: Path) -> dict[str, Path]:
    """Build the project in `root` as the session does, and return the files by kind."""
    out.mkdir(parents=True)
    found = source.look(root)
    with scratch_of.folder("reproducible") as scratch:
        tree = check_out(found, scratch / "checkout", in_place=False)
        make(Job(Settings(), found.epoch, out, scratch, Screen(), find_uv()), tree, compare=False)
    return {Dist.from_file(path).kind: path for path in out.iterdir()}


def rows_of(name: str, place: Path) -> dict[str, Row]:
    """Return the rows of the archives of one backend: what made them, and for each change whether they are the same."""
    root = BACKENDS[name].write(place / "project")
    git(place, "clone", "--quiet", str(root), "clone")
    built_in = frontend.temporary() / NAME
    first = build(root, place / "first")
    print(name, flush=True)
    rows = {kind: Row(generator(first["wheel"])) for kind in ("sdist", "wheel")}
    for number, (change, context) in enumerate(CHANGES.items()):
        with context():
            again = build(place / "clone" if change == "other folder" else root, place / f"again-{number}")
        for kind, row in rows.items():
            row.compare(first[kind], again[kind], built_in)
            print(f"  {kind}, {change}: {row.cells[-1]}", flush=True)
    return rows


TEXT = """\
# Reproducible files

Whoever has the commit can build the files of a release again and get the same bytes, wherever they are. Then
nobody has to believe that what is on PyPI was made from the tag: `nox -s rebuild -- VERSION` says so.

`build` sees to it:

- **The source** is a clean checkout of the commit, with the rights that git gives files (umask 022).
- **The clock**: `SOURCE_DATE_EPOCH` is the time of the commit, `TZ` is UTC, `PYTHONHASHSEED` is 0.
- **The sdist** is rewritten where its archive contains the clock, a user or a umask (setuptools and pdm-backend do
  that), before the wheel is built from it. Its members do not change; `built.json` has one digest over all of
  them, equal before and after. `normalise = false` switches it off.
- **The wheel** is built in one folder, `seatrial-build` in the folder for temporary files, because compilers write the
  path of their sources into what they make. Where another user or another run has that folder, a new one is taken.

## Measured

Each project was built twice, the second time with one thing changed. `same` means the same bytes; otherwise the members
that differ are named, and the reason is what was found in them.
{system}; the compiler and the linker were the same both times.

{table}

{reasons}

## What it does not cover

Another version of Python, of a compiler or of zlib may write other bytes, and so may another version of the build
backend. `build` lists in `built.json` every distribution of both build environments, the Python, the platform, the
epoch and the variables of compilers; the sha256 of these distributions where pip installed them (uv does not tell).

## What rebuild compares

`seatrial rebuild VERSION` works in any clone that has the tag, in projects that never heard of seatrial too.
[Releases on PyPI](rebuilt.md) were built again with it.

**With what.** The build requirements are those that the index had when the release was uploaded (uv's
`--exclude-newer`, pip's `--uploaded-prior-to`). The main index alone is asked: `find-links` and further indexes of
this machine state no time, and are shut out. Where the index states no time, or pip is older than 26, it is the build
backend that the wheel's `Generator` names. `--as-of DATE` and `--today` choose another day; `--record FILE` repeats a
`built.json`, with its Python, epoch and flags, and so does the record of this project, if it is of that commit. A
release that is not out yet is compared with the `dist/` beside FILE: that is how a second build on another machine is
judged.

**The verdict** on each file is one word:

- `identical`: the same bytes.
- `equivalent`: the same members with the same contents, but for this list, which is closed: times, order, modes,
  owners and compression of the archive, the headers of its members, and folders as members; `Generator` and
  `Wheel-Version` in WHEEL; `Metadata-Version`, `Dynamic`, and order and spelling of fields in METADATA and PKG-INFO,
  compared as parsed fields; `License-File`, `Import-Name` and `Import-Namespace`, which repeat what the archive holds,
  where one of the two metadata versions has no such field yet; the order of the rows of RECORD, and those that follow
  from these; the order of the files that `SOURCES.txt` and `scm_file_list.json` list in an sdist.
- `different`: anything else, also a link that leads elsewhere, and a wheel that two programs would unpack
  differently. The members are named, code first, with the lines that differ: `-` is built here, `+` is served.

`equivalent` is a success, `different` is not. The release has the worst verdict of its files. Files that this machine
cannot build, such as wheels for other systems, are listed as not judged.

**What is tried.** First comes the usual way: the wheel from the sdist, `SOURCE_DATE_EPOCH` of the commit, an sdist
that holds the clock written anew. Where a file is not identical, what differs tells what may come nearer. This is
tried in turn, for at most a minute, and named; what came nearer is kept:

1. the build backend that the wheel names, unless a day was asked for;
2. the sdist as its backend made it;
3. no `SOURCE_DATE_EPOCH`, that of the tag, and that of the archive's own times, where the times differ;
4. the wheel of the checkout;
5. an empty `dist/` in the checkout, as `python -m build` makes it before it builds the sdist;
6. the umask that the modes come from;
7. the line ends of Windows, in the files that differ in these alone;
8. each other Python that is here, the newest of the time of the upload first. Pip can be told a day for 3.9 and later
   only.

Where nothing differs but the times, and these are of a clock, nothing is tried: no build gives them again. A build
that fails is tried with the wheel of the checkout, on the other Pythons and with the backend that the wheel names; if
all fail, the error says how each did.

**It runs foreign code**, in the same environment as `build`: no secret, no login, bounded time and output. The files
that an index serves are read as hostile input.

This page is written by `nox -s reproducible`.
"""


def page(backends: Mapping[str, Mapping[str, Row]]) -> str:
    """Return the text of the page."""
    lines = [
        f"| backend | archive | made by | {' | '.join(CHANGES)} |",
        f"| --- | --- | --- |{' --- |' * len(CHANGES)}",
    ]
    why = []
    for name, rows in backends.items():
        for kind, row in rows.items():
            lines.append(f"| {name} | {kind} | {row.made_by} | {' | '.join(row.cells)} |")
            why += [f"- {name}, {kind}: `{member}` {words}." for member, words in row.reasons.items()]
    told = "\n".join(["Where they differ:", "", *why]) if why else ""
    system = f"Python {platform.python_version()} on {platform.system()}"
    return TEXT.format(table="\n".join(lines), reasons=told, system=system)


def main(argv: Sequence[str] | None = None) -> int:
    """Build everything, write the page unless only some backends are named, and return the exit code."""
    names = list(sys.argv[1:] if argv is None else argv)
    rows: dict[str, dict[str, Row]] = {}
    failed = []
    for name in names or BACKENDS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                rows[name] = rows_of(name, Path(folder).resolve())
            except ReleaseError as error:
                print(f"{name}: {error}")
                failed.append(name)
    if names or failed:
        print(page(rows))
    else:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(rows), encoding="utf-8")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
