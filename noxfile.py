"""Sessions of this repository. The release sessions (build, check, ...) come from tasks/, as in any project."""

from __future__ import annotations

import datetime as dt
import os
import runpy
from pathlib import Path

import nox

nox.needs_version = ">=2025.10.16"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "docs", "tests", "oldest_nox"]

PROJECT = nox.project.load_toml("pyproject.toml")
LOCKS = {
    "tasks/release.txt": ("pyproject.toml",),
    "tasks/nox.txt": ("--group", "nox"),
    "tasks/seatrial/requirements/attest.txt": ("pyproject.toml", "--extra", "attest"),
}
LOCKED_ON = Path("tasks/seatrial/requirements/locked-on")


def install_group(session: nox.Session, group: str) -> None:
    """Install a dependency group of pyproject.toml (PEP 735)."""
    session.install(*nox.project.dependency_groups(PROJECT, group))


def install_project(session: nox.Session, group: str) -> None:
    """Install the checkout with its dependencies, and a dependency group."""
    session.install("--editable", ".", *nox.project.dependency_groups(PROJECT, group))


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests on all cores: nox -s tests [-- pytest arguments].

    Branch coverage of the package is that of the unit tests: the others start it in processes of their own, and under
    measurement each start takes longer (see `tests/unit/conftest.py`).
    """
    install_project(session, "test")
    cores, spread = os.cpu_count() or 1, ("--dist", "worksteal", "--durations", "20")
    if session.posargs:
        session.run("python", "-m", "pytest", *session.posargs)
        return
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "-n", f"{cores + 1}", *spread, "tests/unit")
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", "--fail-under=95")
    # Programs that wait for one another leave a core idle.
    session.run("python", "-m", "pytest", "-n", f"{cores + 2}", *spread, "tests/integration", "tests/template")


@nox.session
def oldest_nox(session: nox.Session) -> None:
    """Test the copy on the oldest nox that it works with."""
    install_project(session, "test")
    session.install(f"nox=={str(nox.needs_version).removeprefix('>=')}")
    session.run("python", "-m", "pytest", "-n", "auto", "tests/integration/test_copy.py")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting of everything, noxfile and tests included."""
    install_group(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, strictly, of everything."""
    install_project(session, "types")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the pages into site/; a warning is an error, such as a link that leads nowhere."""
    install_group(session, "docs")
    # All of it anew: of a page that was not changed Sphinx would not repeat the warning.
    session.run("sphinx-build", "-q", "-E", "-n", "-W", "--keep-going", "-c", "docs", ".", "site")


@nox.session(default=False)
def reference(session: nox.Session) -> None:
    """Write what docs/reference/ takes from the code: the rules and the JSON Schemas of the record."""
    install_project(session, "test")
    session.run("python", "-m", "tests.reference", *session.posargs)


@nox.session(default=False)
def reproducible(session: nox.Session) -> None:
    """Build a project of each backend again and again, and write docs/explanation/reproducible.md."""
    install_project(session, "test")
    session.run("python", "-m", "tests.reproducible", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Time the dry run against the recipe typed by hand: nox -s bench [-- --runs N --only NAMES --out FILE]."""
    install_project(session, "test")
    session.run("python", "-m", "tests.bench", *session.posargs)


@nox.session(default=False)
def bench_check(session: nox.Session) -> None:
    """Measure what the rules cost: nox -s bench_check [-- --runs N --out FILE]."""
    install_project(session, "test")
    session.run("python", "-m", "tests.bench.checks", *session.posargs)


@nox.session(default=False)
def limits(session: nox.Session) -> None:
    """Say what has moved since the limits of the rules were read: in the libraries of the server, and in Python."""
    then, program = session.create_tmp(), str(Path("tasks").resolve())
    session.install("--upgrade", "packaging", "stdlib-list", "trove-classifiers")
    pinned = session.run("python", "-m", "tests.limits", "pins", silent=True, env={"PYTHONPATH": program})
    session.install("--upgrade", "--target", then, *str(pinned).split())
    before = {"PYTHONPATH": os.pathsep.join([then, program])}
    session.run("python", "-m", "tests.limits", "facts", "--out", f"{then}/facts.json", env=before)
    session.run("python", "-m", "tests.limits", "compare", f"{then}/facts.json", env={"PYTHONPATH": program})


@nox.session(default=False)
def rehearsals(session: nox.Session) -> None:
    """Rehearse real repositories at a tag and between tags, and write docs/explanation/rehearsals.md: -- FOLDER."""
    install_project(session, "test")
    session.run("python", "-m", "tests.rehearsals", *session.posargs)


@nox.session(default=False)
def rebuilds(session: nox.Session) -> None:
    """Build releases on PyPI again with uv and with pip, and write docs/explanation/rebuilt.md: -- FOLDER."""
    install_project(session, "test")
    session.run("python", "-m", "tests.rebuilds", *session.posargs)


@nox.session(default=False)
def adoptions(session: nox.Session) -> None:
    """Adopt real projects, compare before and after, and write docs/explanation/adoptions.md: -- --work FOLDER."""
    install_project(session, "adoptions")
    session.run("python", "-m", "tests.adoptions", *session.posargs)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Lock the tools of the release sessions anew, with hashes, for all Pythons and systems."""
    session.install("uv")
    oldest = PROJECT["project"]["requires-python"].removeprefix(">=")
    settings = ("--universal", "--python-version", oldest, "--generate-hashes", "--no-header", "--no-config")
    # Tools are installed as wheels alone: the build of an sdist would bring requirements that are not locked.
    wheels = ("--only-binary", ":all:")
    for path, sources in LOCKS.items():
        session.run("uv", "pip", "compile", "--quiet", "--upgrade", *settings, *wheels, *sources, "-o", path)
    LOCKED_ON.write_text(f"{dt.datetime.now(tz=dt.timezone.utc).date()}\n", encoding="utf-8", newline="\n")


# The two lines that a project needs, last, so that its own sessions keep their names.
runpy.run_path("tasks/release.py")
