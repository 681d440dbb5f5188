"""The project that the release sessions are to be put into, as it is: read, never run."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.adoption.refusals import AdoptedAlready, IsTemplate, NoTarget, NotClean, NoxfileUnread
from seatrial.building import git as source
from seatrial.building.git import NoCommit
from seatrial.machine import toml
from seatrial.project.settings import BrokenToml, NoProject, is_project

if TYPE_CHECKING:
    from pathlib import Path

ANSWERS = ".seatrial.yml"
FOLDERS = ("tasks", "release-tasks", "seatrial-tasks")  # no identifiers: setuptools' discovery passes over those
COMPILING = ("maturin", "mesonpy", "scikit_build_core")
MARK = "seatrial_tasks"  # in every copy's register.py
PUBLISHES = re.compile(
    r"gh-action-pypi-publish|twine upload|(?:uv|hatch|poetry|flit|pdm|maturin) publish|maturin upload|semantic-release"
)
ENVIRONMENT = re.compile(r"^ *environment:[ \t]*(?:#.*)?(?:\n *name:[ \t]*)?[\"']?([\w./-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Workflow:
    """A workflow of GitHub Actions that uploads to an index."""

    name: str
    text: str

    @property
    def environments(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(ENVIRONMENT.findall(self.text)))

    @property
    def trigger(self) -> str:
        return "release" if re.search(r"^\s+release:|on:.*\brelease\b", self.text, re.MULTILINE) else "tag"


@dataclass(frozen=True)
class Target:
    """What adopting has to know of a project. `sessions` are the names that its noxfile gives to nox.

    Among them is None where some are made when it runs: what they are is then not known.
    """

    root: Path
    git: bool
    nested: bool
    changed: tuple[str, ...]
    noxfile: str | None
    sessions: frozenset[str | None]
    pyproject: dict[str, Any]
    publishing: tuple[Workflow, ...]

    @property
    def compiled(self) -> bool:
        """Whether its wheels seem to be for one system each: PyPI takes none that an ordinary build makes on Linux."""
        backend = str(self.pyproject.get("build-system", {}).get("build-backend", ""))
        by_workflow = any("cibuildwheel" in workflow.text for workflow in self.publishing)
        by_setup = "ext_modules" in (self.text("setup.py") or "")
        return (
            backend.startswith(COMPILING) or by_workflow or by_setup or "cibuildwheel" in self.pyproject.get("tool", {})
        )

    @property
    def folder(self) -> str:
        """The first free name for the copy. ``tasks.py`` is invoke's, and a folder would hide it from Python."""
        return next(name for name in FOLDERS if not any((self.root / taken).exists() for taken in (name, f"{name}.py")))

    def text(self, name: str) -> str | None:
        """Return the text of the file `name`, with the line ends it has, None where there is none."""
        return read(self.root / name)


def look(root: Path) -> Target:
    """Return what is known of the project in `root`.

    Raises NoTarget, NoProject, IsTemplate, AdoptedAlready, NoxfileUnread, BrokenToml and what git has to say.
    """
    if not root.is_dir():
        raise NoTarget(root)
    if (root / "copier.yml").exists() and (root / "tasks" / "adoption").is_dir():
        raise IsTemplate(root)
    if not is_project(root):
        raise NoProject(root)
    if sign := _adopted(root):
        raise AdoptedAlready(root, sign)
    git = any((folder / ".git").exists() for folder in (root, *root.parents))
    nested, changed = _git_state(root) if git else (False, ())
    noxfile = read(root / "noxfile.py")
    return Target(
        root=root,
        git=git,
        nested=nested,
        changed=changed,
        noxfile=noxfile,
        sessions=frozenset(sessions_in(noxfile, root / "noxfile.py")) if noxfile else frozenset(),
        pyproject=_pyproject(root / "pyproject.toml"),
        publishing=tuple(publishing(root)),
    )


def stop_if_dirty(target: Target) -> None:
    """Raise NotClean where git has something that is not committed."""
    if target.changed:
        raise NotClean(target.root, target.changed)


def read(path: Path) -> str | None:
    """Return the text at `path` as it is, None where there is none. A byte that is no UTF-8 survives the round trip."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None


def _git_state(root: Path) -> tuple[bool, tuple[str, ...]]:
    try:
        found = source.look(root)
    except NoCommit:
        return False, ("(nothing is committed yet)",)
    return bool(found.inside), found.changed


def _adopted(root: Path) -> str:
    """Return the sign that `root` has the release sessions, empty for none."""
    if (root / ANSWERS).exists():
        return f"it has a {ANSWERS}"
    return next((f"its folder {name} is a copy of them" for name in copies_in(root)), "")


def copies_in(root: Path) -> list[str]:
    """Return the names of the folders in `root` that are copies of these sessions, whatever they are called."""
    return [path.parent.name for path in sorted(root.glob("*/register.py")) if MARK in (read(path) or "")]


def sessions_in(noxfile: str, path: Path) -> set[str | None]:
    """Return the names that `noxfile` gives to nox, None for those that are made when it runs. Raises NoxfileUnread."""
    try:
        tree = ast.parse(noxfile)
    except (SyntaxError, ValueError) as error:
        raise NoxfileUnread(path, str(error)) from None
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    marks = {mark: node.name for node in functions for mark in node.decorator_list if _is_session(mark)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "nox.session"]
    return {_name(mark, of_function) for mark, of_function in (dict.fromkeys(calls) | marks).items()}


def _is_session(mark: ast.expr) -> bool:
    named = ast.unparse(mark.func if isinstance(mark, ast.Call) else mark)
    return named.rpartition(".")[2] == "session"


def _name(mark: ast.expr, of_function: str | None) -> str | None:
    keywords = mark.keywords if isinstance(mark, ast.Call) else []
    given = [word.value for word in keywords if word.arg == "name"]
    if not given:
        return of_function
    return str(given[0].value) if isinstance(given[0], ast.Constant) else None


def _pyproject(path: Path) -> dict[str, Any]:
    text = read(path)
    try:
        return toml.parse(text) if text is not None else {}
    except ValueError as error:
        raise BrokenToml(path, str(error)) from None


def publishing(root: Path) -> list[Workflow]:
    """Return the workflows of GitHub Actions that upload to an index."""
    paths = sorted((root / ".github" / "workflows").glob("*.y*ml"))
    found = [Workflow(path.name, read(path) or "") for path in paths]
    return [workflow for workflow in found if PUBLISHES.search(workflow.text)]
