from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest

from tasks.archives import Archive
from tasks.rules import twine as module
from tests.archives import found, sdist, wheel

if TYPE_CHECKING:
    from pathlib import Path

RST = {"Description-Content-Type": "text/x-rst"}
GOOD = "demo\n====\n\nA project.\n"


@pytest.mark.parametrize(
    ("description", "broken"),
    [(GOOD, "demo\n===\n\n.. no-directive::\n"), (GOOD, "*demo\n"), (GOOD, ":no-role:`x`\n")],
)
def test_a_description_that_does_not_render_is_an_error(tmp_path: Path, description: str, broken: str) -> None:
    (message,) = found(wheel(tmp_path, RST, description=broken), "twine-check")
    assert message.startswith("`twine check` fails: ")
    assert "Checking" not in message
    assert found(wheel(tmp_path, RST, description=description), "twine-check") == []


def test_metadata_that_is_not_valid_is_an_error(tmp_path: Path) -> None:
    (message,) = found(sdist(tmp_path, {"Requires-Dist": "six >= one"}), "twine-check")
    assert "requires-dist" in message.lower()
    assert found(sdist(tmp_path, {"Requires-Dist": "six >= 1"}), "twine-check") == []


@pytest.mark.parametrize("make", [wheel, sdist])
def test_a_missing_content_type_is_a_warning(tmp_path: Path, make: object) -> None:
    assert callable(make)
    path = make(tmp_path, {"Description-Content-Type": None}, description=GOOD)
    (message,) = found(path, "twine-check-warning")
    assert message.startswith("`twine check` warns: ")
    assert "long_description_content_type" in message
    assert found(path, "twine-check") == []
    assert found(make(tmp_path), "twine-check-warning") == []


def test_what_fails_is_not_also_a_warning(tmp_path: Path) -> None:
    path = wheel(tmp_path, {"Description-Content-Type": None}, description="*demo\n")
    assert found(path, "twine-check-warning") == []
    assert found(path, "twine-check")


def test_an_archive_that_is_gone_is_a_finding(tmp_path: Path) -> None:
    archive = Archive.open(wheel(tmp_path))
    archive.path.write_bytes(b"PK")
    (message,) = module.errors.find(archive)
    assert "it ends in " in message


@pytest.mark.parametrize("columns", [None, "70"])
def test_twine_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: str | None) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    assert found(wheel(tmp_path), "twine-check") == []
    assert os.environ.get("COLUMNS") == columns
    assert logging.getLogger("twine").handlers == []
