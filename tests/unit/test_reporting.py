"""The report on a release: what it says, and that nothing of a package can be more than text in it."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.release.record import Record
from seatrial.release.stages import Cell, Changes, Dist, FieldChanges, FileChanges, Problem, Resized, Stage
from seatrial.report import description, findings, markdown, project_page, trees
from seatrial.report import facts as gathering
from seatrial.report import matrix as grid
from seatrial.report.html import STYLE, page
from seatrial.report.markup import LINKS, Safe, link, prose, tag, text, visible
from tests.archives import SDIST, WHEEL, gzipped, sdist, sdist_members, tarred, wheel, written
from tests.unit.test_record import AT, BUILT, CHECKED, REHEARSED, RELEASED, VERIFIED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAMES = {name: name for name in ("build", "check", "testpypi", "verify", "pypi")}
STAGES = (BUILT, CHECKED, REHEARSED, VERIFIED, RELEASED)
ATTACKS = (
    "<script>document.title = 'owned'</script>",
    "</iframe><svg onload=alert(1)>",
    "<img src=x onerror=\"document.title='owned'\">",
    "\"><b onclick='x'>",
    "</style><script>1</script>",
    "<style>*{display:none}</style>",
    "javascript:document.title='owned'",
    "]]><!--",
)
EVERYTHING = " ".join(ATTACKS)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    wheel(tmp_path / "dist")
    sdist(tmp_path / "dist")
    return tmp_path


def recorded(place: Path, stages: Sequence[Stage] = STAGES, **changes: Any) -> Record:
    """Record `stages`, with the files that lie in dist/ of `place`; `changes` are to what check found."""
    record = Record.of(place)
    dists = tuple(sorted(map(Dist.from_file, record.dist.iterdir())))
    for stage in stages:
        own = changes if stage.name == "checked" else {}
        record.write(replace(stage, dists=dists, **own))
    return record


def gathered(place: Path, stages: Sequence[Stage] = STAGES, **changes: Any) -> gathering.Facts:
    found = gathering.gather(recorded(place, stages, **changes), NAMES, "nox -s pypi")
    assert found is not None
    return found


class Elements(html.parser.HTMLParser):
    """The elements of a page, and which are open at its end."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "hr", "img", "input", "col"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def assert_harmless(source: str) -> Elements:
    """Assert that nothing in `source` runs or is loaded, and that its elements are balanced."""
    elements = Elements(source)
    assert elements.open == []
    for name, attributes in elements.found:
        assert name not in {"script", "iframe", "object", "embed", "svg", "img", "link", "base", "form", "template"}
        assert not [key for key in attributes if key.startswith("on") or key in {"src", "style", "srcdoc"}]
        target = attributes.get("href") or "#"
        assert target.startswith("#") or LINKS.match(target)
    return elements


# HTML is made in one place.


def test_what_was_not_made_here_is_escaped() -> None:
    assert tag("p", "<b>", tag("b", "&"), title='"<') == '<p title="&quot;&lt;">&lt;b&gt;<b>&amp;</b></p>'
    assert isinstance(text("a"), Safe)


def test_attributes_can_be_left_out_or_have_no_value() -> None:
    assert tag("input", checked=True, disabled=False, class_=None, aria_label=0) == '<input checked aria-label="0">'


@pytest.mark.parametrize("url", ["javascript:alert(1)", " javascript:x", "data:text/html,x", "file:///etc", "//x", ""])
def test_only_an_address_of_the_web_is_a_link(url: str) -> None:
    assert link(url, "x") == "<span>x</span>"
    assert link("https://example.org/?a&b", "x").startswith('<a href="https://example.org/?a&amp;b" rel="noopener')


def test_characters_that_deceive_are_shown_as_what_they_are() -> None:
    assert visible("a\u202egpj.exe\x1b[31m\udcff\u2066") == "a\\u202egpj.exe\\x1b[31m\\udcff\\u2066"
    assert visible("größe ✓\n\tok") == "größe ✓\n\tok"


def test_backticks_are_code_in_our_sentences() -> None:
    assert prose("set `<readme>` here") == "set <code>&lt;readme&gt;</code> here"


# The description.


def test_the_description_keeps_what_is_harmless() -> None:
    source = '<h1 id="a">A</h1><p align="center">x <b>y</b></p><pre lang="python"><span class="k">def</span></pre>'
    made = description.shown(source + '<a href="#a">up</a><input type="checkbox" checked disabled>')
    assert made.flaws == ()
    assert made.html == (
        '<h3 id="readme-a">A</h3><p align="center">x <b>y</b></p>'
        '<pre lang="python"><span class="readme-k">def</span></pre><a href="#readme-a">up</a>'
        '<input type="checkbox" disabled checked aria-label="task">'
    )


def test_headings_are_below_those_of_the_page_and_leave_no_level_out() -> None:
    made = description.shown("<h1>a</h1><h4>b</h4><h2>c</h2><h6>d</h6><h1>e</h1>").html
    assert re.findall(r"<(h\d)>", made) == ["h3", "h4", "h4", "h5", "h3"]


def test_a_picture_is_what_stands_for_it_and_is_not_loaded() -> None:
    made = description.shown('<img src="https://example.org/a.svg" alt="build: passing">')
    assert made.pictures == 1
    assert made.html == (
        '<span class="picture" role="img" aria-label="picture: build: passing" title="https://example.org/a.svg">'
        "build: passing</span>"
    )


def test_links_and_pictures_that_do_not_work_on_an_index_are_flagged() -> None:
    made = description.shown(
        '<a href="docs/x.md">x</a><a href="#gone">y</a><a href="javascript:z">z</a><a>w</a><a href="https://e.org">v</a>'
        '<img src="logo.png" alt="logo"><img src="https://e.org/l.png">'
    )
    assert [(flaw.what, flaw.target) for flaw in made.flaws] == [
        ("link", "docs/x.md"),
        ("link", "#gone"),
        ("link", "javascript:z"),
        ("picture", "logo.png"),
        ("picture", "https://e.org/l.png"),
    ]
    assert re.findall(r'href="([^"]*)"', made.html) == ["https://e.org"]


def test_what_is_never_closed_is_closed_and_what_was_never_opened_is_left_out() -> None:
    assert description.shown("</p><ul><li><b>x</ul></b><a href='#'></a>").html == "<ul><li><b>x</b></li></ul>"


def test_what_stands_in_a_dropped_element_is_dropped_with_it() -> None:
    assert description.shown("a<svg><b>x</b><script>y</script></svg>b<blink>c</blink>").html == "abc"


def test_elements_in_one_another_have_a_bound() -> None:
    made = description.shown("<b>" * 5000 + "x" + "</b>" * 5000)
    assert made.html.count("<b>") == description.DEEPEST
    assert_harmless(made.html)


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_survives_in_a_description(attack: str) -> None:
    for source in (attack, f"<p>{attack}</p>", f'<a href="{attack}">x</a>', f'<img alt="{attack}" src="{attack}">'):
        assert_harmless(description.shown(source).html)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*ATTACKS, "<p>", "</p>", "<a href=", "'", '"', ">", "<!--", "-->", "x", "<pre>"])))
def test_no_mixture_of_them_survives(parts: list[str]) -> None:
    assert_harmless(description.shown("".join(parts)).html)


# The page.


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


def hostile(place: Path) -> gathering.Facts:
    """Write a release in which everything that a package says of itself is an attack."""
    fields = {"Summary": EVERYTHING, "Author": EVERYTHING, "Keywords": EVERYTHING, "Classifier": f"{EVERYTHING} :: x"}
    links = {"Project-URL": [f"{EVERYTHING}, javascript:alert(1)", f'x, https://e.org/"{EVERYTHING}']}
    wheel(place / "dist", {**fields, **links}, files={f"demo/{one}.py": "" for one in ATTACKS})
    sdist(place / "dist", {**fields, **links}, files={f"demo-1.0/{EVERYTHING}/{EVERYTHING}": ""})
    members = tuple(Resized(one, None, 1) for one in ATTACKS)
    files = (FileChanges(WHEEL, f"{EVERYTHING}.whl", 1, members, 1),)
    changes = Changes("0.9", EVERYTHING, "", files, (FieldChanges(EVERYTHING, (EVERYTHING,), (EVERYTHING,)),))
    problems = (Problem(EVERYTHING, "warning", EVERYTHING, EVERYTHING),)
    verified = replace(VERIFIED, imported=(EVERYTHING,), ran=(EVERYTHING,), index=EVERYTHING, python_version=EVERYTHING)
    stages = (replace(BUILT, commit=EVERYTHING), CHECKED, REHEARSED, verified, RELEASED)
    return gathered(place, stages, problems=problems, changes=changes, rendered=EVERYTHING)


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
    assert "more members are not shown." in source
    assert len(source) < 1_000_000
    assert_harmless(source)


def test_a_file_that_was_changed_since_or_is_gone_is_told_and_not_read(place: Path) -> None:
    record = recorded(place)
    (record.dist / WHEEL).write_bytes(b"other")
    (record.dist / SDIST).unlink()
    facts = gathering.gather(record, NAMES, "")
    assert facts is not None
    source = page(facts, "0" * 64)
    assert "other bytes than those of this release" in source
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
    assert gathering.gather(Record.of(tmp_path), NAMES, "") is None


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
    facts = gathering.gather(recorded(place, stages), NAMES, "", dry=True)
    assert facts is not None
    source = page(facts, "0" * 64)
    assert "A dry run" in source
    assert "a stand-in on this machine" in source
    assert f'href="{here}' not in source


def test_what_stops_a_check_is_shown_though_no_record_holds_it(place: Path) -> None:
    found = [Problem("description-renders", "error", WHEEL, "it does not"), Problem("x", "warning", WHEEL, "a\nb")] * 2
    facts = gathering.gather(recorded(place, (BUILT,)), NAMES, "", found=found)
    assert facts is not None
    source = page(facts, "0" * 64)
    assert source.index("it does not") < source.index("a<br>b")
    assert source.count("it does not") == 1
    assert "docutils" in source  # why the rule is one


def test_findings_have_a_bound(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "SHOWN", 2)
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
    assert "To mend: 3 links or pictures" in page(facts, "0" * 64)
    assert "A picture of other sites" in page(facts, "0" * 64)


def test_the_matrix_has_a_row_a_python_and_platform_in_order(place: Path) -> None:
    matrix = (Cell("3.9", "wheel"), Cell("3.14t", "wheel"), Cell("3.14t", "sdist"), Cell("3.10", "wheel"))
    shown = grid.section(gathered(place, (replace(BUILT, matrix=matrix), CHECKED, REHEARSED, VERIFIED)))
    assert re.findall(r'<th scope="row">([^<]*)', shown) == ["3.9", "3.10", "3.14t"]
    assert "demo --version" in shown
    assert grid.section(replace(gathered(place), verified=(), cells=())) == ""


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
    assert "2 more members are not shown." in trees.tree(file.archive, None, 2000)


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


# In Markdown.


def test_the_summary_is_short_and_says_what_counts(place: Path) -> None:
    told = markdown.markdown(gathered(place, rendered='<a href="a.md">a</a>'))
    assert told.startswith("## demo 1.0\n\n| stage |")
    assert f"| build | done | 2 files from c0ffee | {AT} |" in told
    assert "**warning** demo-1.0.tar.gz: Übung: there is no Summary (metadata-summary)" in told
    assert "- link a.md is relative" in told
    assert "| 3.14t | sdist | not verified |" in told
    assert told.endswith("Next: `nox -s pypi`\n")
    assert len(told.splitlines()) < 60


def test_the_summary_of_a_hostile_release_has_no_markup_of_its_own(tmp_path: Path) -> None:
    told = markdown.markdown(hostile(tmp_path))
    assert not re.search(r"(?<!\\)<", told)
    assert len(told) < 20_000


def test_long_lists_of_the_summary_are_cut(place: Path) -> None:
    problems = tuple(Problem("r", "warning", WHEEL, str(number)) for number in range(30))
    facts = replace(gathered(place, problems=problems), following="")
    told = markdown.markdown(replace(facts, files=facts.files * 20, dry=True))
    assert "- and 10 more" in told
    assert "- and 20 more" in told
    assert told.count("A dry run") == 1
    assert "Next:" not in told
