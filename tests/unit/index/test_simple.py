from __future__ import annotations

import html
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.index.simple import Listing, Served, parse

PAGE = "https://index.example/api/simple/demo/"
HASH = "ab" * 32


def anchor(href: str, more: str = "") -> bytes:
    return f'<!DOCTYPE html><html><body><a href="{href}"{more}>a file</a></body></html>'.encode()


def test_html_with_hashes_says_what_json_says() -> None:
    href = f"../../packages/demo-1.0.tar.gz#sha256={HASH}"
    more = ' data-requires-python="&gt;=3.10" data-yanked="broken"'
    url = "https://index.example/api/packages/demo-1.0.tar.gz"
    expected = Served("demo-1.0.tar.gz", HASH, url, yanked=True, requires_python=">=3.10")
    assert parse(anchor(href, more), PAGE).files == (expected,)
    entry = {"filename": "demo-1.0.tar.gz", "url": url, "hashes": {"sha256": HASH}, "yanked": "broken"}
    assert parse(json.dumps({"files": [entry | {"requires-python": ">=3.10"}]}).encode(), PAGE).files == (expected,)


@pytest.mark.parametrize(
    ("href", "filename", "sha256", "url"),
    [
        ("demo-1.0.tar.gz", "demo-1.0.tar.gz", "", PAGE + "demo-1.0.tar.gz"),
        ("demo-1.0.tar.gz#md5=00ff", "demo-1.0.tar.gz", "", PAGE + "demo-1.0.tar.gz"),
        ("demo-1.0.tar.gz#sha256=ab", "demo-1.0.tar.gz", "", PAGE + "demo-1.0.tar.gz"),
        (f"demo-1.0.tar.gz#egg=demo&amp;sha256={HASH.upper()}", "demo-1.0.tar.gz", HASH, PAGE + "demo-1.0.tar.gz"),
        (f"/f/demo-1%2B0.whl?a=1#sha256={HASH}", "demo-1+0.whl", HASH, "https://index.example/f/demo-1%2B0.whl?a=1"),
        (f"//cdn.example/demo-1.0.zip#sha256={HASH}", "demo-1.0.zip", HASH, "https://cdn.example/demo-1.0.zip"),
    ],
)
def test_a_link_is_a_file_with_what_its_fragment_proves(href: str, filename: str, sha256: str, url: str) -> None:
    assert parse(anchor(href), PAGE).files == (Served(filename, sha256, url, yanked=False),)


def test_a_base_is_where_links_begin() -> None:
    body = b'<html><head><base href="/files/"></head><a href="demo-1.0.tar.gz">demo</a></html>'
    assert parse(body, PAGE).files[0].url == "https://index.example/files/demo-1.0.tar.gz"


def test_links_to_anything_else_are_none_of_the_files() -> None:
    body = anchor("demo-1.0.tar.gz") + anchor("../") + anchor("demo-1.0.tar.gz.asc") + b"<a>nowhere</a>"
    assert [file.filename for file in parse(body, PAGE).files] == ["demo-1.0.tar.gz"]


@pytest.mark.parametrize(
    "body",
    [
        b"<html><head><title>Links for demo</title></head></html>",
        b'<html><head><meta name="pypi:repository-version" content="1.0"></head></html>',
        b"<html><body><h1>Links for demo</h1></body></html>",
    ],
)
def test_a_page_without_files_is_one_where_it_says_so(body: bytes) -> None:
    assert parse(body, PAGE).files == ()


@pytest.mark.parametrize(
    "body", [b"<html><title>Please log in</title><a href='/login'>log in</a></html>", b"", b"<![", b"null", b"[]"]
)
def test_anything_else_is_no_page(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"HTML|JSON"):
        parse(body, PAGE)


@pytest.mark.parametrize(
    "template",
    [
        '{{"files": [{{"filename": "a.whl", "url": "a", "hashes": {{"sha256": "{}"}}}}]}}',
        '<a href="a.whl#sha256={}">a.whl</a>',
    ],
)
def test_capitals_in_a_hash_are_the_same_bytes(template: str) -> None:
    (file,) = parse(template.format("AB" * 32).encode(), PAGE).files
    assert file.sha256 == "ab" * 32


@given(st.text())
def test_no_html_breaks_the_reader(text: str) -> None:
    try:
        found = parse(b"<" + text.encode(), PAGE).files
    except ValueError:
        return
    assert all(isinstance(file, Served) for file in found)


@pytest.mark.parametrize("status", ["active", "archived", "quarantined", "deprecated"])
@pytest.mark.parametrize("reason", ["", 'use "other" <instead>'])
def test_the_status_of_a_project_is_read(status: str, reason: str) -> None:
    """As warehouse 6b62157 writes it: in JSON a table, in HTML elements (PEP 792)."""
    table = {"status": status, "reason": reason or None}
    document = {"meta": {"api-version": "1.4"}, "name": "demo", "files": [], "project-status": table}
    expected = Listing(status=status, reason=reason)
    assert parse(json.dumps(document).encode(), PAGE) == expected
    meta = f'<meta name="pypi:project-status" content="{status}">'
    if reason:
        meta += f'<meta name="pypi:project-status-reason" content="{html.escape(reason)}">'
    page = f'<html><head><meta name="pypi:repository-version" content="1.4">{meta}</head></html>'
    assert parse(page.encode(), PAGE) == expected


@pytest.mark.parametrize("table", [None, "archived", [], {}, {"status": None}, {"status": 3, "reason": []}])
def test_a_status_that_is_none_is_active(table: object) -> None:
    body = json.dumps({"files": [], "project-status": table}).encode()
    assert parse(body, PAGE) == Listing()


def test_a_hash_in_capitals_is_the_same_hash() -> None:
    entry = {"filename": "demo-1.0.tar.gz", "url": "a", "hashes": {"sha256": HASH.upper()}}
    assert parse(json.dumps({"files": [entry]}).encode(), PAGE).files[0].sha256 == HASH
