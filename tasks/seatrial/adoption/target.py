"""The project that the release sessions are to be put into, as it is: read, never run."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from seatrial.building import git
from seatrial.building.git import NoCommit
from seatrial.machine import disk, toml
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.project.settings import BrokenToml, NoProject, is_project, table
from seatrial.rules.repository import UPLOADERS
from seatrial.workspace import packages

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FOLDERS = ("tasks", "release-tasks", "seatrial-tasks")  # the others are no identifiers: setuptools passes over those
COMPILING = ("maturin", "mesonpy", "scikit_build_core")
PUBLISHES = re.compile(rf"{UPLOADERS.pattern}|semantic-release")
ENVIRONMENT = re.compile(r"^ *environment:[ \t]*(?:#.*)?(?:\n *name:[ \t]*)?[\"']?([\w./-]+)", re.MULTILINE)


class NoTarget(ReleaseError):
    folder: Path

    what = "{e.folder} is not a folder."
    cause = "a misspelt path, or the path of a file."
    cure = "name the folder that holds the project's pyproject.toml; nothing was written."


class IsTemplate(ReleaseError):
    folder: Path

    what = "{e.folder} is seatrial's own repository, which has its release sessions already."
    cause = "the PATH of the other project was left out."
    cure = "name the project to put them into: seatrial adopt PATH"


class NotClean(ReleaseError):
    folder: Path
    changed: tuple[str, ...]

    what = "{e.folder} has uncommitted changes:{e.changed:shortened}"
    cause = "work in progress. Afterwards nobody could tell it from what adopting changed."
    cure = "commit or `git stash` them, and run this again. `--dry-run` shows what would happen, as it is now."


class NoxfileUnread(ReleaseError):
    path: Path
    reason: str

    what = "{e.path} cannot be read as Python: {e.reason}"
    cause = "a syntax error, an encoding other than UTF-8, or code that a program wrote."
    cure = "correct the file; nothing was written."


class Ignored(ReleaseError):
    patterns: tuple[str, ...]

    what = "git ignores files that have to be committed (each with the pattern that ignores it):{e.patterns:listed}"
    cause = "a pattern of a .gitignore, of .git/info/exclude or of your own settings that is wider than intended."
    cure = "narrow the pattern, or add an exception like `!/tasks/seatrial-*.whl` below it; nothing was written."


class Workflow(Value):
    """A workflow of GitHub Actions that uploads to an index."""

    name: str
    text: str

    @property
    def environments(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(ENVIRONMENT.findall(self.text)))

    @property
    def trigger(self) -> str:
        return "release" if re.search(r"^\s+release:|on:.*\brelease\b", self.text, re.MULTILINE) else "tag"


class Target(Value):
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
        tools = table(self.pyproject, "tool")
        return (
            str(table(self.pyproject, "build-system").get("build-backend", "")).startswith(COMPILING)
            or any("cibuildwheel" in workflow.text for workflow in self.publishing)
            or "ext_modules" in (self.text("setup.py") or "")
            or "ext-modules" in table(tools, "setuptools")
            or "cibuildwheel" in tools
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

    Raises NoTarget, NoProject, IsTemplate, NoxfileUnread, NotOrdinary, BrokenToml and what git has to say.
    """
    if not root.is_dir():
        raise NoTarget(root)
    if (root / "tasks" / "seatrial" / "adoption").is_dir():
        raise IsTemplate(root)
    if not is_project(root):
        raise NoProject(root)
    in_git = any((folder / ".git").exists() for folder in (root, *root.parents))
    nested = False
    changed: tuple[str, ...] = ()
    if in_git:
        try:
            source = git.look(root)
            nested, changed = bool(source.inside), source.changed
        except NoCommit:
            changed = ("(nothing is committed yet)",)
    noxfile = read(root / "noxfile.py")
    sessions = sessions_in(noxfile, root / "noxfile.py") if noxfile else ()
    try:
        pyproject = toml.parse(read(root / "pyproject.toml") or "")
    except ValueError as error:
        raise BrokenToml(root / "pyproject.toml", str(error)) from None
    return Target(root, in_git, nested, changed, noxfile, frozenset(sessions), pyproject, tuple(publishing(root)))


def stop_if_dirty(target: Target) -> None:
    """Raise NotClean where git has something that is not committed."""
    if target.changed:
        raise NotClean(target.root, target.changed)


def read(path: Path) -> str | None:
    """Return the text at `path` as it is, None where there is none. A byte that is no UTF-8 survives the round trip.

    Raises OSError and NotOrdinary.
    """
    try:
        return disk.read(path).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None


def stop_if_ignored(target: Target, names: Iterable[str]) -> None:
    """Raise Ignored where git ignores one of the files `names` of the project."""
    if target.git:
        words = ("check-ignore", "--verbose", "--no-index", "--stdin")
        lines = git.run(target.root, *words, missing="", given="\n".join(names)).splitlines()
        matches = [line.partition("\t") for line in lines]
        if ignored := tuple(f"{name}: {pattern}" for pattern, _, name in matches if ":!" not in pattern):
            raise Ignored(ignored)


def outputs(target: Target) -> list[str]:
    """Return the lines for .gitignore that keep out what the sessions write, for each package of the project."""
    root = target.root.resolve()
    roots = sorted(package.root for package in packages.find(root).packages if root in package.root.parents)
    return [f"/{place.relative_to(root).as_posix()}/{name}/" for place in roots for name in ("dist", "release-record")]


def sessions_in(noxfile: str, path: Path) -> set[str | None]:
    """Return the names that `noxfile` gives to nox, None for those that are made when it runs. Raises NoxfileUnread."""
    try:
        return _sessions(ast.parse(noxfile))
    except (SyntaxError, ValueError) as error:
        raise NoxfileUnread(path, str(error)) from None
    except (RecursionError, MemoryError):
        raise NoxfileUnread(path, "it is nested too deeply") from None


def _sessions(tree: ast.Module) -> set[str | None]:
    names: dict[ast.expr, str | None] = {}  # by decorator, or call
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for mark in node.decorator_list:
                called = ast.unparse(mark.func if isinstance(mark, ast.Call) else mark)
                if called.rpartition(".")[2] == "session":
                    names[mark] = node.name
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "nox.session":
            names.setdefault(node)
    for mark in names:
        for word in mark.keywords if isinstance(mark, ast.Call) else ():
            if word.arg == "name":
                names[mark] = str(word.value.value) if isinstance(word.value, ast.Constant) else None
    return set(names.values())


def publishing(root: Path) -> list[Workflow]:
    """Return the workflows of GitHub Actions that upload to an index."""
    found = [Workflow(path.name, read(path) or "") for path in sorted((root / ".github" / "workflows").glob("*.y*ml"))]
    return [workflow for workflow in found if PUBLISHES.search(workflow.text)]
