"""What `nox -s limits` says: what moved since the server was read, in sentences."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from seatrial.rules import limits
from tests import limits as moved
from tests.limits import Facts

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


@pytest.fixture(autouse=True)
def stdlib_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stdlib-list of two Pythons."""
    library = ModuleType("stdlib_list")
    lists = {"2.7": ["abc", "xml.etree.ElementTree"], "3.14": ["abc", "__future__", "graphlib"]}
    library.short_versions = list(lists)  # type: ignore[attr-defined]
    library.stdlib_list = lists.__getitem__  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "stdlib_list", library)
    version = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: "0.12.0" if name == "stdlib-list" else version(name)
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


@pytest.mark.parametrize("kind", ["metadata_versions", "modules"])
def test_a_table_that_is_not_the_servers_is_named(kind: str) -> None:
    then = changed(kind, getattr(SAME, kind)[1:])
    assert f"The table of {moved.WORDS[kind]} is not what " in said(then, SAME)


def test_modules_that_the_table_lacks_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert " are in the table of names." in said(SAME, SAME)
    monkeypatch.setattr(sys, "stdlib_module_names", frozenset({"abc", "_brand_new"}))
    assert "has modules that are not in the table: brand-new (the newest list lacks some)." in said(SAME, SAME)
    after = replace(SAME, modules=[*SAME.modules, "brand-new"])
    assert "brand-new (the newest stdlib-list has them all)." in said(SAME, after)


def test_names_are_made_as_the_server_makes_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert moved.main(["names"]) == 0
    head, *names = capsys.readouterr().out.splitlines()
    assert head.endswith("the modules of stdlib-list 0.12.0 (Python 2.7 to 3.14), normalised.")
    assert names == ["abc", "future", "graphlib", "xml", "xml-etree", "xml-etree-elementtree"]
    ours = Path(limits.__file__).with_name("stdlib.txt").read_text(encoding="utf-8").splitlines()
    assert ours[0] == head.replace("2.7", "2.6")
    assert set(names) < set(ours)


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
    monkeypatch.setitem(sys.modules, "stdlib_list", None)
    assert moved.main(["facts", "--out", str(tmp_path / "facts.json")]) == 1
    assert capsys.readouterr().err.count("not read: ") == 2
