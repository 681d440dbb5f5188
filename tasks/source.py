"""The source tree: what git says of it, its fingerprint, and a clean copy to build from.

Where there is git, only what is committed is built, from a clone of HEAD; where there is none (or with `in-place`),
from a copy of the working tree without our own outputs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .errors import CheckoutFailed, GitMissing, NoCommit, NotYet, ShallowClone

OUTPUTS = frozenset({"dist", "release-record", ".nox", ".git"})  # at the top of the project; the first three are ours
GIT_PLACE = frozenset(
    """
    GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR
    GIT_PREFIX GIT_NAMESPACE GIT_CEILING_DIRECTORIES
    """.split()
)  # set inside git's hooks, where they would point git at another repository than the project's
NO_GIT_EPOCH = 315532800  # 1980-01-01, the first moment a zip archive can hold


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
    """Return what is known of the project in `root`. Raises GitMissing, NoCommit, ShallowClone and CheckoutFailed."""
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


def check_out(source: Source, target: Path, *, in_place: bool) -> Path:
    """Put a clean copy of the tree into the new folder `target`, and return the project's folder in it."""
    if source.top is None or source.commit is None or in_place:
        _copy(source.root, target)
        return target
    if (source.top / ".gitmodules").exists():
        raise NotYet("Building a project with git submodules from a clean checkout", "`in-place = true` builds it")
    # A clone is HEAD as committed: no user hook, no line-end conversion, no untracked file; tags and history come
    # along for backends that read the version from them. --shared copies no objects.
    line_ends = ("-c", "core.autocrlf=false", "-c", "core.eol=lf")
    options = ("-c", "core.hooksPath=", *line_ends, "-c", "advice.detachedHead=false")
    _git(source.root, *options, "clone", "--quiet", "--shared", "--no-checkout", str(source.top), str(target))
    _git(target, *options, "checkout", "--quiet", "--detach", source.commit)
    pointers = [path for path in _git(target, "ls-files", "-z").split("\0") if path and _is_lfs_pointer(target / path)]
    if pointers:
        raise CheckoutFailed(source.root, f"these files are only Git LFS pointers in it: {', '.join(pointers)}")
    tree = target / source.inside
    if not tree.is_dir():
        raise CheckoutFailed(source.root, "nothing of it is committed.")
    return tree


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

    shutil.copytree(root, target, symlinks=True, ignore=ours)


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


def _git(folder: Path, *args: str, refuse: Exception | None = None) -> str:
    """Run git in `folder` and return what it prints. Raises `refuse`, or CheckoutFailed with git's own words."""
    env = {name: value for name, value in os.environ.items() if name not in GIT_PLACE}
    done = subprocess.run(
        ["git", *args],
        cwd=folder,
        env=env | {"LC_ALL": "C"},
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise refuse or CheckoutFailed(folder, done.stderr.decode("utf-8", "backslashreplace").strip())
    return done.stdout.decode("utf-8", "surrogateescape")


def commit_of_tag(root: Path, tag: str) -> str | None:
    """Return the commit that `tag` names in the repository of `root`, None where there is no such tag."""
    try:
        return _git(root, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}").strip()
    except CheckoutFailed:
        return None
