"""The report in a real browser: nothing that a package says of itself runs there, and nothing is loaded."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from seatrial.release.stages import Problem
from seatrial.report.facts import gather
from seatrial.report.page.html import page
from seatrial.report.text import Failure
from tests.archives import WHEEL, sdist, wheel
from tests.samples.reports import STAGES, hostile, recorded

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


def laid_out(folder: Path, source: str, width: int) -> int:
    """Return how wide the page, or a table of it that can be scrolled, is in a window of `width` pixels."""
    measure = """
        const page = document.querySelector("iframe").contentDocument
        const widths = [page.documentElement, ...page.querySelectorAll(".wide")].map(element => element.scrollWidth)
        document.title = Math.max(...widths)
    """
    frame = f"<iframe style='border:0;width:{width}px;height:900px' srcdoc=\"{html.escape(source)}\"></iframe>"
    document = shown(folder, f"<!doctype html><title></title>{frame}<script>onload = () => {{ {measure} }}</script>")
    found = re.search(r"<title>(\d+)</title>", document)
    assert found, document[:200]
    return int(found[1])


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("last", [1, 4, 5], ids=["failed", "partial", "passed"])
def test_a_page_is_as_wide_as_its_window(tmp_path: Path, width: int, last: int) -> None:
    wheel(tmp_path / "dist")
    sdist(tmp_path / "dist")
    problem = Problem("wheel-purelib", "error", WHEEL, "a-word-that-is-long" * 20)
    failure = Failure("check", "An error", (problem,)) if last == 1 else None
    readme = f"<pre>{'x' * 300}</pre><table><tr><th>{'word ' * 9}</th><td>{'y' * 80}</td></tr></table>"
    changes = {"rendered": readme} if last > 1 else {}
    facts = gather(recorded(tmp_path, STAGES[:last], **changes), "nox -s pypi", failure=failure)
    assert facts
    source = page(facts, "0" * 64).replace("<details>", "<details open>")
    assert laid_out(tmp_path, source, width) <= width


def test_a_hostile_page_fits_a_phone(tmp_path: Path) -> None:
    assert laid_out(tmp_path, page(hostile(tmp_path), "0" * 64), 400) <= 400
