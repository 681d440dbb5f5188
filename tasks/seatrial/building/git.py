"""The source tree: what git says of it, its fingerprint, and a clean copy to build from.

Where there is git, only what is committed is built, from a clone of HEAD; where there is none (or with `in-place`),
from a copy of the working tree without our own outputs.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.machine import variables
from seatrial.machine.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OUTPUTS = frozenset({"dist", "release-record", ".nox", ".git"})  # at the top of the project; the first three are ours
LINE_ENDS = ("-c", "core.autocrlf=false", "-c", "core.eol=lf")
AS_COMMITTED = ("-c", "core.hooksPath=", *LINE_ENDS, "-c", "advice.detachedHead=false")
GITLINK = "160000"  # the mode of a submodule in a tree
GIT_SETTINGS = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",  # looking at a repository writes nothing into it
    "GIT_LFS_SKIP_SMUDGE": "1",  # their contents come in one go, see _fill_lfs
}
NO_GIT_EPOCH = 315532800  # 1980-01-01, the first moment a zip archive can hold


@dataclass(eq=False)
class GitMissing(ReleaseError):
    root: Path

    what = "{e.root} is a git repository, and the program git was not found."
    cause = "git is not installed, or not on PATH."
    cure = "install git; the files must come from a commit, and only git can tell which."


@dataclass(eq=False)
class NoCommit(ReleaseError):
    root: Path

    what = "The git repository in {e.root} has no commit yet, so there is nothing to release."
    cause = "`git init` was run, and no `git commit` after it."
    cure = "commit the project, and run the session again."


@dataclass(eq=False)
class ShallowClone(ReleaseError):
    root: Path

    what = "The git repository in {e.root} is a shallow clone: its history and tags are cut off."
    cause = "CI checkouts fetch one commit only unless told otherwise; versions read from git come out wrong then."
    cure = "git fetch --unshallow --tags (GitHub: `fetch-depth: 0` for actions/checkout; GitLab: GIT_DEPTH: 0)."


@dataclass(eq=False)
class CheckoutFailed(ReleaseError):
    root: Path
    reason: str

    what = "A clean checkout of {e.root} could not be made: {e.reason}"
    cause = "the repository belongs to another user, lacks objects, or was not fetched whole."
    cure = "do what git says above; `in-place = true` in [tool.seatrial] builds from the working tree instead."


@dataclass(eq=False)
class ForeignOwner(ReleaseError):
    root: Path

    what = "git does not read the repository of {e.root}, because it belongs to another user."
    cause = "a container or CI job that runs as another user than the one that checked it out."
    cure = "git config --global --add safe.directory {e.root} (if you trust it), or change the owner of the folder."


@dataclass(eq=False)
class SubmodulesMissing(ReleaseError):
    paths: tuple[str, ...]

    what = "These git submodules, in the commit that HEAD names, are not in the local repository:{e.paths:listed}"
    cause = "they were not fetched. A build without them would lack their files, and say nothing."
    cure = (
        "git submodule update --init --recursive (GitHub: `submodules: recursive` for actions/checkout; GitLab:"
        " GIT_SUBMODULE_STRATEGY: recursive). One that no build needs: `update = none` in .gitmodules."
    )


@dataclass(eq=False)
class LfsMissing(ReleaseError):
    paths: tuple[str, ...]

    what = "These files are only Git LFS pointers in a clean checkout:{e.paths:shortened}"
    cause = "the program git-lfs is not installed, or their contents were not fetched."
    cure = "install git-lfs and run `git lfs pull` (GitHub: `lfs: true` for actions/checkout), then this session again."


@dataclass(frozen=True)
class Source:
    """The tree that a release is made from; `epoch` is SOURCE_DATE_EPOCH in seconds.

    `top` is the folder of the git repository and `inside` the project's place in it ("" for the top itself); both
    are None without git.
    """

    root: Path
    top: Path | None
    inside: str
    commit: str | None
    tags: tuple[str, ...]
    changed: tuple[str, ...]
    epoch: int

    @property
    def dirty(self) -> bool:
        return bool(self.changed)

    def fingerprint(self, recipe: str, *, in_place: bool = False) -> str:
        """What the files depend on: the commit and whether the tree was clean; without git, all contents.

        `recipe` is whatever else decides what is built (archive kinds). What is built `in_place` out of a tree that is
        not clean depends on its contents as well.
        """
        if self.commit and not (in_place and self.dirty):
            return f"git:{self.commit}{'+dirty' if self.dirty else ''};{recipe}"
        return f"tree:{_hash_tree(self.root)};{recipe}"


def look(root: Path) -> Source:
    """Return what is known of the project in `root`.

    Raises GitMissing, NoCommit, ShallowClone, ForeignOwner and CheckoutFailed.
    """
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return Source(root, None, "", None, (), (), NO_GIT_EPOCH)
    if shutil.which("git") is None:
        raise GitMissing(root)
    top, shallow = _git(root, "rev-parse", "--show-toplevel", "--is-shallow-repository").splitlines()
    head = _git(root, "log", "-1", "--no-show-signature", "--format=%H %ct", refuse=NoCommit(root)).split()
    if shallow == "true":
        raise ShallowClone(root)
    commit, epoch = head
    inside = root.resolve().relative_to(Path(top).resolve()).as_posix()
    return Source(
        root=root,
        top=Path(top),
        inside="" if inside == "." else inside,
        commit=commit,
        tags=tuple(_git(root, "tag", "--no-column", "--points-at", "HEAD").splitlines()),
        changed=_changed(root, inside),
        epoch=int(epoch),
    )


def _changed(root: Path, inside: str) -> tuple[str, ...]:
    """Return the files of the project that differ from HEAD or are new to git, our own outputs left out."""
    entries = _git(root, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal", "--", ".")
    paths = (Path(entry[3:]).relative_to(inside) for entry in entries.split("\0") if entry)
    return tuple(path.as_posix() for path in paths if not _is_output(path))


def _is_output(path: Path) -> bool:
    return not OUTPUTS.isdisjoint(path.parts[:1]) or "__pycache__" in path.parts


def tracked(source: Source) -> tuple[str, ...]:
    """Return the files that git tracks in the project, relative to its root; none without git."""
    if source.commit is None:
        return ()
    return tuple(name for name in _git(source.root, "ls-files", "-z").split("\0") if name)


def committed(source: Source) -> tuple[str, ...]:
    """Return the files of HEAD in the project that belong into an archive of it; none without git.

    Those are left out that have the attribute export-ignore, by themselves or by a folder that they are in.
    """
    if source.commit is None:
        return ()
    names = [name for name in _git(source.root, "ls-tree", "-r", "-z", "--name-only", "HEAD").split("\0") if name]
    places = dict.fromkeys(place for name in names for place in _way_to(name))
    said = _git(source.root, "check-attr", "-z", "--stdin", "export-ignore", given="\0".join(places)).split("\0")
    kept_out = {place for place, value in zip(said[::3], said[2::3], strict=False) if value == "set"}
    return tuple(name for name in names if kept_out.isdisjoint(_way_to(name)))


def _way_to(name: str) -> list[str]:
    """Return `name` and the folders that it is in."""
    return [name, *(name[: place.start()] for place in re.finditer("/", name))]


def check_out(source: Source, target: Path, *, in_place: bool) -> Path:
    """Put a clean copy of the tree into the new folder `target`, and return the project's folder in it.

    Raises CheckoutFailed, SubmodulesMissing and LfsMissing.
    """
    if source.top is None or source.commit is None or in_place:
        _copy(source.root, target)
        return target
    _clone(source.top, target, source.commit)
    if missing := tuple(_add_submodules(source.top, target)):
        raise SubmodulesMissing(missing)
    _fill_lfs(target)
    tree = target / source.inside
    if not tree.is_dir():
        raise CheckoutFailed(source.root, "nothing of it is committed.")
    return tree


def _clone(repository: Path, target: Path, commit: str, *options: str) -> None:
    """Make `target` the `commit` of the local `repository`, as committed.

    No user hook, no line-end conversion, no untracked file; tags and history come along for backends that read the
    version from them. --shared copies no objects.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = ("--quiet", "--shared", "--no-checkout", *options)
    _git(target.parent, *AS_COMMITTED, "clone", *flags, str(repository), str(target))
    _git(target, *AS_COMMITTED, "checkout", "--quiet", "--detach", commit)


def _add_submodules(top: Path, target: Path, above: str = "") -> Iterator[str]:
    """Check out the submodules of `target` from where `top` keeps them, and theirs; yield those that are not there."""
    links = [entry.split(maxsplit=3) for entry in _git(target, "ls-files", "-z", "--stage").split("\0")]
    wanted = {link[3]: link[1] for link in links if link and link[0] == GITLINK}
    names = _submodule_names(target) if wanted else {}
    for path, commit in wanted.items():
        name = names.get(path)
        if name and _setting(target, name, "update") == "none":
            continue
        place = _place_of_submodule(top, path, name, commit)
        if place is None:
            yield above + path
            continue
        modules = _git_dir(target) / "modules" / (name or path)
        modules.parent.mkdir(parents=True, exist_ok=True)
        _clone(_git_dir(place), target / path, commit, "--separate-git-dir", str(modules))
        yield from _add_submodules(place, target / path, f"{above}{path}/")


def _submodule_names(tree: Path) -> dict[str, str]:
    """Return the names of the submodules that `tree` declares, by path."""
    pattern = r"^submodule\..*\.path$"
    found = _git(tree, "config", "-z", "--file", ".gitmodules", "--get-regexp", pattern, missing="")
    pairs = (entry.split("\n", 1) for entry in found.split("\0") if entry)
    return {path: key.removeprefix("submodule.").removesuffix(".path") for key, path in pairs}


def _setting(tree: Path, name: str, key: str) -> str:
    return _git(tree, "config", "--file", ".gitmodules", f"submodule.{name}.{key}", missing="").strip()


def _place_of_submodule(top: Path, path: str, name: str | None, commit: str) -> Path | None:
    """Return where `top` keeps the submodule at `path`, its folder or its store, if it holds `commit` there."""
    places = [top / path] if (top / path / ".git").exists() else []
    if name:
        places.append(_git_dir(top) / "modules" / name)
    return next((place for place in places if place.is_dir() and _holds(_git_dir(place), commit)), None)


def _git_dir(place: Path) -> Path:
    """Return the folder of the repository whose working tree is `place`, which may be that folder itself."""
    if not (place / ".git").exists():
        return place
    return place / _git(place, "rev-parse", "--git-common-dir").rstrip("\n")


def _holds(repository: Path, commit: str) -> bool:
    # The store of a submodule names a working tree, which is not there any more when the submodule was put away.
    where = (f"--git-dir={repository}", f"--work-tree={repository}")
    return _git(repository.parent, *where, "cat-file", "-t", commit, missing="").strip() == "commit"


def _fill_lfs(target: Path) -> None:
    """Put the contents of Git LFS into the clone `target`, out of the local store. Raises LfsMissing."""
    if not (pointers := _lfs_pointers(target)):
        return
    if shutil.which("git-lfs"):
        _git(target, "lfs", "install", "--local", "--skip-repo")  # for whoever asks git about the clone later, too
        own_hooks = ("-c", f"core.hooksPath={target / '.git' / 'hooks'}")  # git-lfs writes some
        _git(target, *own_hooks, *LINE_ENDS, "lfs", "checkout", missing="")
        pointers = _lfs_pointers(target)
    if pointers:
        raise LfsMissing(pointers)


def _lfs_pointers(target: Path) -> tuple[str, ...]:
    return tuple(path for path in _git(target, "ls-files", "-z").split("\0") if path and _is_lfs_pointer(target / path))


def _is_lfs_pointer(path: Path) -> bool:
    marker = b"version https://git-lfs.github.com/spec/"
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(marker)) == marker


def _copy(root: Path, target: Path) -> None:
    def ours(folder: str, names: list[str]) -> set[str]:
        top = Path(folder) == root
        return {name for name in names if name == "__pycache__" or (top and name in OUTPUTS)}

    shutil.copytree(root, target, symlinks=True, ignore=ours, copy_function=_copy_file)


def _copy_file(source: str, target: str) -> None:
    """Copy a file with its times, and with the rights that a checkout gives it: the user's umask is no part of it."""
    shutil.copy2(source, target, follow_symlinks=False)
    if not Path(target).is_symlink():
        Path(target).chmod(0o755 if Path(source).stat().st_mode & 0o100 else 0o644)


def _hash_tree(root: Path) -> str:
    """Return one hash over names, contents and executable bits of all files, our own outputs left out."""
    digest = hashlib.sha256()
    for folder, folders, names in os.walk(root):
        ours = OUTPUTS if Path(folder) == root else frozenset[str]()
        folders[:] = sorted(set(folders) - ours - {"__pycache__"})
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in sorted(names + links):
            path = Path(folder, name)
            content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
            head = f"{path.relative_to(root).as_posix()}\0{os.access(path, os.X_OK)}\0{len(content)}\0"
            digest.update(head.encode("utf-8", "surrogateescape") + content)
    return digest.hexdigest()


def _git(folder: Path, *args: str, refuse: Exception | None = None, missing: str | None = None, given: str = "") -> str:
    """Run git in `folder`, hand `given` to it, and return what it prints; where it fails, `missing` if that is given.

    Raises `refuse`, ForeignOwner, or CheckoutFailed with git's own words.
    """
    umask: dict[str, Any] = {} if os.name == "nt" else {"umask": 0o022}
    done = subprocess.run(
        ["git", *args],
        cwd=folder,
        env=variables.for_git(os.environ) | GIT_SETTINGS,
        capture_output=True,
        check=False,
        input=given.encode("utf-8", "surrogateescape"),
        **umask,
    )
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "backslashreplace").strip()
        if "dubious ownership" in said:
            raise ForeignOwner(folder)
        if missing is not None:
            return missing
        raise refuse or CheckoutFailed(folder, said)
    printed: bytes = done.stdout
    return printed.decode("utf-8", "surrogateescape")


def commit_of_tag(root: Path, tag: str) -> str | None:
    """Return the commit that `tag` names in the repository of `root`, None where there is no such tag."""
    return _git(root, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}", missing="").strip() or None


def remote_of(root: Path) -> str | None:
    """Return the name of the remote repository that tags are pushed to: origin, or the only one; None for none."""
    names = _git(root, "remote", missing="").split()
    return "origin" if "origin" in names else names[0] if len(names) == 1 else None


def address_of(root: Path, remote: str) -> str:
    """Return the address of the repository `remote`, as git has it."""
    return _git(root, "remote", "get-url", remote, missing="").strip()


def tag_of(source: Source, patterns: Iterable[str], version: str) -> str | None:
    """Return the tag that `version` was released under by one of `patterns`, None where there is none."""
    tags = _git(source.root, "tag", "--list", "--no-column").splitlines() if source.commit else []
    for pattern in patterns:
        parts = pattern.replace("{version}", version).split("{name}")
        shape = re.compile(".+".join(map(re.escape, parts)))
        if found := next(filter(shape.fullmatch, tags), None):
            return found
    return None


def at_tag(source: Source, tag: str) -> Source:
    """Return the tree as it was committed under `tag`."""
    said = _git(source.root, "log", "-1", "--no-show-signature", "--format=%H %ct", f"refs/tags/{tag}").split()
    return replace(source, commit=said[0], tags=(tag,), changed=(), epoch=int(said[1]))
