from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.rules.distribution import Distribution, Release
from seatrial.rules.rule import of
from tests.archives import SDIST, WHEEL, sdist, wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archives import Fields

OTHER_WHEEL = "demo-1.0-cp314-cp314-win32.whl"


def judged(code: str, *paths: Path, tags: tuple[str, ...] = (), patterns: tuple[str, ...] | None = None) -> list[str]:
    """Return what the rule `code` finds in a release of `paths`."""
    archives = tuple(Distribution.open(path) for path in paths)
    release = Release(archives, tags) if patterns is None else Release(archives, tags, patterns)
    return [message for rule in of("release") if rule.code == code for message in rule.find(release)]


def test_files_of_two_projects_are_named(tmp_path: Path) -> None:
    other = wheel(tmp_path, filename="demo_two-1.0-py3-none-any.whl")
    (message,) = judged("release-one-project", wheel(tmp_path), other)
    assert "demo, demo-two" in message
    same = wheel(tmp_path, filename="Demo.Two-1.0-py3-none-any.whl")
    assert judged("release-one-project", other, same) == []


def test_files_of_two_versions_are_named(tmp_path: Path) -> None:
    other = sdist(tmp_path, filename="demo-1.1.tar.gz")
    (message,) = judged("release-one-version", wheel(tmp_path), other)
    assert "1.0, 1.1" in message
    same = sdist(tmp_path, filename="demo-1.0.0.tar.gz")
    assert judged("release-one-version", wheel(tmp_path), same) == []


def test_two_sdists_are_named(tmp_path: Path) -> None:
    paths = (wheel(tmp_path), sdist(tmp_path), wheel(tmp_path, filename=OTHER_WHEEL))
    assert judged("release-one-sdist", *paths) == []
    (message,) = judged("release-one-sdist", *paths, sdist(tmp_path, filename="demo-1.0.0.tar.gz"))
    assert f"demo-1.0.0.tar.gz, {SDIST}" in message


def test_a_release_without_one_kind_is_named(tmp_path: Path) -> None:
    assert judged("release-no-sdist", wheel(tmp_path))
    assert judged("release-no-wheel", sdist(tmp_path))
    for code in ("release-no-sdist", "release-no-wheel"):
        assert judged(code, wheel(tmp_path), sdist(tmp_path)) == []


# The sdist's metadata against the wheels'.


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"Requires-Dist": "six"}, {"Requires-Dist": ["six", "attrs"]}),
        ({"Summary": "one"}, {"Summary": "two"}),
        ({"Requires-Python": None}, {"Requires-Python": ">=3.10"}),
    ],
)
def test_a_field_that_differs_is_named(tmp_path: Path, ours: Fields, theirs: Fields) -> None:
    (message,) = judged("release-metadata-agree", sdist(tmp_path, ours), wheel(tmp_path, theirs))
    (field,) = ours
    assert message.startswith(f"{field.lower()} differs: ")
    assert WHEEL in message


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({"Requires-Dist": "six", "Dynamic": ["Requires-Dist"]}, {"Requires-Dist": ["six", "attrs"]}),
        ({"Requires-Dist": ["attrs", "six"]}, {"Requires-Dist": ["six", "attrs"]}),
        ({"Keywords": "one"}, {"Keywords": "two"}),
        ({"Author": "one"}, {}),
    ],
)
def test_fields_that_agree_or_may_differ_pass(tmp_path: Path, ours: Fields, theirs: Fields) -> None:
    assert judged("release-metadata-agree", sdist(tmp_path, ours), wheel(tmp_path, theirs)) == []


def test_a_long_value_is_shortened(tmp_path: Path) -> None:
    (message,) = judged("release-metadata-agree", sdist(tmp_path, {"Summary": "x" * 500}), wheel(tmp_path))
    assert "xxx..." in message
    assert len(message) < 400


def test_wheels_alone_have_nothing_to_differ_from(tmp_path: Path) -> None:
    paths = (wheel(tmp_path), wheel(tmp_path, {"Summary": "other"}, filename=OTHER_WHEEL))
    assert judged("release-metadata-agree", *paths) == []


# The tag.


@pytest.mark.parametrize(
    ("tags", "patterns"),
    [
        (("v1.1",), None),
        (("1.1",), None),
        (("v0.9", "v1.1"), None),
        (("demo-1.1",), ("demo-{version}",)),
        (("demo-1.1-rc1",), ("{name}-{version}",)),
        (("demo@1.1",), ("{name}@{version}",)),
        (("Demo@1.1", "other@1.0"), ("{name}@{version}",)),
        (("release/1.1/final",), ("release/{version}/final",)),
    ],
)
def test_a_tag_of_another_version_is_named(
    tmp_path: Path, tags: tuple[str, ...], patterns: tuple[str, ...] | None
) -> None:
    (message,) = judged("release-tag", wheel(tmp_path), tags=tags, patterns=patterns)
    assert ", ".join(tags) in message
    assert "version 1.0" in message


@pytest.mark.parametrize(
    ("tags", "patterns"),
    [
        ((), None),
        (("v1.0",), None),
        (("1.0.0",), None),
        (("v1.1", "v1.0"), None),
        (("latest", "vanilla", "docs-2"), None),
        (("v1.1",), ("demo-{version}",)),
        (("v1-1",), ("v1.{version}",)),
        (("other@1.1",), ("{name}@{version}",)),
        (("demo@1.0", "other@2.0"), ("{name}@{version}",)),
        ((f"v{'9' * 5000}",), None),
    ],
)
def test_a_tag_of_this_version_or_of_none_passes(
    tmp_path: Path, tags: tuple[str, ...], patterns: tuple[str, ...] | None
) -> None:
    assert judged("release-tag", wheel(tmp_path), tags=tags, patterns=patterns) == []


def test_a_version_that_git_made_of_a_changed_tree_is_not_told_to_raise_it(tmp_path: Path) -> None:
    made = wheel(tmp_path, filename="demo-1.1.dev0+g3a56.d20240506-py3-none-any.whl")
    assert judged("release-tag", made, tags=("v1.0",)) == []
    assert judged("release-tag", wheel(tmp_path, filename="demo-1.1.dev0-py3-none-any.whl"), tags=("v1.0",))


def test_the_message_on_a_tag_names_the_setting(tmp_path: Path) -> None:
    (message,) = judged("release-tag", wheel(tmp_path), tags=("v1.1",))
    assert message.endswith("raise the version, or move the tag. (The setting `tag` says how tags are spelt.)")


@pytest.mark.parametrize(
    ("tags", "patterns"),
    [(("v1.1", "v1.0"), None), (("v1.0", "other@9.0", "demo@1.0", "demo@v1.1"), ("{name}@{version}",))],
)
def test_a_higher_tag_beside_that_of_this_version_is_told(
    tmp_path: Path, tags: tuple[str, ...], patterns: tuple[str, ...] | None
) -> None:
    (message,) = judged("release-tag-higher", wheel(tmp_path), tags=tags, patterns=patterns)
    higher = next(tag for tag in tags if tag.endswith("1.1"))
    assert message == (
        f"HEAD is tagged {higher} as well, which is higher than 1.0, the version of the files: delete the tag that is"
        " not meant. (The setting `tag` says how tags are spelt.)"
    )


@pytest.mark.parametrize("tags", [(), ("v1.0", "v0.9"), ("v1.1",), ("v1.0", "1.0.0"), ("v1.0", "other@2.0")])
def test_tags_of_which_none_is_higher_pass(tmp_path: Path, tags: tuple[str, ...]) -> None:
    assert judged("release-tag-higher", wheel(tmp_path), tags=tags) == []


def test_a_tag_with_no_readable_file_passes() -> None:
    assert judged("release-tag", tags=("v1.1",)) == []


def test_what_a_build_needed_beside_its_requirements_is_named() -> None:
    (rule,) = (rule for rule in of("release") if rule.code == "release-build-reaches")
    (message,) = rule.find(Release(reached=("git describe", "crates.io")))
    assert message.endswith("asked for more than its requirements:\n  git describe\n  crates.io")
    assert not list(rule.find(Release()))


def lost(code: str, *names: str) -> list[str]:
    release = Release(lacking=names)
    return [message for rule in of("release") if rule.code == code for message in rule.find(release)]


@pytest.mark.parametrize("name", ["demo/a.py", "demo/_c.cpython-313-x86_64-linux-gnu.so"])
def test_a_module_that_is_lost_stops_the_release(name: str) -> None:
    (message,) = lost("release-lost-modules", name, "demo/data.json")
    assert message == f"these modules are lost on the way through the sdist:\n  {name}"
    assert lost("release-lost-files", name) == []


@pytest.mark.parametrize(
    "name", ["demo/data.json", "demo/a.pyi", "tests/__init__.py", "demo/tests/test_a.py", "test_demo.py"]
)
def test_another_file_that_is_lost_is_told(name: str) -> None:
    (message,) = lost("release-lost-files", name, "demo/a.py")
    assert message == f"these files are lost on the way through the sdist:\n  {name}"
    assert lost("release-lost-modules", name) == []


def test_where_nothing_is_lost_nothing_is_said() -> None:
    assert lost("release-lost-modules") == lost("release-lost-files") == []
