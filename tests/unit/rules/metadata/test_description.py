from __future__ import annotations

import io
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.release.archives import Metadata
from seatrial.rules import judge
from seatrial.rules.metadata import description as module
from seatrial.rules.metadata import render
from seatrial.rules.metadata.description import rendered
from tests.archives import found, sdist, wheel

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "demo\n====\n\nA project.\n"
TYPE = "Description-Content-Type"


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ("text/html", "not one of"),
        ("markdown", "not one of"),
        ("text/markdown;;", "not one of"),
        ("text/plain; x*", "not one of"),
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


def test_a_very_long_description_is_left_to_pypi_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = wheel(tmp_path, {TYPE: "text/x-rst"}, description="*demo\n")
    assert found(path, "description-renders")
    assert found(path, "description-not-rendered") == []
    monkeypatch.setattr(module, "RENDERED", 3)
    module._rendering.cache_clear()
    assert found(path, "description-renders") == []
    (message,) = found(path, "description-not-rendered")
    assert "it has 6 characters, more than 3" in message
    module._rendering.cache_clear()


def table(rows: int, columns: int) -> str:
    """Return a table of reStructuredText, which takes docutils more than its size squared."""
    row, line = "|" + " x |" * columns + "\n", "+" + "---+" * columns + "\n"
    return line + (row + line) * rows


def test_a_table_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 1.0)
    path = wheel(tmp_path, {TYPE: "text/x-rst"}, description=table(900, 40))
    started = time.monotonic()
    (message,) = found(path, "description-not-rendered")
    assert time.monotonic() - started < 5
    assert "it takes more than 1 s" in message
    assert found(path, "description-renders") == []
    assert page_of("text/x-rst", table(900, 40)) == ""


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is not limited everywhere")
def test_a_description_that_takes_too_much_memory_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEMORY", 48 << 20)
    monkeypatch.setattr(module, "CHILD", module.Child())
    path = wheel(tmp_path, {TYPE: "text/x-rst"}, description=table(60, 20))
    (message,) = found(path, "description-not-rendered")
    assert "more than 48 MiB of memory" in message
    module.CHILD.close()


def test_the_child_may_be_started_before_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    child = module.Child()
    monkeypatch.setattr(module, "CHILD", child)
    judge.prepare()
    before = child._process
    assert before is not None
    assert "<em>started before</em>" in page_of("text/x-rst", "*started before*\n")
    assert child._process is before
    child.close()


def test_the_renderer_answers_one_request(monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> None:
    request = json.dumps({"text": "*demo*\n", "kind": "rst", "memory": 0}).encode() + b"\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(request)))
    render.main()
    assert json.loads(capsysbinary.readouterr().out) == {"html": "<p><em>demo</em></p>\n", "messages": ""}
    assert render.render("*demo\n", "rst")["html"] is None
    assert "Inline emphasis" in render.render("*demo\n", "rst")["messages"]


def test_the_renderer_sees_none_of_our_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = tmp_path / "render.py"
    shown.write_text("import json, os\ninput()\nprint(json.dumps({'html': ' '.join(os.environ), 'messages': ''}))\n")
    monkeypatch.setattr(module, "RENDERER", shown)
    monkeypatch.setattr(module, "CHILD", module.Child())
    monkeypatch.setenv("PYPI_TOKEN", "pypi-secret")
    assert "PYPI_TOKEN" not in page_of("text/x-rst", "a text of its own\n")
    module.CHILD.close()


# Images.


@pytest.mark.parametrize(
    ("kind", "broken", "sound"),
    [
        ("text/markdown", "![x](docs/x.png)", "![x](https://example.org/x.png)"),
        ("text/markdown", '<img alt="x" src="./x.svg">', '<img alt="x" src="https://example.org/x.svg">'),
        ("text/markdown", "[![x](x.png)](https://example.org)", "[a link](docs/x.md) and `![x](x.png)`"),
        ("text/markdown", "![x](/x.png)", "```\n![x](x.png)\n```\n"),
        ("text/x-rst", ".. image:: x.png", ".. image:: https://example.org/x.png"),
        ("text/x-rst", ".. |x| image:: x.png", "x.png"),
        (None, ".. figure:: docs/x.png", ".. figure:: data:image/png;base64,aaaa"),
    ],
)
def test_an_image_with_a_relative_address_is_named(tmp_path: Path, kind: str | None, broken: str, sound: str) -> None:
    (message,) = found(wheel(tmp_path, {TYPE: kind}, description=broken), "description-relative-image")
    assert "broken on PyPI's page" in message
    assert found(wheel(tmp_path, {TYPE: kind}, description=sound), "description-relative-image") == []


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
        ("text/plain", "<b>\nx", "<pre>&lt;b&gt;\nx</pre>"),
        ("text/markdown", " \n", ""),
    ],
)
def test_a_description_is_rendered_as_its_type_says(given: str | None, description: str, expected: str) -> None:
    assert expected in page_of(given, description)


@pytest.mark.parametrize("variant", ["", "; variant=GFM", "; variant=CommonMark"])
def test_markdown_is_rendered_alike_whatever_its_variant_and_sanitised(variant: str) -> None:
    pytest.importorskip("comrak", reason="there is no wheel of it for this machine")
    shown = page_of(f"text/markdown{variant}", "# demo\n\n- [ ] task\n\n<b onclick='x'>a</b><script>x</script>\n")
    assert "demo" in shown
    assert "checkbox" in shown
    assert "onclick" not in shown
    assert "<script" not in shown


def test_a_description_that_is_too_long_is_not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHOWN", 10)
    assert page_of("text/plain", "words " * 10) == ""
    monkeypatch.setattr(module, "RENDERED", 10)
    assert page_of("text/plain", "words " * 10) == ""


def test_markdown_without_its_renderer_is_not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_rendering", lambda *_: module.Rendering(None))  # as comrak's absence is answered
    assert page_of("text/markdown", "# demo") == ""


def test_each_fault_of_the_description_is_named_with_its_line(tmp_path: Path) -> None:
    broken = f"{GOOD}\n.. image::\n\n.. no-directive::\n\n:no-role:`x`\n"
    (message,) = found(wheel(tmp_path, {TYPE: "text/x-rst"}, description=broken), "description-renders")
    assert message.startswith("the description does not render as reStructuredText: line 6: (ERROR/3) Error in")
    assert "1 argument(s) required, 0 supplied" in message
    assert '; line 8: (ERROR/3) Unknown directive type "no-directive"; line 10: ' in message
    assert 'line 10: (ERROR/3) Unknown interpreted text role "no-role"' in message
