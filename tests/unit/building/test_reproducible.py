"""The reasons on the page about reproducible files are found in the files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import reproducible
from tests.archives import wheel
from tests.reproducible import FOLDER, RECORD, UNKNOWN, Row, page, reason

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACE = Path("/tmp/a b/seatrial-build")  # noqa: S108 (nothing is written there)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("demo/_c.so", b"\x00/tmp/a b/seatrial-build/src/demo-1.0/_c.c\x00", FOLDER),
        ("demo-1.0.dist-info/sboms/demo.json", b"file:///tmp/a%20b/seatrial-build/src/demo-1.0", FOLDER),
        ("demo/_c.so", b"\x00/tmp/other/src/demo-1.0/_c.c\x00", UNKNOWN),
        ("demo-1.0.dist-info/RECORD", b"", RECORD),
    ],
)
def test_the_reason_is_what_the_member_shows(name: str, content: bytes, expected: str) -> None:
    assert reason(name, content, PLACE) == expected


def built(folder: Path, files: Mapping[str, str]) -> Path:
    folder.mkdir()
    return wheel(folder, files=files)


def test_the_members_that_differ_are_named_with_their_reasons(tmp_path: Path) -> None:
    row = Row("by hand")
    first = built(tmp_path / "first", {"demo/where.py": f"x = '{PLACE}'\n", "demo/when.py": "x = 1\n"})
    row.compare(
        first, built(tmp_path / "same", {"demo/where.py": f"x = '{PLACE}'\n", "demo/when.py": "x = 1\n"}), PLACE
    )
    row.compare(first, built(tmp_path / "other", {"demo/where.py": "x = ''\n", "demo/when.py": "x = 2\n"}), PLACE)
    members = ("demo-1.0.dist-info/RECORD", "demo/when.py", "demo/where.py")
    assert row.cells == ["same", ", ".join(f"`{name}`" for name in members)]
    assert row.reasons == dict(zip(members, (RECORD, UNKNOWN, FOLDER), strict=True))
    row.cells += ["same"] * (len(reproducible.CHANGES) - 2)
    text = page({"flit-core": {"wheel": row}})
    assert f"| flit-core | wheel | by hand | same | {row.cells[1]} | same |" in text
    assert f"- flit-core, wheel: `demo/where.py` {FOLDER}.\n" in text


def test_where_nothing_differs_there_is_no_reason() -> None:
    text = page({"flit-core": {"wheel": Row("by hand", ["same"] * len(reproducible.CHANGES))}})
    assert "Where they differ" not in text
