"""HTML is made in one place."""

from __future__ import annotations

import pytest

from seatrial.machine.terminal import visible
from seatrial.report.page.markup import Safe, link, prose, tag, text


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
