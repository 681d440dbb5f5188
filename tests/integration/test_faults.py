"""Indexes that fail while the program talks to them: what a user reads, and that the same command goes on afterwards.

test_index_faults.py has every fault against every step.
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.index_server import ALWAYS
from tests.program import VARIABLE
from tests.samples.messages import is_clear

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.conftest import Indexes, Project

NAME = "TestPyPI (stand-in)"
WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"
PAGE = "/simple/"
FILES = "/packages/"


@pytest.fixture
def checked(bring: Callable[[str], Project], indexes: Indexes) -> Iterator[Project]:
    """A project that is built and checked, and indexes that end up with its files, whatever happens."""
    yield bring("check")
    assert indexes.testpypi.uploads <= 3  # what a 502 answered is sent again where the page lags
    assert indexes.held("pypi") == {}


def goes_on(project: Project, indexes: Indexes) -> bool:
    """Whether the same session, run again, ends well with exactly the built files on the index."""
    indexes.testpypi.orders.clear()
    return project.step("testpypi", alone=True).code == 0 and indexes.held("testpypi") == project.files()


def test_an_upload_that_is_refused_says_why(checked: Project, indexes: Indexes) -> None:
    indexes.testpypi.order("status", method="POST", times=ALWAYS, detail="403 Forbidden for a reason that is new.")
    refused = checked.step("testpypi", alone=True)
    assert is_clear(refused, NAME, "403 Forbidden for a reason that is new.", "does not know this answer")
    assert indexes.env["TESTPYPI_TOKEN"] not in refused.output
    assert indexes.env["PYPI_TOKEN"] not in refused.output
    assert not (checked.record / "rehearsed.json").exists()
    assert indexes.testpypi.uploads == 0
    indexes.testpypi.orders.clear()
    indexes.testpypi.order("stored-then-502", method="POST")
    indexes.testpypi.order("status", prefix=PAGE, detail="500 Oh")
    assert checked.step("testpypi", alone=True).code == 0
    assert indexes.held("testpypi") == checked.files()
    assert indexes.testpypi.uploads == 2  # what was stored and answered with 502 is not sent again


def test_the_second_file_goes_alone_where_the_first_arrived(checked: Project, indexes: Indexes) -> None:
    indexes.testpypi.order("never", method="POST", times=0)
    (indexes.folder / "testpypi" / WHEEL).write_bytes((checked.dist / WHEEL).read_bytes())
    assert checked.step("testpypi", alone=True).code == 0
    assert indexes.testpypi.uploads == 1


@pytest.mark.parametrize(
    ("kind", "detail", "said"),
    [
        ("html", None, "did not answer"),
        ("status", "403 Forbidden", "refused to show"),
        ("status", "401 Unauthorized", "refused to show"),
    ],
)
def test_an_index_that_cannot_be_read_gets_nothing(
    checked: Project, indexes: Indexes, kind: str, detail: Any, said: str
) -> None:
    indexes.testpypi.order(kind, prefix=PAGE, times=ALWAYS, detail=detail)
    assert is_clear(checked.step("testpypi", alone=True), NAME, said)
    assert indexes.testpypi.uploads == 0
    assert goes_on(checked, indexes)


@pytest.mark.parametrize(
    ("kind", "said"), [("html", "did not answer"), ("status", "refused to show")], ids=["a login page", "403"]
)
def test_later_sessions_stop_likewise_where_they_cannot_read(
    checked: Project, bring: Callable[[str], Project], indexes: Indexes, kind: str, said: str
) -> None:
    detail = "403 Forbidden"
    bring("testpypi")
    indexes.testpypi.order(kind, prefix=PAGE, times=ALWAYS, detail=detail)
    assert is_clear(checked.step("verify", alone=True), NAME, said)
    assert list(checked.record.glob("verified-*.json")) == []
    bring("verify")
    indexes.pypi.order(kind, prefix=PAGE, times=ALWAYS, detail=detail)
    assert is_clear(checked.step("pypi", "--yes", "1.0", alone=True), "PyPI (stand-in)", said)
    assert indexes.pypi.uploads == 0


def test_verify_waits_for_a_page_that_lags_and_for_a_busy_index(
    checked: Project, bring: Callable[[str], Project], indexes: Indexes
) -> None:
    bring("testpypi")
    indexes.testpypi.order("status", prefix=PAGE, detail="503 Busy")
    indexes.testpypi.order("page", prefix=PAGE, times=2, detail=lambda page: page["files"].clear())
    assert checked.step("verify", "--kind", "sdist", alone=True).code == 0


def test_other_bytes_on_pypi_stop_before_anything_is_sent(
    checked: Project, bring: Callable[[str], Project], indexes: Indexes
) -> None:
    bring("verify")
    (indexes.folder / "pypi" / SDIST).write_bytes(b"other bytes")
    assert is_clear(
        checked.step("pypi", "--yes", "1.0", alone=True), "PyPI (stand-in) already has different files for demo", SDIST
    )
    assert indexes.pypi.uploads == 0
    (indexes.folder / "pypi" / SDIST).unlink()


@pytest.mark.slow
def test_an_unreachable_index(checked: Project, indexes: Indexes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        closed = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    before = checked.env[VARIABLE]
    checked.env[VARIABLE] = json.dumps(json.loads(before) | {"testpypi": closed})
    assert is_clear(checked.step("testpypi", alone=True), f"{NAME} cannot be read at", "nothing is uploaded twice")
    checked.env[VARIABLE] = before
    assert goes_on(checked, indexes)


def test_an_index_without_hashes_proves_nothing(checked: Project, indexes: Indexes) -> None:
    def strip(page: dict[str, Any]) -> None:
        for file in page["files"]:
            file["hashes"] = {}

    indexes.testpypi.order("page", prefix=PAGE, times=ALWAYS, detail=strip)
    assert is_clear(checked.step("testpypi", alone=True), "cannot be verified", "lists them without sha256")


def test_yanked_files_are_a_rehearsal_and_no_release(
    checked: Project, bring: Callable[[str], Project], indexes: Indexes
) -> None:
    def yank(page: dict[str, Any]) -> None:
        page["files"][0]["yanked"] = "broken"

    indexes.testpypi.order("page", prefix=PAGE, times=ALWAYS, detail=yank)
    (indexes.folder / "testpypi" / WHEEL).write_bytes((checked.dist / WHEEL).read_bytes())
    done = checked.step("testpypi", alone=True)
    assert done.code == 0
    assert done.shows(f"warning yanked on {NAME}: {WHEEL}")
    bring("verify")
    indexes.pypi.order("page", prefix=PAGE, times=ALWAYS, detail=yank)
    (indexes.folder / "pypi" / WHEEL).write_bytes((checked.dist / WHEEL).read_bytes())
    stopped = checked.step("pypi", "--yes", "1.0", alone=True)
    assert is_clear(stopped, "was yanked on PyPI (stand-in)", WHEEL)
    (indexes.folder / "pypi" / WHEEL).unlink()
