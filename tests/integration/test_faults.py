"""Indexes that fail while they are talked to: what comes of it, and that the same command goes on afterwards."""

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


@pytest.mark.parametrize(
    ("kind", "detail"),
    [("status", "503 Busy"), ("status", "429 Too Many Requests"), ("reset", None), ("stored-then-502", None)],
)
def test_an_upload_that_fails_once_is_tried_again(checked: Project, indexes: Indexes, kind: str, detail: Any) -> None:
    indexes.testpypi.order(kind, method="POST", detail=detail)
    done = checked.step("testpypi", alone=True)
    assert done.code == 0, done.output
    assert indexes.held("testpypi") == checked.files()
    assert indexes.testpypi.uploads == (3 if kind == "stored-then-502" else 2)


def test_the_second_file_goes_alone_where_the_first_arrived(checked: Project, indexes: Indexes) -> None:
    indexes.testpypi.order("never", method="POST", times=0)
    (indexes.folder / "testpypi" / WHEEL).write_bytes((checked.dist / WHEEL).read_bytes())
    assert checked.step("testpypi", alone=True).code == 0
    assert indexes.testpypi.uploads == 1


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("403 Invalid or non-existent authentication information.", "the token is wrong, was revoked"),
        ("403 Forbidden for a reason that is new.", "may read this index and not write to it"),
        ("400 This filename has already been used, use a different version.", "choose the next version"),
    ],
)
def test_an_upload_that_is_refused_says_why(checked: Project, indexes: Indexes, status: str, said: str) -> None:
    indexes.testpypi.order("status", method="POST", times=ALWAYS, detail=status)
    refused = checked.step("testpypi", alone=True)
    assert is_clear(refused, f"{NAME} did not take the files", said)
    assert not (checked.record / "rehearsed.json").exists()
    assert indexes.testpypi.uploads == 0
    assert goes_on(checked, indexes)


def test_no_token_ever_shows(checked: Project, indexes: Indexes) -> None:
    indexes.testpypi.order("status", method="POST", times=ALWAYS, detail="403 Forbidden")
    refused = checked.step("testpypi", alone=True)
    assert refused.code == 1
    assert indexes.env["TESTPYPI_TOKEN"] not in refused.output
    assert indexes.env["PYPI_TOKEN"] not in refused.output


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
    ("kind", "detail"), [("status", "500 Oh"), ("status", "429 Too Many Requests"), ("reset", None), ("slow", 2)]
)
def test_a_read_that_fails_or_lasts_once_is_no_trouble(
    checked: Project, indexes: Indexes, kind: str, detail: Any
) -> None:
    indexes.testpypi.order(kind, prefix=PAGE, detail=detail)
    assert checked.step("testpypi", alone=True).code == 0


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
        checked.step("pypi", "--yes", "1.0", alone=True), "PyPI (stand-in) holds something else than was built", SDIST
    )
    assert indexes.pypi.uploads == 0
    (indexes.folder / "pypi" / SDIST).unlink()


def test_an_unreachable_index(checked: Project, indexes: Indexes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        closed = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    before = checked.env[VARIABLE]
    checked.env[VARIABLE] = json.dumps(json.loads(before) | {"testpypi": closed})
    assert is_clear(checked.step("testpypi", alone=True), f"{NAME} cannot be read at", "nothing is uploaded twice")
    checked.env[VARIABLE] = before
    assert goes_on(checked, indexes)


def test_other_bytes_after_the_upload_are_found(checked: Project, indexes: Indexes) -> None:
    def swap(page: dict[str, Any]) -> None:
        for file in page["files"]:
            file["hashes"]["sha256"] = "0" * 64

    indexes.testpypi.order("page", prefix=PAGE, times=ALWAYS, detail=swap)
    stopped = checked.step("testpypi", alone=True)
    assert is_clear(stopped, "holds something else than was built", "0" * 64)
    assert not (checked.record / "rehearsed.json").exists()


def test_an_index_without_hashes_proves_nothing(checked: Project, indexes: Indexes) -> None:
    def strip(page: dict[str, Any]) -> None:
        for file in page["files"]:
            file["hashes"] = {}

    indexes.testpypi.order("page", prefix=PAGE, times=ALWAYS, detail=strip)
    assert is_clear(checked.step("testpypi", alone=True), "cannot be proved", "lists files without their sha256")


def test_a_yanked_file_stops(checked: Project, indexes: Indexes) -> None:
    def yank(page: dict[str, Any]) -> None:
        page["files"][0]["yanked"] = "broken"

    indexes.testpypi.order("page", prefix=PAGE, times=ALWAYS, detail=yank)
    assert is_clear(checked.step("testpypi", alone=True), "(yanked)")


def test_a_page_that_lags_is_waited_for(checked: Project, indexes: Indexes) -> None:
    indexes.testpypi.order("page", prefix=PAGE, times=4, detail=lambda page: page["files"].clear())
    assert checked.step("testpypi", alone=True).code == 0


def test_a_page_that_lags_for_ever_is_no_failed_release(checked: Project, indexes: Indexes) -> None:
    indexes.testpypi.order("page", prefix=PAGE, times=ALWAYS, detail=lambda page: page["files"].clear())
    late = checked.step("testpypi", alone=True)
    assert is_clear(late, "does not show it after 5 seconds", WHEEL, SDIST, "uploads nothing twice")
    assert goes_on(checked, indexes)
    assert indexes.testpypi.uploads == 2


@pytest.mark.parametrize("suffix", [WHEEL, SDIST])
def test_verify_takes_the_sealed_bytes_or_nothing(
    checked: Project, bring: Callable[[str], Project], indexes: Indexes, suffix: str
) -> None:
    bring("testpypi")
    indexes.testpypi.order("status", prefix=f"{FILES}{suffix}", times=ALWAYS, detail="200 OK")
    stopped = checked.step("verify", alone=True)
    assert stopped.code == 1
    assert "Traceback" not in stopped.output
    assert stopped.shows(suffix, "What to do:")
    kind = "sdist" if suffix == SDIST else "wheel"
    assert list(checked.record.glob(f"verified-*-{kind}.json")) == []
    indexes.testpypi.orders.clear()
    assert checked.step("verify", alone=True).code == 0


def test_pypi_reads_back_what_it_serves(checked: Project, bring: Callable[[str], Project], indexes: Indexes) -> None:
    bring("verify")
    indexes.pypi.order("status", method="POST", times=ALWAYS, detail="403 Forbidden")
    refused = checked.step("pypi", "--yes", "1.0", alone=True)
    assert is_clear(refused, "PyPI (stand-in) did not take the files")
    assert not (checked.record / "released.json").exists()


def test_a_name_that_is_somebody_elses_there_comes_with_ways_out(checked: Project, indexes: Indexes) -> None:
    said = "The user 'ada' isn't allowed to upload to project 'demo'."
    indexes.testpypi.order("status", method="POST", times=ALWAYS, detail=f"403 {said}")
    refused = checked.step("testpypi", alone=True)
    assert is_clear(refused, f"{NAME} does not take demo from you", said, "--rehearse-on dryrun", "Cost:")
    assert goes_on(checked, indexes)
