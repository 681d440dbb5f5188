"""Whose a project on an index is: from files that a real small index serves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.index import owners
from seatrial.index.holdings import read_project
from seatrial.index.indexes import PYPI, Index
from seatrial.index.simple import Served
from seatrial.index.tokens import make
from seatrial.release.archives import Metadata
from seatrial.standin.launch import serving
from seatrial.standin.server import StandinIndex
from tests.archives import sdist, wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index").mkdir()
    return tmp_path / "index"


@pytest.fixture
def index(folder: Path) -> Iterator[Index]:
    with serving(StandinIndex(folder, make("pypi.org"))) as url:
        yield replace(PYPI, simple=f"{url}/simple/")


def author(index: Index) -> str | None:
    found = owners.latest(index, read_project(index, "demo").files)
    return found.first("author") if found else None


def test_the_latest_version_says_whose_it_is(folder: Path, index: Index) -> None:
    sdist(folder, {"Author": "Old", "Version": "0.9"}, filename="demo-0.9.tar.gz")
    sdist(folder, {"Author": "New"})
    assert author(index) == "New"


def test_of_a_wheel_the_metadata_beside_it_is_read(folder: Path, index: Index) -> None:
    path = wheel(folder, {"Author": "Inside"})
    path.with_name(f"{path.name}.metadata").write_text("Name: demo\nAuthor: Beside\n", encoding="utf-8")
    sdist(folder, {"Author": "Sdist"})
    assert author(index) == "Beside"


def test_what_cannot_be_had_for_little_is_not_known(index: Index, tmp_path: Path) -> None:
    assert owners.latest(index, ()) is None
    large = Served("demo-1.0.tar.gz", "0" * 64, f"{index.simple}demo-1.0.tar.gz", yanked=False, size=1 << 30)
    assert owners.latest(index, (large, replace(large, yanked=True, size=1), replace(large, size=0))) is None
    assert list(tmp_path.glob("owners*")) == []


def of(text: str) -> Metadata:
    return Metadata.parse(f"Name: demo\n{text}\n\n".encode())


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Author: Ada Example", "Author-email: ada example <other@x.example>"),
        ("Author-email: Ada <ada@example.org>", "Maintainer-email: ADA@example.org"),
        ('Author-email: "Example, Ada" <a@b.example>, Bea <b@b.example>', "Author: Bea"),
        ("Project-URL: Source, https://github.com/Ada/demo", "Home-page: https://www.github.com/ada/old"),
        ("Project-URL: Docs, https://demo.readthedocs.io/en/x", "Home-page: http://demo.readthedocs.io"),
    ],
)
def test_one_name_address_or_place_in_common_is_enough(ours: str, theirs: str) -> None:
    assert owners.shared(of(ours), of(theirs))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("", ""),
        ("Author: Ada", "Author: Bea"),
        ("Home-page: https://github.com/ada/demo", "Home-page: https://github.com/bea/demo"),
        ("Home-page: https://pypi.org/project/demo", "Home-page: https://pypi.org/project/demo"),
        ("Home-page: https://[", "Home-page: https://["),
        ("Author: UNKNOWN", "Author: UNKNOWN"),
    ],
)
def test_nothing_in_common(ours: str, theirs: str) -> None:
    assert not owners.shared(of(ours), of(theirs))


def test_whom_a_project_names_is_told_in_a_few_words() -> None:
    text = "Author: Ada\nAuthor-email: ada@example.org\nHome-page: https://example.org"
    assert owners.described(of(text)) == "Ada, ada@example.org"
    assert owners.described(of("Project-URL: Source, https://example.org")) == "https://example.org"
    assert owners.described(of("")) == ""
