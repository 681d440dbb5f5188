from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from seatrial.building import git as module
from seatrial.building import tags
from seatrial.building.checkout import check_out
from seatrial.building.tags import (
    next_release,
    next_tag,
    put,
    raised,
    read,
    spelt,
    tag_of,
    version_tags,
)
from tests.projects import EPOCH, commit, git, sample, write_tree

if TYPE_CHECKING:
    from pathlib import Path

PATTERNS = ("v{version}", "{version}")

READ: list[tuple[str, str, str | None]] = [
    ("v1.2", "v{version}", "1.2"),
    ("v2024.01.02", "v{version}", "2024.1.2"),
    ("1.2rc1", "{version}", "1.2rc1"),
    ("v1.2", "{version}", None),
    ("vnext", "v{version}", None),
    ("v1.2-final-cut", "v{version}", None),
    ("hunt_demo-v1.2", "{name}-v{version}", "1.2"),
    ("Hunt.Demo-v1.2", "{name}-v{version}", "1.2"),
    ("hunt-other-v1.2", "{name}-v{version}", None),
    ("hunt-demo-v1.2", "v{version}", None),
    ("release/1.2", "release/{version}", "1.2"),
    ("v1+2", "v1+{version}", "2"),
]


@pytest.mark.parametrize(("tag", "pattern", "version"), READ)
def test_a_tag_is_read_by_its_pattern(tag: str, pattern: str, version: str | None) -> None:
    found = read(tag, (pattern,), "hunt-demo")
    assert (str(found.version) if found else None) == version


def test_a_tag_is_spelt_by_its_pattern() -> None:
    assert spelt("{name}/v{version}", "demo", "1.2") == "demo/v1.2"


NEXT: list[tuple[str, str | None, str]] = [
    ("4.58.1.dev2+gccb12fc2e", "4.58.0", "4.58.1"),  # setuptools-scm, hatch-vcs
    ("1.4.0.post1.dev0+abc", "1.4.0", "1.4.1"),  # poetry-dynamic-versioning, dunamai
    ("1.4.0.post3", "1.4.0", "1.4.1"),
    ("1.4.0+3.gabc", "1.4.0", "1.4.1"),  # versioneer
    ("1.4.1.dev3", "1.4.0", "1.4.1"),  # pbr
    ("2.0rc2.dev1+gabc", "2.0rc1", "2.0rc2"),
    ("2.0rc1+3.gabc", "2.0rc1", "2.0rc2"),
    ("1.0.post2.dev1+gabc", "1.0.post1", "1.0.post2"),
    ("1.0.post1+1.gabc", "1.0.post1", "1.0.post2"),
    ("2024.5.dev3+gabc", "2024.4", "2024.5"),
    ("1!2.1.dev3+gabc", "1!2.0", "1!2.1"),
    ("1!2.0+3.gabc", "1!2.0", "1!2.1"),
    ("0.1.dev3+gabc", None, "0.1"),
    ("0.0.0.post3.dev0+abc", None, "0.1"),
    ("0+untagged.3.gabc", None, "0.1"),
]


@pytest.mark.parametrize(("version", "last", "expected"), NEXT)
def test_the_release_that_a_commit_would_become(version: str, last: str | None, expected: str) -> None:
    assert str(next_release(Version(version), Version(last) if last else None)) == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.4", "1.5"), ("1.4.9", "1.4.10"), ("2.0rc1", "2.0rc2"), ("1.0rc1.post2", "1.0rc1.post3")],
)
def test_the_last_part_is_raised(version: str, expected: str) -> None:
    assert str(raised(Version(version))) == expected


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """A repository with three releases, and tags of something else."""
    root = sample(tmp_path / "demo")
    for tag in ("v1.9", "v1.10", "other-v7.0", "nightly"):
        commit(root, tag)
    git(root, "switch", "--quiet", "--create", "maintenance", "v1.9")
    commit(write_tree(root, {"fix": ""}), "v1.9.1")
    return root


def test_version_tags_are_those_of_the_project_lowest_first(tagged: Path) -> None:
    source = module.look(tagged)
    assert [tag.name for tag in version_tags(source, PATTERNS, "demo", merged=False)] == ["v1.9", "v1.9.1", "v1.10"]
    assert [tag.name for tag in version_tags(source, PATTERNS, "demo", merged=True)] == ["v1.9", "v1.9.1"]


def test_usual_spellings_are_looked_for_where_the_setting_fits_none(tagged: Path) -> None:
    source = module.look(tagged)
    assert version_tags(source, ("r{version}",), "other", merged=False)[-1].name == "other-v7.0"
    assert version_tags(source, ("V{version}", "v{version}"), "other", merged=False)[-1].name == "v1.10"
    assert version_tags(source, ("{name}+{version}",), "other", merged=False)[0].name == "v1.9"
    assert version_tags(module.look(sample(tagged.parent / "bare")), PATTERNS, "demo", merged=True) == ()


@pytest.mark.parametrize(
    ("project", "version", "tag"),
    [
        ("demo", "1.10", "v1.10"),
        ("demo", "1.10.0", "v1.10"),
        ("other", "7.0", "other-v7.0"),
        ("demo", "7.0", None),
        ("demo", "no version", None),
    ],
)
def test_the_tag_of_a_version(tagged: Path, project: str, version: str, tag: str | None) -> None:
    assert tag_of(module.look(tagged), PATTERNS, project, version) == tag


def test_the_next_tag_is_spelt_as_the_last_one(tagged: Path) -> None:
    source = module.look(tagged)
    assert next_tag(source, PATTERNS, "demo", Version("1.9.2.dev1+gabc")).name == "v1.9.2"
    assert next_tag(source, PATTERNS, "demo", Version("0"), wanted=Version("2.0")).name == "v2.0"
    git(tagged, "tag", "Demo/v1.11")
    assert next_tag(source, ("{name}/v{version}",), "demo", Version("1.12.dev1")).name == "Demo/v1.12"


def test_the_next_tag_is_spelt_as_the_latest_one_after_a_change_of_spelling(tagged: Path) -> None:
    def tag(name: str, day: int) -> None:
        date = {"GIT_COMMITTER_DATE": f"2025-01-0{day}T00:00:00Z"}
        module.run(tagged, "-c", "user.name=x", "-c", "user.email=x", "tag", "-a", "-m", "x", name, more=date)

    source = module.look(tagged)
    tag("demo-v0.9", 2)
    tag("demo-v0.10", 1)
    tags_here = version_tags(source, PATTERNS, "demo", merged=True)
    assert [tag.name for tag in tags_here] == ["v1.9", "v1.9.1", "demo-v0.9", "demo-v0.10"]
    assert next_tag(source, PATTERNS, "demo", Version("0.11.dev1")).name == "demo-v0.11"
    assert next_tag(source, ("v{version}",), "demo", Version("2.0.dev1")).name == "demo-v2.0"
    assert next_tag(source, ("v{version}", "r{version}"), "demo", Version("2.0.dev1")).name == "v2.0"


def test_a_first_tag_is_spelt_as_the_setting_says(tmp_path: Path) -> None:
    root = sample(tmp_path / "demo")
    commit(root)
    assert next_tag(module.look(root), ("r-{version}",), "demo", Version("0.1.dev1")).name == "r-0.1"


def test_the_tag_is_put_into_the_checkout_alone(tagged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "signing"
    config.write_text("[tag]\n\tgpgSign = true\n[user]\n\tuseConfigOnly = true\n", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_EDITOR", "false")
    before = git(tagged, "tag", "--list")
    source = module.look(tagged)
    checkout = check_out(source, tmp_path / "checkout", in_place=False)
    put(checkout, source, "v1.9.2")
    assert git(checkout, "describe") == "v1.9.2"  # which sees annotated tags alone
    assert git(checkout, "for-each-ref", "--format=%(taggerdate:unix)", "refs/tags/v1.9.2") == str(EPOCH + 1)
    assert git(tagged, "tag", "--list") == before


def test_a_tag_is_the_tree_that_it_names(tagged: Path) -> None:
    source = module.look(tagged)
    git(tagged, "tag", "--annotate", "--message", "x", "annotated", "v1.9")
    for tag in ("v1.9", "annotated"):
        found = tags.at_tag(source, tag)
        assert (found.commit, found.tags, found.epoch) == (git(tagged, "rev-parse", "v1.9"), (tag,), EPOCH)
