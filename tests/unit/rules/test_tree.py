"""The rules on a release beside what git has, each with a release that fails it and its neighbour that passes."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

import pytest

from seatrial.rules.distribution import Distribution, Release
from seatrial.rules.judge import judge_together
from tests.archives import LICENSE, SDIST, gzipped, metadata, sdist, sdist_members, tarred, wheel, written

if TYPE_CHECKING:
    from pathlib import Path

TRACKED = ("LICENSE", "README.md", "pyproject.toml", "src/demo/__init__.py")


def judged(
    code: str, *paths: Path, committed: tuple[str, ...], lacking: tuple[str, ...] = (), clean: bool = True
) -> list[str]:
    """Return what the rule `code` finds in a release of `paths`."""
    release = Release(committed=committed, lacking=lacking, clean=clean)
    problems = judge_together(map(Distribution.open, paths), release)
    return [problem.message for problem in problems if problem.rule == code]


# What git tracks and the sdist lacks.


@pytest.mark.parametrize(
    "name", ["src/demo/data.json", "src/demo/a/b/c.h", "src/demo/_fast.pyx", "LICENSE.vendored", "NOTICE"]
)
def test_a_tracked_file_that_the_sdist_lacks_is_told(tmp_path: Path, name: str) -> None:
    path = sdist(tmp_path)
    (message,) = judged("release-left-out", path, committed=(*TRACKED, name))
    assert message == f"git tracks files that the sdist lacks, next to others that it contains:\n  {name}"
    whole = sdist(tmp_path, files={f"demo-1.0/{name}": LICENSE})
    assert judged("release-left-out", whole, committed=(*TRACKED, name)) == []


@pytest.mark.parametrize(
    "name",
    [
        ".gitignore",
        ".github/workflows/test.yml",
        "src/demo/.editorconfig",
        "Makefile",
        "tox.ini",
        "docs/index.md",
        "tests/test_demo.py",
        "src/demo/tests/data.json",
        "src/demo/test_a.py",
        "docker/Dockerfile",
        "src/internal/a.py",
        "examples/LICENSE",
    ],
)
def test_what_is_left_out_by_choice_is_not_told(tmp_path: Path, name: str) -> None:
    assert judged("release-left-out", sdist(tmp_path), committed=(*TRACKED, name)) == []


def test_documentation_that_is_packed_in_part_is_not_told(tmp_path: Path) -> None:
    path = sdist(tmp_path, files={"demo-1.0/docs/a.md": "", "demo-1.0/data/a.json": ""})
    assert judged("release-left-out", path, committed=("docs/b.md",)) == []
    assert judged("release-left-out", path, committed=("data/b.json",))


def test_what_is_lost_on_the_way_to_the_wheel_is_not_told_twice(tmp_path: Path) -> None:
    names = ("src/demo/a.json", "src/demo/b.json")
    (message,) = judged("release-left-out", sdist(tmp_path), committed=names, lacking=("demo/a.json",))
    assert message.endswith(":\n  src/demo/b.json")


def test_links_and_submodules_are_there(tmp_path: Path) -> None:
    link = tarfile.TarInfo("demo-1.0/src/demo/b.md")
    link.type, link.linkname = tarfile.SYMTYPE, "../../README.md"
    members = sdist_members(SDIST, metadata(), {"demo-1.0/src/demo/vendored/a.c": ""})
    path = written(tmp_path, SDIST, gzipped(tarred([*members.items(), (link, b"")])))
    assert judged("release-left-out", path, committed=("src/demo/b.md", "src/demo/vendored")) == []


def test_without_git_or_an_sdist_nothing_is_compared(tmp_path: Path) -> None:
    assert judged("release-left-out", sdist(tmp_path), committed=()) == []
    assert judged("release-left-out", wheel(tmp_path), committed=("src/demo/data.json",)) == []


# What the wheel has and git does not.


@pytest.mark.parametrize("name", ["demo/old.py", "demo/data.json", "build/lib/demo/a.py", "demo/notes.txt"])
def test_a_file_that_git_does_not_have_is_told(tmp_path: Path, name: str) -> None:
    path = wheel(tmp_path, files={name: ""})
    (message,) = judged("release-untracked", path, committed=TRACKED, clean=False)
    assert message == f"{path.name} contains files that git does not have:\n  {name}"
    assert judged("release-untracked", path, committed=(*TRACKED, f"src/{name}"), clean=False) == []
    assert judged("release-untracked", path, committed=TRACKED, clean=True) == []
    assert judged("release-untracked", path, committed=(), clean=False) == []


@pytest.mark.parametrize(
    "name",
    [
        "demo/_version.py",
        "demo/version.py",
        "demo/__version__.py",
        "demo/api_pb2.py",
        "demo/_fast.cpython-313-x86_64-linux-gnu.so",
        "demo.libs/libfoo-1a2b.so.1.2",
        "demo.libs/.load-order-demo-1.0",
        "demo/.dylibs/libfoo",
        "demo/locale/de/LC_MESSAGES/demo.mo",
        "demo-1.0.data/scripts/demo",
        "other/__init__.py",
    ],
)
def test_what_builds_make_is_not_told(tmp_path: Path, name: str) -> None:
    path = wheel(tmp_path, files={name: ""})
    assert judged("release-untracked", path, committed=TRACKED, clean=False) == []
