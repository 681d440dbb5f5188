from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from seatrial.index import http
from seatrial.index.conflicts import is_spent, next_version
from seatrial.index.holdings import read_project
from seatrial.index.http import LONGEST_PAUSE, RETRY_AFTER, IndexUnreachable, Page, retry_after
from seatrial.index.indexes import PYPI, TESTPYPI, Indexes
from seatrial.index.simple import Listing
from seatrial.release.stages import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc)


# The next version.


@pytest.mark.parametrize(
    ("version", "following"),
    [
        ("1.0", "1.0.1"),
        ("1", "1.0.1"),
        ("1.2.3", "1.2.4"),
        ("1.2.3.4", "1.2.3.5"),
        ("2024.5.6", "2024.5.7"),
        ("1.0rc1", "1.0rc2"),
        ("1.0.post1", "1.0.post2"),
        ("1.0.dev3", "1.0.dev4"),
        ("1.0rc1.post2.dev3", "1.0rc1.post2.dev4"),
        ("1.0rc1.post2", "1.0rc1.post3"),
        ("3!1.2.3", "3!1.2.4"),
        ("1.0+local", "1.0.1"),
        ("no version", ""),
    ],
)
def test_the_next_version_is_the_smallest_step(version: str, following: str) -> None:
    assert next_version(version) == following


def test_versions_that_are_taken_are_passed_over_however_they_are_spelt() -> None:
    assert next_version("1.0", map(Version, ["1.0.1", "1.0.2.0", "1.1"])) == "1.0.3"


numbers = st.integers(0, 9)
versions = st.builds(
    lambda release, pre, post, dev: Version(".".join(map(str, release)) + pre + post + dev),
    st.lists(numbers, min_size=1, max_size=4),
    st.sampled_from(["", "a0", "b1", "rc2"]),
    st.sampled_from(["", ".post0", ".post3"]),
    st.sampled_from(["", ".dev0", ".dev5"]),
)


@given(version=versions, taken=st.sets(versions))
def test_the_next_version_is_later_and_free(version: Version, taken: set[Version]) -> None:
    found = Version(next_version(str(version), taken))
    assert found > version
    assert found not in taken


# A version that is spent on the rehearsal index alone.

SPENT = Problem("index-other-bytes", "error", "release", "TestPyPI has other bytes.", index="TestPyPI")
SPENT_ON_PYPI = Problem("index-other-bytes", "error", "release", "PyPI has other bytes.", index="PyPI")
NOT_ASKED = Problem("index-not-checked", "warning", "release", "PyPI could not be asked.", index="PyPI")
OF_SOMETHING_ELSE = Problem("metadata-summary", "warning", "demo-1.0.tar.gz", "there is no Summary.")


@pytest.mark.parametrize(
    ("found", "spent"),
    [
        ([SPENT], True),
        ([SPENT, OF_SOMETHING_ELSE], True),
        ([SPENT, SPENT_ON_PYPI], False),
        ([SPENT, NOT_ASKED], False),
        ([SPENT_ON_PYPI], False),
        ([OF_SOMETHING_ELSE], False),
        ([], False),
    ],
)
def test_ways_out_are_for_a_version_that_pypi_does_not_have(found: list[Problem], *, spent: bool) -> None:
    assert is_spent(Indexes(TESTPYPI, PYPI, PYPI), found) is spent


# What an index asks for.


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("0", 0),
        (" 30 ", 30),
        ("-5", 0),
        ("soon", 0),
        ("Mon, 06 May 2024 07:08:39 GMT", 30),
        ("Mon, 06 May 2024 07:08:39 -0000", 30),
        ("Mon, 06 May 2024 09:08:39 +0200", 30),
        ("Mon, 06 May 2024 07:00:00 GMT", 0),
        ("Mon, 99 May 2024 07:00:00 GMT", 0),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 0),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", 0),
    ],
)
def test_a_pause_is_asked_for_in_seconds_or_by_date(text: str, seconds: float) -> None:
    assert retry_after(text, NOW) == seconds


@given(st.text())
def test_nothing_that_is_asked_for_breaks_the_reader(text: str) -> None:
    assert retry_after(text, NOW) >= 0


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


def busy(*asked: float) -> Iterator[Page | IndexUnreachable]:
    """Yield answers of an index that is busy, and one at last."""
    for pause in asked:
        yield IndexUnreachable("TestPyPI", "https://test.pypi.org/simple/demo/", "429 Too Many Requests", pause)
    yield Page(b'{"files": []}', "https://test.pypi.org/simple/demo/")


def test_what_an_index_asks_for_is_obeyed(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    answers = busy(0.0, 20.0, 2.0)

    def answer(*_args: object) -> Page:
        found = next(answers)
        if isinstance(found, IndexUnreachable):
            raise found
        return found

    monkeypatch.setattr(http, "_received", answer)
    assert read_project(TESTPYPI, "demo") == Listing()
    assert pauses == [RETRY_AFTER[0], 20.0, RETRY_AFTER[2]]


def test_an_index_that_asks_for_too_much_is_left_alone(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    def answer(*_args: object) -> Page:
        raise next(error for error in busy(LONGEST_PAUSE + 1) if isinstance(error, IndexUnreachable))

    monkeypatch.setattr(http, "_received", answer)
    with pytest.raises(IndexUnreachable, match="it asked us to retry in 121 s"):
        read_project(TESTPYPI, "demo")
    assert pauses == []
