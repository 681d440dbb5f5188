from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.archives import WHEEL, found, metadata, sdist, wheel, wheel_members, written, zipped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archives import Fields

CASES: list[tuple[str, Fields, Fields, str]] = [
    ("metadata-version", {"Metadata-Version": "2.6"}, {"Metadata-Version": "2.5"}, "is 2.6; "),
    ("metadata-version", {"Metadata-Version": "2.0"}, {"Metadata-Version": "2.1"}, "is 2.0; "),
    ("metadata-version", {"Metadata-Version": None}, {}, "is missing; "),
    ("metadata-name", {"Name": None}, {}, "no Name"),
    ("metadata-name", {"Name": "UNKNOWN"}, {"Name": "UNKNOWN-1"}, "takes UNKNOWN for none"),
    ("metadata-name", {"Name": "demo-"}, {"Name": "d"}, "'demo-'"),
    ("metadata-name", {"Name": "größe"}, {"Name": "De.m_o-1"}, "'größe'"),
    ("metadata-name", {"Name": "a demo"}, {"Name": "a-demo"}, "'a demo'"),
    ("metadata-name-stdlib", {"Name": "Graphlib"}, {}, "no new project"),
    ("metadata-release-version", {"Version": "9" * 5000}, {"Version": "9" * 4000}, "is not a valid version"),
    ("metadata-release-version", {"Version": None}, {}, "no Version"),
    ("metadata-release-version", {"Version": "1.0-x"}, {"Version": "1.0-1"}, "'1.0-x'"),
    (
        "metadata-local-version",
        {"Version": "1.0+g123"},
        {"Version": "1.0.dev1"},
        "1.0+g123. If the version is static, remove it; one that is read from git",
    ),
    ("metadata-local-version", {"Version": "1.0+g123"}, {"Version": "one"}, "1.0+g123"),
    ("metadata-repeated", {"Summary": ["one", "two"]}, {"Classifier": ["Typing :: Typed"] * 2}, "summary"),
    ("metadata-repeated", {"Project-URL": ["A, https://a", "A, https://b"]}, {"Project-URL": ["A, x", "B, x"]}, "A"),
    ("metadata-field-version", {"Metadata-Version": "2.3"}, {"Metadata-Version": "2.4"}, "license-expression"),
    (
        "metadata-field-version",
        {"Metadata-Version": "2.1", "License-Expression": None, "Dynamic": "Summary"},
        {"Metadata-Version": "2.1", "License-Expression": None, "Dynamic": "UNKNOWN"},
        "dynamic (since 2.2)",
    ),
    ("metadata-field-version", {"Import-Name": "demo"}, {"Import-Name": ""}, "import-name (since 2.5)"),
    ("metadata-field-version", {"Metadata-Version": "1.0"}, {"Metadata-Version": "3.0"}, "classifier"),
    ("metadata-unknown-field", {"Clasifier": "Typing :: Typed"}, {"CLASSIFIER": "Typing :: Typed"}, "'clasifier'"),
]


@pytest.mark.parametrize(("code", "wrong", "right", "part"), CASES)
def test_what_a_file_is_has_to_be_said(tmp_path: Path, code: str, wrong: Fields, right: Fields, part: str) -> None:
    for make in (wheel, sdist):
        (message,) = found(make(tmp_path, wrong), code)
        assert part in message
        assert found(make(tmp_path, right), code) == []


def test_a_license_file_written_early_is_left_to_the_uploader(tmp_path: Path) -> None:
    changes: Fields = {"Metadata-Version": "2.1", "License-Expression": None}
    for code in ("metadata-field-version", "wheel-license-file", "metadata-license-file-path"):
        assert found(wheel(tmp_path, {**changes, "License-File": "../gone"}), code) == []


@pytest.mark.parametrize("before", ["\ufeff", "\n", "junk\n"])
def test_metadata_behind_something_else_is_not_seen(tmp_path: Path, before: str) -> None:
    members = wheel_members(WHEEL, before + metadata(), {})
    path = written(tmp_path, WHEEL, zipped(members.items()))
    assert found(path, "metadata-version")
    assert (
        found(written(tmp_path, WHEEL, zipped(wheel_members(WHEEL, metadata(), {}).items())), "metadata-version") == []
    )
