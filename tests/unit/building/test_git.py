from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from seatrial.building.checkout import check_out
from seatrial.building.git import (
    NO_GIT_EPOCH,
    CheckoutFailed,
    ForeignOwner,
    GitMissing,
    NoCommit,
    ShallowClone,
    commit_of_tag,
    committed,
    look,
    of,
    tracked,
)
from seatrial.project.context import DryRun
from tests.projects import EPOCH, commit, git, sample, write_tree
from tests.samples.contexts import make_context

Change = Callable[[Path], None]

PLACES = ["demo", "a project", "größe/Übung 1", "パッケージ"]

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bit, and symlinks need a right there")


# What git says of it.


@pytest.mark.parametrize("place", PLACES)
def test_a_clean_tree_is_its_commit(tmp_path: Path, place: str) -> None:
    root = sample(tmp_path / place)
    head = commit(root)
    found = look(root)
    assert (found.commit, found.epoch, found.inside, found.tags) == (head, EPOCH, "", ())
    assert found.top is not None
    assert found.top.resolve() == root.resolve()
    assert not found.dirty


def modify(root: Path) -> None:
    write_tree(root, {"README.md": "# other\n"})


def stage(root: Path) -> None:
    modify(root)
    git(root, "add", "README.md")


def add_untracked(root: Path) -> None:
    write_tree(root, {"README.md": "# demo\n", "new file/größe.txt": "new"})
    git(root, "checkout", "README.md")


def delete(root: Path) -> None:
    (root / "README.md").unlink()


def rename(root: Path) -> None:
    git(root, "mv", "README.md", "READ ME.md")


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (modify, ("README.md",)),
        (stage, ("README.md",)),
        (add_untracked, ("new file",)),
        (delete, ("README.md",)),
        (rename, ("READ ME.md", "README.md")),
    ],
)
@pytest.mark.parametrize("place", ["", "libs/größe 1"])
def test_what_is_not_as_committed_makes_it_dirty(
    tmp_path: Path, change: Change, names: tuple[str, ...], place: str
) -> None:
    root = sample(tmp_path / "repository" / place)
    git(tmp_path / "repository", "init", "--quiet", "-b", "main")
    commit(tmp_path / "repository")
    change(root)
    found = look(root)
    assert found.dirty
    assert found.changed == names


@pytest.mark.parametrize(
    "output",
    ["dist/demo-1.0.tar.gz", "release-record/built.json", ".nox/build/pyvenv.cfg", "src/demo/__pycache__/a.pyc"],
)
def test_our_own_outputs_never_make_it_dirty(root: Path, output: str) -> None:
    git(root, "rm", "--quiet", ".gitignore")
    commit(root)
    write_tree(root, {output: ""})
    assert look(root).changed == ()


def test_an_output_that_lies_deeper_is_not_ours(root: Path) -> None:
    git(root, "rm", "--quiet", ".gitignore")
    commit(root)
    write_tree(root, {"src/dist/file": ""})
    assert look(root).changed == ("src/dist",)


def test_ignored_files_do_not_make_it_dirty(root: Path) -> None:
    write_tree(root, {".gitignore": "*.log\n"})
    commit(root)
    write_tree(root, {"debug.log": ""})
    assert not look(root).dirty


def test_a_project_in_a_subfolder_is_looked_at_alone(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    git(write_tree(repository, {"README": ""}), "init", "--quiet", "-b", "main")
    root = sample(repository / "libs" / "größe 1")
    commit(repository)
    write_tree(repository, {"elsewhere": "untracked"})
    found = look(root)
    assert found.inside == "libs/größe 1"
    assert not found.dirty


def test_a_project_that_is_new_to_its_repository_is_dirty(tmp_path: Path) -> None:
    commit(write_tree(tmp_path, {"README": ""}))
    found = look(sample(tmp_path / "demo"))
    assert found.changed == (".",)


def test_a_dry_run_looks_once_and_other_steps_each_time(root: Path, tmp_path: Path) -> None:
    for dry, once in ((DryRun(tmp_path), True), (None, False)):
        context = make_context(root, dry=dry)
        first = of(context)
        commit(root)
        assert (of(context) == first) is once


def test_the_tags_at_head_are_found(root: Path) -> None:
    git(root, "tag", "v0.9")
    commit(root, tag="v1.0")
    git(root, "tag", "-a", "-m", "annotated", "released")
    git(root, "tag", "1.0,final")
    git(root, "branch", "v1.1")
    git(root, "config", "log.excludeDecoration", "refs/tags/v1.0")
    assert look(root).tags == ("1.0,final", "released", "v1.0")


def test_a_detached_head_is_as_good(root: Path) -> None:
    first = git(root, "rev-parse", "HEAD")
    commit(root)
    git(root, "checkout", "--quiet", "--detach", first)
    assert look(root).commit == first


def test_a_worktree_is_as_good(root: Path, tmp_path: Path) -> None:
    git(root, "worktree", "add", "--quiet", "-b", "release", str(tmp_path / "work tree"))
    head = commit(write_tree(tmp_path / "work tree", {"new": ""}))
    found = look(tmp_path / "work tree")
    assert found.commit == head
    assert (check_out(found, tmp_path / "out", in_place=False) / "new").exists()


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE"])
def test_the_place_of_another_repository_does_not_mislead(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    expected = look(root)
    commit(write_tree(tmp_path / "other", {"a": ""}))
    monkeypatch.setenv(variable, str(tmp_path / "other" / ".git"))
    assert look(root) == expected


@pytest.mark.parametrize("setting", ["column.ui=always", "color.ui=always", "status.branch=true", "tag.sort=-refname"])
def test_how_the_user_likes_git_to_print_does_not_matter(root: Path, user_config: Path, setting: str) -> None:
    commit(root, tag="v1.0")
    git(root, "tag", "other")
    git(root, "config", "--file", str(user_config), *setting.split("="))
    assert sorted(look(root).tags) == ["other", "v1.0"]


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="signs with ssh-keygen")
def test_a_signature_that_git_shows_is_not_taken_for_the_commit(root: Path, tmp_path: Path, user_config: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for name, value in {"gpg.format": "ssh", "user.signingKey": str(key), "log.showSignature": "true"}.items():
        git(root, "config", "--file", str(user_config), name, value)
        git(root, "config", name, value)
    git(root, "commit", "--quiet", "--allow-empty", "-S", "-m", "signed")
    assert look(root).epoch == EPOCH


def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    git(sample(tmp_path), "init", "--quiet")
    with pytest.raises(NoCommit, match="has no commit yet") as error:
        look(tmp_path)
    assert "git init" in str(error.value)


def test_a_missing_git_is_named(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitMissing, match="the program git was not found") as error:
        look(root)
    assert "install git" in str(error.value)


def test_without_a_repository_git_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert look(sample(tmp_path / "demo")).commit is None


def test_a_shallow_clone_is_refused_with_the_cure(root: Path, tmp_path: Path) -> None:
    commit(root)
    git(tmp_path, "clone", "--quiet", "--depth=1", root.as_uri(), "shallow")
    with pytest.raises(ShallowClone, match="shallow clone") as error:
        look(tmp_path / "shallow")
    assert "git fetch --unshallow --tags" in str(error.value)
    assert "fetch-depth: 0" in str(error.value)


def test_a_whole_clone_is_fine(root: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", root.as_uri(), "whole")
    assert look(tmp_path / "whole").commit == git(root, "rev-parse", "HEAD")


def test_a_repository_of_another_user_is_named_with_the_cure(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(ForeignOwner, match="belongs to another user") as error:
        look(root)
    assert f"git config --global --add safe.directory {root}" in str(error.value)


def test_gits_own_words_are_passed_on(root: Path) -> None:
    write_tree(root, {".git/HEAD": "nonsense\n"})
    with pytest.raises(CheckoutFailed, match="not a git repository") as error:
        look(root)
    assert "in-place = true" in str(error.value)


def test_tracked_files_are_those_of_the_project(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    git(write_tree(repository, {"README": ""}), "init", "--quiet", "-b", "main")
    root = write_tree(repository / "libs", {"größe 1.txt": "", "b/c": ""})
    commit(repository)
    write_tree(root, {"untracked": ""})
    assert tracked(look(root)) == ("b/c", "größe 1.txt")


def test_committed_files_are_those_of_the_project_that_belong_into_an_archive(tmp_path: Path) -> None:
    attributes = "docs export-ignore\n*.ini export-ignore\nkept.ini -export-ignore\n"
    files = {
        "a.py": "",
        "größe 1.txt": "",
        "docs/a/b": "",
        "x/tox.ini": "",
        "kept.ini": "",
        ".gitattributes": attributes,
    }
    git(write_tree(tmp_path, {"beside": ""}), "init", "--quiet", "-b", "main")
    write_tree(tmp_path / "demo", files)
    commit(tmp_path)
    write_tree(tmp_path / "demo", {"untracked": ""})
    git(tmp_path / "demo", "rm", "--quiet", "--cached", "a.py")
    found = committed(look(tmp_path / "demo"))
    assert found == (".gitattributes", "a.py", "größe 1.txt", "kept.ini")


def test_nothing_is_tracked_without_git(tmp_path: Path) -> None:
    assert tracked(look(sample(tmp_path))) == ()


# The commit of a tag.


def test_a_tag_names_its_commit(root: Path) -> None:
    head = commit(root, tag="v1.0")
    git(root, "tag", "-a", "-m", "annotated", "v1.0-annotated")
    assert commit_of_tag(root, "v1.0") == head
    assert commit_of_tag(root, "v1.0-annotated") == head


def test_a_tag_that_is_not_there_names_none(root: Path) -> None:
    git(root, "branch", "v1.0")
    assert commit_of_tag(root, "v1.0") is None


def test_a_tag_that_moved_names_where_it_is_now(root: Path) -> None:
    first = commit(root, tag="v1.0")
    second = commit(write_tree(root, {"new": ""}))
    git(root, "tag", "--force", "v1.0")
    assert first != second
    assert commit_of_tag(root, "v1.0") == second


# The fingerprint.


def test_the_fingerprint_is_commit_and_recipe(root: Path) -> None:
    head = git(root, "rev-parse", "HEAD")
    assert look(root).fingerprint("wheel") == f"git:{head};wheel"
    modify(root)
    assert look(root).fingerprint("wheel") == f"git:{head}+dirty;wheel"


def test_in_place_the_fingerprint_of_a_dirty_tree_follows_its_contents(root: Path) -> None:
    modify(root)
    before = look(root).fingerprint("wheel", in_place=True)
    assert look(root).fingerprint("wheel", in_place=True) == before
    write_tree(root, {"README.md": "# again other\n"})
    assert look(root).fingerprint("wheel", in_place=True) != before


def fingerprint_without_git(root: Path) -> str:
    found = look(root)
    assert (found.top, found.commit, found.epoch) == (None, None, NO_GIT_EPOCH)
    return found.fingerprint("wheel")


def change_content(root: Path) -> None:
    write_tree(root, {"README.md": "# demo!\n"})


def change_name(root: Path) -> None:
    (root / "README.md").rename(root / "README.rst")


def make_executable(root: Path) -> None:
    (root / "README.md").chmod(0o755)


def move_a_boundary(root: Path) -> None:
    """Move the end of one file to the start of the next."""
    write_tree(root, {"a": "1", "b": "23"})


def retarget(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").symlink_to("b")


def retarget_folder(root: Path) -> None:
    (root / "folder").unlink()
    (root / "folder").symlink_to("empty")


def touch(root: Path) -> None:
    os.utime(root / "README.md", (0, 0))


def add_outputs(root: Path) -> None:
    outputs = ["dist/a.whl", "release-record/built.json", ".nox/a", "__pycache__/a.pyc", "src/__pycache__/b.pyc"]
    write_tree(root, dict.fromkeys(outputs, ""))


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A project without git, with a few of everything."""
    root = sample(tmp_path / "ein Übungsstück", files={"a": "12", "b": "3"})
    (root / "empty").mkdir()
    if os.name != "nt":
        (root / "link").symlink_to("a")
        (root / "folder").symlink_to("src")
    return root


@pytest.mark.parametrize(
    "change",
    [
        change_content,
        change_name,
        move_a_boundary,
        pytest.param(make_executable, marks=posix),
        pytest.param(retarget, marks=posix),
        pytest.param(retarget_folder, marks=posix),
    ],
)
def test_without_git_the_fingerprint_changes_with(plain: Path, change: Change) -> None:
    before = fingerprint_without_git(plain)
    change(plain)
    assert fingerprint_without_git(plain) != before


@pytest.mark.parametrize("change", [touch, add_outputs])
def test_without_git_the_fingerprint_stays_with(plain: Path, change: Change) -> None:
    before = fingerprint_without_git(plain)
    change(plain)
    assert fingerprint_without_git(plain) == before
