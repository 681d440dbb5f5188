"""What `rebuild` found out, as the report shows it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from seatrial.release.stages import Again, Difference, Rebuilt
from seatrial.report.markdown import markdown
from seatrial.report.page.html import page
from tests.archives import SDIST, WHEEL
from tests.samples.reports import assert_harmless, gathered, recorded
from tests.samples.stages import BUILT

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "<script>alert(1)</script>"
EVIL = Difference("demo/mod.py", "text", matters=True, lines=("@@ -2,0 +3 @@", f"+{HOSTILE}"))
HARMLESS = Difference("demo-1.0.dist-info/WHEEL", "metadata", matters=False, lines=("-a", "+b"))
FOUND = Rebuilt(
    project=BUILT.project,
    version=BUILT.version,
    at="2025-06-02T10:11:12Z",
    index="https://pypi.org/simple/",
    tag="v1.0",
    commit="c" * 40,
    requirements="requirements as of 2025-06-02",
    made_by="builder 1.2",
    python="3.11.7",
    installer="uv",
    seconds=3,
    tried=("as usual", "no SOURCE_DATE_EPOCH"),
    verdict="different",
    files=(
        Again(SDIST, "equivalent", "no SOURCE_DATE_EPOCH", ("times", "owners"), clocked=True, differences=()),
        Again(WHEEL, "different", "", (), clocked=False, differences=(EVIL, HARMLESS)),
    ),
    not_judged=(f"demo-1.0-{HOSTILE}.whl",),
)


def left(place: Path, found: Rebuilt) -> None:
    """Leave `found` in the record of `place`, as the step does."""
    recorded(place)
    text = json.dumps({"schema": 1, "stage": "rebuilt"} | asdict(found))
    (place / "release-record" / "rebuilt.json").write_text(text, encoding="utf-8")


def test_the_report_has_a_section_on_it(place: Path) -> None:
    left(place, FOUND)
    facts = gathered(place)
    assert facts.rebuilt == FOUND
    shown = page(facts, "0" * 64)
    assert_harmless(shown)
    assert "The tag v1.0, built again 2025-06-02T10:11:12Z with builder 1.2 and requirements as of 2025-06-02" in shown
    assert "equivalent (no SOURCE_DATE_EPOCH) but for times and owners" in shown
    assert "<strong>demo/mod.py</strong>" in shown
    assert "+&lt;script&gt;" in shown
    assert shown.index("demo/mod.py</strong>") < shown.index("demo-1.0.dist-info/WHEEL</code> metadata, means the same")
    brief = markdown(facts)
    assert "built again 2025" in brief
    assert f"| {WHEEL.replace('_', chr(92) + '_')} | different |" in brief


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"project": 1}', '{"schema": 1}'])
def test_what_cannot_be_read_is_left_out(place: Path, text: str) -> None:
    recorded(place)
    (place / "release-record" / "rebuilt.json").write_text(text, encoding="utf-8")
    facts = gathered(place)
    assert facts.rebuilt is None
    assert "Built again" not in page(facts, "0" * 64)


def test_another_release_is_no_part_of_this_report(place: Path) -> None:
    left(place, replace(FOUND, version="0.9"))
    assert gathered(place).rebuilt is None
