from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from seatrial.release.archives import Metadata
from seatrial.rules.metadata import description as module
from seatrial.rules.metadata.description import rendered
from tests.archives import found, sdist, wheel

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "demo\n====\n\nA project.\n"
TYPE = "Description-Content-Type"


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ("text/html", "none of"),
        ("markdown", "none of"),
        ("text/markdown;;", "none of"),
        ("text/plain; x*", "none of"),
        ("text/markdown; charset=utf-8", "'utf-8'"),
        ("text/x-rst; charset=latin-1", "'latin-1'"),
        ("text/markdown; variant=gfm", "'gfm'"),
        ("text/markdown; variant=Pandoc", "'Pandoc'"),
    ],
)
def test_a_content_type_that_pypi_does_not_render_is_named(tmp_path: Path, given: str, part: str) -> None:
    (message,) = found(wheel(tmp_path, {TYPE: given}), "description-content-type")
    assert part in message


@pytest.mark.parametrize(
    "given",
    [
        *(None, "UNKNOWN", "text/plain", "text/x-rst", "text/markdown", "Text/Markdown"),
        *("text/markdown; charset=UTF-8; variant=GFM", "text/markdown; variant=CommonMark"),
        *("text/x-rst; variant=GFM", 'text/plain; charset="UTF-8"'),
    ],
)
def test_a_content_type_that_pypi_renders_passes(tmp_path: Path, given: str | None) -> None:
    assert found(wheel(tmp_path, {TYPE: given}), "description-content-type") == []


def test_a_description_without_a_type_is_named(tmp_path: Path) -> None:
    for make in (wheel, sdist):
        assert found(make(tmp_path, {TYPE: None}), "description-type-missing")
        assert found(make(tmp_path), "description-type-missing") == []
        assert found(make(tmp_path, {TYPE: None}, description=""), "description-type-missing") == []


@pytest.mark.parametrize("given", [None, "text/x-rst", "text/x-rst; charset=UTF-8"])
@pytest.mark.parametrize("broken", ["demo\n===\n\n.. no-directive::\n", "*demo\n", ":no-role:`x`\n", ".. comment\n"])
def test_a_description_that_does_not_render_is_named(tmp_path: Path, given: str | None, broken: str) -> None:
    (message,) = found(wheel(tmp_path, {TYPE: given}, description=broken), "description-renders")
    assert ("no content type" in message) == (given is None)
    assert found(wheel(tmp_path, {TYPE: given}, description=GOOD), "description-renders") == []


@pytest.mark.parametrize("given", ["text/markdown", "text/plain", "text/html"])
def test_what_is_no_rest_is_not_rendered_as_such(tmp_path: Path, given: str) -> None:
    assert found(wheel(tmp_path, {TYPE: given}, description="*demo\n"), "description-renders") == []


@pytest.mark.parametrize("description", ["", " \n"])
def test_no_description_passes(tmp_path: Path, description: str) -> None:
    assert found(wheel(tmp_path, {TYPE: "text/x-rst"}, description=description), "description-renders") == []


def test_a_very_long_description_is_left_to_pypi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(tmp_path, {TYPE: "text/x-rst"}, description="*demo\n")
    assert found(path, "description-renders")
    monkeypatch.setattr(module, "RENDERED", 3)
    assert found(path, "description-renders") == []


def test_without_the_renderer_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(tmp_path, {TYPE: "text/x-rst"}, description="*demo\n")
    monkeypatch.setitem(sys.modules, "readme_renderer.rst", None)
    assert found(path, "description-renders") == []


# As PyPI shows it.


def page_of(given: str | None, description: str) -> str:
    fields = {} if given is None else {"description-content-type": (given,)}
    return rendered(Metadata(fields, description))


@pytest.mark.parametrize(
    ("given", "description", "expected"),
    [
        (None, "demo\n====\n", "<h1>demo"),
        ("text/x-rst", "*demo*\n", "<em>demo</em>"),
        ("text/x-rst", ".. unknown::\n", ".. unknown::"),
        ("text/plain", "<b>\nx", "&lt;b&gt;<br>x"),
        ("text/markdown", " \n", ""),
    ],
)
def test_a_description_is_rendered_as_its_type_says(given: str | None, description: str, expected: str) -> None:
    assert expected in page_of(given, description)


@pytest.mark.parametrize(("variant", "task"), [("", True), ("; variant=CommonMark", False)])
def test_markdown_is_rendered_in_its_variant_and_sanitised(variant: str, *, task: bool) -> None:
    pytest.importorskip("comrak", reason="there is no wheel of it for this machine")
    shown = page_of(f"text/markdown{variant}", "# demo\n\n- [ ] task\n\n<b onclick='x'>a</b><script>x</script>\n")
    assert "demo" in shown
    assert ("checkbox" in shown) is task
    assert "onclick" not in shown
    assert "<script" not in shown


def test_a_description_that_is_too_long_is_not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHOWN", 10)
    assert page_of("text/plain", "words " * 10) == ""
    monkeypatch.setattr(module, "RENDERED", 10)
    assert page_of("text/plain", "words " * 10) == ""


def test_markdown_without_its_renderer_is_not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "comrak" else name)
    assert page_of("text/markdown", "# demo") == ""
