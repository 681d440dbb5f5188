from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from seatrial.building.checkout import LfsMissing, SubmodulesMissing, check_out
from seatrial.building.git import (
    CheckoutFailed,
    look,
    tracked,
)
from tests.projects import commit, git, sample, write_tree

PLACES = ["demo", "a project", "größe/Übung 1", "パッケージ"]
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"

lfs = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bit, and symlinks need a right there")


def files_in(folder: Path) -> set[str]:
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return {name for name in names if not name.startswith(".git/")}


@pytest.mark.parametrize("place", PLACES)
def test_a_checkout_is_what_is_committed(tmp_path: Path, place: str) -> None:
    root = sample(tmp_path / place, files={"größe.txt": "12\n"})
    commit(root)
    committed = files_in(root)
    write_tree(root, {"README.md": "uncommitted", "untracked": "", "dist/a.whl": ""})
    tree = check_out(look(root), tmp_path / "out" / place, in_place=False)
    assert files_in(tree) == committed
    assert (tree / "README.md").read_text() != "uncommitted"


def test_a_checkout_of_a_subfolder_holds_the_whole_repository(tmp_path: Path) -> None:
    repository = write_tree(tmp_path / "repository", {"VERSION": "1.0", "libs/größe 1/pyproject.toml": ""})
    commit(repository)
    tree = check_out(look(repository / "libs" / "größe 1"), tmp_path / "out", in_place=False)
    assert tree == tmp_path / "out" / "libs" / "größe 1"
    assert files_in(tmp_path / "out") == {"VERSION", "libs/größe 1/pyproject.toml"}


def test_a_project_of_which_nothing_is_committed_cannot_be_checked_out(tmp_path: Path) -> None:
    commit(write_tree(tmp_path / "repository", {"README": ""}))
    found = look(sample(tmp_path / "repository" / "demo"))
    with pytest.raises(CheckoutFailed, match="nothing of it is committed"):
        check_out(found, tmp_path / "out", in_place=False)


def test_tags_and_history_come_along(root: Path, tmp_path: Path) -> None:
    git(root, "tag", "v0.9")
    commit(root)
    tree = check_out(look(root), tmp_path / "out", in_place=False)
    assert git(tree, "describe", "--tags").startswith("v0.9-1-g")


@posix
@pytest.mark.parametrize("in_place", [False, True])
def test_executable_bits_and_symlinks_are_kept(tmp_path: Path, *, in_place: bool) -> None:
    root = write_tree(tmp_path / "demo", {"run.sh": "", "plain.txt": ""})
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("plain.txt")
    (root / "broken").symlink_to("nowhere")
    commit(root)
    tree = check_out(look(root), tmp_path / "out", in_place=in_place)
    assert os.access(tree / "run.sh", os.X_OK)
    assert not (tree / "plain.txt").stat().st_mode & 0o111
    assert (tree / "link").readlink() == Path("plain.txt")
    assert (tree / "broken").is_symlink()


@posix
@pytest.mark.parametrize("setting", ["core.hooksPath", "init.templateDir"])
def test_the_users_hooks_do_not_run(root: Path, tmp_path: Path, user_config: Path, setting: str) -> None:
    hook = tmp_path / "home" / "hooks" / "post-checkout"
    write_tree(hook.parent, {hook.name: "#!/bin/sh\ntouch from-hook\n"})
    hook.chmod(0o755)
    folder = hook.parent if setting == "core.hooksPath" else hook.parent.parent
    git(root, "config", "--file", str(user_config), setting, str(folder))
    tree = check_out(look(root), tmp_path / "out", in_place=False)
    assert not (tree / "from-hook").exists()


@pytest.mark.parametrize("settings", [{"core.autocrlf": "true"}, {"core.eol": "crlf"}])
@pytest.mark.parametrize("attributes", ["", "* text=auto\n"])
def test_line_ends_stay_as_committed(
    tmp_path: Path, user_config: Path, settings: dict[str, str], attributes: str
) -> None:
    root = write_tree(tmp_path / "demo", {"a.txt": "one\ntwo\n", ".gitattributes": attributes})
    commit(root)
    for name, value in settings.items():
        git(root, "config", "--file", str(user_config), name, value)
    tree = check_out(look(root), tmp_path / "out", in_place=False)
    assert (tree / "a.txt").read_bytes() == b"one\ntwo\n"


# Git LFS.


def track_with_lfs(root: Path) -> None:
    """Commit a file whose contents are kept by Git LFS."""
    git(root, "lfs", "install", "--local")
    write_tree(root, {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "src/demo/big file.bin": "big"})
    commit(root)
    assert git(root, "show", "HEAD:src/demo/big file.bin").startswith(POINTER.partition("oid")[0])


@lfs
def test_the_contents_of_git_lfs_come_from_the_local_store(root: Path, tmp_path: Path) -> None:
    track_with_lfs(root)
    tree = check_out(look(root), tmp_path / "out", in_place=False)
    assert (tree / "src/demo/big file.bin").read_bytes() == b"big"
    assert git(tree, "status", "--porcelain") == ""


@lfs
def test_contents_of_git_lfs_that_are_not_here_are_named(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track_with_lfs(root)
    monkeypatch.setenv("GIT_LFS_SKIP_SMUDGE", "1")
    git(tmp_path, "clone", "--quiet", str(root), "clone")
    shutil.rmtree(root)
    with pytest.raises(LfsMissing, match="demo/big file"):
        check_out(look(tmp_path / "clone"), tmp_path / "out", in_place=False)


def test_without_git_lfs_its_pointers_are_refused_by_name(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(root, {"src/demo/big file.bin": POINTER, "docs/lfs.md": f"> {POINTER}"})
    commit(root)
    found = look(root)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(LfsMissing, match="install git-lfs") as error:
        check_out(found, tmp_path / "out", in_place=False)
    assert "src/demo/big file.bin" in str(error.value)
    assert "docs/lfs.md" not in str(error.value)


# Submodules.


def add_submodule(root: Path, library: Path, path: str = "vendored/größe 1") -> Path:
    """Make a repository at `library`, add it to `root` as a submodule, and return its place there."""
    commit(write_tree(library, {"a.py": "x = 1\n"}), tag=f"{library.name}-1.0")
    git(root, "submodule", "add", "--quiet", str(library), path)
    commit(root)
    return root / path


@pytest.fixture
def with_submodule(root: Path, tmp_path: Path) -> Path:
    """A project with a submodule that has a submodule; what they were cloned from is gone."""
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    commit(write_tree(outer, {"b.py": "y = 1\n"}))
    add_submodule(outer, inner, "deeper")
    add_submodule(root, outer)
    git(root, "submodule", "--quiet", "update", "--init", "--recursive")
    shutil.rmtree(inner)
    shutil.rmtree(outer)
    return root


def test_submodules_come_from_the_local_stores(with_submodule: Path, tmp_path: Path) -> None:
    write_tree(with_submodule, {"vendored/größe 1/untracked": "", "vendored/größe 1/a.py": "changed = 1\n"})
    tree = check_out(look(with_submodule), tmp_path / "out", in_place=False)
    there = {name for name in files_in(tree / "vendored") if not name.endswith("/.git")}
    assert there == {"größe 1/.gitmodules", "größe 1/a.py", "größe 1/b.py", "größe 1/deeper/a.py"}
    assert (tree / "vendored/größe 1/a.py").read_bytes() == b"x = 1\n"
    assert git(tree, "status", "--porcelain") == ""
    assert git(tree / "vendored/größe 1", "describe", "--tags") == "outer-1.0"


def test_a_submodule_says_where_its_store_is_as_git_submodule_does(with_submodule: Path, tmp_path: Path) -> None:
    """No path of this machine is in it: some backends pack the file."""
    tree = check_out(look(with_submodule), tmp_path / "out", in_place=False)
    for path in ("vendored/größe 1/.git", "vendored/größe 1/deeper/.git"):
        assert (tree / path).read_text(encoding="utf-8") == (with_submodule / path).read_text(encoding="utf-8")


def test_submodules_are_at_the_commit_that_the_project_names(with_submodule: Path, tmp_path: Path) -> None:
    place = with_submodule / "vendored" / "größe 1"
    commit(write_tree(place, {"later.py": ""}))
    tree = check_out(look(with_submodule), tmp_path / "out", in_place=False)
    assert "größe 1/later.py" not in files_in(tree / "vendored")


def test_a_submodule_whose_folder_was_emptied_still_comes_from_its_store(with_submodule: Path, tmp_path: Path) -> None:
    git(with_submodule, "submodule", "--quiet", "deinit", "--force", "--all")
    tree = check_out(look(with_submodule), tmp_path / "out", in_place=False)
    assert (tree / "vendored/größe 1/deeper/a.py").read_bytes() == b"x = 1\n"


def test_submodules_come_along_from_a_worktree(with_submodule: Path, tmp_path: Path) -> None:
    git(with_submodule, "worktree", "add", "--quiet", "-b", "release", str(tmp_path / "work tree"))
    tree = check_out(look(tmp_path / "work tree"), tmp_path / "out", in_place=False)
    assert (tree / "vendored/größe 1/deeper/a.py").exists()


def test_submodules_that_were_not_fetched_are_named_all_at_once(with_submodule: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(with_submodule), "clone")
    with pytest.raises(SubmodulesMissing, match="git submodule update --init --recursive") as error:
        check_out(look(tmp_path / "clone"), tmp_path / "out", in_place=False)
    assert error.value.paths == ("vendored/größe 1",)
    stores = with_submodule / ".git" / "modules"
    shutil.rmtree(with_submodule / "vendored" / "größe 1" / "deeper")
    shutil.rmtree(next(stores.glob("**/modules/deeper")))
    with pytest.raises(SubmodulesMissing) as error:
        check_out(look(with_submodule), tmp_path / "out 2", in_place=False)
    assert error.value.paths == ("vendored/größe 1/deeper",)


def test_a_submodule_that_is_never_updated_is_left_empty(root: Path, tmp_path: Path) -> None:
    add_submodule(root, tmp_path / "library", "unneeded")
    git(root, "config", "--file", ".gitmodules", "submodule.unneeded.update", "none")
    commit(root)
    git(tmp_path, "clone", "--quiet", str(root), "clone")
    tree = check_out(look(tmp_path / "clone"), tmp_path / "out", in_place=False)
    assert list((tree / "unneeded").iterdir()) == []


@posix
@pytest.mark.parametrize(
    "name", ["{outside}", "/{outside}", "../../../outside", "a/../../../../outside", r"..\\outside", "C:/x"]
)
def test_the_name_of_a_submodule_leads_nowhere_else(root: Path, tmp_path: Path, name: str) -> None:
    """Git takes absolute names and keeps those submodules below its own folder; it leaves out names with `..`."""
    add_submodule(root, tmp_path / "library", "sub")
    outside = tmp_path / "outside"
    file = root / ".gitmodules"
    text = file.read_text(encoding="utf-8").replace('"sub"', f'"{name.format(outside=outside)}"')
    file.write_text(text, encoding="utf-8")
    commit(root)
    tree = check_out(look(root), tmp_path / "deep" / "er" / "out", in_place=False)
    assert (tree / "sub" / "a.py").read_bytes() == b"x = 1\n"
    assert git(tree / "sub", "rev-parse", "--absolute-git-dir").startswith(str(tree / ".git" / "modules"))
    assert not outside.exists()
    assert {path.name for path in (tmp_path / "deep").rglob("outside*")} <= {"outside"}


@posix
def test_a_submodule_with_an_absolute_name_comes_from_its_store(root: Path, tmp_path: Path) -> None:
    commit(write_tree(tmp_path / "library", {"a.py": "x = 1\n"}))
    outside = tmp_path / "outside"
    git(root, "submodule", "add", "--quiet", "--name", str(outside), str(tmp_path / "library"), "sub")
    commit(root)
    git(root, "submodule", "--quiet", "deinit", "--force", "--all")
    tree = check_out(look(root), tmp_path / "out", in_place=False)
    assert (tree / "sub" / "a.py").exists()
    assert not outside.exists()


def test_a_repository_inside_that_is_no_submodule_is_at_its_commit_too(root: Path, tmp_path: Path) -> None:
    git(write_tree(root / "inner", {"a": ""}), "init", "--quiet", "-b", "main")
    git(root / "inner", "add", "-A")
    git(root / "inner", "commit", "--quiet", "-m", "a commit")
    commit(root)
    write_tree(root, {"inner/untracked": ""})
    tree = check_out(look(root), tmp_path / "out", in_place=False)
    assert files_in(tree / "inner") == {".git", "a"}


# What git archive would do, and a clone does not.


def test_attributes_of_export_are_those_of_an_archive_alone(root: Path, tmp_path: Path) -> None:
    attributes = ".git_archival.txt export-subst\ntests export-ignore\n"
    write_tree(root, {".gitattributes": attributes, ".git_archival.txt": "$Format:%H$\n", "tests/test_a.py": ""})
    commit(root)
    tree = check_out(look(root), tmp_path / "out", in_place=False)
    assert (tree / ".git_archival.txt").read_text(encoding="utf-8") == "$Format:%H$\n"
    assert (tree / "tests" / "test_a.py").exists()


@posix
@pytest.mark.parametrize("in_place", [False, True])
def test_the_users_umask_is_no_part_of_a_checkout(root: Path, tmp_path: Path, *, in_place: bool) -> None:
    before = os.umask(0o077)
    try:
        write_tree(root, {"new.sh": ""})
        (root / "new.sh").chmod(0o700)
        commit(root)
        tree = check_out(look(root), tmp_path / "out", in_place=in_place)
    finally:
        os.umask(before)
    modes = {name: (tree / name).stat().st_mode & 0o777 for name in ("new.sh", "README.md")}
    assert modes == {"new.sh": 0o755, "README.md": 0o644}


def test_in_place_builds_submodules_too(root: Path, tmp_path: Path) -> None:
    commit(write_tree(tmp_path / "library", {"a": ""}))
    git(root, "submodule", "add", "--quiet", str(tmp_path / "library"), "vendored")
    commit(root)
    tree = check_out(look(root), tmp_path / "out", in_place=True)
    assert (tree / "vendored" / "a").exists()


@pytest.mark.parametrize("with_git", [True, False])
def test_in_place_or_without_git_it_is_the_working_tree_without_our_outputs(tmp_path: Path, *, with_git: bool) -> None:
    root = sample(tmp_path / "ein Übungsstück")
    if with_git:
        commit(root)
    expected = files_in(root) | {"new", "src/dist/kept"}
    write_tree(root, {"new": "", "src/dist/kept": "", "src/__pycache__/a.pyc": ""})
    write_tree(root, {"dist/a.whl": "", "release-record/built.json": "", ".nox/a": ""})
    tree = check_out(look(root), tmp_path / "out", in_place=with_git)
    assert tree == tmp_path / "out"
    assert files_in(tree) == expected


def test_a_checkout_that_fails_says_why_in_gits_words(root: Path, tmp_path: Path) -> None:
    write_tree(tmp_path / "out", {"in the way": ""})
    with pytest.raises(CheckoutFailed, match="already exists and is not an empty directory"):
        check_out(look(root), tmp_path / "out", in_place=False)


def lose(repository: Path, place: str) -> None:
    """Remove the object of the committed file at `place` from the store."""
    found = git(repository, "rev-parse", f"HEAD:{place}")
    store = repository / git(repository, "rev-parse", "--git-common-dir") / "objects" / found[:2] / found[2:]
    store.chmod(0o644)
    store.unlink()


def test_a_file_whose_object_is_missing_stops_the_build(root: Path, tmp_path: Path) -> None:
    write_tree(root, {"src/demo/größe.txt": "a text of its own"})
    commit(root)
    lose(root, "src/demo/größe.txt")
    with pytest.raises(CheckoutFailed, match=r"git did not write src/demo/größe\.txt; `git fsck`"):
        check_out(look(root), tmp_path / "out", in_place=False)


def test_a_file_of_a_submodule_whose_object_is_missing_stops_the_build(root: Path, tmp_path: Path) -> None:
    lose(add_submodule(root, tmp_path / "library"), "a.py")
    with pytest.raises(CheckoutFailed, match=r"git did not write a\.py;"):
        check_out(look(root), tmp_path / "out", in_place=False)


def test_file_names_that_are_not_unicode_are_fine(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux has such names")
    root = write_tree(tmp_path / "demo", {"a": ""})
    Path(os.fsdecode(bytes(root) + b"/caf\xe9")).touch()
    plain = look(root).fingerprint("")
    commit(root)
    assert plain.startswith("tree:")
    assert tracked(look(root)) == ("a", os.fsdecode(b"caf\xe9"))
    assert len(files_in(check_out(look(root), tmp_path / "out", in_place=False))) == 2
