"""What is missing for a release of a commit; `tests/integration/test_supposed.py` builds with real tools."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import pytest

from seatrial.building import git as source_of
from seatrial.building import supposed
from seatrial.building.supposed import outstanding
from seatrial.index.http import IndexUnreachable
from seatrial.index.indexes import PYPI
from seatrial.index.simple import Listing, Served
from tests.projects import commit, git, sample, write_tree
from tests.samples.stages import BUILT

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.release.stages import Built

PATTERNS = ("v{version}", "{version}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project without a tag."""
    project = sample(tmp_path / "demo")
    commit(project)
    return project


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the index have the release."""
    served = (Served("demo-1.0.tar.gz", "", "https://f.example/", yanked=False),)
    monkeypatch.setattr(supposed, "read_project", lambda *_, **__: Listing(served))


def missing(root: Path, built: Built = BUILT) -> str:
    return outstanding(built, source_of.look(root), PATTERNS, PYPI)


@pytest.fixture
def unreleased(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the index have nothing of the project."""
    monkeypatch.setattr(supposed, "read_project", lambda *_, **__: Listing())


@pytest.mark.usefixtures("unreleased")
def test_nothing_is_missing_for_a_tagged_commit_and_for_a_project_without_tags(root: Path) -> None:
    assert missing(root) == ""
    git(root, "tag", "v1.0")
    assert missing(root) == ""


@pytest.mark.usefixtures("released")
def test_all_that_is_missing_is_one_sentence(root: Path) -> None:
    git(root, "tag", "v1.0")
    commit(write_tree(root, {"more": "1"}))
    write_tree(root, {"more": "2"})
    assert missing(root) == "to release this commit: commit 1 change, raise the version (1.0 is on PyPI), tag it"


@pytest.mark.usefixtures("unreleased")
def test_a_tag_that_is_missing_or_elsewhere_is_named(root: Path) -> None:
    first = replace(BUILT, version="0.1", supposed_tag="v0.1")  # whose version comes from a tag that nobody has set
    assert missing(root, first) == "to release this commit: tag it v0.1"
    git(root, "tag", "v1.0")
    commit(write_tree(root, {"more": "1", "other": "1"}))
    assert missing(root) == "to release this commit: move the tag v1.0 here or raise the version"
    built = replace(BUILT, version="1.1", supposed_tag="v1.1")
    assert missing(root, built) == "to release this commit: tag it v1.1"
    write_tree(root, {"more": "2", "other": "2"})
    assert missing(root, built) == "to release this commit: commit 2 changes, tag it v1.1"


def test_an_index_that_does_not_answer_or_is_not_asked_is_left_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_project(*_: object, **__: object) -> NoReturn:
        raise IndexUnreachable("PyPI", "https://pypi.org/simple/demo/", "no network")

    monkeypatch.setattr(supposed, "read_project", read_project)
    assert missing(root) == ""
    assert outstanding(BUILT, source_of.look(root), PATTERNS, None) == ""
