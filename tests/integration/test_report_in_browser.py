"""The report in a real browser: nothing that a package says of itself runs there, and nothing is loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from seatrial.report.html import page
from tests.samples.reports import hostile

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)
QUIET = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync""".split()
SCRIPT = "<script>document.title = 'owned'</script>"
HANDLER = "<img src='x' onerror=\"document.title = 'owned'\">"
TITLE = "<title>demo 1.0: release report</title>"

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")


def shown(folder: Path, source: str) -> str:
    """Return the document that the browser makes of `source`, once it has run what it would run."""
    path = folder / "page.html"
    path.write_text(source, encoding="utf-8")
    where = (f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=2000", "--dump-dom", path.as_uri())
    done = subprocess.run(
        [str(BROWSER), *QUIET, *where], capture_output=True, check=True, timeout=120, env=os.environ, encoding="utf-8"
    )
    return done.stdout


@pytest.mark.parametrize("attack", [SCRIPT, HANDLER])
def test_an_attack_works_where_nothing_stands_against_it(tmp_path: Path, attack: str) -> None:
    """Without this the other tests would prove nothing."""
    assert "<title>owned</title>" in shown(tmp_path, f"<!doctype html>{TITLE}<body>{attack}</body>")


def test_a_hostile_release_stays_harmless(tmp_path: Path) -> None:
    document = shown(tmp_path, page(hostile(tmp_path), "0" * 64))
    assert TITLE in document
    assert document.count("<script") == document.count("<img") == document.count("<svg") == 0


@pytest.mark.parametrize("attack", [SCRIPT, HANDLER])
def test_the_policy_holds_also_where_something_gets_in(tmp_path: Path, attack: str) -> None:
    source = page(hostile(tmp_path), "0" * 64).replace("<main>", f"<main>{attack}")
    assert attack in source
    assert TITLE in shown(tmp_path, source)
