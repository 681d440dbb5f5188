"""The packages of one repository: which there are, what each is called, and in which order they need each other.

Read from the files as they are, without building anything. Workspaces of uv and hatch are recognised; without
one, `packages` in [tool.seatrial] names the folders.
"""

from __future__ import annotations

import configparser
import graphlib
import os
import re
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from seatrial.machine.errors import ReleaseError, listing
from seatrial.machine.values import Value
from seatrial.project.settings import Settings, document, is_project, listed, load, setup_py, table
from seatrial.project.validation import BadConfig, UnknownSetting
from seatrial.release.filenames import parsed_requirement
from seatrial.report.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


NAME = re.compile(r"[A-Z0-9]([A-Z0-9._-]*[A-Z0-9])?", re.ASCII | re.IGNORECASE)  # of a project (PEP 508)
WITHOUT_EXTRA = ""
PRIVATE = "private ::"  # how classifiers begin that no index for everybody takes


class NoSuchPackage(ReleaseError):
    word: str
    root: Path
    known: tuple[str, ...]

    what = "There is no package `{e.word}` in {e.root}.{e.shown}"
    cause = "a misspelt name, or a package that is not part of the workspace."
    cure = "give the name of a package or its folder; `packages` in [tool.seatrial] says where packages are."

    @property
    def shown(self) -> str:
        return f" There are:{listing(self.known)}" if self.known else ""


class TwoPackages(ReleaseError):
    name: str
    folders: tuple[str, ...]

    what = "More than one package of this repository is called {e.name}:{e.folders:listed}"
    cause = "a copy, an example or a test project that the patterns of the workspace match as well."
    cure = "rename one, or leave it out: `packages` in [tool.seatrial] of the repository names those to release."


class NotOnePackage(ReleaseError):
    root: Path
    names: tuple[str, ...]
    step: str

    what = "{e.root} is the root of {e.count}, and no package itself: {e.names:joined}"
    cause = "there is neither [project] nor [build-system] in its pyproject.toml: it only says where packages are."
    cure = "add `--all` or `--package NAME`: `{e.whole:command}`. Nothing was built."

    @property
    def count(self) -> str:
        return plural(len(self.names), "package")

    @property
    def whole(self) -> str:
        return f"{self.step} --all"


class PackageCycle(ReleaseError):
    names: tuple[str, ...]

    what = "These packages need each other, so none can be released before the other: {e.shown}"
    cause = "`release-with` (or a dependency) that leads back to where it began."
    cure = "take one of them out: a package that another one only mentions in an extra need not be released with it."

    @property
    def shown(self) -> str:
        return " -> ".join(self.names)


class Package(Value):
    """A package by its normalised name and its folder; `needs` are the folders of those that come before it."""

    name: str
    root: Path
    needs: tuple[Path, ...] = field(default=())


class Repository(Value):
    """The packages below the folder `root`; `left_out` are members of its workspace that are not for release."""

    root: Path
    packages: tuple[Package, ...]
    left_out: tuple[str, ...] = ()

    def package(self, word: str, start: Path) -> Package:
        """Return the package `word`, else that in the folder `word` of `start` or the root. Raises NoSuchPackage."""
        by_name = {package.name: package for package in self.packages}
        if found := by_name.get(canonicalize_name(word)):
            return found
        by_root = {package.root: package for package in self.packages}
        for folder in (base / word for base in (start, self.root)):
            if is_project(folder):
                return by_root.get(folder.resolve()) or alone(folder)
        raise NoSuchPackage(word, self.root, tuple(package.name for package in self.packages))

    def ordered(self) -> tuple[Package, ...]:
        """Return the packages, each after those it needs. Raises PackageCycle."""
        by_root = {package.root: package for package in self.packages}
        try:
            order = graphlib.TopologicalSorter({one.root: one.needs for one in self.packages}).static_order()
            return tuple(by_root[root] for root in order if root in by_root)
        except graphlib.CycleError as error:
            raise PackageCycle(tuple(by_root[root].name for root in reversed(error.args[1]))) from None


def find(root: Path) -> Repository:
    """Return the packages of the repository in `root` and their needs. Raises TwoPackages, BrokenToml and BadConfig."""
    root = root.resolve()
    private = {folder: _private(folder) for folder in _members(root)}
    left_out = (f"{relative(folder, root)} ({why})" for folder, why in private.items() if why)
    names = {folder: name_of(folder) for folder in _with_siblings(one for one, why in private.items() if not why)}
    members = sorted(names)
    stop_if_two({folder: names[folder] for folder in members})
    found = []
    for folder in members:
        wanted = _dependencies(document(folder / "pyproject.toml"), settings(folder).extras)
        needs = [other for other, name in names.items() if name in wanted and other != folder]
        found.append(Package(names[folder], folder, tuple(dict.fromkeys([*siblings(folder), *needs]))))
    return Repository(root, tuple(found), tuple(sorted(left_out)))


def below(root: Path) -> tuple[str, ...]:
    """Return the packages that `root` is the root of, none where it is a package itself."""
    said = document(root / "pyproject.toml")
    if "project" in said or "poetry" in table(said, "tool") or _is_built(root, said) or not _members(root):
        return ()
    return tuple(package.name for package in find(root).packages)


def stop_if_above(root: Path, step: str) -> None:
    """Raise NotOnePackage where `step` would build what is only the root of packages, as an empty `unknown 0.0.0`."""
    if names := below(root):
        raise NotOnePackage(root, names, step)


def together(folder: Path, release_with: Sequence[str]) -> Repository:
    """Return the package in `folder` and those that it is released together with: `release_with`, and what they name.

    Raises TwoPackages, BrokenToml and BadConfig.
    """
    folder = folder.resolve()
    own = _found(folder, release_with)
    others = [member for member in _with_siblings(own) if member != folder]
    stop_if_two({member: name_of(member) for member in sorted({folder, *others})})
    return Repository(folder, (Package(name_of(folder), folder, own), *map(alone, others)))


def alone(folder: Path) -> Package:
    """Return the package in `folder`, with the siblings that its settings name."""
    folder = folder.resolve()
    return Package(name_of(folder), folder, siblings(folder))


def _with_siblings(folders: Iterable[Path]) -> list[Path]:
    """Return `folders` and all those that are released together with one of them."""
    found = list(dict.fromkeys(folders))
    for folder in found:  # which grows meanwhile
        found += [sibling for sibling in siblings(folder) if sibling not in found]
    return found


def settings(folder: Path) -> Settings:
    """Return the settings of one of several packages, as `load` does; what is wrong with them names the folder."""
    try:
        return load(folder)
    except (BadConfig, UnknownSetting) as error:
        error.folder = str(folder)
        raise


def siblings(folder: Path) -> tuple[Path, ...]:
    """Return what `release-with` names in `folder`. Raises BrokenToml, and BadConfig for what is no other package."""
    return _found(folder, settings(folder).release_with)


def _found(folder: Path, release_with: Sequence[str]) -> tuple[Path, ...]:
    found = []
    for word in release_with:
        sibling = folder / word
        if not is_project(sibling) or sibling.resolve() == folder:
            raise BadConfig("release-with", "folders of other packages, seen from there", word, str(folder))
        found.append(sibling.resolve())
    return tuple(dict.fromkeys(found))


def relative(folder: Path, start: Path) -> str:
    """Return the way from the folder `start` to `folder`, with forward slashes; there may be none between drives."""
    try:
        return Path(os.path.relpath(folder.resolve(), start.resolve())).as_posix()
    except ValueError:
        return folder.as_posix()


def name_of(folder: Path) -> str:
    """Return the normalised name of the package in `folder`: where it is written down, else the folder's own.

    What is no name of a project counts for none, since folders are called so too.
    """
    said, parser = document(folder / "pyproject.toml"), configparser.RawConfigParser()
    try:
        parser.read([path for path in (folder / "setup.cfg",) if path.is_file()], encoding="utf-8")  # a pipe is none
    except (configparser.Error, UnicodeDecodeError):
        parser = configparser.RawConfigParser()  # the build says what is wrong with it
    setup_cfg = parser["metadata"] if parser.has_section("metadata") else {}
    tables = (table(said, "project"), table(said, "tool", "poetry"), setup_cfg, setup_py(folder))
    names = (one["name"] for one in tables if isinstance(one.get("name"), str))
    return canonicalize_name(next(filter(NAME.fullmatch, names), folder.name))


def _members(root: Path) -> list[Path]:
    """Return the folders of the packages: those that `packages` names, else the members of a workspace."""
    found: list[Path] = []
    for pattern in settings(root).packages if is_project(root) or (root / "seatrial.toml").exists() else ():
        folders = _matching(root, pattern)
        if not folders:
            raise BadConfig("packages", "patterns of folders with a project in them", pattern, str(root))
        found += folders
    if found:
        return found
    said = document(root / "pyproject.toml")
    workspaces = [table(said, "tool", "uv", "workspace")]
    # Of hatch: `workspace` in an environment, in pyproject.toml or in hatch.toml.
    for envs in (table(said, "tool", "hatch", "envs"), table(document(root / "hatch.toml"), "envs")):
        workspaces += [table(envs, name, "workspace") for name in envs]
    for one in workspaces:
        excluded = {folder for pattern in listed(one, "exclude") for folder in _matching(root, pattern)}
        matching = (folder for pattern in listed(one, "members") for folder in _matching(root, pattern))
        found += [folder for folder in matching if folder not in excluded]
    if found and "project" in said:
        found.append(root)
    return list(dict.fromkeys(found))


def _matching(root: Path, member: Any) -> list[Path]:
    """Return the folders of projects below `root` that match the pattern of a `member`, none where it is no pattern.

    A hidden one (`.venv`, `.nox`) has to be named, and so has what is in it. Hatch lets a member be a table with
    features beside the path.
    """
    pattern = str(member.get("path", "") if isinstance(member, dict) else member).rstrip("/").removeprefix("./")
    try:
        found = sorted(filter(is_project, [root] if pattern == "." else root.glob(pattern)))
    except (ValueError, NotImplementedError):
        return []
    named = Path(pattern).parts
    parts = {path: path.relative_to(root).parts for path in found}
    return [path.resolve() for path in found if all(part in named for part in parts[path] if part.startswith("."))]


def _private(folder: Path) -> str:
    """Return why the package in `folder` is not for release, empty if it is."""
    said = document(folder / "pyproject.toml")
    if table(said, "tool", "uv").get("package") is False:
        return "tool.uv.package = false"
    if not _is_built(folder, said):
        return "no [build-system]"
    classifiers = listed(table(said, "project"), "classifiers")
    return next((str(one) for one in classifiers if str(one).lower().startswith(PRIVATE)), "")


def _is_built(folder: Path, said: Mapping[str, Any]) -> bool:
    return "build-system" in said or any((folder / name).exists() for name in ("setup.py", "setup.cfg"))


def stop_if_two(names: Mapping[Path, str]) -> None:
    """Raise TwoPackages where two of the folders have one name, with the folders in the order of `names`."""
    for name in sorted(set(names.values())):
        folders = tuple(str(folder) for folder, own in names.items() if own == name)
        if len(folders) > 1:
            raise TwoPackages(name, folders)


def _dependencies(said: Mapping[str, Any], extras: Sequence[str]) -> set[str]:
    """Return the normalised names of what a package depends on, with its `extras`, as far as that is written down.

    A requirement on the package itself (``demo[all]`` asking for ``demo[test]``) stands for its extras.
    """
    project = table(said, "project")
    own = canonicalize_name(str(project.get("name", "")))
    optional = table(project, "optional-dependencies")
    lines: dict[str, list[Any]] = {canonicalize_name(extra): listed(optional, extra) for extra in optional}
    lines[WITHOUT_EXTRA] = listed(project, "dependencies")
    chosen, found = [WITHOUT_EXTRA, *(str(canonicalize_name(extra)) for extra in extras)], set[str]()
    for extra in chosen:  # which grows meanwhile
        for line in lines.get(extra, []):
            if needed := parsed_requirement(str(line)):
                found.add(name := canonicalize_name(needed.name))
                if name == own:
                    chosen += {canonicalize_name(inner) for inner in needed.extras} - {*chosen}
    return found | _of_poetry(table(said, "tool", "poetry"), {*chosen})


def _of_poetry(poetry: Mapping[str, Any], extras: set[str]) -> set[str]:
    """Return the normalised names in Poetry's table of dependencies, optional ones where one of `extras` names them."""
    offered = table(poetry, "extras")
    asked = set()
    for extra in offered:
        if canonicalize_name(extra) in extras:
            asked |= {canonicalize_name(str(name)) for name in listed(offered, extra)}
    needed = table(poetry, "dependencies")
    optional = {name for name in needed if table(needed, name).get("optional") is True}
    return {found for name in needed if (found := canonicalize_name(name)) in asked or name not in optional}
