"""The page on releases that were built again: all that is listed is on it, and what it counts is enough."""

from __future__ import annotations

import re
from typing import Any

from tests import rebuilds
from tests.rebuilds import PAGE, Release, Run, cell, counts, releases, rows, trouble

RELEASE = Release("owner/demo", "1.0", "flit-core", "pure")
SAID: dict[str, Any] = {
    "verdict": "different",
    "made_by": "flit 3.12.0",
    "requirements": "requirements as of 2025-06-02",
    "tried": ["as usual", "no SOURCE_DATE_EPOCH"],
    "seconds": 7,
    "files": [
        {
            "filename": "demo-1.0.tar.gz",
            "verdict": "equivalent",
            "way": "no SOURCE_DATE_EPOCH",
            "packing": ["times", "owners"],
            "clocked": True,
            "differences": [],
        },
        {
            "filename": "demo-1.0-py3-none-any.whl",
            "verdict": "different",
            "way": "",
            "packing": ["times"],
            "clocked": False,
            "differences": [{"member": "demo/mod.py", "matters": True}, {"member": "WHEEL", "matters": False}],
        },
    ],
    "not_judged": ["demo-1.0-cp313-cp313-win_amd64.whl"],
}


def test_enough_is_listed_and_all_of_it_is_on_the_page() -> None:
    listed = releases()
    assert len(listed) >= 24
    assert len({release.repository for release in listed}) >= 8
    assert len({release.backend for release in listed}) >= 5
    page = PAGE.read_text(encoding="utf-8")
    for release in listed:
        head = re.escape(f"| {release.repository} {release.version} | {release.backend} | ")
        assert set(re.findall(head + r"(\w+) \|", page)) == set(rebuilds.INSTALLERS), release


def test_nine_in_ten_of_the_pure_ones_are_identical_or_equivalent() -> None:
    page = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"^\| pure Python, with \w+ .*\| (\d+) of (\d+) \(", page, re.MULTILINE)
    assert len(found) == len(rebuilds.INSTALLERS)
    assert all(int(good) >= 0.9 * int(of) for good, of in found)


def test_a_row_has_what_came_of_each_file_and_what_it_took() -> None:
    assert cell(SAID, "sdist") == "**equivalent** (no SOURCE_DATE_EPOCH) but for times of a clock and owners"
    assert cell(SAID, "wheel") == "**different** `demo/mod.py`; 1 not judged"
    (row,) = rows([Run(RELEASE, "uv", SAID, "")])
    assert row.endswith("| flit 3.12.0, requirements as of 2025-06-02 | 2 in 7 s |\n")


def test_what_failed_is_told_and_counted() -> None:
    lines = [
        "FAILED rebuild   1 s",
        "v1.0 cannot be built here. Tried:",
        "  | x.ValueError: /tmp/a/b is no name",
        "Usual cause: y.",
    ]
    failed = Run(RELEASE, "pip", {}, trouble(lines))
    assert "ValueError: b is no name" in next(rows([failed]))
    table = counts([failed, Run(RELEASE, "uv", SAID, "")])
    assert "| pure Python, with uv | 1 | 0 | 0 | 1 | 0 | 0 | 0 of 1 (0 %) |" in table
    assert "| pure Python, with pip | 1 | 0 | 0 | 0 | 0 | 1 | 0 of 1 (0 %) |" in table
