"""A clean copy of the source tree to build from: a clone of HEAD with its submodules and LFS files, or a plain copy.

Nothing is fetched: submodules and the contents of Git LFS come out of the stores of the user's own repository.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING

from seatrial.building import git
from seatrial.machine.errors import SHOWN, ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE_ENDS = ("-c", "core.autocrlf=false", "-c", "core.eol=lf")
AS_COMMITTED = ("-c", "core.hooksPath=", *LINE_ENDS, "-c", "advice.detachedHead=false")
GITLINK = "160000"  # the mode of a submodule in a tree


class SubmodulesMissing(ReleaseError):
    paths: tuple[str, ...]

    what = "These git submodules, in the commit that is built, are not in the local repository:{e.paths:listed}"
    cause = "they were not fetched. A build without them would silently lack their files."
    cure = (
        "git submodule update --init --recursive (GitHub: `submodules: recursive` for actions/checkout; GitLab:"
        " GIT_SUBMODULE_STRATEGY: recursive); for a tag, check that out before. For one that no build needs,"
        " set `update = none` in .gitmodules."
    )


class LfsMissing(ReleaseError):
    paths: tuple[str, ...]

    what = "These files are only Git LFS pointers in a clean checkout:{e.paths:shortened}"
    cause = "the program git-lfs is not installed, or their contents were not fetched."
    cure = (
        "install git-lfs and run `git lfs pull` (GitHub: `lfs: true` for actions/checkout), then run this step again."
    )


def check_out(source: git.Source, target: Path, *, in_place: bool) -> Path:
    """Put a clean copy of the tree into the new folder `target`, and return the project's folder in it.

    Raises git.CheckoutFailed, SubmodulesMissing and LfsMissing.
    """
    if source.top is None or source.commit is None or in_place:
        _copy(source.root, target)
        return target
    _clone(source.top, target, source.commit)
    if missing := tuple(_add_submodules(source.top, target)):
        raise SubmodulesMissing(missing)
    if (pointers := _lfs_pointers(target)) and shutil.which("git-lfs"):  # out of the local store
        git.run(target, "lfs", "install", "--local", "--skip-repo")  # for whoever asks git about the clone later, too
        own_hooks = ("-c", f"core.hooksPath={target / '.git' / 'hooks'}")  # git-lfs writes some
        git.run(target, *own_hooks, *LINE_ENDS, "lfs", "checkout", missing="")
        pointers = _lfs_pointers(target)
    if pointers:
        raise LfsMissing(pointers)
    tree = target / source.inside
    if not tree.is_dir():
        raise git.CheckoutFailed(source.root, "nothing of it is committed.")
    return tree


def _clone(repository: Path, target: Path, commit: str, *options: str) -> None:
    """Make `target` the `commit` of the local `repository`, as committed.

    No user hook, no line-end conversion, no untracked file; tags and history come along for backends that read the
    version from them. --shared copies no objects. Raises git.CheckoutFailed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = ("--quiet", "--shared", "--no-checkout", *options)
    git.run(target.parent, *AS_COMMITTED, "clone", *flags, str(repository), str(target))
    git.run(target, *AS_COMMITTED, "checkout", "--quiet", "--detach", commit)
    # git exits with 0 where the object of a file is missing.
    if unwritten := [name for name in git.run(target, "ls-files", "-z", "--deleted").split("\0") if name]:
        more = f" and {len(unwritten) - SHOWN} more" if len(unwritten) > SHOWN else ""
        names = ", ".join(unwritten[:SHOWN]) + more
        raise git.CheckoutFailed(repository, f"git did not write {names}; `git fsck` there names what it lacks.")


def _add_submodules(top: Path, target: Path, above: str = "") -> Iterator[str]:
    """Check out the submodules of `target` from where `top` keeps them, and theirs; yield those that are not there."""
    links = [entry.split(maxsplit=3) for entry in git.run(target, "ls-files", "-z", "--stage").split("\0")]
    wanted = {link[3]: link[1] for link in links if link and link[0] == GITLINK}
    asked = ("config", "-z", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.(path|update)$")
    found = git.run(target, *asked, missing="").split("\0") if wanted else []
    declared = [entry.partition("\n")[::2] for entry in found if entry]
    settings = dict(declared)
    names = {path: key[len("submodule.") : -len(".path")] for key, path in declared if key.endswith(".path")}
    for path, commit in wanted.items():
        name = names.get(path)
        if name and settings.get(f"submodule.{name}.update") == "none":
            continue
        places = [top / path] if (top / path / ".git").exists() else []
        store = _store(name or "")
        if store:
            places.append(_git_dir(top) / "modules" / store)
        place = next((place for place in places if place.is_dir() and _holds(_git_dir(place), commit)), None)
        if place is None:
            yield above + path
            continue
        modules = _git_dir(target) / "modules" / (store or path)
        modules.parent.mkdir(parents=True, exist_ok=True)
        _clone(_git_dir(place), target / path, commit, "--separate-git-dir", str(modules))
        # Relative, as `git submodule` writes it: some backends pack this file into the sdist.
        where = PurePath(os.path.relpath(modules, target / path)).as_posix()
        (target / path / ".git").write_bytes(f"gitdir: {where}\n".encode())
        yield from _add_submodules(place, target / path, f"{above}{path}/")


def _store(name: str) -> str:
    """Return where git keeps the submodule called `name`, below `modules`; empty for what could lead out of there."""
    below = name.lstrip("/")  # git writes an absolute name behind `modules/`
    leads_out = ".." in below.split("/") or "\\" in below or PureWindowsPath(below).drive
    return "" if leads_out else below


def _git_dir(place: Path) -> Path:
    """Return the folder of the repository whose working tree is `place`, which may be that folder itself."""
    if not (place / ".git").exists():
        return place
    return place / git.run(place, "rev-parse", "--git-common-dir").rstrip("\n")


def _holds(repository: Path, commit: str) -> bool:
    # The store of a submodule names a working tree, which is not there any more when the submodule was put away.
    where = (f"--git-dir={repository}", f"--work-tree={repository}")
    return git.run(repository.parent, *where, "cat-file", "-t", commit, missing="").strip() == "commit"


def _lfs_pointers(target: Path) -> tuple[str, ...]:
    marker, found = b"version https://git-lfs.github.com/spec/", []
    for name in git.run(target, "ls-files", "-z").split("\0"):
        path = target / name
        if name and path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(len(marker)) == marker:
                    found.append(name)
    return tuple(found)


def _copy(root: Path, target: Path) -> None:
    """Copy files with their times, and with the rights that a checkout gives: the user's umask is no part of it."""

    def ours(folder: str, names: list[str]) -> set[str]:
        top = Path(folder) == root
        return {name for name in names if name == "__pycache__" or (top and name in git.OUTPUTS)}

    def copy_file(source: str, copied: str) -> None:
        shutil.copy2(source, copied, follow_symlinks=False)
        if not Path(copied).is_symlink():
            Path(copied).chmod(0o755 if Path(source).stat().st_mode & 0o100 else 0o644)

    shutil.copytree(root, target, symlinks=True, ignore=ours, copy_function=copy_file)
