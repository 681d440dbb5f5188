"""The report on a release: what it says, and that nothing of a package can be more than text in it."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.release.record import Record
from seatrial.release.stages import Cell, Changes, FileChanges, Problem, Resized, Stage
from seatrial.report import facts as gathering
from seatrial.report.page import html, project_page, trees
from seatrial.report.page.html import STYLE, page
from seatrial.report.page.markup import text
from seatrial.report.text import Failure
from tests.archives import SDIST, WHEEL, gzipped, sdist_members, tarred, wheel, written
from tests.samples.reports import Elements, assert_harmless, gathered, hostile, recorded
from tests.samples.stages import BUILT, CHECKED, REHEARSED, RELEASED, VERIFIED

if TYPE_CHECKING:
    from pathlib import Path


def test_the_page_says_what_there_is(place: Path) -> None:
    source = page(gathered(place, rendered="<h1>Hello</h1>"), "0" * 64)
    words = " ".join(" ".join(assert_harmless(source).text).split())
    for said in ("demo 1.0", "Next: nox -s pypi", "metadata-summary", WHEEL, SDIST, "3.14.0", "Hello", "1 warning"):
        assert said in words
    for dist in gathered(place).files:
        assert dist.dist.sha256 in words
    assert "A project to rehearse releases with" in words
    assert "linux x86_64" in words
    assert "Programming Language" in words


def test_the_page_is_set_up_for_readers_of_all_kinds(place: Path) -> None:
    source = page(gathered(place, rendered="<h1>Hello</h1>"), "0" * 64)
    elements = Elements(source).found
    assert source.startswith('<!doctype html>\n<html lang="en"><head><meta charset="utf-8">')
    assert "<title>demo 1.0: release report</title>" in source
    levels = [int(name[1]) for name, _ in elements if re.fullmatch(r"h\d", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    names = [attributes["id"] for _, attributes in elements if attributes.get("id")]
    assert len(names) == len(set(names))
    for _, attributes in elements:
        for reference in (attributes.get("aria-labelledby"), (attributes.get("href") or "").partition("#")[2]):
            assert not reference or reference in names


def test_the_policy_of_the_page_allows_its_own_style_alone(place: Path) -> None:
    source = page(gathered(place), "0" * 64)
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = "default-src 'none'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'"
    assert text(policy.format(digest)) in source.partition("<style>")[0]


def test_the_style_loads_nothing_and_survives_the_template() -> None:
    style = STYLE.read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|</|@\{|\}@|@%|%@|@#|#@", style)


def test_nothing_that_a_package_says_is_more_than_text(tmp_path: Path) -> None:
    facts = hostile(tmp_path)
    source = page(facts, "0" * 64)
    assert_harmless(source)
    assert source.count("<style>") == 1
    # The description is built anew: there it is gone. Everywhere else it stands as it is, for the reader to see.
    assert "&lt;script&gt;document.title" in source


def test_a_great_many_members_are_cut_and_that_is_said(tmp_path: Path) -> None:
    core = (tmp_path / "core").name
    members = sdist_members(SDIST, "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n", {})
    many = {f"demo-1.0/{core}/{'deep/' * (number % 40)}{number:05}-{'x' * 150}": b"" for number in range(10_000)}
    written(tmp_path / "dist", SDIST, gzipped(tarred({**members, **many}.items())))
    source = page(gathered(tmp_path), "0" * 64)
    assert "more members not shown." in source
    assert len(source) < 1_000_000
    assert_harmless(source)


def test_a_file_that_was_changed_since_or_is_gone_is_told_and_not_read(place: Path) -> None:
    record = recorded(place)
    (record.dist / WHEEL).write_bytes(b"other")
    (record.dist / SDIST).unlink()
    facts = gathering.gather(record, "")
    assert facts is not None
    source = page(facts, "0" * 64)
    assert "differs from that of this release" in source
    assert "it is not in dist any more" in source
    assert "project-page" not in source


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    written(tmp_path / "dist", WHEEL, b"no archive")
    assert "cannot be read" in page(gathered(tmp_path, (BUILT,)), "0" * 64)


def test_a_release_that_is_only_built_says_what_is_not_known_yet(place: Path) -> None:
    source = page(gathered(place, (BUILT,)), "0" * 64)
    assert "These files are not checked yet." in source
    assert "The description is rendered by check, which has not passed yet." in source
    assert "not verified" in source
    assert 'id="changes"' not in source


def test_nothing_built_is_no_report(tmp_path: Path) -> None:
    assert gathering.gather(Record.of(tmp_path), "") is None


def test_a_comparison_that_was_not_made_says_why(place: Path) -> None:
    source = page(gathered(place, changes=Changes(None, "PyPI", "--offline")), "0" * 64)
    assert "Not compared with an earlier version: --offline" in source


def test_a_comparison_without_a_difference_says_so(place: Path) -> None:
    same = Changes("0.9", "PyPI", "", (FileChanges(SDIST, "demo-0.9.tar.gz", 9, (), 0),))
    source = page(gathered(place, changes=same), "0" * 64)
    assert "The metadata is the same." in source
    assert "The same members, all of the same size." in source


def test_a_dry_run_is_called_one_and_links_to_no_server_that_is_gone(place: Path) -> None:
    here = "http://127.0.0.1:9/simple/"
    indexes = (replace(REHEARSED, index=here), replace(VERIFIED, index=here), replace(RELEASED, index=here))
    stages: tuple[Stage, ...] = (BUILT, CHECKED, *indexes)
    facts = gathering.gather(recorded(place, stages), "", dry=True)
    assert facts is not None
    source = page(facts, "0" * 64)
    assert "A dry run" in source
    assert "a stand-in on this machine" in source
    assert f'href="{here}' not in source


def test_what_stops_a_check_is_shown_though_no_record_holds_it(place: Path) -> None:
    found = [Problem("description-renders", "error", WHEEL, "it does not"), Problem("x", "warning", WHEEL, "a\nb")] * 2
    facts = gathering.gather(recorded(place, (BUILT,)), "", failure=Failure("check", problems=tuple(found)))
    assert facts is not None
    source = page(facts, "0" * 64)
    assert source.index("it does not") < source.index("a<br>b")
    assert source.count("it does not") == 1
    assert "docutils" in source  # why the rule is one


def test_findings_have_a_bound(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "FINDINGS", 2)
    problems = tuple(Problem("install-failed", "warning", WHEEL, str(number)) for number in range(5))
    source = page(gathered(place, problems=problems), "0" * 64)
    assert "3 more are not shown." in source
    assert "It happened when the file was installed" in source


def test_a_project_that_says_nothing_of_itself_has_the_words_of_the_index(tmp_path: Path) -> None:
    bare = dict.fromkeys(("Summary", "Project-URL", "Classifier", "Author-email", "License-Expression"))
    wheel(tmp_path / "dist", bare, description="")
    source = page(gathered(tmp_path), "0" * 64)
    assert "The author of this package has not provided a project description" in source


def test_links_that_lead_nowhere_are_counted(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_page, "SHOWN", 1)
    wheel(place / "dist", {"Project-URL": ["Docs, docs/index.md", "Source, https://example.org"]})
    facts = gathered(place, rendered='<a href="a.md">a</a><img src="" alt="x"><img alt="y" src="https://e.org/x">')
    assert "To fix: 2 links and 1 picture" in page(facts, "0" * 64)
    assert "1 picture of other sites" in page(facts, "0" * 64)


def test_a_page_that_breaks_no_rule_and_needs_a_fix_says_both(place: Path) -> None:
    source = page(gathered(place, problems=(), rendered='<a href="a.md">a</a>'), "0" * 64)
    assert (
        'No rule is broken. On the project&#x27;s page, <a href="#project-page">1 link</a> should be fixed.' in source
    )
    assert "To fix: 1 link<" in source
    assert "No problems." in page(gathered(place, problems=(), rendered="<p>a</p>"), "0" * 64)


def test_members_of_another_size_are_listed_with_both() -> None:
    members = (Resized("demo/__init__.py", 10, 26), Resized("demo/new.py", None, 4), Resized("demo/old.py", 5, None))
    shown = trees.listed(FileChanges(WHEEL, "x", 1, members, 3))
    assert "10 B → 26 B" in shown
    assert [word for word in ("Added: 1", "Removed: 1", "Resized: 1") if word not in shown] == []
    assert "3 more members changed." in shown


def test_the_matrix_has_a_row_a_python_and_platform_in_order(place: Path) -> None:
    matrix = (Cell("3.9", "wheel"), Cell("3.14t", "wheel"), Cell("3.14t", "sdist"), Cell("3.10", "wheel"))
    shown = html.matrix(gathered(place, (replace(BUILT, matrix=matrix), CHECKED, REHEARSED, VERIFIED)))
    assert re.findall(r'<th scope="row" data-label="Python">([^<]*)', shown) == ["3.9", "3.10", "3.14t"]
    assert "demo --version" in shown
    assert html.matrix(replace(gathered(place), verified=(), cells=())) == ""


def test_a_tree_shows_what_is_new_and_what_has_grown(place: Path) -> None:
    facts = gathered(place)
    members = (Resized("demo/__init__.py", None, 26), Resized("*.dist-info/WHEEL", 50, 80), Resized("x", 900, None))
    (file,) = (file for file in facts.files if file.dist.filename == WHEEL)
    assert file.archive
    shown = trees.tree(file.archive, FileChanges(WHEEL, "x", 1, members, 0))
    assert '<b class="added">new </b>' in shown
    assert '<b class="grown">+30 B </b>' in shown
    assert trees.difference(900, 100) == "-800 B"


def test_the_trees_of_a_page_share_what_it_can_hold(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "LEAST", 1)
    (file,) = (file for file in gathered(place).files if file.dist.filename == SDIST)
    assert file.archive
    assert "not shown" not in trees.tree(file.archive, None, 100)
    assert "2 more members not shown." in trees.tree(file.archive, None, 2000)


# Its colours.


def palettes() -> list[dict[str, str]]:
    style = STYLE.read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]


def luminance(colour: str) -> float:
    """The relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


PAIRS = [
    *[(ink, paper) for ink in ("ink", "quiet", "link") for paper in ("paper", "card", "code-paper")],
    *[("ink", f"{look}-paper") for look in ("good", "warn", "bad")],
    *[(look, paper) for look in ("good", "warn", "bad") for paper in ("paper", "card", f"{look}-paper")],
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), PAIRS)
def test_colours_can_be_told_apart(theme: int, ink: str, paper: str) -> None:
    colours = palettes()[theme]
    assert contrast(colours[ink], colours[paper]) >= 4.5  # WCAG 2.2, AA


def test_both_themes_have_the_same_colours() -> None:
    light, dark = palettes()
    assert light.keys() == dark.keys()
