from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.errors import CheckoutFailed, GitMissing, NoCommit, NotYet, ShallowClone
from tasks.source import NO_GIT_EPOCH, check_out, commit_of_tag, look, tracked
from tests.projects import EPOCH, commit, git, sample, write_tree

Change = Callable[[Path], None]

PLACES = ["demo", "a project", "größe/Übung 1", "パッケージ"]
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bit, and symlinks need a right there")


@pytest.fixture(autouse=True)
def user_config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an empty file in place of this machine's git settings."""
    config = tmp_path_factory.mktemp("home") / "gitconfig"
    config.touch()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return config


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A committed project."""
    project = sample(tmp_path / "demo")
    commit(project)
    return project


def files_in(folder: Path) -> set[str]:
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return {name for name in names if not name.startswith(".git/")}


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


def test_the_tags_at_head_are_found(root: Path) -> None:
    git(root, "tag", "v0.9")
    commit(root, tag="v1.0")
    git(root, "tag", "-a", "-m", "annotated", "released")
    assert look(root).tags == ("released", "v1.0")


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


def test_gits_own_words_are_passed_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(CheckoutFailed, match="dubious ownership") as error:
        look(root)
    assert "in-place = true" in str(error.value)


def test_tracked_files_are_those_of_the_project(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    git(write_tree(repository, {"README": ""}), "init", "--quiet", "-b", "main")
    root = write_tree(repository / "libs", {"größe 1.txt": "", "b/c": ""})
    commit(repository)
    write_tree(root, {"untracked": ""})
    assert tracked(look(root)) == ("b/c", "größe 1.txt")


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


# The clean copy.


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


def test_a_git_lfs_pointer_is_refused_by_name(root: Path, tmp_path: Path) -> None:
    write_tree(root, {"src/demo/big file.bin": POINTER, "docs/lfs.md": f"> {POINTER}"})
    commit(root)
    with pytest.raises(CheckoutFailed, match="Git LFS pointers") as error:
        check_out(look(root), tmp_path / "out", in_place=False)
    assert "src/demo/big file.bin" in str(error.value)
    assert "docs/lfs.md" not in str(error.value)


def test_submodules_are_refused_with_the_way_out(root: Path, tmp_path: Path) -> None:
    commit(write_tree(tmp_path / "library", {"a": ""}))
    git(root, "submodule", "add", "--quiet", str(tmp_path / "library"), "vendored")
    commit(root)
    with pytest.raises(NotYet, match="git submodules") as error:
        check_out(look(root), tmp_path / "out", in_place=False)
    assert "`in-place = true` builds it" in str(error.value)


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
