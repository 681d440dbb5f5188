from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.archives import found, sdist, wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archives import Fields

NOTHING: Fields = {}
NO_LICENSE: Fields = {"License-Expression": None, "License-File": None}
NO_AUTHOR: Fields = {"Author-email": None}
NO_URL: Fields = {"Project-URL": None}


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("metadata-summary", {"Summary": None}),
        ("metadata-summary", {"Summary": ""}),
        ("metadata-summary", {"Summary": "UNKNOWN"}),
        ("metadata-license", NO_LICENSE),
        ("metadata-requires-python", {"Requires-Python": None}),
        ("metadata-author", NO_AUTHOR),
        ("metadata-source-url", NO_URL),
    ],
)
def test_a_field_that_is_missing_is_named(tmp_path: Path, code: str, changes: Fields) -> None:
    for path in (wheel(tmp_path, changes), sdist(tmp_path, changes)):
        (message,) = found(path, code)
        assert "set " in message


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("metadata-summary", NOTHING),
        ("metadata-license", NOTHING),
        ("metadata-license", {**NO_LICENSE, "License": "MIT"}),
        ("metadata-license", {**NO_LICENSE, "License-File": "COPYING"}),
        ("metadata-license", {**NO_LICENSE, "Classifier": "License :: OSI Approved :: MIT License"}),
        ("metadata-requires-python", NOTHING),
        ("metadata-author", NOTHING),
        ("metadata-author", {**NO_AUTHOR, "Author": "Ada Example"}),
        ("metadata-author", {**NO_AUTHOR, "Maintainer": "Ada Example"}),
        ("metadata-author", {**NO_AUTHOR, "Maintainer-email": "ada@example.org"}),
        ("metadata-source-url", NOTHING),
        ("metadata-source-url", {**NO_URL, "Home-page": "https://example.org"}),
        ("metadata-source-url", {**NO_URL, "Download-URL": "https://example.org"}),
    ],
)
def test_what_is_there_is_enough(tmp_path: Path, code: str, changes: Fields) -> None:
    assert found(wheel(tmp_path, changes), code) == []
    assert found(sdist(tmp_path, changes), code) == []


def test_another_classifier_names_no_license(tmp_path: Path) -> None:
    assert found(wheel(tmp_path, {**NO_LICENSE, "Classifier": "Topic :: License"}), "metadata-license")


@pytest.mark.parametrize("description", ["", "\n \n"])
def test_an_empty_description_is_named(tmp_path: Path, description: str) -> None:
    assert found(wheel(tmp_path, description=description), "metadata-readme")
    assert found(wheel(tmp_path), "metadata-readme") == []


PYTHONS = [f"Programming Language :: Python :: 3.{minor}" for minor in (9, 10)]


@pytest.mark.parametrize(
    ("code", "wrong", "right"),
    [
        ("metadata-python-classifiers", {"Classifier": PYTHONS}, {"Classifier": PYTHONS, "Requires-Python": ">=3.9"}),
        (
            "metadata-python-classifiers",
            {"Classifier": PYTHONS, "Requires-Python": "<3.10"},
            {"Classifier": PYTHONS, "Requires-Python": "three"},
        ),
        (
            "metadata-license-classifier",
            {"Classifier": "License :: OSI Approved :: MIT License"},
            {"Classifier": "License :: OSI Approved :: MIT License", "License-Expression": None},
        ),
        ("metadata-deprecated", {"Requires": "six"}, {"Requires-Dist": "six"}),
    ],
)
def test_what_is_out_of_step_is_named(tmp_path: Path, code: str, wrong: Fields, right: Fields) -> None:
    assert len(found(wheel(tmp_path, wrong), code)) == 1
    assert found(wheel(tmp_path, right), code) == []


@pytest.mark.parametrize(
    ("given", "instead", "sound"),
    [
        ("==3.11", "write ==3.11.*.", "==3.11.*"),
        ("<=3.11,>=3.8", "write <3.12.", ">=3.8,<3.12"),
        ("<= 3.9", "<3.10", "<=3.9.7"),
        ("<=3.12.0", "<3.13", "==3.12.0"),
    ],
)
def test_a_python_without_its_patch_releases_is_named(tmp_path: Path, given: str, instead: str, sound: str) -> None:
    (message,) = found(wheel(tmp_path, {"Requires-Python": given}), "metadata-requires-python-patch")
    assert instead in message
    assert found(wheel(tmp_path, {"Requires-Python": sound}), "metadata-requires-python-patch") == []
