"""The description of a project: what is kept of it, and that nothing of it can be more than text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.report.page import description
from tests.samples.reports import ATTACKS, assert_harmless


def test_the_description_keeps_what_is_harmless() -> None:
    source = '<h1 id="a">A</h1><p align="center">x <b>y</b></p><pre lang="python"><span class="k">def</span></pre>'
    made = description.shown(source + '<a href="#a">up</a><input type="checkbox" checked disabled>')
    assert made.flaws == ()
    assert made.html == (
        '<h3 id="readme-a">A</h3><p align="center">x <b>y</b></p>'
        '<pre lang="python"><span class="readme-k">def</span></pre><a href="#readme-a">up</a>'
        '<input type="checkbox" disabled checked aria-label="task">'
    )


def test_attributes_stay_in_their_order() -> None:
    cell = '<td lang="en" align="left" title="t" rowspan="2" start="1" colspan="3">x</td>'
    assert cell in description.shown(f"<table><tr>{cell}</tr></table>").html


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
