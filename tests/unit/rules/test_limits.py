"""What `nox -s limits` says: what moved since the server was read, in sentences."""

from __future__ import annotations

import json
import sys
from dataclasses import fields, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.rules import limits
from tests import limits as moved
from tests.limits import Facts

if TYPE_CHECKING:
    from pathlib import Path

SAME = Facts(
    versions=dict(moved.PINS),
    metadata_versions=list(limits.METADATA_VERSIONS),
    fields=["name (since 1.0)"],
    systems=["mac_platforms"],
    licences=["MIT"],
    classifiers=["Topic :: Internet"],
    deprecated=["Topic :: Old"],
    modules=sorted(limits.stdlib_names()),
)


def changed(kind: str, value: list[str]) -> Facts:
    facts: dict[str, Any] = {kind: value}
    return replace(SAME, **facts)


def said(then: Facts, now: Facts) -> str:
    return "\n".join(moved.report(then, now))


def test_each_fact_has_its_words() -> None:
    assert set(moved.WORDS) == {field.name for field in fields(Facts)} - {"versions"}


def test_where_nothing_moved_that_is_said() -> None:
    text = said(SAME, SAME)
    assert limits.SOURCE_DATE in text
    assert limits.SOURCE_COMMIT[:12] in text
    assert "They know the same." in text
    assert text.count("is still the newest.") == len(moved.PINS)
    assert "New" not in text
    assert "Correct it" not in text


@pytest.mark.parametrize("kind", moved.WORDS)
def test_what_is_new_or_gone_is_named(kind: str) -> None:
    after = changed(kind, [*getattr(SAME, kind)[1:], "brand-new"])
    text = said(SAME, after)
    assert f"New {moved.WORDS[kind]}: brand-new." in text
    assert f"No longer among the {moved.WORDS[kind]}: {getattr(SAME, kind)[0]}." in text
    assert "They know the same." not in text


def test_a_newer_release_is_named() -> None:
    after = replace(SAME, versions={**SAME.versions, "packaging": "99.0"})
    assert f"packaging {limits.SERVER_PACKAGING} was used then, 99.0 is the newest." in said(SAME, after)


def test_a_table_that_is_not_the_servers_is_named() -> None:
    then = changed("metadata_versions", SAME.metadata_versions[1:])
    assert "The table of Metadata-Version is not what " in said(then, SAME)


def test_modules_that_the_list_lacks_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdlib_module_names", frozenset({"abc"}))
    assert "All modules of Python" in said(SAME, SAME)
    monkeypatch.setattr(sys, "stdlib_module_names", frozenset({"abc", "_brand_new"}))
    assert "has modules that are not in stdlib-list: brand-new." in said(SAME, SAME)
    after = said(SAME, replace(SAME, modules=[*SAME.modules, "brand-new"]))
    assert "has modules that are not in stdlib-list" not in after


def test_names_are_made_as_the_server_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    lists = {"2.7": ["abc", "xml.etree.ElementTree"], "3.14": ["abc", "__future__", "graphlib"]}
    library = SimpleNamespace(short_versions=list(lists), stdlib_list=lists.__getitem__)
    monkeypatch.setattr(limits, "stdlib_list", library)
    names = limits.stdlib_names.__wrapped__()
    assert names == {"abc", "future", "graphlib", "xml", "xml-etree", "xml-etree-elementtree"}
    assert names < limits.stdlib_names()


def test_the_libraries_are_read_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "facts.json"
    assert moved.main(["facts", "--out", str(out)]) == 0
    found = Facts(**json.loads(out.read_text(encoding="utf-8")))
    assert set(limits.METADATA_VERSIONS) <= set(found.metadata_versions)
    assert "license_expression (since 2.4)" in found.fields
    assert {"mac_platforms", "ios_platforms"} <= set(found.systems)
    assert "MIT" in found.licences
    assert "Typing :: Typed" in found.classifiers
    assert moved.main(["compare", str(out)]) == 0
    assert "They know the same." in capsys.readouterr().out


def test_what_the_server_used_is_what_is_installed_for_then(capsys: pytest.CaptureFixture[str]) -> None:
    assert moved.main(["pins"]) == 0
    pins = capsys.readouterr().out.split()
    assert f"packaging=={limits.SERVER_PACKAGING}" in pins
    assert len(pins) == len(moved.PINS)


def test_what_cannot_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert moved.main(["compare", str(tmp_path / "gone.json")]) == 1
    monkeypatch.setitem(sys.modules, "trove_classifiers", None)
    assert moved.main(["facts", "--out", str(tmp_path / "facts.json")]) == 1
    assert capsys.readouterr().err.count("not read: ") == 2
