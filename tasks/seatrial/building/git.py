"""The source tree: what git says of it, and its fingerprint. `checkout` makes a clean copy of it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.machine import variables
from seatrial.machine.errors import SHOWN, ReleaseError
from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.project.context import Context

OUTPUTS = frozenset({"dist", "release-record", ".nox", ".git"})  # at the top of the project; the first three are ours
GIT_SETTINGS = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",  # looking at a repository writes nothing into it
    "GIT_LFS_SKIP_SMUDGE": "1",  # their contents come in one go, see `checkout`
}
WORKFLOW = 1 << 20  # bytes that are read of one
NO_GIT_EPOCH = 315532800  # 1980-01-01, the first moment a zip archive can hold


class GitMissing(ReleaseError):
    root: Path

    what = "{e.root} is a git repository, and the program git was not found."
    cause = "git is not installed, or not on PATH."
    cure = "install git; the files must come from a commit, and only git can tell which."


class NoCommit(ReleaseError):
    root: Path

    what = "The git repository in {e.root} has no commit yet, so there is nothing to release."
    cause = "`git init` was run, and no `git commit` after it."
    cure = "commit the project, and run the step again."


class ShallowClone(ReleaseError):
    root: Path

    what = "The git repository in {e.root} is a shallow clone: its history and tags are cut off."
    cause = "CI checkouts fetch a single commit unless told otherwise, and versions read from git then come out wrong."
    cure = "git fetch --unshallow --tags (GitHub: `fetch-depth: 0` for actions/checkout; GitLab: GIT_DEPTH: 0)."


class CheckoutFailed(ReleaseError):
    root: Path
    reason: str

    what = "No clean checkout of {e.root} could be made: {e.reason}"
    cause = "the repository belongs to another user, lacks objects, or was not fetched completely."
    cure = "do what git says above; `in-place = true` in [tool.seatrial] builds from the working tree instead."


class ForeignOwner(ReleaseError):
    root: Path

    what = "git refuses to read the repository in {e.root}, because it belongs to another user."
    cause = "a container or CI job that runs as a user other than the one that checked it out."
    cure = "git config --global --add safe.directory {e.root} (if you trust it), or change the owner of the folder."


class Source(Value):
    """The tree that a release is made from; `epoch` is SOURCE_DATE_EPOCH in seconds.

    `top` is the folder of the git repository, None without git, and `inside` the project's place in it ("" for the top
    itself). `changed` are the files that differ from HEAD or are new to git.
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

    @property
    def uncommitted(self) -> str:
        """One sentence that counts and names the changes that no build of HEAD contains; empty for a clean tree."""
        if not self.changed:
            return ""
        count, more = len(self.changed), len(self.changed) - SHOWN
        names = ", ".join(self.changed[:SHOWN]) + (f" and {more} more" if more > 0 else "")
        if count == 1:
            return f"1 uncommitted change is not in this build: {names}. Commit it first."
        return f"{count} uncommitted changes are not in this build: {names}. Commit them first."

    def fingerprint(self, recipe: str, *, in_place: bool = False) -> str:
        """What the files depend on: the commit and whether the tree was clean; without git, all contents.

        `recipe` is whatever else decides what is built (archive kinds). What is built `in_place` out of a tree that is
        not clean depends on its contents as well.
        """
        if self.commit and not (in_place and self.dirty):
            return f"git:{self.commit}{'+dirty' if self.dirty else ''};{recipe}"
        return f"tree:{_hash_tree(self.root)};{recipe}"


def look(root: Path) -> Source:
    """Return what is known of the project in `root`. Raises GitMissing, NoCommit, ShallowClone, and what `run` does."""
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return unknown(root)
    if shutil.which("git") is None:
        raise GitMissing(root)
    top, shallow = run(root, "rev-parse", "--show-toplevel", "--is-shallow-repository").splitlines()
    told = ("--no-show-signature", "--decorate=full", "--decorate-refs=refs/tags/*", "--format=%H %ct %D")
    head = run(root, "log", "-1", *told, refuse=NoCommit(root))
    if shallow == "true":
        raise ShallowClone(root)
    commit, epoch, refs = head.rstrip("\n").split(" ", 2)
    inside = root.resolve().relative_to(Path(top).resolve()).as_posix()
    status = run(root, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal", "--", ".")
    paths = (Path(entry[3:]).relative_to(inside) for entry in status.split("\0") if entry)
    theirs = (path for path in paths if OUTPUTS.isdisjoint(path.parts[:1]) and "__pycache__" not in path.parts)
    changed = tuple(path.as_posix() for path in theirs)
    tags = tuple(sorted(ref.removeprefix("tag: refs/tags/") for ref in refs.split(", ") if ref))
    return Source(root, Path(top), "" if inside == "." else inside, commit, tags, changed, int(epoch))


def of(context: Context) -> Source:
    """Return what `look` says of the context's project; to all steps of a dry run what it said to the first."""
    sources: dict[Path, Source] = context.dry.sources if context.dry else {}
    if context.root not in sources:
        sources[context.root] = look(context.root)
    return sources[context.root]


def unknown(root: Path) -> Source:
    """Return a source of which no commit is known, as of the project in `root` without git."""
    return Source(root, None, "", None, (), (), NO_GIT_EPOCH)


def tracked(source: Source) -> tuple[str, ...]:
    """Return the files that git tracks in the project, relative to its root; none without git."""
    if source.commit is None:
        return ()
    return tuple(name for name in run(source.root, "ls-files", "-z").split("\0") if name)


def workflows(source: Source) -> dict[str, str]:
    """Return the texts of the tracked CI workflows of the repository that concern the project, by name.

    In a repository of several projects those are the ones that name its folder.
    """
    if source.commit is None or source.top is None:
        return {}
    listed = run(source.top, "ls-files", "-z", "--", ".github/workflows", ".gitlab-ci.yml").split("\0")
    paths = [source.top / name for name in listed if name.endswith((".yml", ".yaml"))]
    texts = {path.name: path.read_bytes()[:WORKFLOW].decode("utf-8", "replace") for path in paths if path.is_file()}
    return {name: text for name, text in texts.items() if source.inside in text}


def committed(source: Source) -> tuple[str, ...]:
    """Return the files of HEAD in the project that belong into an archive of it; none without git.

    Those are left out that have the attribute export-ignore, by themselves or by a folder that they are in.
    """
    if source.commit is None:
        return ()
    names = [name for name in run(source.root, "ls-tree", "-r", "-z", "--name-only", "HEAD").split("\0") if name]
    places = dict.fromkeys(place for name in names for place in _way_to(name))
    said = run(source.root, "check-attr", "-z", "--stdin", "export-ignore", given="\0".join(places)).split("\0")
    kept_out = {place for place, value in zip(said[::3], said[2::3], strict=False) if value == "set"}
    return tuple(name for name in names if kept_out.isdisjoint(_way_to(name)))


def _way_to(name: str) -> list[str]:
    """Return `name` and the folders that it is in."""
    return [name, *(name[: place.start()] for place in re.finditer("/", name))]


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


def run(
    folder: Path,
    *args: str,
    refuse: Exception | None = None,
    missing: str | None = None,
    given: str = "",
    more: Mapping[str, str] | None = None,
) -> str:
    """Run git in `folder` and return what it prints; `given` is its input, `more` are further variables.

    Where it fails, return `missing` if that is given, else raise `refuse`, ForeignOwner, or CheckoutFailed with why.
    """
    umask: dict[str, Any] = {} if os.name == "nt" else {"umask": 0o022}
    env = {**variables.for_git(os.environ), **GIT_SETTINGS, **(more or {})}
    data = given.encode("utf-8", "surrogateescape")
    done = subprocess.run(["git", *args], cwd=folder, env=env, input=data, capture_output=True, check=False, **umask)
    if done.returncode != 0:
        reason = done.stderr.decode("utf-8", "backslashreplace").strip()
        if "dubious ownership" in reason:
            raise ForeignOwner(folder)
        if missing is not None:
            return missing
        raise refuse or CheckoutFailed(folder, reason)
    return bytes(done.stdout).decode("utf-8", "surrogateescape")


def commit_of_tag(root: Path, tag: str) -> str | None:
    """Return the commit that `tag` names in the repository of `root`, None where there is no such tag."""
    return run(root, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}", missing="").strip() or None


def remote_of(root: Path) -> str | None:
    """Return the name of the remote repository that tags are pushed to: origin, or the only one; None for none."""
    names = run(root, "remote", missing="").split()
    return "origin" if "origin" in names else names[0] if len(names) == 1 else None


def address_of(root: Path, remote: str) -> str:
    """Return the address of the repository `remote`, as git has it."""
    return run(root, "remote", "get-url", remote, missing="").strip()
