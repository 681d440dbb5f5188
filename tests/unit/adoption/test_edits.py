"""The lines that adopting adds to files that are there already."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.adoption.changes import with_lines, with_sessions

CALL = 'runpy.run_path("tasks/release.py")'
TYPICAL = '''\
"""Sessions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nox


@nox.session
def tests(session: nox.Session) -> None:
    session.run("pytest")
'''


def lines_of(noxfile: str) -> list[str]:
    return with_sessions(noxfile, CALL).splitlines()


def test_the_import_goes_where_a_formatter_would_put_it() -> None:
    lines = lines_of(TYPICAL)
    assert lines[lines.index("import os") : lines.index("import sys") + 1] == [
        "import os",
        "import runpy",
        "import sys",
    ]
    assert lines[-4:] == ["", "", "# The release sessions, last, so that the others keep their names.", CALL]


def test_an_import_that_is_there_is_not_repeated() -> None:
    noxfile = "import runpy\n\nimport nox\n"
    assert with_sessions(noxfile, CALL).count("import runpy") == 1


@pytest.mark.parametrize(
    ("noxfile", "head"),
    [
        ("import nox\n", ["import runpy", "", "import nox"]),
        (
            "import json\nfrom pathlib import Path\n\nimport nox\n",
            ["import json", "import runpy", "from pathlib import Path"],
        ),
        ("import json\n\nimport nox\n", ["import json", "import runpy", "", "import nox"]),
        ('"""Sessions."""\nimport nox\n', ['"""Sessions."""', "import runpy", "", "import nox"]),
        ("import shutil\nimport nox\n", ["import runpy", "import shutil", "import nox"]),
        ('"""Nothing yet."""\n', ['"""Nothing yet."""', "", "import runpy", ""]),
        ("", ["import runpy", ""]),
    ],
)
def test_the_import_fits_into_any_head(noxfile: str, head: list[str]) -> None:
    assert lines_of(noxfile)[: len(head)] == head


def test_a_noxfile_keeps_its_line_ends_and_all_of_its_text() -> None:
    before = TYPICAL.replace("\n", "\r\n")
    after = with_sessions(before, CALL)
    assert "\n" not in after.replace("\r\n", "")
    assert [line for line in after.splitlines() if line in before.splitlines()] >= before.splitlines()[:-1]


@given(
    st.lists(
        st.sampled_from(["import os", "import zipfile", "from re import sub", "import nox", "X = 1", "\f", ""]),
        max_size=8,
    )
)
def test_whatever_a_noxfile_holds_stays_in_its_order(parts: list[str]) -> None:
    before = "\n".join(parts)
    after = with_sessions(before, CALL)
    ast.parse(after)
    rest = iter(after.split("\n"))
    assert all(line in rest for line in before.split("\n") if line.strip())
    assert after.count("import runpy\n") == 1


# Lines of other files.


def test_lines_are_added_once_and_in_the_files_own_line_ends() -> None:
    after = with_lines("*.pyc\r\ndist/", ["/dist/", "/.nox/"], "# ours")
    assert after == "*.pyc\r\ndist/\r\n\r\n# ours\r\n/.nox/\r\n"
    assert with_lines(after, ["/dist/", "/.nox/"], "# ours") == after


def test_an_empty_file_gets_no_empty_line() -> None:
    assert with_lines("", ["/dist/"], "# ours") == "# ours\n/dist/\n"
